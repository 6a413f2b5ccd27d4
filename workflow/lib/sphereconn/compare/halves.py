"""Reliability within runs, and how it grows with the length of a scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# A part with fewer says nothing.
FEWEST_FRAMES = 10
HALVES = ("first half", "last half")


def too_short_for_halves(n_frames: int) -> str | None:
    """Say why a run cannot be halved, None where it can."""
    if n_frames >= 2 * FEWEST_FRAMES:
        return None
    return f"{n_frames} frames are too few for two halves of at least {FEWEST_FRAMES}"


def halves_of(n_frames: int) -> tuple[slice, slice]:
    """Return the first and the last half of the frames of a run; of an odd number the one in the middle is in neither.

    Halves are contiguous: of every other frame, each would tell what its neighbours in the other half were.

    Examples
    --------
    >>> halves_of(5)
    (slice(0, 2, None), slice(3, 5, None))
    """
    half = n_frames // 2
    return slice(0, half), slice(n_frames - half, n_frames)


def degrees_of_freedom_of_part(whole: float, n_regressors: int, share: float) -> float:
    """Return the degrees of freedom of the correlations in part of a run that was cleaned as a whole.

    Of n = whole + n_regressors + 1 dimensions that the filter left, m = share n fall to the part. The regressors were
    fitted to the whole run, and what they took is spread over all of it: of the covariance V between the frames of the
    part, (tr V)² / tr V² is m (n - r) / (n - r + r m / n) on average over the directions of r regressors, which is more
    than m - r and more than m (n - r) / n. The part is then centred on its own mean, which takes one more.

    Parameters
    ----------
    whole
        Degrees of freedom of the run, counted or effective.
    n_regressors
        Number of independent regressors, the mean not among them.
    share
        Frames of the part over those of the run that are kept.

    Returns
    -------
    float
        At least 1.

    Examples
    --------
    >>> degrees_of_freedom_of_part(199, 0, 0.5)
    99.0
    >>> round(degrees_of_freedom_of_part(175, 24, 0.5), 1)
    92.6
    """
    n = whole + n_regressors + 1
    m, left = share * n, n - n_regressors
    return max(m * left / (left + n_regressors * m / n) - 1, 1.0)


def spearman_brown(reliability: float, factor: float) -> float:
    """Return the reliability of a scan that is ``factor`` times as long, f r / (1 + (f - 1) r).

    It holds when what tells the runs of a subject apart averages out with time: its variance falls as one over the
    length.

    References
    ----------
    Spearman C (1910). Correlation calculated from faulty data. British Journal of Psychology 3:271-295.
    Brown W (1910). Some experimental results in the correlation of mental abilities. British Journal of Psychology
    3:296-322.

    Examples
    --------
    >>> spearman_brown(0.5, 2)
    0.6666666666666666
    """
    return factor * reliability / (1 + (factor - 1) * reliability)


def factor_for(reliability: float, wanted: float) -> float:
    """Return how many times as long a scan must be for the wanted reliability; NaN where none is long enough.

    Examples
    --------
    >>> round(factor_for(0.5, 0.75), 6)
    3.0
    """
    if not 0 < reliability < 1:
        return float("nan")
    return wanted * (1 - reliability) / (reliability * (1 - wanted))


def frames_of_minutes(minutes: float, repetition_time: float) -> int:
    """Return how many frames last so long, rounded."""
    return round(60 * minutes / repetition_time)


def lengths_of(minutes_kept: Sequence[float]) -> list[float]:
    """Return the lengths in minutes for a curve over the length: at most seven even steps that all parts have.

    The last is what the shortest part has, rounded down to a tenth, where the steps end well before it.

    Parameters
    ----------
    minutes_kept
        Of each part, such as runs or their halves.

    Examples
    --------
    >>> lengths_of([5.03, 7.0])
    [1.0, 2.0, 3.0, 4.0, 5.0]
    >>> lengths_of([30.04])
    [5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    """
    longest = np.floor(10 * min(minutes_kept) + 1e-9) / 10
    step = next((step for step in (0.5, 1, 2, 5, 10, 20) if longest / step <= 6.5), 60)
    lengths = [step * number for number in range(1, int(longest / step + 1e-9) + 1)]
    if not lengths or longest - lengths[-1] > step / 4:
        lengths.append(float(longest))
    return [float(length) for length in lengths if length > 0]
