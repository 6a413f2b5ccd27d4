"""What the steps of a study cost, before they are done: about how long they take and what they write.

Each kind of step, named after its script, costs a constant and a slope times one quantity of what it is of. Within a
factor of two that is enough. benchmarks/bench_steps.py measures a study and prints both beside each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from os.path import getsize
from pathlib import Path
from shutil import disk_usage
from statistics import median
from typing import NamedTuple

from sphereconn.study.study import Study
from sphereconn.words import counted

Labels = tuple[str, str | None, str | None]  # the name of a rule, the labels of seed set and estimator
Step = tuple[str, str, Mapping[str, str]]  # its kind, which is the name of its script, the name of its rule, its labels

START = 2.0  # seconds of a first step, whose interpreter imports numpy and so on
HANDLING = 0.01  # seconds that Snakemake spends on each step, one after the other
TYPICAL = (150_000, 200)  # voxels and frames of an image that is not there yet: 4 mm, some minutes
REGIONS = 200  # of an atlas that does not say how many it has
COMPILED = {"connect_sparse", "fit_group", "shuffle_contrast", "measure_organization"}  # once for each machine
COMPILATION = 5.0  # seconds for each of them: half of what it takes, since it may have been done
PASS, SHARED = 0.75, 0.25  # of one extraction: what all seed sets of a run share, and what each adds


class Rate(NamedTuple):
    """What a kind of step costs: a constant, and more for each unit of a quantity of ``Sizes.quantities``."""

    constant: float
    unit: str = "edges"
    slope: float = 0.0


# CPU seconds of one core, in steps of a warm interpreter. For config/config.yaml, benchmarks/bench_steps.py measured
# 178 s and 518 MB on an AMD EPYC with nothing else to do, where two cores took 110 s; on a busy one, before jobs got
# shorter, 396 s. 258 s and 597 MB are estimated.
# tests/plan/test_cost.py has six runs of Power-264 with a cross-validated sparse estimator, two of 2 mm, and figures.
# What was not measured, such as reliability over lengths and tangent spaces, is reckoned from what is alike.
SECONDS = {
    "assemble_demo_run": Rate(2),
    "extract": Rate(0.025, "signals", 0.0015),
    "extract_together": Rate(0.1),
    "clean": Rate(0.035, "signals", 0.003),
    "connect": Rate(0.015, "edges", 0.0015),
    "score": Rate(0.02, "edges", 0.0045),
    "connect_sparse": Rate(0.05, "fits", 0.003),
    "connect_from_group": Rate(0.03, "edges", 0.006),
    "connect_from_tangent": Rate(0.03, "edges", 0.003),
    "fit_group": Rate(0.5, "members' fits", 0.006),
    "fit_tangent": Rate(0.3, "members", 0.001),
    "stack": Rate(0.03, "members", 0.0001),
    "aggregate": Rate(0.04, "edges", 0.0015),
    "write_table": Rate(0.05, "members", 0.00007),
    "shuffle_contrast": Rate(1.0, "members", 0.00015),
    "test_contrast": Rate(0.1, "edges", 0.01),
    "compare_denoising": Rate(0.1, "edges", 0.008),
    "draw_contrast": Rate(0.6, "edges", 0.01),
    "draw_difference": Rate(1.1),
    "draw_page": Rate(0.1),
    "draw_sheet": Rate(0.15),
    "measure_scale": Rate(0.2),
    "map_seeds": Rate(0.3),
    "shuffle_map": Rate(1, "members' voxels", 0.9),  # reckoned from docs/performance.md
    "write_report": Rate(5, "runs", 0.05),
    "remove_orphans": Rate(0),
}
KILOBYTES = {
    "assemble_demo_run": Rate(9400),
    "extract": Rate(15, "signals", 17),
    "extract_together": Rate(0),
    "clean": Rate(8, "signals", 18.5),
    "connect": Rate(5, "edges", 19),
    "score": Rate(5, "edges", 38),
    "connect_sparse": Rate(10, "edges", 37),
    "connect_from_group": Rate(20, "edges", 60),
    "connect_from_tangent": Rate(5, "edges", 19),
    "stack": Rate(20, "members", 3.7),
    "aggregate": Rate(20, "edges", 41),
    "write_table": Rate(10, "members", 0.25),
    "shuffle_contrast": Rate(10, "edges", 15),
    "test_contrast": Rate(30, "edges", 85),
    "compare_denoising": Rate(30, "edges", 75),
    "map_seeds": Rate(100, "voxels", 3300),
    "map_group": Rate(100, "voxels", 5400),
    "draw_contrast": Rate(100, "edges", 3),
    "draw_difference": Rate(800),
    "draw_glass_brain": Rate(100, "edges", 2),
    "draw_matrix": Rate(80, "edges", 2.5),
    "draw_networks": Rate(120),
    "draw_strength": Rate(50, "edges", 5),
    "draw_signals": Rate(210),
    "draw_page": Rate(400, "edges", 5),
    "draw_sheet": Rate(60),
    "write_report": Rate(5000, "runs", 15),
    "write_subject_pages": Rate(50, "runs", 75),
    "download": Rate(9000),  # of development_fmri, an image and its confounds in turns
}
# Seconds of one core for a million values of an image that is read, and of a map for each million voxels: the finer the
# image, the more voxels are smoothed together.
READ = {"extract": 0.004, "map_seeds": 0.07}
OTHER_SECONDS, OTHER_KILOBYTES = Rate(0.4), Rate(40)


@dataclass(frozen=True)
class Sizes:
    """What the costs of steps depend on.

    Attributes
    ----------
    nodes
        The number of spheres of each seed set.
    fits
        How many times each estimator that needs it is fitted: the folds of a cross-validation and a last one.
    images
        Voxels and frames of the image of each run whose header is known, by the start of the names of its results.
    n_runs
        Number of runs.
    """

    nodes: Mapping[str, int]
    fits: Mapping[str, int]
    images: Mapping[str, tuple[int, int]]
    n_runs: int

    @property
    def typical(self) -> tuple[float, float]:
        """Voxels and frames of an image whose header is not known: as in most, or as anywhere."""
        if not self.images or 2 * len(self.images) < self.n_runs:
            return TYPICAL
        voxels, frames = zip(*self.images.values(), strict=True)
        return median(voxels), median(frames)

    def quantities(self, labels: Labels) -> dict[str, float]:
        """Return what a step may grow with, in thousands but for runs and voxels, these in millions."""
        rule, seed_set, estimator = labels
        named = [seed_set or "", *rule.split("_")]  # a rule that is for one seed set alone has it in its name
        nodes = next((self.nodes[name] for name in named if name in self.nodes), max(self.nodes.values(), default=0))
        voxels, frames = self.typical
        edges = nodes**2 / 1e3
        return {
            "edges": edges,
            "fits": edges * self.fits.get(estimator or "", 1),
            "members": edges * self.n_runs,
            "members' fits": edges * self.n_runs * self.fits.get(estimator or "", 1),
            "signals": nodes * frames / 1e3,
            "voxels": voxels / 1e6,
            "members' voxels": voxels * self.n_runs / 1e6,
            "runs": self.n_runs,
        }


class Cost(NamedTuple):
    """CPU seconds of all steps and of the longest one, their number, and the bytes that they write."""

    seconds: float
    longest: float
    steps: int
    bytes: float

    def elapsed(self, cores: int) -> float:
        """Return about how many seconds pass: few steps have several cores, and Snakemake starts one at a time."""
        handled = self.steps * HANDLING
        return START + max((self.seconds + handled) / cores, self.longest, handled)


def sizes_of(study: Study) -> Sizes:
    """Return what the costs of a study depend on."""
    crossed = (item for item in study.estimators.items() if item[1].get("alpha") in ("cv", "ebic"))
    return Sizes(
        nodes={label: n or REGIONS for label, n in study.spheres.items()},
        fits={label: 1 + int(settings["cv"] if settings["alpha"] == "cv" else 0) for label, settings in crossed},
        images=study.images,
        n_runs=len({run.stem for item in study.combinations for run in item.runs}),
    )


def seconds_of(steps: Sequence[Step], sizes: Sizes) -> list[float]:
    """Return the CPU seconds of each step; steps that read the same image share what that costs."""
    read = Counter((kind, labels.get("stem", "")) for kind, _, labels in steps if kind in READ)
    constant = cache(lambda kind, labels: _at(SECONDS.get(kind, OTHER_SECONDS), sizes.quantities(labels)))
    return [
        constant(kind, (rule, labels.get("seed_set"), labels.get("estimator")))
        + (_reading(kind, stem := labels.get("stem", ""), read[kind, stem], sizes) if kind in READ else 0)
        for kind, rule, labels in steps
    ]


def _reading(kind: str, stem: str, n: int, sizes: Sizes) -> float:
    """Return what it costs each of n steps to read an image."""
    voxels, frames = sizes.images.get(stem) or sizes.typical
    return READ[kind] * voxels * frames / 1e6 * (voxels / 1e6 if kind == "map_seeds" else PASS / n + SHARED)


def weights_of(study: Study, steps: Iterable[Step]) -> list[float]:
    """Return what each step weighs in the time that all take, in CPU seconds, Snakemake's own included."""
    return [HANDLING + seconds for seconds in seconds_of(list(steps), sizes_of(study))]


