"""Confounds of a run: columns chosen by name or wildcard from the table that the preprocessing wrote."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError
from sphereconn.files import MISSING, read_rows

MissingPolicy = Literal["error", "mean"]


def select_columns(available: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Choose columns by exact names and by patterns with the wildcards ``*`` (any text) and ``?`` (one character).

    Parameters
    ----------
    available
        Column names in the order of the table.
    patterns
        Names or patterns.

    Returns
    -------
    list of str
        In the order of the patterns; the columns of one pattern in the order of the table; none twice.

    Raises
    ------
    InputError
        When a pattern matches no column; the nearest names are suggested.
    """
    selected: dict[str, None] = {}  # an ordered set
    for pattern in patterns:
        expression = re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))
        matches = [name for name in available if expression.fullmatch(name)]
        if not matches:
            raise InputError(f"the confound '{pattern}' matches no column{_suggestion(pattern, available)}.")
        selected.update(dict.fromkeys(matches))
    return list(selected)


def _suggestion(pattern: str, available: Sequence[str]) -> str:
    near = difflib.get_close_matches(pattern, available)
    return f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else ""


def read_confounds(
    path: str | Path, patterns: Sequence[str], n_frames: int, missing: MissingPolicy = "error"
) -> tuple[list[str], NDArray[np.float64]]:
    """Read the chosen columns of a confounds table as fMRIPrep writes it: tab-separated, one row a frame.

    Parameters
    ----------
    path
        The table.
    patterns
        Which columns, see `select_columns`.
    n_frames
        Number of frames of the run.
    missing
        What to do with cells that hold no number (n/a, empty, NaN or infinite), such as the first row of a
        derivative: "error", or "mean" to fill them with the mean of the column's other rows.

    Returns
    -------
    names : list of str
    confounds : ndarray
        Shape (n_frames, n_confounds), finite.

    Raises
    ------
    InputError
        When the table has not one row a frame, a pattern matches no column, a cell is neither a number nor n/a, cells
        are missing and may not be, or a column has no number at all.
    """
    if missing not in get_args(MissingPolicy):
        raise InputError(f"missing_confounds: '{missing}' is not one of {', '.join(get_args(MissingPolicy))}.")
    columns, rows = read_rows(path)
    if len(rows) != n_frames:
        raise InputError(f"{path}: the table has {len(rows)} rows, but the run has {n_frames} frames.")
    try:
        names = select_columns(columns, patterns)
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from problem
    confounds = np.empty((n_frames, len(names)))
    for index, name in enumerate(names):
        position = columns.index(name)
        for row, cells in enumerate(rows):
            confounds[row, index] = _number(cells[position], path, name, row + 1)

    finite = np.isfinite(confounds)
    empty = [name for name, numbers in zip(names, finite.T, strict=True) if not numbers.any()]
    if empty:
        raise InputError(f"{path}: no row has a number in {_listed(empty)}.")
    incomplete = [name for name, numbers in zip(names, finite.T, strict=True) if not numbers.all()]
    if incomplete and missing == "error":
        raise InputError(
            f"{path}: values are missing in {_listed(incomplete)};"
            " choose other confounds, or `missing_confounds: mean` to fill each with the mean of its column."
        )
    means = np.mean(confounds, axis=0, where=finite) if names else np.empty(0)
    return names, np.where(finite, confounds, means)


def framewise_displacement(path: str | Path) -> np.ndarray | None:
    """Read the column ``framewise_displacement`` of a confounds table, in mm, NaN in frames without a number.

    It is the sum of the absolute changes in the six parameters of head motion from one frame to the next (Power et al.
    2012, NeuroImage 59:2142-2154), so the first frame has none. None when the table has no such column. ``InputError``
    names the cell that is neither a number nor n/a.
    """
    name = "framewise_displacement"
    columns, rows = read_rows(path)
    if name not in columns:
        return None
    position = columns.index(name)
    numbers = np.array([_number(cells[position], path, name, row) for row, cells in enumerate(rows, start=1)])
    return np.where(np.isfinite(numbers), numbers, np.nan)


def mean_framewise_displacement(path: str | Path) -> float | None:
    """Average the framewise displacement of a confounds table over the frames that have a number.

    None when the table has no such column, or no number in it.
    """
    displacement = framewise_displacement(path)
    if displacement is None or np.isnan(displacement).all():
        return None
    return float(np.nanmean(displacement))


def _number(cell: str, path: str | Path, name: str, row: int) -> float:
    if cell in (MISSING, ""):
        return np.nan
    try:
        return float(cell)
    except ValueError:
        raise InputError(
            f"{path}: column '{name}', row {row}: '{cell}' is not a number ({MISSING} stands for a missing one)."
        ) from None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
