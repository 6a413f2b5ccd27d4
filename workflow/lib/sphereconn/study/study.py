"""A study: everything that a configuration asks for, checked and resolved, before any job starts."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os.path import dirname, exists, expanduser, isdir, isfile, normpath
from pathlib import Path
from typing import Any

from sphereconn.connect.measures import GROUP_SPARSE, SPARSE, TANGENT
from sphereconn.errors import InputError, about
from sphereconn.study import names
from sphereconn.study.atlas import is_atlas, read_labels
from sphereconn.study.combining import CombinedRuns, check_combining, check_same_runs, combine_runs
from sphereconn.study.comparisons import DenoisingComparison, comparisons_of
from sphereconn.study.contrasts import Contrast, contrasts_of
from sphereconn.study.denoising import check_run, written_out
from sphereconn.study.development_fmri import Downloads
from sphereconn.study.exclusion import excluded_runs
from sphereconn.study.groups import check_groups, grouped_levels, near_levels
from sphereconn.study.maps import SeedMaps, seed_maps_of
from sphereconn.study.mixups import check_images_differ, mixups
from sphereconn.study.modelled import check_participants_found, columns_used, own_measures
from sphereconn.study.paths import checked_path
from sphereconn.study.preflight import ImageSize, will_fail
from sphereconn.study.published import Published, published_strategies
from sphereconn.study.radii import labels_by_radius, radii_apart
from sphereconn.study.radius_comparisons import RadiusComparison, radius_comparisons_of
from sphereconn.study.reliabilities import Reliability, reliabilities_of
from sphereconn.study.runs import Recording, Run, Wanted, check_values, matching
from sphereconn.study.seeds import read_seeds
from sphereconn.study.settings import checked_settings
from sphereconn.study.sources import Source, read_source
from sphereconn.study.spaces import check_spaces
from sphereconn.words import by_number, replaced_measures

SHIPPED_SEEDS = ("dmn", "power264", "dosenbach160", "seitzman300")

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Combination:
    """One seed set, one denoising and one estimator, by label, and the runs that they are computed for.

    ``combined`` are these runs combined, none when the study combines nothing; ``compared_only`` whether the study has
    it for a comparison of denoising alone, so that it is neither drawn nor tested.
    """

    seed_set: str
    denoising: str
    estimator: str
    runs: tuple[Run, ...]
    combined: tuple[CombinedRuns, ...] = ()
    compared_only: bool = False

    @property
    def labels(self) -> tuple[str, str, str]:
        """The labels of seed set, denoising and estimator."""
        return self.seed_set, self.denoising, self.estimator

    @property
    def members(self) -> tuple[Recording, ...]:
        """What groups are made of: combined runs where runs are combined, else runs."""
        return self.combined or self.runs


@dataclass(frozen=True)
class Study:
    """A checked configuration: the complete settings, its parts by label, runs, and what is crossed with what.

    ``combine`` says how runs are combined, None: not at all; ``runs_table`` lists the runs, ``excluded`` has the
    reason for each that the configuration excludes; ``summary`` says how they
    were found, where that needs saying; ``downloads`` which of their files can be had from the web; ``runs_from``
    is the table or the folder that they come from; ``search_results`` are the tables that the search for them writes
    into the output folder, and ``left_out`` is what it left out. ``published_left_out`` has, for each
    published strategy, the runs that it is not for, and why. ``radii`` are the seed sets with a list of radii,
    each with the labels that these have as seed sets of their own, and the radii in mm. ``networks`` and ``spheres``
    are the numbers of networks and of spheres in each seed set, 0 where only the image of an atlas knows; ``atlases``
    are the seed sets that are made from an atlas, with its image and labels. ``sheet_runs`` are the runs that get a
    quality sheet, if such are drawn; ``images`` are the sizes of the images that are there when the study is planned,
    by the start of the names of a run's results.
    """

    settings: Settings
    output_dir: str
    runs: tuple[Run, ...]
    excluded: Mapping[str, str]
    runs_table: str
    summary: str
    downloads: Downloads
    runs_from: str
    search_results: Mapping[str, bytes]
    published_left_out: Mapping[str, Mapping[str, str]]
    left_out: tuple[Mapping[str, str], ...]
    groups: tuple[str, ...]
    combine: Settings | None
    seed_sets: Mapping[str, Settings]
    radii: Mapping[str, Mapping[str, float]]
    denoising: Mapping[str, Settings]
    estimators: Mapping[str, Settings]
    networks: Mapping[str, int]
    spheres: Mapping[str, int]
    atlases: Mapping[str, Settings]
    combinations: tuple[Combination, ...]
    tables: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    contrasts_as_written: tuple[str, ...]
    maps: tuple[SeedMaps, ...]
    reliabilities: tuple[Reliability, ...]
    comparisons: tuple[DenoisingComparison, ...]
    radius_comparisons: tuple[RadiusComparison, ...]
    figures: Settings
    figure_runs: frozenset[str]
    sheet_runs: frozenset[str]
    images: Mapping[str, ImageSize]

    def place(self, path: str) -> str:
        """Return the path of a result in the output folder."""
        return f"{self.output_dir}/{path}"

    @cached_property
    def given(self) -> tuple[str, ...]:
        """The files that the user gives: those of the runs, the table that lists them, seeds and atlases."""
        files = [path for run in self.runs for path in (run.bold, run.confounds, run.mask) if path]
        made = {f"{self.output_dir}/{names.atlas_seeds(label)}" for label in self.atlases}
        seeds = [item["seeds"] for item in self.seed_sets.values()]
        of_atlases = [atlas[key] for atlas in self.atlases.values() for key in ("seeds", "labels") if key in atlas]
        table = [] if names.RUNS_FOUND in self.search_results else [self.runs_table]
        return (*files, *table, *(path for path in seeds if path not in made), *of_atlases)

    @property
    def shown(self) -> tuple[Combination, ...]:
        """The combinations that are more than part of a comparison of denoising."""
        return tuple(item for item in self.combinations if not item.compared_only)

    @cached_property
    def own_measures(self) -> list[str]:
        """The columns of the runs table that models use in place of the measures that the study computes."""
        return own_measures(list(columns_used(self.settings)), self.runs)

    @cached_property
    def run(self) -> Mapping[str, Run]:
        """The runs by the start of their results' names."""
        return {run.stem: run for run in self.runs}

    @cached_property
    def combined_runs(self) -> Mapping[tuple[str, str, str], CombinedRuns]:
        """Combined runs by the start of their results' names, and the labels of seed set and denoising."""
        return {
            (combined.stem, item.seed_set, item.denoising): combined
            for item in self.combinations
            for combined in item.combined
        }

    @cached_property
    def sheets(self) -> Mapping[str, tuple[str, tuple[str, ...]]]:
        """The runs with a quality sheet, each with the seed set and the denoisings that this shows.

        Of the seed sets of a run, that with the most denoisings is shown, among these that with the most spheres: the
        choice does not depend on the order of the configuration.
        """
        if "sheet" not in self.figures["kinds"]:
            return {}
        shown: dict[str, dict[str, set[str]]] = {}
        for item in self.shown:
            for run in item.runs:
                if run.stem in self.sheet_runs:
                    shown.setdefault(run.stem, {}).setdefault(item.seed_set, set()).add(item.denoising)
        chosen = {
            stem: min(by_seed_set, key=lambda label: (-len(by_seed_set[label]), -self.spheres[label], label))
            for stem, by_seed_set in shown.items()
        }
        return {stem: (label, tuple(sorted(shown[stem][label]))) for stem, label in sorted(chosen.items())}

    @property
    def how_combined(self) -> str | None:
        """How runs are combined: ``concatenate``, ``average``, or None."""
        return self.combine["how"] if self.combine else None

    def cleaned(self, item: Combination) -> tuple[Recording, ...]:
        """Give all that have cleaned signals: runs, and subjects whose runs are joined in time."""
        return item.runs + (item.combined if self.how_combined == "concatenate" else ())

    def estimated(self, item: Combination) -> tuple[Recording, ...]:
        """Give those whose connectome is estimated from their signals: all that have any, but for joint fits.

        A joint fit is made once, to the subjects where their runs are joined.
        """
        joined = self.how_combined == "concatenate" and item.estimator in self.joint_estimators
        return item.combined if joined else self.cleaned(item)

    def connected(self, item: Combination) -> tuple[Recording, ...]:
        """Give all that have a connectome: those of ``estimated``, and those with a mean of the connectomes of runs."""
        return self.estimated(item) + (item.combined if self.how_combined == "average" else ())

    @cached_property
    def sparse_estimators(self) -> frozenset[str]:
        """The labels of the estimators that fit a sparse inverse covariance to each run alone."""
        return self._of_kind(SPARSE)

    @cached_property
    def n_sparse_fits(self) -> int:
        """How many times a sparse inverse covariance is fitted to a run, or combined runs, alone."""
        return sum(len(self.estimated(item)) for item in self.combinations if item.estimator in self.sparse_estimators)

    @cached_property
    def scored_estimators(self) -> frozenset[str]:
        """The labels of the estimators whose correlations are to be measured in standard errors as well."""
        return frozenset(label for label, settings in self.estimators.items() if settings.get("z"))

    @cached_property
    def joint_estimators(self) -> frozenset[str]:
        """The labels of the estimators that fit all runs, or combined runs, of a combination at once."""
        return self.group_sparse_estimators | self.tangent_estimators

    @cached_property
    def group_sparse_estimators(self) -> frozenset[str]:
        """The labels of the estimators that fit sparse inverse covariances with the same edges to all runs."""
        return self._of_kind(GROUP_SPARSE)

    @cached_property
    def tangent_estimators(self) -> frozenset[str]:
        """The labels of the estimators that measure each run from the geometric mean of all."""
        return self._of_kind(TANGENT)

    def _of_kind(self, kind: str) -> frozenset[str]:
        return frozenset(label for label, settings in self.estimators.items() if settings["kind"] == kind)

    @cached_property
    def combination(self) -> Mapping[tuple[str, str, str], Combination]:
        """The combinations by the labels of their seed set, denoising and estimator."""
        return {item.labels: item for item in self.combinations}


