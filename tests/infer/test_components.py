"""Components against bctpy on generated and real connectomes, and TFNBS against its formula."""

import contextlib
import doctest
import io

import bct
import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.connect.edges import edge_vector, matrix_from_edges
from sphereconn.infer import components as module
from sphereconn.infer.components import MOST_LEVELS, Enhancement, components, enhanced, n_nodes_of, on_side
from sphereconn.infer.glm import edge_statistics


def generated(seed, n_nodes=14, sizes=(9, 12)):
    rng = np.random.default_rng(seed)
    group = np.repeat([1.0, 0.0], sizes)
    values = rng.normal(0, 1, (len(group), n_nodes * (n_nodes - 1) // 2))
    values[:, : n_nodes - 1] += 0.8 * group[:, None]
    return values, group


def cohort():
    """Fisher z of 61 parcels of 16 real subjects, in two halves."""
    rows, columns = np.triu_indices(61, 1)
    correlations = [np.corrcoef(cohort_signals(s)[1][:, ::2].T)[rows, columns] for s in range(1, 17)]
    return np.arctanh(correlations), np.repeat([1.0, 0.0], 8)


def by_bctpy(values, group, threshold, tail):
    matrices = np.array([matrix_from_edges(v, n_nodes_of(len(v)), False, 0.0) for v in values]).transpose(1, 2, 0)
    with contextlib.redirect_stdout(io.StringIO()):
        _, labels, _ = bct.nbs_bct(matrices[..., group == 1], matrices[..., group == 0], threshold, k=1, tail=tail)
    return edge_vector(labels, False).astype(int)


def edges_of(labels):
    return {tuple(np.flatnonzero(labels == label)) for label in range(1, labels.max(initial=0) + 1)}


@pytest.mark.parametrize(("side", "tail"), [("two-sided", "both"), ("greater", "right"), ("less", "left")])
@pytest.mark.parametrize("threshold", [1.3, 2.0])
def test_components_are_those_of_bctpy(threshold, side, tail):
    for values, group in (cohort(), generated(0), generated(1, 20, (11, 6))):
        t = edge_statistics(values, np.column_stack([np.ones(len(group)), group]), np.array([0, 1.0])).statistic
        found = components(t, threshold, side)
        assert edges_of(found.labels) == edges_of(by_bctpy(values, group, threshold, tail))
        assert found.extent.tolist() == sorted(found.extent.tolist(), reverse=True)
        for number, (extent, intensity, n_nodes) in enumerate(
            zip(found.extent, found.intensity, found.n_nodes, strict=True), start=1
        ):
            member = found.labels == number
            assert member.sum() == extent
            np.testing.assert_allclose(intensity, (on_side(t, side)[member] - threshold).sum())
            rows, columns = np.triu_indices(n_nodes_of(len(t)), 1)
            assert len(set(rows[member]) | set(columns[member])) == n_nodes


def test_nothing_above_the_threshold_is_no_component():
    values, group = generated(0)
    t = edge_statistics(values, np.column_stack([np.ones(len(group)), group]), np.array([0, 1.0])).statistic
    found = components(t, 50.0)
    assert (found.labels == 0).all()
    assert found.extent.size == found.intensity.size == found.n_nodes.size == 0
    with pytest.raises(bct.BCTParamError):
        by_bctpy(values, group, 50.0, "both")


def test_edges_that_are_not_tested_are_in_no_component():
    t = np.array([4.0, np.nan, 4.0, 4.0, np.nan, np.nan])
    assert components(t, 3.0).labels.tolist() == [1, 0, 1, 1, 0, 0]
    assert np.isnan(enhanced(t)).tolist() == np.isnan(t).tolist()


@given(st.integers(0, 10_000), st.sampled_from(["two-sided", "greater", "less"]))
def test_enhancement_is_the_sum_over_thresholds(seed, side):
    t = np.random.default_rng(seed).normal(0, 1.5, 28)
    wanted = Enhancement(0.5, 2.0, 0.25)
    expected = np.zeros(28)
    value = on_side(t, side)
    for threshold in np.arange(0.25, 10, 0.25):
        found = components(value, threshold - 1e-9, "greater")
        inside = found.labels > 0
        expected[inside] += found.extent[found.labels[inside] - 1] ** 0.5 * threshold**2 * 0.25
    np.testing.assert_allclose(enhanced(t, side, wanted), expected, rtol=1e-10)


def test_enormous_statistics_cost_no_more_thresholds():
    t = np.array([1e9, 0.2, 0.0])
    assert enhanced(t)[0] == enhanced(np.array([MOST_LEVELS * 0.1, 0.2, 0.0]))[0]


def test_arrays_that_are_no_upper_triangle_and_unknown_sides_are_errors():
    with pytest.raises(ValueError, match="pairs of nodes"):
        components(np.zeros(5), 2.0)
    with pytest.raises(ValueError, match="two-sided"):
        on_side(np.zeros(3), "both")


def test_examples():
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
