import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from sphereconn.clean.interpolation import continued, fill_censored, least_squares_line
from sphereconn.errors import InputError

INTERPOLATIONS = ["gaussian_process", "cubic_spline"]
repetition_times = st.sampled_from([0.3, 0.8, 2.0, 5.0])


@st.composite
def runs_with_gaps(draw):
    n_frames = draw(st.integers(6, 80))
    kept = np.array(draw(st.lists(st.booleans(), min_size=n_frames, max_size=n_frames)))
    kept[[0, *draw(st.sets(st.integers(1, n_frames - 2), min_size=2, max_size=3)), -1]] = True
    values = np.random.default_rng(draw(st.integers(0, 10_000))).normal(size=(n_frames, 2))
    return values, kept


def expected_by_definition(values, kept, repetition_time, at):
    """Condition the process on the kept frames, by its covariances; as sections 2.2 and 4.2.1 of Rasmussen, Williams.

    The line through the kept frames is the mean; the covariance of two frames is exp(-2 pi 0.03 Hz |t - t'|), and in a
    frame that was measured white noise of variance 0.5 comes on top.
    """
    measured = np.flatnonzero(kept)
    trend = np.polynomial.Polynomial.fit
    mean = np.array([trend(measured, column[kept], 1)(at) for column in values.T]).T
    departures = values[kept] - np.array([trend(measured, column[kept], 1)(measured) for column in values.T]).T
    covariance = np.exp(-2 * np.pi * 0.03 * repetition_time * np.abs(np.subtract.outer(measured, measured)))
    with_measured = np.exp(-2 * np.pi * 0.03 * repetition_time * np.abs(np.subtract.outer(at, measured)))
    return mean + with_measured @ np.linalg.solve(covariance + 0.5 * np.eye(len(measured)), departures)


@settings(deadline=None, max_examples=100)
@given(runs_with_gaps(), repetition_times)
def test_gaps_hold_the_expectation_of_the_gaussian_process_and_kept_frames_their_values(run, repetition_time):
    values, kept = run
    filled = fill_censored(np.where(kept[:, None], values, np.nan), kept, repetition_time)
    expected = expected_by_definition(values, kept, repetition_time, np.flatnonzero(~kept))
    np.testing.assert_allclose(filled[~kept], expected, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(filled[kept], values[kept])


@settings(deadline=None, max_examples=50)
@given(runs_with_gaps(), repetition_times)
def test_a_run_goes_on_as_the_gaussian_process_is_expected_to(run, repetition_time):
    values, _ = run
    n_frames = len(values)
    longer = continued(values, repetition_time, 7)
    at = np.arange(-7, n_frames + 7)
    expected = expected_by_definition(values, np.ones(n_frames, dtype=bool), repetition_time, at)
    expected[7:-7] = values
    np.testing.assert_allclose(longer, expected, rtol=0, atol=1e-11)


@settings(deadline=None, max_examples=100)
@given(runs_with_gaps())
def test_gaps_hold_the_not_a_knot_cubic_spline_and_kept_frames_their_values(run):
    values, kept = run
    expected = CubicSpline(np.flatnonzero(kept), values[kept])(np.arange(len(values)))
    filled = fill_censored(np.where(kept[:, None], values, np.nan), kept, 2.0, "cubic_spline")
    # Splines overshoot in long gaps: relative to the largest value.
    np.testing.assert_allclose(filled, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_array_equal(filled[kept], values[kept])


@pytest.mark.parametrize(("interpolation", "degree"), [("gaussian_process", 1), ("cubic_spline", 3)])
def test_a_polynomial_is_continued_exactly(interpolation, degree):
    frames = np.arange(30.0)[:, None]
    polynomial = sum(factor * frames**power for power, factor in enumerate([2, -3, 0.5, -0.01][: degree + 1]))
    kept = np.ones(30, dtype=bool)
    kept[[2, 3, 4, 11, 20, 27, 28]] = False
    broken = np.where(kept[:, None], polynomial, np.nan)
    np.testing.assert_allclose(fill_censored(broken, kept, 2.0, interpolation), polynomial, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_neither_values_nor_mask_are_changed(interpolation):
    values, kept = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 5 != 2
    before = values.copy(), kept.copy()
    filled = fill_censored(values, kept, 2.0, interpolation)
    longer = continued(values, 2.0, 3)
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(kept, before[1])
    assert not np.shares_memory(filled, values) and not np.shares_memory(longer, values)
    np.testing.assert_array_equal(fill_censored(values, np.ones(20, dtype=bool), 2.0, interpolation), values)


def test_no_value_in_a_gap_is_more_than_those_around_it_can_account_for():
    # The spline reaches ten standard deviations in this gap.
    values = np.random.default_rng(0).normal(size=(200, 2))
    kept = np.ones(200, dtype=bool)
    kept[100:115] = False
    assert np.abs(fill_censored(values, kept, 2.0, "cubic_spline")[~kept]).max() > 6
    assert np.abs(fill_censored(values, kept, 2.0)[~kept]).max() < 1


def test_the_line_through_a_single_frame_is_level():
    line = least_squares_line(np.array([[3.0, -1.0]]), np.array([5]), np.arange(4))
    np.testing.assert_array_equal(line, np.tile([3.0, -1.0], (4, 1)))
    np.testing.assert_array_equal(continued(np.array([[3.0, -1.0]]), 2.0, 2), np.tile([3.0, -1.0], (5, 1)))


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("censored", [[0], [9], [1, 2, 3, 4, 5, 6, 7]])
def test_censored_ends_and_fewer_than_four_frames_are_refused(censored, interpolation):
    kept = np.ones(10, dtype=bool)
    kept[censored] = False
    with pytest.raises(ValueError, match="at least four"):
        fill_censored(np.zeros((10, 1)), kept, 2.0, interpolation)


def test_an_unknown_interpolation_is_named():
    with pytest.raises(InputError, match="interpolation: 'linear' is not one of gaussian_process, cubic_spline"):
        fill_censored(np.zeros((10, 1)), np.ones(10, dtype=bool), 2.0, "linear")
