"""Which frames of a run are censored, for what reason, and whether enough are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError

NON_STEADY_STATE, SHORT_SEGMENT, NO_DATA = "NonSteadyState", "ShortSegment", "NoData"


@dataclass(frozen=True)
class Censoring:
    """The frames that are kept, shape (n_frames,), and for each reason the frames censored for it, counted from 0."""

    kept: NDArray[np.bool_]
    reasons: Mapping[str, list[int]]

    @property
    def n_non_steady_state(self) -> int:
        """Number of frames censored because the scanner was not in a steady state."""
        return len(self.reasons.get(NON_STEADY_STATE, []))

    @property
    def n_scrubbed(self) -> int:
        """Number of the other censored frames: those with motion, and those in segments that this leaves too short."""
        others = {*self.reasons.get(NON_STEADY_STATE, []), *self.reasons.get(NO_DATA, [])}
        return int(np.count_nonzero(~self.kept)) - len(others)

    @property
    def n_without_data(self) -> int:
        """Number of frames of which the image has no data."""
        return len(self.reasons.get(NO_DATA, []))


def censor(
    n_frames: int,
    non_steady_state: NDArray[np.bool_] | None = None,
    traces: Mapping[str, tuple[NDArray[np.float64], float]] | None = None,
    min_segment: int = 0,
    without_data: Sequence[int] = (),
) -> Censoring:
    """Censor frames that precede the steady state, follow motion or have no data, and what is left between too closely.

    Parameters
    ----------
    n_frames
        Number of frames of the run.
    non_steady_state
        Shape (n_frames,), True for frames before the steady state of the scanner.
    traces
        By reason, a measure of motion, shape (n_frames,), and the threshold above which (not at which) a frame is
        censored. A frame without a value, such as the first, is not.
    min_segment
        Where motion was found, a stretch of fewer kept frames in a row is censored as well, wherever in the run it
        lies.
    without_data
        Frames, counted from 0, that the image has no data of.

    Returns
    -------
    Censoring
        A frame may have several reasons; short segments are listed without the frames that have others.

    References
    ----------
    Power JD et al. (2012). Spurious but systematic correlations in functional connectivity MRI networks arise from
    subject motion. NeuroImage 59:2142-2154.
    Power JD et al. (2014). Methods to detect, characterize, and remove motion artifact in resting state fMRI.
    NeuroImage 84:320-341.
    """
    masks: dict[str, NDArray[np.bool_]] = {}
    if non_steady_state is not None:
        masks[NON_STEADY_STATE] = non_steady_state
    if len(without_data):
        masks[NO_DATA] = np.isin(np.arange(n_frames), without_data)
    moved = np.zeros(n_frames, dtype=bool)
    for reason, (values, threshold) in (traces or {}).items():
        masks[reason] = values > threshold  # False for NaN
        moved |= masks[reason]
    censored = np.any([np.zeros(n_frames, dtype=bool), *masks.values()], axis=0)
    if moved.any():
        masks[SHORT_SEGMENT] = _short_segments(~censored, min_segment)
        censored = censored | masks[SHORT_SEGMENT]
    reasons = {reason: np.flatnonzero(mask).tolist() for reason, mask in masks.items()}
    return Censoring(~censored, reasons)


def stretches(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where each stretch of neighbouring frames that are marked begins, and where the first after it is."""
    edges = np.diff(np.concatenate([[False], marked, [False]]).astype(int))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _short_segments(kept: NDArray[np.bool_], min_segment: int) -> NDArray[np.bool_]:
    short = np.zeros(len(kept), dtype=bool)
    for start, stop in stretches(kept):
        short[start:stop] = stop - start < min_segment
    return short


def too_short(
    n_kept: int, n_frames: int, repetition_time: float, min_frames: int | None, min_minutes: float | None
) -> str | None:
    """Say in a sentence why a run is left out: fewer frames or minutes are kept than a denoising asks for.

    None when there are enough. Minutes are the frames kept times the repetition time, in seconds, by 60.
    """
    minutes = n_kept * repetition_time / 60
    kept = f"{n_kept} of {n_frames} frames ({minutes:.2f} minutes) are left after censoring"
    if min_frames is not None and n_kept < min_frames:
        return f"{kept}, fewer than min_frames requires ({min_frames})."
    # A whole number of frames that makes the minutes on paper may fall short by rounding.
    if min_minutes is not None and minutes < min_minutes * (1 - 1e-12):
        return f"{kept}, less than min_minutes requires ({min_minutes:g})."
    return None


def too_much_motion(mean: float | None, most: float | None) -> str | None:
    """Say in a sentence why a run is left out: its mean framewise displacement, in mm, is above what is allowed.

    None when it is not, or ``most`` is None.

    Raises
    ------
    InputError
        When the mean is not known.
    """
    if most is None:
        return None
    if mean is None:
        raise InputError(
            f"max_mean_framewise_displacement: {most:g} mm cannot be compared, since the confounds table has no"
            " values in a column 'framewise_displacement'."
        )
    if mean <= most:
        return None
    return (
        f"The mean framewise displacement is {mean:.3f} mm, more than max_mean_framewise_displacement allows"
        f" ({most:g})."
    )


def too_few_degrees_of_freedom(effective: float, least: float | None) -> str | None:
    """Say in a sentence why a run is left out: its effective degrees of freedom; None when they are enough."""
    if least is None or effective >= least:
        return None
    return (
        f"{effective:.1f} effective degrees of freedom are left in the cleaned signals, fewer than"
        f" min_degrees_of_freedom requires ({least:g})."
    )
