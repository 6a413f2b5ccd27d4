"""Mean and standard deviation of each edge over a group of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sphereconn.aggregate.stack import open_stack, stack_rows

# How far from 1 rounding may put the correlation of two nodes with the same signal.
CORRELATION_TOLERANCE = 1e-9


@dataclass(frozen=True)
class GroupMoments:
    """Moments of each edge over the runs that have it, arrays of shape (n_edges,).

    Attributes
    ----------
    mean : ndarray
        With Fisher's z the mean of arctanh(r) brought back by tanh, so a correlation; NaN where no run has the edge. A
        correlation of 1 or -1 is none: two nodes with the same signal say nothing of a connection, and one such run
        would decide the mean, whatever the others say.
    standard_deviation : ndarray
        With the divisor n - 1. With Fisher's z it is left in units of z, in which correlations of all sizes spread
        alike (tanh of it would mean nothing). NaN where fewer than two runs have the edge.
    n_runs : ndarray of int
        Runs that have the edge: it is missing in a run where one of its nodes is, or both have the same signal.
    """

    mean: np.ndarray
    standard_deviation: np.ndarray
    n_runs: np.ndarray


def group_moments(stack: str | Path | np.ndarray, rows: Sequence[int], *, fisher_z: bool) -> GroupMoments:
    """Compute mean and standard deviation of each edge over the selected runs of a stack.

    Runs are taken one after the other, in the order in which they are stacked; mean and squared deviations are updated
    by Welford's recurrence, which is stable where sums of squares cancel and reads each run once. When ``stack`` is a
    path, the memory needed is that of a few edge vectors, whatever the number of runs. The order of ``rows`` changes
    nothing; runs stacked in another order change the result by rounding only.

    Parameters
    ----------
    stack : path, or ndarray of shape (n_runs, n_edges)
        As ``stack.write_stack`` writes it. NaN marks an edge that a run does not have.
    rows : sequence of int
        The runs of the group, as positions in the stack. With none, no edge has a mean.
    fisher_z : bool
        Average arctanh(r) instead of r; for correlations and partial correlations only.

    Raises
    ------
    ValueError
        When a run is selected twice or does not exist, or a value to be z-transformed is not a correlation.

    References
    ----------
    Welford BP (1962). Note on a method for calculating corrected sums of squares and products. Technometrics
    4:419-420.
    Fisher RA (1915). Frequency distribution of the values of the correlation coefficient in samples from an
    indefinitely large population. Biometrika 10:507-521.
    """
    n_stacked, n_edges = stack.shape if isinstance(stack, np.ndarray) else open_stack(stack).shape
    ordered = sorted(set(rows))
    if len(ordered) < len(rows):
        raise ValueError("a run is selected twice")
    if ordered and (ordered[0] < 0 or ordered[-1] >= n_stacked):
        raise ValueError(f"runs {ordered[0]} to {ordered[-1]} are selected, the stack has 0 to {n_stacked - 1}")
    runs = (stack[row] for row in ordered) if isinstance(stack, np.ndarray) else stack_rows(stack, ordered)
    moments = running_moments((fisher_z_of(values) if fisher_z else values for values in runs), n_edges)
    mean = np.tanh(moments.mean) if fisher_z else moments.mean
    return GroupMoments(mean, moments.standard_deviation, moments.n_runs)


def running_moments(runs: Iterable[np.ndarray], n_values: int) -> GroupMoments:
    """Return mean and standard deviation of each value over the runs that have it, by Welford's recurrence.

    Parameters
    ----------
    runs
        Values of each run, shape (n_values,); NaN where a run has none. One run is held at a time.
    n_values
        Values of a run.
    """
    n_runs = np.zeros(n_values, dtype=np.int64)
    mean = np.zeros(n_values)
    squares = np.zeros(n_values)  # squared deviations from the mean, summed
    for values in runs:
        known = ~np.isnan(values)
        n_runs += known
        deviation = np.where(known, values - mean, 0.0)
        step = deviation / np.maximum(n_runs, 1)
        mean += step
        squares += deviation * (deviation - step)
    mean[n_runs == 0] = np.nan
    variance = np.where(n_runs > 1, squares, np.nan) / np.maximum(n_runs - 1, 1)
    return GroupMoments(mean, np.sqrt(variance), n_runs)


def fisher_z_of(correlations: np.ndarray) -> np.ndarray:
    """Give arctanh(r); NaN for 1 and -1, up to rounding; ``ValueError`` when a value is beyond."""
    size = np.abs(correlations)
    if (size > 1 + CORRELATION_TOLERANCE).any():
        raise ValueError("Fisher's z is defined for correlations, and a value lies outside -1 to 1")
    z: np.ndarray = np.arctanh(np.where(size < 1 - CORRELATION_TOLERANCE, correlations, np.nan))
    return z
