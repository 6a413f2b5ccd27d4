"""The seed maps that a study asks for."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sphereconn.errors import InputError
from sphereconn.study.contrasts import MapContrast, map_contrasts_of
from sphereconn.study.groups import labels_from
from sphereconn.study.runs import Run, matching
from sphereconn.study.seeds import read_seeds

Settings = Mapping[str, Any]

# More maps of single runs than this are mistakes: one atlas of 264 nodes makes 264 a run.
MOST_SEEDS = 400


@dataclass(frozen=True)
class SeedMaps:
    """The maps of the seeds of one set, after one denoising.

    Attributes
    ----------
    label, seed_set, denoising
        What names them.
    settings
        Kind and smoothing, as the configuration has them.
    threshold
        Magnitude from which the mean of a group is drawn in full and has peaks; None: that of the largest twentieth.
    seeds
        Name of each seed that is mapped, by its label in file names, in the order of the seed table.
    runs
        The runs that are mapped.
    contrasts
        What is tested in their maps.
    """

    label: str
    seed_set: str
    denoising: str
    settings: Settings
    threshold: float | None
    seeds: Mapping[str, str]
    runs: tuple[Run, ...]
    contrasts: tuple[MapContrast, ...] = ()

    @property
    def statistics(self) -> tuple[str, ...]:
        """What there is a map of: ``r`` and ``z``, or ``psc`` where percent signal change is asked for."""
        return ("psc",) if self.settings["kind"] == "percent signal change" else ("r", "z")

    @property
    def averaged(self) -> str:
        """Of which of these the mean over a group is taken."""
        return self.statistics[-1]

    @property
    def labels(self) -> tuple[str, str, str]:
        """Labels of seed set, map and denoising, in the order of file names."""
        return self.seed_set, self.label, self.denoising


def seed_maps_of(
    maps: Mapping[str, Settings],
    computed: Mapping[tuple[str, str], Sequence[Run]],
    seed_tables: Mapping[str, Settings],
    atlases: Mapping[str, Settings],
    contrasts: Mapping[str, Settings],
    over: Collection[str] | None,
    source: str,
    main_process: bool,
) -> Iterator[SeedMaps]:
    """Resolve the entries of ``maps``: which seeds of which seed sets, after which denoising, for which runs.

    Parameters
    ----------
    maps
        As the configuration has them, by label.
    computed
        The runs for which connectomes are computed, by the labels of seed set and denoising.
    seed_tables
        Settings of the seed sets, with the paths of their tables.
    atlases
        Seed sets that are made from an atlas image: their seeds are known to a job only.
    contrasts
        As the configuration has them, by label.
    over
        Over which columns runs are combined; None where they are not.
    source
        What to call the configuration in messages.
    main_process
        Whether the models of contrasts are checked.

    Raises
    ------
    InputError
        For a label that is not defined, a contrast that cannot be estimated, a pair of seed set and denoising of which
        no connectome is computed, a seed that the table does not have, runs that do not exist.
    """
    for label, entry in maps.items():
        where = f"{source}: maps.{label}"
        pairs = list(_pairs(entry, computed, where))
        for seed_set, denoising in pairs:
            if seed_set in atlases:
                raise InputError(
                    f"{where}.seed_sets: '{seed_set}' is made from an atlas image; maps need a table of coordinates."
                )
            table = seed_tables[seed_set]
            names = read_seeds(table["seeds"], table["radius"]).names
            seeds = _chosen(entry["seeds"], names, f"{where}.seeds", seed_set)
            if len(seeds) > MOST_SEEDS:
                raise InputError(
                    f"{where}.seeds: {len(seeds)} maps a run are more than the {MOST_SEEDS} that are allowed; choose"
                    " some seeds by name."
                )
            file_labels = labels_from(names)
            runs = tuple(matching(computed[seed_set, denoising], entry["runs"], f"{where}.runs"))
            settings = {key: entry[key] for key in ("kind", "smoothing_fwhm")}
            of_files = {file_labels[name]: name for name in seeds}
            tested = tuple(map_contrasts_of(entry, runs, contrasts, over, where, main_process))
            yield SeedMaps(label, seed_set, denoising, settings, entry["threshold"], of_files, runs, tested)


def _pairs(entry: Settings, computed: Mapping[tuple[str, str], Sequence[Run]], where: str) -> Iterator[tuple[str, str]]:
    """Cross seed sets and denoising, as far as connectomes are computed of them."""
    wanted = {}
    for place, key in enumerate(("seed_sets", "denoising")):
        known = sorted({pair[place] for pair in computed})
        for label in entry.get(key, ()):
            if label not in known:
                raise InputError(
                    f"{where}.{key}: '{label}' is not used by any connectome of the study; choose from"
                    f" {', '.join(known)}."
                )
        wanted[key] = entry.get(key, known)
    pairs = [(one, other) for one in wanted["seed_sets"] for other in wanted["denoising"] if (one, other) in computed]
    if not pairs:
        raise InputError(
            f"{where}: no connectome is computed of {', '.join(wanted['seed_sets'])} after"
            f" {', '.join(wanted['denoising'])}; maps use the cleaned signals of connectomes."
        )
    yield from pairs


def _chosen(wanted: str | Sequence[str], names: Sequence[str], where: str, seed_set: str) -> list[str]:
    if wanted == "all":
        return list(names)
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else f"; it has {', '.join(names[:8])}"
            raise InputError(f"{where}: the seed set '{seed_set}' has no seed '{name}'{hint}")
    return [name for name in names if name in wanted]
