"""Seed tables: where the spheres stand."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sphereconn.errors import InputError
from sphereconn.files import MISSING, number_hint, read_rows, to_number


@dataclass(frozen=True)
class SeedTable:
    """The seeds of one set: names, coordinates (n_seeds, 3) and radii (n_seeds,) in mm, networks ("" where unknown)."""

    names: list[str]
    coordinates: np.ndarray
    radii: np.ndarray
    networks: list[str]


def read_seeds(path: str | Path, radius: float | None = None) -> SeedTable:
    """Read a seed table with the columns x, y, z and, if there, name (else index), radius and network.

    ``radius``, in mm, holds for every seed; without it the table must have a radius column. ``InputError`` names file,
    line and column: missing coordinates or radii, cells that are no finite number, a name given twice.
    """
    columns, rows = read_rows(path)
    for column in ("x", "y", "z"):
        if column not in columns:
            close = difflib.get_close_matches(column, [name.lower() for name in columns], n=1)
            hint = f"; is it '{columns[[name.lower() for name in columns].index(close[0])]}'?" if close else ""
            raise InputError(
                f"{path}: the column '{column}' is missing; a seed table needs x, y and z in mm"
                f" (found: {', '.join(columns)}){hint}" + ("" if hint else ".")
            )
    if not rows:
        raise InputError(f"{path}: the table lists no seed.")
    if radius is None and "radius" not in columns:
        raise InputError(f"{path}: there is no radius column, so the configuration must give the seed set a radius.")

    table = {column: [row[place] for row in rows] for place, column in enumerate(columns)}
    coordinates = np.column_stack([_numbers(path, column, table[column]) for column in ("x", "y", "z")])
    if radius is None:
        radii = _numbers(path, "radius", table["radius"])
        if (radii < 0).any():
            raise InputError(f"{path}, row {int(np.argmax(radii < 0)) + 2}, column radius: a radius is at least 0 mm.")
    else:
        radii = np.full(len(rows), float(radius))
    names = _names(path, table, len(rows))
    networks = [cell if cell != MISSING else "" for cell in table.get("network", [""] * len(rows))]
    return SeedTable(names, coordinates, radii, networks)


def read_all_seeds(paths: Sequence[str | Path]) -> tuple[list[str], np.ndarray]:
    """Return the names and the coordinates, shape (n_seeds, 3) in mm, of the seeds of several tables together."""
    tables = [read_seeds(path, radius=0.0) for path in paths]
    return [name for table in tables for name in table.names], np.vstack([table.coordinates for table in tables])


def _numbers(path: str | Path, column: str, cells: list[str]) -> np.ndarray:
    numbers = np.empty(len(cells))
    for place, cell in enumerate(cells):
        try:
            numbers[place] = to_number(cell)
        except ValueError:
            numbers[place] = np.nan
        if not np.isfinite(numbers[place]):
            said = f"'{cell}' is not a number (mm){number_hint(cell)}"
            raise InputError(f"{path}, row {place + 2}, column {column}: {said}.")
    return numbers


def _names(path: str | Path, table: dict[str, list[str]], n_seeds: int) -> list[str]:
    source = next((column for column in ("name", "label", "index") if column in table), None)
    names = table[source] if source else [str(number) for number in range(1, n_seeds + 1)]
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in ("", MISSING):
            raise InputError(f"{path}, row {place + 2}, column {source}: the seed has no name.")
        if name in first:
            raise InputError(
                f"{path}: rows {first[name] + 2} and {place + 2} have the same {source} '{name}'; names must differ."
            )
        first[name] = place
    return list(names)
