"""Which runs a configuration excludes: by any entities of their names, with the reason."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sphereconn.errors import InputError
from sphereconn.study import names
from sphereconn.study.runs import Run
from sphereconn.words import counted, listed

MOST_NAMED = 10  # entries in one line


@dataclass(frozen=True)
class Exclusion:
    """The runs that are excluded, by the start of their results' names, each with the reason, and of how many runs.

    ``matched`` is the number of runs that each entry holds for; several may hold for one run.
    """

    reasons: Mapping[str, str]
    matched: Mapping[str, int]
    n_runs: int

    def told(self) -> str:
        """Return one line that says how many runs are left out, by which entries; "" where there is no entry."""
        if not self.matched:
            return ""
        by_entry = [f"{entry}: {counted(number, 'run')}" for entry, number in self.matched.items()]
        verb = "is" if len(self.reasons) == 1 else "are"
        return (
            f"exclude: {len(self.reasons):,} of {counted(self.n_runs, 'run')} {verb} left out"
            f" ({listed(by_entry, MOST_NAMED)})."
        )


def excluded_runs(runs: Sequence[Run], exclude: Mapping[str, str], where: str, runs_table: str) -> Exclusion:
    """Return the runs that are excluded, with the reasons.

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
    parts_of = {run.stem: run.stem.split("_") for run in runs}
    reasons: dict[str, str] = {}
    matched: dict[str, int] = {}
    for entry, reason in exclude.items():
        wanted = entry.split("_")
        stems = [stem for stem, parts in parts_of.items() if all(_among(pattern, parts) for pattern in wanted)]
        if not stems:
            raise InputError(f"{where}: '{entry}' matches no run of {runs_table}{_hint(wanted, parts_of)}")
        matched[entry] = len(stems)
        for stem in stems:
            reasons.setdefault(stem, reason)
    if exclude and len(reasons) == len(parts_of):
        raise InputError(f"{where}: all runs of {runs_table} are excluded.")
    return Exclusion(reasons, matched, len(parts_of))


def _among(pattern: str, parts: Collection[str]) -> bool:
    if not any(sign in pattern for sign in "*?["):
        return pattern in parts
    return any(fnmatchcase(part, pattern) for part in parts)


def _hint(wanted: Sequence[str], parts_of: Mapping[str, Sequence[str]]) -> str:
    """Say what the parts of an entry that matches no run may be meant to be, or what there is in their place."""
    there = dict.fromkeys(part for parts in parts_of.values() for part in parts)
    meant = [part if _among(part, there) else _meant(part, there) for part in wanted]
    of_names = [part for part in wanted if part.partition("-")[0] in names.ENTITIES.values()]
    if len(of_names) < len(wanted) and of_names:  # the name of a file
        meant = [part for part in of_names if _among(part, there)]
    if all(meant) and any(all(_among(str(part), parts) for part in meant) for parts in parts_of.values()):
        return f"; did you mean '{'_'.join(map(str, meant))}'?"
    wrong = next((part for part in wanted if not _among(part, there)), None)
    if wrong is None:
        return ", since no run has all of these together."
    entity, dash, _ = wrong.partition("-")
    alike = sorted(part for part in there if _is_of(entity, part))
    if dash and alike:
        return f"; there are {listed(alike)}." if len(alike) > 1 else f"; there is only {alike[0]}."
    return f"; allowed: entities of the names of runs, such as {next(iter(parts_of))}."


def _meant(part: str, there: Collection[str]) -> str | None:
    """Return the part of a name that differs from another in zeros, capitals or letters only; in no other number."""
    entity, dash, label = part.partition("-")
    for same in (_number, str.casefold):
        found = [other for other in there if same(other) == same(part if dash else f"sub-{part}")]
        if len(found) == 1:
            return found[0]
    near = difflib.get_close_matches(label, [other.partition("-")[2] for other in there if _is_of(entity, other)], n=1)
    if near and re.findall(r"\d+", near[0]) == re.findall(r"\d+", label):
        return f"{entity}-{near[0]}"
    return next(iter(difflib.get_close_matches(part, [other for other in there if other.endswith(f"-{label}")])), None)


def _is_of(entity: str, part: str) -> bool:
    return part.partition("-")[0] == entity


def _number(part: str) -> str:
    """Write a part of a name without the zeros in front of a number."""
    return re.sub(r"(?<=-)0+(?=\d+$)", "", part)
