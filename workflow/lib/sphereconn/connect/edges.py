"""The edges of a connectome: what is computed from it later reads them, and every digit is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sphereconn.errors import InputError
from sphereconn.files import write_array, write_matrix
from sphereconn.words import counted


def write_connectome(
    matrix_path: str | Path, edges_path: str | Path, names: Sequence[str], matrix: np.ndarray, *, diagonal: bool
) -> None:
    """Write the connectome of a run twice: as a table for people, and its edges as a NumPy file of float64.

    Parameters
    ----------
    matrix_path, edges_path : path
        The table, as ``files.write_matrix`` writes it, and the .npy file.
    names : sequence of str
        Of the nodes.
    matrix : ndarray of shape (n_nodes, n_nodes)
        Symmetric; NaN marks what the run does not have.
    diagonal : bool
        As for ``edge_vector``.
    """
    write_matrix(matrix_path, names, matrix)
    write_array(edges_path, edge_vector(matrix, diagonal).astype("<f8", copy=False))


def read_edges(path: str | Path, n_nodes: int, diagonal: bool) -> np.ndarray:
    """Return the edges of a run that ``write_connectome`` wrote, shape (n_edges,).

    Raises
    ------
    InputError
        When the file is not readable, or holds something else than the edges of ``n_nodes`` nodes.
    """
    try:
        edges: np.ndarray = np.load(path)
    except (OSError, ValueError, EOFError) as problem:
        raise InputError(f"{path}: not a readable NumPy file ({problem}).") from problem
    expected = n_edges_of(n_nodes, diagonal)
    if edges.shape != (expected,):
        wanted = f"{counted(expected, 'edge')} of {counted(n_nodes, 'node')} are expected, found {edges.size}"
        raise InputError(f"{path}: {wanted}; all runs of a group must have the same nodes.")
    return edges


def n_edges_of(n_nodes: int, diagonal: bool) -> int:
    """Return how many edges so many nodes have, the diagonal counted if ``diagonal``."""
    return n_nodes * (n_nodes + (1 if diagonal else -1)) // 2


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
