"""The kinds of connectivity that follow from a covariance: from the signals of one run to its connectome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from sphereconn.connect.covariance import ESTIMATORS
from sphereconn.errors import InputError

Choice = TypeVar("Choice")

# Below this share of variance that the other nodes do not explain, an inverse would be made of rounding errors:
# of the 16 digits of a number fewer than 8 would be left, and no preprocessed signal is known to 1e-4 of its amplitude.
LEAST_OWN_VARIANCE = 1e-8


@dataclass(frozen=True)
class Connectome:
    """The connectivity between the nodes of one run.

    Attributes
    ----------
    matrix : ndarray of shape (n_nodes, n_nodes)
        Exactly symmetric; NaN in the rows and columns of nodes without a usable signal, and for ``identical`` pairs.
    shrinkage : float or None
        Of the covariance estimator; None when it does not shrink, or when no node is usable.
    unusable : tuple of int
        Positions of the nodes left out, because their signal is missing or constant.
    n_frames : int
        Frames that the estimate rests on.
    samples : float or None
        Number of independent samples that the shrinkage took them for; None like ``shrinkage``.
    identical : tuple of pairs of int
        Positions of nodes that have the same signal, up to sign and scale: there is no connection to measure. Looked
        for where the matrix holds correlations or partial correlations.
    """

    matrix: np.ndarray
    shrinkage: float | None
    unusable: tuple[int, ...]
    n_frames: int
    samples: float | None = None
    identical: tuple[tuple[int, int], ...] = ()


def connectome(
    signals: np.ndarray,
    kind: str,
    covariance: str,
    names: Sequence[str] | None = None,
    *,
    samples: float | None = None,
) -> Connectome:
    """Estimate the connectivity between the nodes of one run.

    The signals are z-scored first, so that every node weighs the same and the result does not depend on their units.
    The standard deviation is the population's (divided by n), so the empirical covariance has a unit diagonal. Signals
    z-scored with n - 1, as nilearn does it, give (n - 1) / n times our covariance, n / (n - 1) times our precision, and
    the same correlations, partial correlations and shrinkage.

    Parameters
    ----------
    signals : ndarray of shape (n_frames, n_nodes)
        Cleaned signals in any unit. A node without a signal is a column of NaN.
    kind : str
        One of ``KINDS``.
    covariance : str
        One of ``covariance.ESTIMATORS``.
    names : sequence of str, optional
        Names of the nodes, for error messages; counted from 1 by default.
    samples : float, optional
        How many independent samples the frames are worth, for the weight of a shrunk covariance; one each by default.

    Raises
    ------
    InputError
        When fewer than two frames are left, or the covariance that has to be inverted has no inverse: fewer frames than
        the empirical covariance needs, nodes with the same signal, nodes that are linearly dependent.
    ValueError
        When the kind or covariance is unknown, or a column is NaN or infinite in some frames only.
    """
    chosen, estimator = choose(KINDS, kind), choose(ESTIMATORS, covariance)
    z, usable = standardize(signals)
    n_frames, n_usable = z.shape
    unusable = tuple(np.flatnonzero(~usable).tolist())
    if not n_usable:
        return Connectome(with_unusable(np.empty((0, 0)), usable), None, unusable, n_frames)
    if chosen.inverts and covariance == "empirical" and n_frames - 1 < n_usable:
        raise InputError(
            f"The {kind} of {n_usable} nodes from the empirical covariance needs at least {n_usable + 1} frames, and"
            f" the signals have {n_frames}; use the covariance ledoit_wolf or oas instead."
        )
    samples = float(n_frames if samples is None else samples)
    estimate = estimator.estimate(z, samples)
    try:
        matrix = chosen.from_covariance(estimate.covariance)
    except np.linalg.LinAlgError as problem:
        labels = np.array(names if names is not None else range(1, len(usable) + 1))
        raise InputError(
            f"The {kind} cannot be computed: {cause_of_singularity(z, labels[usable])}, so {estimator.words} has no"
            " inverse; use the covariance ledoit_wolf or oas, or other nodes."
        ) from problem
    used = samples if estimator.shrinks else None
    matrix = with_unusable(matrix, usable)
    identical = same_signal(z, usable) if chosen.is_correlation else ()
    for one, other in identical:
        matrix[one, other] = matrix[other, one] = np.nan
    return Connectome(matrix, estimate.shrinkage, unusable, n_frames, used, identical)


def same_signal(z: np.ndarray, usable: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Give the pairs of nodes that share all but ``LEAST_OWN_VARIANCE`` of their variance.

    The signals are compared and not an estimate made from them, since shrinkage hides that two are the same.

    Parameters
    ----------
    z, usable
        As ``standardize`` gives them.

    Returns
    -------
    tuple of pairs of int
        Positions among all nodes, the smaller first.
    """
    places = np.flatnonzero(usable)
    alike = 1 - (z.T @ z / len(z)) ** 2 < LEAST_OWN_VARIANCE
    if np.count_nonzero(alike) == len(places):  # each is like itself
        return ()
    pairs = places[np.argwhere(np.triu(alike, k=1))]
    return tuple((one, other) for one, other in pairs.tolist())


