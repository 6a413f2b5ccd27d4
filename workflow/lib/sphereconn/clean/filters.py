"""Temporal filters: the zero-phase Butterworth filter, and discrete cosines that regress slow drifts out.

On numpy alone: importing ``scipy.signal`` costs a job about a second, filtering a run costs hundredths of one.
"""

from __future__ import annotations

import cmath
import math
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from sphereconn.clean.interpolation import continued
from sphereconn.errors import InputError

PadType = Literal["gaussian_process", "odd", "even", "constant", "none"]

# A run is continued for so many seconds beyond its ends: from 60 s on, correlations are as good as they get.
_CONTINUED = 100.0
# How numpy.pad calls the extensions of a run that repeat its values.
_PAD_ARGUMENTS: dict[str, dict[str, str]] = {
    "odd": {"mode": "reflect", "reflect_type": "odd"},
    "even": {"mode": "reflect", "reflect_type": "even"},
    "constant": {"mode": "edge"},
}


def check_cutoffs(repetition_time: float, high_pass: float | None, low_pass: float | None) -> None:
    """Check that the cut-offs can be met by a run of this repetition time.

    Parameters
    ----------
    repetition_time
        Seconds from one frame to the next.
    high_pass, low_pass
        Cut-off frequencies in Hz; None for no such filter.

    Raises
    ------
    InputError
        When the repetition time is not positive, when a cut-off does not lie between 0 and the Nyquist frequency, both
        exclusive, or when the high-pass is not below the low-pass. A cut-off beyond Nyquist is not quietly moved:
        what would be filtered is then not what was asked for.
    """
    if not (np.isfinite(repetition_time) and repetition_time > 0):
        raise InputError(f"The repetition time is {repetition_time} s; a filter needs a positive number of seconds.")
    nyquist = 0.5 / repetition_time
    for name, cutoff in (("high_pass", high_pass), ("low_pass", low_pass)):
        if cutoff is not None and not 0 < cutoff < nyquist:
            raise InputError(
                f"{name}: {cutoff:g} Hz does not lie between 0 and the Nyquist frequency, both exclusive, which is"
                f" {nyquist:.6g} Hz at the repetition time of {repetition_time:g} s."
            )
    if high_pass is not None and low_pass is not None and high_pass >= low_pass:
        raise InputError(f"high_pass ({high_pass:g} Hz) must be below low_pass ({low_pass:g} Hz).")


def passed_fraction(repetition_time: float, high_pass: float | None, low_pass: float | None) -> float:
    """Give the share of the frequencies from 0 to Nyquist that lies between the cut-offs."""
    nyquist = 0.5 / repetition_time
    return ((nyquist if low_pass is None else low_pass) - (high_pass or 0.0)) / nyquist


def describe_band(high_pass: float | None, low_pass: float | None) -> str:
    """Name a filter for people: "0.01-0.1 Hz band-pass", "0.01 Hz high-pass", "0.1 Hz low-pass"."""
    if high_pass is not None and low_pass is not None:
        return f"{high_pass:g}-{low_pass:g} Hz band-pass"
    return f"{high_pass:g} Hz high-pass" if low_pass is None else f"{low_pass:g} Hz low-pass"


