"""The files of seed maps: what there is when a study is finished, and what each is made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sphereconn.plan.contrasted import PREFIX, asked_words, chunks
from sphereconn.plan.drawn import ALL_GROUPS, PAGE
from sphereconn.plan.product import Product, ending
from sphereconn.study import names
from sphereconn.study.combining import CombinedRuns
from sphereconn.study.contrasts import MapContrast
from sphereconn.study.denoising import confound_files
from sphereconn.study.groups import groups_of, members_of
from sphereconn.study.maps import SeedMaps
from sphereconn.study.runs import Recording, Run
from sphereconn.study.study import Study

GROUP_SUFFIXES = {
    "mean": "stat-mean_statmap.nii.gz",
    "std": "stat-std_statmap.nii.gz",
    "n": "stat-n_statmap.nii.gz",
    "t": "stat-t_statmap.nii.gz",
    "peaks": "peaks.tsv",
    "sidecar": "stat-mean_statmap.json",
}
TESTED = {
    "effect": "stat-effect_statmap.nii.gz",
    "statistic": "stat-statistic_statmap.nii.gz",
    "p": "stat-p_statmap.nii.gz",
    "fwe": "stat-fwe_statmap.nii.gz",
    "tfce": "stat-tfce_statmap.nii.gz",
    "tfce_fwe": "stat-tfcefwe_statmap.nii.gz",
    "cluster_fwe": "stat-clusterfwe_statmap.nii.gz",
    "clusters": "clusters.tsv",
    "design": "design.tsv",
    "sidecar": "contrast.json",
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


def page_maps(study: Study, seed_set: str, map: str, denoising: str) -> dict[str, list[str]]:
    """Return what a page of maps shows, each map with its sidecar: means of all groups, statistics of contrasts."""
    maps = map_of(study, seed_set, map, denoising)
    shown = [
        (group.label, GROUP_SUFFIXES["mean"], GROUP_SUFFIXES["sidecar"]) for group in groups_of(maps.runs, study.groups)
    ]
    shown += [(PREFIX + contrast.label, TESTED["statistic"], TESTED["sidecar"]) for contrast in maps.contrasts]
    of_seeds = [(seed, *files) for seed in maps.seeds for files in shown]
    return {
        "maps": [
            study.place(names.seed_map("group", whose, *maps.labels, seed, path)) for seed, whose, path, _ in of_seeds
        ],
        "sidecars": [
            study.place(names.seed_map("group", whose, *maps.labels, seed, path)) for seed, whose, _, path in of_seeds
        ],
    }


def contrast_inputs(
    study: Study, contrast: str, seed_set: str, map: str, denoising: str, seed: str
) -> dict[str, list[str]]:
    """Return the maps that a contrast tests, and the sidecars of the cleaned signals of the same runs."""
    maps, tested = _contrast_of(study, contrast, seed_set, map, denoising)
    runs = [run for member in tested.members for run in _runs_of(member)]
    suffix = f"stat-{maps.averaged}_statmap.nii.gz"
    sidecar = (seed_set, denoising, "timeseries.json")
    return {
        "maps": [study.place(names.seed_map(run.folder, run.stem, *maps.labels, seed, suffix)) for run in runs],
        "sidecars": [study.place(names.cleaned_signals(run.folder, run.stem, *sidecar)) for run in runs],
    }


def contrast_shuffles(study: Study, contrast: str, seed_set: str, map: str, denoising: str, seed: str) -> list[str]:
    """Return the files of permutations of a contrast."""
    maps, tested = _contrast_of(study, contrast, seed_set, map, denoising)
    labels = ("group", PREFIX + tested.label, *maps.labels, seed)
    return [study.place(path) for path in ending(names.seed_map, labels, chunks(tested))]


def contrast_setting(study: Study, key: str, contrast: str, seed_set: str, map: str, denoising: str) -> Any:
    """Return one thing that a contrast of maps needs to be told.

    The ``rows`` of its members in the runs table, the names of the ``runs`` of each, and its ``settings``.
    """
    tested = _contrast_of(study, contrast, seed_set, map, denoising)[1]
    return {
        "rows": [dict(row) for row in tested.rows],
        "runs": [[run.stem for run in _runs_of(member)] for member in tested.members],
        "settings": tested.model_settings,
        "level": tested.settings["level"],
        "title": asked_words(tested),
    }[key]


def contrast_numbers(study: Study, contrast: str, seed_set: str, map: str, denoising: str, chunk: str) -> Any:
    """Return the first permutation of a job, and the one after its last."""
    return _contrast_of(study, contrast, seed_set, map, denoising)[1].numbers(int(chunk))


def contrast_described(study: Study, contrast: str, seed_set: str, map: str, denoising: str, seed: str) -> Any:
    """Return what the sidecar of a contrast says of the maps."""
    maps, tested = _contrast_of(study, contrast, seed_set, map, denoising)
    settings = dict(maps.settings)
    return {"Contrasted": asked_words(tested), "Seed": maps.seeds[seed], "Unit": maps.averaged, "Maps": settings}


def _contrast_of(study: Study, contrast: str, seed_set: str, map: str, denoising: str) -> tuple[SeedMaps, MapContrast]:
    maps = map_of(study, seed_set, map, denoising)
    return maps, next(item for item in maps.contrasts if item.label == contrast)


def _runs_of(member: Recording) -> tuple[Recording, ...]:
    return member.runs if isinstance(member, CombinedRuns) else (member,)


def map_results(study: Study) -> Iterator[Product]:
    """Name the seed maps of runs and of groups, their contrasts, and the figures of both."""
    drawn = "map" in study.figures["kinds"]
    extension = study.figures["format"]
    for maps in study.maps:
        if "page" in study.figures["kinds"]:
            page = names.maps_page(*maps.labels)
            yield Product((page,), ALL_GROUPS[1], maps.seed_set, maps.denoising, maps.label, shows=PAGE)
        for contrast in maps.contrasts:
            whose = PREFIX + contrast.label
            of_contrast = (whose, maps.seed_set, maps.denoising, maps.label)
            for seed, name in maps.seeds.items():
                labels = ("group", whose, *maps.labels, seed)
                for chunk in ending(names.seed_map, labels, chunks(contrast)):
                    yield Product((chunk,), *of_contrast)
                yield Product(ending(names.seed_map, labels, TESTED), *of_contrast)
                if drawn:
                    path = names.seed_map_figure(whose, *maps.labels, seed, f"significant.{extension}")
                    yield Product((path,), *of_contrast, shows=name)
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
                    path = names.seed_map_figure(*labels[1:], f"slices.{extension}")
                    yield Product((path,), *of_group, shows=name)


def map_of(study: Study, seed_set: str, label: str, denoising: str) -> SeedMaps:
    """Return the maps of these labels."""
    return next(maps for maps in study.maps if maps.labels == (seed_set, label, denoising))
