"""Groups of runs: all of them, or those with one level in one column of the runs table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sphereconn.errors import InputError
from sphereconn.study import names
from sphereconn.study.runs import Owner

ALL_RUNS = "group-all"


def check_groups(runs: Sequence[Owner], columns: Sequence[str], where: str) -> None:
    """Check that each grouping column has levels, and that they can be parts of file names."""
    for column in columns:
        levels = sorted({value for run in runs if (value := run.value(column))})
        if not levels:
            known = sorted({name for run in runs for name in (*run.entities, *run.covariates)})
            raise InputError(
                f"{where}: the runs table has no column '{column}' with values (found: {', '.join(known)})."
            )
        for level in levels:
            if not re.fullmatch(names.LABEL, level):
                raise InputError(
                    f"{where}: column '{column}' of the runs table has the level '{level}'; levels become parts of file"
                    " names and hold letters and digits only."
                )
            if f"{column}-{level}" == ALL_RUNS:
                raise InputError(f"{where}: '{ALL_RUNS}' names the group of all runs; rename the column or the level.")


def groups_of(runs: Sequence[Owner], columns: Sequence[str]) -> list[str]:
    """Name the groups that some runs make: all of them, then each level of each column, as in ``site-essen``."""
    levels = {f"{column}-{value}" for column in columns for run in runs if (value := run.value(column))}
    return [ALL_RUNS, *sorted(levels)]


def members_of(group: str, runs: Sequence[Mapping[str, str]]) -> list[int]:
    """Give the positions of the members of a group among runs that are given as rows of a table."""
    if group == ALL_RUNS:
        return list(range(len(runs)))
    column, level = group.split("-")
    return [position for position, run in enumerate(runs) if run.get(column) == level]
