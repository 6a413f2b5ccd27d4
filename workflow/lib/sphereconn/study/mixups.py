"""Files that runs seem to have from each other: one image listed twice, the confounds of somebody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os.path import basename, realpath

from sphereconn.errors import InputError
from sphereconn.study import names
from sphereconn.study.bids import entities_of
from sphereconn.study.runs import PATHS, Run

# The forms of one run differ in these; all may have the confounds of the run.
_OF_FORMS = ("reconstruction", "echo", "part", "processing", "space", "resolution", "cohort")


def check_images_differ(runs: Sequence[Run], runs_table: str) -> None:
    """Raise ``InputError`` for the first image that two runs have, be it by way of links."""
    first: dict[str, Run] = {}
    for run in runs:
        other = first.setdefault(realpath(run.bold), run)
        if other is not run:
            raise InputError(
                f"{runs_table}: {other.stem} and {run.stem} have the same image, {run.bold}; each run needs its own."
            )


def mixups(runs: Sequence[Run], runs_table: str) -> Iterator[str]:
    """Say, a sentence for all runs of a kind, which tables two runs share, and which files are called after another.

    Only names are compared; what is said may be meant.
    """
    shared = list(_with_the_confounds_of_another(runs))
    if shared:
        run, other = shared[0]
        yield (
            f"{runs_table}: {_counted(len(shared))} the confounds of another run, such as {run.stem}, whose table"
            f" {run.confounds} is also that of {other.stem}; is this intended?"
        )
    for column in PATHS:
        misnamed = [(run, name) for run in runs if (name := _called_after_another(run, column))]
        if misnamed:
            run, name = misnamed[0]
            yield (
                f"{runs_table}: {_counted(len(misnamed))} in the column {column} a file named after another run, such"
                f" as {run.stem} with {name}; is this intended?"
            )


def _with_the_confounds_of_another(runs: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    first: dict[str, Run] = {}
    for run in runs:
        if run.confounds:
            other = first.setdefault(realpath(run.confounds), run)
            if _source(other) != _source(run):
                yield run, other


def _source(run: Run) -> str:
    return names.stem({column: label for column, label in run.entities.items() if column not in _OF_FORMS})


def _called_after_another(run: Run, column: str) -> str:
    """Give the name of a file that has another label than the run in one of the entities that both have, or ""."""
    name = basename(getattr(run, column) or "")
    said = entities_of(name.rpartition("_")[0]) or {}
    differ = (
        (entity in said and said[entity].lstrip("0") != label.lstrip("0"))
        for column, label in run.entities.items()
        if (entity := names.ENTITIES[column]) and column not in _OF_FORMS
    )
    return name if any(differ) else ""


def _counted(number: int) -> str:
    return "1 run has" if number == 1 else f"{number:,} runs have"
