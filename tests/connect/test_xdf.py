"""The z of a run's correlations under autocorrelation: its formula, its error rate, and how it deals with gaps."""

import doctest

import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import toeplitz
from scipy.signal import lfilter

from sphereconn.clean.cleaning import clean_signals
from sphereconn.connect import xdf
from sphereconn.connect.xdf import correlation_score, measured_frames
from sphereconn.errors import InputError


def autoregressive(rng, n_frames, coefficients):
    """Independent signals, one for each coefficient."""
    drawn = [lfilter([1], [1, -one], rng.standard_normal(n_frames + 200))[200:] for one in coefficients]
    return np.column_stack(drawn)


def plain_variance(x, y):
    """Equation 1 of the paper, by traces of the covariances between all frames, truncated as the paper recommends."""
    n = len(x)
    x, y = ((one - one.mean()) / one.std() for one in (x, y))

    def lagged(one, other):  # the correlation of one now with the other later, for every lag
        return np.array([one[: n - lag] @ other[lag:] for lag in range(n)]) / n

    def until_noise(function):
        for lag in range(1, n):
            if abs(function[lag]) <= 1.959963984540054 / np.sqrt(n):
                return lag
        return n

    ends = [until_noise(lagged(one, one)) for one in (x, y)]
    kept = [np.arange(n) < end for end in (*ends, max(ends))]
    r = x @ y / n
    Sx, Sy = toeplitz(lagged(x, x) * kept[0]), toeplitz(lagged(y, y) * kept[1])
    later, before = lagged(x, y) * np.maximum(kept[2], np.arange(n) == 0), lagged(y, x) * kept[2]
    Sxy = toeplitz(before, later)
    Syx, trace = Sxy.T, np.trace
    return (
        r**2 / 2 * trace(Sx @ Sx)
        + r**2 / 2 * trace(Sy @ Sy)
        + r**2 * trace(Syx @ Sxy)
        + trace(Sxy @ Sxy)
        + trace(Sx @ Sy)
        - r * (trace(Sx @ Sxy) + trace(Syx @ Sx) + trace(Sxy @ Sy) + trace(Sy @ Syx))
    ) / n**2


def test_the_variance_is_that_of_the_paper():
    _, signals = cohort_signals(2)
    signals = signals[:, :6]
    found = correlation_score(signals)
    for one in range(6):
        for other in range(6):
            if one == other:
                continue
            r = np.corrcoef(signals[:, one], signals[:, other])[0, 1]
            variance = max(plain_variance(signals[:, one], signals[:, other]), (1 - r**2) ** 2 / 200)
            np.testing.assert_allclose(found.degrees_of_freedom[one, other], (1 - r**2) ** 2 / variance, rtol=1e-10)
            expected = np.arctanh(r) / np.sqrt(variance / (1 - r**2) ** 2)
            np.testing.assert_allclose(found.z[one, other], expected, rtol=1e-10)


CLEANINGS = {
    "white": ([0.0] * 30, {}),
    "alike": ([0.6] * 30, {}),
    "some slow, some white": ([0.0] * 15 + [0.9] * 15, {}),
    "band-passed": ([0.4] * 30, {"high_pass": 0.01, "low_pass": 0.1}),
}


@pytest.mark.parametrize("confounds", [0, 24])
@pytest.mark.parametrize("censored", [0, 0.3])
@pytest.mark.parametrize("series", CLEANINGS)
def test_one_in_twenty_unrelated_pairs_is_beyond_the_bound(series, censored, confounds):
    coefficients, settings = CLEANINGS[series]
    rng = np.random.default_rng(5)
    beyond = []
    for _ in range(12):
        kept = rng.random(240) >= censored
        result = clean_signals(
            autoregressive(rng, 240, coefficients),
            2.0,
            confounds=rng.standard_normal((240, confounds)),
            confound_names=[str(number) for number in range(confounds)],
            kept=kept,
            **settings,
        )
        z = correlation_score(result.signals, np.flatnonzero(kept), result.effective_degrees_of_freedom).z
        beyond.append(np.abs(z) > 1.96)
    beyond = np.array(beyond)
    pairs = np.triu_indices(30, k=1)
    # 12 × 435 pairs of which 12 × 30 signals are independent: the standard error is about 0.5 %.
    assert 0.035 < beyond[:, pairs[0], pairs[1]].mean() < 0.065
    # Of pairs of the first and of the last 15 signals: 12 × 105.
    for half in (slice(0, 15), slice(15, 30)):
        inner = np.triu_indices(15, k=1)
        assert 0.025 < beyond[:, half, half][:, inner[0], inner[1]].mean() < 0.08


def test_slow_signals_are_worth_fewer_frames():
    signals = autoregressive(np.random.default_rng(0), 400, [0.0] * 5 + [0.9] * 5)
    worth = correlation_score(signals).degrees_of_freedom
    assert np.nanmin(worth[:5, :5]) > 250
    assert np.nanmax(worth[5:, 5:]) < 120


