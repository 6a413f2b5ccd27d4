"""Radii of the same seeds side by side: what a larger sphere gains and costs, and how far results depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.denoising import motion_design
from sphereconn.compare.distance import edge_lengths, rank_correlation
from sphereconn.compare.edges import Edges
from sphereconn.compare.qcfc import qcfc, spread_of
from sphereconn.compare.subject_means import mean_rows, subject_means
from sphereconn.errors import InputError
from sphereconn.files import to_number

Array = NDArray[np.float64]
Row = Mapping[str, str]

SIGNIFICANT = 2  # how the matrix of significant edges of a contrast marks an edge, see `infer.contrast.marks_of`


@dataclass(frozen=True)
class Measure:
    """What radii are compared by.

    Attributes
    ----------
    words
        What a figure calls it.
    meaning
        What it is, in a sentence.
    interval
        What lower and upper are; "" where there are none.
    is_share
        Whether it is shown in per cent.
    """

    words: str
    meaning: str
    interval: str = ""
    is_share: bool = False


OVER_NODES, OVER_EDGES, CONFIDENCE = "quartiles over the nodes", "quartiles over the edges", "95 % confidence interval"
MEASURES: Mapping[str, Measure] = {
    "coverage": Measure(
        "coverage",
        "Mean over the nodes of the share of a sphere's voxels that were used, averaged over the runs",
        is_share=True,
    ),
    "nodes_lost": Measure(
        "nodes without a signal", "Share of the nodes of all runs that have no signal", is_share=True
    ),
    "temporal_snr": Measure(
        "temporal SNR", "Median over the nodes of the temporal SNR, averaged over the runs", OVER_NODES
    ),
    "overlapping": Measure(
        "spheres that overlap",
        "Share of the spheres that reach into another one: their centres are nearer than the sum of their radii",
        is_share=True,
    ),
    "mean_strength": Measure(
        "mean node strength",
        "Mean over runs and nodes of the sum of the magnitudes of a node's edges (Fisher's z of correlations), over the"
        " edges that a run has at every radius",
    ),
    "qcfc_median_absolute": Measure(
        "QC-FC: median |r|",
        "Median over edges of the magnitude of their partial correlation with motion, after regressing out covariates",
        OVER_EDGES,
    ),
    "qcfc_significant": Measure(
        "QC-FC: edges p < .05", "Share of the edges whose partial correlation with motion has p < .05", is_share=True
    ),
    "qcfc_by_distance": Measure(
        "QC-FC by distance: Spearman",
        "Spearman's correlation over the edges between their partial correlation with motion and the distance of their"
        " nodes",
    ),
    "icc_whole": Measure("ICC(1,1) of whole connectomes", "ICC(1,1) of whole connectomes (I2C2)", CONFIDENCE),
    "icc_edges": Measure("ICC(1,1) of edges", "Median over the edges of their ICC(1,1)", OVER_EDGES),
    "discriminability": Measure("discriminability", "Discriminability of subjects by their connectomes"),
    "contrast_significant": Measure(
        "contrasts: significant edges", "Share of the edges that are significant in a contrast", is_share=True
    ),
    "contrast_statistic": Measure(
        "contrasts: median |statistic|",
        "Median over the edges of the magnitude of the statistic of a contrast",
        OVER_EDGES,
    ),
}


@dataclass(frozen=True)
class Spheres:
    """The spheres of one radius.

    Attributes
    ----------
    coordinates, radii
        Centres, shape (n_nodes, 3), and radii, shape (n_nodes,), in mm.
    coverage, temporal_snr
        Means over the runs, shape (n_nodes,); NaN where no run knows it.
    runs_used
        Number of runs in which each node has a signal, shape (n_nodes,).
    """

    coordinates: Array
    radii: Array
    coverage: Array
    temporal_snr: Array
    runs_used: Array


@dataclass(frozen=True)
class AtRadius:
    """The connectomes of one radius.

    Attributes
    ----------
    label, radius
        Of the seed set, and its radius in mm.
    names
        Of the runs, in the order of the stack.
    rows
        What is known of each run: the runs table, and what results know of its quality.
    edges
        See `edges.Edges`; its positions are those of ``names``.
    n_edges
        Number of edges.
    spheres
        Where the nodes are, and how well they were measured.
    """

    label: str
    radius: float
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    edges: Edges
    n_edges: int
    spheres: Spheres

    def of(self, runs: Sequence[str]) -> AtRadius:
        """Give the connectomes of some of the runs, in their order."""
        places = [self.names.index(name) for name in runs]
        at, edges = np.array(places, dtype=np.int64), self.edges
        rows = tuple(self.rows[place] for place in places)
        return replace(self, names=tuple(runs), rows=rows, edges=lambda some, low, high: edges(at[some], low, high))


@dataclass(frozen=True)
class Point:
    """A measure at one radius, with the interval of ``MEASURES``; ``contrast`` is "" where it is of none."""

    measure: str
    value: float
    lower: float = float("nan")
    upper: float = float("nan")
    contrast: str = ""


@dataclass(frozen=True)
class Motion:
    """How edges depend on motion at each radius.

    Attributes
    ----------
    points
        For each radius its measures; none where there is a problem.
    n_subjects, by_chance
        Subjects behind them, and the median magnitude of QC-FC if no edge depended on motion.
    problem
        Why nothing was measured; "" otherwise.
    """

    points: tuple[tuple[Point, ...], ...]
    n_subjects: int
    by_chance: float
    problem: str = ""


def runs_in_common(radii: Sequence[AtRadius]) -> list[str]:
    """Return the names of the runs that all radii have, in the order of the first.

    Raises
    ------
    InputError
        When there is none.
    """
    others = [set(one.names) for one in radii[1:]]
    common = [name for name in radii[0].names if all(name in names for names in others)]
    if not common:
        counts = ", ".join(f"{one.label} {len(one.names)}" for one in radii)
        raise InputError(f"no run has a connectome at every radius, so radii cannot be compared (runs: {counts}).")
    return common


def overlapping_share(coordinates: Array, radii: Array) -> float:
    """Return the share of spheres whose centre is nearer to another's than the sum of the two radii.

    Parameters
    ----------
    coordinates, radii
        Shapes (n_spheres, 3) and (n_spheres,), in mm.

    Examples
    --------
    >>> overlapping_share(np.array([[0.0, 0, 0], [8, 0, 0], [18, 0, 0], [99, 0, 0]]), np.full(4, 5.0))
    0.5
    """
    distance = np.sqrt(((coordinates[:, None] - coordinates[None]) ** 2).sum(axis=2))
    np.fill_diagonal(distance, np.inf)
    return float((distance < radii[:, None] + radii[None]).any(axis=1).mean())


def sphere_points(spheres: Spheres, n_runs: int) -> list[Point]:
    """Return how well spheres were measured in ``n_runs`` runs, and how many of them overlap."""
    coverage, snr = (values[~np.isnan(values)] for values in (spheres.coverage, spheres.temporal_snr))
    middle = np.quantile(snr, 0.5) if snr.size else np.nan
    return [
        Point("coverage", float(coverage.mean()) if coverage.size else float("nan")),
        Point("nodes_lost", 1 - float(spheres.runs_used.sum()) / (n_runs * len(spheres.runs_used))),
        Point("temporal_snr", float(middle), *_quartiles(snr)),
        Point("overlapping", overlapping_share(spheres.coordinates, spheres.radii)),
    ]


def edges_by_run(radii: Sequence[AtRadius]) -> Iterator[list[Array]]:
    """Yield for each run its edges at each radius, each of shape (n_edges,); ``radii`` have the same runs."""
    for run in range(len(radii[0].names)):
        yield [one.edges(np.array([run]), 0, one.n_edges)[0] for one in radii]


def strength_points(runs: Iterable[Sequence[Array]], n_nodes: int) -> list[list[Point]]:
    """Return for each radius what `mean_strengths` finds."""
    return [[Point("mean_strength", float(strength))] for strength in mean_strengths(runs, n_nodes)]


def mean_strengths(runs: Iterable[Sequence[Array]], n_nodes: int) -> Array:
    """Return the mean strength of nodes at each radius, on the edges that a run has at every radius.

    Parameters
    ----------
    runs
        For each run its edges at each radius, each of shape (n_edges,), NaN where missing; read one at a time.
    n_nodes
        Of the connectomes. A node without any such edge in a run does not count in that run.

    Returns
    -------
    numpy.ndarray, shape (n_radii,)
        Mean over the runs; NaN where no run has an edge at every radius.
    """
    one, other = np.triu_indices(n_nodes, 1)
    found = []
    for edges in runs:
        values = np.array(edges)
        known = ~np.isnan(values).any(axis=0)
        linked = np.zeros(n_nodes, dtype=bool)
        linked[one[known]] = linked[other[known]] = True
        n_linked = int(linked.sum())
        found.append(2 * np.abs(values[:, known]).sum(axis=1) / n_linked if n_linked else np.full(len(values), np.nan))
    strengths = np.array(found)
    known_runs = strengths[~np.isnan(strengths).any(axis=1)]
    return known_runs.mean(axis=0) if len(known_runs) else np.full(strengths.shape[1], np.nan)


def motion_by_radius(radii: Sequence[AtRadius], motion: str, covariates: Sequence[str]) -> Motion:
    """Return how edges depend on motion at each radius, the runs of a subject averaged.

    Where motion or a covariate is not known, or of too few subjects, that is the problem, and nothing is measured.

    Parameters
    ----------
    radii
        With the same runs.
    motion, covariates
        Columns of the rows.

    References
    ----------
    See `qcfc.qcfc`.
    """
    rows = radii[0].rows
    try:
        design = motion_design(rows, motion, covariates)
    except InputError as problem:
        return Motion((), 0, float("nan"), str(problem))
    runs = np.array(design.runs, dtype=np.int64)
    subjects = [rows[run]["subject"] for run in runs]
    amount = mean_rows(np.array([to_number(rows[run][motion]) for run in runs]), subjects)
    nuisance = mean_rows(np.delete(design.matrix, design.columns.index(motion), axis=1), subjects)
    least = int(np.linalg.matrix_rank(nuisance)) + 2
    if len(amount) < least:
        lacking = f"{len(amount)} subjects with {motion} known are too few; at least {least} are needed."
        return Motion((), len(amount), float("nan"), lacking)
    points, by_chance = [], float("nan")
    for one in radii:
        everyone = np.arange(len(amount))
        found = qcfc(subject_means(one.edges, runs, subjects), one.n_edges, everyone, amount, nuisance)
        spread, size = spread_of(found), np.abs(found.r[~np.isnan(found.r)])
        by_chance = spread.median_absolute_by_chance
        by_distance = rank_correlation(edge_lengths(one.spheres.coordinates), found.r)
        points.append(
            (
                Point("qcfc_median_absolute", spread.median_absolute, *_quartiles(size)),
                Point("qcfc_significant", spread.significant),
                Point("qcfc_by_distance", by_distance),
            )
        )
    return Motion(tuple(points), len(amount), by_chance)


def contrast_points(label: str, statistic: Array, marks: Array) -> list[Point]:
    """Return what a contrast finds at one radius.

    Parameters
    ----------
    label
        Of the contrast.
    statistic, marks
        Of the edges, shape (n_edges,), NaN where there was no test; ``SIGNIFICANT`` marks those that are.
    """
    size, tested = np.abs(statistic[~np.isnan(statistic)]), marks[~np.isnan(marks)]
    share = float((tested == SIGNIFICANT).mean()) if tested.size else float("nan")
    middle = float(np.median(size)) if size.size else float("nan")
    return [
        Point("contrast_significant", share, contrast=label),
        Point("contrast_statistic", middle, *_quartiles(size), contrast=label),
    ]


def _quartiles(values: Array) -> tuple[float, float]:
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.quantile(values, (0.25, 0.75)).tolist()
    return low, high