def cost_of(steps: Iterable[Step], sizes: Sizes) -> Cost:
    """Return what steps cost, of which ``sizes`` has what it depends on."""
    steps = list(steps)
    seconds = seconds_of(steps, sizes)
    alike: Counter[tuple[str, Labels]] = Counter()
    passes: Counter[str] = Counter()  # one step reads an image for all seed sets
    for (kind, rule, labels), each in zip(steps, seconds, strict=True):
        alike[kind, (rule, labels.get("seed_set"), labels.get("estimator"))] += 1
        if kind == "extract":
            passes[labels.get("stem", "")] += each  # type: ignore[assignment]
    compiled = COMPILATION * len(COMPILED.intersection(kind for kind, _ in alike))
    kilobytes = sum(
        n * _at(KILOBYTES.get(kind, OTHER_KILOBYTES), sizes.quantities(labels)) for (kind, labels), n in alike.items()
    )
    longest = max([*seconds, *passes.values()], default=0)
    return Cost(sum(seconds) + compiled, longest, len(steps), 1e3 * kilobytes)


def _at(rate: Rate, quantities: Mapping[str, float]) -> float:
    return rate.constant + rate.slope * (quantities[rate.unit] if rate.slope else 0)


def told(cost: Cost, cores: int | None) -> str:
    """Return what steps cost in a sentence; without a number of cores, as on a cluster, how much CPU time they take."""
    if cores is None:
        time = f"{duration(cost.seconds)} of CPU time"
    else:
        time = f"{duration(cost.elapsed(cores))} on {counted(cores, 'core')}"
    return f"This takes about {time} and {size(cost.bytes)} on disk."


