"""The runs table: one row a run, where its files are and what is known of it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sphereconn.errors import InputError
from sphereconn.extract.formats import other_format
from sphereconn.extract.repetition_time import LONGEST, SHORTEST, is_repetition_time, unit_hint
from sphereconn.files import MISSING, number_hint, read_rows, says_missing, to_number
from sphereconn.study import names
from sphereconn.words import listed

PATHS = ("bold", "confounds", "mask")
KNOWN = (*names.ENTITIES, *PATHS, "repetition_time")
_ABBREVIATED = {"tr": "repetition_time", "ses": "session"}


@dataclass(frozen=True)
class Recording:
    """What results belong to, a run or several combined: its BIDS entities, and other columns of the runs table."""

    entities: Mapping[str, str]
    covariates: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    @cached_property
    def stem(self) -> str:
        """The start of the names of its results."""
        return names.stem(self.entities)

    @cached_property
    def folder(self) -> str:
        """The folder of its results."""
        return names.folder(self.entities)

    def value(self, column: str) -> str | None:
        """Give what the runs table says in ``column``, None where it says nothing."""
        return self.entities.get(column) or self.covariates.get(column)


@dataclass(frozen=True)
class Run(Recording):
    """One run: its files, and its repetition time in seconds if the table says it."""

    bold: str
    confounds: str | None = None
    mask: str | None = None
    repetition_time: float | None = None
    row: int | None = field(default=None, compare=False)  # of the runs table

    def files(self) -> tuple[tuple[str, str], ...]:
        """Give its files, each with the column of the runs table that it stands in."""
        paths = zip(PATHS, (self.bold, self.confounds, self.mask), strict=True)
        return tuple((column, path) for column, path in paths if path)


def path_seen_from(table: str | Path, path: str | None) -> str | None:
    """Return a path as a runs table at ``table`` must say it; one that is given in full stays so."""
    return path if path is None or os.path.isabs(path) else os.path.relpath(path, os.path.dirname(table))


def read_runs(path: str | Path, content: bytes | None = None) -> list[Run]:
    """Read a runs table, sorted by the names of the results, so that the order of its rows does not matter.

    Paths in the table are relative to the table. ``InputError`` names file, line and column of the first mistake: a
    missing column or cell, a label that cannot be part of a file name, a run listed twice, a repetition time that is
    no positive number. ``content`` is read in place of the file's, for a table that is not written yet.
    """
    columns, rows = read_rows(path, content)
    for column in ("subject", "bold"):
        if column not in columns:
            raise InputError(f"{path}: the column '{column}' is missing (found: {', '.join(columns)}).")
    for column in columns:
        meant = known_column(column)
        if meant and column not in KNOWN and meant not in columns:
            raise InputError(f"{path}: the column '{column}' is not known; did you mean '{meant}'?")
    if not rows:
        raise InputError(f"{path}: the table lists no run.")
    runs: dict[str, Run] = {}
    lines: dict[str, int] = {}  # by the start of the results' names, without capitals
    for line, row in enumerate(rows, start=2):
        cells = {name: cell for name, cell in zip(columns, row, strict=True) if not is_missing(name, cell)}
        run = _run(cells, path, line)
        other = lines.setdefault(run.stem.casefold(), line)
        if other != line and run.stem not in runs:
            raise InputError(
                f"{path}: row {line} ({run.stem}) differs from row {other} only in capitalization, and some file"
                " systems do not distinguish such names; change a label."
            )
        if run.stem in runs:
            raise InputError(
                f"{path}: row {line} is the same run as row {other} ({run.stem}); distinguish them by a column such as"
                " session, run or acquisition."
            )
        runs[run.stem] = run
    return [runs[stem] for stem in sorted(runs)]


def known_column(column: str) -> str | None:
    """Give the column with a meaning of its own that a column is, or is probably meant to be; None for any other."""
    word = column.lower()
    return _ABBREVIATED.get(word) or next(iter(difflib.get_close_matches(word, KNOWN, n=1, cutoff=0.85)), None)


def is_missing(column: str, cell: str) -> bool:
    """Return whether a cell says that there is no value: in BIDS's word, or in R's and those of numerical libraries.

    A subject may be called NA.
    """
    return cell in ("", MISSING) if column == "subject" else says_missing(cell)


def _run(cells: Mapping[str, str], table: str | Path, row: int) -> Run:
    where = f"{table}, row {row}"
    for column in ("subject", "bold"):
        if column not in cells:
            raise InputError(f"{where}: the column '{column}' is empty.")
    entities = {column: cells[column] for column in names.ENTITIES if column in cells}
    for column, label in entities.items():
        if not re.fullmatch(names.BIDS_LABEL, label):
            raise InputError(
                f"{where}, column {column}: the label '{label}' is not allowed; labels become parts of file names and"
                " may contain only letters, digits and +."
            )
    for column in ("bold", "mask"):
        if column in cells and (other := other_format(cells[column])):
            raise InputError(f"{where}, column {column}: '{cells[column]}': {other}.")
    files = {
        column: _relative_to_working_directory(Path(table).parent, cells[column]) for column in PATHS if column in cells
    }
    return Run(
        entities=entities,
        bold=files["bold"],
        confounds=files.get("confounds"),
        mask=files.get("mask"),
        repetition_time=_repetition_time(cells.get("repetition_time"), where),
        covariates={column: cell for column, cell in cells.items() if column not in KNOWN},
        row=row,
    )


def _relative_to_working_directory(base: Path, cell: str) -> str:
    # Without `..` in the middle: Snakemake compares paths as text.
    return str(_without_dots(base / cell))


def _without_dots(path: Path) -> Path:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        elif part != ".":
            parts.append(part)
    return Path(*parts)


def _repetition_time(cell: str | None, where: str) -> float | None:
    if cell is None:
        return None
    try:
        seconds = to_number(cell)
    except ValueError:
        seconds = -1.0
    if not is_repetition_time(seconds):
        raise InputError(
            f"{where}, column repetition_time: '{cell}' is not allowed; allowed: {SHORTEST:g} to {LONGEST:g}"
            f" seconds{unit_hint(seconds) or number_hint(cell)}."
        )
    return seconds


def rows_of(members: Sequence[Recording], runs: Sequence[Run]) -> list[dict[str, str]]:
    """Give what the runs table says of each member of a group, as rows of a table with the same columns.

    The first column has the start of the members' names. It is called ``name``, or ``run_name`` where a column of the
    runs table is called so, and so on: a column of the runs table may be called anything, and keeps its name.
    """
    columns = dict.fromkeys((column for run in runs for column in run.covariates), MISSING)
    key = "name"
    while key in columns:
        key = f"run_{key}"
    return [{key: member.stem} | dict(member.entities) | columns | dict(member.covariates) for member in members]


Wanted = Mapping[str, "str | float | list[str | float]"]
Member = TypeVar("Member", bound=Recording)


def matching(runs: Sequence[Member], wanted: Wanted, where: str) -> list[Member]:
    """Keep the runs that have a wanted value in every column of ``wanted``; ``where`` names the key for messages."""
    columns = {column for run in runs for column in (*run.entities, *run.covariates)}
    for column in wanted:
        if column not in columns:
            problem = (
                f"runs cannot be chosen by '{column}'"
                if column in KNOWN and column not in names.ENTITIES
                else f"the runs table has no column '{column}' with values"
            )
            raise InputError(f"{where}: {problem} (found: {', '.join(sorted(columns))}).")
    allowed = texts_of(wanted)
    kept = [run for run in runs if all(run.value(column) in values for column, values in allowed.items())]
    if not kept:
        described = "; ".join(f"{column} is {' or '.join(sorted(values))}" for column, values in allowed.items())
        raise InputError(f"{where}: no run of the runs table matches ({described}){_other_levels(runs, allowed)}")
    return kept


def check_values(runs: Sequence[Recording], wanted: Wanted, where: str) -> None:
    """Raise ``InputError`` for a wanted value that none of all runs has, in a column that has others.

    Otherwise a slip of the pen would leave out runs without a word, where other values of the list have some.
    """
    for column, texts in texts_of(wanted).items():
        levels = _levels(runs, column)
        for text in texts:
            if levels and text not in levels:
                raise InputError(f"{where}: no run has {column} '{text}'{_meant(column, text, levels)}")


def _levels(runs: Sequence[Recording], column: str) -> list[str]:
    return sorted({level for run in runs if (level := run.value(column))})


def _other_levels(runs: Sequence[Recording], allowed: Mapping[str, Sequence[str]]) -> str:
    """Say which levels there are in the first column that has none of those that are wanted, and which is meant."""
    for column, wanted in allowed.items():
        levels = _levels(runs, column)
        if not set(wanted).intersection(levels):
            return _meant(column, wanted[0], levels) if levels else f"; {column} has no value in these runs."
    return "; each of these has runs, but none of them has all."


def _meant(column: str, text: str, levels: Sequence[str]) -> str:
    """Say which level a text that is none may be meant to be, or which there are."""
    unquoted = [level for level in levels if text.isdecimal() and level.lstrip("0") == text.lstrip("0")]
    if unquoted:
        return f'; write "{unquoted[0]}", in quotes, for {unquoted[0]}.'
    plain = text.removeprefix(f"{names.ENTITIES.get(column)}-").casefold()
    meant = [level for level in levels if level.casefold() == plain]
    meant = meant or difflib.get_close_matches(text, levels, n=1) if not text[-1:].isdigit() else meant
    return f"; did you mean '{meant[0]}'?" if meant else f"; {column} has {listed(levels, 10)}."


def texts_of(wanted: Wanted) -> dict[str, list[str]]:
    """Return the wanted values of each column as a table writes them, sorted."""
    return {
        column: sorted({_text(value) for value in (values if isinstance(values, list) else [values])})
        for column, values in wanted.items()
    }


def _text(value: str | float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
