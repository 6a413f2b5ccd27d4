"""Seeds from an atlas: the centres of its regions, with the names and networks of a table of labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphereconn.errors import InputError
from sphereconn.files import MISSING, read_rows, to_number

if TYPE_CHECKING:
    from sphereconn.extract.regions import Regions

COLUMNS = ("index", "name", "x", "y", "z", "network", "voxels", "pieces", "moved")


@dataclass(frozen=True)
class Label:
    """What a region is called, and its network ("" where unknown)."""

    name: str
    network: str


@dataclass(frozen=True)
class AtlasSeeds:
    """A seed table made from an atlas: rows of ``COLUMNS``, and what a reader should know of them."""

    rows: list[tuple[Any, ...]]
    notes: dict[str, Any]


def is_atlas(seeds: str) -> bool:
    """Tell an atlas from a seed table, by the file's name."""
    return seeds.lower().endswith((".nii", ".nii.gz"))


def read_labels(path: str | Path) -> dict[int, Label]:
    """Read a table of labels (BIDS ``*_dseg.tsv``): the columns index, name and, if there, network.

    Background, 0, may be listed and is left out. ``InputError`` names file, row and column: a missing column, an index
    that is no whole number, an index or a name given twice.
    """
    columns, rows = read_rows(path)
    for column in ("index", "name"):
        if column not in columns:
            raise InputError(f"{path}: the column '{column}' is missing (found: {', '.join(columns)}).")
    labels: dict[int, Label] = {}
    first: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        cells = {column: cell if cell != MISSING else "" for column, cell in zip(columns, row, strict=True)}
        if not re.fullmatch(r"[0-9]{1,15}(\.0+)?", cells["index"]):
            raise InputError(
                f"{path}, row {line}, column index: '{cells['index']}' is not a whole number of at least 0."
            )
        index = int(to_number(cells["index"]))
        if index == 0:
            continue
        name = cells["name"]
        if not name:
            raise InputError(f"{path}, row {line}, column name: the region has no name.")
        if name in first:
            raise InputError(f"{path}: rows {first[name]} and {line} have the same name '{name}'; names must differ.")
        if index in labels:
            raise InputError(f"{path}, row {line}, column index: {index} already appears in an earlier row.")
        first[name] = line
        labels[index] = Label(name, cells.get("network", ""))
    if not labels:
        raise InputError(f"{path}: the table lists no region.")
    return labels


def atlas_seeds(regions: Regions, labels: Mapping[int, Label] | None) -> AtlasSeeds:
    """Put the regions of an atlas into a seed table.

    With labels, the table has the regions that they list, by name; without, all regions, called by their numbers.

    Raises
    ------
    InputError
        When no region of the atlas is listed.
    """
    numbers: Sequence[int] = regions.numbers.tolist()
    called = {number: Label(str(number), "") for number in numbers} if labels is None else labels
    places = [place for place, number in enumerate(numbers) if number in called]
    if not places:
        raise InputError(f"none of the regions that the labels list is in the atlas, which has {_listed(numbers)}.")
    rows = [
        (
            numbers[place],
            called[numbers[place]].name,
            *regions.centres[place].tolist(),
            called[numbers[place]].network or None,
            int(regions.n_voxels[place]),
            int(regions.n_pieces[place]),
            float(regions.moved[place]),
        )
        for place in places
    ]
    in_pieces = {row[1]: row[7] for row in rows if row[7] > 1}
    notes = {
        "Description": "A seed for each region of an atlas: its centre of mass or, if that lies outside the region,"
        " the nearest voxel of the region",
        "Columns": {
            "voxels": "Voxels of the region",
            "pieces": "Number of connected components; the centre of a region with several components may not be"
            " representative",
            "moved": "Distance of the seed from the centre of mass, in mm",
        },
        "NumberOfRegions": len(rows),
        "RegionsMoved": [row[1] for row in rows if row[8] > 0],
        "RegionsInPieces": in_pieces,
        "RegionsNotListed": [number for number in numbers if number not in called],
        "RegionsWithoutVoxels": [item.name for number, item in called.items() if number not in set(numbers)],
    }
    return AtlasSeeds(rows, notes)


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return shown if len(numbers) <= 5 else f"{shown}, … ({len(numbers)} in all)"
