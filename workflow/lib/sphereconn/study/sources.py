"""Where the runs of a study come from: the configuration names exactly one source of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sphereconn.errors import InputError
from sphereconn.study.development_fmri import KEY, Downloads, development_runs
from sphereconn.study.runs import Run, read_runs

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """The runs of a study, the table that lists them, what a person is told of how they were found, and downloads."""

    runs: tuple[Run, ...]
    table: str
    summary: str = ""
    downloads: Downloads = field(default_factory=Downloads)


def read_source(settings: Settings, where: str, resources: Path, main_process: bool = True) -> Source:
    """Give the runs of a study.

    Parameters
    ----------
    settings
        The checked configuration.
    where
        What to call the configuration in messages.
    resources
        The folder with the shipped tables.
    main_process
        Whether this is the process that plans the study. Jobs read the configuration too, and may be thousands: what
        takes time or writes a file is done by the main process alone.

    Raises
    ------
    InputError
        When no source is given or several, and for a mistake in the one that is.
    """
    given = [key for key in SOURCES if key in settings]
    if len(given) != 1:
        found = f"found: {', '.join(given)}" if given else "found: none"
        raise InputError(f"{where}: exactly one of {', '.join(SOURCES)} must say where the runs are ({found}).")
    return SOURCES[given[0]](settings, where, resources, main_process)


def _of_a_table(settings: Settings, where: str, resources: Path, main_process: bool) -> Source:
    table = settings["runs"]
    return Source(tuple(read_runs(table)), table)


def _of_development_fmri(settings: Settings, where: str, resources: Path, main_process: bool) -> Source:
    tables = resources / KEY
    runs, downloads = development_runs(settings[KEY], tables, f"{where}: {KEY}")
    return Source(tuple(runs), str(tables / "participants.tsv"), downloads=downloads)


# Top-level key of the configuration -> what gives its runs.
SOURCES: dict[str, Callable[[Settings, str, Path, bool], Source]] = {"runs": _of_a_table, KEY: _of_development_fmri}
