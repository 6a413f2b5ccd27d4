"""Spaces: runs and seeds must be in one, or in two that are declared alike."""

import json
from pathlib import Path

import pytest

from sphereconn.errors import InputError
from sphereconn.study.runs import Run
from sphereconn.study.spaces import check_spaces, spaces_like

SCHEMA = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.json"
DEFAULT = json.loads(SCHEMA.read_text())["properties"]["equivalent_spaces"]["default"]


def run(space, subject="01"):
    return Run({"subject": subject} | ({"space": space} if space else {}), "x.nii")


def check(space_of_run, space_of_seeds, equivalent=DEFAULT):
    check_spaces([run(space_of_run)], "dmn", space_of_seeds, equivalent, "runs.tsv")


@pytest.mark.parametrize("space", ["MNI152", "MNI152NLin6Asym", "MNI152NLin2009cAsym", "MNI152NLin2009aAsym", None])
def test_seeds_in_mni_space_fit_the_spaces_of_the_mni152_family_and_runs_that_say_none(space):
    check(space, "MNI152")


def test_a_run_of_a_tree_that_names_no_space_is_in_its_own():
    with pytest.raises(InputError, match=r"run sub-01 is in its own space \(none\), but the seeds .* are in MNI152;"):
        check_spaces([run(None)], "dmn", "MNI152", DEFAULT, "runs.tsv", unnamed="none")
    check_spaces([run(None)], "dmn", "MNI152", [["none", "MNI152"]], "runs.tsv", unnamed="none")
    check_spaces([run(None)], "dmn", "none", DEFAULT, "runs.tsv", unnamed="none")


@pytest.mark.parametrize(
    "space", ["T1w", "fsaverage", "Talairach", "MNI305", "MNIColin27", "MNIInfant", "MNIPediatricAsym"]
)
def test_other_spaces_are_never_taken_for_it(space):
    with pytest.raises(InputError) as caught:
        check(space, "MNI152")
    assert str(caught.value) == (
        f"runs.tsv: run sub-01_space-{space} is in the space {space}, but the seeds of seed_sets.dmn are in MNI152; use"
        " images in that space, or declare the two equivalent in equivalent_spaces."
    )


def test_seeds_in_a_space_of_their_own_fit_runs_in_it_only():
    check("T1w", "T1w")
    with pytest.raises(InputError, match="is in the space MNI152NLin6Asym"):
        check("MNI152NLin6Asym", "T1w")


def test_two_spaces_can_be_declared_alike_and_families_with_a_common_member_are_one():
    check("MNI305", "MNI152", [["MNI152", "MNI305"]])
    assert spaces_like("a", [["c", "d"], ["a", "b"], ["b", "c"], ["x", "y"]]) == {"a", "b", "c", "d"}


def test_no_two_labels_are_alike_when_the_family_is_taken_away():
    with pytest.raises(InputError):
        check("MNI152NLin6Asym", "MNI152", [])
    check("MNI152", "MNI152", [])


def test_the_message_counts_the_runs_in_the_same_space_as_the_first():
    runs = [run("MNI152", "01"), run("T1w", "02"), run("T1w", "03"), run("Talairach", "04")]
    with pytest.raises(InputError, match=r"run sub-02_space-T1w \(and 1 more like it\) is in the space T1w"):
        check_spaces(runs, "dmn", "MNI152", DEFAULT, "runs.tsv")


def test_a_space_that_differs_in_capitals_is_asked_about():
    with pytest.raises(InputError, match=r"in the space mni152, .* are in MNI152; did you mean 'MNI152'\?$"):
        check("mni152", "MNI152")
