"""Confounds of a run: columns chosen by name or wildcard from the table that the preprocessing wrote."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError
from sphereconn.files import MISSING, number_hint, read_rows, says_missing, to_number
from sphereconn.words import counted

MissingPolicy = Literal["error", "mean"]

FRAMEWISE_DISPLACEMENT, STD_DVARS = "framewise_displacement", "std_dvars"
# What is said of a frame compared with the one before it; the first frame has none.
_OF_TWO_FRAMES = re.compile(rf".*_derivative1(_power2)?|{FRAMEWISE_DISPLACEMENT}|rmsd|dvars|{STD_DVARS}")
_LARGEST = 1e100  # the squares of numbers far beyond are no numbers any more


@dataclass(frozen=True)
class ConfoundsTable:
    """A confounds table as it was read: where from, its column names, and a row of cells for each frame."""

    path: str
    columns: list[str]
    rows: list[list[str]]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.columns)}

    def column(self, name: str) -> NDArray[np.float64]:
        """Give a column, shape (n_frames,), NaN where it has no finite number; ``InputError`` when it holds text."""
        position = self._positions[name]
        numbers = np.array([_number(cells[position], self.path, name, row) for row, cells in enumerate(self.rows, 1)])
        return np.where(np.isfinite(numbers), numbers, np.nan)


def read_table(path: str | Path, n_frames: int) -> ConfoundsTable:
    """Read a confounds table as fMRIPrep writes it: tab-separated, one row a frame.

    Parameters
    ----------
    path
        The table.
    n_frames
        Number of frames of the run.

    Raises
    ------
    InputError
        When the table cannot be read or has not one row a frame.
    """
    columns, rows = read_rows(path)
    if len(rows) != n_frames:
        raise InputError(
            f"{path}: the table has {counted(len(rows), 'row')}, but the run has {counted(n_frames, 'frame')}."
        )
    return ConfoundsTable(str(path), columns, rows)


def select_columns(available: Sequence[str], patterns: Sequence[str], if_any: Sequence[str] = ()) -> list[str]:
    """Choose columns by exact names and by patterns with the wildcards ``*`` (any text) and ``?`` (one character).

    Parameters
    ----------
    available
        Column names in the order of the table.
    patterns
        Names or patterns.
    if_any
        Further ones, which need not match a column.

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
    for pattern in (*patterns, *if_any):
        expression = re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."))
        matches = [name for name in available if expression.fullmatch(name)]
        if not matches and pattern not in if_any:
            raise InputError(f"the confound '{pattern}' matches no column{_suggestion(pattern, available)}")
        selected.update(dict.fromkeys(matches))
    return list(selected)


def _suggestion(pattern: str, available: Sequence[str]) -> str:
    folded = {name.casefold(): name for name in available}  # case and blanks are what people get wrong
    word = pattern.strip().casefold()
    near = [folded[name] for name in ([word] if word in folded else difflib.get_close_matches(word, folded))]
    return f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else "."


def filled_in(
    path: str | Path,
    names: Sequence[str],
    confounds: NDArray[np.float64],
    kept: NDArray[np.bool_],
    missing: MissingPolicy = "error",
) -> NDArray[np.float64]:
    """Fill in what is missing in frames that are kept; censored frames are neither judged nor read.

    A derivative, and a measure of motion between two frames, has no value in the first frame of a run. If that frame is
    kept, it takes the value of the next frame that is.

    Parameters
    ----------
    path
        The table, for messages.
    names
        The columns.
    confounds
        Shape (n_frames, n_confounds), NaN where a value is missing.
    kept
        Shape (n_frames,), False for censored frames.
    missing
        What to do about any other missing value: "error", or "mean" to fill it, and the first frames as well, with the
        mean of the column over the frames that are kept and have one.

    Returns
    -------
    ndarray
        Shape (n_frames, n_confounds), finite in the frames that are kept.

    Raises
    ------
    InputError
        When values are missing and may not be, or a column has no number at all.
    """
    if missing not in get_args(MissingPolicy):
        raise InputError(f"missing_confounds: '{missing}' is not one of {', '.join(get_args(MissingPolicy))}.")
    filled = confounds.copy()
    if missing == "error" and kept[0] and np.count_nonzero(kept) > 1:
        following = np.flatnonzero(kept)[1]
        for column, name in enumerate(names):
            if np.isnan(filled[0, column]) and _OF_TWO_FRAMES.fullmatch(name):
                filled[0, column] = filled[following, column]
    known = np.isfinite(filled) & kept[:, None]
    empty = [name for name, numbers in zip(names, known.T, strict=True) if kept.any() and not numbers.any()]
    if empty:
        raise InputError(f"{path}: no row has a number in {_listed(empty)}.")
    incomplete = [name for name, numbers in zip(names, known.T, strict=True) if not numbers[kept].all()]
    if incomplete and missing == "error":
        column = list(names).index(incomplete[0])
        row = int(np.flatnonzero(kept & ~known[:, column])[0]) + 1
        raise InputError(
            f"{path}: values are missing or not finite in {_listed(incomplete)} ('{incomplete[0]}': row {row});"
            " choose other confounds, or `missing_confounds: mean` to fill each with the mean of its column."
        )
    for column in map(list(names).index, incomplete):
        filled[kept & ~known[:, column], column] = filled[known[:, column], column].mean()
    return filled


def framewise_displacement(path: str | Path) -> np.ndarray | None:
    """Read the column ``framewise_displacement`` of a confounds table, in mm, NaN in frames without a number.

    It is the sum of the absolute changes in the six parameters of head motion from one frame to the next (Power et al.
    2012, NeuroImage 59:2142-2154), so the first frame has none. None when the table has no such column. ``InputError``
    names the cell that is neither a number nor n/a.
    """
    columns, rows = read_rows(path)
    if FRAMEWISE_DISPLACEMENT not in columns:
        return None
    return ConfoundsTable(str(path), columns, rows).column(FRAMEWISE_DISPLACEMENT)


def _number(cell: str, path: str | Path, name: str, row: int) -> float:
    if says_missing(cell):
        return np.nan
    try:
        value = to_number(cell)
    except ValueError:
        raise InputError(
            f"{path}: column '{name}', row {row}: '{cell}' is not a number"
            f"{number_hint(cell) or f' ({MISSING} marks a missing value)'}."
        ) from None
    if _LARGEST < abs(value) < np.inf:
        raise InputError(f"{path}: column '{name}', row {row}: {cell} is too large; allowed: up to {_LARGEST:g}.")
    return value


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
