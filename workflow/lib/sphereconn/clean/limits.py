"""What a run must have to be cleaned at all, and what is said of one that is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.clean.censoring import too_few_degrees_of_freedom, too_much_motion, too_short
from sphereconn.clean.cleaning import CleanedSignals, TooLittleLeftError, clean_signals
from sphereconn.clean.strategies import RunConfounds


@dataclass(frozen=True)
class Limits:
    """The least that a run must have, and the most motion that it may have (mm); None for no such limit."""

    min_frames: int | None = None
    min_minutes: float | None = None
    min_degrees_of_freedom: float | None = None
    max_mean_framewise_displacement: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What cleaning made of a run: the signals, None where there are none, and why the run is left out, if it is."""

    result: CleanedSignals | None
    left_out: str | None

    def signals(self, n_nodes: int) -> NDArray[np.float64]:
        """Return the cleaned signals, shape (n_frames_kept, n_nodes), without a frame where the run is left out."""
        return np.empty((0, n_nodes)) if self.left_out or not self.result else self.result.signals

    def described(self) -> dict[str, Any]:
        """Return what the sidecar of the signals says of it."""
        result = self.result
        return {
            **({"LeftOut": self.left_out} if self.left_out else {}),
            "ConfoundRegressors": result.regressors_used if result else [],
            "ConfoundRegressorsDropped": result.regressors_dropped if result else {},
            "DegreesOfFreedom": result.degrees_of_freedom if result else None,
            "EffectiveDegreesOfFreedom": result.effective_degrees_of_freedom if result else None,
        }


def clean_within_limits(
    signals: NDArray[np.floating], repetition_time: float, run: RunConfounds, limits: Limits, **settings: Any
) -> Outcome:
    """Clean the signals of a run, or leave it out with the reason.

    Parameters
    ----------
    signals
        Shape (n_frames, n_nodes).
    repetition_time
        Seconds from one frame to the next.
    run
        The confounds of the run, and the frames of it that are kept.
    limits
        What the run must have.
    settings
        Further settings of `clean_signals`.

    Raises
    ------
    InputError
        As `clean_signals` does, and when the motion of a run with a limit is not known.
    """
    short = too_short(
        int(run.censoring.kept.sum()), len(signals), repetition_time, limits.min_frames, limits.min_minutes
    )
    left_out = short or too_much_motion(run.mean_framewise_displacement(), limits.max_mean_framewise_displacement)
    if left_out:
        return Outcome(None, left_out)
    try:
        result = clean_signals(
            signals,
            repetition_time,
            confounds=run.values,
            confound_names=run.names,
            kept=run.censoring.kept,
            **settings,
        )
    except TooLittleLeftError as problem:
        if limits.min_degrees_of_freedom is None:
            raise
        return Outcome(None, problem.reason)
    few = too_few_degrees_of_freedom(result.effective_degrees_of_freedom, limits.min_degrees_of_freedom)
    return Outcome(result, few)
