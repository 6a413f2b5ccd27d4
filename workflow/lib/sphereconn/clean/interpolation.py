"""Values for the frames that a run does not have: those that were censored, and those beyond its ends.

Every function here is one linear operator on each column, made from the frames kept and the repetition time and nothing
else: signals and confounds that pass through it keep all their linear relations.
"""

from __future__ import annotations

import math
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError

Interpolation = Literal["gaussian_process", "cubic_spline"]

# The process that a signal is taken for, around its trend: one of exponential autocorrelation, variance 1 and this
# corner frequency (a correlation time of 5.3 s), and white noise of this variance in each frame. Half and twice the
# frequency, a fifth and four times the variance change the errors of correlations by a tenth at most (docs/methods.md).
CORNER_FREQUENCY = 0.03  # Hz
NOISE = 0.5


def fill_censored(
    values: NDArray[np.float64],
    kept: NDArray[np.bool_],
    repetition_time: float,
    interpolation: Interpolation = "gaussian_process",
) -> NDArray[np.float64]:
    """Replace censored frames by what the kept ones let one expect; what they held is never read.

    Parameters
    ----------
    values
        Shape (n_frames, n_columns).
    kept
        Shape (n_frames,), True for kept frames. The first and the last frame are kept (beyond them there is nothing
        to interpolate), and at least four in all.
    repetition_time
        Seconds from one frame to the next.
    interpolation
        "gaussian_process": the expectation, given all kept frames, of a process with the least-squares line as its
        mean, whose fluctuations last seconds, and with white noise in each frame. Of a single frame it is a weighted
        mean of those around; deep in a long gap it is the line.
        "cubic_spline": the "not-a-knot" cubic spline through all kept frames, as nilearn. It overshoots in gaps.

    Returns
    -------
    ndarray
        A new array of the same shape; kept frames hold the very values that they held.

    Raises
    ------
    InputError
        When there is no such interpolation.
    ValueError
        When the first or the last frame is censored or fewer than four are kept.

    References
    ----------
    Rasmussen CE, Williams CKI (2006). Gaussian Processes for Machine Learning, sections 2.2 and 4.2.1.
    """
    if interpolation not in get_args(Interpolation):
        raise InputError(f"interpolation: '{interpolation}' is not one of {', '.join(get_args(Interpolation))}.")
    if not (kept[0] and kept[-1]) or np.count_nonzero(kept) < 4:
        raise ValueError("The first, the last and at least four frames must be kept.")
    filled = values.copy()
    if kept.all():
        return filled
    if interpolation == "cubic_spline":
        filled[~kept] = _cubic_spline(values[kept], kept)
    else:
        trend = least_squares_line(values[kept], np.flatnonzero(kept), np.arange(len(kept)))
        departures = np.where(kept[:, None], values, trend) - trend
        filled[~kept] = (trend + _expected(departures, kept, repetition_time))[~kept]
    return filled


def continued(values: NDArray[np.float64], repetition_time: float, n_frames: int) -> NDArray[np.float64]:
    """Continue a run by ``n_frames`` before its first and after its last frame.

    By the expectation of the process of `fill_censored`: from a weighted mean of the frames at the end, noise being
    averaged out, back to the trend within some seconds.

    Parameters
    ----------
    values
        Shape (n_frames_given, n_columns).
    repetition_time
        Seconds from one frame to the next.
    n_frames
        Number of frames to add at each end.

    Returns
    -------
    ndarray
        Shape (n_frames + n_frames_given + n_frames, n_columns).
    """
    n_given = len(values)
    first, last = values[:1], np.arange(n_given)
    trend = least_squares_line(values - first, last, np.arange(-n_frames, n_given + n_frames))
    departures = values - first - trend[n_frames : n_frames + n_given]
    # The weights of all frames in the expectation of an end are those of that end in the expectations of all frames.
    ends = np.zeros((n_given, 2))
    ends[0, 0] = ends[-1, 1] = 1.0
    weights = _expected(ends, np.ones(n_given, dtype=bool), repetition_time)
    start, end = weights.T @ departures
    fading = _persistence(repetition_time) ** np.arange(1, n_frames + 1)[:, None]
    before, after = fading[::-1] * start, fading * end
    return np.concatenate([first + (trend[:n_frames] + before), values, first + (trend[n_frames + n_given :] + after)])


