"""Several runs of a subject as one: signals joined in time, connectomes averaged, nodes and frames put together."""

import numpy as np
import pytest

from sphereconn.aggregate.moments import group_moments
from sphereconn.aggregate.nodes import SUBJECT_COLUMNS, subject_nodes
from sphereconn.aggregate.subjects import (
    average_connectomes,
    combined_degrees_of_freedom,
    combined_frames,
    common_repetition_time,
    concatenate_signals,
    joined_censoring,
    weights_of,
)
from sphereconn.connect.connectivity import connectome
from sphereconn.connect.edges import edge_vector
from sphereconn.errors import InputError

ROUNDING = 1e-12  # of sums of some hundred numbers around 1


def signals(seed, n_frames=60, n_nodes=4):
    """Correlated signals."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n_frames, n_nodes)) @ rng.standard_normal((n_nodes, n_nodes))


def z_scored(run):
    return (run - run.mean(axis=0)) / run.std(axis=0)


# --- signals joined in time


def test_joined_runs_are_one_long_run_when_each_is_z_scored():
    runs = [z_scored(signals(seed, n_frames)) for seed, n_frames in ((1, 60), (2, 100), (3, 31))]
    np.testing.assert_allclose(concatenate_signals(runs), np.concatenate(runs), atol=ROUNDING)
    for kind in ("correlation", "partial correlation", "covariance", "precision"):
        joined, long = (
            connectome(one, kind, "ledoit_wolf").matrix for one in (concatenate_signals(runs), np.concatenate(runs))
        )
        np.testing.assert_allclose(joined, long, rtol=1e-9)


def test_the_empirical_correlation_of_joined_runs_is_the_mean_of_theirs_weighted_by_frames():
    runs = [signals(1, 60), signals(2, 100)]
    expected = np.average([np.corrcoef(run.T) for run in runs], axis=0, weights=[60, 100])
    found = connectome(concatenate_signals(runs), "correlation", "empirical").matrix
    np.testing.assert_allclose(found, expected, atol=ROUNDING)


def test_neither_the_unit_nor_the_mean_of_a_run_weighs():
    runs = [signals(1), signals(2)]
    louder = [runs[0], 500 + 40 * runs[1]]
    np.testing.assert_allclose(concatenate_signals(louder), concatenate_signals(runs), atol=1e-10)
    # Joined as they are, the second run alone would say what the correlation is, and the means that all is alike.
    skewed = np.corrcoef(np.concatenate(louder).T)
    assert np.abs(skewed - np.corrcoef(concatenate_signals(runs).T)).max() > 0.3


def test_joining_a_single_run_changes_no_connectome():
    run = signals(1)
    np.testing.assert_allclose(
        connectome(concatenate_signals([run]), "partial correlation", "ledoit_wolf").matrix,
        connectome(run, "partial correlation", "ledoit_wolf").matrix,
        atol=ROUNDING,
    )


@pytest.mark.parametrize("value", [np.nan, 0.1])
def test_a_node_missing_or_constant_in_one_run_is_missing_throughout_and_no_other_feels_it(value):
    runs = [signals(1), signals(2)]
    broken = [runs[0], runs[1].copy()]
    broken[1][:, 2] = value
    found, whole = concatenate_signals(broken), concatenate_signals(runs)
    assert np.isnan(found[:, 2]).all()
    np.testing.assert_array_equal(np.delete(found, 2, axis=1), np.delete(whole, 2, axis=1))


# --- connectomes averaged


@pytest.mark.parametrize("kind", ["correlation", "partial correlation", "covariance", "precision"])
def test_the_average_is_the_group_mean_of_the_same_matrices(kind):
    matrices = [connectome(signals(seed), kind, "ledoit_wolf").matrix for seed in (1, 2, 3)]
    diagonal = not kind.endswith("correlation")
    stack = np.array([edge_vector(matrix, diagonal) for matrix in matrices])
    found = average_connectomes(matrices, diagonal=diagonal)
    expected = group_moments(stack, range(3), fisher_z=not diagonal).mean
    np.testing.assert_allclose(edge_vector(found, diagonal), expected, rtol=ROUNDING)
    plain = np.mean(stack, axis=0) if diagonal else np.tanh(np.arctanh(stack).mean(axis=0))
    np.testing.assert_allclose(expected, plain, rtol=ROUNDING)
    np.testing.assert_allclose(np.diag(found), 1 if not diagonal else np.mean(matrices, axis=0).diagonal())


def test_an_edge_is_averaged_over_the_runs_that_have_it():
    whole = [np.array([[1, 0.2, 0.3], [0.2, 1, 0.4], [0.3, 0.4, 1]]), np.array([[1, 0.6, 0], [0.6, 1, 0], [0, 0, 1.0]])]
    whole[0][1, :] = whole[0][:, 1] = np.nan
    found = average_connectomes(whole, diagonal=False)
    np.testing.assert_allclose(found[0, 1], 0.6)
    np.testing.assert_allclose(found[0, 2], np.tanh(np.arctanh(0.3) / 2))
    whole[1][1, :] = whole[1][:, 1] = np.nan
    found = average_connectomes(whole, diagonal=False)
    assert np.isnan(found[1]).all() and np.isnan(found[:, 1]).all()
    assert found[0, 0] == found[2, 2] == 1


def pair(r):
    return np.array([[1, r], [r, 1]])


@pytest.mark.parametrize("r", [1.0, -1.0, 1 - 1e-12])
def test_a_run_in_which_two_nodes_have_the_same_signal_says_nothing_of_them(r):
    """Clipped to Fisher's z of the largest number below 1, 18.7, it would make a mean of 0.97 of these."""
    found = average_connectomes([pair(0.2)] * 9 + [pair(r)], diagonal=False)
    np.testing.assert_allclose(found, pair(0.2), rtol=ROUNDING)
    assert np.isnan(average_connectomes([pair(r)], diagonal=False)[0, 1])


