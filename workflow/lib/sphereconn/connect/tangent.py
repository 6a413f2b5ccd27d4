"""The tangent space of the covariances of several runs: each as its displacement from their geometric mean.

With C_k the covariances of the runs and G their geometric mean, the displacement of a run is the symmetric matrix

    D_k = log(G^-1/2 C_k G^-1/2),

a logarithm of matrices (Varoquaux 2010). Its norm is the distance between C_k and G in the affine-invariant geometry of
positive definite matrices, and the displacements of the runs sum to 0. They may take any values, so means and linear
models over runs are in place, which they are not for covariances, whose values must keep them positive definite.

G minimises half the mean squared distance to the C_k. In this geometry the distance is convex, so the gradient of that
function, of norm ‖mean D_k‖ at any matrix, is a certificate: G is no farther away than that norm (the function is
1-strongly convex along geodesics, since the space is of non-positive curvature).

References
----------
Varoquaux G, Baronnet F, Kleinschmidt A, Fillard P, Thirion B (2010). Detection of brain functional-connectivity
difference in post-stroke patients using group-level covariance modeling. MICCAI 2010, LNCS 6361:200-208.
Pennec X, Fillard P, Ayache N (2006). A Riemannian framework for tensor computing. International Journal of Computer
Vision 66:41-66.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sphereconn.connect.connectivity import cause_of_singularity, choose, precision, standardize, with_unusable
from sphereconn.connect.covariance import ESTIMATORS
from sphereconn.connect.joint import Members, none_takes_part, participants
from sphereconn.errors import InputError

# Distance from the geometric mean that is asked for: far below the sampling error of any covariance, whose displacement
# has a norm of about √n_nodes, and above the rounding errors of covariances that barely have an inverse.
DISTANCE = 1e-7
MOST_ITERATIONS = 100
REMEMBERED = 5  # earlier steps; with 2 to 20 the number of iterations is the same within two


@dataclass(frozen=True)
class GeometricMean:
    """The geometric mean of positive definite matrices, with the proof of its accuracy.

    Attributes
    ----------
    matrix : ndarray of shape (n_nodes, n_nodes)
    gradient_norm : float
        Frobenius norm of the mean displacement from ``matrix``, which is the largest distance that the true mean can
        have from it.
    n_iterations : int
    """

    matrix: np.ndarray
    gradient_norm: float
    n_iterations: int


@dataclass(frozen=True)
class TangentSpace:
    """The displacements of a group of runs, in units of the z-scored signals.

    Attributes
    ----------
    displacements : ndarray of shape (n_runs, n_nodes, n_nodes)
        Symmetric, with a diagonal that counts; NaN in the rows and columns of unusable nodes, and throughout for runs
        that are left out.
    mean, whitening : ndarray of shape (n_nodes, n_nodes)
        The geometric mean G and G^-1/2; NaN for unusable nodes.
    gradient_norm : float
        See ``GeometricMean``.
    n_iterations : int
    shrinkage, samples : tuple of float or None
        Of the covariance of every run, and the number of independent samples that it was shrunk for; None where it is
        not shrunk.
    unusable : tuple of int
        Positions of the nodes left out of all runs, because in some run of the fit they have no signal.
    without_signal : tuple of dict of int to str
        See ``joint.Participants``.
    left_out : dict of int to str
        Positions of the runs that take no part, and why.
    """

    displacements: np.ndarray
    mean: np.ndarray
    whitening: np.ndarray
    gradient_norm: float
    n_iterations: int
    shrinkage: tuple[float | None, ...]
    samples: tuple[float | None, ...]
    unusable: tuple[int, ...]
    without_signal: tuple[Mapping[int, str], ...]
    left_out: dict[int, str]

    def described(self) -> dict[str, float | int | bool]:
        """Return how accurate the geometric mean is, in the keys of a sidecar."""
        return {
            "GradientNorm": self.gradient_norm,
            "GradientNormAskedFor": DISTANCE,
            "Converged": True,  # what does not converge is an error
            "Iterations": self.n_iterations,
            "NumberOfRunsFitted": len(self.displacements) - len(self.left_out),
        }


def tangent_space(
    runs: Sequence[np.ndarray],
    covariance: str = "ledoit_wolf",
    *,
    min_nodes: float = 0.5,
    samples: Sequence[float] | None = None,
    members: Members | None = None,
) -> TangentSpace:
    """Return the displacement of every run from the geometric mean of all.

    The signals of each run are z-scored first (mean 0, population standard deviation 1). A node that has no signal in
    some run, or that of an earlier node, is left out of all runs, since matrices of different nodes have no mean.

    Parameters
    ----------
    runs : sequence of ndarray of shape (n_frames, n_nodes)
        Cleaned signals in any unit; the runs may differ in length, and all count the same. A node without a signal is a
        column of NaN.
    covariance : str
        One of ``covariance.ESTIMATORS``.
    min_nodes : float
        The least share of nodes with a signal that a run must have, 0 to 1; a run with fewer is left out.
    samples : sequence of float, optional
        How many independent samples the frames of each run are worth, for the weight of a shrunk covariance; one each
        by default.
    members : Members, optional
        Names of runs and nodes and what is known of these, for the reasons; counted by default.

    Raises
    ------
    InputError
        When there is no run, the runs differ in their nodes, all are left out (a run whose covariance has no inverse is
        left out as well), fewer than two nodes are left, or the geometric mean is not found.
    ValueError
        When the covariance is unknown, or a column is NaN or infinite in some frames only.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> space = tangent_space([rng.standard_normal((50, 3)) for _ in range(4)])
    >>> bool(np.abs(space.displacements.sum(axis=0)).max() < 1e-6)
    True
    """
    estimator = choose(ESTIMATORS, covariance)
    taking_part = participants(runs, min_nodes, members=members)
    usable, left_out = taking_part.usable, dict(taking_part.left_out)
    members = members or Members.numbered(len(runs), len(usable))
    labels = np.array(members.nodes)[usable]
    covariances: dict[int, np.ndarray] = {}
    shrinkage: list[float | None] = [None] * len(runs)
    taken: list[float | None] = [None] * len(runs)
    for place in taking_part.fitted:
        z, _ = standardize(runs[place][:, usable])
        number = float(len(z) if samples is None else samples[place])
        estimate = estimator.estimate(z, number)
        try:
            precision(estimate.covariance)
        except np.linalg.LinAlgError:
            left_out[place] = (
                f"{_cause(z, labels)}, so {estimator.words} has no inverse; use the covariance ledoit_wolf or oas, or"
                " other nodes."
            )
            continue
        covariances[place] = estimate.covariance
        if estimator.shrinks:
            shrinkage[place], taken[place] = estimate.shrinkage, number
    if not covariances:
        raise none_takes_part(left_out, members.runs)
    mean = geometric_mean(list(covariances.values()))
    whitening = of_eigenvalues(mean.matrix, lambda values: 1 / np.sqrt(values))
    displacements = np.full((len(runs), len(usable), len(usable)), np.nan)
    for place, matrix in covariances.items():
        displacements[place] = with_unusable(displacement(matrix, whitening), usable)
    return TangentSpace(
        displacements,
        with_unusable(mean.matrix, usable),
        with_unusable(whitening, usable),
        mean.gradient_norm,
        mean.n_iterations,
        tuple(shrinkage),
        tuple(taken),
        tuple(np.flatnonzero(~usable).tolist()),
        taking_part.without_signal,
        left_out,
    )


def geometric_mean(covariances: Sequence[np.ndarray], *, distance: float = DISTANCE) -> GeometricMean:
    """Return the matrix with the least mean squared distance to positive definite matrices.

    From the arithmetic mean G goes along geodesics, in directions of the limited-memory BFGS method (Yuan et al. 2020).
    It is kept as a product A Aᵀ, and A becomes A exp(step / 2): in the coordinates A⁻¹ · A⁻ᵀ, the parallel transport
    along such a step changes nothing, so earlier steps and gradients are compared as they are. That they curve upwards
    is sure, since the distance is strongly convex. A step that does not bring the gradient down is taken back; then one
    of a length follows that does it for small steps, 2 / (1 + L) times the gradient, with 1 and L the bounds of the
    curvature (Bini and Iannazzo 2013), or half of that, and so on.

    Parameters
    ----------
    covariances : sequence of ndarray of shape (n_nodes, n_nodes)
        Symmetric and positive definite.
    distance : float
        How far from the true mean the result may be.

    Raises
    ------
    InputError
        When that distance is not reached.
    numpy.linalg.LinAlgError
        When a matrix is not positive definite.

    References
    ----------
    Bini DA, Iannazzo B (2013). Computing the Karcher mean of symmetric positive definite matrices. Linear Algebra and
    its Applications 438:1700-1710.
    Yuan X, Huang W, Absil PA, Gallivan KA (2020). Computing the matrix geometric mean: Riemannian versus Euclidean
    conditioning, implementation techniques, and a Riemannian BFGS method. Numerical Linear Algebra with Applications
    27:e2321.
    """
    factor = np.linalg.cholesky(np.mean(covariances, axis=0))
    gradient, curvature = _gradient(covariances, factor)
    norm, damping = float(np.linalg.norm(gradient)), 1.0
    earlier: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=REMEMBERED)
    for iteration in range(MOST_ITERATIONS):
        if norm <= distance:
            return GeometricMean(_symmetric(factor @ factor.T), norm, iteration)
        step = _newton_like(gradient, earlier) if earlier else damping * 2 / (1 + curvature) * gradient
        moved = factor @ of_eigenvalues(step / 2, np.exp)
        new_gradient, new_curvature = _gradient(covariances, moved)
        new_norm = float(np.linalg.norm(new_gradient))
        if new_norm < norm:
            earlier.append((step, gradient - new_gradient))
            factor, gradient, curvature, norm = moved, new_gradient, new_curvature, new_norm
        elif earlier:
            earlier.clear()
        else:
            damping /= 2
    raise InputError(
        f"The geometric mean of {len(covariances)} covariances has not converged in {MOST_ITERATIONS} iterations: it"
        f" may be {norm:.2g} away, {distance:g} is required; use the covariance ledoit_wolf or oas, or fewer nodes."
    )


def displacement(covariance: np.ndarray, whitening: np.ndarray) -> np.ndarray:
    """Return log(W C W), the displacement of a covariance from the mean whose inverse square root is W.

    Raises
    ------
    numpy.linalg.LinAlgError
        When the covariance is not positive definite.
    """
    return of_eigenvalues(_symmetric(whitening @ covariance @ whitening), np.log)


def of_eigenvalues(matrix: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the function of a symmetric matrix: that of its eigenvalues, with the same eigenvectors.

    Raises
    ------
    numpy.linalg.LinAlgError
        When the function is not finite at an eigenvalue, such as the logarithm of one that is not positive.
    """
    return _mapped(matrix, function)[0]


