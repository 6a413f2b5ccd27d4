"""What the signals of a run look like before or after a denoising, as the numbers that its quality sheet shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_BINS = 40  # of correlations, from -1 to 1
MOST_LAGS = 160  # of an autocovariance; frequencies of a spectrum
MOST_COLUMNS = 400  # of a carpet
# Of a column of which nothing but rounding varies, relative to its largest value.
_CONSTANT = 1e-10


@dataclass(frozen=True)
class SignalSummary:
    """Signals of a run, summarized over its nodes.

    Attributes
    ----------
    carpet
        Shape (n_rows, n_columns): z-scored signals, a row a node or every second, third ... node; where frames are
        many, a column is the mean of several. NaN where no frame is kept.
    rows
        Which node each row is.
    dvars
        Shape (n_frames,): root mean square over the nodes of the change from the frame before, in standard deviations
        of each node's signal (√2 for white noise); NaN where one of the two frames is absent.
    spectrum
        Shape (n_frequencies,): mean over the nodes of the power density, in shares of the variance per Hz, at
        frequencies evenly spaced from 0 to Nyquist.
    correlations
        Shape (40,): share of the pairs of nodes with a correlation in each of 40 bins from -1 to 1.
    median_correlation
        Over the pairs of nodes; NaN for less than two nodes.
    """

    carpet: NDArray[np.float64]
    rows: NDArray[np.intp]
    dvars: NDArray[np.float64]
    spectrum: NDArray[np.float64]
    correlations: NDArray[np.float64]
    median_correlation: float


def frames_beside(n_frames: int, absent: Iterable[Sequence[int]]) -> NDArray[np.bool_]:
    """Return which frames of a run are in none of some lists of frames, counted from 0; shape (n_frames,)."""
    kept = np.ones(n_frames, dtype=bool)
    for frames in absent:
        kept[list(frames)] = False
    return kept


def summarize_signals(
    signals: ArrayLike,
    kept: ArrayLike,
    repetition_time: float,
    *,
    order: ArrayLike,
    most_pixels: int,
    detrend: bool = False,
) -> SignalSummary:
    """Return what a quality sheet shows of the signals of a run.

    Parameters
    ----------
    signals : (n_frames, n_nodes) array, or (n_kept, n_nodes)
        NaN in the whole column of a node without a signal; such nodes, and constant ones, have no part in anything.
    kept : (n_frames,) array of bool
        Frames that have data and are not censored.
    repetition_time
        Seconds from frame to frame.
    order : (n_nodes,) array of int
        The nodes from the top to the bottom of the carpet.
    most_pixels
        Of the carpet.
    detrend
        Whether a linear trend over time is subtracted first, as is usual for signals that have not been filtered.

    Raises
    ------
    ValueError
        When shapes do not fit each other.
    """
    kept, in_order = np.asarray(kept, dtype=bool), np.asarray(order, dtype=np.intp)
    values = np.asarray(signals, dtype=np.float64)
    scale = np.abs(values).max(axis=0, initial=0.0)
    if len(values) == len(kept):
        values = values[kept]
    if len(values) != kept.sum() or values.shape[1] != len(in_order):
        raise ValueError(f"signals of shape {values.shape} for {kept.sum()} kept frames, {len(in_order)} nodes")
    time = np.flatnonzero(kept).astype(np.float64)
    values = values - values.mean(axis=0)
    if detrend and len(time) > 1:
        time -= time.mean()
        values = values - np.outer(time, time @ values / (time @ time))
    deviations = np.sqrt((values**2).mean(axis=0)) if len(values) else np.zeros(values.shape[1])
    usable = np.isfinite(deviations) & (deviations > _CONSTANT * scale)
    scored = np.full((len(kept), int(usable.sum())), np.nan)
    scored[kept] = values[:, usable] / deviations[usable]
    place = np.cumsum(usable) - 1
    in_order = in_order[usable[in_order]]
    carpet, rows = _reduced(scored[:, place[in_order]], most_pixels)
    shares, middle = _correlations(scored[kept])
    return SignalSummary(
        carpet, in_order[rows], _changes(scored), _spectrum(scored, kept, repetition_time), shares, middle
    )


def _reduced(scored: NDArray[np.float64], most_pixels: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Average neighbouring frames, then take every second, third ... node, until the carpet is small enough."""
    n_frames, n_nodes = scored.shape
    width = -(-n_frames // MOST_COLUMNS)
    n_columns = -(-n_frames // width)
    step = max(1, -(-n_nodes * n_columns // most_pixels))
    rows = np.arange(0, n_nodes, step)
    padded = np.full((n_columns * width, len(rows)), np.nan)
    padded[:n_frames] = scored[:, rows]
    blocks = padded.reshape(n_columns, width, len(rows))
    known = ~np.isnan(blocks)
    total = np.where(known, blocks, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan).T, rows


def _changes(scored: NDArray[np.float64]) -> NDArray[np.float64]:
    changes = np.full(len(scored), np.nan)
    if scored.shape[1]:
        changes[1:] = np.sqrt((np.diff(scored, axis=0) ** 2).mean(axis=1))
    return changes


def _spectrum(scored: NDArray[np.float64], kept: NDArray[np.bool_], repetition_time: float) -> NDArray[np.float64]:
    """Return the mean power density, from the autocovariances of those pairs of frames that are kept (Blackman-Tukey).

    The periodogram of signals with gaps spreads what is filtered over all frequencies; each autocovariance as a mean
    over the pairs that are there does not. Parzen's window over the lags makes the estimate smooth.
    """
    n_lags = max(1, min(len(kept) // 2, MOST_LAGS))
    size = 1 << (2 * len(kept)).bit_length()
    filled = np.where(kept[:, None], scored, 0.0)
    power = np.abs(np.fft.rfft(filled, size, axis=0)) ** 2
    total = np.fft.irfft(power.mean(axis=1) if power.shape[1] else np.zeros(len(power)), size)[: n_lags + 1]
    pairs = np.fft.irfft(np.abs(np.fft.rfft(kept.astype(np.float64), size)) ** 2, size)[: n_lags + 1]
    covariances = total / np.maximum(np.round(pairs), 1.0)
    lags = np.arange(n_lags + 1)
    share = lags / n_lags
    window = np.where(share <= 0.5, 1 - 6 * share**2 * (1 - share), 2 * (1 - share) ** 3)
    cosines = np.cos(np.pi * np.outer(lags, lags) / n_lags)
    weights = window * np.where(lags == 0, 1.0, 2.0)
    density: NDArray[np.float64] = 2 * repetition_time * cosines @ (weights * covariances)
    return np.maximum(density, 0.0)


def _correlations(scored: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    n_nodes = scored.shape[1]
    if n_nodes < 2 or not len(scored):
        return np.zeros(N_BINS), float("nan")
    pairs = (scored.T @ scored / len(scored))[np.triu_indices(n_nodes, 1)]
    counts, _ = np.histogram(np.clip(pairs, -1, 1), bins=N_BINS, range=(-1, 1))
    return counts / len(pairs), float(np.median(pairs))
