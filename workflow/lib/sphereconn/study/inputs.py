"""The files of the runs before anything is made of them: which are not there, and which are no files to be read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from sphereconn.errors import InputError
from sphereconn.extract.formats import sidecar_of
from sphereconn.files import unusable
from sphereconn.study.runs import Run
from sphereconn.words import counted

MOST_LISTED = 20


def check_files(runs: Iterable[Run], table: str) -> None:
    """Raise ``InputError`` with every file of the runs that is there and cannot be read: a pipe, a folder, a pointer.

    Snakemake would open it to compare its content, and wait for a pipe for ever. A file that is not there is no mistake
    yet: what was made of it may be there, or another workflow may make it.
    """
    problems = [
        f"{_place(run, column)}: {path}: {problem}"
        for run in runs
        for column, path in (*run.files(), ("sidecar of the image", sidecar_of(run.bold)))
        if os.path.exists(path) and (problem := unusable(path))
    ]
    if problems:
        raise InputError(_listed(f"{table}: {counted(len(problems), 'file')} cannot be read:", problems))


def missing_files(runs: Iterable[Run], table: str) -> str | None:
    """Say which files of the runs are not there, in which rows of their table; None when all are."""
    missing = [
        f"{_place(run, column)}: {path}" + (f" ({unusable(path)})" if os.path.islink(path) else "")
        for run in runs
        for column, path in run.files()
        if not os.path.exists(path)
    ]
    if not missing:
        return None
    verb = "is" if len(missing) == 1 else "are"
    return _listed(f"{table}: {counted(len(missing), 'file')} {verb} not there:", missing)


def _place(run: Run, column: str) -> str:
    return f"row {run.row}, {column}" if run.row else f"{run.stem}, {column}"


def _listed(first: str, lines: Sequence[str]) -> str:
    more = [f"    and {len(lines) - MOST_LISTED:,} more"] if len(lines) > MOST_LISTED else []
    return "\n".join([first, *(f"    {line}" for line in lines[:MOST_LISTED]), *more])
