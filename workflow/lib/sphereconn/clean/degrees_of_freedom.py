"""How many independent frames signals are worth: the effective degrees of freedom under their autocorrelation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

# Of the bands that describe the spectrum; between these, the root of the dimensions that are left. With fewer, a slope
# within a band goes unseen; with more, simulated numbers change by less than a hundredth, but scatter more.
_FEWEST_BANDS, _MOST_BANDS = 4, 12


def effective_degrees_of_freedom(
    signals: NDArray[np.floating],
    frames: NDArray[np.integer],
    removed: NDArray[np.float64],
    power_gain: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> float:
    """Estimate how many independent frames would give correlations as precise as these signals do.

    The number is ν = (tr V)² / tr V², with V the covariance between the frames of a signal: the correlations of
    independent signals with this V have the variance 1 / ν. For a long stationary signal with autocorrelations ρ it is
    Bartlett's n / Σ ρ(lag)², over lags of both signs. Two biases stand between that sum and short, cleaned runs: an
    estimated ρ is never zero, so that its squares add up to too much, and regression of confounds both lowers ρ and
    takes directions away that no ρ shows. Instead of cutting ρ off at some lag, V is therefore modelled as

        V = P (s₁ Φ₁ + … + s_m Φ_m) P,

    where Φ_b is the covariance between the frames kept, at their true distances in time, of noise whose power lies in
    band b of the m bands that divide what the filter passes, and P removes what was regressed out. The weights s are
    the least-squares fit to x xᵀ, averaged over the nodes x, each scaled to the same variance: T s = y with
    T_bc = tr(P Φ_b P Φ_c) and y_b = xᵀ Φ_b x; then tr V² = sᵀ T s, less what the sampling error of s adds to it.

    One number stands for all nodes: its inverse is the mean of the inverse numbers of all pairs of nodes.

    Parameters
    ----------
    signals
        Shape (n_frames_kept, n_nodes), cleaned; a column of NaN or a constant is left out. With no other left, the
        number is that of white noise that is cleaned likewise.
    frames
        Shape (n_frames_kept,), strictly increasing: the place of each frame in the run.
    removed
        Shape (n_frames_kept, n_removed), orthonormal columns: the mean, and all else that was regressed out.
    power_gain
        Of the filter that the signals passed, over frequencies in cycles per frame, 0 to 0.5; none by default.

    Returns
    -------
    float
        Between 1 and the largest that any spectrum has after this cleaning, n_frames_kept - n_removed at most.

    References
    ----------
    Bartlett MS (1946). On the theoretical specification and sampling properties of autocorrelated time-series.
    Supplement to the Journal of the Royal Statistical Society 8:27-41.
    Bayley GV, Hammersley JM (1946). The "effective" number of independent observations in an autocorrelated time
    series. Supplement to the Journal of the Royal Statistical Society 8:184-197.
    Afyouni S, Smith SM, Nichols TE (2019). Effective degrees of freedom of the Pearson's correlation coefficient under
    autocorrelation. NeuroImage 199:609-625.
    """
    frames = np.asarray(frames) - frames[0]
    n_frames, n_removed = removed.shape
    n_points = 1 << (2 * int(frames[-1]) + 1).bit_length()  # of the Fourier transforms: no lag wraps around
    frequencies = np.arange(n_points // 2 + 1) / n_points
    gain = np.ones(len(frequencies)) if power_gain is None else power_gain(frequencies)
    bands = _bands(gain, n_frames * gain.mean() / gain.max() - n_removed)

    def spectrum(columns: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Transform columns over the kept frames, with zero in all others."""
        spread = np.zeros((columns.shape[1], n_points))
        spread[:, frames] = columns.T
        return np.fft.rfft(spread)

    # T, with P = I - RRᵀ: tr(P Φ_b P Φ_c) = tr(Φ_b Φ_c) - 2 tr(Rᵀ Φ_b Φ_c R) + tr(Rᵀ Φ_b R Rᵀ Φ_c R).
    covariances = np.fft.irfft(bands, n_points)  # Φ_b by lag
    n_pairs = np.rint(np.fft.irfft(np.abs(spectrum(np.ones((n_frames, 1)))[0]) ** 2, n_points))  # by lag
    filtered = np.fft.irfft(bands[:, None] * spectrum(removed), n_points)[:, :, frames]  # Φ_b R, transposed
    crossed = filtered @ removed
    flat, flat_crossed = filtered.reshape(len(bands), -1), crossed.reshape(len(bands), -1)
    products = (covariances * n_pairs) @ covariances.T - 2 * flat @ flat.T + flat_crossed @ flat_crossed.T
    traces = n_frames * covariances[:, 0] - np.trace(crossed, axis1=1, axis2=2)
    left = traces > 1e-6 * n_frames * covariances[:, 0]  # a narrow band may have been regressed out as a whole
    covariances, traces, products = covariances[left], traces[left], products[np.ix_(left, left)]

    # Of all spectra the flattest after cleaning has the largest number. Where little is left, the sampling error may
    # exceed the squares that it is subtracted from, and nothing else would bound what is left.
    most = min(n_frames - n_removed, traces @ np.linalg.lstsq(products, traces, rcond=1e-8)[0])

    scaled = _scaled(signals)
    if not scaled.shape[1]:
        return _limited(traces.sum() ** 2 / products.sum(), most)
    autocovariance = np.fft.irfft(np.mean(np.abs(spectrum(scaled)) ** 2, axis=0), n_points)
    weights = np.linalg.lstsq(products, covariances @ autocovariance, rcond=1e-8)[0]
    # Of a band of rank r, the weight has the relative variance 2 / (r × independent nodes).
    independent_nodes = 1 / np.mean((scaled.T @ scaled / n_frames) ** 2)
    error = 2 * np.diag(products) / traces**2 / independent_nodes
    excess = np.sum(weights**2 * np.diag(products) * error / (1 + error))
    # The model has the trace `modelled`, the signals have n_frames. The two err to opposite sides where gaps are wide.
    modelled = weights @ traces
    squared = weights @ products @ weights - excess
    return _limited(n_frames * modelled / max(squared, 1e-300), most)


def _bands(gain: NDArray[np.float64], n_left: float) -> NDArray[np.float64]:
    """Divide the power that is passed among bands, narrow ones at low frequencies, where spectra are steep.

    Returns
    -------
    ndarray
        Shape (n_bands, n_frequencies): the gain within the band, zero outside.
    """
    n_bands = int(np.clip(round(np.sqrt(max(n_left, 1))), _FEWEST_BANDS, _MOST_BANDS))
    passed = np.cumsum(gain)
    edges = (np.arange(1, n_bands) / n_bands) ** 1.5 * passed[-1]
    number = np.searchsorted(edges, passed, side="right")
    return np.where(number == np.arange(n_bands)[:, None], gain, 0.0)


def _scaled(signals: NDArray[np.floating]) -> NDArray[np.float64]:
    """Centre the usable signals and scale each to the variance 1."""
    known = np.asarray(signals, dtype=np.float64)[:, np.isfinite(signals).all(axis=0)]
    centred = known - known.mean(axis=0)
    deviation = centred.std(axis=0)
    varies = deviation > 1e-12 * np.abs(known).max(axis=0, initial=0)
    scaled: NDArray[np.float64] = centred[:, varies] / deviation[varies]
    return scaled


def _limited(number: float, most: float) -> float:
    return float(np.clip(number, 1.0, max(most, 1)))
