"""The contrasts that a study asks for, of connectomes and of seed maps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from sphereconn.errors import InputError, about
from sphereconn.infer.formula import without_backquotes
from sphereconn.study.combining import combine_runs
from sphereconn.study.modelled import KNOWN_LATER
from sphereconn.study.runs import Recording, Run, matching, rows_of, texts_of

if TYPE_CHECKING:
    from sphereconn.study.study import Combination

Settings = Mapping[str, Any]

# Permutations of one job: on a cluster they are spread, and what is done need not be done again. Number 0 is the
# observed order; permutations are multiplied in batches of 64, which should not be cut.
CHUNK = 1024
# What says how results are shown and changes no permutation.
_SHOWN = ("level", "seed_sets", "denoising", "estimators")
# What is about edges and means nothing for maps.
_OF_EDGES = ("tests", "component_p")
_OF_VOXELS = ("permutations", "cluster_p", "neighbours")


@dataclass(frozen=True)
class Permuted:
    """A model that is tested by permutation.

    Attributes
    ----------
    label
        What names it.
    settings
        As the configuration has them, complete.
    """

    label: str
    settings: Settings

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


@dataclass(frozen=True)
class Contrast(Permuted):
    """A contrast of one combination.

    Attributes
    ----------
    item
        The combination whose connectomes are tested.
    """

    item: Combination

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """Labels of contrast, seed set, denoising and estimator."""
        return self.label, self.item.seed_set, self.item.denoising, self.item.estimator


@dataclass(frozen=True)
class MapContrast(Permuted):
    """A contrast of seed maps: the model of a contrast, for every voxel.

    Attributes
    ----------
    members
        Whose maps are tested: runs or combined runs.
    rows
        What the runs table says of each.
    """

    members: tuple[Recording, ...]
    rows: tuple[Mapping[str, str], ...]


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
        settings = _complete(entry, where)
        for item in list(chosen_combinations(entry, combinations, where)):
            if main_process:
                _check_permutations(settings, where, "allowed are 0 and")
                _check(settings, item.members, rows_of(item.members, item.runs), where)
            yield Contrast(label, settings, item)


def map_contrasts_of(
    maps: Settings,
    runs: Sequence[Run],
    contrasts: Mapping[str, Settings],
    over: Collection[str] | None,
    where: str,
    main_process: bool,
) -> Iterator[MapContrast]:
    """Resolve the contrasts of a set of seed maps, and check the models as far as tables tell.

    Parameters
    ----------
    maps
        The entry of ``maps``.
    runs
        That are mapped.
    contrasts
        As the configuration has them, by label.
    over
        Over which columns runs are combined; None where they are not.
    where
        What to call the entry in messages.
    main_process
        Whether models are checked.

    Raises
    ------
    InputError
        When there is no such contrast, or its model cannot be estimated from the runs that are mapped.
    """
    for label in maps["contrasts"]:
        if label not in contrasts:
            known = f"those are {', '.join(contrasts)}" if contrasts else "there are none"
            raise InputError(f"{where}.contrasts: '{label}' is no label of `contrasts`; {known}.")
        named = f"{where}.contrasts: {label}"
        settings = _complete(contrasts[label], named)
        settings = {key: value for key, value in settings.items() if key not in _OF_EDGES}
        settings |= {key: maps[key] for key in _OF_VOXELS}
        members = combine_runs(runs, over) if over is not None else tuple(runs)
        rows = rows_of(members, runs)
        if main_process:
            _check_permutations(settings, where)
            _check(settings, members, rows, named)
        yield MapContrast(label, settings, members, tuple(rows))


def _complete(entry: Settings, where: str) -> dict[str, Any]:
    if entry["groups"] and not entry["paired"]:
        raise InputError(f"{where}.groups: this compares changes within subjects, and needs `paired`.")
    settings = {**entry, "runs": texts_of(entry["runs"]), "test": without_backquotes(entry["test"])}
    if entry["harmonize"]:
        settings["harmonize"] = {**entry["harmonize"], "learn_from": texts_of(entry["harmonize"]["learn_from"])}
    return settings


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
                    f"{where}.{key}: '{label}' is not used by any connectome of the study; choose from"
                    f" {', '.join(known)}."
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


def _check_permutations(settings: Settings, where: str, allowed: str = "needed are") -> None:
    n, level = settings["permutations"], settings["level"]
    if n and 1 / (n + 1) > level:
        raise InputError(
            f"{where}.permutations: with {n} permutations, no p value is below {1 / (n + 1):.2g}, and the level is"
            f" {level:g}; {allowed} at least {ceil(1 / level) - 1}."
        )


def _check(settings: Settings, members: Sequence[Recording], rows: Sequence[Mapping[str, str]], where: str) -> None:
    # Formulas cost a second of import, which a study without contrasts is spared.
    from sphereconn.infer.contrast import check_model

    if settings["runs"]:
        matching(members, settings["runs"], f"{where}.runs")
    with about(where):
        check_model(rows, settings, KNOWN_LATER)
