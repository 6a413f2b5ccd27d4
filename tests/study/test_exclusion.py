"""Runs are excluded by any entities of their names, as people name them."""

import pytest

from sphereconn.errors import InputError
from sphereconn.study.exclusion import excluded_runs
from sphereconn.study.runs import Run

RUNS = [
    Run({"subject": subject, "session": session, "task": "rest", "run": run, "space": "MNI152"}, "x.nii")
    for subject in ("01", "02", "91")
    for session in ("a", "b")
    for run in ("1", "12")
]


def excluded(*entries):
    return set(excluded_runs(RUNS, dict.fromkeys(entries, "why"), "exclude", "runs.tsv").reasons)


def stems(wanted):
    return {run.stem for run in RUNS if wanted(run.entities)}


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("sub-02", lambda run: run["subject"] == "02"),
        ("ses-b", lambda run: run["session"] == "b"),
        ("sub-01_ses-a", lambda run: (run["subject"], run["session"]) == ("01", "a")),
        ("sub-01_run-1", lambda run: (run["subject"], run["run"]) == ("01", "1")),
        ("run-1_sub-01", lambda run: (run["subject"], run["run"]) == ("01", "1")),
        ("sub-9*", lambda run: run["subject"] == "91"),
        ("sub-0?_run-1*", lambda run: run["subject"] != "91"),
        (RUNS[3].stem, lambda run: run == RUNS[3].entities),
    ],
)
def test_an_entry_excludes_the_runs_that_have_its_entities(entry, wanted):
    assert excluded(entry) == stems(wanted)


def test_the_first_reason_that_holds_is_given():
    found = excluded_runs(RUNS, {"sub-01_run-1": "noisy", "sub-01": "withdrew"}, "exclude", "runs.tsv")
    reasons = found.reasons
    assert reasons["sub-01_ses-a_task-rest_run-1_space-MNI152"] == "noisy"
    assert reasons["sub-01_ses-a_task-rest_run-12_space-MNI152"] == "withdrew"
    assert found.told() == "exclude: 4 of 12 runs are left out (sub-01_run-1: 2 runs and sub-01: 4 runs)."


def test_nothing_is_told_where_nothing_is_excluded():
    assert excluded_runs(RUNS, {}, "exclude", "runs.tsv").told() == ""
    one = excluded_runs(RUNS, {"sub-01_ses-a_run-1": "why"}, "exclude", "runs.tsv")
    assert one.told() == "exclude: 1 of 12 runs is left out (sub-01_ses-a_run-1: 1 run)."


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["sub-2"], "; did you mean 'sub-02'?"),
        (["sub-1_run-01"], "; did you mean 'sub-01_run-1'?"),
        (["SUB-02"], "; did you mean 'sub-02'?"),
        (["2"], "; did you mean 'sub-02'?"),
        (["02"], "; did you mean 'sub-02'?"),
        (["sess-a"], "; did you mean 'ses-a'?"),
        (["sub-01_task-rets"], "; did you mean 'sub-01_task-rest'?"),
        ([f"{RUNS[0].stem}_desc-preproc_bold.nii.gz"], f"; did you mean '{RUNS[0].stem}'?"),
        (["sub-99"], "; there are sub-01, sub-02 and sub-91."),
        (["sub-92"], "; there are sub-01, sub-02 and sub-91."),
        (["sub-01_ses-c"], "; there are ses-a and ses-b."),
        (["task-motor"], "; there is only task-rest."),
        (["sub-01_sub-02"], ", since no run has all of these together."),
        (["sub"], f"; allowed: entities of the names of runs, such as {RUNS[0].stem}."),
    ],
)
def test_an_entry_that_matches_no_run_is_told_what_it_may_mean_or_what_there_is(entries, message):
    with pytest.raises(InputError) as caught:
        excluded(*entries)
    assert str(caught.value) == f"exclude: '{entries[0]}' matches no run of runs.tsv{message}"


def test_to_exclude_everything_is_a_mistake():
    with pytest.raises(InputError, match=r"^exclude: all runs of runs.tsv are excluded\.$"):
        excluded("sub-*")