def test_the_runs_degrees_of_freedom_are_those_of_an_average_pair():
    signals = autoregressive(np.random.default_rng(1), 2000, [0.5] * 12)
    worth = correlation_score(signals, degrees_of_freedom=700).degrees_of_freedom
    np.testing.assert_allclose(1 / np.nanmean(1 / worth), 700, rtol=0.05)


def test_the_variance_where_signals_are_related_is_that_of_many_draws():
    rng = np.random.default_rng(2)
    found, worth = [], []
    for _ in range(600):
        slow, white = autoregressive(rng, 500, [0.8, 0.8]) * 0.6, rng.standard_normal(500)  # all of variance 1
        signals = np.column_stack([slow[:, 0] + slow[:, 1], slow[:, 0] + white])
        found.append(np.arctanh(np.corrcoef(signals.T)[0, 1]))
        worth.append(correlation_score(signals).degrees_of_freedom[0, 1])
    # By the formula of the paper with the true autocorrelations; that of Bartlett for unrelated signals gives 1.9.
    true = 1 + 0.4375 / 0.5625 * 2 * 0.64 / (1 - 0.64) / 2
    np.testing.assert_allclose(500 * np.var(found), true, rtol=0.15)  # the standard error of 600 draws is 6 %
    np.testing.assert_allclose(500 * np.mean(1 / np.array(worth)), true, rtol=0.15)


@given(seed=st.integers(0, 2**32 - 1), n_frames=st.integers(5, 60), n_nodes=st.integers(2, 6))
def test_units_signs_and_the_order_of_nodes_do_not_matter(seed, n_frames, n_nodes):
    rng = np.random.default_rng(seed)
    signals = autoregressive(rng, n_frames, rng.uniform(-0.9, 0.9, n_nodes))
    found = correlation_score(signals, degrees_of_freedom=n_frames / 2)
    np.testing.assert_array_equal(found.z, found.z.T)
    assert np.nanmax(found.degrees_of_freedom) <= n_frames and np.nanmin(found.degrees_of_freedom) > 0
    order, units = rng.permutation(n_nodes), rng.uniform(0.1, 10, n_nodes) * rng.choice([-1, 1], n_nodes)
    other = correlation_score((signals * units + 7)[:, order], degrees_of_freedom=n_frames / 2)
    signs = np.outer(np.sign(units), np.sign(units))
    np.testing.assert_allclose(other.z, (found.z * signs)[np.ix_(order, order)], rtol=1e-6, atol=1e-9)


def test_pairs_of_frames_are_counted_at_their_true_lags():
    signals = autoregressive(np.random.default_rng(3), 4000, [0.7] * 8)
    kept = np.sort(np.random.default_rng(4).permutation(4000)[:2000])
    with_gaps = correlation_score(signals[kept], kept).degrees_of_freedom
    # Half of the frames that are kept have their neighbour at any lag: n / ν = 1 + 2 Σ 0.49^lag / 2.
    expected = 2000 / (1 + 0.49 / (1 - 0.49))
    np.testing.assert_allclose(np.nanmean(with_gaps), expected, rtol=0.05)
    np.testing.assert_array_equal(correlation_score(signals, np.arange(4000) + 5).z, correlation_score(signals).z)


def test_frames_of_joined_runs_are_so_far_apart_that_no_lag_joins_them():
    np.testing.assert_array_equal(measured_frames([5], [1, 3]), [0, 2, 4])
    np.testing.assert_array_equal(measured_frames([3, 4], [0, 4]), [1, 2, 10, 12, 13])
    rng = np.random.default_rng(0)
    one, other = autoregressive(rng, 300, [0.9] * 6), autoregressive(rng, 300, [0.9] * 6)
    joined = correlation_score(np.vstack([one, other]), measured_frames([300, 300], []))
    np.testing.assert_allclose(np.nanmean(joined.degrees_of_freedom), 600 / (1 + 2 * 0.81 / (1 - 0.81)), rtol=0.15)


def test_pairs_without_a_correlation_have_no_z():
    signals = autoregressive(np.random.default_rng(0), 50, [0.3] * 4)
    signals[:, 1], signals[:, 3] = np.nan, -2 * signals[:, 0]
    found = correlation_score(signals)
    for matrix in (found.z, found.degrees_of_freedom):
        np.testing.assert_array_equal(np.argwhere(np.isfinite(matrix)), [[0, 2], [2, 0], [2, 3], [3, 2]])


def test_mistakes():
    signals = autoregressive(np.random.default_rng(0), 20, [0.3] * 3)
    with pytest.raises(InputError, match="at least 2 frames"):
        correlation_score(signals[:1])
    for frames in (np.arange(19), np.arange(20)[::-1]):
        with pytest.raises(ValueError, match="increasing frames"):
            correlation_score(signals, frames)


def test_the_example_of_the_documentation_holds():
    assert doctest.testmod(xdf).failed == 0