def test_runs_weighted_by_their_degrees_of_freedom_vary_less_than_those_weighted_alike():
    """Runs of 40 and 400 frames of two independent nodes: z has the variance 1 / (n - 3)."""
    rng = np.random.default_rng(0)
    runs = [{"EffectiveDegreesOfFreedom": n - 3} for n in (40, 400)]
    by_size = [[np.corrcoef(rng.normal(size=(2, n)))[0, 1] for _ in range(1500)] for n in (40, 400)]
    for weights, expected in (("equal", np.sqrt(1 / 37 + 1 / 397) / 2), ("degrees_of_freedom", 1 / np.sqrt(37 + 397))):
        of_runs = weights_of(runs, weights)
        means = [
            average_connectomes([pair(one), pair(other)], diagonal=False, weights=of_runs)[0, 1]
            for one, other in zip(*by_size, strict=True)
        ]
        # The standard deviation of 1,500 values is known to 2 %.
        assert np.std(np.arctanh(means)) == pytest.approx(expected, rel=0.08)
        assert combined_degrees_of_freedom(runs, of_runs) == pytest.approx(expected**-2)


# --- nodes


def write_nodes(path, rows):
    columns = ["index", "name", "x", "y", "z", "radius", "network", "voxels", "coverage", "temporal_snr", "problem"]
    path.write_text("\n".join("\t".join(row) for row in [columns, *rows]) + "\n")


@pytest.fixture
def tables(tmp_path):
    """The second node is missing in the second run, the third node in both."""
    coverages = {"a": ("1.0", "0.8", "0.2"), "b": ("0.5", "0.4", "n/a")}
    problems = {"a": ("n/a", "n/a", "low"), "b": ("n/a", "flat", "outside")}
    for run, coverage in coverages.items():
        rows = [
            [
                f"{place + 1}",
                f"node{place}",
                "0",
                "0",
                "0",
                "5",
                "n/a",
                "9",
                coverage[place],
                "50",
                problems[run][place],
            ]
            for place in range(3)
        ]
        write_nodes(tmp_path / f"{run}.tsv", rows)
    return [tmp_path / "a.tsv", tmp_path / "b.tsv"]


@pytest.mark.parametrize(
    ("in_all", "problems"),
    [(True, [None, "b: flat", "a: low; b: outside"]), (False, [None, None, "a: low; b: outside"])],
)
def test_the_nodes_table_says_which_run_lacks_a_node(tables, in_all, problems):
    rows = [dict(zip(SUBJECT_COLUMNS, row, strict=True)) for row in subject_nodes(tables, "ab", [0, 1], in_all=in_all)]
    assert [row["problem"] for row in rows] == problems
    assert [row["runs_used"] for row in rows] == [2, 1, 0]
    np.testing.assert_allclose([row["coverage"] for row in rows], [0.75, 0.6, 0.2])


