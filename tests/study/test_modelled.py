"""Columns that models use: levels that look alike are asked about, and own columns that replace measures are named."""

import pytest

from sphereconn.study.groups import grouped_levels, near_levels
from sphereconn.study.modelled import columns_used, own_measures
from sphereconn.study.runs import Run
from sphereconn.words import replaced_measures

CONTRAST = {
    "model": "age + `dx group`",
    "test": "age",
    "factors": [],
    "paired": None,
    "groups": None,
    "weights": None,
    "variances": "equal",
    "harmonize": None,
    "runs": {},
}
COLUMNS = {
    "dx group": ["Patient", "patient", "control", "control"],
    "age": ["1", "1.0", "2", "3"],
    "site": ["A", "a", "b", "b"],
    "mean_framewise_displacement": ["0.1", "0.2", "0.3", "0.4"],
}
RUNS = [
    Run({"subject": f"{place}"}, "x.nii", covariates={column: cells[place] for column, cells in COLUMNS.items()})
    for place in range(4)
]


def used(comparison=None, **changes):
    return list(columns_used({"contrasts": {"x": CONTRAST | changes}, "comparison": comparison}))


def alike(models):
    return [sentence.partition(";")[0] for sentence in near_levels(model.levels(RUNS) for model in models)]


PATIENTS = "'Patient' and 'patient' are different levels of the column 'dx group'"


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({}, [f"contrasts.x: {PATIENTS}"]),
        ({"runs": {"dx group": ["patient", "control"]}}, []),
        ({"model": "age", "factors": ["age"]}, ["contrasts.x: '1' and '1.0' are different levels of the column 'age'"]),
        ({"model": "age", "variances": "site"}, ["contrasts.x: 'A' and 'a' are different levels of the column 'site'"]),
        ({"model": "age", "harmonize": {"column": "age", "keep": ["dx group"]}}, 2),
        ({"model": "age"}, []),
    ],
)
def test_levels_of_a_model_that_look_alike_are_asked_about(changes, sentences):
    found = alike(used(**changes))
    assert len(found) == sentences if isinstance(sentences, int) else found == sentences


def test_levels_are_asked_about_once_for_all_that_use_them():
    models = used({"motion": "age", "covariates": ["dx group"]})
    uses = [grouped_levels(RUNS, ["dx group"]), *(model.levels(RUNS) for model in models)]
    assert list(near_levels(uses)) == [f"groups, contrasts.x and comparison: {PATIENTS}; is this intended?"]


def test_own_columns_that_models_use_in_place_of_measures_are_named():
    assert own_measures(used(), RUNS) == []
    assert own_measures(used(model="age + mean_framewise_displacement"), RUNS) == ["mean_framewise_displacement"]
    assert own_measures(used(weights="frames"), RUNS) == []
    compared = {"motion": "mean_framewise_displacement", "covariates": []}
    assert replaced_measures(own_measures(used(compared), RUNS)) == (
        "Models use the column mean_framewise_displacement of the runs table, not the measure of the same name that the"
        " study computes."
    )
    assert replaced_measures([]) == ""
