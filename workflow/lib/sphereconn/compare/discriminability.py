"""Discriminability: how often two runs of a subject are closer to each other than to the runs of others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.repeats import Repeats

Array = NDArray[np.float64]


def discriminability(distances: Array, tables: NDArray[np.int64]) -> Array:
    """Return the discriminability of some assignments of runs to subjects.

    For every two runs of a subject, the share of the runs of other subjects that are further from the first run than
    the second is, ties counting half; the mean over all such pairs (Bridgeford 2021). 1/2 is chance, 1 is best.

    Parameters
    ----------
    distances
        Shape (n_runs, n_runs).
    tables
        Shape (n_assignments, n_subjects, n_repeats), as `Repeats.table`, of positions in ``distances``: who has
        which runs, each of ``distances`` once; -1 in the same places of every assignment.

    Returns
    -------
    ndarray of shape (n_assignments,)

    References
    ----------
    Bridgeford EW and others (2021). Eliminating accidental deviations to minimize generalization error and maximize
    replicability: applications in connectomics and genomics. PLOS Computational Biology 17:e1009279.
    """
    closer = _runs_closer(distances)
    n_runs, counts = len(distances), (tables[0] >= 0).sum(axis=1)
    total, n_pairs = np.zeros(len(tables)), 0
    for size in np.unique(counts).tolist():
        for row in np.flatnonzero(counts == size).tolist():
            has = tables[0, row] >= 0
            runs = tables[:, row, has]
            d = distances[runs[:, :, None], runs[:, None, :]]
            rank = closer[runs[:, :, None], runs[:, None, :]]
            # Of the runs that are closer, those of the subject itself do not count: third axis against second.
            less = (d[:, :, None, :] < d[:, :, :, None]) + 0.5 * (d[:, :, None, :] == d[:, :, :, None])
            of_others = np.ones((size, size, size), dtype=bool)
            places = np.arange(size)
            of_others[:, places, places] = of_others[places, :, places] = False
            own = (less * of_others).sum(axis=3)
            share = 1 - (rank - own) / (n_runs - size)
            share[:, places, places] = 0
            total += share.sum(axis=(1, 2))
            n_pairs += size * (size - 1)
    return total / n_pairs


def _runs_closer(distances: Array) -> Array:
    """Count for each pair (i, j) the runs other than i and j that are closer to i than j is, ties half."""
    n = len(distances)
    closer = np.empty((n, n))
    for run in range(n):
        others = np.sort(np.delete(distances[run], run))
        left, right = (np.searchsorted(others, distances[run], side=side) for side in ("left", "right"))
        closer[run] = left + (right - left - 1) / 2
    return closer


def observed_table(repeats: Repeats) -> NDArray[np.int64]:
    """Return `Repeats.table` with positions among `Repeats.runs` in place of those among all runs."""
    table = np.full(repeats.table.shape, -1, dtype=np.int64)
    table[repeats.table >= 0] = np.arange(len(repeats.runs))
    return table
