"""Sparse inverse covariances of several runs that share their edges, with the proof of their accuracy.

The problem, for covariances S_k of runs with weights t_k (their shares of all frames) and a penalty alpha, is to
minimise over positive definite P_k

    f(P) = Σ_k t_k (-log det P_k + tr(S_k P_k)) + alpha Σ_{i≠j} √(Σ_k P_k,ij²)

(Varoquaux, Gramfort, Poline and Thirion 2010; Honorio and Samaras 2010). An edge is there in all runs or in none, and
may differ in strength. The dual is to maximise Σ_k t_k (log det W_k + n_nodes) over positive definite W_k with the
diagonals of S_k and √(Σ_k t_k² (W_k,ij - S_k,ij)²) ≤ alpha; the solver stops on the difference of the two, as in
``graphical_lasso``.

The method is the same, too: block coordinate ascent on the W_k, a column of all runs at a time. With V_k for W_k
without row and column j, s_k for column j of S_k and y_k for that of P_k, the column is

    minimise over y   Σ_k t_k (ψ_k(y_kᵀ V_k y_k) + s_kᵀ y_k) + alpha Σ_i √(Σ_k y_k,i²),

where the derivative of ψ_k is half of c_k = 1 / P_k,jj, the positive root of c + c² y_kᵀ V_k y_k = S_k,jj. It is solved
by coordinate descent over the entries i, with c_k held fixed during a pass: ψ_k is concave, so this bounds the
objective from above, and every pass decreases it; columns that this does not solve in a few passes, which are those of
small penalties, take Newton steps among the entries that are not zero in turn with it. The new columns of W_k are -c_k
V_k y_k; c_k is also what the other nodes leave unexplained of node j, so W_k stays positive definite whatever the
error. Unlike the descent on P of Honorio and Samaras, which nilearn follows, this needs no update of an inverse for
every column, and half as many sweeps.

References
----------
Honorio J, Samaras D (2010). Multi-task learning of Gaussian graphical models. Proceedings of the 27th International
Conference on Machine Learning, 447-454.
Varoquaux G, Gramfort A, Poline JB, Thirion B (2010). Brain covariance selection: better individual functional
connectivity models using population prior. Advances in Neural Information Processing Systems 23.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np

from sphereconn.connect.compilation import compiled, inlined
from sphereconn.connect.connectivity import (
    correlation,
    partial_correlation_of_precision,
    standardize,
    with_unusable,
)
from sphereconn.connect.covariance import empirical
from sphereconn.connect.graphical_lasso import (
    CLOSE_ERROR,
    EPSILON,
    ERROR_PER_CHANGE,
    FIRST_ERROR,
    LEAST_ERROR,
    RUNG_GAP,
    ConvergenceError,
    Point,
    check_semidefinite,
    checked_covariance,
    log_determinants,
    rungs,
)
from sphereconn.connect.joint import Members, participants
from sphereconn.connect.sparse_selection import (
    MOST_SWEEPS,
    Grid,
    PenaltyPath,
    Selection,
    blocks,
    choose_and_fit,
    covariances_of_folds,
    fewer_samples_than_nodes,
    fit_accurately,
    select_by_folds,
)
from sphereconn.errors import InputError

# Passes of coordinate descent before the first Newton step, which nearly all columns do without, and from one to the
# next.
PASSES, NEWTON_EVERY = 12, 4


@dataclass(frozen=True)
class GroupSparseSolution:
    """Sparse inverse covariances with common edges and the certificate of their accuracy.

    Attributes
    ----------
    precisions : ndarray of shape (n_runs, n_nodes, n_nodes)
        P_k: exactly symmetric, positive definite, with exact zeros at the same places.
    covariances : ndarray of shape (n_runs, n_nodes, n_nodes)
        W_k, the dual point: exactly symmetric, positive definite, with the given diagonals. The inverses of the P_k, up
        to the gap.
    weights : ndarray of shape (n_runs,)
        t_k.
    alpha : float
        The penalty.
    objective : float
        f(P).
    duality_gap : float
        f(P) minus the dual objective of W, or what rounding may hide if that is more: f(P) is at most this far from the
        optimum.
    n_iterations : int
        Sweeps over all columns.
    """

    precisions: np.ndarray
    covariances: np.ndarray
    weights: np.ndarray
    alpha: float
    objective: float
    duality_gap: float
    n_iterations: int

    @property
    def point(self) -> Point:
        """Where to start another fit from: precisions and covariances."""
        return self.precisions, self.covariances


@dataclass(frozen=True)
class GroupSparseInverseCovariance:
    """The sparse inverse covariances of a group of runs, in units of the z-scored signals.

    Attributes
    ----------
    precisions, covariances, partial_correlations : ndarray of shape (n_runs, n_nodes, n_nodes)
        One matrix a run, as in ``SparseInverseCovariance``; NaN in the rows and columns of unusable nodes, and
        throughout for runs that are left out.
    alpha : float
        The penalty.
    duality_gap : float
        The objective exceeds its minimum by no more than this.
    n_iterations : int
        Sweeps of the solver in the final fit.
    path : dict of str to ndarray
        How the penalty was found, see ``sparse_selection``; empty when it was given.
    unusable : tuple of int
        Positions of the nodes left out of all runs, because in some run of the fit they have no signal.
    without_signal : tuple of dict of int to str
        See ``joint.Participants``.
    left_out : dict of int to str
        Positions of the runs that the fit does without, and why.
    """

    precisions: np.ndarray
    covariances: np.ndarray
    partial_correlations: np.ndarray
    alpha: float
    duality_gap: float
    n_iterations: int
    path: dict[str, np.ndarray]
    unusable: tuple[int, ...]
    without_signal: tuple[Mapping[int, str], ...]
    left_out: dict[int, str]


def group_sparse_inverse_covariance(
    runs: Sequence[np.ndarray],
    *,
    selection: str | float = "cv",
    cv: int = 5,
    gap_frames: int = 0,
    grid: Grid | None = None,
    gap_per_node: float = 1e-6,
    min_nodes: float = 0.5,
    samples: Sequence[float] | None = None,
    members: Members | None = None,
    cores: int = 1,
) -> GroupSparseInverseCovariance:
    """Estimate sparse inverse covariances of several runs that have the same edges.

    The signals of each run are z-scored first (mean 0, population standard deviation 1). A node that has no signal in
    some run, or that of an earlier node, is left out of all runs, since an edge is there in all runs or in none.

    Parameters
    ----------
    runs : sequence of ndarray of shape (n_frames, n_nodes)
        Cleaned signals in any unit; the runs may differ in length. A node without a signal is a column of NaN.
    selection : "cv" or float
        How to choose the penalty, or the penalty itself. Cross-validation splits every run into the same number of
        blocks; its score is the mean over runs, weighted by their frames, of log det P - tr(T P), with T the
        correlation of the test frames of a run, as in nilearn.
    cv, gap_frames
        Folds, and frames between training and test, see ``sparse_selection.cross_validate``.
    grid : Grid, optional
        The penalties to try.
    gap_per_node : float
        The fit of all frames is improved until its duality gap is at most this times the number of nodes, as far as
        double precision allows; that of the grid it reaches in any case.
    min_nodes : float
        The least share of nodes with a signal that a run must have, 0 to 1. A run that has fewer, or fewer than two, or
        too few frames for the folds is left out, so that it does not take its nodes from all the others.
    samples : sequence of float, optional
        How many independent samples the frames of each run are worth, see ``sparse_selection.cross_validate``.
    members : Members, optional
        Names of runs and nodes and what is known of these, for the reasons; counted by default.
    cores : int
        How many folds are fitted at once, see ``sparse_selection.cross_validate``.

    Raises
    ------
    InputError
        When there is no run, the runs differ in their nodes, all are left out, or fewer than two nodes are left.
    ConvergenceError
        When the gap of the grid cannot be reached: with the given penalty, or with any that was tried.
    ValueError
        When the selection is unknown, or a column is NaN or infinite in some frames only.
    """
    if isinstance(selection, str) and selection != "cv":
        raise ValueError(f"'{selection}' is unknown, allowed are cv or a number")
    grid = grid or Grid()
    folds = (lambda n_frames: blocks(n_frames, cv, gap_frames)) if selection == "cv" else (lambda n_frames: [])
    taking_part = participants(runs, min_nodes, folds, members)
    fitted, usable = taking_part.fitted, taking_part.usable
    z = [standardize(runs[place][:, usable])[0] for place in fitted]
    covariances = np.array([empirical(x).covariance for x in z])
    fit_all = partial(group_sparse_covariance, covariances, [len(x) for x in z])
    if isinstance(selection, str):
        counts = [len(x) for x in z] if samples is None else [samples[place] for place in fitted]
        choose = partial(_cross_validate, z, covariances, cv, gap_frames, grid, counts, cores)
        chosen, fit = choose_and_fit(choose, fit_all, grid.gap_per_node, gap_per_node)
    else:
        chosen = Selection(float(selection), {}, None)
        fit = fit_accurately(fit_all, chosen, grid.gap_per_node, gap_per_node)
    shape = (len(runs), len(usable), len(usable))
    precisions, dual = np.full(shape, np.nan), np.full(shape, np.nan)
    for place, P, W in zip(fitted, fit.precisions, fit.covariances, strict=True):
        precisions[place], dual[place] = with_unusable(P, usable), with_unusable(W, usable)
    return GroupSparseInverseCovariance(
        precisions,
        dual,
        np.array([partial_correlation_of_precision(P) for P in precisions]),
        chosen.alpha,
        fit.duality_gap,
        fit.n_iterations,
        chosen.path,
        tuple(np.flatnonzero(~usable).tolist()),
        taking_part.without_signal,
        taking_part.left_out,
    )


def group_sparse_covariance(
    covariances: np.ndarray,
    n_frames: Sequence[float],
    alpha: float,
    *,
    gap_per_node: float = 1e-4,
    start: Point | None = None,
    max_iterations: int = 300,
    names: Sequence[str] | None = None,
) -> GroupSparseSolution:
    """Minimise the penalised likelihood of a group of runs over positive definite P_k, to a certified accuracy.

    Parameters
    ----------
    covariances : ndarray of shape (n_runs, n_nodes, n_nodes)
        S_k, symmetric and positive semidefinite; they may be singular.
    n_frames : sequence of float
        Frames of every run; only their ratios matter.
    alpha : float
        The penalty, above 0, in units of S.
    gap_per_node : float
        Stop when the duality gap is at most this times n_nodes.
    start : tuple of two ndarray, optional
        Precisions and covariances of a solution for a nearby alpha. Saves time; the result has the same certificate
        from any start.
    max_iterations : int
        Sweeps over the columns after which to give up.
    names : sequence of str, optional
        Names of the nodes, for error messages; counted from 1 by default.

    Raises
    ------
    ConvergenceError
        When the gap is not reached.
    InputError
        When a covariance is not symmetric, not finite or not positive semidefinite, a variance is 0, or alpha is not
        above 0.
    """
    S = np.array([checked_covariance(covariance, names) for covariance in covariances])
    weights = np.asarray(n_frames, dtype=np.float64)
    if S.ndim != 3 or weights.shape != S.shape[:1] or not (weights > 0).all():
        raise ValueError("covariances of shape (n_runs, n_nodes, n_nodes) and a number of frames for each are expected")
    if not (np.isfinite(alpha) and alpha > 0):
        raise InputError(f"alpha is {alpha}; a number above 0 is allowed.")
    for covariance in S:
        check_semidefinite(covariance)
    return _solve(S, _shares(weights), alpha, gap_per_node, start, max_iterations=max_iterations)


def _cross_validate(
    z: Sequence[np.ndarray],
    covariances: np.ndarray,
    cv: int,
    gap_frames: int,
    grid: Grid,
    samples: Sequence[float],
    cores: int,
    floor: float = 0.0,
) -> Selection:
    """Choose the penalty, as ``sparse_selection.cross_validate`` does it for one run."""
    runs = [_folds(x, cv, gap_frames, worth) for x, worth in zip(z, samples, strict=True)]
    n_trained = [[len(train) for train, _ in blocks(len(x), cv, gap_frames)] for x in z]
    paths = [
        _path(np.array([run[fold][0] for run in runs]), _shares([counts[fold] for counts in n_trained]))
        for fold in range(cv)
    ]
    tests = [np.array([run[fold][1] for run in runs]) for fold in range(cv)]

    def likelihood(fit: GroupSparseSolution, test: np.ndarray) -> float:
        return float(fit.weights @ (log_determinants(fit.precisions) - np.sum(test * fit.precisions, axis=(1, 2))))

    largest = _largest_norm(covariances, _shares([len(x) for x in z]))
    return select_by_folds(likelihood, paths, tests, covariances, largest, grid, floor=floor, cores=cores)


def _path(S: np.ndarray, weights: np.ndarray) -> PenaltyPath[GroupSparseSolution]:
    return PenaltyPath(S, lambda alpha, gap, start, close: _solve(S, weights, alpha, gap, start, close, MOST_SWEEPS))


def _folds(x: np.ndarray, cv: int, gap_frames: int, samples: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Give the correlations of the training and the test frames of every fold, or of samples, if there are few."""
    folds = covariances_of_folds(x, cv, gap_frames, samples)
    few = fewer_samples_than_nodes(x, samples)  # too few in a test block for correlations
    return [(correlation(train), test if few else correlation(test)) for train, test in folds]