def without_copies(usable: np.ndarray, identical: Sequence[tuple[int, int]]) -> np.ndarray:
    """Keep the first of nodes that have the same signal, as a boolean array of shape (n_nodes,).

    The likelihood of a precision grows without bound when two signals are the same, also that of frames left out: the
    smallest penalty would always look best, and the others' edges would not be sparse.
    """
    own = usable.copy()
    own[[copy for _, copy in identical]] = False
    return own


def standardize(signals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z-score the usable signals: mean 0, population standard deviation 1.

    Parameters
    ----------
    signals : ndarray of shape (n_frames, n_nodes)

    Returns
    -------
    z : ndarray of shape (n_frames, n_usable)
        Without the nodes whose column is NaN throughout or constant: neither has a correlation with anything.
    usable : ndarray of bool, shape (n_nodes,)

    Raises
    ------
    InputError
        When there are fewer than two frames.
    ValueError
        When the array has not two dimensions, or a column is NaN or infinite in some frames only.
    """
    signals = np.asarray(signals, dtype=np.float64)
    if signals.ndim != 2:
        raise ValueError(f"signals of shape (n_frames, n_nodes) are expected, found shape {signals.shape}")
    if len(signals) < 2:
        raise InputError(f"A connectome needs at least 2 frames, and the signals have {len(signals)}.")
    present = ~np.isnan(signals).all(axis=0)
    broken = np.flatnonzero(present & ~np.isfinite(signals).all(axis=0))
    if broken.size:
        raise ValueError(
            f"the signal of node {broken[0] + 1} is not finite in some frames, only a whole column may be NaN"
        )
    known = signals[:, present]
    centred = known - known.mean(axis=0)
    deviation = np.sqrt(np.mean(centred**2, axis=0))
    # A constant such as 0.1 differs from its own mean by rounding.
    varies = deviation > len(known) * np.finfo(np.float64).eps * np.abs(known).max(axis=0, initial=0)
    usable = present.copy()
    usable[present] = varies
    return centred[:, varies] / deviation[varies], usable


def with_unusable(matrix: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Spread a matrix of the usable nodes over all nodes, with NaN for the others."""
    full = np.full((len(usable), len(usable)), np.nan)
    full[np.ix_(usable, usable)] = matrix
    return full


def precision(covariance: np.ndarray) -> np.ndarray:
    """Invert a covariance matrix.

    With C = L Lᵀ the inverse is L⁻ᵀ L⁻¹, which is symmetric and positive definite whatever the rounding.

    Raises
    ------
    numpy.linalg.LinAlgError
        When the matrix is singular, exactly or for lack of digits: the diagonal of the inverse tells which part of each
        node's variance the others leave unexplained, 1 / (C_ii P_ii), and some node keeps less than
        ``LEAST_OWN_VARIANCE``.
    """
    inverse_factor = np.linalg.inv(np.linalg.cholesky(covariance))
    inverse: np.ndarray = inverse_factor.T @ inverse_factor
    own_variance = 1 / (np.diag(covariance) * np.diag(inverse))
    if not own_variance.min() >= LEAST_OWN_VARIANCE:
        raise np.linalg.LinAlgError("the covariance is singular to working precision")
    return inverse


def correlation(covariance: np.ndarray) -> np.ndarray:
    """Scale a covariance matrix to unit variances, C_ij / √(C_ii C_jj); the diagonal is exactly 1."""
    return _with_unit_diagonal(_scaled(covariance))


def partial_correlation(covariance: np.ndarray) -> np.ndarray:
    """Correlate each pair of nodes given all others, -P_ij / √(P_ii P_jj) with P the inverse; the diagonal is 1.

    Raises
    ------
    numpy.linalg.LinAlgError
        When the covariance has no inverse, see ``precision``.
    """
    return partial_correlation_of_precision(precision(covariance))


def partial_correlation_of_precision(precision: np.ndarray) -> np.ndarray:
    """Scale a precision to -P_ij / √(P_ii P_jj), with a diagonal of 1 and the same zeros; NaN stays NaN."""
    return _with_unit_diagonal(0.0 - _scaled(precision))  # 0.0 - x has no minus zero


def _scaled(matrix: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.diag(matrix))
    scaled: np.ndarray = np.clip(matrix / np.outer(scale, scale), -1, 1)
    return scaled


def _with_unit_diagonal(matrix: np.ndarray) -> np.ndarray:
    np.fill_diagonal(matrix, np.where(np.isnan(np.diag(matrix)), np.nan, 1.0))
    return matrix


def cause_of_singularity(z: np.ndarray, names: np.ndarray) -> str:
    """Say in half a sentence why the covariance of z-scored signals of shape (n_frames, n_nodes) has no inverse."""
    shared = np.triu((z.T @ z / len(z)) ** 2, k=1)
    first, second = np.unravel_index(np.argmax(shared), shared.shape)
    if 1 - shared[first, second] < LEAST_OWN_VARIANCE:
        return f"the nodes '{names[first]}' and '{names[second]}' have the same signal"
    return "the signals are linearly dependent (filtering or removing a common signal can make them so)"


@dataclass(frozen=True)
class Kind:
    """A kind of connectivity.

    Attributes
    ----------
    from_covariance : callable
        From the covariance of z-scored signals to the matrix of this kind.
    formula : str
        What ``from_covariance`` computes from a covariance C, for the sidecar of a result.
    inverts : bool
        Whether the covariance must have an inverse.
    is_correlation : bool
        Whether the values lie within -1 and 1 and the diagonal is 1 by definition: Fisher's z applies, and the diagonal
        says nothing.
    """

    from_covariance: Callable[[np.ndarray], np.ndarray]
    formula: str
    inverts: bool
    is_correlation: bool


KINDS = {
    "covariance": Kind(np.copy, "C", inverts=False, is_correlation=False),
    "correlation": Kind(correlation, "C_ij / sqrt(C_ii C_jj)", inverts=False, is_correlation=True),
    "precision": Kind(precision, "P, the inverse of C", inverts=True, is_correlation=False),
    "partial correlation": Kind(
        partial_correlation, "-P_ij / sqrt(P_ii P_jj), P the inverse of C", inverts=True, is_correlation=True
    ),
}


# What may be taken for independent samples -> how it is put.
SAMPLES = {
    "effective": "as many independent frames as they are worth under their autocorrelation",
    "frames": "as many independent frames as they have",
}


def describe(kind: str, covariance: str, samples: str = "frames") -> dict[str, Any]:
    """Describe a connectome for its sidecar, in the keys of BIDS extension proposal 17 (relationship matrices).

    Parameters
    ----------
    kind, covariance
        As for ``connectome``.
    samples
        What the weight of a shrunk covariance took for independent samples, one of ``SAMPLES``.

    Raises
    ------
    ValueError
        When the kind, the covariance or what was taken for samples is unknown.
    """
    chosen, estimator = choose(KINDS, kind), choose(ESTIMATORS, covariance)
    source = "" if kind == "covariance" else f"{kind} from "
    taken = choose(SAMPLES, samples)
    label, weight = (f" (samples: {samples})", f", shrunk for {taken}") if estimator.shrinks else ("", "")
    return {
        "RelationshipMeasure": f"{source}{estimator.words}{label}".removeprefix("the "),
        "MeasureDescription": f"{chosen.formula}, where C is {estimator.words} of the z-scored signals{weight}",
        "Directed": False,
        "Weighted": True,
        "ValidDiagonal": not chosen.is_correlation,
        "NonNegative": False,
    }


def choose(choices: Mapping[str, Choice], name: str) -> Choice:
    """Take the named entry; ``ValueError`` lists what is allowed."""
    if name not in choices:
        raise ValueError(f"'{name}' is unknown, allowed are {', '.join(choices)}")
    return choices[name]