def resolve_study(
    config: Mapping[str, Any], schema: Path, resources: Path, source: str = "config", main_process: bool = True
) -> Study:
    """Check a configuration and everything that it names.

    Parameters
    ----------
    config
        The configuration as the user wrote it.
    schema
        The JSON schema of a configuration.
    resources
        The folder with the shipped tables: ``coordinates/*.tsv``, ``development_fmri``.
    source
        What to call the configuration in messages.
    main_process
        Whether this is the process that plans the study, not one of its jobs.

    Raises
    ------
    InputError
        With one sentence for each mistake: the key, the value, what is allowed.
    """
    settings = checked_settings(config, schema, source)
    radii = labels_by_radius(settings["seed_sets"], source)
    settings = radii_apart(settings, radii)
    output_dir = _output_folder(settings["output_dir"], source)
    found = read_source(settings, output_dir, source, resources, main_process)
    runs = found.runs
    for run in runs:
        for path in (run.bold, run.confounds, run.mask):
            checked_path(path or "", f"{found.place}: run {run.stem}")
    check_images_differ(runs, found.place)
    seed_sets, networks, spheres, atlases = {}, {}, {}, {}
    for label, seed_set in settings["seed_sets"].items():
        table = _seed_table(label, seed_set, resources, source)
        with about(f"{source}: seed_sets.{label}"):
            if is_atlas(table):
                of_spheres = _networks_of_atlas(seed_set)
                atlases[label] = seed_set
                table = f"{output_dir}/{names.atlas_seeds(label)}"
            else:
                of_spheres = _networks_of_table(table, seed_set)
        seed_sets[label] = {**seed_set, "seeds": table}
        networks[label], spheres[label] = len(set(of_spheres) - {""}), len(of_spheres)
    for label, denoising in settings["denoising"].items():
        _check_denoising(f"{source}: denoising.{label}", denoising)
        settings["denoising"][label] = written_out(f"{source}: denoising.{label}", denoising)
    for label, estimator in settings["estimators"].items():
        _check_estimator(f"{source}: estimators.{label}", estimator)
    check_participants_found(settings, runs, found.no_participants, source)
    check_groups(runs, settings["groups"], f"{source}: groups")
    if settings["combine"]:
        settings["combine"]["over"] = sorted(settings["combine"]["over"])
        check_combining(runs, settings["combine"]["over"], settings["groups"], source, found.place)
    for label in settings["figures"]["seed_sets"]:
        if label not in seed_sets:
            raise InputError(
                f"{source}: figures.seed_sets.{label}: no such seed set; there are {', '.join(seed_sets)}."
            )
    _check_differences(settings, runs, f"{source}: figures.differences")
    figures = {key: value for key, value in settings["figures"].items() if key not in ("runs", "sheets")}
    excluded = excluded_runs(runs, settings["exclude"], f"{source}: exclude", found.place)
    own = tuple(_combinations(settings, found, excluded.reasons, source))
    known = [*runs, *(recording for item in own for recording in item.combined)]
    for key, wanted in _choices_of_runs(settings):
        check_values(known, wanted, f"{source}: {key}")
    cleaned = {run.stem: run for item in own for run in item.runs}
    published = published_strategies(
        settings, list(cleaned.values()), resources, schema, output_dir, source, main_process
    )
    settings["denoising"].update(published.denoising)
    combinations = (*own, *_only_compared(own, published, settings, source))
    computed: dict[tuple[str, str], dict[str, Run]] = {}
    for item in own:
        computed.setdefault((item.seed_set, item.denoising), {}).update((run.stem, run) for run in item.runs)
    of_pairs = {pair: list(of.values()) for pair, of in computed.items()}
    over = settings["combine"]["over"] if settings["combine"] else None
    maps = tuple(
        seed_maps_of(settings["maps"], of_pairs, seed_sets, atlases, settings["contrasts"], over, source, main_process)
    )
    contrasts = tuple(contrasts_of(settings["contrasts"], own, source, main_process))
    reliabilities = tuple(reliabilities_of(settings, own, source))
    compared = settings["comparison"]
    radius_comparisons = tuple(
        radius_comparisons_of(radii, own, compared, contrasts, reliabilities, source, main_process)
    )
    comparisons = comparisons_of(
        compared, combinations, source, main_process, published.left_out, optional=bool(radius_comparisons)
    )
    combined = [recording for item in combinations for recording in item.combined]
    notices: list[str] = []
    images: Mapping[str, ImageSize] = {}
    if main_process:
        of_denoising: dict[str, dict[str, Run]] = {}
        of_seed_set: dict[str, dict[str, Run]] = {}
        for (seed_set, denoising), of in computed.items():
            of_denoising.setdefault(denoising, {}).update(of)
            if seed_set not in atlases:  # the seeds of an atlas are made by a job
                of_seed_set.setdefault(seed_set, {}).update(of)
        by_headers = will_fail(
            {label: of.values() for label, of in of_denoising.items()},
            {label: of.values() for label, of in of_seed_set.items()},
            settings["denoising"],
            seed_sets,
            source,
        )
        images = by_headers.images
        notices += by_headers.notices
        notices += [excluded.told(), *published.notices, *mixups(runs, found.place)]
        used = list(columns_used(settings))
        tested = [run for run in runs if run.stem in cleaned]
        notices += near_levels([grouped_levels(runs, settings["groups"]), *(model.levels(tested) for model in used)])
        notices.append(replaced_measures(own_measures(used, runs)))
    return Study(
        settings=settings,
        output_dir=output_dir,
        runs=runs,
        excluded=excluded.reasons,
        runs_table=found.table,
        summary="\n".join(filter(None, [found.summary, *notices])),
        downloads=found.downloads,
        runs_from=found.place,
        search_results={
            **found.search_results,
            **({names.PUBLISHED_LEFT_OUT: published.written()} if published.denoising or published.left_out else {}),
        },
        published_left_out=published.left_out,
        left_out=found.left_out,
        groups=tuple(settings["groups"]),
        seed_sets=seed_sets,
        radii=radii,
        networks=networks,
        spheres=spheres,
        atlases=atlases,
        denoising=settings["denoising"],
        estimators=settings["estimators"],
        combine=settings["combine"],
        combinations=combinations,
        tables=tuple(sorted(settings["tables"])),
        contrasts=contrasts,
        contrasts_as_written=tuple(map(str, config.get("contrasts") or ())),
        maps=maps,
        reliabilities=reliabilities,
        comparisons=tuple(comparisons),
        radius_comparisons=radius_comparisons,
        figures=figures,
        figure_runs=_drawn_runs(settings["figures"], "runs", [*runs, *combined], source),
        sheet_runs=_drawn_runs(settings["figures"], "sheets", runs, source),
        images=images,
    )


