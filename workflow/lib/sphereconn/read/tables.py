"""Result files as pandas objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sphereconn.connect.edges import matrix_from_edges, read_edges
from sphereconn.files import read_columns, read_json, read_matrix, read_rows, read_signals, says_missing, to_number
from sphereconn.study.names import ENTITIES

# Their cells are names, also where they look like numbers: a subject 01, a network 7.
TEXT = frozenset(
    {*ENTITIES, "name", "node", "node1", "node2", "network", "network1", "network2", "run", "group", "seed_set"}
    | {"denoising", "other", "estimator", "left_out", "problem", "members", "criterion", "better", "side"}
)


def table(path: Path, index: str | None = None) -> pd.DataFrame:
    """Return a table; a column is of numbers where every cell that is there is one, else of text, and n/a is missing.

    Parameters
    ----------
    path
        A tab-separated table.
    index
        Column that becomes the index.
    """
    columns, rows = read_rows(path)
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    frame = pd.DataFrame({name: column(name, of) for name, of in zip(columns, cells, strict=True)})
    return frame if index is None else frame.set_index(index)


def column(name: str, cells: Sequence[str]) -> pd.Series:
    """Return the cells of a column as numbers, truth values or text."""
    there = [cell for cell in cells if not says_missing(cell)]
    values: list[Any] = [None if says_missing(cell) else cell for cell in cells]
    if name in TEXT or any(cell[0] == "0" and cell[1:].isdecimal() and len(cell) > 1 for cell in there):
        return pd.Series(values, dtype=object)
    if there and set(there) <= {"True", "False"}:
        truths = [None if value is None else value == "True" for value in values]
        return pd.Series(truths, dtype=bool if len(there) == len(cells) else object)
    try:
        numbers = np.array([np.nan if value is None else to_number(value) for value in values], dtype=np.float64)
    except ValueError:
        return pd.Series(values, dtype=object)
    whole = bool(there) and len(there) == len(cells) and all(cell.lstrip("+-").isdecimal() for cell in there)
    return pd.Series(numbers.astype(np.int64) if whole else numbers)


def matrix(path: Path) -> pd.DataFrame:
    """Return a square matrix with the names of the nodes on both sides."""
    names, values = read_matrix(path)
    return named(values, names)


def connectome(path: Path) -> pd.DataFrame:
    """Return the connectome of a run as `matrix` does, with every digit: from the edges beside its table."""
    nodes, diagonal = read_columns(path)[1:], read_json(path.with_suffix(".json"))["ValidDiagonal"]
    edges = read_edges(path.with_name(path.name.removesuffix("relmat.tsv") + "edges.npy"), len(nodes), diagonal)
    return named(matrix_from_edges(edges, len(nodes), diagonal, 1.0), nodes)


def named(values: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Return an array of shape (n_nodes, n_nodes) with the names of the nodes on both sides."""
    nodes = pd.Index(names, name="node", dtype=object)
    return pd.DataFrame(values, index=nodes, columns=nodes)


def signals(path: Path) -> pd.DataFrame:
    """Return time series, one row per frame, numbered from 0 as in the image, and one column per node.

    Of cleaned signals the frames that were censored are absent. Where several runs were joined, rows are counted.
    """
    names, values = read_signals(path)
    frames = np.arange(len(values))
    sidecar = path.with_suffix(".json")
    if sidecar.exists():
        described = read_json(sidecar)
        censored = {frame for of in described.get("CensoredVolumes", {}).values() for frame in of}
        kept = np.setdiff1d(np.arange(described["NumberOfVolumes"]), sorted(censored))
        frames = kept if len(kept) == len(values) else frames
    return pd.DataFrame(
        values, index=pd.Index(frames, name="frame"), columns=pd.Index(names, name="node", dtype=object)
    )