def _shares(n_frames: Sequence[float] | np.ndarray) -> np.ndarray:
    weights = np.asarray(n_frames, dtype=np.float64)
    shares: np.ndarray = weights / weights.sum()
    return shares


def _largest_norm(differences: np.ndarray, weights: np.ndarray) -> float:
    """Give the largest √(Σ_k t_k² D_k,ij²) off the diagonal; of S, it is the smallest alpha that leaves no edge."""
    norms = np.sqrt(np.sum((weights[:, None, None] * differences) ** 2, axis=0))
    np.fill_diagonal(norms, 0)
    return float(norms.max())


def _solve(
    S: np.ndarray,
    weights: np.ndarray,
    alpha: float,
    gap_per_node: float,
    start: Point | None = None,
    close: bool = False,
    max_iterations: int = 300,
) -> GroupSparseSolution:
    n_runs, n, _ = S.shape
    if start is None:
        for rung in rungs(_largest_norm(S, weights), alpha):
            with suppress(ConvergenceError):
                start = _solve(S, weights, rung, max(RUNG_GAP, gap_per_node), start).point
    W, entries = _first_point(S, weights, alpha) if start is None else _next_point(S, weights, alpha, *start)
    safe = None
    P, dual = np.empty_like(S), np.empty_like(S)
    work = (
        np.empty((n_runs, n, n)),
        np.empty((4, n_runs, n)),
        np.empty((3, n_runs)),
        np.empty((2, n), dtype=np.int64),
    )
    error = (min(FIRST_ERROR, CLOSE_ERROR * gap_per_node**0.5) if close else FIRST_ERROR) * alpha
    least_error = max(LEAST_ERROR * gap_per_node * alpha, 4 * EPSILON * float(S.max()))
    best = np.inf
    for iteration in range(1, max_iterations + 1):
        change = _sweep(S, W, entries, weights, alpha, error, *work)
        linear, size = (np.nan, 0.0) if np.isnan(change) else _primal_and_dual(S, W, entries, weights, alpha, P, dual)
        dual_log_determinants = log_determinants(dual) if np.isfinite(linear) else np.full(n_runs, np.nan)
        if np.isnan(dual_log_determinants).any():
            W, entries = _first_point(S, weights, alpha) if safe is None else (safe[0].copy(), safe[1].copy())
            error *= 0.1
            continue
        log_determinant = float(weights @ log_determinants(P))
        gap = linear - log_determinant - float(weights @ dual_log_determinants) - n
        gap = max(gap, size * EPSILON)
        if gap <= gap_per_node * n:
            return GroupSparseSolution(P, dual, weights, alpha, linear - log_determinant, gap, iteration)
        best = min(best, gap) if np.isfinite(gap) else best
        safe = dual.copy(), entries.copy()
        error = min(error, max(ERROR_PER_CHANGE * change, least_error))
    raise ConvergenceError(
        f"The group sparse covariance with alpha {alpha:g} has a duality gap of {best / n:.1e} per node after"
        f" {max_iterations} sweeps, where at most {gap_per_node:.1e} is required; use a larger alpha or allow a larger"
        " gap."
    )


