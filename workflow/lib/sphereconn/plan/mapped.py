"""The files of seed maps: what there is when a study is finished, and what each is made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sphereconn.plan.product import Product, ending
from sphereconn.study import names
from sphereconn.study.denoising import confound_files
from sphereconn.study.groups import groups_of, members_of
from sphereconn.study.maps import SeedMaps
from sphereconn.study.runs import Run
from sphereconn.study.study import Study

GROUP_SUFFIXES = {
    "mean": "stat-mean_statmap.nii.gz",
    "std": "stat-std_statmap.nii.gz",
    "n": "stat-n_statmap.nii.gz",
    "t": "stat-t_statmap.nii.gz",
    "peaks": "peaks.tsv",
    "sidecar": "stat-mean_statmap.json",
}


def run_maps(folder: str, stem: str, maps: SeedMaps, statistic: str) -> list[str]:
    """Name the maps of a run, one a seed."""
    return [names.seed_map(folder, stem, *maps.labels, seed, f"stat-{statistic}_statmap.nii.gz") for seed in maps.seeds]


def group_members(study: Study, maps: SeedMaps, group: str) -> list[Run]:
    """Return the runs of a group that are mapped, those of a subject one after the other."""
    runs = sorted(maps.runs, key=lambda run: (run.entities["subject"], run.stem))
    chosen = next(item for item in groups_of(runs, study.groups) if item.label == group)
    rows = [{**run.entities, **run.covariates} for run in runs]
    return [runs[place] for place in members_of(chosen, rows)]


def group_maps(study: Study, group: str, seed_set: str, map: str, denoising: str, seed: str) -> list[str]:
    """Return the maps that a group is averaged from."""
    maps = map_of(study, seed_set, map, denoising)
    suffix = f"stat-{maps.averaged}_statmap.nii.gz"
    members = group_members(study, maps, group)
    return [study.place(names.seed_map(run.folder, run.stem, *maps.labels, seed, suffix)) for run in members]


def group_setting(study: Study, key: str, group: str, seed_set: str, map: str, denoising: str, seed: str) -> Any:
    """Return one thing that the average of a group needs to be told.

    ``stems`` and ``subjects`` of its runs, the ``threshold`` of peaks, and by ``described`` what it is of.
    """
    maps = map_of(study, seed_set, map, denoising)
    members = group_members(study, maps, group)
    words = next(item.words for item in groups_of(maps.runs, study.groups) if item.label == group)
    return {
        "stems": [run.stem for run in members],
        "subjects": [run.entities["subject"] for run in members],
        "threshold": maps.threshold,
        "described": {
            "Seed": maps.seeds[seed],
            "Statistic": maps.averaged,
            "Group": words,
            "Settings": dict(maps.settings),
        },
    }[key]


def map_inputs(study: Study, maps: SeedMaps, stem: str) -> dict[str, str]:
    """Return image, mask and confounds of a run, and the cleaned signals with what is known of them."""
    run = study.run[stem]
    labels = (run.folder, run.stem, maps.seed_set)
    made = {
        "signals": names.cleaned_signals(*labels, maps.denoising),
        "cleaned": names.cleaned_signals(*labels, maps.denoising, "timeseries.json"),
        "extracted": names.sphere_signals(*labels, "timeseries.json"),
    }
    given = {"bold": run.bold} | ({"mask": run.mask} if run.mask else {})
    return (
        given
        | {key: study.place(path) for key, path in made.items()}
        | confound_files(run, study.denoising[maps.denoising])
    )


def map_results(study: Study) -> Iterator[Product]:
    """Name the seed maps of runs and of groups, and their figures."""
    drawn = "map" in study.figures["kinds"]
    for maps in study.maps:
        for run in maps.runs:
            files = [path for statistic in maps.statistics for path in run_maps(run.folder, run.stem, maps, statistic)]
            sidecar = names.seed_maps_sidecar(run.folder, run.stem, *maps.labels)
            yield Product((sidecar, *files), run.stem, maps.seed_set, maps.denoising, maps.label)
        for group in groups_of(maps.runs, study.groups):
            of_group = (group.label, maps.seed_set, maps.denoising, maps.label)
            for seed, name in maps.seeds.items():
                labels = ("group", group.label, *maps.labels, seed)
                yield Product(ending(names.seed_map, labels, GROUP_SUFFIXES), *of_group)
                if drawn:
                    suffix = f"slices.{study.figures['format']}"
                    yield Product((names.seed_map_figure(*labels[1:], suffix),), *of_group, shows=name)


def map_of(study: Study, seed_set: str, label: str, denoising: str) -> SeedMaps:
    """Return the maps of these labels."""
    return next(maps for maps in study.maps if maps.labels == (seed_set, label, denoising))
