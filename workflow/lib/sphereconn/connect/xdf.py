"""How far a single run's correlations are from zero when its frames are not independent: xDF (Afyouni 2019).

For signals x and y with the autocorrelations ρ_x,k and ρ_y,k, the cross-correlations ρ_k and ρ_-k at lag k, and the
correlation r, the variance of the sample correlation of n frames is, with w_k pairs of frames at lag k = 1, 2, …,

    var r = 1/n² [ n (1 - r²)²
                   + r² Σ w_k (ρ_x,k² + ρ_y,k² + ρ_k² + ρ_-k²)
                   - 2 r Σ w_k (ρ_x,k + ρ_y,k) (ρ_k + ρ_-k)
                   + 2 Σ w_k (ρ_x,k ρ_y,k + ρ_k ρ_-k) ].

Formulas of the autocorrelations alone (Bartlett's) hold where the true correlation is 0. The autocorrelation of a
signal counts up to the first lag at which it is within the 95 % bound of white noise, the cross-correlation of a pair
up to the later of the two.

Autocorrelations that are estimated from the few frames of a filtered signal, after a regression of confounds, are too
small. So the variances are scaled such that, over all pairs, their part 1/n² [n + 2 Σ w_k ρ_x,k ρ_y,k] agrees with the
effective degrees of freedom of the run (``clean.degrees_of_freedom``), which know of filter, regression and censoring:
these say what an average pair is worth, and xDF how pairs differ.

References
----------
Afyouni S, Smith SM, Nichols TE (2019). Effective degrees of freedom of the Pearson's correlation coefficient under
autocorrelation. NeuroImage 199:609-625.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sphereconn.connect.connectivity import same_signal, standardize, with_unusable

# Of a standard normal, two-sided 95 %.
_BOUND = 1.959963984540054


@dataclass(frozen=True)
class CorrelationScore:
    """The correlations of a run in units of their standard errors.

    Attributes
    ----------
    z : ndarray of shape (n_nodes, n_nodes)
        About standard normal where the true correlation is 0. Exactly symmetric; NaN on the diagonal, for unusable
        nodes, and for pairs with the same signal.
    degrees_of_freedom : ndarray of shape (n_nodes, n_nodes)
        The number of independent frames whose correlation varies as much, (1 - r²)² / var r, at most the number of
        frames; NaN like ``z``.
    """

    z: np.ndarray
    degrees_of_freedom: np.ndarray


def correlation_score(
    signals: np.ndarray, frames: np.ndarray | None = None, degrees_of_freedom: float | None = None
) -> CorrelationScore:
    """Return z = arctanh(r) √(ν - 3) for every pair of nodes, with ν its effective degrees of freedom.

    Parameters
    ----------
    signals : ndarray of shape (n_frames, n_nodes)
        Cleaned signals in any unit. A node without a signal is a column of NaN.
    frames : ndarray of int, shape (n_frames,), optional
        When each frame was measured, increasing, in units of the repetition time: pairs of frames at a lag are those
        that are there, whatever was censored between them. By default they follow each other.
    degrees_of_freedom : float, optional
        Effective degrees of freedom of the run, which the variances are scaled to. Without them the variances are
        those of the paper, and z is arctanh(r) √ν as there.

    Raises
    ------
    InputError
        When there are fewer than two frames.
    ValueError
        When a column is NaN or infinite in some frames only, or the frames do not increase or match the signals.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> signals = np.cumsum(rng.standard_normal((200, 2)), axis=0)
    >>> float(np.corrcoef(signals.T)[0, 1].round(2)), float(correlation_score(signals).z[0, 1].round(1))
    (0.63, 3.0)
    """
    z, usable = standardize(signals)
    n_frames = len(z)
    frames = np.arange(n_frames) if frames is None else np.asarray(frames)
    if frames.shape != (n_frames,) or not (np.diff(frames) > 0).all():
        raise ValueError("increasing frames, one for each row of the signals, are expected")
    r = z.T @ z / n_frames
    variance, unrelated = _variances(z, frames - frames[0], r)
    white = (1 - r**2) ** 2 / n_frames
    variance = np.maximum(variance, white)  # autocorrelation makes no estimate more precise
    if degrees_of_freedom is not None and len(r) > 1:
        variance /= np.mean(unrelated[np.triu_indices(len(r), k=1)]) * degrees_of_freedom
    identical = same_signal(z, np.ones(len(r), dtype=bool))
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.minimum((1 - r**2) ** 2 / variance, n_frames)
        score = np.arctanh(r) * np.sqrt(worth if degrees_of_freedom is None else np.maximum(worth - 3, 1))
    for matrix in (score, worth):
        np.fill_diagonal(matrix, np.nan)
        for one, other in identical:
            matrix[one, other] = matrix[other, one] = np.nan
    return CorrelationScore(with_unusable(score, usable), with_unusable(worth, usable))


def measured_frames(n_volumes: Sequence[int], censored: Sequence[int]) -> np.ndarray:
    """Return when each kept frame was measured, of one run or of several that are joined in time.

    Parameters
    ----------
    n_volumes : sequence of int
        Frames of each run, censored ones included.
    censored : sequence of int
        Frames that are left out, counted from 0 and on through the runs.

    Returns
    -------
    ndarray of int, shape (n_frames_kept,)
        In units of the repetition time. Runs are as far apart as all of them are long, so that no lag joins two.
    """
    kept = np.ones(sum(n_volumes), dtype=bool)
    kept[list(censored)] = False
    apart = np.repeat(np.arange(len(n_volumes)) * len(kept), n_volumes)
    frames: np.ndarray = (np.arange(len(kept)) + apart)[kept]
    return frames


def describe_score() -> dict[str, Any]:
    """Describe the z of a correlation for its sidecar, in the keys of BIDS extension proposal 17."""
    return {
        "RelationshipMeasure": "z of the correlation under autocorrelation (xDF)",
        "MeasureDescription": "arctanh(r) sqrt(nu - 3), where nu are the effective degrees of freedom of an edge by"
        " xDF (Afyouni et al. 2019), scaled such that an average edge agrees with the effective degrees of freedom of"
        " the run; about standard normal where the true correlation is 0",
        "Directed": False,
        "Weighted": True,
        "ValidDiagonal": False,
        "NonNegative": False,
    }


def _variances(z: np.ndarray, places: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the variance of r, and that which it would have were all true correlations between the signals 0."""
    n_frames, n_nodes = z.shape
    span = int(places[-1]) + 1
    signals, there = np.zeros((span, n_nodes)), np.zeros(span)
    signals[places], there[places] = z, 1.0
    variance, unrelated = n_frames * (1 - r**2) ** 2, np.full_like(r, n_frames)
    correlated = np.ones(n_nodes, dtype=bool)
    for lag in range(1, span):
        n_pairs = float(there[:-lag] @ there[lag:])
        if n_pairs == 0:
            continue
        # The mean over the pairs of frames, drawn towards 0 with the lag like the usual estimate, which divides by n.
        lagged = signals[:-lag].T @ signals[lag:] / n_pairs * ((span - lag) / span)
        own = np.diag(lagged)
        correlated &= np.abs(own) > _BOUND / np.sqrt(n_frames)
        if not correlated.any():
            break
        own = np.where(correlated, own, 0.0)
        lagged = np.where(correlated[:, None] | correlated, lagged, 0.0)
        products, sums, opposite = np.outer(own, own), np.add.outer(own, own), lagged.T
        squares = np.add.outer(own**2, own**2) + lagged**2 + opposite**2
        unrelated += 2 * n_pairs * products
        variance += n_pairs * (r**2 * squares - 2 * r * sums * (lagged + opposite) + 2 * (products + lagged * opposite))
    return (variance + variance.T) / 2 / n_frames**2, unrelated / n_frames**2