def _output_folder(output_dir: str, source: str) -> str:
    """Give the folder of the results, if it can be made or written to; ``folder.check_folder`` says whether it may."""
    where = f"{source}: output_dir"
    folder = expanduser(normpath(checked_path(output_dir.strip(), where)))
    there = folder
    while not exists(there):
        there = dirname(there) or "."
    if not isdir(there) or not os.access(there, os.W_OK | os.X_OK):
        why = "may not be written to" if isdir(there) else "is no folder"
        raise InputError(f"{where}: '{output_dir}' cannot be made or written to, because '{there}' {why}.")
    return folder


def _seed_table(label: str, seed_set: Settings, resources: Path, source: str) -> str:
    """Find the seed table of a seed set: a shipped one by its name, or a file."""
    seeds: str = seed_set["seeds"]
    shipped = str(resources / "coordinates" / f"{seeds}.tsv")
    table = shipped if seeds in SHIPPED_SEEDS else checked_path(seeds, f"{source}: seed_sets.{label}.seeds")
    if not isfile(table):
        raise InputError(
            f"{source}: seed_sets.{label}.seeds: '{seeds}' is neither a file nor a seed table that comes with the"
            f" workflow ({', '.join(SHIPPED_SEEDS)})."
        )
    return table


def _networks_of_table(table: str, seed_set: Settings) -> list[str]:
    """Read the network of each seed of a table."""
    if "labels" in seed_set:
        raise InputError("labels: these belong to an atlas (.nii, .nii.gz); a seed table has a name column.")
    return read_seeds(table, seed_set["radius"]).networks


