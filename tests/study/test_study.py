"""A study: what is crossed with what, for which runs, and what does not fit together."""

import copy
from pathlib import Path

import pytest

from sphereconn.errors import InputError
from sphereconn.plan.reported import reported
from sphereconn.study.sources import read_source
from sphereconn.study.study import resolve_study

ROOT = Path(__file__).parents[2]


@pytest.fixture
def study(tmp_path):
    runs = ["subject bold confounds site", "01 a.nii c.tsv essen", "02 b.nii c.tsv bochum", "03 c.nii n/a essen"]
    (tmp_path / "runs.tsv").write_text("\n".join(run.replace(" ", "\t") for run in runs) + "\n")
    config = {
        "runs": str(tmp_path / "runs.tsv"),
        "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}, "seitzman": {"seeds": "seitzman300"}},
        "denoising": {"bandpass": {"high_pass": 0.01, "low_pass": 0.1}, "motion": {"confounds": ["trans_*"]}},
        "estimators": {"full": {"kind": "correlation"}, "partial": {"kind": "partial correlation"}},
        "connectomes": [{"denoising": ["bandpass"]}],
    }

    def read(**changes):
        schema = ROOT / "workflow" / "schemas" / "config.schema.json"
        return resolve_study({**copy.deepcopy(config), **changes}, schema, ROOT / "resources", "study.yaml")

    return read


def labels(study):
    return [(item.seed_set, item.denoising, item.estimator, len(item.runs)) for item in study.combinations]


def test_what_a_list_leaves_out_means_all(study):
    assert labels(study()) == [
        ("dmn", "bandpass", "full", 3),
        ("dmn", "bandpass", "partial", 3),
        ("seitzman", "bandpass", "full", 3),
        ("seitzman", "bandpass", "partial", 3),
    ]


def test_the_cross_is_not_forced(study):
    chosen = study(
        connectomes=[
            {
                "seed_sets": ["dmn"],
                "denoising": ["motion"],
                "estimators": ["partial"],
                "runs": {"subject": ["01", "02"]},
            },
            {"seed_sets": ["seitzman"], "denoising": ["bandpass"], "estimators": ["full"]},
        ]
    )
    assert labels(chosen) == [("dmn", "motion", "partial", 2), ("seitzman", "bandpass", "full", 3)]


def test_a_combination_asked_for_twice_is_computed_once_for_the_runs_of_both(study):
    entry = {"seed_sets": ["dmn"], "denoising": ["bandpass"], "estimators": ["full"]}
    chosen = study(connectomes=[{**entry, "runs": {"subject": "01"}}, {**entry, "runs": {"subject": ["01", "03"]}}])
    assert labels(chosen) == [("dmn", "bandpass", "full", 2)]


def test_an_excluded_run_is_in_no_combination_and_in_the_report_with_its_reason(study):
    chosen = study(exclude={"sub-01": "damaged image"}, connectomes=[{"denoising": ["bandpass"]}])
    assert all("sub-01" not in [run.stem for run in item.runs] for item in chosen.combinations)
    assert reported(chosen)["unused"] == [["sub-01", "damaged image"]]
    with pytest.raises(InputError, match=r"exclude: 'sub-1' matches no run of .*; did you mean 'sub-01'\?"):
        study(exclude={"sub-1": "damaged image"})
    with pytest.raises(InputError, match=r"exclude: all runs of .* are excluded"):
        study(exclude=dict.fromkeys(["sub-01", "sub-02", "sub-03"], "bad"))


def test_figures_can_be_kept_to_some_runs(study):
    assert study(figures={"runs": "none"}).figure_runs == frozenset()
    assert study(figures={"runs": {"site": "essen"}}).figure_runs == {"sub-01", "sub-03"}
    assert study(figures={}).figure_runs == frozenset()  # nobody asked for any
    assert len(study(figures={"runs": "all"}).figure_runs) == 3


def test_a_study_without_a_source_of_runs_is_named(study):
    settings = {key: value for key, value in study().settings.items() if key != "runs"}
    with pytest.raises(InputError, match=r"study\.yaml: exactly one of runs"):
        read_source(settings, "results", "study.yaml", ROOT / "resources")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"connectomes": [{"seed_sets": ["dnm"]}]},
            "study.yaml: connectomes.0.seed_sets: 'dnm' is not defined; defined in seed_sets are dmn, seitzman.",
        ),
        (
            {"connectomes": [{"runs": {"site": "paris"}}]},
            "study.yaml: connectomes.0.runs: no run of the runs table matches",
        ),
        ({"connectomes": "all"}, "run sub-03 has no confounds table, which denoising.motion needs"),
        ({"groups": ["sites"]}, "study.yaml: groups: the runs table has no column 'sites'"),
        (
            {"seed_sets": {"mine": {"seeds": "nowhere.tsv", "radius": 5}}},
            "'nowhere.tsv' is neither a file nor a seed table that comes with",
        ),
        ({"seed_sets": {"dmn": {"seeds": "dmn"}}}, "seed_sets.dmn: "),
        (
            {"denoising": {"bandpass": {"high_pass": 0.1, "low_pass": 0.01}}},
            "high_pass (0.1 Hz) must lie below low_pass (0.01 Hz)",
        ),
        ({"denoising": {"bandpass": {"filter": "cosine"}}}, "filter: cosine needs a high_pass"),
        (
            {"estimators": {"full": {"kind": "correlation", "covariance": "oas", "z": "xdf"}}},
            "estimators.full.z: xdf applies to Pearson's correlation and is allowed only for kind: correlation with"
            " covariance: empirical.",
        ),
    ],
)
def test_what_does_not_fit_together_is_named(study, changes, expected):
    with pytest.raises(InputError) as caught:
        study(**changes)
    assert expected in str(caught.value)


CONTRAST = {"model": "site", "test": "site"}


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("connectomes.0.runs", lambda wanted: {"connectomes": [{"denoising": ["bandpass"], "runs": wanted}]}),
        ("contrasts.it.runs", lambda wanted: {"contrasts": {"it": {**CONTRAST, "runs": wanted}}}),
        (
            "contrasts.it.harmonize.learn_from",
            lambda wanted: {"contrasts": {"it": {**CONTRAST, "harmonize": {"column": "site", "learn_from": wanted}}}},
        ),
        ("maps.it.runs", lambda wanted: {"maps": {"it": {"seed_sets": ["dmn"], "runs": wanted}}}),
        ("reliability.runs", lambda wanted: {"reliability": {"over": "halves", "runs": wanted}}),
        ("figures.runs", lambda wanted: {"figures": {"runs": wanted}}),
        ("figures.sheets", lambda wanted: {"figures": {"sheets": wanted}}),
    ],
)
def test_a_choice_of_runs_with_a_value_that_none_has_is_named(study, key, changes):
    bandpass = {"connectomes": [{"denoising": ["bandpass"]}]}  # which needs no confounds
    with pytest.raises(InputError) as caught:
        study(**{**bandpass, **changes({"subject": ["01", 3]})})
    assert str(caught.value) == f"study.yaml: {key}: no run has subject '3'; write \"03\", in quotes, for 03."