def butterworth(
    signals: NDArray[np.float64],
    repetition_time: float,
    *,
    high_pass: float | None = None,
    low_pass: float | None = None,
    order: int = 5,
    padtype: PadType = "gaussian_process",
) -> NDArray[np.float64]:
    """Filter signals forwards and backwards with a Butterworth filter, so that no phase is shifted.

    The gain is that of the filter squared, thus one half at a cut-off. Both cut-offs make a band-pass (of twice the
    order), none leaves the signals as they are.

    Parameters
    ----------
    signals
        Shape (n_frames, n_signals).
    repetition_time
        Seconds from one frame to the next.
    high_pass, low_pass
        Cut-off frequencies in Hz.
    order
        Order of the low-pass prototype.
    padtype
        How a run goes on beyond its ends while it is filtered: for 100 s by the expectation of a Gaussian process
        (see `interpolation.continued`); by point reflection ("odd"), by mirroring ("even") or by its end value
        ("constant"), for three frames for every coefficient of the filter (33 at each end for a band-pass of order 5),
        as scipy and nilearn; or not at all ("none").

    Returns
    -------
    ndarray
        A new array of shape (n_frames, n_signals).

    Raises
    ------
    InputError
        When a cut-off cannot be met (see `check_cutoffs`), the order is not a positive integer, the pad type is
        unknown, or the run is not longer than a padding that repeats its values.

    References
    ----------
    Oppenheim AV, Schafer RW (2010). Discrete-Time Signal Processing, 3rd edition, chapter 7: filter design by the
    bilinear transformation.
    """
    if padtype not in get_args(PadType):
        raise InputError(f"padtype: '{padtype}' is not one of {', '.join(get_args(PadType))}.")
    if order < 1:
        raise InputError(f"order: {order} is not a positive integer.")
    check_cutoffs(repetition_time, high_pass, low_pass)
    if high_pass is None and low_pass is None:
        return signals.copy()

    n_padding = frames_of_padding(len(signals), repetition_time, high_pass, low_pass, order, padtype)
    sections = _design(order, repetition_time, high_pass, low_pass)
    steady_gain = 1.0 if high_pass is None else 0.0
    padded = signals
    if padtype == "gaussian_process":
        padded = continued(signals, repetition_time, n_padding)
    elif n_padding:
        # The stubs of numpy.pad know only literal modes.
        padded = np.pad(signals, ((n_padding, n_padding), (0, 0)), **_PAD_ARGUMENTS[padtype])  # type: ignore[call-overload]
    for _ in ("forwards", "backwards"):
        # A filter that had always seen the first value answers its steady gain times that value; being linear, it adds
        # to that what it makes, from rest, of the departures from the first value.
        first = padded[0]
        padded = (_filter_from_rest(sections, padded - first) + steady_gain * first)[::-1]
    return cast(NDArray[np.float64], np.ascontiguousarray(padded[n_padding : n_padding + len(signals)]))


def frames_of_padding(
    n_frames: int,
    repetition_time: float,
    high_pass: float | None,
    low_pass: float | None,
    order: int,
    padtype: PadType,
) -> int:
    """Return for how many frames a run goes on beyond each of its ends while it is filtered (see `butterworth`).

    Raises
    ------
    InputError
        When the run is not longer than a padding that repeats its values.
    """
    n_poles = 2 * order if high_pass is not None and low_pass is not None else order
    n_padding = {"none": 0, "gaussian_process": math.ceil(_CONTINUED / repetition_time)}.get(padtype, 3 * (n_poles + 1))
    if padtype in _PAD_ARGUMENTS and n_frames <= n_padding:
        raise InputError(
            f"{n_frames} frames are too few for the {describe_band(high_pass, low_pass)} of order {order}"
            f" and padtype: {padtype} ({n_padding + 1} needed)."
        )
    return n_padding


def butterworth_gain(
    frequencies: NDArray[np.float64],
    repetition_time: float,
    *,
    high_pass: float | None = None,
    low_pass: float | None = None,
    order: int = 5,
) -> NDArray[np.float64]:
    """Give the factor by which `butterworth` multiplies the amplitude of each frequency, 0 to 1.

    Parameters
    ----------
    frequencies
        In Hz, from 0 to the Nyquist frequency.
    repetition_time, high_pass, low_pass, order
        As for `butterworth`.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    if high_pass is None and low_pass is None:
        return np.ones_like(frequencies)
    # Just below Nyquist, where the tangent has its pole.
    analogue = np.tan(np.minimum(np.pi * frequencies * repetition_time, np.pi / 2 - 1e-9))
    high = 0.0 if high_pass is None else _analogue(high_pass, repetition_time)
    with np.errstate(divide="ignore"):
        if low_pass is None:
            departure = high / analogue
        else:
            low = _analogue(low_pass, repetition_time)
            departure = (analogue - (high * low / analogue if high else 0.0)) / (low - high)
        return 1 / (1 + departure ** (2 * order))


def _filter_from_rest(
    sections: list[tuple[NDArray[np.float64], NDArray[np.float64]]], signals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Pass signals, shape (n_frames, n_signals), through one second-order section after the other."""
    for (b0, b1, b2), (_, a1, a2) in sections:
        output = np.zeros((len(signals) + 2, signals.shape[1]))  # two rows of rest, then the frames
        output[2:] = b0 * signals
        output[3:] += b1 * signals[:-1]
        output[4:] += b2 * signals[:-2]
        feedback = np.array([a2, a1])
        for frame in range(len(signals)):
            output[frame + 2] -= feedback @ output[frame : frame + 2]
        signals = output[2:]
    return signals


