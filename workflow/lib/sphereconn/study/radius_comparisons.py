"""The comparisons of radii that a study makes: of every seed set with a list of radii."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sphereconn.study.comparisons import check_motion
from sphereconn.study.contrasts import Contrast
from sphereconn.study.reliabilities import Reliability

if TYPE_CHECKING:
    from sphereconn.study.study import Combination

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class RadiusComparison:
    """Radii of one seed set that are compared, after one denoising and with one estimator.

    Attributes
    ----------
    seed_set, denoising, estimator
        Labels; the seed set is that with the list of radii.
    items
        The combinations of the radii, in ascending order.
    radii
        Theirs, in mm.
    motion
        Column with the motion of runs; None where dependence on motion is not asked for.
    covariates
        Columns that are taken out.
    contrasts
        Labels of the contrasts of all these combinations.
    reliability
        For each combination, what its reliability is measured over; none unless it is measured of all.
    """

    seed_set: str
    denoising: str
    estimator: str
    items: tuple[Combination, ...]
    radii: tuple[float, ...]
    motion: str | None
    covariates: tuple[str, ...]
    contrasts: tuple[str, ...]
    reliability: tuple[Reliability, ...]

    @property
    def labels(self) -> tuple[str, str, str]:
        """Labels of the seed set with all radii, denoising and estimator."""
        return self.seed_set, self.denoising, self.estimator

    @property
    def title(self) -> str:
        """What a figure shows."""
        return f"{', '.join(self.labels)}: radii compared"

    @property
    def of_each(self) -> list[str]:
        """The label of the seed set of each radius."""
        return [item.seed_set for item in self.items]


def radius_comparisons_of(
    radii: Mapping[str, Mapping[str, float]],
    combinations: Sequence[Combination],
    entry: Settings | None,
    contrasts: Sequence[Contrast],
    reliabilities: Sequence[Reliability],
    source: str,
    main_process: bool,
) -> Iterator[RadiusComparison]:
    """Find what radii can be compared: those of a seed set with two or more radii that share runs.

    Parameters
    ----------
    radii
        Seed sets with lists of radii: the labels of each radius, and the radius in mm.
    combinations
        What is computed.
    entry
        ``comparison`` of the configuration, for motion and covariates; None where nothing is said of these.
    contrasts, reliabilities
        Of the study.
    source
        What to call the configuration in messages.
    main_process
        Whether columns are checked: this takes a second.

    Raises
    ------
    InputError
        When a column is not there.
    """
    of_combination = {reliability.item.labels: reliability for reliability in reliabilities}
    for seed_set, of_label in radii.items():
        chosen = [item for item in combinations if item.seed_set in of_label]
        for denoising, estimator in sorted({item.labels[1:] for item in chosen}):
            items = [item for item in chosen if item.labels[1:] == (denoising, estimator)]
            items.sort(key=lambda item: of_label[item.seed_set])
            if len(items) < 2 or not set.intersection(*({run.stem for run in item.members} for item in items)):
                continue
            if entry and main_process:
                check_motion(items, entry, f"{source}: comparison")
            tested = [{each.label for each in contrasts if each.item == item} for item in items]
            measured = [of_combination[item.labels] for item in items if item.labels in of_combination]
            yield RadiusComparison(
                seed_set=seed_set,
                denoising=denoising,
                estimator=estimator,
                items=tuple(items),
                radii=tuple(of_label[item.seed_set] for item in items),
                motion=entry["motion"] if entry else None,
                covariates=tuple(sorted(entry["covariates"])) if entry else (),
                contrasts=tuple(sorted(set.intersection(*tested))),
                reliability=tuple(measured) if len(measured) == len(items) else (),
            )
