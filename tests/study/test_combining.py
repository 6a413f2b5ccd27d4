"""Which runs of a subject are combined, what they have in common, and what the study makes of them."""

import json
from pathlib import Path

import pytest

from sphereconn.errors import InputError
from sphereconn.plan.products import results
from sphereconn.study.combining import combine_runs
from sphereconn.study.runs import Run
from sphereconn.study.study import resolve_study

ROOT = Path(__file__).parents[2]


def run(covariates=None, **entities):
    return Run(entities, "x.nii", covariates=covariates or {})


def test_runs_that_agree_in_all_but_some_entities_are_one_subjects():
    runs = [
        run(subject="01", session="a", task="rest", run="1", space="MNI152"),
        run(subject="01", session="a", task="rest", run="2", space="MNI152"),
        run(subject="01", session="b", task="rest", space="MNI152"),
        run(subject="01", session="a", task="film", run="1", space="MNI152"),
        run(subject="02", task="rest"),
    ]
    both = combine_runs(runs, ["session", "run"])
    assert [(subject.stem, subject.folder, len(subject.runs)) for subject in both] == [
        ("sub-01_task-film_run-all_space-MNI152", "sub-01", 1),
        ("sub-01_task-rest_run-all_space-MNI152", "sub-01", 3),
        ("sub-02_task-rest_run-all", "sub-02", 1),
    ]
    of_sessions = combine_runs(runs, ["run"])
    assert ("sub-01_ses-a_task-rest_run-all_space-MNI152", "sub-01/ses-a", 2) in [
        (subject.stem, subject.folder, len(subject.runs)) for subject in of_sessions
    ]
    tasks = combine_runs(runs, ["session", "run", "task"])
    assert [subject.stem for subject in tasks] == ["sub-01_run-all_space-MNI152", "sub-02_run-all"]


def test_columns_in_which_the_runs_agree_are_the_subjects():
    runs = [
        run({"site": "essen", "age": "30", "scanner": "x"}, subject="01", run="1"),
        run({"site": "essen", "age": "31"}, subject="01", run="2"),
    ]
    (subject,) = combine_runs(runs, ["run"])
    assert subject.covariates == {"site": "essen"}
    assert (subject.value("run"), subject.value("age")) == ("all", None)


@pytest.fixture
def study(tmp_path):
    table = [
        "subject session run bold site",
        "01 a 1 a.nii essen",
        "01 b 1 b.nii essen",
        "02 a 1 c.nii bochum",
        "02 a 2 d.nii bochum",
        "03 b n/a e.nii essen",
    ]
    (tmp_path / "runs.tsv").write_text("\n".join(row.replace(" ", "\t") for row in table) + "\n")
    config = {
        "runs": str(tmp_path / "runs.tsv"),
        "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}},
        "denoising": {"all": {"high_pass": 0.01}, "first": {"high_pass": 0.01}},
        "estimators": {
            "full": {"kind": "correlation"},
            "joint": {"kind": "group sparse inverse covariance"},
            "tangent": {"kind": "tangent"},
        },
        "combine": {"how": "concatenate"},
        "connectomes": [{"denoising": ["all"]}, {"denoising": ["first"], "runs": {"session": "a"}}],
    }

    def read(**changes):
        schema = ROOT / "workflow" / "schemas" / "config.schema.json"
        return resolve_study(json.loads(json.dumps({**config, **changes})), schema, ROOT / "resources", "study.yaml")

    return read


def members(study, denoising):
    return {
        subject.stem: [run.stem for run in subject.runs]
        for item in study.combinations
        if (item.denoising, item.estimator) == (denoising, "full")
        for subject in item.combined
    }


def test_runs_are_chosen_before_they_are_combined(study):
    assert members(study(), "all")["sub-01_run-all"] == ["sub-01_ses-a_run-1", "sub-01_ses-b_run-1"]
    assert members(study(), "first") == {
        "sub-01_run-all": ["sub-01_ses-a_run-1"],
        "sub-02_run-all": ["sub-02_ses-a_run-1", "sub-02_ses-a_run-2"],
    }


def test_estimators_that_take_no_run_of_a_subject_or_the_same_are_in_nobodys_way(study):
    entries = [
        {"denoising": ["all"], "estimators": ["full"]},
        {"denoising": ["all"], "estimators": ["joint"], "runs": {"subject": ["01", "03"]}},
    ]
    assert len(study(connectomes=entries).combinations) == 2
    entries[1]["runs"] = {"session": "a"}
    with pytest.raises(InputError, match="estimators full and joint use different runs of sub-01_run-all"):
        study(connectomes=entries)


def recordings(study, estimator, which):
    (item,) = [item for item in study.combinations if (item.denoising, item.estimator) == ("all", estimator)]
    return [recording.stem for recording in getattr(study, which)(item)]


def test_joint_fits_are_made_once(study):
    joined, averaged, alone = study(), study(combine={"how": "average"}), study(combine=None)
    runs = ["sub-01_ses-a_run-1", "sub-01_ses-b_run-1", "sub-02_ses-a_run-1", "sub-02_ses-a_run-2", "sub-03_ses-b"]
    subjects = ["sub-01_run-all", "sub-02_run-all", "sub-03_run-all"]
    for estimator in ("joint", "tangent"):
        assert recordings(joined, estimator, "estimated") == recordings(joined, estimator, "connected") == subjects
    assert recordings(joined, "full", "estimated") == recordings(joined, "full", "connected") == runs + subjects
    for estimator in ("full", "joint", "tangent"):
        assert recordings(averaged, estimator, "estimated") == runs
        assert recordings(averaged, estimator, "connected") == runs + subjects
        assert recordings(alone, estimator, "estimated") == recordings(alone, estimator, "connected") == runs


def test_z_is_there_of_what_has_signals_not_of_averages(study):
    def with_z(**changes):
        estimators = {"full": {"kind": "correlation", "z": "xdf"}, "cov": {"kind": "covariance"}}
        paths = results(study(estimators=estimators, connectomes="all", **changes))
        return {path.split("/")[-1] for path in paths if path.endswith("stat-z_relmat.tsv") and "desc-all" in path}

    alone, joined, averaged = with_z(combine=None), with_z(), with_z(combine={"how": "average"})
    assert len(alone) == 5 and not [name for name in alone if "meas-full" not in name]
    assert len(joined - alone) == 3 and averaged == alone


def test_nothing_is_combined_unless_it_is_asked_for(study):
    assert not [path for path in results(study(combine=None)) if "run-all" in path]


@pytest.mark.parametrize(
    ("wanted", "drawn"),
    [
        ("none", []),
        ({"run": "all"}, ["sub-01_run-all", "sub-02_run-all", "sub-03_run-all"]),
        ({"subject": "03"}, ["sub-03_run-all", "sub-03_ses-b"]),
        ({"session": "b"}, ["sub-01_ses-b_run-1", "sub-03_ses-b"]),
        ({"site": "bochum", "run": ["all", 2]}, ["sub-02_run-all", "sub-02_ses-a_run-2"]),
    ],
)
def test_a_combined_result_is_chosen_for_figures_as_a_run_called_all(study, wanted, drawn):
    assert sorted(study(figures={"runs": wanted}).figure_runs) == drawn


def test_the_order_of_the_columns_means_nothing(study):
    one, other = (study(combine={"how": "average", "over": over}) for over in (["run", "session"], ["session", "run"]))
    assert one.settings == other.settings
