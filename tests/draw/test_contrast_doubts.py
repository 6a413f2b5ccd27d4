"""What speaks against the result of a contrast is said beside it, with its size, and what does not is not."""

import pytest

from sphereconn.draw.contrast_doubts import beside_the_result, decided_by_runs, doubts, with_motion

SIDECAR = {
    "Settings": {"test": {"sex": {"M": 1.0, "F": -1.0}}, "groups": None, "level": 0.05},
    "Statistic": "t",
    "Levels": {"sex": {"F": 12, "M": 8}},
    "Columns": ["intercept", "age", "sex[M]"],
    "Contrast": [[0.0, 0.0, 1.0]],
    "VarianceInflation": {"age": 1.1, "sex[M]": 1.1},
    "HighLeverage": {},
    "EdgesNotTested": 0,
    "WithMotion": None,
}
MOTION = {"Effect": 0.132, "StandardizedEffect": 1.3, "PartialR": 0.61, "P": 0.004, "InModel": False}
AGE = {"Settings": SIDECAR["Settings"] | {"test": "age"}, "Contrast": [[0.0, 1.0, 0.0]]}


def of_motion(changes=(), **others):
    return SIDECAR | others | {"WithMotion": MOTION | dict(changes)}


def test_motion_that_differs_significantly_is_a_doubt_with_what_the_model_makes_of_it():
    (said,) = doubts(of_motion())
    assert said == (
        "Head motion (mean framewise displacement) is higher in M than in F (0.13 mm, 1.30 standard deviations, partial"
        " r = 0.61, p = 0.004). Its model does not adjust for motion, so what it finds may be due to motion; add"
        " mean_framewise_displacement to the model to see what remains."
    )
    (adjusted,) = doubts(of_motion({"InModel": True}, VarianceInflation={"sex[M]": 2.8, "age": 9.0}))
    assert adjusted.endswith("the variance inflation factor of what is tested is 2.8.")
    (of_levels,) = doubts(of_motion({"Effect": None, "StandardizedEffect": None}, Statistic="F"))
    assert "depends on what is tested (partial r = 0.61" in of_levels
    (of_age,) = doubts(of_motion({"StandardizedEffect": 0.01}, **AGE))
    assert "increases with age (0.13 mm, partial r = 0.61" in of_age and "standard dev" not in of_age


def test_a_difference_in_motion_that_is_not_significant_is_said_beside_the_result_and_a_doubt_where_it_is_large():
    small, large = (
        of_motion({"StandardizedEffect": -0.49, "P": 0.3}),
        of_motion({"StandardizedEffect": -0.51, "P": 0.3}),
    )
    assert doubts(small) == []
    assert beside_the_result(small) == with_motion(small)
    assert with_motion(small).endswith("−0.49 standard deviations, partial r = 0.61, p = 0.3): not significant.")
    assert beside_the_result(large) == with_motion(large) == doubts(large)[0]
    assert "p = 0.3): not significant, but large. Its" in doubts(large)[0]
    # A slope has no difference of groups, however many residual standard deviations it has for each unit.
    assert doubts(of_motion({"StandardizedEffect": 9.0, "P": 0.3}, **AGE)) == []
    assert beside_the_result(SIDECAR) == ""


def test_only_what_is_tested_can_be_too_collinear_to_be_found():
    (said,) = doubts(SIDECAR | {"VarianceInflation": {"sex[M]": 34.81, "age": 3.0}})
    assert "(variance inflation factor 34.8): the absence of an effect is not informative" in said
    assert doubts(SIDECAR | {"VarianceInflation": {"sex[M]": 1.5, "age": 33.0}}) == []
    motion, collinear = doubts(of_motion({"InModel": True}, VarianceInflation={"sex[M]": 34.81}))
    assert motion.endswith("Its model adjusts for motion.") and "34.8" in collinear


@pytest.mark.parametrize(
    ("share", "end"),
    [
        (0.98, "98 % ... The result rests mostly on this run; repeat the contrast without it."),
        (0.3, "30 % ..."),
        (0.02, "2 % ... It hardly contributes to the test."),
    ],
)
def test_a_run_that_the_model_follows_is_named_with_what_it_means_for_the_result(share, end):
    high = {"sub-09_task-rest": {"Leverage": 0.9987, "ShareOfTest": share}}
    said = decided_by_runs(SIDECAR | {"HighLeverage": high}, {"task-rest"})
    words = end.replace("...", "of the weight in what is tested).")
    assert said == f"The model follows one run almost exactly: sub-09 (leverage 0.999, {words}"
    assert decided_by_runs(SIDECAR) == ""


def test_several_runs_count_together():
    high = {f"sub-{n}": {"Leverage": 0.95, "ShareOfTest": 0.26} for n in (1, 2)}
    said = decided_by_runs(SIDECAR | {"HighLeverage": high})
    assert said.startswith("The model follows 2 runs almost exactly: sub-1 (") and "rests mostly on these runs" in said


def test_edges_that_were_not_tested_are_a_doubt():
    assert doubts(SIDECAR | {"EdgesNotTested": 1}) == [
        "1 edge was not tested because nodes had no signal in too many runs."
    ]
