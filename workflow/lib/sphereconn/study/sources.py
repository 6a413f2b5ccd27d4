"""Where the runs of a study come from: the configuration names exactly one source of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sphereconn.errors import InputError
from sphereconn.files import read_records
from sphereconn.study import names
from sphereconn.study.denoising import needs_components, needs_confounds
from sphereconn.study.development_fmri import KEY, Downloads, development_runs
from sphereconn.study.discovery import NONE, find_runs, runs_found, runs_left_out
from sphereconn.study.inputs import check_files
from sphereconn.study.runs import Run, read_runs

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """The runs of a study, the table that lists them, what a person is told of how they were found, and downloads.

    ``place`` is where they come from: the table of the user, or the folder of their files. ``search_results`` are the
    tables that a search for them leaves in the output folder, by name, with their content: they are written when the
    study starts. ``left_out`` is what the search left out, and why. ``unnamed_space`` is what the configuration calls
    the space of a run that names none, None where such a run may be in any. ``no_participants`` says why the runs have
    no columns of participants, where a table of these was looked for and not found.
    """

    runs: tuple[Run, ...]
    table: str
    place: str
    summary: str = ""
    downloads: Downloads = field(default_factory=Downloads)
    search_results: Mapping[str, bytes] = field(default_factory=dict)
    left_out: tuple[Mapping[str, str], ...] = ()
    unnamed_space: str | None = None
    no_participants: str = ""


def read_source(settings: Settings, output_dir: str, where: str, resources: Path, main_process: bool = True) -> Source:
    """Give the runs of a study.

    Parameters
    ----------
    settings
        The checked configuration.
    output_dir
        The folder of the results, checked.
    where
        What to call the configuration in messages.
    resources
        The folder with the shipped tables.
    main_process
        Whether this is the process that plans the study. Jobs read the configuration too, and may be thousands: what
        takes time is done by the main process alone.

    Raises
    ------
    InputError
        When no source is given or several, and for a mistake in the one that is.
    """
    given = [key for key in SOURCES if key in settings]
    if len(given) != 1:
        found = f"found: {', '.join(given)}" if given else "found: none"
        raise InputError(f"{where}: exactly one of {', '.join(SOURCES)} must say where the runs are ({found}).")
    return SOURCES[given[0]](settings, output_dir, where, resources, main_process)


def _of_a_table(settings: Settings, output_dir: str, where: str, resources: Path, main_process: bool) -> Source:
    table = settings["runs"]
    runs = tuple(read_runs(table))
    if main_process:
        check_files(runs, table)
    return Source(runs, table, table)


def _of_bids_derivatives(
    settings: Settings, output_dir: str, where: str, resources: Path, main_process: bool
) -> Source:
    """Search the tree once, in the main process; its jobs read the table that it writes when they start."""
    table, left_out = f"{output_dir}/{names.RUNS_FOUND}", f"{output_dir}/{names.RUNS_LEFT_OUT}"
    place = settings["bids"]["derivatives"]
    if not main_process:
        return Source(tuple(read_runs(table)), table, place, left_out=tuple(read_records(left_out)), unnamed_space=NONE)
    denoisings = settings["denoising"].values()
    found = find_runs(
        settings["bids"],
        any(map(needs_confounds, denoisings)),
        f"{where}: bids",
        components_needed=any(map(needs_components, denoisings)),
    )
    if not found.rows:
        raise InputError(f"{where}: bids: no run can be used; {found.summary()}")
    tables = {
        names.RUNS_FOUND: runs_found(found, Path(table)),
        names.RUNS_LEFT_OUT: runs_left_out(found, Path(left_out)),
    }
    return Source(
        tuple(read_runs(table, tables[names.RUNS_FOUND])),
        table,
        place,
        f"{found.summary()}\nThe study lists them, when it runs, in {table} and {left_out}.",
        search_results=tables,
        left_out=tuple(read_records(left_out, tables[names.RUNS_LEFT_OUT])),
        unnamed_space=NONE,
        no_participants=found.no_participants,
    )


def _of_development_fmri(
    settings: Settings, output_dir: str, where: str, resources: Path, main_process: bool
) -> Source:
    tables = resources / KEY
    runs, downloads = development_runs(settings[KEY], tables, f"{where}: {KEY}")
    return Source(tuple(runs), str(tables / "participants.tsv"), downloads.folder, downloads=downloads)


# Top-level key of the configuration -> what gives its runs.
SOURCES: dict[str, Callable[[Settings, str, str, Path, bool], Source]] = {
    "runs": _of_a_table,
    "bids": _of_bids_derivatives,
    KEY: _of_development_fmri,
}
