"""How a connectome is organized: its modularity, and how far its known networks stand out. Rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.modularity import REPEATS, modularity
from sphereconn.compare.networks import network_contrast, same_network

Array = NDArray[np.float64]

# Column -> what it says, as the sidecar of the table tells it.
ORGANIZATION_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "name": {"Description": "Start of the names of the run's results"},
    "modularity": {
        "Description": f"Modularity Q* of the connectome with its negative edges, mean of {REPEATS} Louvain searches"
        " (Blondel et al. 2008; Rubinov and Sporns 2011)"
    },
    "within_networks": {
        "Description": "Mean of the edges between nodes of the same network, Fisher's z of correlations"
    },
    "between_networks": {"Description": "Mean of the edges between nodes of two networks, Fisher's z of correlations"},
    "network_separation": {
        "Description": "Difference of these two means, in pooled standard deviations of the edges (Cohen's d)"
    },
}


def organization_rows(
    names: Sequence[str], runs: Iterable[Array], networks: Sequence[str | None], *, fisher_z: bool
) -> Iterator[list[str | float]]:
    """Return one row a run, a value for each of ``ORGANIZATION_COLUMNS``.

    Parameters
    ----------
    names
        Of the runs.
    runs
        The edges of each, shape (n_edges,); NaN where missing.
    networks
        Of the nodes.
    fisher_z
        Whether edges are Fisher's z of correlations: modularity is of the correlations themselves.
    """
    kinds = same_network(networks)
    for name, edges in zip(names, runs, strict=True):
        contrast = network_contrast(edges, *kinds)
        weights = np.tanh(edges) if fisher_z else edges
        yield [name, modularity(weights, len(networks)), contrast.within, contrast.between, contrast.separation]
