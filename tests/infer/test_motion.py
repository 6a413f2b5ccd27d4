"""Whether what a contrast tests goes together with head motion is what the contrast finds of motion itself."""

import numpy as np
import pytest
from scipy import stats

from sphereconn.infer.contrast import contrast_model
from sphereconn.infer.motion import MOTION, with_motion
from sphereconn.infer.results import described_model, levels_left_out
from sphereconn.words import NOT_CHOSEN

RNG = np.random.default_rng(3)
GROUPS = ["control"] * 8 + ["patient"] * 7
AGES = RNG.uniform(20, 60, 15)
DISPLACEMENT = RNG.uniform(0.1, 0.3, 15) + np.array([0.0] * 8 + [0.1] * 7)
PATIENTS = {"group": {"patient": 1.0, "control": -1.0}}
SETTINGS = {"factors": [], "paired": None, "groups": None, "runs": {}, "weights": None, "variances": "equal"}


def rows(motion=DISPLACEMENT):
    return [
        {"name": f"sub-{place}", "subject": str(place), "group": group, "age": repr(float(age)), MOTION: str(moved)}
        for place, (group, age, moved) in enumerate(zip(GROUPS, AGES, motion, strict=True))
    ]


def found(model, test, motion=DISPLACEMENT):
    return with_motion(contrast_model(rows(motion), SETTINGS | {"model": model, "test": test}), test)


@pytest.mark.parametrize("model", ["group", f"group + {MOTION}"])
def test_two_groups_are_compared_in_motion_by_students_t_whether_the_model_has_motion_or_not(model):
    patients, controls = DISPLACEMENT[8:], DISPLACEMENT[:8]
    said = found(model, PATIENTS)
    assert said["Effect"] == pytest.approx(patients.mean() - controls.mean())
    assert said["P"] == pytest.approx(stats.ttest_ind(patients, controls).pvalue)
    assert said["InModel"] == (MOTION in model)


def test_a_slope_has_the_correlation_with_motion():
    expected = stats.pearsonr(AGES, DISPLACEMENT)
    said = found("age", "age")
    assert (said["PartialR"], said["P"]) == (pytest.approx(expected.statistic), pytest.approx(expected.pvalue))


def test_a_run_of_unknown_motion_counts_for_nothing():
    said = found("group", PATIENTS, ["n/a", *DISPLACEMENT[1:]])
    assert said["P"] == pytest.approx(stats.ttest_ind(DISPLACEMENT[8:], DISPLACEMENT[1:8]).pvalue)


@pytest.mark.parametrize(
    ("model", "test", "motion"),
    [
        (MOTION, MOTION, DISPLACEMENT),
        ("group", "intercept", DISPLACEMENT),
        ("group", PATIENTS, ["n/a"] * 15),
        ("group", PATIENTS, [0.2] * 15),
    ],
)
def test_nothing_is_said_where_motion_or_a_mean_is_tested_or_motion_tells_nothing(model, test, motion):
    assert found(model, test, motion) is None


def test_runs_that_a_limit_left_out_are_counted_by_level_among_those_that_the_contrast_wanted():
    left_out = [{"group": "patient", "site": "a"}] * 2 + [{"group": "control", "site": "b"}, {"site": "a"}]
    assert levels_left_out(left_out, ["group"], {}) == {"group": {"control": 1, "patient": 2}}
    assert levels_left_out(left_out, ["group"], {"site": ["a"]}) == {"group": {"patient": 2}}


def told(some, model, test, left_out=(), **settings):
    settings = SETTINGS | {"model": model, "test": test, "level": 0.05} | settings
    return described_model(contrast_model(some, settings), None, some, left_out, settings)


def test_runs_left_out_are_those_of_the_denoising_and_those_of_the_model_each_with_the_reason():
    some = rows()
    some[3]["age"] = "n/a"
    before = [
        {"Run": {"name": "sub-20", "group": "patient"}, "Reason": "Too short."},
        {"Run": {"name": "sub-21", "group": "other"}, "Reason": "Too short."},
    ]
    said = told(some, "group + age", PATIENTS, before, runs={"group": ["patient", "control"]})
    assert said["RunsLeftOut"] == {"sub-20": "Too short.", "sub-21": NOT_CHOSEN, "sub-3": "no value in age"}
    assert said["LevelsLeftOut"] == {"group": {"patient": 1}}


def test_a_run_that_the_model_follows_almost_alone_is_named_with_what_it_weighs_in_the_test():
    moved = [*DISPLACEMENT[:14], 9.0]
    tested = told(rows(moved), f"group + {MOTION}", MOTION)["HighLeverage"]
    adjusted = told(rows(moved), f"group + {MOTION}", PATIENTS)["HighLeverage"]
    for said in (tested, adjusted):
        assert list(said) == ["sub-14"] and said["sub-14"]["Leverage"] > 0.99
    # The displacements within groups, apart from that of this run, are next to nothing.
    of_patients = np.array(moved[8:]) - np.mean(moved[8:])
    of_controls = np.array(moved[:8]) - np.mean(moved[:8])
    squares = (of_patients**2).sum() + (of_controls**2).sum()
    assert tested["sub-14"]["ShareOfTest"] == pytest.approx(of_patients[-1] ** 2 / squares)
    assert adjusted["sub-14"]["ShareOfTest"] < 0.2
    assert told(rows(), f"group + {MOTION}", MOTION)["HighLeverage"] == {}
