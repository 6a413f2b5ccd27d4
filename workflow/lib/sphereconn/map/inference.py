"""Contrasts of maps: the model of every voxel over runs, corrected for all voxels by permutation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sphereconn.infer.contrast import Model, thresholds_of
from sphereconn.infer.corrections import PermutationP, family_wise_p
from sphereconn.infer.glm import EdgeStatistics, edge_statistics
from sphereconn.infer.shuffled import ShuffledStatistics
from sphereconn.infer.shuffles import Shuffles
from sphereconn.map.clusters import Enhancement, Lattice, cluster_labels, enhanced, largest
from sphereconn.threads import map_at_once


@dataclass(frozen=True)
class MapNull:
    """What is largest in the maps of a range of shuffles; of t, magnitudes, so that tests are two-sided.

    Attributes
    ----------
    numbers
        Of the shuffles, in steps of one.
    maxima
        Statistic of any voxel, shape (n_shuffles,).
    extents
        Voxels of the largest cluster, shape (n_shuffles,).
    enhanced
        TFCE score of any voxel, shape (n_shuffles,).
    """

    numbers: range
    maxima: NDArray[np.float64]
    extents: NDArray[np.float64]
    enhanced: NDArray[np.float64]


@dataclass(frozen=True)
class TestedMaps:
    """The results of a contrast, a number a voxel, NaN where there is none.

    Attributes
    ----------
    statistics
        Effect, t or F, uncorrected p.
    threshold
        Magnitude of t, or F, that the voxels of a cluster exceed.
    enhanced
        TFCE score, with the sign of t.
    p_voxel, p_enhanced
        Corrected for all voxels by the maximum statistic and the maximum score.
    p_cluster
        Of the cluster that a voxel is in, corrected for all clusters; 1 in voxels that are in none.
    """

    statistics: EdgeStatistics
    threshold: float
    enhanced: NDArray[np.float64]
    p_voxel: PermutationP
    p_enhanced: PermutationP
    p_cluster: NDArray[np.float64]


def null_of_maps(
    values: NDArray[np.float64],
    model: Model,
    shuffles: Shuffles,
    lattice: Lattice,
    numbers: range | None = None,
    *,
    cluster_p: float = 0.001,
    enhancement: Enhancement | None = None,
    least_share: float = 0.8,
    cores: int = 1,
) -> MapNull:
    """Return what is largest in shuffled maps, for a range of the planned shuffles.

    Ranges may be done by different processes and joined (`joined`): the result is the same for any split. Beside the
    values, their residuals and the statistics of one batch of shuffles a core are held.

    Parameters
    ----------
    values
        Shape (n_runs, n_voxels); NaN where a run has no value.
    model
        Of the contrast, with as many runs.
    shuffles
        Of the model, see `infer.contrast.shuffles_of`.
    lattice
        Of the voxels.
    numbers
        From 1 to ``shuffles.n_shuffles`` by default, and no more than there are.
    cluster_p
        Uncorrected p (two-sided for t) below which a voxel belongs to a cluster.
    enhancement
        Exponents of TFCE.
    least_share
        Voxels that fewer of the runs have are not tested.
    cores
        Threads.

    Raises
    ------
    InputError
        When the contrast cannot be estimated, or no voxel can be tested.
    """
    whole = range(1, shuffles.n_shuffles + 1) if numbers is None else numbers
    wanted = range(min(whole.start, shuffles.n_shuffles + 1), min(whole.stop, shuffles.n_shuffles + 1))
    shuffled = ShuffledStatistics(
        values,
        model.design.matrix,
        model.design.contrast,
        shuffles,
        weights=model.weights,
        variances=model.variances,
        least_share=least_share,
    )
    thresholds = np.array(thresholds_of(model, [cluster_p]))
    chosen = enhancement or Enhancement()

    def of_batch(batch: int) -> list[tuple[float, float, float]]:
        numbers, found = shuffled.batch(batch), []
        for number, statistic in zip(numbers, shuffled.of_batch(batch), strict=True):
            if number in wanted:
                extents, score = largest(statistic, lattice, thresholds, chosen)
                found.append((float(np.nanmax(np.abs(statistic))), float(extents[0]), score))
        return found

    rows = [row for found in map_at_once(cores, of_batch, shuffled.batches(wanted)) for row in found]
    maxima, extents, scores = np.array(rows, dtype=float).reshape(-1, 3).T.copy()
    return MapNull(wanted, maxima, extents, scores)


def joined(parts: Sequence[MapNull]) -> MapNull:
    """Join neighbouring ranges of shuffles.

    Raises
    ------
    ValueError
        When there is none, or a range does not start where the one before ends.
    """
    if not parts or any(a.numbers.stop != b.numbers.start for a, b in pairwise(parts)):
        raise ValueError("ranges of shuffles that follow one another are expected")
    return MapNull(
        range(parts[0].numbers.start, parts[-1].numbers.stop),
        np.concatenate([part.maxima for part in parts]),
        np.concatenate([part.extents for part in parts]),
        np.concatenate([part.enhanced for part in parts]),
    )


def write_null(path: str | Path, null: MapNull) -> None:
    """Write what is largest in a range of shuffles as an .npz file."""
    with open(path, "wb") as file:
        np.savez_compressed(
            file,
            numbers=[null.numbers.start, null.numbers.stop],
            maxima=null.maxima,
            extents=null.extents,
            enhanced=null.enhanced,
        )


def read_null(path: str | Path) -> MapNull:
    """Return what `write_null` wrote."""
    with np.load(path) as stored:
        numbers = range(*stored["numbers"].tolist())
        return MapNull(numbers, stored["maxima"], stored["extents"], stored["enhanced"])


def results_of_maps(
    values: NDArray[np.float64],
    model: Model,
    lattice: Lattice,
    null: MapNull,
    exhaustive: bool,
    *,
    cluster_p: float = 0.001,
    enhancement: Enhancement | None = None,
    least_share: float = 0.8,
    level: float = 0.05,
) -> TestedMaps:
    """Return the statistics of a contrast for every voxel, with p of each kind.

    Parameters
    ----------
    values, model, lattice, cluster_p, enhancement, least_share
        As for `null_of_maps`.
    null, exhaustive
        All shuffles, and whether these are all that there are.
    level
        Of significance: confidence intervals have the coverage 1 - ``level``.

    References
    ----------
    Winkler AM, Ridgway GR, Webster MA, Smith SM, Nichols TE (2014). Permutation inference for the general linear model.
    NeuroImage 92:381-397.
    """
    found = edge_statistics(
        values,
        model.design.matrix,
        model.design.contrast,
        weights=model.weights,
        variances=model.variances,
        level=1 - level,
        least_share=least_share,
    )
    (threshold,) = thresholds_of(model, [cluster_p])
    scores = enhanced(found.statistic, lattice, enhancement)
    labels, extents = cluster_labels(found.statistic, threshold, lattice)
    p_of_clusters = family_wise_p(extents.astype(float), null.extents, exhaustive).p
    p_cluster = np.concatenate([[1.0], p_of_clusters])[labels]
    return TestedMaps(
        found,
        threshold,
        scores,
        family_wise_p(np.abs(found.statistic), null.maxima, exhaustive),
        family_wise_p(np.abs(scores), null.enhanced, exhaustive),
        np.where(np.isnan(found.statistic), np.nan, p_cluster),
    )
