"""A contrast of seed maps: the runs that it is about, their values, and its results as tables and sidecars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.aggregate.stack import OF_STACK
from sphereconn.aggregate.subjects import combined_degrees_of_freedom, combined_frames
from sphereconn.errors import InputError
from sphereconn.extract.images import ImageHeader, read_volume_header
from sphereconn.files import MISSING
from sphereconn.infer.contrast import Model, contrast_model, harmonized, with_quality
from sphereconn.map.clusters import Lattice, lattice_of
from sphereconn.map.files import check_same_grid, read_map
from sphereconn.map.group import of_subjects
from sphereconn.map.inference import TestedMaps
from sphereconn.map.peaks import nearest_nodes, peaks_of

Sidecar = Mapping[str, Any]

CLUSTER_COLUMNS = (
    "cluster", "voxels", "volume", "p_cluster", "x", "y", "z", "effect", "statistic", "p", "fwe", "tfce_fwe",
    "nearest_node", "distance",
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """Whose map is tested: a run, or runs that are combined.

    Attributes
    ----------
    row
        What is known of it, from column to text.
    maps
        A file of each of its runs; their mean is tested.
    """

    row: Mapping[str, str]
    maps: tuple[str, ...]


@dataclass(frozen=True)
class MapValues:
    """The values that a contrast tests.

    Attributes
    ----------
    grid
        Of all maps.
    voxels
        Numbers of the voxels that enough runs have, the first axis fastest, shape (n_voxels,).
    values
        Shape (n_runs, n_voxels), NaN where a run has none.
    site_f
        Median F of the sites over the voxels before and after harmonization; None without.
    """

    grid: ImageHeader
    voxels: NDArray[np.intp]
    values: NDArray[np.float64]
    site_f: tuple[float, float] | None

    def lattice(self, neighbours: int) -> Lattice:
        """Return which of the voxels are neighbours."""
        return lattice_of(self.voxels, self.grid.shape, neighbours)

    def whole(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers of the voxels as those of the grid, NaN elsewhere."""
        filled = np.full(self.grid.n_voxels, np.nan)
        filled[self.voxels] = values
        return filled


def members_of(
    rows: Sequence[Mapping[str, str]],
    runs: Sequence[Sequence[str]],
    maps: Sequence[str],
    sidecars: Sequence[Sidecar],
) -> list[Member]:
    """Return whose maps there are, with what is known of the quality of each; those left out are missing.

    Parameters
    ----------
    rows
        What the runs table says of each member.
    runs
        Names of the runs of each.
    maps, sidecars
        The map, and the sidecar of the cleaned signals, of each of these runs, one after the other.
    """
    members, start = [], 0
    for row, names in zip(rows, runs, strict=True):
        some = slice(start, start + len(names))
        start += len(names)
        quality = combined_frames(names, sidecars[some])
        if "LeftOut" in quality:
            continue
        there = [place for place in range(*some.indices(len(maps))) if "LeftOut" not in sidecars[place]]
        quality["EffectiveDegreesOfFreedom"] = combined_degrees_of_freedom(
            [sidecars[place] for place in there], [1.0] * len(there)
        )
        known = {column: _text(quality.get(key)) for column, key in OF_STACK.items()}
        (whole,) = with_quality([dict(row)], [known])
        members.append(Member(whole, tuple(maps[place] for place in there)))
    return members


def left_out_before(
    rows: Sequence[Mapping[str, str]], runs: Sequence[Sequence[str]], sidecars: Sequence[Sidecar]
) -> list[dict[str, Any]]:
    """Return which members `members_of` leaves out, each as its row, ``Run``, and the ``Reason``."""
    found, start = [], 0
    for row, names in zip(rows, runs, strict=True):
        quality = combined_frames(names, sidecars[start : start + len(names)])
        start += len(names)
        if "LeftOut" in quality:
            found.append({"Run": dict(row), "Reason": quality["LeftOut"]})
    return found


def _text(value: float | None) -> str:
    return MISSING if value is None else repr(value)


def model_of(members: Sequence[Member], settings: Mapping[str, Any]) -> Model:
    """Return the model of a contrast over the members, see `infer.contrast.contrast_model`."""
    return contrast_model([member.row for member in members], settings)


