"""Radii as results have them, read from files, and the tables in which they are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.edges import edge_reader
from sphereconn.compare.radii import MEASURES, AtRadius, Motion, Point, Spheres, contrast_points
from sphereconn.compare.similarity import Similarity, correlations
from sphereconn.connect.edges import edge_vector
from sphereconn.files import MISSING, read_json, read_matrix, read_records, to_number
from sphereconn.infer.contrast import with_quality

Array = NDArray[np.float64]

POINT_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "measure": {"Description": "Measure of the comparison; described under the key Measures"},
    "contrast": {"Description": "Label of the contrast that the measure is of"},
    "seed_set": {"Description": "Label of the seed set of this radius"},
    "radius": {"Description": "Radius of the spheres", "Units": "mm"},
    "value": {"Description": "Its value at this radius"},
    "lower": {"Description": "Lower end of its interval; the kind of interval is described under the key Measures"},
    "upper": {"Description": "Upper end of its interval"},
}
SIMILARITY_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "contrast": {"Description": "Label of the contrast whose statistics are correlated; n/a for connectomes"},
    "seed_set": {"Description": "Label of the seed set of a radius"},
    "other": {"Description": "Label of the seed set of another"},
    "radius": {"Description": "The first of these radii", "Units": "mm"},
    "other_radius": {"Description": "The other", "Units": "mm"},
    "correlation_of_runs": {
        "Description": "Mean over the runs of the correlation over edges between the two connectomes of a run"
    },
    "correlation_of_means": {"Description": "Correlation over edges between the two mean connectomes of these runs"},
    "correlation_of_statistics": {"Description": "Correlation over edges between the two statistics of the contrast"},
}


def read_radius(
    label: str, stack: str | Path, runs: str | Path, quality: str | Path, sidecar: str | Path, nodes: str | Path
) -> AtRadius:
    """Return the connectomes of one radius to compare.

    Parameters
    ----------
    label
        Of the seed set.
    stack, runs, quality, sidecar
        The edges of all runs, their table, the table of their quality, and what is said of them.
    nodes
        The table of the nodes of all runs.
    """
    stacked, rows = read_json(sidecar), read_records(runs)
    edges, n_edges = edge_reader(stack, len(stacked["Nodes"]), diagonal=stacked["ValidDiagonal"])
    of_nodes = read_records(nodes)

    def column(name: str) -> Array:
        return np.array([np.nan if row[name] == MISSING else to_number(row[name]) for row in of_nodes])

    spheres = Spheres(
        np.column_stack([column(axis) for axis in "xyz"]),
        *map(column, ("radius", "mean_coverage", "mean_temporal_snr", "runs_used")),
    )
    return AtRadius(
        label=label,
        radius=float(spheres.radii[0]),
        names=tuple(next(iter(row.values())) for row in rows),
        rows=tuple(with_quality(rows, read_records(quality))),
        edges=edges,
        n_edges=n_edges,
        spheres=spheres,
    )


def read_contrasts(
    labels: Sequence[str], statistics: Sequence[str], marks: Sequence[str], n_radii: int
) -> dict[str, tuple[list[list[Point]], Array]]:
    """Return for each contrast its points at each radius, and the correlations between its statistics.

    Parameters
    ----------
    labels
        Of the contrasts.
    statistics, marks
        Matrices of the statistic and of what is significant, contrast by contrast, one for each radius.
    n_radii
        Number of radii.
    """
    found = {}
    for place, label in enumerate(labels):
        some = slice(place * n_radii, (place + 1) * n_radii)
        of_radii = [(_edges(one), _edges(other)) for one, other in zip(statistics[some], marks[some], strict=True)]
        points = [contrast_points(label, *each) for each in of_radii]
        found[label] = points, correlations(np.array([statistic for statistic, _ in of_radii]))
    return found


def _edges(path: str | Path) -> Array:
    return edge_vector(read_matrix(path)[1], False)


def reliability_points(sidecar: Mapping[str, Any]) -> Iterator[Point]:
    """Yield what the sidecar of a reliability says of one radius."""

    def number(value: float | None) -> float:
        return float("nan") if value is None else float(value)

    (whole, *ends), quartiles = sidecar["WholeICC"], sidecar["QuartilesICC"] or (None, None)
    yield Point("icc_whole", number(whole), number(ends[0]), number(ends[1]))
    yield Point("icc_edges", number(sidecar["MedianICC"]), number(quartiles[0]), number(quartiles[1]))
    yield Point("discriminability", number(sidecar["Scores"]["discriminability"]["Value"]))


def point_rows(radii: Sequence[AtRadius], parts: Sequence[Sequence[Sequence[Point]]]) -> Iterator[list[Any]]:
    """Return a row for each measure and radius, a value for each of ``POINT_COLUMNS``, in the order of ``MEASURES``.

    Parameters
    ----------
    radii
        What is compared.
    parts
        Measures from several sources, in each of these the points of each radius.
    """
    order = {measure: place for place, measure in enumerate(MEASURES)}
    found = [(point, one) for part in parts for one, points in zip(radii, part, strict=True) for point in points]
    for point, one in sorted(found, key=lambda item: (order[item[0].measure], item[0].contrast, item[1].radius)):
        yield [
            point.measure, point.contrast or None, one.label, one.radius, point.value, point.lower, point.upper,
        ]  # fmt: skip


def similarity_rows(
    radii: Sequence[AtRadius], connectomes: Similarity, contrasts: Mapping[str, Array]
) -> Iterator[list[Any]]:
    """Return a row for each pair of radii, a value for each of ``SIMILARITY_COLUMNS``.

    Parameters
    ----------
    radii
        What is compared.
    connectomes
        How similar the connectomes of the same runs are.
    contrasts
        By label, correlations between the statistics of a contrast, shape (n_radii, n_radii).
    """
    pairs = list(combinations(range(len(radii)), 2))

    def named(one: int, other: int) -> list[Any]:
        return [radii[one].label, radii[other].label, radii[one].radius, radii[other].radius]

    for one, other in pairs:
        yield [None, *named(one, other), connectomes.of_runs[one, other], connectomes.of_means[one, other], None]
    for label, alike in contrasts.items():
        for one, other in pairs:
            yield [label, *named(one, other), None, None, alike[one, other]]


def described(radii: Sequence[AtRadius], common: Sequence[str], motion: Motion | None) -> dict[str, Any]:
    """Return what a sidecar says of a comparison of radii; ``motion`` is None where that was not asked."""
    return {
        "Radii": {one.label: one.radius for one in radii},
        "RunsInCommon": len(common),
        "SubjectsInCommon": len({row["subject"] for row in radii[0].of(common).rows}),
        "Runs": {one.label: len(one.names) for one in radii},
        "SubjectsWithMotion": motion.n_subjects if motion else None,
        "QcFcByChance": motion.by_chance if motion else None,
        "QcFcNotMeasured": motion.problem or None if motion else None,
        "Measures": {
            key: {"Description": measure.meaning, **({"Interval": measure.interval} if measure.interval else {})}
            for key, measure in MEASURES.items()
        },
    }