def least_squares_line(
    values: NDArray[np.float64], times: NDArray[np.int_], at: NDArray[np.int_]
) -> NDArray[np.float64]:
    """Give the least-squares line through values of shape (n_times, n_columns) at other times, shape (n_at, n_columns).

    The line through values at a single time is level.
    """
    centre, mean = times.mean(), values.mean(axis=0)
    slope = (times - centre) @ (values - mean) / max(np.sum((times - centre) ** 2), 1e-300)
    return cast(NDArray[np.float64], mean + np.outer(at - centre, slope))


def _persistence(repetition_time: float) -> float:
    """Give the correlation of the process, without its white noise, between one frame and the next."""
    return math.exp(-2 * math.pi * CORNER_FREQUENCY * repetition_time)


def _expected(departures: NDArray[np.float64], kept: NDArray[np.bool_], repetition_time: float) -> NDArray[np.float64]:
    """Give the expectation of the process, without its white noise, in each frame; shape (n_frames, n_columns).

    ``departures`` from the mean are zero where censored. The process has no memory beyond its last value, so that
    the equations of all frames are tridiagonal.
    """
    persistence = _persistence(repetition_time)
    weight = (1 - persistence**2) / NOISE
    diagonal = np.full(len(kept), 1 + persistence**2)
    diagonal[0] -= persistence**2
    diagonal[-1] -= persistence**2
    diagonal += weight * kept
    expected = weight * departures
    # Elimination without pivoting: the matrix is positive definite.
    for frame in range(1, len(kept)):
        factor = persistence / diagonal[frame - 1]
        diagonal[frame] -= factor * persistence
        expected[frame] += factor * expected[frame - 1]
    expected[-1] /= diagonal[-1]
    for frame in range(len(kept) - 2, -1, -1):
        expected[frame] = (expected[frame] + persistence * expected[frame + 1]) / diagonal[frame]
    return expected


def _cubic_spline(heights: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the spline through the kept frames' values, shape (n_kept, n_columns), in the censored frames.

    Its first two pieces are one cubic, and so are its last two. As ``scipy.interpolate.CubicSpline``, which costs a
    job three times the import of numpy.
    """
    knots, gaps = np.flatnonzero(kept), np.flatnonzero(~kept)
    slopes = _knot_slopes(knots.astype(np.float64), heights)
    # The cubic Hermite polynomial between the two knots around each gap frame.
    left = np.searchsorted(knots, gaps) - 1
    width = (knots[left + 1] - knots[left])[:, None]
    t = (gaps - knots[left])[:, None] / width
    return cast(
        NDArray[np.float64],
        (1 + 2 * t) * (1 - t) ** 2 * heights[left]
        + t**2 * (3 - 2 * t) * heights[left + 1]
        + width * t * (1 - t) * ((1 - t) * slopes[left] - t * slopes[left + 1]),
    )


def _knot_slopes(knots: NDArray[np.float64], heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the spline's derivative at each knot, shape (n_knots, n_columns).

    Continuity of the second derivative at the inner knots, and of the third at the second and the last but one, make
    a tridiagonal system.
    """
    h = np.diff(knots)
    chords = np.diff(heights, axis=0) / h[:, None]
    lower = np.append(h[1:], h[-1] + h[-2])
    diagonal = np.concatenate([h[1:2], 2 * (h[1:] + h[:-1]), h[-2:-1]])
    upper = np.insert(h[:-1], 0, h[0] + h[1])
    right = np.empty_like(heights)
    right[1:-1] = 3 * (h[1:, None] * chords[:-1] + h[:-1, None] * chords[1:])
    right[0] = ((3 * h[0] + 2 * h[1]) * h[1] * chords[0] + h[0] ** 2 * chords[1]) / (h[0] + h[1])
    right[-1] = ((3 * h[-1] + 2 * h[-2]) * h[-2] * chords[-1] + h[-1] ** 2 * chords[-2]) / (h[-1] + h[-2])

    # Elimination without pivoting: every pivot is positive.
    for row in range(1, len(knots)):
        factor = lower[row - 1] / diagonal[row - 1]
        diagonal[row] -= factor * upper[row - 1]
        right[row] -= factor * right[row - 1]
    right[-1] /= diagonal[-1]
    for row in range(len(knots) - 2, -1, -1):
        right[row] = (right[row] - upper[row] * right[row + 1]) / diagonal[row]
    return right
