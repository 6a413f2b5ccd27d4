"""How clearly known networks stand out in a connectome: edges within them against edges between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NetworkContrast:
    """Connectivity within and between networks in one connectome; NaN where there is no such edge.

    Attributes
    ----------
    within, between
        Mean of the edges whose nodes are in the same network, and in two different ones.
    separation
        Their difference, in units of the pooled standard deviation of the edges (Cohen's d): a denoising that shrinks
        all edges alike does not change it.
    """

    within: float
    between: float
    separation: float


def same_network(networks: Sequence[str | None]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which edges lie within a network and which between two, upper triangle row by row.

    Parameters
    ----------
    networks
        The network of each node; None or "" for none, whose edges are in neither.

    Examples
    --------
    >>> within, between = same_network(["visual", "default", "default", None])
    >>> within.tolist(), between.tolist()
    ([False, False, False, True, False, False], [True, True, False, False, False, False])
    """
    rows, columns = np.triu_indices(len(networks), 1)
    names = np.array([network or "" for network in networks], dtype=object)
    both = (names[rows] != "") & (names[columns] != "")
    same = names[rows] == names[columns]
    return (both & same).astype(bool), (both & ~same).astype(bool)


def network_contrast(edges: Array, within: NDArray[np.bool_], between: NDArray[np.bool_]) -> NetworkContrast:
    """Return how far edges within networks exceed those between them.

    Parameters
    ----------
    edges
        Shape (n_edges,), NaN where missing; Fisher's z for correlations.
    within, between
        See `same_network`.

    Examples
    --------
    >>> within, between = same_network(["a", "a", "b", "b"])
    >>> network_contrast(np.array([1.0, 0.25, 0.0, 0.5, 0.25, 0.5]), within, between)
    NetworkContrast(within=0.75, between=0.25, separation=2.0)
    """
    inside, outside = (edges[kind & ~np.isnan(edges)] for kind in (within, between))
    if not (len(inside) and len(outside)):
        return NetworkContrast(*[float("nan")] * 3)
    freedom = len(inside) + len(outside) - 2
    squares = sum(((part - part.mean()) ** 2).sum() for part in (inside, outside))
    difference = float(inside.mean() - outside.mean())
    spread = float(np.sqrt(squares / freedom)) if freedom > 0 else 0.0
    separation = difference / spread if spread > 0 else float("nan")
    return NetworkContrast(float(inside.mean()), float(outside.mean()), separation)
