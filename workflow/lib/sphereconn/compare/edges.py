"""Edges of runs, read from a stack in blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sphereconn.aggregate.moments import fisher_z_of
from sphereconn.aggregate.stack import stack_rows

Array = NDArray[np.float64]
# From the positions of some runs, and the first edge and the one after the last, to their values, shape (n_runs,
# n_edges); NaN where a run misses an edge.
Edges = Callable[[NDArray[np.int64], int, int], Array]


def edge_reader(stack: str | Path, n_nodes: int, *, diagonal: bool) -> tuple[Edges, int]:
    """Return a function that reads edges of runs from a stack, and the number of edges.

    Correlations, whose stack has no diagonal, are read as Fisher's z; of others the diagonal is left out.

    Parameters
    ----------
    stack
        As `aggregate.stack.write_stack` writes it.
    n_nodes
        Of the connectomes.
    diagonal
        Whether the stack has the diagonal.
    """
    rows, columns = np.triu_indices(n_nodes, 0 if diagonal else 1)
    places = np.flatnonzero(rows != columns)

    def read(runs: NDArray[np.int64], start: int, stop: int) -> Array:
        chosen = places[start:stop]
        first, after = int(chosen[0]), int(chosen[-1]) + 1
        block = np.empty((len(runs), after - first))
        for row, of_run in zip(block, stack_rows(stack, runs.tolist(), first, after), strict=True):
            row[:] = of_run
        return block[:, chosen - chosen[0]] if diagonal else fisher_z_of(block)

    return read, len(places)
