"""The seed maps of one run, from its image and the settings of a denoising."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.aggregate.moments import fisher_z_of
from sphereconn.clean.operator import cleaning_operator
from sphereconn.clean.strategies import RunConfounds
from sphereconn.extract.images import ImageHeader
from sphereconn.map.projection import project
from sphereconn.map.seeds import MapKind, unit_seeds
from sphereconn.map.voxels import percent_signal_change, seed_maps

DESCRIBED = {
    "r": "correlation",
    "z": "Fisher's z, arctanh(r); n/a where r is 1",
    "psc": "change of the voxel, in percent of its mean, per standard deviation of the seed's signal",
}


@dataclass(frozen=True)
class RunMaps:
    """The maps of a run by statistic, each of shape (n_seeds, n_voxels), NaN where there is no value."""

    maps: Mapping[str, NDArray[np.float64]]

    @property
    def n_voxels(self) -> int:
        """Return the number of voxels with a value in some map."""
        first = next(iter(self.maps.values()))
        return int(np.count_nonzero(np.isfinite(first).any(axis=0)))

    def seeds_without_map(self, seeds: Sequence[str]) -> list[str]:
        """Return the seeds of which there is not one value."""
        first = next(iter(self.maps.values()))
        return [seed for seed, values in zip(seeds, first, strict=True) if not np.isfinite(values).any()]

    def described(self, seeds: Sequence[str], kind: MapKind) -> dict[str, Any]:
        """Return what the sidecar of the maps of some seeds says of them."""
        return {
            "Description": f"Seed maps: {kind} of each seed with every voxel",
            "Seeds": list(seeds),
            "SeedsWithoutMap": self.seeds_without_map(seeds),
            "Statistics": {statistic: DESCRIBED[statistic] for statistic in self.maps},
            "NumberOfVoxels": self.n_voxels,
        }


def maps_of_run(
    image: ImageHeader,
    inside: NDArray[np.bool_] | None,
    signals: NDArray[np.float64],
    repetition_time: float,
    confounds: RunConfounds,
    cleaning: Mapping[str, Any],
    *,
    kind: MapKind,
    smoothing_fwhm: float,
) -> RunMaps:
    """Return the maps of some seeds, the voxels being cleaned as the seeds were.

    Parameters
    ----------
    image, inside
        The image, and the voxels of its mask, shape (n_voxels,).
    signals
        Cleaned signals of the seeds, shape (n_frames_kept, n_seeds).
    repetition_time
        Seconds from one frame to the next.
    confounds
        Of the run, with the frames that are kept.
    cleaning
        The settings of `clean.cleaning.clean_signals`.
    kind, smoothing_fwhm
        See `unit_seeds` and `seed_maps`.

    Raises
    ------
    InputError
        As `seed_maps` does.
    """
    kept = confounds.censoring.kept
    operator = cleaning_operator(
        image.n_frames,
        repetition_time,
        confounds=confounds.values,
        confound_names=confounds.names,
        kept=kept,
        **{key: value for key, value in cleaning.items() if key != "standardize"},
    )
    units = unit_seeds(signals, kind)
    made = seed_maps(image, inside, units, project(operator), kept, smoothing_fwhm=smoothing_fwhm)
    if kind == "percent signal change":
        return RunMaps({"psc": percent_signal_change(made)})
    return RunMaps({"r": made.correlation, "z": fisher_z_of(made.correlation)})


def no_maps(n_voxels: int, n_seeds: int, kind: MapKind) -> RunMaps:
    """Return the maps of a run that is left out: without a value."""
    nothing = np.full((n_seeds, n_voxels), np.nan)
    return RunMaps({"psc": nothing} if kind == "percent signal change" else {"r": nothing, "z": nothing})
