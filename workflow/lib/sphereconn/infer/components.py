"""Connected components of edges above a threshold (NBS), and their enhancement over all thresholds (TFNBS)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sphereconn.connect.compilation import compiled, inlined

# The sides of a statistic that are looked at; F has only the second.
SIDES = ("two-sided", "greater", "less")
# TFNBS looks at no more thresholds than this; statistics beyond count as the last.
MOST_LEVELS = 1000


@dataclass(frozen=True)
class Components:
    """Connected components of edges above a threshold, largest first; none when no edge is above it.

    Attributes
    ----------
    labels : ndarray of int, shape (n_edges,)
        The component of an edge, counted from 1; 0 for edges in none.
    extent : ndarray of int, shape (n_components,)
        Number of edges.
    intensity : ndarray of shape (n_components,)
        Sum of what the edges exceed the threshold by.
    n_nodes : ndarray of int, shape (n_components,)
    """

    labels: np.ndarray
    extent: np.ndarray
    intensity: np.ndarray
    n_nodes: np.ndarray


@dataclass(frozen=True)
class Enhancement:
    """Parameters of TFNBS: the sum over thresholds h of extent(h) ** ``extent`` * h ** ``height`` * ``step``.

    The defaults are those of Vinokur 2015, as in MRtrix3's connectomestats.
    """

    extent: float = 0.4
    height: float = 3.0
    step: float = 0.1


def on_side(statistic: np.ndarray, side: str) -> np.ndarray:
    """Return the statistic so that larger is more extreme on one of the ``SIDES``.

    Examples
    --------
    >>> on_side(np.array([2.0, -3.0]), "less").tolist()
    [-2.0, 3.0]
    """
    if side not in SIDES:
        raise ValueError(f"side is one of {', '.join(SIDES)}, not {side!r}")
    return np.abs(statistic) if side == "two-sided" else statistic if side == "greater" else -statistic


def n_nodes_of(n_edges: int) -> int:
    """Return the number of nodes that have so many edges.

    Raises
    ------
    ValueError
        When there is none: the edges are not an upper triangle without the diagonal.

    Examples
    --------
    >>> n_nodes_of(34_716)
    264
    """
    n_nodes = (1 + math.isqrt(1 + 8 * n_edges)) // 2
    if n_nodes * (n_nodes - 1) != 2 * n_edges:
        raise ValueError(f"{n_edges} edges are not those of all pairs of nodes")
    return n_nodes


def components(statistic: np.ndarray, threshold: float, side: str = "two-sided") -> Components:
    """Return the connected components of edges whose statistic exceeds a threshold (Zalesky 2010).

    Parameters
    ----------
    statistic : ndarray of shape (n_edges,)
        t or F, the upper triangle row by row; NaN for edges that are not tested.
    threshold : float
    side : "two-sided", "greater" or "less"
        Whether |t|, t or -t has to exceed it. A two-sided component may hold edges of both signs.

    Examples
    --------
    Of four nodes, the edges 0-1 and 1-2 are connected, and 0-3 hangs on them with the other sign.

    >>> t = np.array([3.5, 0.1, -3.2, 4.0, 0.3, 0.2])
    >>> components(t, 3.0, "greater").labels.tolist()
    [1, 0, 0, 1, 0, 0]
    >>> components(t, 3.0).extent.tolist(), components(t, 5.0).extent.tolist()
    ([3], [])
    """
    value = on_side(statistic, side)
    n_nodes = n_nodes_of(len(value))
    rows, columns = np.triu_indices(n_nodes, 1)
    above = np.flatnonzero(value > threshold)
    parent = _connected(rows[above], columns[above], n_nodes)
    root = parent[rows[above]]
    roots, member, extent = np.unique(root, return_inverse=True, return_counts=True)
    intensity = np.bincount(member, value[above] - threshold, len(roots))
    order = np.lexsort((-intensity, -extent))
    labels = np.zeros(len(value), dtype=np.int64)
    labels[above] = np.argsort(order)[member] + 1
    n_members = np.bincount(parent, minlength=n_nodes)[roots[order]]
    return Components(labels, extent[order], intensity[order], n_members)


def enhanced(statistic: np.ndarray, side: str = "two-sided", enhancement: Enhancement | None = None) -> np.ndarray:
    """Return the TFNBS score of every edge (Baggio 2018): the larger, the larger the components that it is part of.

    Parameters
    ----------
    statistic : ndarray of shape (n_edges,)
        As for ``components``.
    side : "two-sided", "greater" or "less"
    enhancement : Enhancement, optional

    Returns
    -------
    ndarray of shape (n_edges,)
        Zero for edges below the first threshold; NaN where the statistic is NaN.

    Examples
    --------
    Of four edges with the same t the three that are connected score higher than the one alone.

    >>> t = np.zeros(15)
    >>> t[[0, 1, 2, 14]] = 3.0  # 0-1, 0-2, 0-3 and 4-5
    >>> enhanced(t)[[0, 14]].round(2).tolist()
    [33.55, 21.62]
    """
    enhancement = enhancement or Enhancement()
    value = on_side(statistic, side)
    n_nodes = n_nodes_of(len(value))
    rows, columns = np.triu_indices(n_nodes, 1)
    level = levels_of(value, enhancement.step)
    score = np.zeros(len(value))
    for number in range(1, level.max(initial=0) + 1):
        above = np.flatnonzero(level >= number)
        root = _connected(rows[above], columns[above], n_nodes)[rows[above]]
        extent = np.bincount(root, minlength=n_nodes)[root]
        height = number * enhancement.step
        score[above] += extent**enhancement.extent * height**enhancement.height * enhancement.step
    return np.where(np.isnan(value), np.nan, score)


def levels_of(value: np.ndarray, step: float) -> np.ndarray:
    """Return how many multiples of ``step`` above zero a value reaches, at most ``MOST_LEVELS``; none for NaN."""
    reached = np.minimum(np.where(value > 0, value, 0) / step + 1e-9, MOST_LEVELS)
    return np.floor(reached).astype(np.int64)


@inlined
def _root(parent: np.ndarray, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = int(parent[node])
    return node


@compiled
def _connected(rows: np.ndarray, columns: np.ndarray, n_nodes: int) -> np.ndarray:
    """Give the smallest node that each node is connected to."""
    parent = np.arange(n_nodes)
    for edge in range(len(rows)):
        first, second = _root(parent, rows[edge]), _root(parent, columns[edge])
        if first < second:
            parent[second] = first
        else:
            parent[first] = second
    for node in range(n_nodes):
        parent[node] = _root(parent, node)
    return parent


@compiled
def largest_components(
    statistic: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    n_nodes: int,
    thresholds: np.ndarray,
    extent: np.ndarray,
    intensity: np.ndarray,
) -> None:
    """Write the largest extent and intensity of any component, zero where there is none.

    Parameters
    ----------
    statistic : ndarray of shape (n_edges,)
    rows, columns : ndarray of int, shape (n_edges,)
        The nodes of every edge.
    n_nodes : int
    thresholds : ndarray of shape (n_thresholds,)
    extent, intensity : ndarray of shape (n_thresholds, n_sides)
        Results; the sides are those of ``SIDES``, or "greater" alone.
    """
    n_thresholds, n_sides = extent.shape
    lowest = thresholds.min()
    count = 0
    for edge in range(len(statistic)):
        if abs(statistic[edge]) > lowest:
            count += 1
    above = np.empty(count, np.int64)
    count = 0
    for edge in range(len(statistic)):
        if abs(statistic[edge]) > lowest:
            above[count] = edge
            count += 1
    parent = np.empty(n_nodes, np.int64)
    edges_of = np.empty(n_nodes, np.int64)
    excess_of = np.empty(n_nodes)
    for side in range(n_sides):
        sign = -1.0 if side == 2 else 1.0
        both = side == 0 and n_sides > 1
        for place in range(n_thresholds):
            threshold = thresholds[place]
            for node in range(n_nodes):
                parent[node] = node
                edges_of[node] = 0
                excess_of[node] = 0.0
            for member in above:
                value = abs(statistic[member]) if both else sign * statistic[member]
                if value > threshold:
                    first, second = _root(parent, rows[member]), _root(parent, columns[member])
                    if first != second:
                        parent[second] = first
                        edges_of[first] += edges_of[second]
                        excess_of[first] += excess_of[second]
                    edges_of[first] += 1
                    excess_of[first] += value - threshold
            extent[place, side] = 0
            intensity[place, side] = 0.0
            for node in range(n_nodes):
                if parent[node] == node:
                    extent[place, side] = max(extent[place, side], edges_of[node])
                    intensity[place, side] = max(intensity[place, side], excess_of[node])


@compiled
def largest_enhanced(
    statistic: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    n_nodes: int,
    step: float,
    power_of_extent: np.ndarray,
    power_of_height: np.ndarray,
    largest: np.ndarray,
) -> None:
    """Write the largest TFNBS score of any edge.

    Thresholds fall from the highest, so that components only grow: every component carries its best score, and all of
    its edges gain the same at each threshold.

    Parameters
    ----------
    statistic, rows, columns, n_nodes
        As for ``largest_components``.
    step : float
    power_of_extent : ndarray of shape (n_edges + 1,)
        extent ** E for every extent.
    power_of_height : ndarray of shape (n_levels + 1,)
        h ** H * step for every level; levels beyond count as the last.
    largest : ndarray of shape (n_sides,)
        Result.
    """
    n_sides, n_edges, top = len(largest), len(statistic), len(power_of_height) - 1
    level = np.empty(n_edges, np.int64)
    parent = np.empty(n_nodes, np.int64)
    extent = np.empty(n_nodes, np.int64)
    best = np.empty(n_nodes)
    for side in range(n_sides):
        sign = -1.0 if side == 2 else 1.0
        both = side == 0 and n_sides > 1
        start = np.zeros(top + 2, np.int64)
        for edge in range(n_edges):
            value = abs(statistic[edge]) if both else sign * statistic[edge]
            level[edge] = int(min(value / step + 1e-9, float(top))) if value > 0 else 0
            start[level[edge] + 1] += 1
        for number in range(1, top + 2):
            start[number] += start[number - 1]
        filled = start.copy()
        sorted_edges = np.empty(n_edges, np.int64)
        for edge in range(n_edges):
            sorted_edges[filled[level[edge]]] = edge
            filled[level[edge]] += 1
        for node in range(n_nodes):
            parent[node] = node
            extent[node] = 0
            best[node] = 0.0
        for number in range(top, 0, -1):
            for place in range(start[number], start[number + 1]):
                edge = sorted_edges[place]
                first, second = _root(parent, rows[edge]), _root(parent, columns[edge])
                if first != second:
                    parent[second] = first
                    extent[first] += extent[second]
                    best[first] = max(best[first], best[second])
                extent[first] += 1
            for node in range(n_nodes):
                if parent[node] == node and extent[node] > 0:
                    best[node] += power_of_extent[extent[node]] * power_of_height[number]
        largest[side] = best.max()


def warm_up() -> None:
    """Load the machine code, by the components of few edges."""
    statistic = np.array([3.0, 2.0, 0.0])
    rows, columns = np.triu_indices(3, 1)
    components(statistic, 1.0)
    largest_components(statistic, rows, columns, 3, np.ones(1), np.zeros((1, 3), np.int64), np.zeros((1, 3)))
    largest_enhanced(statistic, rows, columns, 3, 0.1, np.ones(4), np.ones(40), np.zeros(3))
