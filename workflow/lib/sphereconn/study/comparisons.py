"""The comparisons of denoising that a study asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sphereconn.errors import InputError, about
from sphereconn.study.modelled import KNOWN_LATER
from sphereconn.study.published import EVERY_RUN
from sphereconn.study.runs import rows_of

if TYPE_CHECKING:
    from sphereconn.study.study import Combination

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class DenoisingComparison:
    """Denoising strategies that are compared, of one seed set and one estimator.

    Attributes
    ----------
    seed_set, estimator
        Labels.
    items
        The combinations of these two with each denoising.
    motion
        Column with the motion of runs.
    covariates
        Columns that are taken out.
    """

    seed_set: str
    estimator: str
    items: tuple[Combination, ...]
    motion: str
    covariates: tuple[str, ...]

    @property
    def title(self) -> str:
        """What a figure shows."""
        return f"{self.seed_set}, {self.estimator}: denoising compared"

    @property
    def denoising(self) -> list[str]:
        """Labels of what is compared."""
        return [item.denoising for item in self.items]

    @property
    def labels(self) -> tuple[str, str]:
        """Labels of seed set and estimator, in the order of file names."""
        return self.seed_set, self.estimator


def comparisons_of(
    entry: Settings | None,
    combinations: Sequence[Combination],
    source: str,
    main_process: bool,
    unused: Mapping[str, Mapping[str, str]],
    *,
    optional: bool,
) -> Iterator[DenoisingComparison]:
    """Resolve ``comparison`` of the configuration: one for each seed set and estimator with two or more denoisings.

    Parameters
    ----------
    entry
        As the configuration has it; None where nothing is compared.
    combinations
        What is computed.
    source
        What to call the configuration in messages.
    main_process
        Whether columns are checked: this takes a second.
    unused
        By label, why a published strategy is not for some runs, or for ``all``.
    optional
        Whether there is something else to compare, so that there need not be two denoisings.

    Raises
    ------
    InputError
        When a label or column is not there, nothing can be compared, or two denoisings share no run.
    """
    if entry is None:
        return
    where = f"{source}: comparison"
    known = sorted({item.denoising for item in combinations})
    wanted = known if entry["denoising"] == "all" else entry["denoising"]
    for label in wanted:
        if label not in known and label not in unused:
            raise InputError(
                f"{where}.denoising: '{label}' is not used by any connectome of the study; choose from"
                f" {', '.join(known)}."
            )
    if entry["motion"] in entry["covariates"]:
        raise InputError(f"{where}.covariates: '{entry['motion']}' is the motion itself; leave it out.")
    found = False
    for seed_set, estimator in sorted({(item.seed_set, item.estimator) for item in combinations}):
        items = tuple(
            item
            for item in combinations
            if (item.seed_set, item.estimator) == (seed_set, estimator) and item.denoising in wanted
        )
        if len(items) > 1:
            found = True
            _check_shared(items, where)
            if main_process:
                check_motion(items, entry, where)
            yield DenoisingComparison(seed_set, estimator, items, entry["motion"], tuple(sorted(entry["covariates"])))
    if not found and not optional:
        raise InputError(
            f"{where}.denoising: no seed set and estimator have connectomes after two or more of {', '.join(wanted)}."
            + "".join(
                f" The published strategy {label} is left out: {of[EVERY_RUN]}."
                for label, of in unused.items()
                if EVERY_RUN in of
            )
        )


def _check_shared(items: Sequence[Combination], where: str) -> None:
    stems = [{member.stem for member in item.members} for item in items]
    if not set.intersection(*stems):
        counts = ", ".join(f"{item.denoising} {len(runs)}" for item, runs in zip(items, stems, strict=True))
        raise InputError(
            f"{where}.denoising: no run has connectomes of {items[0].seed_set} ({items[0].estimator}) after all of"
            f" these (runs: {counts}); list those that share runs."
        )


def check_motion(items: Sequence[Combination], entry: Settings, where: str) -> None:
    """Raise ``InputError`` for columns of motion and covariates that cannot be used for some combinations."""
    # Formulas cost a second of import, which a study without comparison is spared.
    from sphereconn.compare.denoising import check_columns

    rows = {
        member.stem: row
        for item in items
        for member, row in zip(item.members, rows_of(item.members, item.runs), strict=True)
    }
    columns = dict.fromkeys(column for row in rows.values() for column in row)
    with about(where):
        check_columns(
            [dict.fromkeys(columns, "n/a") | row for row in rows.values()],
            entry["motion"],
            entry["covariates"],
            KNOWN_LATER,
        )
