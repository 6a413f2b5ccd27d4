"""Long tables of the runs of a stack, one value a row, for statistics elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.aggregate.stack import stack_rows
from sphereconn.aggregate.strength import SIGNS, network_means, node_strength
from sphereconn.connect.edges import matrix_from_edges

# Kind of table -> its columns, and what they are.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "networks": ("run", "network1", "network2", "value"),
    "strengths": ("run", "node", "network", *SIGNS),
    "edges": ("run", "node1", "node2", "value"),
}
DESCRIPTIONS = {
    "networks": "Mean connectivity within and between networks, over the edges that have a value (r, not z)",
    "strengths": "Sum of the magnitudes of a node's edges: all, positive and negative",
    "edges": "Every edge of every run",
}


def long_table(
    kind: str, stack: str | Path, runs: Sequence[str], nodes: Sequence[str], networks: Sequence[str], diagonal: bool
) -> Iterator[Sequence[Any]]:
    """Yield the rows of a long table, with the columns ``COLUMNS[kind]``; one run is held at a time.

    Parameters
    ----------
    kind
        "networks", "strengths" or "edges".
    stack
        As `aggregate.stack.write_stack` writes it.
    runs, nodes
        Names of its rows, and of the nodes.
    networks
        One a node, "" where it has none: such nodes count in no network.
    diagonal
        Whether the stack holds the diagonal, which none of the tables has.
    """
    rows_of = {"networks": _networks, "strengths": _strengths, "edges": _edges}[kind]
    for run, edges in zip(runs, stack_rows(stack, range(len(runs))), strict=True):
        matrix = matrix_from_edges(edges, len(nodes), diagonal)
        for row in rows_of(matrix, nodes, networks):
            yield (run, *row)


def _networks(matrix: NDArray[np.float64], nodes: Sequence[str], networks: Sequence[str]) -> Iterator[Sequence[Any]]:
    del nodes
    known = [place for place, network in enumerate(networks) if network]
    if not known:
        return
    names, means = network_means(matrix[np.ix_(known, known)], [networks[place] for place in known])
    for one, first in enumerate(names):
        for other in range(one, len(names)):
            yield first, names[other], means[one, other]


def _strengths(matrix: NDArray[np.float64], nodes: Sequence[str], networks: Sequence[str]) -> Iterator[Sequence[Any]]:
    strengths = [node_strength(matrix, sign) for sign in SIGNS]
    for node, network, *values in zip(nodes, networks, *strengths, strict=True):
        yield node, network or None, *values


def _edges(matrix: NDArray[np.float64], nodes: Sequence[str], networks: Sequence[str]) -> Iterator[Sequence[Any]]:
    del networks
    for one, first in enumerate(nodes):
        for other in range(one + 1, len(nodes)):
            yield first, nodes[other], matrix[one, other]
