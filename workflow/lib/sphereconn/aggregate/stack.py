"""One file with the edges of every run, so that a group step opens one file instead of thousands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sphereconn.connect.edges import n_edges_of, read_edges
from sphereconn.files import written_whole

MOST_VALUES = 1 << 22  # of a block of edges: 34 MB
# Column of the table beside a stack -> key of the sidecar of a connectome.
OF_STACK = {
    "frames": "NumberOfVolumes",
    "frames_kept": "NumberOfVolumesKept",
    "regressors": "ConfoundRegressors",
    "degrees_of_freedom": "DegreesOfFreedom",
    "effective_degrees_of_freedom": "EffectiveDegreesOfFreedom",
    "mean_framewise_displacement": "MeanFramewiseDisplacement",
}


def write_stack(
    path: str | Path,
    edge_paths: Sequence[str | Path],
    n_nodes: int,
    kept: Sequence[int] | None = None,
    *,
    diagonal: bool,
) -> None:
    """Stack the edges of runs in one NumPy file: float64, shape (n_runs, n_edges), rows in the order given.

    Runs are read one at a time, and rows written as they come: memory does not grow with the number of runs.

    Parameters
    ----------
    path : path
        The .npy file; it appears when it is complete.
    edge_paths : sequence of paths
        One file a run, as ``connect.edges.write_connectome`` writes them.
    n_nodes : int
        Of each run.
    kept : sequence of int
        Positions of the runs that are stacked, all by default. With none the stack has no row.
    diagonal : bool
        As for ``edge_vector``.

    Raises
    ------
    InputError
        When the edges of a run are not readable, or not those of so many nodes.
    """
    stacked = range(len(edge_paths)) if kept is None else kept
    rows = (read_edges(edge_paths[place], n_nodes, diagonal) for place in stacked)
    write_edges(path, rows, (len(stacked), n_edges_of(n_nodes, diagonal)))


def write_edges(path: str | Path, rows: Iterable[np.ndarray], shape: tuple[int, int]) -> None:
    """Write a stack of the given shape row by row, as they come.

    Raises
    ------
    ValueError
        When the rows do not make this shape.
    """
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        layout = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, layout)
        n_rows = 0
        for row in rows:
            if row.shape != shape[1:]:
                raise ValueError(f"a row of {row.size} edges in a stack of {shape[1]}")
            file.write(row.astype("<f8", copy=False).tobytes())
            n_rows += 1
        if n_rows != shape[0]:
            raise ValueError(f"{n_rows} rows in a stack of {shape[0]}")


def open_stack(path: str | Path) -> np.memmap:
    """Map a stack of shape (n_runs, n_edges) into memory, to be read in parts.

    Pages that have been read count as memory of the process while the map lives; ``stack_rows`` reads without that.
    """
    stack = np.load(path, mmap_mode="r")
    assert isinstance(stack, np.memmap)
    return stack


def stack_rows(path: str | Path, rows: Iterable[int], first: int = 0, after: int | None = None) -> Iterator[np.ndarray]:
    """Read the edges of the given runs, one run at a time, each an array of shape (n_edges,).

    ``first`` and ``after`` are the first edge and the one after the last, as in a slice.
    """
    stack = open_stack(path)
    n_edges, start = stack.shape[1], stack.offset
    count = len(range(n_edges)[first:after])
    with open(path, "rb") as file:
        for row in rows:
            file.seek(start + (row * n_edges + first) * stack.itemsize)
            yield np.fromfile(file, dtype=stack.dtype, count=count)


def blocks(n_runs: int, n_edges: int, most: int = 2048) -> Iterator[tuple[int, int]]:
    """Cut edges into blocks that take the same memory for any number of runs: the first edge, and the one after.

    Parameters
    ----------
    n_runs
        Whose edges are read at once.
    n_edges
        Number of all edges.
    most
        Edges of a block where runs are few.

    Examples
    --------
    >>> list(blocks(100, 5000))
    [(0, 2048), (2048, 4096), (4096, 5000)]
    >>> len(list(blocks(10_000, 5000)))
    12
    """
    step = max(min(most, MOST_VALUES // max(n_runs, 1)), 1)
    for start in range(0, n_edges, step):
        yield start, min(start + step, n_edges)


def stack_quality(sidecar: Mapping[str, Any]) -> list[Any]:
    """Return what the sidecar of a connectome says of its run, a value for each column of ``OF_STACK``."""
    values = (sidecar.get(key) for key in OF_STACK.values())
    return [len(value) if isinstance(value, list) else value for value in values]
