"""What would fail in every run or in some, found before any job: by the headers of images and confounds tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from os.path import isfile
from typing import Any, NamedTuple

import numpy as np

from sphereconn.clean.cleaning import check_length
from sphereconn.clean.confounds import ConfoundsTable, select_columns
from sphereconn.clean.filters import check_cutoffs
from sphereconn.clean.limits import clean_within_limits
from sphereconn.clean.recipe import limits_of, read_confounds_of, signal_settings
from sphereconn.clean.strategies import Scrubbing, Strategy, motion_traces, regressors
from sphereconn.errors import InputError
from sphereconn.extract.formats import sidecar_of
from sphereconn.extract.images import ImageHeader, read_header, read_mask
from sphereconn.extract.repetition_time import repetition_time
from sphereconn.extract.spheres import Spheres, find_spheres, settle_overlap
from sphereconn.files import read_columns, read_json
from sphereconn.study.denoising import confound_files, needs_confounds
from sphereconn.study.runs import Run
from sphereconn.study.seeds import SeedTable, read_seeds
from sphereconn.words import counted

Settings = Mapping[str, Any]

_MOST_GRIDS = 100  # of a seed set that are looked at: spheres are found once for each
_OF_LENGTH = ("detrend", "filter", "high_pass", "low_pass", "order", "padtype")


@dataclass(frozen=True)
class Finding:
    """What is wrong, in a sentence without its full stop, the runs that it is true of, and how many were looked at.

    ``file`` is the file of the first of these runs in which it was found, where it was in one.
    """

    sentence: str
    runs: Sequence[Run]
    n_runs: int
    file: str | None = None

    @property
    def of_all(self) -> bool:
        """Whether it is true of all that were looked at."""
        return len(self.runs) == self.n_runs

    def told(self) -> str:
        """Return the whole sentence: how many runs, and one of them."""
        such_as = ", such as" if len(self.runs) > 1 else ":"
        example = f"{self.runs[0].stem}, {self.file}" if self.file else self.runs[0].stem
        return f"{self.sentence} ({len(self.runs):,} of {counted(self.n_runs, 'run')}{such_as} {example})."


class ImageSize(NamedTuple):
    """How many voxels an image has, and how many frames."""

    voxels: int
    frames: int


class Preflight(NamedTuple):
    """A sentence for each mistake that ends the jobs of some runs; the size of each image that is there, by stem."""

    notices: list[str]
    images: Mapping[str, ImageSize]


def will_fail(
    denoised: Mapping[str, Iterable[Run]],
    placed: Mapping[str, Iterable[Run]],
    denoising: Mapping[str, Settings],
    seed_sets: Mapping[str, Settings],
    where: str,
) -> Preflight:
    """Return a sentence for each mistake that ends the jobs of some runs, as far as headers tell, and what they say.

    These are images that cannot be read or do not say their repetition time, confounds that are no tab-separated table
    or lack a column, cut-offs
    that a run cannot meet, runs too short for their denoising, spheres outside the image or overlapping where they must
    not. The other runs of a study go on. Files that are not there yet, and tables that cannot be read, are left to the
    jobs.

    Parameters
    ----------
    denoised, placed
        The runs of each denoising, and of each seed set that has a seed table, by its label.
    denoising, seed_sets
        Their settings.
    where
        What to call the configuration in messages.

    Raises
    ------
    InputError
        With a sentence for each mistake that ends the jobs of all runs of a denoising or a seed set.
    """
    of_denoising = {label: list(runs) for label, runs in sorted(denoised.items())}
    of_seed_set = {label: list(runs) for label, runs in sorted(placed.items())}
    images = _Images(run for members in (*of_denoising.values(), *of_seed_set.values()) for run in members)
    tables = Tables()
    found = list(images.problems)
    reading = {run.stem: run for label, members in of_denoising.items() for run in _reading(members, denoising[label])}
    found += by_reason(reading.values(), tables.problem, "confounds")
    for label, members in of_denoising.items():
        about = f"{where}: denoising.{label}"
        found += _lacking_confounds(members, denoising[label], tables, about)
        found += _unmet_cutoffs(members, denoising[label], images, about)
        found += _too_short(members, denoising[label], images, tables, about)
    for label, members in of_seed_set.items():
        found += _misplaced(members, seed_sets[label], images, f"{where}: seed_sets.{label}")
    if any(finding.of_all for finding in found):
        raise InputError("\n".join(finding.told() for finding in found if finding.of_all))
    sizes = {stem: ImageSize(prod(header.shape), header.n_frames) for stem, header in images.header.items()}
    return Preflight([finding.told() for finding in found], sizes)


def by_reason(runs: Collection[Run], reason_of: Callable[[Run], str | None], where: str) -> Iterator[Finding]:
    """Put runs with the same reason together; a reason that begins with a file of the run is told without it."""
    members: dict[str, list[Run]] = {}
    files: dict[str, str | None] = {}
    for run in runs:
        if reason := reason_of(run):
            file = next((path for _, path in run.files() if reason.startswith(f"{path}: ")), None)
            reason = reason.removeprefix(f"{file}: ").rstrip(".")
            members.setdefault(reason, []).append(run)
            files.setdefault(reason, file)
    for reason, of_reason in members.items():
        yield Finding(f"{where}: {reason}", of_reason, len(runs), files[reason])


class _Images:
    """The headers of images and the repetition times of runs, by stem, each read once, and what is wrong with them."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.header: dict[str, ImageHeader] = {}
        self.seconds: dict[str, float] = {}
        by_stem = {run.stem: run for run in runs}
        reasons = {stem: reason for stem, run in by_stem.items() if (reason := self._read(run))}
        self.problems = list(by_reason(by_stem.values(), lambda run: reasons.get(run.stem), "image"))

    def _read(self, run: Run) -> str | None:
        if run.repetition_time is not None:
            self.seconds[run.stem] = run.repetition_time
        if not isfile(run.bold):
            return None
        try:
            header = self.header[run.stem] = read_header(run.bold)
            if run.repetition_time is None:
                sidecar = sidecar_of(run.bold)
                said = read_json(sidecar) if isfile(sidecar) else None
                self.seconds[run.stem] = repetition_time(run.bold, None, said, header.repetition_time).seconds
        except InputError as problem:
            return str(problem)
        return None

    def known(self, runs: Iterable[Run]) -> list[Run]:
        """Return the runs of which both are known."""
        return [run for run in runs if run.stem in self.header and run.stem in self.seconds]


