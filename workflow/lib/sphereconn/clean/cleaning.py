"""Cleaning of signals: detrending, temporal filtering, censoring, regression of confounds, standardisation.

The order follows Lindquist et al. (2019): confounds pass through the same detrending and filter as the signals before
they are regressed out, so that the regression brings nothing back that the filter removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from sphereconn.clean.degrees_of_freedom import effective_degrees_of_freedom
from sphereconn.clean.filters import (
    PadType,
    butterworth,
    butterworth_gain,
    cosine_drifts,
    describe_band,
    frames_of_padding,
    number_of_cosines,
    passed_fraction,
)
from sphereconn.clean.interpolation import Interpolation, fill_censored, least_squares_line
from sphereconn.errors import InputError
from sphereconn.words import counted

Filter = Literal["butterworth", "cosine"]
Standardization = Literal["zscore_sample", "psc", "none"]

# Of a column that detrending or the filter annihilates, rounding leaves 1e-15 of the norm (1e-11 if regression does and
# the confounds are nearly dependent); of any other, more is left than the rounding of float32 files, 1e-7.
_ROUNDING = 1e-10
# A regressor is a linear combination of others when less than this share of it is its own. Tables are written with six
# or more digits, so that dvars and std_dvars, which are proportional, differ by 2e-6; a tissue signal and its square,
# which are not, by 1e-3.
_DEPENDENT = 1e-5
# A mean below this share of a column's largest value is no baseline to take percentages of.
_NO_BASELINE = 1e-6
# Fewer frames determine hardly anything, and no cubic spline.
_FEWEST_FRAMES = 4


class TooLittleLeftError(InputError):
    """Too few frames are kept, or no degree of freedom is left: a run of which nothing can be estimated.

    Attributes
    ----------
    reason : str
        What is wrong, without the advice: a run that is left out for it needs none.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason}; {advice}." if advice else f"{reason}.")
        self.reason = f"{reason}."


@dataclass(frozen=True)
class CleanedSignals:
    """Signals after cleaning, and what was done to them.

    Attributes
    ----------
    signals
        Shape (n_frames_kept, n_nodes); NaN in the whole column of a node without a signal.
    regressors_used
        Names of the confounds and cosines that were regressed out.
    regressors_dropped
        Names of those that had nothing to remove, each with the reason: "constant", "removed by detrending or
        filtering", "linear combination of others".
    degrees_of_freedom
        Number of values that are left in a signal (see `clean_signals`).
    effective_degrees_of_freedom
        Number of independent frames that the signals are worth under the autocorrelation that is left in them (see
        `effective_degrees_of_freedom`).
    n_frames
        Number of frames of the run.
    n_frames_kept
        Number of frames that are not censored.
    n_frames_interpolated
        Number of censored frames that were interpolated while the filter ran.
    """

    signals: NDArray[np.float64]
    regressors_used: list[str]
    regressors_dropped: dict[str, str]
    degrees_of_freedom: float
    effective_degrees_of_freedom: float
    n_frames: int
    n_frames_kept: int
    n_frames_interpolated: int


