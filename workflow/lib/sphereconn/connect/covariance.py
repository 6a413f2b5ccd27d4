"""Estimators of the covariance between nodes, on numpy alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CovarianceEstimate:
    """A covariance matrix and how it was obtained.

    Attributes
    ----------
    covariance : ndarray of shape (n_nodes, n_nodes)
        Exactly symmetric.
    shrinkage : float or None
        Weight of the scaled identity in the estimate, 0 to 1; None for an estimator that does not shrink.
    """

    covariance: np.ndarray
    shrinkage: float | None


def empirical(x: np.ndarray, samples: float | None = None) -> CovarianceEstimate:
    """Estimate the covariance by its maximum-likelihood value, S = XᵀX / n with X the centred signals.

    Parameters
    ----------
    x : ndarray of shape (n_frames, n_nodes)
        Finite signals, in any unit.
    samples : float, optional
        Changes nothing; all estimators are called alike.

    Raises
    ------
    ValueError
        When ``x`` is not a finite two-dimensional array with at least one frame and one node.
    """
    return CovarianceEstimate(_centred_and_covariance(x)[1], None)


def ledoit_wolf(x: np.ndarray, samples: float | None = None) -> CovarianceEstimate:
    """Estimate the covariance by Ledoit and Wolf's shrinkage towards a scaled identity.

    With S the empirical covariance, p nodes, n samples, m = tr S / p and ‖·‖ the Frobenius norm, the estimate is

        (1 - w) S + w m I,    w = min(b, d) / d,
        d = ‖S - m I‖²,       b = (mean over frames of |x_t|⁴ - ‖S‖²) / n,

    where b estimates the sampling error of S and d its distance from the target. Frames that are not independent count
    for fewer samples: with the covariance V between the frames of Gaussian signals, the expected ‖S - E S‖² is that of
    (tr V)² / tr V² independent frames, which `clean.degrees_of_freedom` estimates. The weight does not change when all
    signals are multiplied by one number, but it does when each has its own.

    Parameters
    ----------
    x : ndarray of shape (n_frames, n_nodes)
        Finite signals, in any unit.
    samples : float, optional
        Number of independent samples that the signals are worth; by default one a frame.

    Raises
    ------
    ValueError
        When ``x`` is not a finite two-dimensional array with at least one frame and one node.

    References
    ----------
    Ledoit O, Wolf M (2004). A well-conditioned estimator for large-dimensional covariance matrices. Journal of
    Multivariate Analysis 88:365-411.
    """
    centred, covariance = _centred_and_covariance(x)
    n_frames, n_nodes = centred.shape
    samples = n_frames if samples is None else samples
    target = np.eye(n_nodes) * (np.trace(covariance) / n_nodes)
    distance = np.sum((covariance - target) ** 2)
    # |x_t|⁴ summed over frames is the sum of (X∘X)ᵀ(X∘X), at the price of the signals instead of a matrix product.
    sampling_error = (np.mean(np.sum(centred**2, axis=1) ** 2) - np.sum(covariance**2)) / samples
    shrinkage = float(np.clip(sampling_error / distance, 0, 1)) if distance > 0 else 0.0
    return CovarianceEstimate((1 - shrinkage) * covariance + shrinkage * target, shrinkage)


def oas(x: np.ndarray, samples: float | None = None) -> CovarianceEstimate:
    """Estimate the covariance by oracle approximating shrinkage, which assumes Gaussian signals.

    With S the empirical covariance, p nodes, n samples and m = tr S / p, the estimate is

        (1 - w) S + w m I,    w = min(1, (tr S² + tr² S) / ((n + 1) (tr S² - tr² S / p))).

    This is the weight of equation 23 of the paper without its terms in 2/p, the form that scikit-learn made common; the
    two agree for many nodes.

    Parameters
    ----------
    x : ndarray of shape (n_frames, n_nodes)
        Finite signals, in any unit.
    samples : float, optional
        Number of independent samples that the signals are worth; by default one a frame.

    Raises
    ------
    ValueError
        When ``x`` is not a finite two-dimensional array with at least one frame and one node.

    References
    ----------
    Chen Y, Wiesel A, Eldar YC, Hero AO (2010). Shrinkage algorithms for MMSE covariance estimation. IEEE Transactions
    on Signal Processing 58:5016-5029.
    """
    centred, covariance = _centred_and_covariance(x)
    n_frames, n_nodes = centred.shape
    mean_variance = np.trace(covariance) / n_nodes
    # Means instead of sums over the matrix: the factor p² cancels.
    mean_square = np.mean(covariance**2)
    distance = ((n_frames if samples is None else samples) + 1) * (mean_square - mean_variance**2 / n_nodes)
    # A single node is its own target: nothing is shrunk, whatever the weight.
    shrinkage = 0.0 if n_nodes == 1 else 1.0
    if n_nodes > 1 and distance > 0:
        shrinkage = float(min(1.0, (mean_square + mean_variance**2) / distance))
    return CovarianceEstimate((1 - shrinkage) * covariance + shrinkage * mean_variance * np.eye(n_nodes), shrinkage)


def _centred_and_covariance(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"signals of shape (n_frames, n_nodes) are expected, found shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError("the signals hold values that are not finite")
    centred = x - x.mean(axis=0)
    return centred, centred.T @ centred / len(x)


@dataclass(frozen=True)
class Estimator:
    """A covariance estimator and the words that name its result."""

    estimate: Callable[[np.ndarray, float | None], CovarianceEstimate]
    words: str
    shrinks: bool = True


ESTIMATORS = {
    "ledoit_wolf": Estimator(ledoit_wolf, "the Ledoit-Wolf shrunk covariance"),
    "oas": Estimator(oas, "the oracle approximating shrunk covariance (OAS)"),
    "empirical": Estimator(empirical, "the empirical covariance", shrinks=False),
}
