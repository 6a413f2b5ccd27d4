"""Modularity of connectomes with positive and negative edges, by repeated Louvain searches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sphereconn.connect.compilation import compiled, inlined

Array = NDArray[np.float64]

REPEATS = 100
# A node moves, and a level is added, for no smaller gain.
LEAST_GAIN = 1e-10


def modularity(edges: Array, n_nodes: int, repeats: int = REPEATS) -> float:
    """Return the mean modularity Q* of the partitions that Louvain searches find, each in an order of its own.

    Parameters
    ----------
    edges
        Shape (n_edges,), the upper triangle row by row. Nodes without a known edge are left out; other missing edges
        count as 0.
    n_nodes
        Number of nodes.
    repeats
        Number of searches; search k is seeded with k, so that the result depends on the edges alone.

    Returns
    -------
    float
        NaN when no edge is positive, or none is known.

    References
    ----------
    Blondel VD et al. (2008). Fast unfolding of communities in large networks. Journal of Statistical Mechanics P10008.
    Rubinov M, Sporns O (2011). Weight-conserving characterization of complex functional brain networks. NeuroImage
    56:2068-2079.
    """
    matrix = np.full((n_nodes, n_nodes), np.nan)
    matrix[np.triu_indices(n_nodes, 1)] = edges
    matrix = np.fmax(matrix, matrix.T)
    known = ~np.isnan(matrix).all(axis=1)
    if not known.any():
        return float("nan")
    quality = quality_matrix(np.nan_to_num(matrix[np.ix_(known, known)]))
    if np.isnan(quality).any():
        return float("nan")
    return float(np.mean([louvain(quality, seed)[1] for seed in range(repeats)]))


def quality_matrix(weights: Array) -> Array:
    """Return the matrix whose sum over all pairs within modules is the modularity Q* of Rubinov and Sporns 2011.

    Positive weights count in full, negative ones by their share of all weights.

    Parameters
    ----------
    weights
        Symmetric, shape (n_nodes, n_nodes); the diagonal is not looked at.

    Returns
    -------
    ndarray of shape (n_nodes, n_nodes)
        NaN throughout when no weight is positive.
    """
    positive, negative = np.maximum(weights, 0.0), np.maximum(-weights, 0.0)
    np.fill_diagonal(positive, 0)
    np.fill_diagonal(negative, 0)
    total, total_negative = positive.sum(), negative.sum()
    if not total > 0:
        return np.full(weights.shape, np.nan)
    quality: Array = _beyond_chance(positive, total) / total
    if total_negative > 0:
        quality -= _beyond_chance(negative, total_negative) / (total + total_negative)
    return quality


def _beyond_chance(weights: Array, total: float) -> Array:
    strength = weights.sum(axis=0)
    return weights - np.outer(strength, strength) / total


def modularity_of(quality: Array, modules: NDArray[np.int64]) -> float:
    """Return the modularity of a partition, from the matrix of `quality_matrix` and the module of each node."""
    return float(quality[modules[:, None] == modules[None, :]].sum())


def louvain(quality: Array, seed: int) -> tuple[NDArray[np.int64], float]:
    """Return a partition of high modularity, and its modularity.

    Nodes move one by one, in random order, to the module that gains most, until none gains; then modules move as nodes
    did, and so on.

    Parameters
    ----------
    quality
        See `quality_matrix`.
    seed
        Of the order of nodes.

    Returns
    -------
    modules : ndarray of int, shape (n_nodes,)
        The module of each node, from 0.
    q : float
    """
    return _louvain(np.ascontiguousarray(quality), seed)


@compiled
def _louvain(quality: Array, seed: int) -> tuple[NDArray[np.int64], float]:
    np.random.seed(seed)  # noqa: NPY002 - the generator of this thread's compiled code, not Python's
    n_all = len(quality)
    modules = np.arange(n_all)
    weights = quality
    found = -np.inf
    while True:
        n = len(weights)
        of_node, sums, is_summed = _moved(weights)
        label = np.full(n, -1)
        n_modules = 0
        for node in range(n):
            if label[of_node[node]] < 0:
                label[of_node[node]] = n_modules
                n_modules += 1
        joined = np.zeros((n_modules, n_modules))
        for module in range(n):
            if label[module] >= 0:
                of_module = sums[module] if is_summed[module] else weights[module]
                for node in range(n):
                    joined[label[module], label[of_node[node]]] += of_module[node]
        q = 0.0
        for module in range(n_modules):
            q += joined[module, module]
        if q <= found + LEAST_GAIN:
            return modules, found
        for node in range(n_all):
            modules[node] = label[of_node[modules[node]]]
        found = q
        if n_modules == n:
            return modules, found
        weights = joined


@inlined
def _moved(weights: Array) -> tuple[NDArray[np.int64], Array, NDArray[np.bool_]]:
    """Move nodes between modules until none gains.

    Gives the module of each node; for modules that have had two nodes the sums of weights between them and every node;
    and which modules these are. The sums of others are the weights of their node.
    """
    n = len(weights)
    of_node = np.arange(n)
    size = np.ones(n, np.int64)
    # Sums are kept up to date, so a visit costs a look at each module that has nodes: first those that never had two,
    # along a row of weights, then the others.
    sums = np.empty((n, n))
    modules, place = np.arange(n), np.arange(n)
    n_single, n_modules = n, n
    moved = True
    while moved:
        moved = False
        for node in np.random.permutation(n):  # noqa: NPY002
            home, row = of_node[node], weights[node]
            here = (row[home] if place[home] < n_single else sums[home, node]) - row[node]
            best, most = home, here + LEAST_GAIN
            for at in range(n_single):
                module = modules[at]
                if row[module] > most and module != home:
                    best, most = module, row[module]
            for at in range(n_single, n_modules):
                module = modules[at]
                if sums[module, node] > most and module != home:
                    best, most = module, sums[module, node]
            if best == home:
                continue
            moved = True
            right = sums[best]
            if place[best] < n_single:
                right[:] = weights[best]
                n_single -= 1
                _swap(modules, place, place[best], n_single)
            for other in range(n):
                right[other] += row[other]
            of_node[node] = best
            size[best] += 1
            size[home] -= 1
            if size[home] > 0:
                left = sums[home]
                for other in range(n):
                    left[other] -= row[other]
                continue
            if place[home] < n_single:
                n_single -= 1
                _swap(modules, place, place[home], n_single)
            n_modules -= 1
            _swap(modules, place, place[home], n_modules)
    return of_node, sums, place >= n_single


@inlined
def _swap(modules: NDArray[np.int64], place: NDArray[np.int64], one: int, other: int) -> None:
    """Let two modules change places."""
    first, second = modules[one], modules[other]
    modules[one], modules[other] = second, first
    place[first], place[second] = other, one


def warm_up() -> None:
    """Load the machine code, by the modules of two nodes."""
    louvain(np.zeros((2, 2)), seed=0)