class Tables:
    """The columns of confounds tables, each read once."""

    def __init__(self) -> None:
        self._read: dict[str, ConfoundsTable | None] = {}
        self._problem: dict[str, str] = {}

    def of(self, run: Run) -> ConfoundsTable | None:
        """Return the table of a run without its rows; None where it is not there or cannot be read."""
        if run.confounds is None:
            return None
        if run.confounds not in self._read:
            self._read[run.confounds] = None
            try:
                if isfile(run.confounds):
                    self._read[run.confounds] = ConfoundsTable(run.confounds, read_columns(run.confounds), [])
            except InputError as problem:
                self._problem[run.confounds] = str(problem)
        return self._read[run.confounds]

    def problem(self, run: Run) -> str | None:
        """Return why the table of a run cannot be read, None where nothing speaks against it."""
        self.of(run)
        return self._problem.get(run.confounds or "")


def _reading(runs: Iterable[Run], settings: Settings) -> Iterable[Run]:
    return runs if needs_confounds(settings) else ()


def _lacking_confounds(runs: Iterable[Run], settings: Settings, tables: Tables, where: str) -> Iterator[Finding]:
    if not needs_confounds(settings):
        return
    read = [(run, table) for run in runs if (table := tables.of(run))]
    for pattern in settings["confounds"]:
        lacking: list[tuple[Run, str]] = []
        for run, table in read:
            try:
                select_columns(table.columns, [pattern])
            except InputError as problem:
                lacking.append((run, str(problem)))
        if lacking:  # in one sentence, whatever is suggested for each table
            sentence = lacking[0][1]
            if not sentence.endswith("?"):
                advice = "; if some runs have none, list it under confounds_if_any, or censor frames by scrub"
                sentence = sentence.rstrip(".") + (advice if "outlier" in pattern else "")
            yield Finding(f"{where}.confounds: {sentence}", [run for run, _ in lacking], len(read))

    def lacks(run: Run) -> str | None:
        table = tables.of(run)
        try:
            if table:
                regressors(table, strategy=_strategy(settings, run))
                motion_traces(table, Scrubbing(**settings["scrub"]) if settings["scrub"] else None)
        except InputError as problem:
            return str(problem)
        return None

    yield from by_reason([run for run, _ in read], lacks, where)


def _strategy(settings: Settings, run: Run) -> Strategy | None:
    """Return the strategy without what other files tell: the components of CompCor, and those of fMRIPost-AROMA."""
    if not settings["strategy"]:
        return None
    strategy = replace(Strategy(**settings["strategy"]), compcor=None)
    return replace(strategy, ica_aroma=None) if "aroma" in confound_files(run, settings) else strategy


