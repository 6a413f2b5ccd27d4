"""The files of seed maps: what there is when a study is finished, and what each is made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sphereconn.study import names
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


def maps_of_group(study: Study, maps: SeedMaps, group: str, seed: str) -> list[str]:
    """Name the maps that a group is averaged from."""
    suffix = f"stat-{maps.averaged}_statmap.nii.gz"
    return [
        names.seed_map(run.folder, run.stem, *maps.labels, seed, suffix) for run in group_members(study, maps, group)
    ]


def group_settings(study: Study, maps: SeedMaps, group: str, seed: str) -> dict[str, Any]:
    """Return what the average of a group needs to be told: its runs, their subjects, and what it is of."""
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
    }


def map_inputs(study: Study, maps: SeedMaps, run: Run) -> dict[str, str]:
    """Name the image and the mask of a run, and the cleaned signals with what is known of them."""
    labels = (run.folder, run.stem, maps.seed_set)
    made = {
        "signals": names.cleaned_signals(*labels, maps.denoising),
        "cleaned": names.cleaned_signals(*labels, maps.denoising, "timeseries.json"),
        "extracted": names.sphere_signals(*labels, "timeseries.json"),
    }
    given = {"bold": run.bold} | ({"mask": run.mask} if run.mask else {})
    return given | {key: f"{study.output_dir}/{path}" for key, path in made.items()}


def map_results(study: Study) -> Iterator[str]:
    """Name every seed map, table and figure, relative to the output folder."""
    drawn = "map" in study.figures["kinds"]
    for maps in study.maps:
        for run in maps.runs:
            for statistic in maps.statistics:
                yield from run_maps(run.folder, run.stem, maps, statistic)
            yield names.seed_maps_sidecar(run.folder, run.stem, *maps.labels)
        for group in groups_of(maps.runs, study.groups):
            for seed in maps.seeds:
                for suffix in GROUP_SUFFIXES.values():
                    yield names.seed_map("group", group.label, *maps.labels, seed, suffix)
                if drawn:
                    suffix = f"slices.{study.figures['format']}"
                    yield names.seed_map_figure(group.label, *maps.labels, seed, suffix)


def map_of(study: Study, seed_set: str, label: str, denoising: str) -> SeedMaps:
    """Return the maps of these labels."""
    return next(maps for maps in study.maps if maps.labels == (seed_set, label, denoising))