def _design(
    order: int, repetition_time: float, high_pass: float | None, low_pass: float | None
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Design a digital Butterworth filter by the bilinear transform, as sections (numerator, denominator) of order 2.

    Every section has the gain 1 at the frequency where the whole filter has it, so that none is handed values much
    larger or smaller than the signals are; their order then matters to no digit.
    """
    # Unit prototype: poles on the left half of the unit circle; those of the upper half stand for the conjugate pairs.
    angles = np.pi * (2 * np.arange(order // 2) + 1) / (2 * order)
    pairs = -np.sin(angles) + 1j * np.cos(angles)

    poles: list[tuple[complex, ...]]  # of each section, on the analogue axis
    zeros: list[tuple[int, ...]]  # of each section, on the digital one
    if high_pass is not None and low_pass is not None:
        high, low = _analogue(high_pass, repetition_time), _analogue(low_pass, repetition_time)
        centre = math.sqrt(high * low)
        poles, zeros = [], []
        for pole in pairs:
            upper, lower = _band_poles(pole, low - high, centre)
            poles += [(upper, upper.conjugate()), (lower, lower.conjugate())]
            zeros += [(-1, -1), (1, 1)]  # each pair of poles beside the zeros of its own edge of the band
        if order % 2:
            poles.append(_band_poles(-1.0, low - high, centre))
            zeros.append((1, -1))
        unit_gain_at = (1 + 1j * centre) / (1 - 1j * centre)
    else:
        zero = -1 if high_pass is None else 1
        cut = _analogue(cast(float, low_pass if high_pass is None else high_pass), repetition_time)
        poles = [(cut * pole**-zero, cut * pole.conjugate() ** -zero) for pole in pairs]
        zeros = [(zero, zero)] * len(pairs)
        if order % 2:
            poles.append((-cut,))
            zeros.append((zero,))
        unit_gain_at = complex(-zero)

    sections = []
    for section_poles, section_zeros in zip(poles, zeros, strict=True):
        digital = [(1 + pole) / (1 - pole) for pole in section_poles]
        denominator = np.zeros(3)
        numerator = np.zeros(3)
        denominator[: len(digital) + 1] = np.poly(digital).real
        numerator[: len(digital) + 1] = np.poly(section_zeros)
        numerator *= np.abs(np.polyval(denominator, unit_gain_at) / np.polyval(numerator, unit_gain_at))
        sections.append((numerator, denominator))
    return sections


def _analogue(cutoff: float, repetition_time: float) -> float:
    """Give the frequency on the analogue axis that z = (1 + s) / (1 - s) takes back to a cut-off in Hz."""
    return math.tan(math.pi * cutoff * repetition_time)


def _band_poles(pole: complex, width: float, centre: float) -> tuple[complex, complex]:
    """Give the two analogue poles that one prototype pole becomes in a band-pass: of the upper and the lower edge."""
    half = complex(pole) * width / 2
    root = cmath.sqrt(half**2 - centre**2)
    upper = half + root if abs(half + root) >= abs(half - root) else half - root
    return upper, centre**2 / upper  # their product is centre²; half - root would cancel in a wide band


def cosine_drifts(n_frames: int, repetition_time: float, high_pass: float) -> NDArray[np.float64]:
    """Build the discrete cosines (DCT-II) that are slower than a cut-off, to be regressed out as drifts.

    Column k - 1 is sqrt(2 / n) cos(pi k (t + 1/2) / n) for k up to 2 n TR high_pass, with n frames; the constant is
    not among them. As in SPM and fMRIPrep.

    Parameters
    ----------
    n_frames
        Number of frames.
    repetition_time
        Seconds from one frame to the next.
    high_pass
        Cut-off frequency in Hz.

    Returns
    -------
    ndarray
        Shape (n_frames, n_cosines), orthonormal columns; none when half a period at the cut-off outlasts the run.

    Raises
    ------
    InputError
        When the cut-off cannot be met (see `check_cutoffs`).
    """
    check_cutoffs(repetition_time, high_pass, None)
    numbers = np.arange(1, number_of_cosines(n_frames, repetition_time, high_pass) + 1)
    frames = np.arange(n_frames)[:, None] + 0.5
    return cast(NDArray[np.float64], np.sqrt(2 / n_frames) * np.cos(np.pi / n_frames * frames * numbers))


def number_of_cosines(n_frames: int, repetition_time: float, high_pass: float) -> int:
    """Return how many discrete cosines are slower than a cut-off (see `cosine_drifts`)."""
    # Rounded, so that 2 × 200 × 0.01 × 2.3 counts 9.2 and a product that is whole on paper is whole here.
    return min(n_frames - 1, int(round(2 * n_frames * repetition_time * high_pass, 9)))
