"""Several runs of a subject as one: signals joined in time, or connectomes averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sphereconn.aggregate.moments import fisher_z_of
from sphereconn.connect.connectivity import standardize
from sphereconn.connect.edges import edge_vector, matrix_from_edges
from sphereconn.errors import InputError

SUMMED = (
    "NumberOfVolumes",
    "NumberOfVolumesKept",
    "NumberOfVolumesDiscardedByMotionScrubbing",
    "NumberOfVolumesDiscardedByNonsteadyStatesDetector",
    "NumberOfVolumesWithoutData",
)
OF_EACH = ("NumberOfVolumes", "NumberOfVolumesKept", "DegreesOfFreedom", "EffectiveDegreesOfFreedom")
# Headers hold repetition times as 32-bit numbers, sidecars as text: the same one may differ in the last digits.
SAME_REPETITION_TIME = 1e-3

Sidecar = Mapping[str, Any]


def concatenate_signals(runs: Sequence[np.ndarray]) -> np.ndarray:
    """Join the signals of runs in time, each z-scored within its run.

    Without that, a run in which the signals vary more, or about another mean, would weigh more in the covariance, and
    the difference between runs would be taken for connectivity.

    Parameters
    ----------
    runs : sequence of ndarray of shape (n_frames, n_nodes)
        Cleaned signals in any unit; the runs may differ in length. A node without a signal is a column of NaN.

    Returns
    -------
    ndarray of shape (sum of n_frames, n_nodes)
        Mean 0 and population standard deviation 1 in every run. A node that is missing or constant in one run is NaN
        throughout: part of the frames would be another sample than that of the other nodes.

    Raises
    ------
    InputError
        When a run has fewer than two frames.
    ValueError
        When there is no run, or a column is NaN or infinite in some frames only.
    """
    scored = [standardize(run) for run in runs]
    usable = np.all([kept for _, kept in scored], axis=0)
    joined = np.full((sum(map(len, runs)), len(usable)), np.nan)
    joined[:, usable] = np.concatenate([z[:, usable[kept]] for z, kept in scored])
    return joined


def average_connectomes(
    matrices: Sequence[np.ndarray], *, diagonal: bool, weights: Sequence[float] | None = None
) -> np.ndarray:
    """Average the connectomes of runs: correlations as Fisher's z, each edge where it is known.

    Fisher's z varies by the inverse of the degrees of freedom, so weights in proportion to these make the mean that
    varies least.

    Parameters
    ----------
    matrices : sequence of ndarray of shape (n_nodes, n_nodes)
        Symmetric; NaN marks what a run does not have.
    diagonal : bool
        Whether the diagonal means something: True for covariances and precisions; correlations have 1 there.
    weights : sequence of float, optional
        Of the runs, above 0; equal by default.

    Returns
    -------
    ndarray of shape (n_nodes, n_nodes)
        NaN where no run has the edge. A correlation of 1 or -1, of two nodes with the same signal, is none.

    Raises
    ------
    ValueError
        When a matrix is not symmetric, or a value to be z-transformed is not a correlation.
    """
    stack = np.array([edge_vector(matrix, diagonal) for matrix in matrices])
    values = stack if diagonal else fisher_z_of(stack)
    known = ~np.isnan(values)
    shares = known * np.asarray([1.0] * len(stack) if weights is None else weights)[:, None]
    with np.errstate(invalid="ignore"):
        mean = (shares * np.where(known, values, 0.0)).sum(axis=0) / shares.sum(axis=0)
    return matrix_from_edges(mean if diagonal else np.tanh(mean), len(matrices[0]), diagonal, 1.0)


def combined_frames(runs: Sequence[str], sidecars: Sequence[Sidecar]) -> dict[str, Any]:
    """Say for the sidecar of combined runs which these are and how many frames they have.

    Parameters
    ----------
    runs : sequence of str
        What the runs are called.
    sidecars : sequence of mapping
        Those of their cleaned signals or connectomes; a run with the key ``LeftOut`` is left out.

    Returns
    -------
    dict
        ``RunsCombined``, with the frames and degrees of freedom of each; ``RunsLeftOut``, the reason by run; the sums
        of frames; the mean of head motion, weighted by frames; ``LeftOut`` when no run is left.
    """
    left_out = {run: item["LeftOut"] for run, item in zip(runs, sidecars, strict=True) if "LeftOut" in item}
    kept = [item for item in sidecars if "LeftOut" not in item]
    names = [run for run in runs if run not in left_out]
    reasons = " ".join(f"{run}: {reason}" for run, reason in left_out.items())
    return {
        **({} if kept else {"LeftOut": f"Every run is left out. {reasons}"}),
        "RunsCombined": [
            {"Name": run, **{key: item[key] for key in OF_EACH}} for run, item in zip(names, kept, strict=True)
        ],
        "RunsLeftOut": left_out,
        **{key: sum(item[key] for item in kept) for key in SUMMED},
        "MeanFramewiseDisplacement": _weighted_mean(kept, "MeanFramewiseDisplacement", "NumberOfVolumes"),
    }


def joined_censoring(sidecars: Sequence[Sidecar]) -> dict[str, list[int]]:
    """List the censored frames of runs joined in time by reason, counted on through the runs."""
    joined: dict[str, list[int]] = {}
    start = 0
    for sidecar in sidecars:
        for reason, frames in sidecar["CensoredVolumes"].items():
            joined.setdefault(reason, []).extend(start + frame for frame in frames)
        start += sidecar["NumberOfVolumes"]
    return joined


def combined_degrees_of_freedom(runs: Sequence[Sidecar], weights: Sequence[float]) -> float | None:
    """Give the effective degrees of freedom of combined runs; None for no run.

    The correlation of the whole is the mean of those of the runs, weighted by w, with the variance Σ (w² / ν) / (Σ w)².
    For runs that are joined in time, each z-scored within itself, w is the number of frames. Where the runs' ν are in
    proportion to their weights, they add up; elsewhere the whole is worth less than their sum.
    """
    if not runs:
        return None
    spread = (w**2 / run["EffectiveDegreesOfFreedom"] for w, run in zip(weights, runs, strict=True))
    return float(sum(weights) ** 2 / sum(spread))


def weights_of(runs: Sequence[Sidecar], weights: str) -> list[float]:
    """Give the weights of runs in an average: ``degrees_of_freedom``, the effective ones of each, or ``equal``."""
    return [1.0 if weights == "equal" else run["EffectiveDegreesOfFreedom"] for run in runs]


def common_repetition_time(runs: Sequence[str], sidecars: Sequence[Sidecar]) -> float:
    """Give the repetition time that runs share, in seconds.

    Raises
    ------
    InputError
        When two runs differ: a frame would not be the same share of time in all.
    """
    seconds: list[float] = [sidecar["RepetitionTime"] for sidecar in sidecars]
    for run, other in zip(runs, seconds, strict=True):
        if not math.isclose(other, seconds[0], rel_tol=SAME_REPETITION_TIME):
            raise InputError(
                f"{run}: its repetition time is {other:g} s, and that of {runs[0]} {seconds[0]:g} s; concatenated runs"
                " must have the same repetition time; use combine.how: average, or combine over other columns."
            )
    return seconds[0]


def _weighted_mean(sidecars: Sequence[Sidecar], key: str, weight: str) -> float | None:
    values, weights = ([sidecar[name] for sidecar in sidecars] for name in (key, weight))
    return None if None in values or not values else float(np.average(values, weights=weights))
