"""The nodes of several runs: what these agree on, and how often and how well each node was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sphereconn.errors import InputError
from sphereconn.files import MISSING, read_rows, to_number

TEXT = ("index", "name", "network")
GEOMETRY = ("x", "y", "z", "radius")
QUALITY = ("coverage", "temporal_snr")
GROUP_COLUMNS = ("index", "name", "x", "y", "z", "radius", "network", "runs_used", "mean_coverage", "mean_temporal_snr")
SUBJECT_COLUMNS = ("index", "name", *GEOMETRY, "network", "runs_used", *QUALITY, "problem")


def group_nodes(paths: Sequence[str | Path], kept: Sequence[int] | None = None) -> list[list[Any]]:
    """Combine the nodes tables of runs into one row a node.

    Parameters
    ----------
    paths : sequence of paths
        Tables with the columns index, name, x, y, z, radius, network, coverage, temporal_snr and problem (n/a for a
        node with a usable signal).
    kept : sequence of int
        Positions of the runs that count, all by default. With none the nodes are those of the first table.

    Returns
    -------
    list of list
        One row a node in the order of ``GROUP_COLUMNS``: what the runs agree on; runs_used, the number of runs in which
        the node has a signal; the means of coverage and temporal SNR over all runs that know them, used or not (NaN
        when none does).

    Raises
    ------
    InputError
        When a table lacks a column or holds text in place of a number, or two tables differ in their nodes.
    ValueError
        When there is no table.
    """
    if not paths:
        raise ValueError("there is no nodes table to combine")
    first = read_run_nodes(paths[0])
    n_nodes = len(first["name"])
    runs_used = np.zeros(n_nodes, dtype=np.int64)
    totals = {column: np.zeros(n_nodes) for column in QUALITY}
    counts = {column: np.zeros(n_nodes, dtype=np.int64) for column in QUALITY}
    for path in paths if kept is None else [paths[place] for place in kept]:
        nodes = read_run_nodes(path)
        _check_same_nodes(path, nodes, paths[0], first)
        runs_used += [problem == MISSING for problem in nodes["problem"]]
        for column in QUALITY:
            values = np.array(nodes[column])
            totals[column] += np.nan_to_num(values, nan=0.0)
            counts[column] += ~np.isnan(values)
    means = {
        column: np.where(counts[column] > 0, totals[column], np.nan) / np.maximum(counts[column], 1)
        for column in QUALITY
    }
    columns = [
        *(first[column] for column in ("index", "name", *GEOMETRY, "network")),
        runs_used.tolist(),
        *(means[column].tolist() for column in QUALITY),
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def subject_nodes(
    paths: Sequence[str | Path], runs: Sequence[str], kept: Sequence[int], *, in_all: bool
) -> list[list[Any]]:
    """Combine the nodes tables of the runs of a subject into one row a node.

    Parameters
    ----------
    paths : sequence of paths
        As for ``group_nodes``.
    runs : sequence of str
        What the runs are called, for the column problem.
    kept : sequence of int
        Positions of the runs that count.
    in_all : bool
        Whether a node needs a signal in all runs that count to be used, as when signals are joined in time, or in one.

    Returns
    -------
    list of list
        One row a node in the order of ``SUBJECT_COLUMNS``: as ``group_nodes`` gives it, and for a node that is not used
        its problem in each run that has one (None for a node that is used).

    Raises
    ------
    InputError
        As ``group_nodes``.
    """
    rows = group_nodes(paths, kept)
    tables = [(runs[place], read_run_nodes(paths[place])["problem"]) for place in kept]
    needed = len(kept) if in_all else 1
    problems: list[str | None] = []
    for number, row in enumerate(rows):
        found = [f"{run}: {problem[number]}" for run, problem in tables if problem[number] != MISSING]
        used = row[GROUP_COLUMNS.index("runs_used")] >= max(needed, 1)
        problems.append(None if used else "; ".join(found) or "every run is left out")
    return [[*row, problem] for row, problem in zip(rows, problems, strict=True)]


def read_run_nodes(path: str | Path) -> dict[str, list[Any]]:
    """Read the nodes table of a run by column: numbers as floats, NaN where coverage or temporal SNR is not known."""
    columns, rows = read_rows(path)
    absent = [column for column in (*TEXT, *GEOMETRY, *QUALITY, "problem") if column not in columns]
    if absent:
        raise InputError(f"{path}: the nodes table has no column '{absent[0]}'.")
    nodes: dict[str, list[Any]] = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
    for column in (*GEOMETRY, *QUALITY):
        nodes[column] = [_number(path, column, line, cell) for line, cell in enumerate(nodes[column], start=2)]
    return nodes


def _number(path: str | Path, column: str, line: int, cell: str) -> float:
    if cell == MISSING and column in QUALITY:
        return math.nan
    try:
        return to_number(cell)
    except ValueError as problem:
        raise InputError(f"{path}: column '{column}' of line {line} must be a number, found '{cell}'.") from problem


def _check_same_nodes(
    path: str | Path, nodes: dict[str, list[Any]], first_path: str | Path, first: dict[str, list[Any]]
) -> None:
    if len(nodes["name"]) != len(first["name"]):
        raise InputError(
            f"{path}: {len(nodes['name'])} nodes, and {first_path} has {len(first['name'])}; all runs of a group must"
            " have the same nodes."
        )
    for column in (*TEXT, *GEOMETRY):
        for number, (value, expected) in enumerate(zip(nodes[column], first[column], strict=True), start=1):
            if value != expected:
                raise InputError(
                    f"{path}: the {column} of node {number} is {value}, and {expected} in {first_path}; all runs of a"
                    " group must have the same nodes."
                )
