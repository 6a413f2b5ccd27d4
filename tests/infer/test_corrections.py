"""P values against statsmodels, definitions and simulation."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sphereconn.infer import corrections, network_pairs
from sphereconn.infer.corrections import (
    directional_p,
    false_discovery_rate,
    family_wise_p,
    p_of_counts,
    pair_tests,
)
from sphereconn.infer.network_pairs import pair_means


@given(st.integers(0, 10_000))
def test_false_discovery_rates_are_those_of_statsmodels(seed):
    rng = np.random.default_rng(seed)
    p = rng.random((3, 40)) ** rng.choice([1, 4], 40)
    p[1] = np.round(p[1], 1)  # ties
    p[2, rng.random(40) < 0.3] = np.nan
    found = false_discovery_rate(p)
    for row, adjusted in zip(p, found, strict=True):
        known = ~np.isnan(row)
        np.testing.assert_allclose(adjusted[known], multipletests(row[known], method="fdr_bh")[1], rtol=1e-12)
        assert np.isnan(adjusted[~known]).all()


def test_no_tested_edge_has_no_rate():
    assert np.isnan(false_discovery_rate(np.full(3, np.nan))).all()


def test_directional_p_are_those_of_scipy():
    t, df = np.array([-3.0, 0.0, 1.5, np.nan]), np.array([10, 20, 30, 5])
    expected = [2 * stats.t.sf(np.abs(t), df), stats.t.sf(t, df), stats.t.cdf(t, df)]
    np.testing.assert_allclose(directional_p(t, df), expected, rtol=1e-12)


@given(st.integers(0, 10_000))
def test_family_wise_p_counts_maxima_that_reach_the_statistic(seed):
    rng = np.random.default_rng(seed)
    observed, maxima = np.round(rng.normal(size=20), 1), np.round(rng.normal(1, 1, 50), 1)
    expected = [(1 + (maxima >= value).sum()) / 51 for value in observed]
    np.testing.assert_allclose(family_wise_p(observed, maxima, False).p, expected)
    noise = 1e-14 * rng.normal(size=50)
    np.testing.assert_allclose(
        family_wise_p(observed, maxima * (1 + noise), False).p, expected
    )  # ties survive rounding


def test_p_is_never_zero_and_its_error_is_that_of_a_share():
    found = p_of_counts(np.array([0, 250, np.nan]), 4999, False)
    assert found.p[0] == 1 / 5000
    rng = np.random.default_rng(0)
    draws = (1 + rng.binomial(4999, found.p[1], 20_000)) / 5000
    np.testing.assert_allclose(found.monte_carlo_error[1], draws.std(), rtol=0.03)
    assert np.isnan(found.p[2])
    assert np.isnan(found.monte_carlo_error[2])


def test_network_pairs_of_one_edge_decide_no_more_than_large_ones():
    """Ten pairs of networks, mean t of 1 to 100 edges: unstandardised maxima would be those of the smallest."""
    rng = np.random.default_rng(1)
    scale = 1 / np.sqrt(np.geomspace(1, 100, 10))
    rejected = np.zeros(10)
    for _ in range(300):
        rows = rng.normal(size=(200, 10)) * scale
        rejected += pair_tests(rows[0], rows[1:], False).family_wise["two-sided"].p <= 0.05
    assert abs(rejected.sum() / 300 - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 300)
    assert rejected[:5].sum() < 20 > rejected[5:].sum()


def test_pairs_without_an_edge_have_no_p_and_disturb_no_other():
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(100, 4))
    alone = pair_tests(rows[0, :3], rows[1:, :3], False)
    rows[:, 3] = np.nan
    found = pair_tests(rows[0], rows[1:], False)
    for side in ("two-sided", "greater", "less"):
        np.testing.assert_array_equal(found.family_wise[side].p[:3], alone.family_wise[side].p)
        np.testing.assert_array_equal(found.uncorrected[side].p[:3], alone.uncorrected[side].p)
        assert np.isnan(found.family_wise[side].p[3])
    assert list(pair_tests(rows[0], rows[1:], False, f_test=True).family_wise) == ["greater"]


def test_pair_means_are_means_of_blocks():
    rng = np.random.default_rng(3)
    networks = ["b", "a", "", "b", "c", "a", None, "b"]
    matrix = np.triu(rng.normal(size=(8, 8)), 1)
    matrix += matrix.T
    matrix[0, 3] = matrix[3, 0] = np.nan
    pairs = network_pairs.network_pairs(networks)
    found = dict(zip(pairs.names, pair_means(matrix[np.triu_indices(8, 1)], pairs), strict=True))
    assert list(found) == [("a", "a"), ("a", "b"), ("a", "c"), ("b", "b"), ("b", "c")]
    np.testing.assert_allclose(found["a", "b"], matrix[np.ix_([1, 5], [0, 3, 7])].mean())
    np.testing.assert_allclose(found["b", "b"], (matrix[0, 7] + matrix[3, 7]) / 2)
    several = pair_means(np.vstack([matrix[np.triu_indices(8, 1)]] * 2), pairs)
    np.testing.assert_array_equal(several, [list(found.values())] * 2)


@pytest.mark.parametrize("module", [corrections, network_pairs])
def test_examples(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
