"""Connectomes in brief: the strength of each node, the mean within and between networks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

SIGNS = ("absolute", "positive", "negative")


def node_strength(matrix: ArrayLike, sign: str = "absolute", normalise: bool = False) -> NDArray[np.float64]:
    """Sum the magnitudes of each node's edges, without the diagonal.

    Parameters
    ----------
    matrix : (n_nodes, n_nodes) array
        NaN where an edge has no value: such an edge adds nothing.
    sign : {"absolute", "positive", "negative"}
        Which edges count: all, those above 0, those below 0.
    normalise : bool
        Divide by the largest strength (a vector of zeros stays as it is).

    Returns
    -------
    (n_nodes,) array
        At least 0; NaN for a node without any edge that has a value.

    Raises
    ------
    ValueError
        When the matrix is not square or the sign is unknown.

    References
    ----------
    Rubinov and Sporns (2011), Weight-conserving characterization of complex functional brain networks, NeuroImage 56.
    """
    edges = _without_diagonal(matrix)
    if sign not in SIGNS:
        raise ValueError(f"the sign of a strength is one of {', '.join(SIGNS)}, not {sign!r}")
    kept = {"absolute": np.abs(edges), "positive": np.maximum(edges, 0), "negative": np.maximum(-edges, 0)}[sign]
    strength = np.where(np.isnan(edges).all(axis=1), np.nan, np.nansum(kept, axis=1))
    largest = np.max(strength[~np.isnan(strength)], initial=0.0)
    return strength / largest if normalise and largest > 0 else strength


def network_means(matrix: ArrayLike, networks: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Average a connectome within and between networks, over the edges that have a value and without the diagonal.

    Parameters
    ----------
    matrix : (n_nodes, n_nodes) array
        NaN where an edge has no value.
    networks : sequence of str
        One a node.

    Returns
    -------
    names : list of str
        The networks, sorted.
    means : (n_networks, n_networks) array
        NaN where no edge has a value, as within a network of one node.

    Raises
    ------
    ValueError
        When the matrix is not square or the number of networks is not that of the nodes.
    """
    edges = _without_diagonal(matrix)
    if len(networks) != len(edges):
        raise ValueError(f"{len(networks)} networks for {len(edges)} nodes")
    names = sorted(set(networks))
    belongs = np.array([[network == name for network in networks] for name in names], dtype=np.float64)
    total = belongs @ np.nan_to_num(edges) @ belongs.T
    number = belongs @ (~np.isnan(edges)).astype(np.float64) @ belongs.T
    return names, np.where(number > 0, total, np.nan) / np.maximum(number, 1)


def _without_diagonal(matrix: ArrayLike) -> NDArray[np.float64]:
    edges = np.array(matrix, dtype=np.float64)
    if edges.ndim != 2 or edges.shape[0] != edges.shape[1]:
        raise ValueError(f"a connectome is a square matrix, not one of shape {edges.shape}")
    np.fill_diagonal(edges, np.nan)
    return edges