def announced(study: Study, steps: Iterable[Step], cores: int | None, replaced: Iterable[str]) -> list[str]:
    """Return the sentences that a dry run says of its steps, none if there is nothing to compute.

    ``replaced`` are the files that they write, which are looked at only where space is short.
    """
    cost = cost_of(steps, sizes_of(study))
    if not cost.seconds:
        return []
    free = _free_space(study.output_dir)
    old = sum(map(_size_of, replaced)) if cost.bytes > free else 0
    return [told(cost, cores), *filter(None, [lacking_space(cost, old, free, study.output_dir)])]


def _free_space(folder: str) -> float:
    """Return how many bytes can be written there, infinity where the system does not say."""
    place = Path(folder).absolute()
    with suppress(OSError):
        return disk_usage(next(above for above in (place, *place.parents) if above.is_dir())).free
    return float("inf")


def _size_of(path: str) -> int:
    """Return the size of a file, 0 of one that is not there or goes meanwhile."""
    with suppress(OSError):
        return getsize(path)
    return 0


def lacking_space(cost: Cost, replaced: float, free: float, folder: str) -> str | None:
    """Return a sentence if what is written will hardly fit; ``replaced`` bytes are in results that it replaces."""
    if cost.bytes - replaced <= free:
        return None
    return f"The disk of '{folder}' has about {size(free)} left, and about {size(cost.bytes - replaced)} are needed."


def duration(seconds: float) -> str:
    """Return a duration to the precision of an estimate, such as ``40 seconds``, ``12 minutes``, ``3 hours``."""
    for unit, length, longest in (("second", 1, 60), ("minute", 60, 60), ("hour", 3600, 48)):
        if (n := _rounded(max(seconds / length, 10 if unit == "second" else 1))) < longest:
            return counted(n, unit)
    return counted(_rounded(seconds / 86400), "day")


def size(n_bytes: float) -> str:
    """Return a number of bytes to the precision of an estimate, such as ``340 MB``."""
    power = 3 if n_bytes >= 0.95e9 else 2
    return f"{_rounded(n_bytes / 1000**power):,} {'GB' if power == 3 else 'MB'}"


def _rounded(value: float) -> int:
    """Round to one significant digit, from 10 to 19 and the like to two, and to 1 at least."""
    if value < 1:
        return 1
    digits = len(str(int(value)))
    return int(round(value, (2 if str(int(value)).startswith("1") else 1) - digits))
