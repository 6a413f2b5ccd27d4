"""The contrasts that a study asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from sphereconn.errors import InputError, about
from sphereconn.study.runs import matching, rows_of, texts_of

if TYPE_CHECKING:
    from sphereconn.study.study import Combination

Settings = Mapping[str, Any]

# Columns that results know of a run; the table beside a stack has them.
KNOWN_LATER = (
    "frames",
    "frames_kept",
    "regressors",
    "degrees_of_freedom",
    "effective_degrees_of_freedom",
    "mean_framewise_displacement",
)
# Permutations of one job: on a cluster they are spread, and what is done need not be done again. Number 0 is the
# observed order; permutations are multiplied in batches of 64, which should not be cut.
CHUNK = 1024
# What says how results are shown and changes no permutation.
_SHOWN = ("level", "seed_sets", "denoising", "estimators")


@dataclass(frozen=True)
class Contrast:
    """A contrast of one combination.

    Attributes
    ----------
    label
        What names it.
    settings
        As the configuration has them, complete.
    item
        The combination whose connectomes are tested.
    """

    label: str
    settings: Settings
    item: Combination

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """Labels of contrast, seed set, denoising and estimator."""
        return self.label, self.item.seed_set, self.item.denoising, self.item.estimator

    @property
    def model_settings(self) -> dict[str, Any]:
        """What decides model and permutations."""
        return {key: value for key, value in self.settings.items() if key not in _SHOWN}

    @property
    def n_chunks(self) -> int:
        """Number of jobs that permute."""
        n = int(self.settings["permutations"])
        return -(-(n + 1) // CHUNK) if n else 0

    def numbers(self, chunk: int) -> tuple[int, int]:
        """The first permutation of a job, and the one after its last."""
        return max(1, CHUNK * chunk), min(int(self.settings["permutations"]) + 1, CHUNK * (chunk + 1))


def contrasts_of(
    contrasts: Mapping[str, Settings], combinations: Sequence[Combination], source: str, main_process: bool
) -> Iterator[Contrast]:
    """Resolve the entries of ``contrasts``, and check the models as far as tables tell.

    Raises
    ------
    InputError
        When a label is not defined, or a model cannot be estimated.
    """
    for label, entry in contrasts.items():
        where = f"{source}: contrasts.{label}"
        if entry["groups"] and not entry["paired"]:
            raise InputError(f"{where}.groups: this compares changes within subjects, and needs `paired`.")
        settings = {**entry, "runs": texts_of(entry["runs"])}
        if entry["harmonize"]:
            settings["harmonize"] = {**entry["harmonize"], "learn_from": texts_of(entry["harmonize"]["learn_from"])}
        chosen = list(chosen_combinations(entry, combinations, where))
        for item in chosen:
            if main_process:
                _check(settings, item, where)
            yield Contrast(label, settings, item)


def chosen_combinations(entry: Settings, combinations: Sequence[Combination], where: str) -> Iterator[Combination]:
    """Yield the combinations that an entry chooses by ``seed_sets``, ``denoising`` and ``estimators``; all by default.

    Raises
    ------
    InputError
        When a label is in no combination, or there is none with these labels together.
    """
    found = False
    for key, name in (("seed_sets", "seed_set"), ("denoising", "denoising"), ("estimators", "estimator")):
        known = sorted({getattr(item, name) for item in combinations})
        for label in entry.get(key, ()):
            if label not in known:
                raise InputError(
                    f"{where}.{key}: '{label}' is in no connectome of the study; those use {', '.join(known)}."
                )
    for item in combinations:
        if (
            item.seed_set in entry.get("seed_sets", (item.seed_set,))
            and item.denoising in entry.get("denoising", (item.denoising,))
            and item.estimator in entry.get("estimators", (item.estimator,))
        ):
            found = True
            yield item
    if not found:
        raise InputError(f"{where}: no connectome of the study has these seed sets, denoising and estimators together.")


def _check(settings: Settings, item: Combination, where: str) -> None:
    # Formulas cost a second of import, which a study without contrasts is spared.
    from sphereconn.infer.contrast import check_model

    if settings["runs"]:
        matching(item.members, settings["runs"], f"{where}.runs")
    n, level = settings["permutations"], settings["level"]
    if n and 1 / (n + 1) > level:
        raise InputError(
            f"{where}.permutations: with {n}, no p is below {1 / (n + 1):.2g}, and the level is {level:g}; allowed are"
            f" 0 and at least {ceil(1 / level) - 1}."
        )
    with about(where):
        check_model(rows_of(item.members, item.runs), settings, KNOWN_LATER)
