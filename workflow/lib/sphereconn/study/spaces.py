"""Spaces: coordinates mean the same place in an image only if both are in one space, or in spaces declared alike."""

from __future__ import annotations

from collections.abc import Sequence

from sphereconn.errors import InputError
from sphereconn.study.runs import Run


def check_spaces(
    runs: Sequence[Run],
    seed_set: str,
    space: str,
    equivalent: Sequence[Sequence[str]],
    runs_table: str,
    unnamed: str | None = None,
) -> None:
    """Check that runs are in the space of a seed set, or in one declared equivalent to it.

    Parameters
    ----------
    runs
        The runs that the seeds are used for.
    seed_set, space
        The label of the seed set, and the space that its coordinates are in.
    equivalent
        Families of spaces taken as one; families with a common member are one family.
    runs_table
        Where the runs are listed, for messages.
    unnamed
        The space of a run that names none; None: it is not known and taken for that of the seeds.

    Raises
    ------
    InputError
        For the first run that is in another space.
    """
    alike = spaces_like(space, equivalent)
    for run in runs:
        of_run = run.entities.get("space", unnamed)
        if of_run is not None and of_run not in alike:
            others = sum(other.entities.get("space", unnamed) == of_run for other in runs) - 1
            also = f" (and {others:,} more like it)" if others else ""
            where = f"the space {of_run}" if of_run != unnamed else f"its own space ({unnamed})"
            meant = next((known for known in sorted(alike) if known.casefold() == of_run.casefold()), None)
            advice = "use images in that space, or declare the two equivalent in equivalent_spaces."
            if meant:
                advice = f"did you mean '{meant}'?"
            raise InputError(
                f"{runs_table}: run {run.stem}{also} is in {where}, but the seeds of seed_sets.{seed_set}"
                f" are in {space}; {advice}"
            )


def spaces_like(space: str, equivalent: Sequence[Sequence[str]]) -> set[str]:
    """Collect the spaces that are declared equivalent to a space, directly or by way of others, and itself."""
    alike = {space}
    while True:
        wider = alike.union(*(family for family in equivalent if alike.intersection(family)))
        if wider == alike:
            return alike
        alike = wider
