"""The nodes table beside a result: what the nodes of a connectome are called, where they stand, and their networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sphereconn.files import MISSING, read_rows


@dataclass(frozen=True)
class Nodes:
    """Names, coordinates (n_nodes, 3) in mm and networks ("" where unknown) of the nodes of a connectome."""

    names: list[str]
    coordinates: np.ndarray
    networks: list[str]


def read_nodes(path: str | Path) -> Nodes:
    """Read the nodes table of a run or of a group."""
    columns, rows = read_rows(path)
    table = {column: [row[place] for row in rows] for place, column in enumerate(columns)}
    coordinates = np.array([[float(cell) for cell in table[axis]] for axis in "xyz"]).T
    return Nodes(table["name"], coordinates, [cell if cell != MISSING else "" for cell in table["network"]])