def _unmet_cutoffs(runs: Iterable[Run], settings: Settings, images: _Images, where: str) -> Iterator[Finding]:
    def unmet(run: Run) -> str | None:
        try:
            check_cutoffs(images.seconds[run.stem], settings["high_pass"], settings["low_pass"])
        except InputError as problem:
            return str(problem)
        return None

    yield from by_reason([run for run in runs if run.stem in images.seconds], unmet, where)


def _too_short(
    runs: Iterable[Run], settings: Settings, images: _Images, tables: Tables, where: str
) -> Iterator[Finding]:
    """Find the runs whose frames do not suffice even if none is censored; those to be left out for it end no job."""
    of_length = {key: settings[key] for key in _OF_LENGTH}
    verified: dict[tuple[int, float, int], str | None] = {}

    def too_short(run: Run) -> str | None:
        n_frames, seconds = images.header[run.stem].n_frames, images.seconds[run.stem]
        try:
            check_cutoffs(seconds, settings["high_pass"], settings["low_pass"])
            n_regressors = _number_of_regressors(run, settings, tables.of(run))
        except InputError:  # has its own sentence
            return None
        try:
            check_length(n_frames, seconds, n_regressors, **of_length)
        except InputError:
            kind = (n_frames, seconds, n_regressors)
            if kind not in verified:
                verified[kind] = _why_not_cleaned(run, settings, n_frames, seconds)
            return verified[kind]
        return None

    yield from by_reason(images.known(runs), too_short, where)


def _number_of_regressors(run: Run, settings: Settings, table: ConfoundsTable | None) -> int:
    if table is None or not needs_confounds(settings):
        return 0
    patterns, if_any = settings["confounds"], settings["confounds_if_any"]
    return len(regressors(table, patterns, if_any, _strategy(settings, run))[0])


def _why_not_cleaned(run: Run, settings: Settings, n_frames: int, seconds: float) -> str | None:
    """Clean noise with the confounds of a run, since these may depend on each other and be fewer than they look."""
    noise = np.random.default_rng(0).standard_normal((n_frames, 1))
    try:
        confounds = read_confounds_of(settings, confound_files(run, settings), n_frames, [])
    except InputError:  # is the job's to say
        return None
    try:
        clean_within_limits(noise, seconds, confounds, limits_of(settings), **signal_settings(settings))
    except InputError as problem:
        return str(problem)
    return None


def _misplaced(runs: Iterable[Run], seed_set: Settings, images: _Images, where: str) -> Iterator[Finding]:
    """Find the runs whose image lies outside of all spheres, and those in which spheres overlap that must not."""
    seeds = read_seeds(seed_set["seeds"], seed_set["radius"])
    read = [run for run in runs if run.stem in images.header]
    reasons: dict[tuple[tuple[int, ...], bytes], str | None] = {}

    def misplaced(run: Run) -> str | None:
        header = images.header[run.stem]
        grid = (header.shape, header.affine.tobytes())
        if grid not in reasons:
            reasons[grid] = _misplaced_on(header, run.mask, seeds, seed_set) if len(reasons) < _MOST_GRIDS else None
        return reasons[grid]

    yield from by_reason(read, misplaced, where)


def _misplaced_on(header: ImageHeader, mask: str | None, seeds: SeedTable, seed_set: Settings) -> str | None:
    """Say what is wrong on a grid; the mask of one run stands for those of the others, since brains are alike."""
    try:
        spheres = find_spheres(seeds.coordinates, seeds.radii, header.shape, header.affine)
    except InputError as problem:
        return str(problem)
    if not len(spheres.sphere):
        return (
            f"none of the {counted(len(seeds.names), 'sphere')} lies in the field of view of the image; are the"
            " coordinates in mm, in the space of the image?"
        )
    overlap = _overlap(spheres, seeds, seed_set)
    if overlap and mask and isfile(mask):
        try:
            inside = read_mask(mask, header.shape, header.affine).ravel(order="F")
        except InputError:  # is the job's to say
            return None
        overlap = _overlap(spheres.only(inside[spheres.voxel]), seeds, seed_set)
    return overlap


def _overlap(spheres: Spheres, seeds: SeedTable, seed_set: Settings) -> str | None:
    if seed_set["overlap"] == "error":
        try:
            settle_overlap(spheres, seeds.names, "error")
        except InputError as problem:
            return str(problem)
    return None
