import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from sphereconn.clean.interpolation import fill_censored


@st.composite
def runs_with_gaps(draw):
    n_frames = draw(st.integers(6, 80))
    kept = np.array(draw(st.lists(st.booleans(), min_size=n_frames, max_size=n_frames)))
    kept[[0, *draw(st.sets(st.integers(1, n_frames - 2), min_size=2, max_size=3)), -1]] = True
    values = np.random.default_rng(draw(st.integers(0, 10_000))).normal(size=(n_frames, 2))
    return values, kept


@settings(deadline=None, max_examples=200)
@given(runs_with_gaps())
def test_gaps_hold_the_not_a_knot_cubic_spline_and_kept_frames_their_values(run):
    values, kept = run
    expected = CubicSpline(np.flatnonzero(kept), values[kept])(np.arange(len(values)))
    filled = fill_censored(values, kept)
    # Splines overshoot in long gaps: relative to the largest value.
    np.testing.assert_allclose(filled, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_array_equal(filled[kept], values[kept])


def test_a_cubic_is_continued_exactly():
    frames = np.arange(30.0)[:, None]
    cubic = 2 - 3 * frames + 0.5 * frames**2 - 0.01 * frames**3
    kept = np.ones(30, dtype=bool)
    kept[[2, 3, 4, 11, 20, 27, 28]] = False
    broken = np.where(kept[:, None], cubic, np.nan)
    np.testing.assert_allclose(fill_censored(broken, kept), cubic, rtol=1e-12, atol=1e-10)


def test_neither_values_nor_mask_are_changed():
    values, kept = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 5 != 2
    before = values.copy(), kept.copy()
    filled = fill_censored(values, kept)
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(kept, before[1])
    assert not np.shares_memory(filled, values)
    np.testing.assert_array_equal(fill_censored(values, np.ones(20, dtype=bool)), values)


@pytest.mark.parametrize("censored", [[0], [9], [1, 2, 3, 4, 5, 6, 7]])
def test_censored_ends_and_fewer_than_four_knots_are_refused(censored):
    kept = np.ones(10, dtype=bool)
    kept[censored] = False
    with pytest.raises(ValueError, match="at least four"):
        fill_censored(np.zeros((10, 1)), kept)