def _networks_of_atlas(seed_set: Settings) -> list[str]:
    """Read the network of each region of an atlas from its labels; the image is left to a job."""
    if seed_set["radius"] is None:
        raise InputError("radius: an atlas has no radius column, so this key is required.")
    if "labels" not in seed_set:
        return []
    checked_path(seed_set["labels"], "labels")
    return [label.network for label in read_labels(seed_set["labels"]).values()]


def _check_denoising(where: str, denoising: Settings) -> None:
    high, low = denoising["high_pass"], denoising["low_pass"]
    if high is not None and low is not None and high >= low:
        raise InputError(f"{where}: high_pass ({high} Hz) must lie below low_pass ({low} Hz).")
    if denoising["filter"] == "cosine":
        if high is None:
            raise InputError(f"{where}: filter: cosine needs a high_pass.")
        if low is not None:
            raise InputError(f"{where}: filter: cosine has no low_pass; leave it out or use butterworth.")


def _check_estimator(where: str, estimator: Settings) -> None:
    if estimator.get("z") and (estimator["kind"], estimator["covariance"]) != ("correlation", "empirical"):
        raise InputError(
            f"{where}.z: {estimator['z']} applies to Pearson's correlation and is allowed only for kind: correlation"
            " with covariance: empirical."
        )


