"""One file with the edges of every run, so that a group step opens one file instead of thousands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sphereconn.errors import InputError
from sphereconn.files import read_matrix, written_whole

# Column of the table beside a stack -> key of the sidecar of a connectome.
OF_STACK = {
    "frames": "NumberOfVolumes",
    "frames_kept": "NumberOfVolumesKept",
    "regressors": "ConfoundRegressors",
    "degrees_of_freedom": "DegreesOfFreedom",
    "effective_degrees_of_freedom": "EffectiveDegreesOfFreedom",
    "mean_framewise_displacement": "MeanFramewiseDisplacement",
}


def edge_vector(matrix: np.ndarray, diagonal: bool) -> np.ndarray:
    """Take each edge of a symmetric matrix once: the upper triangle, row by row.

    Parameters
    ----------
    matrix : ndarray of shape (n_nodes, n_nodes)
    diagonal : bool
        Whether the diagonal is part of it: True for covariances and precisions, False for correlations.

    Returns
    -------
    ndarray of shape (n_edges,)
        n_edges is n_nodes (n_nodes + 1) / 2 with the diagonal, n_nodes (n_nodes - 1) / 2 without.

    Raises
    ------
    ValueError
        When the matrix is not square and symmetric (NaN counts as equal to NaN): half of it would be lost.
    """
    if matrix.ndim != 2 or not np.array_equal(matrix, matrix.T, equal_nan=True):
        raise ValueError("a symmetric matrix is expected")
    edges: np.ndarray = matrix[np.triu_indices(len(matrix), k=0 if diagonal else 1)]
    return edges


def matrix_from_edges(
    edges: np.ndarray, n_nodes: int, diagonal: bool, diagonal_value: float | np.ndarray = float("nan")
) -> np.ndarray:
    """Put the edges back into a symmetric matrix, the inverse of ``edge_vector``.

    Parameters
    ----------
    edges : ndarray of shape (n_edges,)
    n_nodes : int
    diagonal : bool
        Whether ``edges`` hold the diagonal.
    diagonal_value : float, or ndarray of shape (n_nodes,)
        The diagonal when they do not: 1 for a correlation. A node without a single known edge gets NaN there as well,
        as in the connectome of a run that misses it.

    Raises
    ------
    ValueError
        When the number of edges is not that of ``n_nodes`` nodes.
    """
    rows, columns = np.triu_indices(n_nodes, k=0 if diagonal else 1)
    if edges.shape != rows.shape:
        raise ValueError(f"{n_nodes} nodes have {rows.size} edges, found an array of shape {edges.shape}")
    matrix = np.full((n_nodes, n_nodes), np.nan)
    matrix[rows, columns] = matrix[columns, rows] = edges
    if not diagonal:
        known = n_nodes == 1 or ~np.isnan(matrix).all(axis=1)
        np.fill_diagonal(matrix, np.where(known, diagonal_value, np.nan))
    return matrix


def write_stack(
    path: str | Path, matrix_paths: Sequence[str | Path], kept: Sequence[int] | None = None, *, diagonal: bool
) -> list[str]:
    """Stack the edges of matrices into one NumPy file: float64, shape (n_runs, n_edges), rows in the order given.

    Matrices are read one at a time, and rows written as they come: memory does not grow with the number of runs.

    Parameters
    ----------
    path : path
        The .npy file; it appears when it is complete.
    matrix_paths : sequence of paths
        One table a run, as ``files.write_matrix`` writes them.
    kept : sequence of int
        Positions of the matrices that are stacked, all by default. With none the stack has no row.
    diagonal : bool
        As for ``edge_vector``.

    Returns
    -------
    list of str
        The names of the nodes, which all matrices share.

    Raises
    ------
    InputError
        When two matrices differ in their nodes or the order of these, or one is not symmetric or not readable.
    ValueError
        When there is no matrix.
    """
    if not matrix_paths:
        raise ValueError("there is no matrix to stack")
    names, first = _read_edges(matrix_paths[0], diagonal)
    stacked = range(len(matrix_paths)) if kept is None else kept

    def rows() -> Iterator[np.ndarray]:
        for matrix_path in (matrix_paths[place] for place in stacked):
            other_names, edges = _read_edges(matrix_path, diagonal)
            if other_names != names:
                raise InputError(
                    f"{matrix_path}: its nodes are not those of {matrix_paths[0]}"
                    f" ({_first_difference(other_names, names)}); all runs of a group must have the same nodes in"
                    " the same order."
                )
            yield edges

    write_edges(path, rows(), (len(stacked), first.size))
    return names


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


def _read_edges(path: str | Path, diagonal: bool) -> tuple[list[str], np.ndarray]:
    names, matrix = read_matrix(path)
    try:
        return names, edge_vector(matrix, diagonal).astype("<f8")
    except ValueError as problem:
        raise InputError(f"{path}: the matrix is not symmetric.") from problem


def _first_difference(names: Sequence[str], expected: Sequence[str]) -> str:
    if len(names) != len(expected):
        return f"{len(names)} instead of {len(expected)}"
    number = next(i for i, (name, other) in enumerate(zip(names, expected, strict=True)) if name != other)
    return f"node {number + 1} is '{names[number]}' instead of '{expected[number]}'"


def open_stack(path: str | Path) -> np.memmap:
    """Map a stack of shape (n_runs, n_edges) into memory, to be read in parts.

    Pages that have been read count as memory of the process while the map lives; ``stack_rows`` reads without that.
    """
    stack = np.load(path, mmap_mode="r")
    assert isinstance(stack, np.memmap)
    return stack


def stack_rows(path: str | Path, rows: Iterable[int]) -> Iterator[np.ndarray]:
    """Read the edges of the given runs, one run at a time, each an array of shape (n_edges,)."""
    stack = open_stack(path)
    n_edges, start = stack.shape[1], stack.offset
    with open(path, "rb") as file:
        for row in rows:
            file.seek(start + row * n_edges * stack.itemsize)
            yield np.fromfile(file, dtype=stack.dtype, count=n_edges)


def stack_quality(sidecar: Mapping[str, Any]) -> list[Any]:
    """Return what the sidecar of a connectome says of its run, a value for each column of ``OF_STACK``."""
    values = (sidecar.get(key) for key in OF_STACK.values())
    return [len(value) if isinstance(value, list) else value for value in values]
