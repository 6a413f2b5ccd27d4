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
    return set(excluded_runs(RUNS, dict.fromkeys(entries, "why"), "exclude", "runs.tsv"))


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
    reasons = excluded_runs(RUNS, {"sub-01_run-1": "noisy", "sub-01": "withdrew"}, "exclude", "runs.tsv")
    assert reasons["sub-01_ses-a_task-rest_run-1_space-MNI152"] == "noisy"
    assert reasons["sub-01_ses-a_task-rest_run-12_space-MNI152"] == "withdrew"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["sub-2"], "exclude: 'sub-2' matches no run of runs.tsv; did you mean 'sub-02'?"),
        (["sub-01_ses-c"], "exclude: 'sub-01_ses-c' matches no run of runs.tsv"),
        (["sub"], "exclude: 'sub' matches no run of runs.tsv"),
        (["sub-*"], "exclude: all runs of runs.tsv are excluded."),
    ],
)
def test_what_excludes_nothing_or_everything_is_a_mistake(entries, message):
    with pytest.raises(InputError) as caught:
        excluded(*entries)
    assert str(caught.value).startswith(message)