def _combinations(settings: Settings, found: Source, excluded: Collection[str], source: str) -> Iterator[Combination]:
    """Cross what is to be crossed; a combination asked for twice is computed once, for the runs of both."""
    included = [run for run in found.runs if run.stem not in excluded]
    asked = settings["connectomes"]
    entries = [{}] if asked == "all" else asked
    chosen: dict[tuple[str, str, str], set[str]] = {}
    for number, entry in enumerate(entries):
        where = f"{source}: connectomes.{number}"
        labels = {key: _labels(entry, key, settings, where) for key in ("seed_sets", "denoising", "estimators")}
        stems = {run.stem for run in matching(included, entry.get("runs", {}), f"{where}.runs")}
        for seed_set in labels["seed_sets"]:
            for denoising in labels["denoising"]:
                for estimator in labels["estimators"]:
                    chosen.setdefault((seed_set, denoising, estimator), set()).update(stems)
    denoised = {denoising: set[str]() for _, denoising, _ in chosen}
    for (_, denoising, _), stems in chosen.items():
        denoised[denoising] |= stems
    for denoising, stems in sorted(denoised.items()):
        for run in found.runs:
            if run.stem in stems:
                check_run(run, settings["denoising"][denoising], denoising, found.place)
    over = settings["combine"]["over"] if settings["combine"] else None
    if over is not None:
        check_same_runs(chosen, found.runs, over, f"{source}: connectomes")
    in_order = sorted(chosen.items(), key=lambda item: [by_number(label) for label in item[0]])
    for (seed_set, denoising, estimator), stems in in_order:
        members = tuple(run for run in found.runs if run.stem in stems)
        space = settings["seed_sets"][seed_set]["space"]
        check_spaces(members, seed_set, space, settings["equivalent_spaces"], found.place, found.unnamed_space)
        combined = () if over is None else combine_runs(members, over)
        yield Combination(seed_set, denoising, estimator, members, combined)


