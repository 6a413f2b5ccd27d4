"""Subjects: the runs that are combined into one result, and what these have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sphereconn.errors import InputError
from sphereconn.study import names
from sphereconn.study.runs import Recording, Run


@dataclass(frozen=True)
class CombinedRuns(Recording):
    """Runs that are combined: the entities that they share, with `run-all`, and the columns in which they agree."""

    runs: tuple[Run, ...]


def combine_runs(runs: Sequence[Run], over: Collection[str]) -> tuple[CombinedRuns, ...]:
    """Put together the runs that agree in all entities but those in ``over``, sorted by the names of the results.

    A single run is a subject, too, so that groups are made of one kind of result.
    """
    alike: dict[str, list[Run]] = {}
    for run in runs:
        alike.setdefault(names.stem(_common(run, over)), []).append(run)
    return tuple(
        CombinedRuns(_common(members[0], over), tuple(members), covariates=_agreed(members))
        for _, members in sorted(alike.items())
    )


def _common(run: Run, over: Collection[str]) -> dict[str, str]:
    return {column: label for column, label in run.entities.items() if column not in over} | names.COMBINED


def _agreed(runs: Sequence[Run]) -> dict[str, str]:
    return {
        column: value
        for column, value in runs[0].covariates.items()
        if all(run.covariates.get(column) == value for run in runs)
    }


def check_combining(
    runs: Sequence[Run], over: Collection[str], groups: Sequence[str], source: str, runs_table: str
) -> None:
    """Check that runs can be combined over some columns, and grouped afterwards.

    Raises
    ------
    InputError
        When results would be taken for those of a run, or no subject has a value to group by.
    """
    for column, label in names.COMBINED.items():
        for run in runs:
            if column not in over and column in run.entities:
                raise InputError(
                    f"{source}: combine.over: runs of {runs_table} have labels in the column '{column}', so it must be"
                    f" in the list; the results of combined runs are called {column}-{label}."
                )
            if run.entities.get(column) == label:
                raise InputError(
                    f"{runs_table}: the label '{label}' in the column '{column}' ({run.stem}) is not allowed when runs"
                    " are combined; it names the results of combined runs."
                )
    subjects = combine_runs(runs, over)
    for column in groups:
        if column in names.COMBINED or not any(subject.value(column) for subject in subjects):
            raise InputError(
                f"{source}: groups: no subject has a single value in the column '{column}' when its runs are combined"
                f" over {', '.join(over)}; allowed: columns in which the runs of a subject agree."
            )


def check_same_runs(
    chosen: Mapping[tuple[str, str, str], Collection[str]], runs: Sequence[Run], over: Collection[str], where: str
) -> None:
    """Check that all estimators of a seed set and a denoising take the same runs of a subject, which share signals.

    Parameters
    ----------
    chosen
        The runs of each seed set, denoising and estimator, by the start of their results' names.
    runs, over
        All runs, and the columns that they are combined over.
    where
        The key, for messages.
    """
    subjects = [(subject.stem, [run.stem for run in subject.runs]) for subject in combine_runs(runs, over)]
    first: dict[tuple[str, str, str], tuple[str, set[str]]] = {}
    for (seed_set, denoising, estimator), stems in sorted(chosen.items()):
        for subject, of_subject in subjects:
            members = {run for run in of_subject if run in stems}
            other, expected = first.setdefault((subject, seed_set, denoising), (estimator, members))
            if not expected:
                first[subject, seed_set, denoising] = (estimator, members)
            elif members and members != expected:
                raise InputError(
                    f"{where}: for {seed_set} and {denoising}, the estimators {other} and {estimator} use different"
                    f" runs of {subject}; when runs are combined, all estimators must use the same runs; otherwise,"
                    " define one denoising for each selection of runs."
                )
