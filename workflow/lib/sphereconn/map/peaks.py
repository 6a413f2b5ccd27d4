"""Where a map is highest and lowest: clusters above a threshold, and the peaks within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sphereconn.map.clusters import structure_of

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
    n_voxels
        Of the cluster.
    place
        Indices of the voxel.
    """

    x: float
    y: float
    z: float
    value: float
    cluster: int
    volume: float
    n_voxels: int
    place: tuple[int, int, int]


def largest_twentieth(values: NDArray[np.float64]) -> float:
    """Return the magnitude that one voxel in twenty of a map reaches; 1 where no voxel has a value other than 0."""
    magnitudes = np.abs(values[np.isfinite(values)])
    return float(np.quantile(magnitudes, 0.95)) or 1.0 if len(magnitudes) else 1.0


def peaks_of(
    values: NDArray[np.float64],
    affine: NDArray[np.float64],
    threshold: float,
    *,
    neighbours: int = 26,
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
    neighbours
        6, 18 or 26: voxels of a cluster share a face, also an edge, also a corner (the default, as in FSL's cluster).
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
    known, structure = np.nan_to_num(values, nan=0.0), structure_of(neighbours)
    clusters: list[tuple[int, list[tuple[float, NDArray[np.intp]]]]] = []
    for sign in (1.0, -1.0):
        labels, n_clusters = ndimage.label(sign * known >= threshold, structure)
        for number, box in enumerate(ndimage.find_objects(labels, n_clusters), start=1):
            member = labels[box] == number
            size = int(np.count_nonzero(member))
            if size * voxel_volume < smallest_volume:
                continue
            places = np.argwhere(member) + [span.start for span in box]
            clusters.append((size, _separate(known[tuple(places.T)], places, affine, distance)))
    clusters.sort(key=lambda item: (-item[0], -abs(item[1][0][0])))
    return [
        Peak(*_mm(place, affine), value, number, round(size * voxel_volume, 3), size, tuple(place.tolist()))
        for number, (size, found) in enumerate(clusters, start=1)
        for value, place in found[:per_cluster]
    ]


def _mm(place: NDArray[np.intp], affine: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (place @ affine[:3, :3].T + affine[:3, 3]).tolist()
    return x, y, z


def _separate(
    values: NDArray[np.float64], places: NDArray[np.intp], affine: NDArray[np.float64], distance: float
) -> list[tuple[float, NDArray[np.intp]]]:
    """Take voxels from the largest magnitude down, each farther than ``distance`` from all that are taken."""
    found: list[tuple[float, NDArray[np.intp]]] = []
    free, mm = np.ones(len(values), dtype=bool), places @ affine[:3, :3].T
    for voxel in np.argsort(-np.abs(values), kind="stable"):
        if free[voxel]:
            found.append((float(values[voxel]), places[voxel]))
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
