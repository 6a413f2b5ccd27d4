"""What a denoising costs: runs, frames and degrees of freedom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sphereconn.files import MISSING, to_number


@dataclass(frozen=True)
class Losses:
    """What is left of the runs after a denoising, means over those that are used; NaN where it is not known.

    Attributes
    ----------
    frames
        Frames before cleaning.
    frames_kept
        Share of the frames that censoring left.
    degrees_of_freedom
        Per frame of the run: what censoring, filter and regressors left of white noise.
    effective_degrees_of_freedom
        Number of independent frames that would make correlations as precise, see ``clean.degrees_of_freedom``.
    regressors
        Number of confounds that were regressed out.
    """

    frames: float
    frames_kept: float
    degrees_of_freedom: float
    effective_degrees_of_freedom: float
    regressors: float


def losses_of(rows: Sequence[Mapping[str, str]]) -> Losses:
    """Return what is left of runs.

    Parameters
    ----------
    rows
        One a run, from column to text: ``frames``, ``frames_kept``, ``degrees_of_freedom``,
        ``effective_degrees_of_freedom``, ``regressors``.

    Examples
    --------
    >>> row = {"frames": "200", "frames_kept": "150", "degrees_of_freedom": "40", "regressors": "8"}
    >>> losses_of([row | {"effective_degrees_of_freedom": "30"}])  # doctest: +NORMALIZE_WHITESPACE
    Losses(frames=200.0, frames_kept=0.75, degrees_of_freedom=0.2, effective_degrees_of_freedom=30.0,
    regressors=8.0)
    """
    names = ("frames", "frames_kept", "degrees_of_freedom", "effective_degrees_of_freedom", "regressors")
    cells = [[_number(row.get(name, MISSING)) for name in names] for row in rows]
    frames, kept, freedom, effective, regressors = np.array(cells, dtype=float).reshape(len(rows), len(names)).T
    return Losses(*map(_mean, (frames, kept / frames, freedom / frames, effective, regressors)))


def _number(cell: str) -> float:
    try:
        return to_number(cell)
    except ValueError:
        return float("nan")


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
