"""The graphical lasso: a sparse inverse covariance that carries the proof of its accuracy.

The problem, for a covariance S and a penalty alpha, is to minimise over positive definite P

    f(P) = -log det P + tr(S P) + alpha Σ_{i≠j} |P_ij|.

Its dual is to maximise log det W + n_nodes over positive definite W with W_ii = S_ii and |W_ij - S_ij| ≤ alpha. Every
such W bounds f from below, so the duality gap, f(P) - log det W - n_nodes, bounds how far P is from the optimum,
however P and W were found. The solver stops on that and on nothing else.

The method is block coordinate ascent on W, a column at a time (Friedman, Hastie and Tibshirani 2008; Sustik and
Calderhead 2012): a column is a lasso in the regression coefficients of its node on the others, and from the
coefficients of all columns the sparse P is read off at the end of a sweep. What is different here:

- W starts positive definite and within its bounds, at (1 - t) S + t diag(S), or S + t (W' - S) with the solution W' for
  another alpha. From there, columns that are solved exactly can only increase the dual, and W stays positive definite
  (Banerjee, El Ghaoui and d'Aspremont 2008). Columns are solved to an error that shrinks with the progress of the
  sweeps, and moved beyond their maximum, which takes fewer sweeps; should W ever cease to be positive definite, the
  sweep is taken back and repeated with a tenth of the error, and from then on columns go no farther than to it.
- The lasso of a column is solved between the nodes that need it, copied together, by coordinate descent, which finds
  the signs, in turn with conjugate gradients among the nodes that are not zero, which need a few steps where coordinate
  descent needs hundreds when W is near singular.
- Connected components of the graph |S_ij| > alpha are solved apart (Witten, Friedman and Simon 2011; Mazumder and
  Hastie 2012), those of one or two nodes in closed form.

It was chosen by measurement, before columns were moved beyond their maximum. On the correlations of 264 generated,
band-passed series of 112 frames, for an alpha of a tenth of the largest correlation (13 % of the edges remain), from
the diagonal to a gap of 1e-4 per node, in seconds of one core:

    method                                    cost of an iteration                              iterations  seconds
    this one                                  a sweep: a small lasso for each node              4           0.035
    the same by coordinate descent alone      a sweep: a small lasso for each node              5           0.049
    P-GLASSO (Mazumder and Hastie 2012)       a sweep: a lasso and an update of W a node        31          0.64
    G-ISTA (Guillot et al. 2012)              an inverse                                        1722        6.5
    QUIC (Hsieh et al. 2014)                  an inverse, and descents over all edges           262         9.2

G-ISTA and QUIC work with the Hessian of f, whose condition number is the square of that of W (here 440), a column's
lasso with that of W itself.

The loops are compiled when they are first called, which takes 6 s, once a machine; a later process loads them in 0.3 s.

References
----------
Banerjee O, El Ghaoui L, d'Aspremont A (2008). Model selection through sparse maximum likelihood estimation for
multivariate Gaussian or binary data. Journal of Machine Learning Research 9:485-516.
Friedman J, Hastie T, Tibshirani R (2008). Sparse inverse covariance estimation with the graphical lasso. Biostatistics
9:432-441.
Guillot D, Rajaratnam B, Rolfs BT, Maleki A, Wong I (2012). Iterative thresholding algorithm for sparse inverse
covariance estimation. Advances in Neural Information Processing Systems 25.
Hsieh CJ, Sustik MA, Dhillon IS, Ravikumar P (2014). QUIC: quadratic approximation for sparse inverse covariance
estimation. Journal of Machine Learning Research 15:2911-2947.
Mazumder R, Hastie T (2012). Exact covariance thresholding into connected components for large-scale graphical lasso.
Journal of Machine Learning Research 13:781-794.
Mazumder R, Hastie T (2012). The graphical lasso: new insights and alternatives. Electronic Journal of Statistics
6:2125-2149.
Sustik MA, Calderhead B (2012). GLASSOFAST: an efficient GLASSO implementation. UTCS technical report TR-12-29.
Witten DM, Friedman JH, Simon N (2011). New insights and faster computations for the graphical lasso. Journal of
Computational and Graphical Statistics 20:892-900.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from sphereconn.connect.compilation import compiled, inlined
from sphereconn.errors import InputError

# The error to which the lassos of a sweep are solved, in units of alpha: in the first sweep; in the first from a start
# close to the solution, if that is less, in units of the root of the gap per node as well; after a sweep that changed
# W, as a share of that change; at last, as a share of the gap per node (alpha Σ|P_ij| is less than n_nodes, so the
# columns then cost no more than this share of the gap). Factors of three up or down change the time by a few per cent.
FIRST_ERROR = 0.02
CLOSE_ERROR = 0.05
ERROR_PER_CHANGE = 0.01
LEAST_ERROR = 0.2

# After a sweep that changes W by more than this, in units of alpha and of the root of the gap per node, the gap is not
# computed: of 1,145 sweeps over six data sets, none ended within the gap after a change of more than 7 of these.
FAR = 10

# A column of W is moved by this many times the way to its maximum (successive over-relaxation). From the solution for
# twice the alpha to a gap of 1e-6 per node, 264 nodes took 20 sweeps with 1, 16 with 1.2, 13 with 1.4, 14 with 1.6.
RELAXATION = 1.4

# Each time that conjugate gradients have made their squared residual this much smaller, they look whether a sign has
# changed, and end if so.
LOOK_AT = 0.01

# A fit without a start to a penalty this many times smaller than the largest is preceded by rough ones to penalties
# between, each so many times the next. For 264 nodes and a penalty of 0.003 times the largest, it takes 0.4 to 0.6 s
# instead of 2 to 4.5, and the time doubles with each further third of the penalty instead of growing fivefold.
FIRST_RUNG = 12.0
RUNG = 3.0
RUNG_GAP = 1e-2

# The rows of a column's lasso are padded with zeros to a multiple of this length, since what is left over by vector
# instructions takes as long as all that they have done.
LANES = 8

EPSILON = float(np.finfo(np.float64).eps)

Point = tuple[np.ndarray, np.ndarray]


class ConvergenceError(InputError):
    """The duality gap that was asked for was not reached, so there is no result."""


@dataclass(frozen=True)
class GraphicalLassoSolution:
    """A sparse inverse covariance and the certificate of its accuracy.

    Attributes
    ----------
    precision : ndarray of shape (n_nodes, n_nodes)
        P: exactly symmetric, positive definite, with exact zeros.
    covariance : ndarray of shape (n_nodes, n_nodes)
        W, the dual point: exactly symmetric, positive definite, off its diagonal within ``alpha`` of the given
        covariance, with the given diagonal (plus ``alpha`` when the diagonal is penalised). The inverse of P, up to the
        gap.
    alpha : float
        The penalty.
    objective : float
        f(P).
    duality_gap : float
        f(P) minus the dual objective of W, or what rounding may hide if that is more: f(P) is at most this far from the
        optimum.
    log_determinant : float
        log det P.
    n_iterations : int
        Sweeps over all columns, in the connected component that took most; 0 for a closed form.
    """

    precision: np.ndarray
    covariance: np.ndarray
    alpha: float
    objective: float
    duality_gap: float
    log_determinant: float
    n_iterations: int

    @property
    def point(self) -> Point:
        """Where to start another fit from: precision and covariance."""
        return self.precision, self.covariance


def graphical_lasso(
    covariance: np.ndarray,
    alpha: float,
    *,
    penalize_diagonal: bool = False,
    gap_per_node: float = 1e-4,
    start: Point | None = None,
    max_iterations: int = 300,
    names: Sequence[str] | None = None,
) -> GraphicalLassoSolution:
    """Minimise -log det P + tr(S P) + alpha Σ|P_ij| over positive definite P, to a certified accuracy.

    Parameters
    ----------
    covariance : ndarray of shape (n_nodes, n_nodes)
        S, symmetric and positive semidefinite; it may be singular when ``alpha`` is positive.
    alpha : float
        The penalty, in units of S, at least 0. With 0, P is the inverse of S.
    penalize_diagonal : bool
        Whether the sum runs over the diagonal, too.
    gap_per_node : float
        Stop when the duality gap is at most this times n_nodes. 1e-8 / n_nodes is within reach of double precision.
    start : tuple of two ndarray, optional
        Precision and covariance of a solution for a nearby alpha or covariance. Saves time; the result has the same
        certificate from any start.
    max_iterations : int
        Sweeps over the columns after which to give up; ten are usual.
    names : sequence of str, optional
        Names of the nodes, for error messages; counted from 1 by default.

    Raises
    ------
    ConvergenceError
        When the gap is not reached.
    InputError
        When S is not symmetric, not finite or not positive semidefinite, a variance is 0, or alpha is negative.
    """
    S = checked_covariance(covariance, names)
    check_semidefinite(S)
    if not (np.isfinite(alpha) and alpha >= 0):
        raise InputError(f"alpha is {alpha}; a number of at least 0 is allowed.")
    if penalize_diagonal:
        S[np.diag_indices(len(S))] += alpha  # P_ii is positive, so alpha |P_ii| is linear, and part of the trace
    if alpha == 0:
        return _inverse(S, gap_per_node)
    return solve(S, alpha, gap_per_node, start, max_iterations=max_iterations)


def solve(
    S: np.ndarray,
    alpha: float,
    gap_per_node: float,
    start: Point | None = None,
    close: bool = False,
    max_iterations: int = 300,
) -> GraphicalLassoSolution:
    """Do the work of ``graphical_lasso`` for a checked covariance and a positive alpha.

    Parameters
    ----------
    close : bool
        Whether ``start`` is so close to the solution that a single accurate sweep may do.
    """
    if start is None:
        for rung in rungs(largest_off_diagonal(S), alpha):
            with suppress(ConvergenceError):
                start = solve(S, rung, max(RUNG_GAP, gap_per_node), start).point
    linked = np.abs(S) > alpha
    np.fill_diagonal(linked, False)
    components = _connected(linked)
    first_error = (min(FIRST_ERROR, CLOSE_ERROR * gap_per_node**0.5) if close else FIRST_ERROR) * alpha
    if len(components) == 1 and len(components[0]) == len(S):
        return _solve_connected(S, alpha, gap_per_node, start, first_error, max_iterations)
    precision, dual = np.diag(1 / np.diag(S)), np.diag(np.diag(S))
    alone = ~linked.any(axis=0)
    log_determinant = -float(np.log(np.diag(S)[alone]).sum())
    objective, gap, n_iterations = float(alone.sum()) - log_determinant, 0.0, 0
    for nodes in components:
        block = np.ix_(nodes, nodes)
        part_start = None if start is None else (start[0][block], start[1][block])
        part = _solve_connected(S[block], alpha, gap_per_node, part_start, first_error, max_iterations)
        precision[block], dual[block] = part.precision, part.covariance
        objective += part.objective
        gap += part.duality_gap
        log_determinant += part.log_determinant
        n_iterations = max(n_iterations, part.n_iterations)
    return GraphicalLassoSolution(precision, dual, alpha, objective, gap, log_determinant, n_iterations)


def duality_gap(
    covariance: np.ndarray, alpha: float, precision: np.ndarray, dual: np.ndarray, penalize_diagonal: bool = False
) -> float:
    """Bound the distance of any precision from the optimum of the graphical lasso by any dual point.

    Parameters
    ----------
    covariance, alpha, penalize_diagonal
        The problem, as for ``graphical_lasso``.
    precision : ndarray of shape (n_nodes, n_nodes)
        P, symmetric.
    dual : ndarray of shape (n_nodes, n_nodes)
        W, symmetric; it is first put within its bounds, entry by entry.

    Returns
    -------
    float
        f(P) - log det W - n_nodes, not negative up to rounding; infinite when P or W is not positive definite.
    """
    penalty = np.full_like(covariance, alpha)
    np.fill_diagonal(penalty, alpha if penalize_diagonal else 0.0)
    bounded = np.clip(dual, covariance - penalty, covariance + penalty)
    np.fill_diagonal(bounded, np.diag(covariance + penalty))
    linear = float(np.sum(covariance * precision) + np.sum(penalty * np.abs(precision)))
    gap = linear - _log_determinant(precision) - _log_determinant(bounded) - len(covariance)
    return gap if np.isfinite(gap) else np.inf


def checked_covariance(covariance: np.ndarray, names: Sequence[str] | None = None) -> np.ndarray:
    """Check S and give a copy that is exactly symmetric; ``names`` and errors are those of ``graphical_lasso``."""
    S = np.array(covariance, dtype=np.float64)
    if S.ndim != 2 or S.shape[0] != S.shape[1] or not len(S):
        raise ValueError(f"a square covariance matrix is expected, found shape {S.shape}")
    if not np.isfinite(S).all():
        raise InputError("The covariance holds values that are not finite; leave out nodes without a signal.")
    if np.abs(S - S.T).max() > 1e-10 * np.abs(S).max():
        raise InputError("The covariance is not symmetric.")
    constant = np.flatnonzero(np.diag(S) <= 0)
    if constant.size:
        name = constant[0] + 1 if names is None else names[constant[0]]
        raise InputError(f"The node '{name}' has no variance: its signal is constant; leave it out.")
    return (S + S.T) / 2


def check_semidefinite(S: np.ndarray) -> None:
    """Raise ``InputError`` when S has an eigenvalue below 0 by more than the rounding that its asymmetry may have."""
    if not np.isfinite(_log_determinant(S + 1e-10 * float(np.trace(S)) * np.eye(len(S)))):
        raise InputError("The covariance is not positive semidefinite.")


def largest_off_diagonal(covariance: np.ndarray) -> float:
    """Give the largest |S_ij| between two nodes: the smallest alpha that leaves no edge."""
    return float(np.abs(covariance - np.diag(np.diag(covariance))).max())


def rungs(largest: float, alpha: float) -> list[float]:
    """List the penalties, the largest first, whose solutions lead to that for ``alpha`` without another start."""
    n = int(np.log(largest / (FIRST_RUNG * alpha)) / np.log(RUNG)) + 1 if largest > FIRST_RUNG * alpha else 0
    return [alpha * RUNG**k for k in range(n, 0, -1)]


def _inverse(S: np.ndarray, gap_per_node: float) -> GraphicalLassoSolution:
    log_determinant = -_log_determinant(S)
    if not np.isfinite(log_determinant):
        raise InputError("The covariance has no inverse, so alpha must be above 0.")
    inverse_factor = np.linalg.inv(np.linalg.cholesky(S))
    precision = inverse_factor.T @ inverse_factor
    trace = float(np.sum(S * precision))
    gap = abs(trace - len(S))
    if gap > gap_per_node * len(S):
        raise ConvergenceError(
            f"The covariance is singular to working precision (an inverse leaves a gap of {gap:.1e})."
        )
    return GraphicalLassoSolution(precision, S, 0.0, trace - log_determinant, gap, log_determinant, 0)


def _connected(linked: np.ndarray) -> list[np.ndarray]:
    """Find the connected components of at least two nodes, each sorted."""
    components = []
    left = linked.any(axis=0)
    while left.any():
        inside = np.zeros(len(linked), dtype=bool)
        frontier = np.arange(len(linked)) == np.argmax(left)
        while frontier.any():
            inside |= frontier
            frontier = linked[frontier].any(axis=0) & ~inside
        components.append(np.flatnonzero(inside))
        left = left & ~inside
    return components


def _solve_connected(
    S: np.ndarray,
    alpha: float,
    gap_per_node: float,
    start: Point | None,
    error: float,
    max_iterations: int,
) -> GraphicalLassoSolution:
    n = len(S)
    if n == 2:
        return _solve_pair(S, alpha)
    W, coefficients = _first_point(S, alpha) if start is None else _next_point(S, alpha, *start)
    safe = None
    P, dual = np.empty_like(S), np.empty_like(S)
    gram, vectors = np.empty((n, n + LANES)), np.empty((11, n + LANES))
    indices = np.tile(np.arange(n, dtype=np.uintp), (4, 1))  # without a sign, as a negative index costs a test
    least_error = max(LEAST_ERROR * gap_per_node * alpha, 4 * EPSILON * float(np.diag(S).max()))
    far = FAR * np.sqrt(gap_per_node) * alpha
    best, relaxation = np.inf, RELAXATION
    for iteration in range(1, max_iterations + 1):
        change = _sweep(S, W, coefficients, alpha, error, gram, vectors, indices, relaxation)
        if change > far:
            error = min(error, ERROR_PER_CHANGE * change)
            continue
        linear, size = (np.nan, 0.0) if np.isnan(change) else _primal_and_dual(S, W, coefficients, alpha, P, dual)
        dual_log_determinant = np.nan if np.isnan(linear) else _log_determinant(dual)
        if np.isnan(dual_log_determinant):  # W has ceased to be positive definite
            W, coefficients = _first_point(S, alpha) if safe is None else (safe[0].copy(), safe[1].copy())
            error, relaxation = 0.1 * error, 1.0
            continue
        log_determinant = _log_determinant(P)  # NaN in early sweeps, when the columns do not yet make one matrix
        gap = linear - log_determinant - dual_log_determinant - n
        gap = max(gap, size * EPSILON)  # entries of P and W are known to this relative precision
        if gap <= gap_per_node * n:
            return GraphicalLassoSolution(P, dual, alpha, linear - log_determinant, gap, log_determinant, iteration)
        best = min(best, gap) if np.isfinite(gap) else best
        safe = dual.copy(), coefficients.copy()
        error = min(error, max(ERROR_PER_CHANGE * change, least_error))
    raise ConvergenceError(
        f"The graphical lasso with alpha {alpha:g} has a duality gap of {best / n:.1e} per node after {max_iterations}"
        f" sweeps, where at most {gap_per_node:.1e} is required; use a larger alpha or allow a larger gap."
    )


def _solve_pair(S: np.ndarray, alpha: float) -> GraphicalLassoSolution:
    """Solve for two nodes: W_12 is S_12 moved towards 0 by alpha, and P the inverse of W."""
    shared = float(S[0, 1])
    W = np.array([[S[0, 0], shared - np.copysign(alpha, shared)], [0.0, S[1, 1]]])
    W[1, 0] = W[0, 1]
    determinant = W[0, 0] * W[1, 1] - W[0, 1] ** 2
    if determinant <= 0:
        raise InputError("The covariance is not positive semidefinite.")
    P = np.array([[W[1, 1], -W[0, 1]], [-W[0, 1], W[0, 0]]]) / determinant
    return GraphicalLassoSolution(P, W, alpha, 2 + np.log(determinant), 0.0, -np.log(determinant), 0)


def _first_point(S: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Give a W that is positive definite and within its bounds, between S and its diagonal, and no coefficients."""
    off_diagonal = S - np.diag(np.diag(S))
    W = S - off_diagonal * min(1.0, alpha / np.abs(off_diagonal).max())
    if not np.isfinite(_log_determinant(W)):
        raise InputError("The covariance is not positive semidefinite.")
    return W, np.zeros_like(S)


