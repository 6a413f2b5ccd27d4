"""Values for censored frames: a cubic spline over time through the frames that were kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fill_censored(values: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Replace censored frames by the cubic spline through all kept frames; what they held is never read.

    The spline is "not-a-knot": its first two pieces are one cubic, and so are its last two. As
    ``scipy.interpolate.CubicSpline``, which costs a job three times the import of numpy.

    Parameters
    ----------
    values
        Shape (n_frames, n_columns).
    kept
        Shape (n_frames,), True for kept frames. The first and the last frame are kept (beyond them there is nothing
        to interpolate), and at least four in all.

    Returns
    -------
    ndarray
        A new array of the same shape; kept frames hold the very values that they held.

    Raises
    ------
    ValueError
        When the first or the last frame is censored or fewer than four are kept.
    """
    if not (kept[0] and kept[-1]) or np.count_nonzero(kept) < 4:
        raise ValueError("The first, the last and at least four frames must be kept.")
    filled = values.copy()
    if kept.all():
        return filled
    knots = np.flatnonzero(kept)
    gaps = np.flatnonzero(~kept)
    heights = values[kept]
    slopes = _knot_slopes(knots.astype(np.float64), heights)

    # The cubic Hermite polynomial between the two knots around each gap frame.
    left = np.searchsorted(knots, gaps) - 1
    width = (knots[left + 1] - knots[left])[:, None]
    t = (gaps - knots[left])[:, None] / width
    filled[gaps] = (
        (1 + 2 * t) * (1 - t) ** 2 * heights[left]
        + t**2 * (3 - 2 * t) * heights[left + 1]
        + width * t * (1 - t) * ((1 - t) * slopes[left] - t * slopes[left + 1])
    )
    return filled


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
