"""Which runs and nodes take part in a joint fit, and the words for those that do not."""

import numpy as np
import pytest

from sphereconn.connect.group_sparse import group_sparse_inverse_covariance
from sphereconn.connect.joint import Members, participants, rows_of_runs, why_unusable
from sphereconn.connect.tangent import tangent_space
from sphereconn.errors import InputError

NODES = ("front", "left", "right", "back")
RUNS = ("sub-01_task-rest", "sub-02_task-rest", "sub-03_task-rest")


def made(**problems):
    """Three runs of 60 frames, without a signal where there is a problem: sub01={"front": "outside the mask"}."""
    rng = np.random.default_rng(0)
    table = [[problems.get(run[:6].replace("-", ""), {}).get(node, "n/a") for node in NODES] for run in RUNS]
    signals = [np.where([cell == "n/a" for cell in row], rng.standard_normal((60, 4)), np.nan) for row in table]
    return signals, Members(RUNS, NODES, table)


FITS = pytest.mark.parametrize(
    "fit",
    [
        lambda signals, members, **options: group_sparse_inverse_covariance(
            signals, selection=0.1, members=members, **options
        ),
        lambda signals, members, **options: tangent_space(signals, members=members, **options),
    ],
    ids=["group sparse", "tangent"],
)


@FITS
def test_nodes_that_runs_take_from_all_others_are_named_with_the_runs_and_causes(fit):
    signals, members = made(
        sub01={"right": "outside the mask"},
        sub03={"front": "outside the field of view", "left": "outside the field of view"},
    )
    with pytest.raises(InputError) as caught:
        fit(signals, members)
    assert str(caught.value) == (
        "A joint fit needs at least 2 nodes that have a signal in all of its runs, and 1 of 4 nodes has one:"
        " sub-03_task-rest lacks front and left (outside the field of view);"
        " sub-01_task-rest lacks right (outside the mask)."
        " Exclude runs that lack many nodes, or raise min_nodes, so that they are left out of the fit."
    )
    assert fit(signals, members, min_nodes=0.6).left_out.keys() == {2}  # as the sentence promises


@FITS
def test_a_node_missing_in_one_run_is_told_with_the_run_and_the_cause(fit):
    signals, members = made(sub02={"back": "coverage 0.21 (7 of 33 voxels) is below 0.5"})
    signals[0][:, 1] = signals[0][:, 0]
    found = fit(signals, members)
    assert why_unusable(members, found.unusable, found.without_signal, found.left_out) == {
        "left": "sub-01_task-rest: the same signal as front",
        "back": "sub-02_task-rest: coverage 0.21 (7 of 33 voxels) is below 0.5",
    }
    assert rows_of_runs(members, signals, found.without_signal, found.left_out) == [
        ["sub-01_task-rest", 60, "left: the same signal as front", "n/a"],
        ["sub-02_task-rest", 60, "back: coverage 0.21 (7 of 33 voxels) is below 0.5", "n/a"],
        ["sub-03_task-rest", 60, "n/a", "n/a"],
    ]


def test_a_run_that_is_left_out_is_no_cause_for_a_missing_node():
    signals, members = made(sub02=dict.fromkeys(NODES[:3], "outside the mask"))
    found = participants(signals, 0.5, members=members)
    assert found.usable.all() and list(found.left_out) == [1]
    assert why_unusable(members, [], found.without_signal, found.left_out) == {}


def test_no_run_left_is_told_with_the_name_of_the_first():
    signals, members = made(**{f"sub0{number}": dict.fromkeys(NODES[:3], "constant signal") for number in (1, 2, 3)})
    with pytest.raises(InputError, match=r"^No run can take part in the fit; sub-01_task-rest: 1 of 4 nodes has"):
        participants(signals, 0.5, members=members)


def test_many_runs_and_nodes_are_counted_in_the_sentence():
    signals = [np.random.default_rng(run).standard_normal((60, 20)) for run in range(10)]
    for run, of_run in enumerate(signals):
        of_run[:, 2 * run : 2 * run + 2] = np.nan
    signals[4][:, :9] = np.nan
    with pytest.raises(InputError, match=r": run 5 lacks 1, 2, 3 and 7 more \(no signal\); .*; and 7 more runs\. Ex"):
        participants(signals, 0.4)