def clean_signals(
    signals: NDArray[np.floating],
    repetition_time: float,
    *,
    confounds: NDArray[np.floating] | None = None,
    confound_names: Sequence[str] = (),
    detrend: bool = True,
    filter: Filter = "butterworth",
    high_pass: float | None = None,
    low_pass: float | None = None,
    order: int = 5,
    padtype: PadType = "gaussian_process",
    interpolation: Interpolation = "gaussian_process",
    standardize: Standardization = "zscore_sample",
    kept: NDArray[np.bool_] | None = None,
) -> CleanedSignals:
    """Remove from the signals of a run what confounds, drifts and a temporal filter explain.

    In this order, each step on signals and confounds alike:

    1. With the cosine filter, cosine drifts (of the run's full length) join the confounds.
    2. Censored frames are dropped; before a Butterworth filter, which needs evenly spaced frames, those between the
       first and the last kept frame are interpolated instead.
    3. Mean and linear trend over time are subtracted (`detrend`).
    4. The Butterworth filter runs, then the interpolated frames are dropped.
    5. The confounds, centred, are regressed out of the signals. Whatever their scale, order or redundancy, the same
       is removed: a confound of which nothing is left, or that is a linear combination of those before it, is dropped.
    6. The signals are standardised.

    No value of a censored frame is ever read. A node with a value that is not finite in a kept frame is NaN in the
    result, and no other node feels it. A node of which nothing but rounding is left is constant, and zero if z-scored.

    The degrees of freedom are those of white noise that is treated likewise: (kept frames) × (the share of the
    frequencies up to Nyquist that a Butterworth filter passes) − (independent regressors), less one for the mean and
    one for the trend (`detrend`) unless a Butterworth high-pass has taken these away. What is left is autocorrelated
    and worth fewer independent frames, or more where confounds took what the slopes of the filter had left: the
    effective degrees of freedom, estimated from the cleaned signals, are for all that needs a number of samples.

    Parameters
    ----------
    signals
        Shape (n_frames, n_nodes).
    repetition_time
        Seconds from one frame to the next.
    confounds, confound_names
        Shape (n_frames, n_confounds), and the name of each column.
    detrend
        Whether mean and linear trend are subtracted.
    filter
        "butterworth": zero-phase, from `high_pass` to `low_pass` or whichever is given; none if neither is.
        "cosine": regression of all discrete cosines slower than `high_pass`.
    high_pass, low_pass
        Cut-off frequencies in Hz.
    order, padtype
        Of the Butterworth filter, see `butterworth`.
    interpolation
        What censored frames hold while the Butterworth filter runs, see `fill_censored`.
    standardize
        "zscore_sample": mean 0 and sample variance (divisor n - 1) 1. "psc": percent of the node's mean over the kept
        frames of the signals as given, whatever was done since; mean 0; NaN for a node whose mean is zero or too near
        to it (a millionth of its largest value). "none": as they are.
    kept
        Shape (n_frames,), False for censored frames. All are kept by default.

    Returns
    -------
    CleanedSignals

    Raises
    ------
    InputError
        When cut-offs cannot be met, the run is too short for the filter, or confounds are missing in kept frames; a
        ``TooLittleLeftError`` when fewer than four frames are kept, or less than one degree of freedom is left.
    ValueError
        When shapes disagree or `kept` is not boolean.

    References
    ----------
    Lindquist MA, Geuter S, Wager TD, Caffo BS (2019). Modular preprocessing pipelines can reintroduce artifacts into
    fMRI data. Human Brain Mapping 40:2358-2376.
    Power JD et al. (2014). Methods to detect, characterize, and remove motion artifact in resting state fMRI.
    NeuroImage 84:320-341.
    """
    _check_choices(filter, standardize, high_pass, low_pass)
    signals = np.asarray(signals, dtype=np.float64)
    if signals.ndim != 2:
        raise ValueError(f"signals has {signals.ndim} dimensions, not 2.")
    n_frames = len(signals)
    kept = _check_kept(kept, n_frames)
    confounds = _check_confounds(confounds, confound_names, kept)
    names = list(confound_names)
    if filter == "cosine" and high_pass is not None:
        drifts = cosine_drifts(n_frames, repetition_time, high_pass)
        # Before the confounds: if these hold cosines as well, it is those that are redundant.
        confounds = np.hstack([drifts, confounds])
        names = [f"high_pass_cosine_{number:02d}" for number in range(1, drifts.shape[1] + 1)] + names

    usable = np.isfinite(signals[kept]).all(axis=0)
    n_usable = int(np.count_nonzero(usable))
    given = np.hstack([signals[:, usable], confounds])
    band = _band(filter, repetition_time, high_pass, low_pass, detrend)
    if band.words:
        first, last = np.flatnonzero(kept)[[0, -1]]
        n_interpolated = int(np.count_nonzero(~kept[first : last + 1]))
        treated = fill_censored(given[first : last + 1], kept[first : last + 1], repetition_time, interpolation)
        if detrend:
            times = np.arange(len(treated))
            treated = treated - least_squares_line(treated, times, times)
        treated = butterworth(
            treated, repetition_time, high_pass=high_pass, low_pass=low_pass, order=order, padtype=padtype
        )[kept[first : last + 1]]
    else:
        n_interpolated = 0
        treated = given[kept]
        if detrend:
            times = np.flatnonzero(kept)
            treated = treated - least_squares_line(treated, times, times)

    given = given[kept]
    basis, used, dropped = _independent_regressors(given[:, n_usable:], treated[:, n_usable:], names)
    degrees_of_freedom = _degrees_of_freedom(len(given), band, len(used))
    cleaned = treated[:, :n_usable]
    cleaned = cleaned - basis @ (basis.T @ cleaned)

    def power_gain(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        in_hz = frequencies / repetition_time
        return butterworth_gain(in_hz, repetition_time, high_pass=high_pass, low_pass=low_pass, order=order) ** 2

    times = np.flatnonzero(kept)
    # With a high-pass, what the trend took away was not passed in any case.
    removed = np.hstack([_mean_and_trend(times, trend=detrend and band.n_constraints > 0), basis])
    effective = effective_degrees_of_freedom(cleaned, times, removed, power_gain if band.words else None)
    result = np.full((len(given), signals.shape[1]), np.nan)
    result[:, usable] = _standardized(cleaned, given[:, :n_usable], standardize)
    return CleanedSignals(
        signals=result,
        regressors_used=used,
        regressors_dropped=dropped,
        degrees_of_freedom=degrees_of_freedom,
        effective_degrees_of_freedom=effective,
        n_frames=n_frames,
        n_frames_kept=len(given),
        n_frames_interpolated=n_interpolated,
    )


def check_length(
    n_frames: int,
    repetition_time: float,
    n_regressors: int,
    *,
    detrend: bool,
    filter: Filter,
    high_pass: float | None,
    low_pass: float | None,
    order: int,
    padtype: PadType,
) -> None:
    """Check, without its signals, that a run is long enough to be cleaned if none of its frames is censored.

    Parameters
    ----------
    n_frames
        Number of frames of the run.
    repetition_time
        Seconds from one frame to the next.
    n_regressors
        Number of confounds, all taken for independent.
    detrend, filter, high_pass, low_pass, order, padtype
        As for `clean_signals`.

    Raises
    ------
    InputError
        As `clean_signals` does of a run that is too short.
    """
    _check_kept(None, n_frames)
    band = _band(filter, repetition_time, high_pass, low_pass, detrend)
    if band.words:
        frames_of_padding(n_frames, repetition_time, high_pass, low_pass, order, padtype)
    elif filter == "cosine" and high_pass is not None:
        n_regressors += number_of_cosines(n_frames, repetition_time, high_pass)
    _degrees_of_freedom(n_frames, band, n_regressors)


@dataclass(frozen=True)
class _Band:
    """What a temporal filter leaves: a share of the frequencies, and how many constraints beside the regressors.

    ``words`` name the filter, "" for none; the constraints are the mean and the trend, where no high-pass takes them.
    """

    words: str
    passed: float
    n_constraints: int


def _band(
    filter: Filter, repetition_time: float, high_pass: float | None, low_pass: float | None, detrend: bool
) -> _Band:
    if filter != "butterworth" or (high_pass is None and low_pass is None):
        return _Band("", 1.0, 1 + detrend)
    passed = passed_fraction(repetition_time, high_pass, low_pass)
    return _Band(describe_band(high_pass, low_pass), passed, 0 if high_pass is not None else 1 + detrend)


def _check_choices(filter: str, standardize: str, high_pass: float | None, low_pass: float | None) -> None:
    for key, choice, allowed in (
        ("filter", filter, get_args(Filter)),
        ("standardize", standardize, get_args(Standardization)),
    ):
        if choice not in allowed:
            raise InputError(f"{key}: '{choice}' is not one of {', '.join(allowed)}.")
    if filter == "cosine":
        if high_pass is None:
            raise InputError("filter: cosine needs high_pass, the frequency in Hz below which drifts are removed.")
        if low_pass is not None:
            raise InputError(f"low_pass: {low_pass:g} Hz is not possible with filter: cosine; use butterworth.")


def _check_kept(kept: NDArray[np.bool_] | None, n_frames: int) -> NDArray[np.bool_]:
    kept = np.ones(n_frames, dtype=bool) if kept is None else np.asarray(kept)
    if kept.dtype != np.bool_ or kept.shape != (n_frames,):
        raise ValueError(f"kept must be {n_frames} booleans, got {kept.dtype} of shape {kept.shape}.")
    n_kept = np.count_nonzero(kept)
    if n_kept < _FEWEST_FRAMES:
        needed = f"; cleaning needs at least {_FEWEST_FRAMES}"
        if n_kept == n_frames:
            raise TooLittleLeftError(f"The run has {counted(n_frames, 'frame')}{needed}")
        raise TooLittleLeftError(
            f"{n_kept} of the {n_frames} frames are kept{needed}", "min_frames leaves such runs out"
        )
    return kept


def _check_confounds(
    confounds: NDArray[np.floating] | None, names: Sequence[str], kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    confounds = np.empty((len(kept), 0)) if confounds is None else np.asarray(confounds, dtype=np.float64)
    if confounds.shape != (len(kept), len(names)):
        raise ValueError(f"confounds of shape {confounds.shape} do not suit {len(kept)} frames, {len(names)} names.")
    missing = [name for name, column in zip(names, confounds[kept].T, strict=True) if not np.isfinite(column).all()]
    if missing:
        raise InputError(f"Values of the confounds {', '.join(missing)} are missing in frames that are kept.")
    return confounds


def _mean_and_trend(times: NDArray[np.int_], *, trend: bool) -> NDArray[np.float64]:
    """Give the constant, and the line over ``times`` if ``trend``, as orthonormal columns."""
    columns = np.ones((len(times), 1 + trend))
    columns[:, 1:] = (times - times.mean())[:, None]
    return cast(NDArray[np.float64], columns / np.linalg.norm(columns, axis=0))


def _independent_regressors(
    given: NDArray[np.float64], treated: NDArray[np.float64], names: Sequence[str]
) -> tuple[NDArray[np.float64], list[str], dict[str, str]]:
    """Find an orthonormal basis of the centred regressors, column by column (Gram-Schmidt, each column twice).

    Parameters
    ----------
    given, treated
        Regressors in the kept frames, before and after detrending and filter; shape (n_frames_kept, n_regressors).
    names
        One a column.

    Returns
    -------
    basis : ndarray
        Shape (n_frames_kept, rank).
    used : list of str
        Names of the columns that the basis is made of.
    dropped : dict
        Names of the others, each with the reason.
    """
    norms = np.linalg.norm(given, axis=0)
    constant = np.linalg.norm(given - given.mean(axis=0), axis=0) <= _ROUNDING * norms
    treated = treated - treated.mean(axis=0)
    left = np.linalg.norm(treated, axis=0)
    basis = np.empty(given.shape)
    used: list[str] = []
    dropped: dict[str, str] = {}
    for index, name in enumerate(names):
        if constant[index]:
            dropped[name] = "constant"
            continue
        if left[index] <= _ROUNDING * norms[index]:
            dropped[name] = "removed by detrending or filtering"
            continue
        others = basis[:, : len(used)]
        own = treated[:, index] / left[index]
        for _ in range(2):
            own = own - others @ (others.T @ own)
        share = np.linalg.norm(own)
        if share <= _DEPENDENT:
            dropped[name] = "linear combination of others"
            continue
        basis[:, len(used)] = own / share
        used.append(name)
    return basis[:, : len(used)], used, dropped


def _degrees_of_freedom(n_kept: int, band: _Band, n_regressors: int) -> float:
    """Count what a filter and a regression leave of the kept frames."""
    degrees_of_freedom = n_kept * band.passed - n_regressors - band.n_constraints
    if degrees_of_freedom < 1:
        after = f" ({n_kept * band.passed:.4g} after the {band.words})" if band.words else ""
        constraints = ("", " and the mean", ", mean and trend")[band.n_constraints]
        raise TooLittleLeftError(
            f"{n_regressors} independent regressors{constraints} leave less than one degree of freedom in the {n_kept}"
            f" frames kept{after}",
            "use fewer confounds, censor less or filter less, or leave such runs out by min_degrees_of_freedom",
        )
    return degrees_of_freedom


def _standardized(
    cleaned: NDArray[np.float64], given: NDArray[np.float64], standardize: Standardization
) -> NDArray[np.float64]:
    mean = cleaned.mean(axis=0)
    centred = cleaned - mean
    flat = np.linalg.norm(centred, axis=0) <= _ROUNDING * np.linalg.norm(given, axis=0)
    centred[:, flat] = 0.0
    if standardize == "zscore_sample":
        deviation = centred.std(axis=0, ddof=1)
        return cast(NDArray[np.float64], centred / np.where(flat, 1.0, deviation))
    if standardize == "psc":
        baseline = np.abs(given.mean(axis=0))
        undefined = baseline <= _NO_BASELINE * np.abs(given).max(axis=0)
        return cast(NDArray[np.float64], 100 * centred / np.where(undefined, np.nan, baseline))
    return cast(NDArray[np.float64], centred + mean)
