"""Pairs of networks: the mean of the edges between them, and of those within each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NetworkPairs:
    """The pairs of networks that edges belong to, within networks included.

    Attributes
    ----------
    names : tuple of (str, str)
        In alphabetical order, only those that have an edge.
    of_edge : ndarray of int, shape (n_edges,)
        The pair of every edge; -1 where a node has no network.
    """

    names: tuple[tuple[str, str], ...]
    of_edge: np.ndarray


def network_pairs(networks: Sequence[str | None]) -> NetworkPairs:
    """Return the pairs of networks of all edges of nodes, the upper triangle row by row.

    Parameters
    ----------
    networks : sequence of str or None
        The network of every node; None or an empty string for nodes without one.

    Examples
    --------
    >>> pairs = network_pairs(["visual", "default", "default", None])
    >>> pairs.names
    (('default', 'default'), ('default', 'visual'))
    >>> pairs.of_edge.tolist()
    [1, 1, -1, 0, -1, -1]
    """
    rows, columns = np.triu_indices(len(networks), 1)
    known = sorted({network for network in networks if network})
    number = {network: place for place, network in enumerate(known)}
    of_node = np.array([number[network] if network else -1 for network in networks], dtype=np.int64)
    low, high = np.minimum(of_node[rows], of_node[columns]), np.maximum(of_node[rows], of_node[columns])
    code = np.where(low < 0, -1, low * len(known) + high)
    codes = np.unique(code[code >= 0])
    of_edge = np.where(code < 0, -1, np.searchsorted(codes, code))
    return NetworkPairs(tuple((known[c // len(known)], known[c % len(known)]) for c in codes.tolist()), of_edge)


def pair_means(values: np.ndarray, pairs: NetworkPairs) -> np.ndarray:
    """Return the mean over the known edges of every pair of networks, NaN where a pair has none.

    Parameters
    ----------
    values : ndarray of shape (n_edges,) or (n_runs, n_edges)
        NaN marks a missing edge.
    pairs : NetworkPairs

    Returns
    -------
    ndarray of shape (n_pairs,) or (n_runs, n_pairs)

    Examples
    --------
    >>> pairs = network_pairs(["visual", "default", "default"])
    >>> pair_means(np.array([0.1, 0.3, 0.8]), pairs).tolist()
    [0.8, 0.2]
    """
    rows = np.atleast_2d(values)
    means = np.full((len(rows), len(pairs.names)), np.nan)
    for row, mean in zip(rows, means, strict=True):
        used = (pairs.of_edge >= 0) & ~np.isnan(row)
        count = np.bincount(pairs.of_edge[used], minlength=len(mean))
        total = np.bincount(pairs.of_edge[used], row[used], minlength=len(mean))
        mean[count > 0] = total[count > 0] / count[count > 0]
    return means if values.ndim == 2 else means[0]
