"""How far connectomes reach: what the figures of several groups need to share one scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sphereconn.aggregate.strength import SIGNS, network_means, node_strength


def common_limits(connectomes: Iterable[tuple[NDArray[np.float64], Sequence[str]]]) -> dict[str, float | None]:
    """Return how far several connectomes reach.

    Parameters
    ----------
    connectomes
        Matrices, shape (n_nodes, n_nodes), each with the networks of its nodes.

    Returns
    -------
    dict
        The largest magnitude over all of them of ``edges``, of means of ``networks``, and of node strengths, by sign;
        None where there is none above 0.
    """
    limits = dict.fromkeys(("edges", "networks", *SIGNS), 0.0)
    for matrix, networks in connectomes:
        edges = matrix[~np.eye(len(matrix), dtype=bool)]
        found = {"edges": edges, "networks": network_means(matrix, networks)[1]}
        found |= {sign: node_strength(matrix, sign) for sign in SIGNS}
        for kind, values in found.items():
            limits[kind] = float(np.max(np.abs(values[np.isfinite(values)]), initial=limits[kind]))
    return {kind: limit or None for kind, limit in limits.items()}