def _only_compared(
    own: Sequence[Combination], published: Published, settings: Settings, source: str
) -> Iterator[Combination]:
    """Cross published strategies with the seed sets and estimators of the study, for the runs that these have."""
    over = settings["combine"]["over"] if settings["combine"] else None
    of_pairs: dict[tuple[str, str], dict[str, Run]] = {}
    for item in own:
        of_pairs.setdefault((item.seed_set, item.estimator), {}).update({run.stem: run for run in item.runs})
    chosen = {
        (seed_set, label, estimator): published.runs_of(label, [of[stem] for stem in sorted(of)])
        for (seed_set, estimator), of in sorted(of_pairs.items())
        for label in published.denoising
    }
    if over is not None:
        everyone = list({run.stem: run for of in of_pairs.values() for run in of.values()}.values())
        stems = {labels: [run.stem for run in members] for labels, members in chosen.items()}
        check_same_runs(stems, everyone, over, f"{source}: comparison.preset")
    for labels, members in chosen.items():
        if members:
            combined = () if over is None else combine_runs(members, over)
            yield Combination(*labels, tuple(members), combined, compared_only=True)


def _labels(entry: Settings, key: str, settings: Settings, where: str) -> list[str]:
    known = settings[key]
    for label in entry.get(key, ()):
        if label not in known:
            raise InputError(f"{where}.{key}: '{label}' is not defined; defined in {key} are {', '.join(known)}.")
    return list(entry.get(key, known))


def _check_differences(settings: Settings, runs: Sequence[Run], where: str) -> None:
    for entry in settings["figures"]["differences"]:
        ((column, pair),) = entry.items()
        if column == "denoising":
            known = list(settings["denoising"])
        elif column in settings["groups"]:
            known = sorted({level for run in runs if (level := run.value(column))})
        else:
            allowed = ", ".join(["denoising", *settings["groups"]])
            raise InputError(f"{where}: '{column}' is no column that groups are made by; allowed are {allowed}.")
        for level in pair:
            if level not in known:
                raise InputError(f"{where}.{column}: there is no '{level}'; there are {', '.join(known)}.")


def _choices_of_runs(settings: Settings) -> Iterator[tuple[str, Wanted]]:
    """Give all keys that choose runs by values of columns, and what they choose."""
    if settings["connectomes"] != "all":
        yield from (
            (f"connectomes.{number}.runs", entry.get("runs", {}))
            for number, entry in enumerate(settings["connectomes"])
        )
    for label, entry in settings["contrasts"].items():
        yield f"contrasts.{label}.runs", entry["runs"]
        if entry["harmonize"]:
            yield f"contrasts.{label}.harmonize.learn_from", entry["harmonize"]["learn_from"]
    yield from ((f"maps.{label}.runs", entry["runs"]) for label, entry in settings["maps"].items())
    if settings["reliability"]:
        yield "reliability.runs", settings["reliability"]["runs"]
    for key in ("runs", "sheets"):
        if not isinstance(settings["figures"][key], str):
            yield f"figures.{key}", settings["figures"][key]


def _drawn_runs(figures: Settings, key: str, runs: Sequence[Recording], source: str) -> frozenset[str]:
    if figures[key] == "none":
        return frozenset()
    chosen = runs if figures[key] == "all" else matching(runs, figures[key], f"{source}: figures.{key}")
    return frozenset(run.stem for run in chosen)
