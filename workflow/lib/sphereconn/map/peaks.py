"""Where a map is highest and lowest: clusters above a threshold, and the peaks within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Voxels that share a face, an edge or a corner are neighbours, as in SPM and FSL.
NEIGHBOURS = ndimage.generate_binary_structure(3, 3)


PEAK_COLUMNS = ("cluster", "volume", "x", "y", "z", "value", "nearest_node", "distance")


@dataclass(frozen=True)
class Peak:
    """A local maximum of the magnitude of a map.

    Attributes
    ----------
    x, y, z
        In mm.
    value
        Of the map.
    cluster
        Number of its cluster; clusters are numbered by falling size.
    volume
        Of the cluster, in mm³.
    """

    x: float
    y: float
    z: float
    value: float
    cluster: int
    volume: float


def largest_twentieth(values: NDArray[np.float64]) -> float:
    """Return the magnitude that one voxel in twenty of a map reaches; 1 where no voxel has a value other than 0."""
    magnitudes = np.abs(values[np.isfinite(values)])
    return float(np.quantile(magnitudes, 0.95)) or 1.0 if len(magnitudes) else 1.0


def peaks_of(
    values: NDArray[np.float64],
    affine: NDArray[np.float64],
    threshold: float,
    *,
    distance: float = 8.0,
    per_cluster: int = 3,
    smallest_volume: float = 0.0,
) -> list[Peak]:
    """Return the peaks of a map beyond a threshold, those of positive and of negative clusters alike.

    Parameters
    ----------
    values
        Shape (n_x, n_y, n_z); NaN where there is no value.
    affine
        From voxel indices to mm, shape (4, 4).
    threshold
        Magnitude that a voxel of a cluster has at least; above 0.
    distance
        Least distance in mm between peaks of a cluster.
    per_cluster
        Most peaks of a cluster.
    smallest_volume
        Volume in mm³ that a cluster has at least.

    Returns
    -------
    list of Peak
        By falling size of the cluster, then by falling magnitude.

    Raises
    ------
    ValueError
        When the threshold is not above 0.
    """
    if not threshold > 0:
        raise ValueError(f"a threshold above 0 is needed, not {threshold}")
    voxel_volume = abs(float(np.linalg.det(affine[:3, :3])))
    known = np.nan_to_num(values, nan=0.0)
    clusters: list[tuple[int, list[tuple[float, NDArray[np.float64]]]]] = []
    for sign in (1.0, -1.0):
        labels, n_clusters = ndimage.label(sign * known >= threshold, NEIGHBOURS)
        for number, box in enumerate(ndimage.find_objects(labels, n_clusters), start=1):
            member = labels[box] == number
            size = int(np.count_nonzero(member))
            if size * voxel_volume < smallest_volume:
                continue
            places = np.argwhere(member) + [span.start for span in box]
            heights = sign * known[tuple(places.T)]
            mm = places @ affine[:3, :3].T + affine[:3, 3]
            clusters.append((size, _separate(sign * heights, mm, np.argsort(-heights, kind="stable"), distance)))
    clusters.sort(key=lambda item: (-item[0], -abs(item[1][0][0])))
    return [
        Peak(float(mm[0]), float(mm[1]), float(mm[2]), value, number, round(size * voxel_volume, 3))
        for number, (size, found) in enumerate(clusters, start=1)
        for value, mm in found[:per_cluster]
    ]


def _separate(
    heights: NDArray[np.float64], mm: NDArray[np.float64], order: NDArray[np.intp], distance: float
) -> list[tuple[float, NDArray[np.float64]]]:
    """Take voxels from the highest down, each farther than ``distance`` from all that are taken."""
    found: list[tuple[float, NDArray[np.float64]]] = []
    free = np.ones(len(order), dtype=bool)
    for voxel in order:
        if free[voxel]:
            found.append((float(heights[voxel]), mm[voxel]))
            free &= np.linalg.norm(mm - mm[voxel], axis=1) >= distance
    return found


def nearest_nodes(
    peaks: Sequence[Peak], names: Sequence[str], coordinates: NDArray[np.float64]
) -> list[tuple[str, float]]:
    """Return the node nearest to each peak, and its distance in mm; the first of equally near ones."""
    found = []
    for peak in peaks:
        away = np.linalg.norm(coordinates - [peak.x, peak.y, peak.z], axis=1)
        place = int(np.argmin(away))
        found.append((names[place], float(away[place])))
    return found


def peak_rows(
    values: NDArray[np.float64],
    affine: NDArray[np.float64],
    threshold: float,
    names: Sequence[str],
    coordinates: NDArray[np.float64],
) -> list[tuple[int, float, float, float, float, float, str, float]]:
    """Return the rows of a table of peaks, with the columns ``PEAK_COLUMNS``; volumes in mm³, distances in mm."""
    peaks = peaks_of(values, affine, threshold)
    nodes = nearest_nodes(peaks, names, coordinates)
    return [
        (peak.cluster, peak.volume, peak.x, peak.y, peak.z, peak.value, node, round(distance, 1))
        for peak, (node, distance) in zip(peaks, nodes, strict=True)
    ]
