"""How a quantity of edges depends on the distance between their nodes: rank correlation and a smooth curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The share of the edges nearest to a distance that the curve is fitted to there, and the fewest of them.
SHARE, FEWEST = 0.3, 30
POINTS = 50
BINS = 10


def edge_lengths(coordinates: Array) -> Array:
    """Return the Euclidean distance between the nodes of each edge, shape (n_edges,), upper triangle row by row.

    Parameters
    ----------
    coordinates
        Shape (n_nodes, 3), mm.

    Examples
    --------
    >>> edge_lengths(np.array([[0.0, 0, 0], [3, 4, 0], [0, 0, 1]])).round(2).tolist()
    [5.0, 1.0, 5.1]
    """
    rows, columns = np.triu_indices(len(coordinates), 1)
    lengths: Array = np.linalg.norm(coordinates[rows] - coordinates[columns], axis=1)
    return lengths


def average_ranks(values: Array) -> Array:
    """Return ranks from 1, equal values sharing the mean of theirs.

    Examples
    --------
    >>> average_ranks(np.array([0.3, 0.1, 0.3, 0.9])).tolist()
    [2.5, 1.0, 2.5, 4.0]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Array = (last - (counts - 1) / 2)[inverse]
    return ranks


def rank_correlation(first: Array, second: Array) -> float:
    """Return Spearman's correlation of two quantities over the places where both are known; NaN below three of these.

    Its sign is kept. There is no p value: edges that share a node are not independent.

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 2.0, 3.0, np.nan]), np.array([0.1, 0.2, 0.9, 5.0]))
    1.0
    """
    known = ~(np.isnan(first) | np.isnan(second))
    if known.sum() < 3:
        return float("nan")
    ranks = [average_ranks(values[known]) for values in (first, second)]
    one, other = (rank - rank.mean() for rank in ranks)
    size = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / size) if size > 0 else float("nan")


def curve(
    lengths: Array, values: Array, share: float = SHARE, points: int = POINTS, at: Array | None = None
) -> tuple[Array, Array]:
    """Return a smooth curve of values over lengths: straight lines fitted locally, with tricube weights.

    Parameters
    ----------
    lengths, values
        Shape (n_edges,); edges where one is NaN are left out.
    share
        Share of the edges that each line is fitted to, at least 30 of them.
    points
        Number of lengths, equally spaced from the 1st to the 99th percentile, at which the curve is known.
    at
        These lengths themselves, where they are given.

    Returns
    -------
    at, fitted : ndarray of shape (points,)
        When fewer than ten edges are known, no point at all, or NaN at the points that are given.

    References
    ----------
    Cleveland WS (1979). Robust locally weighted regression and smoothing scatterplots. Journal of the American
    Statistical Association 74:829-836 (here without its robustness iterations).
    """
    known = ~(np.isnan(lengths) | np.isnan(values))
    if known.sum() < 10:
        nowhere = np.empty(0) if at is None else at
        return nowhere, np.full(len(nowhere), np.nan)
    order = np.argsort(lengths[known], kind="stable")
    x, y = lengths[known][order], values[known][order]
    if at is None:
        first, last = np.quantile(x, [0.01, 0.99])
        at = np.linspace(first, last, points)
    # A line through few edges leaves what a correlation can be.
    n_near = min(max(int(share * len(x) + 1e-10), FEWEST), len(x))
    return at, np.array([_line_at(x, y, point, n_near) for point in at])


def edges_by_length(lengths: Array, most: int = BINS, fewest: int = FEWEST) -> list[NDArray[np.int64]]:
    """Return edges by length, in classes of as many edges each: positions of those of each class, short ones first.

    Parameters
    ----------
    lengths
        Shape (n_edges,).
    most
        Number of classes.
    fewest
        Of the edges of a class, for which there may be fewer classes.

    Examples
    --------
    >>> [places.tolist() for places in edges_by_length(np.array([5.0, 1.0, 3.0, 9.0]), most=2, fewest=1)]
    [[1, 2], [0, 3]]
    """
    number = max(min(most, len(lengths) // max(fewest, 1)), 1)
    return np.array_split(np.argsort(lengths, kind="stable"), number)


def _line_at(x: Array, y: Array, point: float, n_near: int) -> float:
    """Give the value at a point of the line through the nearest values, of which x is in ascending order."""
    first = int(np.searchsorted(x, point)) - n_near
    low, high = max(first, 0), min(first + n_near, len(x) - n_near)
    while low < high:  # bisection for the window of n_near values that lies closest
        middle = (low + high) // 2
        if point - x[middle] > x[middle + n_near] - point:
            low = middle + 1
        else:
            high = middle
    near, of_near = x[low : low + n_near], y[low : low + n_near]
    radius = max(point - near[0], near[-1] - point)
    weights = (1 - np.minimum(np.abs(near - point) / radius, 1) ** 3) ** 3 if radius > 0 else np.ones(n_near)
    weights = weights / weights.sum()
    centre, mean = weights @ near, weights @ of_near
    away = near - centre
    spread = weights @ away**2
    slope = weights @ (away * of_near) / spread if spread > 1e-12 * max(radius, 1e-300) ** 2 else 0.0
    return float(mean + slope * (point - centre))