def test_a_run_that_is_left_out_takes_no_node_from_the_others(tables):
    rows = subject_nodes(tables, "ab", [0], in_all=True)
    assert [row[-1] for row in rows] == [None, None, "a: low"]
    assert {row[-1] for row in subject_nodes(tables, "ab", [], in_all=True)} == {"every run is left out"}


# --- frames


def sidecar(frames, kept, motion=None, **others):
    discarded = {
        "NumberOfVolumesDiscardedByMotionScrubbing": frames - kept,
        "NumberOfVolumesDiscardedByNonsteadyStatesDetector": 0,
        "NumberOfVolumesWithoutData": 0,
    }
    counts = {
        "NumberOfVolumes": frames,
        "NumberOfVolumesKept": kept,
        "DegreesOfFreedom": kept / 2,
        "EffectiveDegreesOfFreedom": kept / 4,
    }
    return counts | discarded | {"MeanFramewiseDisplacement": motion, **others}


def test_frames_are_summed_and_motion_is_weighted_by_them():
    found = combined_frames(["a", "b"], [sidecar(100, 90, 0.1), sidecar(300, 280, 0.3)])
    assert (found["NumberOfVolumes"], found["NumberOfVolumesKept"]) == (400, 370)
    assert found["NumberOfVolumesDiscardedByMotionScrubbing"] == 30
    assert np.isclose(found["MeanFramewiseDisplacement"], 0.25)
    assert found["RunsCombined"][1] == {
        "Name": "b",
        "NumberOfVolumes": 300,
        "NumberOfVolumesKept": 280,
        "DegreesOfFreedom": 140.0,
        "EffectiveDegreesOfFreedom": 70.0,
    }
    assert found["RunsLeftOut"] == {} and "LeftOut" not in found
    unknown = combined_frames(["a", "b"], [sidecar(100, 90, 0.1), sidecar(300, 280)])
    assert unknown["MeanFramewiseDisplacement"] is None


def test_a_run_that_is_left_out_is_named_and_not_counted():
    short = sidecar(100, 3, 2.0, LeftOut="Too short.")
    found = combined_frames(["a", "b"], [short, sidecar(100, 90, 0.1)])
    assert found["NumberOfVolumes"] == 100 and found["RunsLeftOut"] == {"a": "Too short."}
    assert [run["Name"] for run in found["RunsCombined"]] == ["b"]
    assert combined_frames(["a"], [short])["LeftOut"] == "Every run is left out. a: Too short."


def test_joined_runs_are_worth_what_the_variance_of_their_mean_correlation_says():
    def worth(frames, *effective):
        return combined_degrees_of_freedom([{"EffectiveDegreesOfFreedom": nu} for nu in effective], frames)

    assert worth([100, 300], 20.0, 60.0) == pytest.approx(80)
    # r = (100 r1 + 100 r2) / 200 has the variance (1 / 10 + 1 / 40) / 4.
    assert worth([100, 100], 10.0, 40.0) == pytest.approx(32)
    assert worth([]) is None


def test_censored_frames_are_counted_on_through_the_runs():
    first = {"NumberOfVolumes": 10, "CensoredVolumes": {"FramewiseDisplacement": [0, 9]}}
    second = {"NumberOfVolumes": 20, "CensoredVolumes": {"NonSteadyState": [0], "FramewiseDisplacement": [1]}}
    assert joined_censoring([first, second]) == {"FramewiseDisplacement": [0, 9, 11], "NonSteadyState": [10]}


def test_runs_that_are_joined_have_one_repetition_time():
    times = [{"RepetitionTime": 0.72}, {"RepetitionTime": float(np.float32(0.72))}]
    assert common_repetition_time("ab", times) == 0.72
    with pytest.raises(InputError, match=r"b: its repetition time is 2 s, and that of a 0\.72 s; .*how: average"):
        common_repetition_time("ab", [times[0], {"RepetitionTime": 2.0}])
