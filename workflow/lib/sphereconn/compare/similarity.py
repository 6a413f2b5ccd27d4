"""How similar the connectomes of the same runs are after different denoising."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Below this share of the sum of squares, what is left of it is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Similarity:
    """Correlations over edges between strategies, symmetric arrays of shape (n_strategies, n_strategies).

    Attributes
    ----------
    of_runs
        Mean over runs of the correlation between two connectomes of the same run; not by Fisher's z, which a run that
        two strategies leave the same, such as one without a censored frame, would make infinite.
    of_means
        Correlation between the mean connectomes of all runs.
    n_runs
        Number of runs.
    """

    of_runs: Array
    of_means: Array
    n_runs: int


def similarity(runs: Iterable[Sequence[Array]]) -> Similarity:
    """Return how similar strategies are; runs are read one at a time.

    Parameters
    ----------
    runs
        For each run its edges after each strategy, each of shape (n_edges,). Edges that are missing in one of two are
        left out; NaN stands where fewer than three are left, or edges do not vary.

    Raises
    ------
    ValueError
        When there is no run.
    """
    total: Array | None = None
    n_runs = 0
    for edges in runs:
        n_runs += 1
        values = np.array(edges)
        if total is None:
            total, known, r = np.zeros(values.shape), np.zeros(values.shape), np.zeros((len(values),) * 2)
            n_known = np.zeros(r.shape)
        total += np.nan_to_num(values)
        known += ~np.isnan(values)
        of_run = correlations(values)
        r += np.nan_to_num(of_run)
        n_known += ~np.isnan(of_run)
    if total is None:
        raise ValueError("there is no run")
    with np.errstate(invalid="ignore"):
        of_runs = r / n_known
        means = total / known
    return Similarity(of_runs, correlations(means), n_runs)


def correlations(values: Array) -> Array:
    """Return Pearson's correlations between rows, over the places that both rows know.

    Examples
    --------
    >>> correlations(np.array([[1.0, 2.0, 3.0, np.nan], [3.0, 2.0, 1.0, 0.0]])).round(3).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    known = ~np.isnan(values)
    count = known.sum(axis=1, keepdims=True)
    # Sums of products lose digits to what all values have in common.
    centre = np.where(known, values, 0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    filled, weight = np.where(known, values - centre, 0), known.astype(float)
    common, first, second = weight @ weight.T, filled @ weight.T, filled**2 @ weight.T
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = second - first**2 / common
        covariance = filled @ filled.T - first * first.T / common
        varies = (squares > _ROUNDING * second) & (squares.T > _ROUNDING * second.T) & (common > 2)
        found: Array = np.where(varies, covariance / np.sqrt(squares * squares.T), np.nan)
    return np.clip((found + found.T) / 2, -1, 1)
