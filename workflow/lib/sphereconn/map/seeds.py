"""The time courses that a seed map is about."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError

MapKind = Literal["correlation", "semipartial correlation", "percent signal change"]

# What is left of a seed when others are taken out, as a share of what it was: less is rounding.
_NOTHING_LEFT = 1e-8


def unit_seeds(signals: NDArray[np.floating], kind: MapKind) -> NDArray[np.float64]:
    """Return the time course of each seed centred and of length 1, shape (n_frames, n_seeds).

    With "semipartial correlation" it is what is left of a seed when the others are regressed out of it. NaN for a seed
    without a signal, a constant one, and one that the others explain entirely; a seed without a signal is taken out of
    no other.

    Parameters
    ----------
    signals
        Cleaned signals, shape (n_frames, n_seeds); NaN for a seed without a signal.
    kind
        Kind of map. Correlation and percent signal change are of the seed as it is.

    Raises
    ------
    InputError
        When there is no such kind of map.
    ValueError
        When semipartial correlations are asked for more seeds than the frames determine.
    """
    if kind not in get_args(MapKind):
        raise InputError(f"kind: '{kind}' is not one of {', '.join(get_args(MapKind))}.")
    signals = np.asarray(signals, dtype=np.float64)
    centred = signals - signals.mean(axis=0)
    known = np.isfinite(centred).all(axis=0)
    length = np.linalg.norm(centred, axis=0)
    known &= length > 1e-12 * np.abs(np.where(known, signals, 0.0)).max(axis=0, initial=0.0) * np.sqrt(len(signals))
    units = np.full(centred.shape, np.nan)
    units[:, known] = centred[:, known] / length[known]
    if kind == "semipartial correlation" and np.count_nonzero(known) > 1:
        units[:, known] = _without_others(units[:, known])
    return units


def _without_others(units: NDArray[np.float64]) -> NDArray[np.float64]:
    """Regress the other columns out of each of some columns of length 1; make it of length 1 again."""
    n_frames, n_seeds = units.shape
    if n_seeds >= n_frames:
        raise ValueError(f"{n_seeds} seeds cannot be told apart in {n_frames} frames.")
    result = np.full_like(units, np.nan)
    for seed in range(n_seeds):
        others = np.delete(units, seed, axis=1)
        basis, sizes, _ = np.linalg.svd(others, full_matrices=False)
        basis = basis[:, sizes > _NOTHING_LEFT * sizes[0]]
        own = units[:, seed]
        for _ in range(2):
            own = own - basis @ (basis.T @ own)
        length = np.linalg.norm(own)
        if length > _NOTHING_LEFT:
            result[:, seed] = own / length
    return result
