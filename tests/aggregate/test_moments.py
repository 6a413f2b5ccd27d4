import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from cohort import cohort_signals

from sphereconn.aggregate.moments import group_moments
from sphereconn.connect.connectivity import connectome
from sphereconn.connect.edges import edge_vector


def correlations(n_runs=30, n_edges=50, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    stack = np.tanh(rng.normal(rng.uniform(-1, 1, n_edges), 0.3, (n_runs, n_edges)))
    stack[rng.random(stack.shape) < missing] = np.nan
    return stack


def plain_moments(stack, fisher_z):
    """The definitions, in one numpy call each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # edges that no run has
        values = np.arctanh(stack) if fisher_z else stack
        mean, deviation = np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)
    return np.tanh(mean) if fisher_z else mean, deviation, np.sum(~np.isnan(stack), axis=0)


def assert_same_moments(moments, expected, tolerance=1e-13):
    mean, deviation, n_runs = expected
    np.testing.assert_allclose(moments.mean, mean, rtol=0, atol=tolerance)
    np.testing.assert_allclose(moments.standard_deviation, deviation, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(moments.n_runs, n_runs)


@pytest.mark.parametrize("fisher_z", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.3, 0.95])
def test_moments_are_those_of_the_definitions(fisher_z, missing):
    stack = correlations(missing=missing)
    assert_same_moments(group_moments(stack, range(30), fisher_z=fisher_z), plain_moments(stack, fisher_z))


@pytest.mark.parametrize("fisher_z", [False, True])
def test_a_stack_on_disk_gives_the_same_bits_as_one_in_memory(tmp_path, fisher_z):
    stack = correlations(missing=0.2)
    np.save(tmp_path / "stack.npy", stack)
    rows = [2, 5, 28]
    on_disk = group_moments(tmp_path / "stack.npy", rows, fisher_z=fisher_z)
    in_memory = group_moments(stack, rows, fisher_z=fisher_z)
    for field in ("mean", "standard_deviation", "n_runs"):
        np.testing.assert_array_equal(getattr(on_disk, field), getattr(in_memory, field))
    assert_same_moments(on_disk, plain_moments(stack[rows], fisher_z))


def test_moments_of_real_connectomes_agree_with_the_definitions():
    stack = np.array(
        [edge_vector(connectome(cohort_signals(s)[1], "correlation", "empirical").matrix, False) for s in (1, 2, 9, 10)]
    )
    assert_same_moments(group_moments(stack, range(4), fisher_z=True), plain_moments(stack, fisher_z=True))


def test_the_order_in_which_runs_are_selected_changes_no_bit_and_that_of_the_stack_only_the_last():
    stack = correlations(missing=0.1)
    order = np.random.default_rng(1).permutation(30)
    expected = group_moments(stack, range(30), fisher_z=True)
    selected = group_moments(stack, order, fisher_z=True)
    np.testing.assert_array_equal(selected.mean, expected.mean)
    np.testing.assert_array_equal(selected.standard_deviation, expected.standard_deviation)
    stacked = group_moments(stack[order], range(30), fisher_z=True)
    assert_same_moments(stacked, (expected.mean, expected.standard_deviation, expected.n_runs))


@pytest.mark.parametrize("fisher_z", [False, True])
def test_an_edge_has_the_same_moments_whatever_other_edges_are_in_the_stack(fisher_z):
    stack = correlations(missing=0.1)
    whole = group_moments(stack, range(30), fisher_z=fisher_z)
    parts = [group_moments(stack[:, part], range(30), fisher_z=fisher_z) for part in np.array_split(np.arange(50), 7)]
    np.testing.assert_array_equal(np.concatenate([part.mean for part in parts]), whole.mean)
    np.testing.assert_array_equal(np.concatenate([part.standard_deviation for part in parts]), whole.standard_deviation)


def test_a_node_missing_in_one_run_is_missing_for_that_run_only():
    stack = correlations(n_runs=5)
    without = stack.copy()
    without[3, :10] = np.nan
    moments = group_moments(without, range(5), fisher_z=True)
    expected_missing = plain_moments(np.delete(stack, 3, axis=0)[:, :10], True)
    expected_rest = plain_moments(stack[:, 10:], True)
    assert_same_moments(moments, [np.concatenate(pair) for pair in zip(expected_missing, expected_rest, strict=True)])
    assert moments.n_runs.tolist() == [4] * 10 + [5] * 40


def test_an_edge_that_no_run_has_stays_unknown():
    stack = correlations(n_runs=4)
    stack[:, 0] = np.nan
    moments = group_moments(stack, range(4), fisher_z=True)
    assert moments.n_runs[0] == 0
    assert np.isnan(moments.mean[0]) and np.isnan(moments.standard_deviation[0])
    assert np.isfinite(moments.mean[1:]).all() and np.isfinite(moments.standard_deviation[1:]).all()


def test_one_run_is_its_own_mean_and_has_no_standard_deviation():
    stack = correlations()
    moments = group_moments(stack, [7], fisher_z=True)
    np.testing.assert_allclose(moments.mean, stack[7], rtol=1e-14)
    assert np.isnan(moments.standard_deviation).all()
    assert (moments.n_runs == 1).all()


@pytest.mark.parametrize("fisher_z", [False, True])
def test_equal_runs_give_their_value_and_a_standard_deviation_of_exactly_0(fisher_z):
    stack = np.repeat(correlations(n_runs=1), 7, axis=0)
    moments = group_moments(stack, range(7), fisher_z=fisher_z)
    np.testing.assert_allclose(moments.mean, stack[0], rtol=1e-14)
    np.testing.assert_array_equal(moments.standard_deviation, 0)


def test_two_runs_follow_the_closed_form():
    stack = np.array([[np.tanh(0.2)], [np.tanh(0.8)]])
    moments = group_moments(stack, [0, 1], fisher_z=True)
    assert moments.mean[0] == pytest.approx(np.tanh(0.5), abs=1e-15)
    assert moments.standard_deviation[0] == pytest.approx(0.6 / np.sqrt(2), abs=1e-15)


def test_changing_every_sign_changes_the_sign_of_the_mean_only():
    stack = correlations(missing=0.1)
    plus, minus = (group_moments(sign * stack, range(30), fisher_z=True) for sign in (1, -1))
    np.testing.assert_array_equal(minus.mean, -plus.mean)
    np.testing.assert_array_equal(minus.standard_deviation, plus.standard_deviation)


def test_a_small_spread_on_a_large_mean_keeps_its_digits():
    # Sums of squares would lose all of them: 1e8² has no room for 1e-2.
    stack = 1e8 + np.array([[-0.25], [0.0], [0.25]])
    assert group_moments(stack, range(3), fisher_z=False).standard_deviation[0] == 0.25


@pytest.mark.parametrize("value", [1.0, -1.0, 1 + 1e-15])
def test_a_perfect_correlation_is_none_and_leaves_the_other_runs_as_they_are(value):
    mixed = group_moments(np.array([[0.2], [value], [0.2]]), range(3), fisher_z=True)
    assert (mixed.mean[0], mixed.n_runs[0]) == (pytest.approx(0.2), 2)
    alone = group_moments(np.full((3, 1), value), range(3), fisher_z=True)
    assert np.isnan(alone.mean[0]) and alone.n_runs[0] == 0


def test_values_that_are_no_correlations_are_not_z_transformed():
    with pytest.raises(ValueError, match="outside -1 to 1"):
        group_moments(np.array([[0.5], [1.5]]), range(2), fisher_z=True)
    assert group_moments(np.array([[0.5], [1.5]]), range(2), fisher_z=False).mean[0] == 1


@pytest.mark.parametrize(("rows", "message"), [([1, 2, 1], "twice"), ([0, 30], "0 to 29"), ([-1, 3], "0 to 29")])
def test_runs_must_be_selected_once_and_exist(rows, message):
    with pytest.raises(ValueError, match=message):
        group_moments(correlations(), rows, fisher_z=True)


def test_the_stack_is_not_changed():
    stack = correlations(missing=0.1)
    before = stack.copy()
    group_moments(stack, range(30), fisher_z=True)
    np.testing.assert_array_equal(stack, before)


PEAK_GROWTH = """
import sys
from sphereconn.aggregate.moments import group_moments

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

before = peak()
moments = group_moments(sys.argv[1], range(500), fisher_z=True)
assert moments.n_runs.tolist() == [500] * 34716
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of resident memory is read from /proc")
def test_memory_does_not_grow_with_the_number_of_runs(tmp_path):
    with open(tmp_path / "stack.npy", "wb") as file:  # 132 MB, sparse on disk
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (500, 34_716)})
        file.truncate(file.tell() + 500 * 34_716 * 8)
    library = Path(sys.modules["sphereconn"].__file__).parents[1]
    printed = subprocess.run(
        [sys.executable, "-c", PEAK_GROWTH, str(tmp_path / "stack.npy")],
        env={"PYTHONPATH": str(library), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # A dozen vectors of 34,716 doubles are 3 MB; a map of the stack, or a copy, would be over 100.
    assert float(printed) < 20


def test_a_group_of_which_every_run_is_left_out_has_no_mean():
    moments = group_moments(np.ones((3, 6)), [], fisher_z=True)
    assert np.isnan(moments.mean).all() and np.isnan(moments.standard_deviation).all()
    assert (moments.n_runs == 0).all()