def _next_point(S: np.ndarray, alpha: float, precision: np.ndarray, W: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move the W of another solution within its bounds, towards S, and read the coefficients off its precision.

    With the diagonal of S, such a mean is positive definite, as is the given W.
    """
    difference = W - S
    np.fill_diagonal(difference, 0)
    difference *= min(1.0, alpha / max(np.abs(difference).max(), alpha))
    coefficients = precision * (-1 / np.diag(precision))[:, None]
    np.fill_diagonal(coefficients, 0)
    return S + difference, coefficients


def log_determinants(matrices: np.ndarray) -> np.ndarray:
    """Compute log det of a stack of matrices, or NaN for all when one is not positive definite."""
    try:
        factors = np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        return np.full(matrices.shape[:-2], np.nan)
    return np.asarray(2 * np.log(np.diagonal(factors, axis1=-2, axis2=-1)).sum(axis=-1))


def _log_determinant(matrix: np.ndarray) -> float:
    return float(log_determinants(matrix))


@compiled
def _sweep(
    S: np.ndarray,
    W: np.ndarray,
    coefficients: np.ndarray,
    alpha: float,
    error: float,
    gram: np.ndarray,
    vectors: np.ndarray,
    indices: np.ndarray,
    relaxation: float,
) -> float:
    """Maximise the dual over each column of W in turn, in place; return the largest change of W.

    NaN when the errors of the columns have led to a W that is not positive definite: its variance of the node of some
    column, given the other nodes, is not positive.

    Row j of ``coefficients`` minimises ½ bᵀ V b - sᵀ b + alpha Σ|b_i| up to ``error``, where V is W without row and
    column j, and s column j of S. At the minimum V b, the best column of W, is within alpha of s. The new column goes
    from the old one to V b, and beyond it if ``relaxation`` is more than 1, but not out of its bounds.
    """
    n = S.shape[0]
    distance, shares, b, r, largest = vectors[0], vectors[1], vectors[2], vectors[3], vectors[10]
    members, is_member, in_order = indices[0], indices[1], indices[3]
    for k in range(n):
        largest[k] = 0.0
    for j in range(n):
        # The lasso is solved between members: the nodes that are not zero, and those that cannot stay so.
        m = copied = 0
        for i in range(n):
            members[m] = i
            m += coefficients[j, i] != 0.0
        while True:
            for x in range(copied, m):
                b[x] = coefficients[j, members[x]]
                r[x] = shares[x] = S[j, members[x]]
            for x in range(m):
                first = copied if x < copied else 0
                _gather(gram[x, first:], W[members[x]], members[first:], m - first)
            padded = _padded(m)
            for y in range(m, padded):
                b[y] = r[y] = shares[y] = 0.0
                for x in range(m):
                    gram[x, y] = 0.0
            if copied == 0:
                _subtract_rows(r, gram, in_order, b, m, padded)
            else:
                for x in range(m):
                    r[x] = distance[members[x]]
            copied = m
            if not _is_minimum(alpha, error, m, b, r):
                _lasso(gram, shares, alpha, error, m, b, r, vectors, indices)
            for k in range(n):
                distance[k] = S[j, k]
            _subtract_rows(distance, W, members, b, m, n)
            distance[j] = 0.0
            n_beyond = 0
            for k in range(n):
                n_beyond += abs(distance[k]) > alpha + error
            if n_beyond == 0:
                break
            for k in range(n):
                is_member[k] = 0
            for x in range(m):
                is_member[members[x]] = 1
            worst = 0.0
            for i in range(n):
                if is_member[i] == 0:
                    worst = max(worst, abs(distance[i]))
            if not worst > alpha + error:
                break
            # Only the worst enter at once, since others follow them back within alpha.
            threshold = alpha + max(error, 0.25 * (worst - alpha))
            for i in range(n):
                if is_member[i] == 0 and abs(distance[i]) > threshold:
                    members[m] = i
                    m += 1
        unexplained = W[j, j]
        for x in range(m):
            coefficients[j, members[x]] = b[x]
            unexplained -= b[x] * (S[j, members[x]] - distance[members[x]])
        if not unexplained > 0.0:
            return np.nan
        for k in range(n):
            value = S[j, k] - distance[k]
            change = abs(value - W[j, k])
            largest[k] = change if change > largest[k] else largest[k]
            value = W[j, k] + relaxation * (value - W[j, k])
            low, high = S[j, k] - alpha, S[j, k] + alpha
            value = low if value < low else value
            W[j, k] = high if value > high else value
        for k in range(n):
            W[k, j] = W[j, k]
    largest_change: float = largest[:n].max()
    return largest_change


@inlined
def _padded(n: int) -> int:
    """Return the next multiple of ``LANES``."""
    return (n + LANES - 1) // LANES * LANES


@inlined
def _gather(target: np.ndarray, values: np.ndarray, places: np.ndarray, n: int) -> None:
    """Copy the values at some places; a loop from 0, so that no index is tested for being negative."""
    for y in range(n):
        target[y] = values[places[y]]


@inlined
def _subtract_rows(
    target: np.ndarray, matrix: np.ndarray, rows: np.ndarray, weights: np.ndarray, n_rows: int, n: int
) -> None:
    """Subtract weighted rows of a matrix from a target, in place; four at once, to load and store the target less."""
    x = 0
    while x + 4 <= n_rows:
        i0, i1, i2, i3 = rows[x], rows[x + 1], rows[x + 2], rows[x + 3]
        w0, w1, w2, w3 = weights[x], weights[x + 1], weights[x + 2], weights[x + 3]
        for k in range(n):
            target[k] -= w0 * matrix[i0, k] + w1 * matrix[i1, k] + w2 * matrix[i2, k] + w3 * matrix[i3, k]
        x += 4
    while x < n_rows:
        i0, w0 = rows[x], weights[x]
        for k in range(n):
            target[k] -= w0 * matrix[i0, k]
        x += 1


@inlined
def _lasso(
    G: np.ndarray,
    c: np.ndarray,
    alpha: float,
    error: float,
    m: int,
    b: np.ndarray,
    r: np.ndarray,
    vectors: np.ndarray,
    indices: np.ndarray,
) -> None:
    """Minimise ½ bᵀ G b - cᵀ b + alpha Σ|b_i| over b, in place, together with the residual r = c - G b.

    Only the first m entries are used, and those up to the next multiple of ``LANES`` are zeros. Every step decreases
    the objective; the end is when no entry of r is farther than ``error`` from where it has to be: at ±alpha where b is
    not zero, and within alpha where it is.
    """
    padded = _padded(m)
    for _round in range(100):
        for x in range(m):
            g = r[x] + G[x, x] * b[x]
            if g > alpha:
                new = (g - alpha) / G[x, x]
            elif g < -alpha:
                new = (g + alpha) / G[x, x]
            else:
                new = 0.0
            change = new - b[x]
            if change != 0.0:
                b[x] = new
                for y in range(padded):
                    r[y] -= change * G[x, y]
        if _is_minimum(alpha, error, m, b, r):
            return
        while _descend_with_signs(G, c, alpha, error, m, b, r, vectors, indices):
            pass
        if _is_minimum(alpha, error, m, b, r):
            return


@inlined
def _is_minimum(alpha: float, error: float, m: int, b: np.ndarray, r: np.ndarray) -> bool:
    """Tell whether no entry of the residual is farther than ``error`` from where it has to be."""
    n_beyond = 0
    for x in range(m):
        slope = r[x] - alpha if b[x] > 0.0 else r[x] + alpha
        n_beyond += abs(slope) > error if b[x] != 0.0 else abs(r[x]) > alpha + error
    return n_beyond == 0


@inlined
def _descend_with_signs(
    G: np.ndarray,
    c: np.ndarray,
    alpha: float,
    error: float,
    m: int,
    b: np.ndarray,
    r: np.ndarray,
    vectors: np.ndarray,
    indices: np.ndarray,
) -> bool:
    """Take a step towards the minimum among all b with the present signs and zeros, by conjugate gradients.

    Entries whose sign would change become zero; return whether there were any. Nothing is changed when rounding lets
    the objective increase.
    """
    residual, direction, product = vectors[4], vectors[5], vectors[6]
    candidate, target, weights = vectors[7], vectors[8], vectors[9]
    support = indices[2]
    n = 0
    norm = 0.0
    before = 0.0
    for x in range(m):
        residual[x] = r[x]
        candidate[x] = b[x]
        target[x] = direction[x] = 0.0
        if b[x] != 0.0:
            support[n] = x
            n += 1
            target[x] = alpha if b[x] > 0.0 else -alpha
            direction[x] = r[x] - target[x]
            norm += direction[x] ** 2
            before += alpha * abs(b[x]) - 0.5 * b[x] * (c[x] + r[x])
    padded = _padded(m)
    for x in range(m, padded):
        residual[x] = candidate[x] = target[x] = direction[x] = 0.0
    goal = n * (0.3 * error) ** 2  # well within the error, so that the check after it passes
    look = LOOK_AT * norm
    for _step in range(2 * n):
        if norm <= goal:
            break
        if norm <= look:  # signs that do not hold are not worth an accurate solution
            look = LOOK_AT * norm
            least = 0.0
            for x in range(padded):
                least = min(least, candidate[x] * target[x])
            if least < 0.0:
                break
        for k in range(n):
            weights[k] = direction[support[k]]
        for x in range(padded):
            product[x] = 0.0
        _subtract_rows(product, G, support, weights, n, padded)
        curvature = 0.0
        for x in range(padded):
            curvature -= direction[x] * product[x]
        if curvature <= 0.0:
            break
        length = norm / curvature
        last_norm = norm
        norm = 0.0
        for x in range(padded):
            candidate[x] += length * direction[x]
            residual[x] += length * product[x]
            slope = residual[x] - target[x] if target[x] != 0.0 else 0.0
            norm += slope * slope
        ratio = norm / last_norm
        for x in range(padded):
            slope = residual[x] - target[x] if target[x] != 0.0 else 0.0
            direction[x] = slope + ratio * direction[x]

    # All entries that crossed zero stay there, or, if that is no descent, only the first of them.
    share = 1.0
    after = 0.0
    for k in range(n):
        x = support[k]
        end = candidate[x]
        if end * target[x] < 0.0:
            share = min(share, b[x] / (b[x] - end))
            end = 0.0
        weights[k] = end
    for y in range(padded):
        residual[y] = c[y]
    _subtract_rows(residual, G, support, weights, n, padded)
    for k in range(n):
        after += alpha * abs(weights[k]) - 0.5 * weights[k] * (c[support[k]] + residual[support[k]])
    if after > before:
        if share == 1.0:
            return False
        for k in range(n):
            x = support[k]
            crossed = candidate[x] * target[x] < 0.0 and b[x] / (b[x] - candidate[x]) <= share
            weights[k] = 0.0 if crossed else b[x] + share * (candidate[x] - b[x])
        for y in range(padded):
            residual[y] = c[y]
        _subtract_rows(residual, G, support, weights, n, padded)
    for k in range(n):
        b[support[k]] = weights[k]
    for y in range(padded):
        r[y] = residual[y]
    return share < 1.0


@compiled
def _primal_and_dual(
    S: np.ndarray, W: np.ndarray, coefficients: np.ndarray, alpha: float, P: np.ndarray, dual: np.ndarray
) -> tuple[float, float]:
    """Read P off the columns, put W within its bounds, and return tr(S P) + alpha Σ|P_ij| and Σ|W_ij P_ij|.

    The first is NaN when some P_ii is negative.

    For a W that is not yet optimal the two columns that share an entry of P disagree about it, and P takes the mean.
    """
    n = S.shape[0]
    linear = 0.0
    size = 0.0
    for j in range(n):
        unexplained = W[j, j]
        for k in range(n):
            unexplained -= W[j, k] * coefficients[j, k]
        if not unexplained > 0.0:
            return np.nan, size
        P[j, j] = 1.0 / unexplained
        dual[j, j] = S[j, j]
        linear += S[j, j] * P[j, j]
        size += S[j, j] * P[j, j]
    for j in range(n):
        for k in range(j):
            entry = -0.5 * (coefficients[j, k] * P[j, j] + coefficients[k, j] * P[k, k])
            P[j, k] = entry
            P[k, j] = entry
            linear += 2.0 * (S[j, k] * entry + alpha * abs(entry))
            bounded = min(max(W[j, k], S[j, k] - alpha), S[j, k] + alpha)
            dual[j, k] = bounded
            dual[k, j] = bounded
            size += 2.0 * abs(bounded * entry)
    return linear, size


def warm_up() -> None:
    """Load the machine code, by a small fit."""
    graphical_lasso(np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.3], [0.4, 0.3, 1.0]]), 0.1)
