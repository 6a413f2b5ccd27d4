"""Seed maps of a group: mean, standard deviation and number of subjects of each voxel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sphereconn.aggregate.moments import GroupMoments


def of_subjects(subjects: Sequence[str], maps: Iterable[NDArray[np.float64]]) -> Iterator[NDArray[np.float64]]:
    """Yield one map a subject: the mean over its runs, of the voxels that each run has; NaN where none has.

    Runs of a subject are no independent observations: the mean over a group counts every subject once.

    Parameters
    ----------
    subjects
        The subject of each map; maps of a subject follow each other.
    maps
        Shape (n_voxels,) each.

    Raises
    ------
    ValueError
        When maps of a subject are apart.
    """
    done: set[str] = set()
    current, total, count = None, np.empty(0), np.empty(0)
    for subject, values in zip(subjects, maps, strict=True):
        if subject != current:
            if current is not None:
                yield _mean(total, count)
            if subject in done:
                raise ValueError(f"maps of subject {subject} do not follow each other")
            done.add(subject)
            current, total, count = subject, np.zeros(len(values)), np.zeros(len(values))
        known = np.isfinite(values)
        total[known] += values[known]
        count += known
    if current is not None:
        yield _mean(total, count)


def _mean(total: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def one_sample_t(moments: GroupMoments) -> NDArray[np.float64]:
    """Return Student's t of the mean against 0, shape (n_voxels,); NaN with fewer than two subjects or no spread."""
    with np.errstate(invalid="ignore", divide="ignore"):
        error = moments.standard_deviation / np.sqrt(moments.n_runs)
        return np.where(error > 0, moments.mean / error, np.nan)
