"""Which runs a configuration excludes: by any entities of their names, with the reason."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from sphereconn.errors import InputError
from sphereconn.study.runs import Run


def excluded_runs(runs: Sequence[Run], exclude: Mapping[str, str], where: str, runs_table: str) -> dict[str, str]:
    """Return the reason for each run that is excluded, by the start of its results' names.

    Parameters
    ----------
    runs
        All runs.
    exclude
        Reasons by entities: ``sub-03`` stands for all runs of a subject, ``sub-03_ses-a_run-2`` for those that have
        these entities among theirs, ``ses-b`` for a session of everybody, ``sub-9*`` for labels that begin with 9. Of
        several that hold for a run the first counts.
    where, runs_table
        The key and the source of the runs, for messages.

    Raises
    ------
    InputError
        For the first entry that matches no run, and when no run is left.
    """
    named = {run.stem: run.stem.split("_") for run in runs}
    reasons: dict[str, str] = {}
    for entry, reason in exclude.items():
        wanted = entry.split("_")
        matched = [stem for stem, parts in named.items() if all(_among(pattern, parts) for pattern in wanted)]
        if not matched:
            near = difflib.get_close_matches(
                entry, {*named, *(part for parts in named.values() for part in parts)}, n=1
            )
            hint = f"; did you mean '{near[0]}'?" if near else "."
            raise InputError(f"{where}: '{entry}' matches no run of {runs_table}{hint}")
        for stem in matched:
            reasons.setdefault(stem, reason)
    if len(reasons) == len(named):
        raise InputError(f"{where}: all runs of {runs_table} are excluded.")
    return reasons


def _among(pattern: str, parts: Sequence[str]) -> bool:
    return any(fnmatchcase(part, pattern) for part in parts)
