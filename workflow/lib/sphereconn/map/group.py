"""Seed maps of a group of runs: mean, standard deviation and number of runs of each voxel."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sphereconn.aggregate.moments import GroupMoments, running_moments


def group_maps(maps: Iterable[NDArray[np.float64]], n_voxels: int) -> GroupMoments:
    """Return mean and standard deviation of each voxel over the runs that have it, one map in memory at a time.

    Parameters
    ----------
    maps
        Of each run, shape (n_voxels,), of Fisher's z or percent signal change; NaN where a run has no value.
    n_voxels
        Voxels of the grid.

    Returns
    -------
    GroupMoments
        Mean and standard deviation in the units of the maps.
    """
    return running_moments(maps, n_voxels)


def one_sample_t(moments: GroupMoments) -> NDArray[np.float64]:
    """Return Student's t of the mean against 0, shape (n_voxels,); NaN with fewer than two runs or without spread."""
    with np.errstate(invalid="ignore", divide="ignore"):
        error = moments.standard_deviation / np.sqrt(moments.n_runs)
        return np.where(error > 0, moments.mean / error, np.nan)