def _first_point(S: np.ndarray, weights: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Give W that are positive definite and within their bounds, between S and its diagonal, and no edge."""
    off_diagonal = S * (1 - np.eye(S.shape[1]))
    W = S - off_diagonal * min(1.0, alpha / max(_largest_norm(S, weights), alpha))
    if np.isnan(log_determinants(W)).any():
        raise InputError("A covariance of the group is not positive semidefinite.")
    return W, np.zeros((S.shape[1], S.shape[1], S.shape[0]))


def _next_point(
    S: np.ndarray, weights: np.ndarray, alpha: float, precisions: np.ndarray, W: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Move the W of another solution within their bounds, towards S, and take its edges."""
    difference = (W - S) * (1 - np.eye(S.shape[1]))
    difference *= min(1.0, alpha / max(_largest_norm(difference, weights), alpha))
    entries = np.ascontiguousarray(np.moveaxis(precisions * (1 - np.eye(S.shape[1])), 0, 2))
    return S + difference, entries


@compiled
def _sweep(
    S: np.ndarray,
    W: np.ndarray,
    entries: np.ndarray,
    weights: np.ndarray,
    alpha: float,
    error: float,
    gram: np.ndarray,
    vectors: np.ndarray,
    per_run: np.ndarray,
    indices: np.ndarray,
) -> float:
    """Maximise the dual over each column of all W in turn, in place; return the largest change of W.

    NaN when some W is not positive definite, which only a start can cause. ``entries[j, i]`` holds the P_k,ij of all
    runs as column j knows them.
    """
    n_runs, n = S.shape[0], S.shape[1]
    product, y, v, s = vectors[0], vectors[1], vectors[2], vectors[3]
    c = per_run[0]
    members, is_member = indices[0], indices[1]
    largest_change = 0.0
    for j in range(n):
        m = 0
        for i in range(n):
            is_member[i] = 0
            for k in range(n_runs):
                if entries[j, i, k] != 0.0:
                    is_member[i] = 1
            if is_member[i] == 1:
                members[m] = i
                m += 1
        is_member[j] = 1
        copied = 0
        solved = False
        while True:
            # product is V y, and c what the other nodes leave unexplained of this one
            for k in range(n_runs):
                for x in range(m):
                    y[k, x] = entries[j, members[x], k]
                for i in range(n):
                    product[k, i] = 0.0
                _add_rows(product[k], W[k], members, y[k], m, n)
                quadratic = 0.0
                for x in range(m):
                    quadratic += y[k, x] * product[k, members[x]]
                c[k] = _unexplained(quadratic, S[k, j, j])
                if not c[k] > 0.0:
                    return np.nan
            worst = 0.0
            for i in range(n):
                if is_member[i] == 0:
                    worst = max(worst, _norm_of_gradient(S, weights, c, product, j, i))
            if solved and not worst > alpha + error:
                break
            threshold = alpha + max(error, 0.25 * (worst - alpha))
            for i in range(n):
                if is_member[i] == 0 and _norm_of_gradient(S, weights, c, product, j, i) > threshold:
                    members[m] = i
                    is_member[i] = 1
                    m += 1
            for k in range(n_runs):
                for x in range(m):
                    y[k, x] = entries[j, members[x], k]
                    v[k, x] = product[k, members[x]]
                    s[k, x] = S[k, j, members[x]]
                    for z in range(copied if x < copied else 0, m):
                        gram[k, x, z] = W[k, members[x], members[z]]
            copied, solved = m, True
            _group_lasso(gram, s, S, j, weights, alpha, error, m, y, v, per_run)
            for k in range(n_runs):
                for x in range(m):
                    entries[j, members[x], k] = y[k, x]
        for k in range(n_runs):
            for i in range(n):
                if i != j:
                    value = -c[k] * product[k, i]
                    largest_change = max(largest_change, abs(value - W[k, j, i]))
                    W[k, j, i] = value
                    W[k, i, j] = value
    return largest_change


@inlined
def _unexplained(quadratic: float, variance: float) -> float:
    """Solve c + c² quadratic = variance for its positive root, in a form that does not cancel."""
    return float(2.0 * variance / (1.0 + np.sqrt(1.0 + 4.0 * quadratic * variance)))


@inlined
def _norm_of_gradient(S: np.ndarray, weights: np.ndarray, c: np.ndarray, product: np.ndarray, j: int, i: int) -> float:
    total = 0.0
    for k in range(S.shape[0]):
        total += (weights[k] * (S[k, j, i] + c[k] * product[k, i])) ** 2
    return float(np.sqrt(total))


@inlined
def _add_rows(
    target: np.ndarray, matrix: np.ndarray, rows: np.ndarray, factors: np.ndarray, n_rows: int, n: int
) -> None:
    """Add multiples of rows of a matrix to a target, in place; four at once, to load and store the target less."""
    x = 0
    while x + 4 <= n_rows:
        i0, i1, i2, i3 = rows[x], rows[x + 1], rows[x + 2], rows[x + 3]
        f0, f1, f2, f3 = factors[x], factors[x + 1], factors[x + 2], factors[x + 3]
        for k in range(n):
            target[k] += f0 * matrix[i0, k] + f1 * matrix[i1, k] + f2 * matrix[i2, k] + f3 * matrix[i3, k]
        x += 4
    while x < n_rows:
        i0, f0 = rows[x], factors[x]
        for k in range(n):
            target[k] += f0 * matrix[i0, k]
        x += 1


@inlined
def _group_lasso(
    G: np.ndarray,
    s: np.ndarray,
    S: np.ndarray,
    j: int,
    weights: np.ndarray,
    alpha: float,
    error: float,
    m: int,
    y: np.ndarray,
    v: np.ndarray,
    per_run: np.ndarray,
) -> None:
    """Solve the column between its first m members, in place: y, v = G y, and c; see the module.

    The end is when the gradient of every entry over the runs is closer than ``error`` to where it has to be: opposite
    to the entry, with norm alpha, or within alpha where the entry is zero.
    """
    n_runs = G.shape[0]
    c, h, curvature = per_run[0], per_run[1], per_run[2]
    for number in range(1000):
        if _distance_from_minimum(s, weights, alpha, m, y, v, c) <= error:
            return
        if number >= PASSES and number % NEWTON_EVERY == 0:
            _newton_step(G, s, S, j, weights, alpha, m, y, v, c)
            continue
        for x in range(m):
            norm = 0.0
            for k in range(n_runs):
                curvature[k] = weights[k] * c[k] * G[k, x, x]
                h[k] = curvature[k] * y[k, x] - weights[k] * (s[k, x] + c[k] * v[k, x])
                norm += h[k] ** 2
            norm = np.sqrt(norm)
            length = _length_of_minimum(h, curvature, norm, alpha) if norm > alpha else 0.0
            for k in range(n_runs):
                change = h[k] * length / (curvature[k] * length + alpha) - y[k, x]
                if change != 0.0:
                    y[k, x] += change
                    for z in range(m):
                        v[k, z] += change * G[k, x, z]
        for k in range(n_runs):
            quadratic = 0.0
            for x in range(m):
                quadratic += y[k, x] * v[k, x]
            c[k] = _unexplained(quadratic, S[k, j, j])


@inlined
def _newton_step(
    G: np.ndarray,
    s: np.ndarray,
    S: np.ndarray,
    j: int,
    weights: np.ndarray,
    alpha: float,
    m: int,
    y: np.ndarray,
    v: np.ndarray,
    c: np.ndarray,
) -> None:
    """Take a step towards the minimum among all y with the present zeros, in place: y, v = G y, and c.

    The Hessian is that of the objective itself, with c_k not held fixed: along y_k, where coordinate descent crawls, it
    is 1 / (1 + 2 c_k y_kᵀ V_k y_k) of what it is for a fixed c_k. Its system is solved by conjugate gradients, scaled
    by the diagonal. Entries that cross zero become zero; the step is halved until the objective falls, or not taken.
    """
    n_runs = len(weights)
    norms, quadratic = np.zeros(m), np.zeros(n_runs)
    for x in range(m):
        for k in range(n_runs):
            norms[x] += y[k, x] ** 2
            quadratic[k] += y[k, x] * v[k, x]
        norms[x] = np.sqrt(norms[x])
    work = np.zeros((7, n_runs, m))
    residual, step, scale, direction = work[0], work[1], work[2], work[3]
    product, trial, trial_v = work[4], work[5], work[6]
    along = 0.0
    for x in range(m):
        for k in range(n_runs):
            scale[k, x] = 1.0
            if norms[x] > 0.0:
                residual[k, x] = -weights[k] * (s[k, x] + c[k] * v[k, x]) - alpha * y[k, x] / norms[x]
                share = (y[k, x] / norms[x]) ** 2
                scale[k, x] = weights[k] * c[k] * G[k, x, x] + alpha * max(1.0 - share, 0.0) / norms[x]
                direction[k, x] = residual[k, x] / scale[k, x]
                along += residual[k, x] * direction[k, x]
    goal = 1e-10 * along
    for _step in range(n_runs * m):
        if not along > goal:
            break
        _multiply(G, direction, product, m)
        for k in range(n_runs):
            curved = 0.0
            for x in range(m):
                curved += v[k, x] * direction[k, x]
            curved *= 2.0 * c[k] ** 2 / (1.0 + 2.0 * c[k] * quadratic[k])
            for x in range(m):
                product[k, x] = weights[k] * (c[k] * product[k, x] - curved * v[k, x])
        curvature = 0.0
        for x in range(m):
            inner = 0.0
            for k in range(n_runs):
                inner += y[k, x] * direction[k, x]
            for k in range(n_runs):
                if norms[x] > 0.0:
                    product[k, x] += alpha * (direction[k, x] - y[k, x] * inner / norms[x] ** 2) / norms[x]
                else:
                    product[k, x] = 0.0
                curvature += product[k, x] * direction[k, x]
        if not curvature > 0.0:
            break
        length = along / curvature
        last, along = along, 0.0
        for k in range(n_runs):
            for x in range(m):
                step[k, x] += length * direction[k, x]
                residual[k, x] -= length * product[k, x]
                along += residual[k, x] ** 2 / scale[k, x]
        for k in range(n_runs):
            for x in range(m):
                direction[k, x] = residual[k, x] / scale[k, x] + along / last * direction[k, x]
    before = _objective_of_column(s, S, j, weights, alpha, m, y, v)
    share = 1.0
    for _halving in range(12):
        for x in range(m):
            inner = 0.0
            for k in range(n_runs):
                trial[k, x] = y[k, x] + share * step[k, x]
                inner += trial[k, x] * y[k, x]
            if inner <= 0.0:
                for k in range(n_runs):
                    trial[k, x] = 0.0
        _multiply(G, trial, trial_v, m)
        if _objective_of_column(s, S, j, weights, alpha, m, trial, trial_v) < before:
            for k in range(n_runs):
                inner = 0.0
                for x in range(m):
                    y[k, x], v[k, x] = trial[k, x], trial_v[k, x]
                    inner += trial[k, x] * trial_v[k, x]
                c[k] = _unexplained(inner, S[k, j, j])
            return
        share *= 0.5


@inlined
def _multiply(G: np.ndarray, y: np.ndarray, product: np.ndarray, m: int) -> None:
    """Multiply the first m rows and columns of the matrix of each run by its vector."""
    for k in range(len(y)):
        for x in range(m):
            total = 0.0
            for z in range(m):
                total += G[k, x, z] * y[k, z]
            product[k, x] = total


@inlined
def _objective_of_column(
    s: np.ndarray, S: np.ndarray, j: int, weights: np.ndarray, alpha: float, m: int, y: np.ndarray, v: np.ndarray
) -> float:
    """Give Σ_k t_k (ψ_k + s_kᵀ y_k) + alpha Σ_i ‖y_i‖, where ψ = ½ (u - log(1 + u)) and u² = 1 + 4 S_jj yᵀ V y."""
    total = 0.0
    for k in range(len(weights)):
        quadratic = linear = 0.0
        for x in range(m):
            quadratic += y[k, x] * v[k, x]
            linear += y[k, x] * s[k, x]
        u = np.sqrt(1.0 + 4.0 * S[k, j, j] * quadratic)
        total += weights[k] * (0.5 * (u - np.log(1.0 + u)) + linear)
    for x in range(m):
        norm = 0.0
        for k in range(len(weights)):
            norm += y[k, x] ** 2
        total += alpha * np.sqrt(norm)
    return float(total)


@inlined
def _distance_from_minimum(
    s: np.ndarray, weights: np.ndarray, alpha: float, m: int, y: np.ndarray, v: np.ndarray, c: np.ndarray
) -> float:
    n_runs = len(weights)
    largest = 0.0
    for x in range(m):
        norm = 0.0
        for k in range(n_runs):
            norm += y[k, x] ** 2
        pull = alpha / np.sqrt(norm) if norm > 0.0 else 0.0
        distance = 0.0
        for k in range(n_runs):
            distance += (weights[k] * (s[k, x] + c[k] * v[k, x]) + pull * y[k, x]) ** 2
        distance = np.sqrt(distance) if norm > 0.0 else np.sqrt(distance) - alpha
        largest = max(largest, distance)
    return largest


@inlined
def _length_of_minimum(h: np.ndarray, curvature: np.ndarray, norm: float, alpha: float) -> float:
    """Find the norm of the y that minimises Σ_k (½ curvature_k y_k² - h_k y_k) + alpha ‖y‖, for ‖h‖ > alpha.

    It is where Σ_k h_k² / (curvature_k length + alpha)² is 1. The sum is convex and decreases, so Newton's method from
    the left does not overshoot.
    """
    length = (norm - alpha) / curvature.max()
    for _step in range(100):
        value = -1.0
        slope = 0.0
        for k in range(len(h)):
            denominator = curvature[k] * length + alpha
            square = (h[k] / denominator) ** 2
            value += square
            slope += 2.0 * square * curvature[k] / denominator
        step = value / slope
        length += step
        if step <= 1e-14 * length:
            break
    return float(length)


@compiled
def _primal_and_dual(
    S: np.ndarray,
    W: np.ndarray,
    entries: np.ndarray,
    weights: np.ndarray,
    alpha: float,
    P: np.ndarray,
    dual: np.ndarray,
) -> tuple[float, float]:
    """Read the P off the columns, put the W within their bounds; return the part of f without log det, and Σ t|W P|."""
    n_runs, n = S.shape[0], S.shape[1]
    linear = 0.0
    size = 0.0
    for k in range(n_runs):
        for j in range(n):
            # 1 / P_jj = W_jj - wᵀ V⁻¹ w, and w = -V y / P_jj
            unexplained = W[k, j, j]
            product = 0.0
            for i in range(n):
                product += W[k, j, i] * entries[j, i, k]
            P[k, j, j] = (1.0 - product) / unexplained
            dual[k, j, j] = S[k, j, j]
            linear += weights[k] * S[k, j, j] * P[k, j, j]
            size += weights[k] * S[k, j, j] * abs(P[k, j, j])
    for j in range(n):
        for i in range(j):
            norm = 0.0
            distance = 0.0
            for k in range(n_runs):
                entry = 0.5 * (entries[j, i, k] + entries[i, j, k])
                norm += entry**2
                distance += (weights[k] * (W[k, j, i] - S[k, j, i])) ** 2
                P[k, j, i] = entry
                P[k, i, j] = entry
            share = min(1.0, alpha / np.sqrt(distance)) if distance > 0.0 else 1.0
            linear += 2.0 * alpha * np.sqrt(norm)
            for k in range(n_runs):
                bounded = S[k, j, i] + share * (W[k, j, i] - S[k, j, i])
                dual[k, j, i] = bounded
                dual[k, i, j] = bounded
                linear += 2.0 * weights[k] * S[k, j, i] * P[k, j, i]
                size += 2.0 * weights[k] * abs(bounded * P[k, j, i])
    return linear, size


def warm_up() -> None:
    """Load the machine code, by a small fit."""
    covariance = np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.3], [0.4, 0.3, 1.0]])
    group_sparse_covariance(np.stack([covariance, covariance]), [9, 9], 0.1)
