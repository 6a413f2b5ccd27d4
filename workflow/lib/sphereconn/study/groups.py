"""Groups of runs: all of them, or those with one level in one column of the runs table."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sphereconn.errors import InputError
from sphereconn.files import is_number, to_number
from sphereconn.study.runs import Recording
from sphereconn.words import did_you_mean, listed

ALL_RUNS = "group-all"


@dataclass(frozen=True)
class Group:
    """A group: its label in file names, and the column and the level that make it, as the runs table writes them.

    The group of all runs has neither column nor level.
    """

    label: str
    column: str = ""
    level: str = ""

    @property
    def words(self) -> str:
        """What the group is called wherever a person reads it."""
        return f"{self.column}: {self.level}" if self.column else "all runs"


def check_groups(runs: Sequence[Recording], columns: Sequence[str], where: str) -> None:
    """Raise ``InputError`` for a grouping column without levels, or whose label would be that of another column."""
    for column in columns:
        if not _levels(runs, column):
            known = sorted({name for run in runs for name in (*run.entities, *run.covariates)})
            raise InputError(
                f"{where}: the runs table has no column '{column}' with values{did_you_mean([column], known)}; found:"
                f" {', '.join(known)}."
            )
    for group in groups_of(runs, columns)[1:]:
        if group.label == ALL_RUNS:
            raise InputError(f"{where}: '{ALL_RUNS}' names the group of all runs; rename the column or the level.")


@dataclass(frozen=True)
class LevelsUsed:
    """The key of the configuration that uses the levels of some columns, and these levels by column."""

    key: str
    levels: Mapping[str, Sequence[str]]


def grouped_levels(runs: Sequence[Recording], columns: Sequence[str]) -> LevelsUsed:
    """Return the levels of grouping columns."""
    return LevelsUsed("groups", {column: _levels(runs, column) for column in columns})


def near_levels(used: Iterable[LevelsUsed]) -> Iterator[str]:
    """Name the levels of a column that differ in capitals, blanks or punctuation only, or are the same number.

    One sentence for the levels that are alike, with the keys that use them.
    """
    keys: dict[tuple[str, ...], list[str]] = {}
    for use in used:
        for column, levels in use.levels.items():
            alike: dict[str, list[str]] = {}
            for level in levels:
                alike.setdefault(_essence(level), []).append(level)
            for same in alike.values():
                if len(same) > 1:
                    keys.setdefault((column, *sorted(same)), []).append(use.key)
    for (column, *same), of_keys in keys.items():
        named = listed([f"'{level}'" for level in same], len(same))
        yield f"{listed(of_keys)}: {named} are different levels of the column '{column}'; is this intended?"


def _essence(level: str) -> str:
    """Return what is left of a level without capitals, blanks and punctuation; of a number, the number."""
    if is_number(level):
        return repr(to_number(level) + 0.0)
    folded = unicodedata.normalize("NFKC", level).casefold()
    return re.sub(r"[\W_]+", "", folded) or folded


def in_no_group(runs: Sequence[Recording], columns: Sequence[str]) -> list[tuple[str, str]]:
    """Return the names of runs without a value in a grouping column, each with the columns that it has none in."""
    empty = {run.stem: [column for column in columns if not run.value(column)] for run in runs}
    return [(stem, ", ".join(of_run)) for stem, of_run in sorted(empty.items()) if of_run]


def groups_of(runs: Sequence[Recording], columns: Sequence[str]) -> list[Group]:
    """Return the groups that some runs make: all of them, then each level of each column, sorted by label."""
    of_column = labels_from(columns)
    groups = [
        Group(f"{of_column[column]}-{label}", column, level)
        for column in columns
        for level, label in labels_from(_levels(runs, column)).items()
    ]
    return [Group(ALL_RUNS), *sorted(groups, key=lambda group: group.label)]


def members_of(group: Mapping[str, str] | Group, runs: Sequence[Mapping[str, str]]) -> list[int]:
    """Return the positions of the members of a group among runs that are given as rows of a table."""
    column, level = (group.column, group.level) if isinstance(group, Group) else (group["column"], group["level"])
    return [position for position, run in enumerate(runs) if not column or run.get(column) == level]


def name_of(run: Mapping[str, str]) -> str:
    """Return the first column of a row of a table of runs: the start of the names of its results."""
    return next(iter(run.values()))


def left_out_of(group: Mapping[str, str] | Group, left_out: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return why runs of a group are left out, by run; ``left_out`` is the list in the sidecar of a stack."""
    places = members_of(group, [item["Run"] for item in left_out])
    return {name_of(left_out[place]["Run"]): left_out[place]["Reason"] for place in places}


def _levels(runs: Sequence[Recording], column: str) -> list[str]:
    return sorted({value for run in runs if (value := run.value(column))})


def labels_from(texts: Collection[str]) -> dict[str, str]:
    """Return a label for each text: its letters and digits, and a few digits of its hash where these are not enough.

    A text of letters and digits is its own label, unless another differs from it in capitals only: some disks take
    the two for one. So the label of a text changes only when a text that looks like it comes or goes.
    """
    taken = {text.casefold(): text for text in sorted(texts) if text == _plain(text)}
    plain = [_plain(text).casefold() for text in texts]
    labels = {}
    for text in texts:
        label = _plain(text)
        alone = plain.count(label.casefold()) == 1
        if not label or not (alone or taken.get(label.casefold()) == text):
            label += hashlib.sha256(text.encode()).hexdigest()[:6]
        labels[text] = label
    return labels


def _plain(text: str) -> str:
    return re.sub("[^A-Za-z0-9]", "", text)