def _mapped(matrix: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    values, vectors = np.linalg.eigh(matrix)
    with np.errstate(divide="ignore", invalid="ignore"):
        mapped = function(values)
    if not np.isfinite(mapped).all():
        raise np.linalg.LinAlgError("the matrix is not positive definite")
    return _symmetric((vectors * mapped) @ vectors.T), mapped


def _gradient(covariances: Sequence[np.ndarray], factor: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean displacement from A Aᵀ in the coordinates of A, and a bound of the curvature there.

    The displacement is the negative gradient of half the mean squared distance, whose curvature this is.
    """
    whitening = np.linalg.inv(factor)
    total, curvature = np.zeros_like(factor), 0.0
    for covariance in covariances:
        moved, logarithms = _mapped(_symmetric(whitening @ covariance @ whitening.T), np.log)
        total += moved
        half_range = float(np.ptp(logarithms)) / 2
        curvature += half_range / np.tanh(half_range) if half_range > 0 else 1.0
    return total / len(covariances), curvature / len(covariances)


def _newton_like(gradient: np.ndarray, earlier: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return the step that the changes of the gradient along earlier steps, the oldest first, suggest."""
    pairs = list(earlier)
    direction, shares = gradient.copy(), []
    for step, change in reversed(pairs):
        shares.append(np.vdot(step, direction) / np.vdot(step, change))
        direction -= shares[-1] * change
    step, change = pairs[-1]
    direction *= np.vdot(step, change) / np.vdot(change, change)
    for (step, change), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - np.vdot(change, direction) / np.vdot(step, change)) * step
    return direction


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    symmetric: np.ndarray = (matrix + matrix.T) / 2
    return symmetric


def _cause(z: np.ndarray, names: np.ndarray) -> str:
    n_frames, n_nodes = z.shape
    if n_frames <= n_nodes:
        return f"{n_frames} frames are too few for {n_nodes} nodes"
    return cause_of_singularity(z, names)