def values_of(members: Sequence[Member], model: Model, settings: Mapping[str, Any]) -> MapValues:
    """Return the maps of the runs of a model, harmonized over sites if that is asked for.

    Maps are read twice: first to see which voxels enough runs have, so that no others take memory.

    Raises
    ------
    InputError
        When the maps have different grids, or no voxel has enough runs.
    """
    chosen = [members[place] for place in model.design.runs]
    name = next(iter(chosen[0].row))
    grids = {f"{member.row[name]} ({Path(path).name})": path for member in chosen for path in member.maps}
    headers = {label: read_volume_header(path) for label, path in grids.items()}
    check_same_grid(headers)
    grid = next(iter(headers.values()))
    count = np.zeros(grid.n_voxels)
    for member in chosen:
        count += np.isfinite(_mean_map(member))
    voxels = np.flatnonzero(count >= settings["least_share"] * len(chosen))
    if not len(voxels):
        raise InputError(f"no voxel has a value in at least {settings['least_share']:g} of the runs that are tested.")
    values = np.empty((len(chosen), len(voxels)))
    for row, member in zip(values, chosen, strict=True):
        row[:] = _mean_map(member)[voxels]
    found = harmonized(values, model, settings)
    return MapValues(grid, voxels, found.edges, found.site_f)


def _mean_map(member: Member) -> NDArray[np.float64]:
    (mean,) = of_subjects([""] * len(member.maps), (read_map(path)[1] for path in member.maps))
    return mean


def maps_of(tested: TestedMaps, values: MapValues) -> dict[str, NDArray[np.float64]]:
    """Return the maps of a contrast on the whole grid, by what they show; of an F test the effect is n/a."""
    found = {
        "effect": tested.statistics.effect,
        "statistic": tested.statistics.statistic,
        "p": tested.statistics.p,
        "fwe": tested.p_voxel.p,
        "tfce": tested.enhanced,
        "tfce_fwe": tested.p_enhanced.p,
        "cluster_fwe": tested.p_cluster,
    }
    return {key: values.whole(numbers) for key, numbers in found.items()}


def cluster_rows(
    maps: Mapping[str, NDArray[np.float64]],
    grid: ImageHeader,
    threshold: float,
    neighbours: int,
    names: Sequence[str],
    coordinates: NDArray[np.float64],
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of clusters and their peaks, with the columns ``CLUSTER_COLUMNS``.

    Parameters
    ----------
    maps
        As `maps_of` gives them.
    grid
        Of the maps.
    threshold, neighbours
        What makes a cluster.
    names, coordinates
        Of nodes, to name the one nearest to each peak; mm.
    """
    volumes = {key: numbers.reshape(grid.shape, order="F") for key, numbers in maps.items()}
    peaks = peaks_of(volumes["statistic"], grid.affine, threshold, neighbours=neighbours)
    for peak, (node, distance) in zip(peaks, nearest_nodes(peaks, names, coordinates), strict=True):
        at = {key: float(volume[peak.place]) for key, volume in volumes.items()}
        yield (
            peak.cluster, peak.n_voxels, peak.volume, at["cluster_fwe"], peak.x, peak.y, peak.z,
            *(at[key] for key in ("effect", "statistic", "p", "fwe", "tfce_fwe")), node, round(distance, 1),
        )  # fmt: skip


def described_maps(tested: TestedMaps, values: MapValues, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the sidecar of a contrast says of its voxels, and of what was found at its level of significance."""
    test, level = np.isfinite(tested.statistics.p), settings["level"]
    freedom = tested.statistics.degrees_of_freedom[test]
    return {
        "DegreesOfFreedom": [float(freedom.min()), float(freedom.max())],
        "VoxelsTested": int(test.sum()),
        "VoxelsSignificant": int((tested.p_voxel.p <= level).sum()),
        "VoxelsSignificantTFCE": int((tested.p_enhanced.p <= level).sum()),
        "VoxelsInSignificantClusters": int((tested.p_cluster <= level).sum()),
        "SmallestP": float(np.nanmin(tested.statistics.p)),
        "SmallestFWE": float(np.nanmin(tested.p_voxel.p)),
        "SmallestTFCE": float(np.nanmin(tested.p_enhanced.p)),
        "SmallestClusterFWE": float(np.nanmin(tested.p_cluster)),
        "ClusterThreshold": tested.threshold,
        "SiteMedianF": values.site_f,
    }
