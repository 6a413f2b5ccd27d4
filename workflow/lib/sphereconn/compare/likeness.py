"""How alike the connectomes of any two runs are: distances and correlations over their edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError

Array = NDArray[np.float64]

BLOCK = 4096  # edges at a time
_ROUNDING = 1e-13  # below this share of the sum of squares, a variance is rounding


@dataclass(frozen=True)
class Likeness:
    """Distances and correlations between runs, symmetric arrays of shape (n_runs, n_runs).

    Attributes
    ----------
    distances
        Euclidean, over the edges that both runs have, times √(edges of all / edges of both).
    correlations
        Pearson's, over the edges that both have; NaN where these are fewer than three, or a run has the same value in
        all of them.
    """

    distances: Array
    correlations: Array


def likeness(edges: Callable[[NDArray[np.int64], int, int], Array], n_edges: int, runs: NDArray[np.int64]) -> Likeness:
    """Return how alike the connectomes of any two runs are.

    Parameters
    ----------
    edges
        As for `icc.intraclass_correlations`.
    n_edges
        Number of all edges.
    runs
        The runs, as positions.

    Raises
    ------
    InputError
        When two runs share no edge.
    """
    n = len(runs)
    common, first, second, products = (np.zeros((n, n)) for _ in range(4))
    centre = 0.0
    for start in range(0, n_edges, BLOCK):
        values = edges(runs, start, min(start + BLOCK, n_edges))
        if not start:  # sums of products lose digits to what all runs and edges have in common
            centre = float(np.nanmean(values)) if not np.isnan(values).all() else 0.0
        values = values - centre
        full = ~np.isnan(values).any(axis=0)
        some = ~full & ~np.isnan(values).all(axis=0)
        whole = values[:, full]
        common += whole.shape[1]
        first += whole.sum(axis=1)[:, None]
        second += (whole**2).sum(axis=1)[:, None]
        products += whole @ whole.T
        if some.any():
            known = (~np.isnan(values[:, some])).astype(float)
            filled = np.nan_to_num(values[:, some])
            common += known @ known.T
            first += filled @ known.T
            second += filled**2 @ known.T
            products += filled @ filled.T
    if common.min() < 1:
        one, other = np.unravel_index(np.argmin(common), common.shape)
        raise InputError(
            f"Runs {runs[one] + 1} and {runs[other] + 1} share no edge, so they cannot be compared; exclude runs with"
            " many missing nodes."
        )
    squared = np.maximum(second + second.T - 2 * products, 0) * n_edges / common
    np.fill_diagonal(squared, 0)
    variance = (
        second - first**2 / common
    )  # of the run of the row, over the edges that it shares with that of the column
    varies = (common > 2) & (variance > _ROUNDING * second) & (variance.T > _ROUNDING * second.T)
    scale = np.sqrt(np.where(varies, variance * variance.T, np.nan))
    correlations = np.clip((products - first * first.T / common) / scale, -1, 1)
    np.fill_diagonal(correlations, 1)
    return Likeness(np.sqrt(squared), (correlations + correlations.T) / 2)
