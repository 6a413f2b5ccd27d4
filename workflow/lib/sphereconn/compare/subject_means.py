"""Runs of the same subject are no independent observations: each subject's are averaged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.edges import Edges

Array = NDArray[np.float64]


def mean_rows(values: Array, subjects: Sequence[str]) -> Array:
    """Return the mean of the rows of each subject, in alphabetical order of subjects; NaN counts for nothing.

    Parameters
    ----------
    values
        Shape (n_runs, ...).
    subjects
        The subject of each row.

    Examples
    --------
    >>> mean_rows(np.array([[1.0, np.nan], [3.0, 4.0], [5.0, 6.0]]), ["b", "b", "a"]).tolist()
    [[5.0, 6.0], [2.0, 4.0]]
    """
    names, place = np.unique(np.array(subjects, dtype=object).astype(str), return_inverse=True)
    if len(names) == len(subjects):
        return values[np.argsort(place)]
    known = ~np.isnan(values)
    total, count = (np.zeros((len(names), *values.shape[1:])) for _ in range(2))
    np.add.at(total, place, np.where(known, values, 0))
    np.add.at(count, place, known)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def subject_means(edges: Edges, runs: NDArray[np.int64], subjects: Sequence[str]) -> Edges:
    """Return edges of subjects for those of runs, to be read in blocks.

    Parameters
    ----------
    edges
        As for `qcfc.qcfc`.
    runs
        The runs, as positions.
    subjects
        The subject of each of these runs.

    Returns
    -------
    callable
        From positions of subjects, in alphabetical order, and a range of edges to their values.
    """

    def read(chosen: NDArray[np.int64], start: int, stop: int) -> Array:
        return mean_rows(edges(runs, start, stop), subjects)[chosen]

    return read
