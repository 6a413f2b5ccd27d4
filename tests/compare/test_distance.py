"""Dependence on distance against scipy's Spearman and statsmodels' lowess."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist
from statsmodels.nonparametric.smoothers_lowess import lowess

from sphereconn.compare.distance import average_ranks, curve, edge_lengths, rank_correlation


def test_lengths_are_those_of_the_upper_triangle():
    coordinates = np.random.default_rng(0).normal(0, 40, (9, 3))
    assert np.allclose(edge_lengths(coordinates), pdist(coordinates))


@given(st.lists(st.integers(-4, 4), min_size=3, max_size=40), st.integers(0, 10_000))
@settings(max_examples=30)
def test_ranks_and_their_correlation_equal_scipys_with_ties(first, seed):
    values = np.array(first, dtype=float)
    other = np.random.default_rng(seed).integers(-3, 3, len(values)).astype(float)
    assert average_ranks(values).tolist() == stats.rankdata(values).tolist()
    if np.ptp(values) > 0 and np.ptp(other) > 0:
        assert rank_correlation(values, other) == pytest.approx(stats.spearmanr(values, other)[0])
    else:
        assert np.isnan(rank_correlation(values, other))


def test_the_sign_of_the_correlation_is_kept_and_missing_edges_do_not_count():
    lengths = np.arange(20.0)
    falling = -(lengths**3)
    falling[[2, 5]] = np.nan
    assert rank_correlation(lengths, falling) == -1
    assert np.isnan(rank_correlation(lengths[:3], falling[:3]))


@pytest.mark.parametrize("share", [0.2, 0.3, 0.7])
def test_the_curve_equals_lowess_without_robustness_iterations(share):
    rng = np.random.default_rng(1)
    lengths = rng.gamma(6, 10, 800)
    values = np.exp(-lengths / 40) + rng.normal(0, 0.1, 800)
    at, fitted = curve(lengths, values, share)
    expected = lowess(values, lengths, frac=share, it=0, xvals=at)
    assert at[0] == pytest.approx(np.quantile(lengths, 0.01)) and len(at) == 50
    assert np.allclose(fitted, expected, atol=1e-10)


def test_the_curve_of_a_line_is_the_line_and_of_few_edges_there_is_none():
    lengths = np.linspace(5, 160, 300)
    at, fitted = curve(lengths, 0.2 - 0.001 * lengths)
    assert np.allclose(fitted, 0.2 - 0.001 * at)
    assert len(curve(lengths[:9], lengths[:9])[0]) == 0
    at, fitted = curve(np.full(20, 3.0), np.arange(20.0))
    assert np.isfinite(fitted).all() and (at == 3).all()
