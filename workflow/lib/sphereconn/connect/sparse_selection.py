"""From cleaned signals to a sparse inverse covariance, with its penalty chosen by cross-validation or by EBIC.

The default search is that of scikit-learn's GraphicalLassoCV: a coarse grid of penalties, refined three times around
the best one, scored by the likelihood of frames that were left out. A penalty that cannot be fitted to the gap that is
asked for is no candidate: it is dropped, its row in the path says so, and the search goes on above it.

Frames that were filtered, or that confounds were regressed out of, are not independent, and fewer independent ones than
nodes mislead cross-validation altogether: the frames left out lie in the space that the others span, and the smallest
penalty always looks best. Such signals are first turned into as many samples as they are worth, see
``independent_samples``; docs/methods.md has the evidence.

The smallest penalties take most of the time and are seldom chosen. With ``stop_early``, a penalty of the first grid is
not fitted once every fold has fallen from its best score at some penalty in between. If the score of each fold has a
single maximum along the path, no fold can rise again, their mean can only fall, and the choice is that of the whole
grid. Of a finer grid, penalties are fitted beside the best one until both of its neighbours score less, which is the
best of all if the mean over folds has a single maximum there. The single maximum is the rule but not a law, since the
likelihood of left-out frames need not be concave in the penalty: in 128 searches of real and generated runs with 55 %
of the fits, 127 chose the penalty of the whole grid, and one another that scores 2e-6 less.
Nor is a fit driven to its last digits when the score is too far below the best one for them to matter: how far a score
may be off is judged by the duality gap. ``stop_early=False`` does without both. EBIC often has several maxima, and
always fits the whole grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, Protocol, TypeVar

import numpy as np

from sphereconn.connect.connectivity import (
    partial_correlation_of_precision,
    same_signal,
    standardize,
    with_unusable,
    without_copies,
)
from sphereconn.connect.covariance import empirical
from sphereconn.connect.graphical_lasso import (
    ConvergenceError,
    GraphicalLassoSolution,
    Point,
    checked_covariance,
    graphical_lasso,
    largest_off_diagonal,
    solve,
)
from sphereconn.errors import InputError
from sphereconn.threads import map_at_once

# Fits of the first grid have this gap per node, and those of penalties that are too close to the best one are repeated
# with a tenth of the gap, until the accuracy of the grid is reached. Scores of finer grids are so close that their fits
# aim at that accuracy at once.
ROUGH_GAP = 1e-2
CLOSER = 0.1
# The log-likelihood of a frame under a fit differs from that under the optimum by at most this times the root of the
# duality gap. To first order it does so with some factor, which depends on the frames. In 1,700 iterates of fits to 12
# data sets of 160 and 264 nodes the largest was 1.26; and two penalties are told apart by the errors of both.
SCORE_ERROR = 2.0
MOST_SWEEPS = 100  # for a penalty that is a candidate; ten are usual, and one that takes more is too small to be chosen
LEAST_SAMPLES = 4
RANGE = 0.01  # of a grid: its smallest penalty, as a share of its largest


class Fit(Protocol):
    """A solution for one covariance, or for one group of them, with the certificate of its accuracy."""

    @property
    def duality_gap(self) -> float:
        """Bound of the distance from the optimum."""

    @property
    def point(self) -> Point:
        """Where to start another fit from: precision and covariance."""


Solution = TypeVar("Solution", bound=Fit)


@dataclass(frozen=True)
class SparseInverseCovariance:
    """The sparse inverse covariance of one run, in units of the z-scored signals.

    Attributes
    ----------
    precision : ndarray of shape (n_nodes, n_nodes)
        P, with exact zeros. Like the other matrices exactly symmetric, and NaN in the rows and columns of nodes without
        a usable signal.
    covariance : ndarray of shape (n_nodes, n_nodes)
        W, the inverse of P up to the duality gap, with a diagonal of 1.
    partial_correlation : ndarray of shape (n_nodes, n_nodes)
        -P_ij / √(P_ii P_jj), the diagonal is 1.
    alpha : float
        The penalty.
    duality_gap : float
        The objective exceeds its minimum by no more than this.
    n_iterations : int
        Sweeps of the solver in the final fit.
    path : dict of str to ndarray
        How the penalty was found: one column a key, one row a penalty that was tried, the largest first; ``fitted`` is
        0, and the score NaN, where its gap was not reached, 1 elsewhere. Empty when the penalty was given.
    unusable : tuple of int
        Positions of the nodes left out, because their signal is missing, constant or that of an earlier node.
    n_frames : int
        Frames that the estimate rests on.
    samples : float or None
        Number of independent samples that the choice of the penalty took them for; None when it was given.
    identical : tuple of pairs of int
        Positions of nodes that have the same signal, up to sign and scale; the second of each pair is unusable.
    """

    precision: np.ndarray
    covariance: np.ndarray
    partial_correlation: np.ndarray
    alpha: float
    duality_gap: float
    n_iterations: int
    path: dict[str, np.ndarray]
    unusable: tuple[int, ...]
    n_frames: int
    samples: float | None = None
    identical: tuple[tuple[int, int], ...] = ()

    @property
    def matrices(self) -> dict[str, np.ndarray]:
        """The matrices of the fit, by the kind of connectome that each is."""
        return {
            "partial correlation": self.partial_correlation,
            "precision": self.precision,
            "covariance": self.covariance,
        }


def no_fit(n_nodes: int, identical: tuple[tuple[int, int], ...] = ()) -> SparseInverseCovariance:
    """Return what stands for the fit of a run that has fewer than two nodes to connect: NaN everywhere."""
    nothing, nodes = np.full((n_nodes, n_nodes), np.nan), tuple(range(n_nodes))
    return SparseInverseCovariance(
        nothing, nothing, nothing, np.nan, np.nan, 0, {}, unusable=nodes, n_frames=0, identical=identical
    )


@dataclass(frozen=True)
class Selection:
    """A chosen penalty.

    Attributes
    ----------
    alpha : float
        The penalty with the best score; of equals, the smallest.
    path : dict of str to ndarray
        One column a key, one row a penalty that was tried, the largest first.
    start : tuple of two ndarray, or None
        Precision and covariance close to those of all frames at this penalty, from which to start their fit.
    """

    alpha: float
    path: dict[str, np.ndarray]
    start: Point | None


@dataclass(frozen=True)
class Grid:
    """Which penalties to try, and how well to fit each.

    Attributes
    ----------
    alphas : int or sequence of float
        The number of penalties in a grid, at least 2, or the penalties themselves, which are then not refined.
    n_refinements : int
        Number of grids. The first goes from the smallest penalty that leaves no edge down to a hundredth of it, each of
        the others fills the gap around the best so far.
    stop_early : bool
        Whether cross-validation leaves out penalties whose score can only be lower, and ends fits of penalties that can
        no longer be chosen, see the module.
    gap_per_node : float
        The duality gap of a fit is at most this times the number of nodes, unless it ended early.
    """

    alphas: int | Sequence[float] = 4
    n_refinements: int = 4
    stop_early: bool = True
    gap_per_node: float = 1e-4


def sparse_inverse_covariance(
    signals: np.ndarray,
    *,
    selection: str | float = "cv",
    cv: int = 5,
    gap_frames: int = 0,
    gamma: float = 0.5,
    grid: Grid | None = None,
    gap_per_node: float = 1e-6,
    names: Sequence[str] | None = None,
    samples: float | None = None,
    cores: int = 1,
) -> SparseInverseCovariance:
    """Estimate the sparse inverse covariance of one run by the graphical lasso.

    The signals are z-scored first (mean 0, population standard deviation 1), so that every node weighs the same and the
    penalty has the scale of a correlation. Of nodes with the same signal the first stands for all.

    Parameters
    ----------
    signals : ndarray of shape (n_frames, n_nodes)
        Cleaned signals in any unit. A node without a signal is a column of NaN.
    selection : "cv", "ebic" or float
        How to choose the penalty, by ``cross_validate`` or ``ebic``, or the penalty itself.
    cv, gap_frames
        Folds, and frames between training and test, for ``cross_validate``.
    gamma
        For ``ebic``.
    grid : Grid, optional
        For both.
    gap_per_node : float
        The fit of all frames is improved until its duality gap is at most this times the number of nodes, as far as
        double precision allows; that of the grid it reaches in any case. One fit of many, it can be tighter than those
        that are only compared.
    names : sequence of str, optional
        Names of the nodes, for error messages; counted from 1 by default.
    samples : float, optional
        How many independent samples the frames are worth, for the choice of the penalty; by default one a frame.
    cores : int
        For ``cross_validate``.

    Raises
    ------
    InputError
        When there is a single node, fewer than two frames are left, or a fold has too few.
    ConvergenceError
        When the gap of the grid cannot be reached: with the given penalty, or with any that was tried.
    ValueError
        When the selection is unknown, or a column is NaN or infinite in some frames only.
    """
    grid = grid or Grid()
    z, varying = standardize(signals)
    identical = same_signal(z, varying)
    usable = without_copies(varying, identical)
    z = z[:, usable[varying]]
    if len(usable) < 2:
        raise InputError("A sparse inverse covariance needs at least 2 nodes; this seed set has 1.")
    if z.shape[1] < 2:
        return no_fit(len(usable), identical)
    labels = np.array(names if names is not None else range(1, len(usable) + 1))[usable].tolist()
    count = float(len(z) if samples is None else samples)
    if selection == "cv":
        choose = partial(cross_validate, z, cv, gap_frames, grid, labels, samples=count, cores=cores)
    elif selection == "ebic":
        choose = partial(ebic, z, gamma, grid, samples=count)
    elif isinstance(selection, str):
        raise ValueError(f"'{selection}' is unknown, allowed are cv, ebic or a number")
    else:
        choose = None
    covariance = empirical(z).covariance
    fit_all = partial(graphical_lasso, covariance)
    if choose is None:
        chosen = Selection(float(selection), {}, None)
        fit = fit_accurately(fit_all, chosen, grid.gap_per_node, gap_per_node)
    else:
        chosen, fit = choose_and_fit(choose, fit_all, grid.gap_per_node, gap_per_node)
    return SparseInverseCovariance(
        with_unusable(fit.precision, usable),
        with_unusable(fit.covariance, usable),
        with_unusable(partial_correlation_of_precision(fit.precision), usable),
        chosen.alpha,
        fit.duality_gap,
        fit.n_iterations,
        chosen.path,
        tuple(np.flatnonzero(~usable).tolist()),
        len(z),
        count if chosen.path else None,
        identical,
    )


def choose_and_fit(
    choose: Callable[..., Selection],
    fit: Callable[..., Solution],
    gap_per_node: float,
    best_gap_per_node: float,
) -> tuple[Selection, Solution]:
    """Choose a penalty and fit all frames with it; when that cannot be done, choose anew above it.

    Parameters
    ----------
    choose : callable
        Called with ``floor``, a penalty that cannot be fitted, to a selection.
    fit : callable
        Called with a penalty, ``gap_per_node`` and ``start``, to a solution.
    gap_per_node, best_gap_per_node : float
        As for ``fit_accurately``.
    """
    floor = 0.0
    while True:
        chosen = choose(floor=floor)
        try:
            return chosen, fit_accurately(fit, chosen, gap_per_node, best_gap_per_node)
        except ConvergenceError:
            floor = chosen.alpha


def fit_accurately(
    fit: Callable[..., Solution], chosen: Selection, gap_per_node: float, best_gap_per_node: float
) -> Solution:
    """Fit a penalty to a gap that it must reach, then to a smaller one, if that is within reach."""
    try:
        return fit(chosen.alpha, gap_per_node=min(gap_per_node, best_gap_per_node), start=chosen.start)
    except ConvergenceError:
        if best_gap_per_node >= gap_per_node:
            raise
    return fit(chosen.alpha, gap_per_node=gap_per_node, start=chosen.start)


def independent_samples(x: np.ndarray, samples: float, least: int = LEAST_SAMPLES) -> np.ndarray:
    """Turn frames into as many samples as they are worth, in the order of time.

    Filtering and regression leave signals in a space of few dimensions. The first left singular vectors of the signals
    span most of it; rotated such that each lies at a time of its own (the eigenvectors of the time of the frames,
    restricted to the space), they give samples that are uncorrelated for a flat spectrum, and that a block of the run
    shares with the next no more than it must. For white signals of more nodes than frames, they are the frames.

    Parameters
    ----------
    x : ndarray of shape (n_frames, n_nodes)
        Finite signals with a mean of 0.
    samples : float
        How many samples they are worth.
    least : int
        The least number of samples that is given, for as many folds.

    Returns
    -------
    ndarray of shape (n_samples, n_nodes)
        With a mean square of 1 in every node; their true mean is 0, and their own is not to be removed.
    """
    vectors = np.linalg.svd(x, full_matrices=False)[0][:, : max(round(samples), least)]
    times = np.arange(len(x)) / len(x)
    localised = vectors @ np.linalg.eigh(vectors.T @ (times[:, None] * vectors))[1]
    y = localised.T @ x
    y /= np.sqrt(np.mean(y**2, axis=0))
    rotated: np.ndarray = y
    return rotated


def fewer_samples_than_nodes(x: np.ndarray, samples: float) -> bool:
    """Tell whether signals are worth fewer samples than they have nodes, and than they have frames but for the mean."""
    return bool(samples < min(x.shape[1], len(x) - 1))


def covariances_of_folds(
    x: np.ndarray, cv: int, gap_frames: int, samples: float, names: Sequence[str] | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Compute the covariances of the training and the test frames of every fold.

    Signals that are worth fewer samples than they have nodes are split into blocks of ``independent_samples``, without
    a gap between them, others into blocks of frames; the parameters and errors are those of ``cross_validate``.
    """
    folds = blocks(len(x), cv, gap_frames)
    if fewer_samples_than_nodes(x, samples):
        y = independent_samples(x, samples, max(cv, LEAST_SAMPLES))
        parts = np.array_split(np.arange(len(y)), cv)
        total = y.T @ y
        squares = [y[part].T @ y[part] for part in parts]
        return [
            (checked_covariance((total - square) / (len(y) - len(part))), square / len(part))
            for square, part in zip(squares, parts, strict=True)
        ]
    return [(covariance_of_frames(x[train], names), empirical(x[test]).covariance) for train, test in folds]


def cross_validate(
    x: np.ndarray,
    cv: int = 5,
    gap_frames: int = 0,
    grid: Grid | None = None,
    names: Sequence[str] | None = None,
    *,
    samples: float | None = None,
    floor: float = 0.0,
    cores: int = 1,
) -> Selection:
    """Choose the penalty whose fit to some of the frames makes the others most likely.

    The score of a fold is the Gaussian log-likelihood of a test frame, ½ (log det P - tr(T P) - n_nodes log 2π), with P
    fitted to the training frames, T the covariance of the test frames, and each about its own mean.

    Parameters
    ----------
    x : ndarray of shape (n_frames, n_nodes)
        Finite signals.
    cv : int
        Number of folds. Their test frames are contiguous blocks, as equal in length as can be.
    gap_frames : int
        Frames before and after the test block that are not trained on either: in an autocorrelated series they all but
        repeat its ends, which makes small penalties look better than they are. 0 is scikit-learn's choice.
    grid : Grid, optional
        The penalties to try.
    names : sequence of str, optional
        Names of the nodes, for error messages; counted from 1 by default.
    samples : float, optional
        How many independent samples the frames are worth. With fewer than nodes, the folds are blocks of samples, see
        ``independent_samples``. By default one a frame, as in scikit-learn.
    floor : float
        A penalty that is known to be out of reach.
    cores : int
        How many folds are fitted at once; the result is the same to the last bit.

    Returns
    -------
    Selection
        Its path has the columns alpha; score, the mean over folds; fold_1, fold_2 and so on; duality_gap, the largest;
        fitted, 1 or 0.

    Raises
    ------
    InputError
        When a fold has fewer than two training or test frames, or a node is constant in its training frames.
    ConvergenceError
        When no penalty can be fitted.
    """
    folds = covariances_of_folds(x, cv, gap_frames, len(x) if samples is None else samples, names)
    return cross_validate_covariances(empirical(x).covariance, folds, grid, floor=floor, cores=cores)


def cross_validate_covariances(
    covariance: np.ndarray,
    folds: Sequence[tuple[np.ndarray, np.ndarray]],
    grid: Grid | None = None,
    *,
    floor: float = 0.0,
    cores: int = 1,
) -> Selection:
    """Choose the penalty as ``cross_validate`` does, from the covariances of all, training and test samples.

    Parameters
    ----------
    covariance : ndarray of shape (n_nodes, n_nodes)
        Of all samples.
    folds : sequence of pairs of ndarray
        Covariances of the training and of the test samples of each fold.
    grid, floor, cores
        As for ``cross_validate``.
    """
    grid = grid or Grid()
    constant = len(covariance) * np.log(2 * np.pi)
    tests = [test for _, test in folds]
    paths = [_path(train) for train, _ in folds]

    def likelihood(fit: GraphicalLassoSolution, test: np.ndarray) -> float:
        return float(fit.log_determinant - np.sum(test * fit.precision) - constant) / 2

    largest = largest_off_diagonal(covariance)
    return select_by_folds(likelihood, paths, tests, covariance, largest, grid, SCORE_ERROR, floor, cores)


def blocks(n_frames: int, cv: int, gap_frames: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split frames into contiguous test blocks, each with the frames to train on.

    Parameters
    ----------
    n_frames : int
    cv : int
        Number of blocks; the first ``n_frames % cv`` have one frame more than the others.
    gap_frames : int
        Frames on either side of a block that are in neither part.

    Returns
    -------
    list of tuple of two ndarray of int
        Training and test frames, counted from 0.

    Raises
    ------
    InputError
        When a part has fewer than two frames.
    """
    if not 2 <= cv <= n_frames // 2:
        raise InputError(
            f"cv is {cv}; {n_frames} frames can be split into 2 to {n_frames // 2} folds of 2 frames or more."
        )
    frames = np.arange(n_frames)
    folds = []
    for test in np.array_split(frames, cv):
        train = frames[(frames < test[0] - gap_frames) | (frames > test[-1] + gap_frames)]
        if gap_frames < 0 or len(train) < 2:
            raise InputError(
                f"gap_frames is {gap_frames}; with {n_frames} frames in {cv} folds, it must be at least 0 and leave at"
                " least 2 frames to train on."
            )
        folds.append((train, test))
    return folds


def covariance_of_frames(x: np.ndarray, names: Sequence[str] | None = None) -> np.ndarray:
    """Compute the covariance of some frames of a run; ``InputError`` names a node that is constant in them."""
    constant = np.flatnonzero(~standardize(x)[1])
    if constant.size:
        name = constant[0] + 1 if names is None else names[constant[0]]
        raise InputError(
            f"The signal of node '{name}' is constant in the training or test frames of a fold; leave it out."
        )
    return checked_covariance(empirical(x).covariance)


def ebic(
    x: np.ndarray,
    gamma: float = 0.5,
    grid: Grid | None = None,
    *,
    samples: float | None = None,
    floor: float = 0.0,
) -> Selection:
    """Choose the penalty by the extended Bayesian information criterion (Foygel and Drton 2010), which needs no folds.

    The criterion is -n (log det P - tr(S P)) + n_edges (log n + 4 gamma log n_nodes), to be minimised, with n the
    number of independent samples. A filtered series has fewer of them than frames; with the number of frames for n, the
    choice has far too many edges.

    Parameters
    ----------
    x : ndarray of shape (n_frames, n_nodes)
        Finite signals.
    gamma : float
        Weight of the number of possible graphs; 0 gives the Bayesian information criterion.
    grid : Grid, optional
        The penalties to try.
    samples : float, optional
        How many independent samples the frames are worth; by default one a frame.
    floor : float
        A penalty that is known to be out of reach.

    Returns
    -------
    Selection
        Its path has the columns alpha, ebic, n_edges, duality_gap, and fitted, 1 or 0.

    Raises
    ------
    ConvergenceError
        When no penalty can be fitted.

    References
    ----------
    Foygel R, Drton M (2010). Extended Bayesian information criteria for Gaussian graphical models. Advances in Neural
    Information Processing Systems 23.
    """
    whole = replace(grid or Grid(), stop_early=False)
    n_frames, n_nodes = x.shape
    n = max(float(n_frames if samples is None else samples), 1.0)
    path = _path(covariance_of_frames(x))
    n_edges: dict[float, int] = {}

    def score(alpha: float, gap_per_node: float) -> np.ndarray:
        fit = path.fit(alpha, gap_per_node)
        n_edges[alpha] = int(np.count_nonzero(np.triu(fit.precision, k=1)))
        likelihood = fit.log_determinant - np.sum(path.covariance * fit.precision)
        return np.array([n * likelihood - n_edges[alpha] * (np.log(n) + 4 * gamma * np.log(n_nodes))])

    alpha, scores = search(score, [path], largest_off_diagonal(path.covariance), whole, floor=floor)
    edges = np.array([n_edges.get(key, np.nan) for key in scores])
    criterion = np.array([-float(values[0]) for values in scores.values()])
    return Selection(alpha, _table([path], scores, {"ebic": criterion, "n_edges": edges}), path.solutions[alpha].point)


def _path(covariance: np.ndarray) -> PenaltyPath[GraphicalLassoSolution]:
    def fit(alpha: float, gap: float, start: Point | None, close: bool) -> GraphicalLassoSolution:
        return solve(covariance, alpha, gap, start, close, MOST_SWEEPS)

    return PenaltyPath(covariance, fit)


@dataclass
class PenaltyPath(Generic[Solution]):
    """Fits of one covariance, or of one group of them, to several penalties, each started from its neighbours.

    ``solve`` fits a penalty to a gap per node, given a start, if there is one, and whether that is close to the
    solution.
    """

    covariance: np.ndarray
    solve: Callable[[float, float, Point | None, bool], Solution]
    solutions: dict[float, Solution] = field(default_factory=dict)
    gaps: dict[float, float] = field(default_factory=dict)

    def fit(self, alpha: float, gap_per_node: float) -> Solution:
        """Fit a penalty, or go on with its fit to a smaller gap, and keep the solution."""
        above = min((key for key in self.solutions if key > alpha), default=None)
        below = max((key for key in self.solutions if key < alpha), default=None)
        if alpha in self.solutions:
            solution = self.solve(alpha, gap_per_node, self.solutions[alpha].point, True)
        elif above is None:
            solution = self.solve(alpha, gap_per_node, None, False)
        elif below is None:
            solution = self.solve(alpha, gap_per_node, self.solutions[above].point, False)
        else:
            # Between two solutions, which is still positive definite and within the bounds of W.
            share = (alpha - below) / (above - below)
            ends = zip(self.solutions[above].point, self.solutions[below].point, strict=True)
            precision, covariance = (share * high + (1 - share) * low for high, low in ends)
            solution = self.solve(alpha, gap_per_node, (precision, covariance), True)
        self.solutions[alpha] = solution
        self.gaps[alpha] = solution.duality_gap
        return solution

    def forget_outside(self, smallest: float, largest: float) -> None:
        """Drop the fits from which no other will be started."""
        self.solutions = {alpha: kept for alpha, kept in self.solutions.items() if smallest <= alpha <= largest}


def select_by_folds(
    score: Callable[[Solution, np.ndarray], float],
    paths: Sequence[PenaltyPath[Solution]],
    tests: Sequence[np.ndarray],
    covariance: np.ndarray,
    largest_alpha: float,
    grid: Grid,
    score_error: float = 0.0,
    floor: float = 0.0,
    cores: int = 1,
) -> Selection:
    """Choose the penalty with the best mean score over folds.

    Parameters
    ----------
    score : callable
        From the solution of a fold and the covariance of its test frames to its score.
    paths, tests
        One a fold.
    covariance : ndarray
        Of all frames.
    largest_alpha, grid, score_error, floor
        As for ``search``.
    cores
        As for ``cross_validate``.
    """

    def scores_of(alpha: float, gap_per_node: float) -> np.ndarray:
        def score_of(path: PenaltyPath[Solution], test: np.ndarray) -> float:
            return score(path.fit(alpha, gap_per_node), test)

        return np.array(map_at_once(cores, score_of, paths, tests))

    alpha, scores = search(scores_of, paths, largest_alpha, grid, score_error, floor)
    by_fold = np.array(list(scores.values())).T
    columns = {"score": np.mean(by_fold, axis=0)} | {f"fold_{k}": fold for k, fold in enumerate(by_fold, start=1)}
    # The covariance of all frames is the mean of those of the folds, but for the differences between their means.
    points = [path.solutions[alpha].point for path in paths]
    precision = np.mean([precision for precision, _ in points], axis=0)
    shift = np.mean([W - path.covariance for (_, W), path in zip(points, paths, strict=True)], axis=0)
    return Selection(alpha, _table(paths, scores, columns), (precision, covariance + shift))


def search(
    score: Callable[[float, float], np.ndarray],
    paths: Sequence[PenaltyPath[Solution]],
    largest_alpha: float,
    grid: Grid,
    score_error: float = 0.0,
    floor: float = 0.0,
) -> tuple[float, dict[float, np.ndarray]]:
    """Find the penalty with the largest mean score among those that can be fitted.

    Parameters
    ----------
    score : callable
        From a penalty and a gap per node to its score in every fold, shape (n_folds,).
    paths : sequence of PenaltyPath
        Where ``score`` keeps its fits.
    largest_alpha : float
        The first and largest penalty of a grid that is not given: the smallest that leaves no edge.
    grid : Grid
        The penalties to try.
    score_error : float
        What a score may be off at most, in units of the root of the duality gap of its fit; if 0, it is not known, and
        no fit ends early.
    floor : float
        A penalty that is known to be out of reach; none as small is tried.

    Returns
    -------
    alpha : float
        The penalty with the best score; of equals, the smallest.
    scores : dict of float to ndarray of shape (n_folds,)
        Of all penalties that were tried, the largest first; NaN where some fold did not reach its gap.

    Raises
    ------
    InputError
        When ``largest_alpha`` is 0.
    ConvergenceError
        When no penalty can be fitted.
    """
    if largest_alpha == 0:
        raise InputError("No two signals are correlated, so there is no penalty to choose; give a number.")
    if isinstance(grid.alphas, int):
        n_alphas, n_left = grid.alphas, grid.n_refinements
        asked = set(_log_spaced(max(RANGE * largest_alpha, floor), largest_alpha, n_alphas))
    else:
        n_alphas, n_left = len(grid.alphas), 1
        asked = set(map(float, grid.alphas))
    if n_alphas < (2 if isinstance(grid.alphas, int) else 1) or n_left < 1:
        raise ValueError("a grid needs at least 2 penalties, or 1 when they are given, and n_refinements at least 1")
    # The smallest penalty takes longest to fit. It is needed only if the scores of the second grid, just above it, do
    # not end in a fall, and if it then turns out best, the second grid was in vain and is not counted.
    late = {min(asked)} if grid.stop_early and n_left > 1 else set()
    first_gap = max(ROUGH_GAP if grid.stop_early and score_error else 0.0, grid.gap_per_node)
    race = _Race(score, paths, grid.gap_per_node, score_error)
    if floor > 0:
        asked.add(floor)
        race.drop(floor)
    todo = asked - late
    for alpha in sorted(todo, reverse=True):
        if not (grid.stop_early and race.all_have_fallen(alpha)):
            race.fit(alpha, first_gap)
    while True:
        best = race.leader()
        if not (best in late and best in todo):
            n_left -= 1
        if n_left == 0:
            race.improve([best], grid.gap_per_node)
            if best in race.scores and any(best not in path.solutions for path in paths):
                # Dropped with its grid, and best after all, as the score that beat it was farther off than expected.
                race.fit(best, grid.gap_per_node)
            if best not in race.scores:
                n_left = 1  # the best of those that are left is looked for, without another grid
                todo = set()
                continue
            return best, race.table()
        above = min((alpha for alpha in asked if alpha > best), default=best)
        below = max((alpha for alpha in asked if alpha < best), default=RANGE * best)
        for path in paths:
            path.forget_outside(below, above)
        asked |= set(_log_spaced(above, below, n_alphas + 2)[1:-1])
        todo = asked - race.scores.keys() - race.dropped
        if grid.stop_early:
            race.climb(todo)
        else:
            for alpha in sorted(todo, reverse=True):
                race.fit(alpha, grid.gap_per_node)


def _log_spaced(first: float, last: float, n: int) -> list[float]:
    return [float(alpha) for alpha in np.logspace(np.log10(first), np.log10(last), n)]


class _Race(Generic[Solution]):
    """Penalties with their scores, known as accurately as it takes to tell them apart."""

    def __init__(
        self,
        score: Callable[[float, float], np.ndarray],
        paths: Sequence[PenaltyPath[Solution]],
        gap_per_node: float,
        score_error: float,
    ) -> None:
        self.scores: dict[float, np.ndarray] = {}
        self.dropped: set[float] = set()  # tried, and out of reach
        self._errors: dict[float, np.ndarray] = {}
        self._score, self._paths, self._gap_per_node, self._score_error = score, paths, gap_per_node, score_error

    def fit(self, alpha: float, gap_per_node: float) -> None:
        """Fit a penalty in every fold, or drop it; a score that is as accurate as is asked for counts as exact.

        Smaller penalties are harder to fit: none is tried below one that was dropped.
        """
        if alpha <= max(self.dropped, default=0.0):
            return
        try:
            self.scores[alpha] = self._score(alpha, gap_per_node)
        except ConvergenceError:
            self.drop(alpha)
            return
        gaps = np.array([path.gaps[alpha] for path in self._paths])
        self._errors[alpha] = np.where(self._gap(alpha) > self._gap_per_node, self._score_error * np.sqrt(gaps), 0.0)

    def drop(self, alpha: float) -> None:
        """Take a penalty that does not reach its gap for no candidate."""
        self.scores.pop(alpha, None)
        self.dropped.add(alpha)
        for path in self._paths:
            path.gaps[alpha] = np.nan
            path.solutions.pop(alpha, None)  # those of the folds that did reach it

    def table(self) -> dict[float, np.ndarray]:
        """Give the scores of all penalties that were tried, the largest first."""
        none = np.full(len(self._paths), np.nan)
        return {alpha: self.scores.get(alpha, none) for alpha in sorted({*self.scores, *self.dropped}, reverse=True)}

    def leader(self) -> float:
        """Find the penalty with the best mean score, of equals the smallest, after fitting better those in question."""
        while True:
            if not self.scores:
                raise ConvergenceError(
                    f"None of the penalties that were tried, {min(self.dropped):.2g} to {max(self.dropped):.2g}, can be"
                    f" fitted to a duality gap of {self._gap_per_node:.1e} per node; a larger gap_per_node is easier to"
                    " reach."
                )
            means = {alpha: float(np.mean(self.scores[alpha])) for alpha in sorted(self.scores)}
            errors = {alpha: float(np.mean(self._errors[alpha])) for alpha in means}
            reached = max(means[alpha] - errors[alpha] for alpha in means)
            rivals = [alpha for alpha in means if means[alpha] + errors[alpha] >= reached]
            worst = max(map(self._gap, rivals))
            if len(rivals) == 1 or worst <= self._gap_per_node:
                return max(means, key=lambda alpha: means[alpha])
            self.improve(rivals, max(CLOSER * worst, self._gap_per_node))

    def improve(self, alphas: Sequence[float], gap_per_node: float) -> None:
        """Fit penalties to a smaller gap."""
        for alpha in sorted(alphas, reverse=True):
            if self._gap(alpha) > gap_per_node:
                self.fit(alpha, gap_per_node)

    def climb(self, asked: set[float]) -> None:
        """Fit penalties beside the best one until both neighbours are known, on the better side first."""
        left = set(asked)
        while True:
            best = self.leader()
            beside = {}
            for sign in (1, -1):
                side = sorted((key for key in self.scores.keys() | left if sign * key > sign * best), reverse=sign < 0)
                if side and side[0] in left:
                    beside[side[0]] = next((np.mean(self.scores[key]) for key in side if key in self.scores), -np.inf)
            if not beside:
                return
            alpha = max(beside, key=lambda key: beside[key])
            left.discard(alpha)
            self.fit(alpha, self._gap_per_node)

    def all_have_fallen(self, alpha: float) -> bool:
        """Tell whether every fold has fallen from its best penalty to another one, still above ``alpha``."""
        if not self.scores:
            return False
        alphas = sorted(self.scores, reverse=True)
        scores, errors = (np.array([values[key] for key in alphas]) for values in (self.scores, self._errors))
        lower = scores + errors < np.maximum.accumulate(scores - errors)
        above = np.array(alphas) > alpha
        return bool(np.all(lower[above].any(axis=0) & lower[~above].all(axis=0)))

    def _gap(self, alpha: float) -> float:
        return max(path.gaps[alpha] for path in self._paths) / int(self._paths[0].covariance.shape[-1])


def _table(
    paths: Sequence[PenaltyPath[Solution]], scores: Mapping[float, np.ndarray], columns: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    gaps = np.array([max(path.gaps[alpha] for path in paths) for alpha in scores])
    fitted = np.array([int(not np.isnan(values).any()) for values in scores.values()])
    return {"alpha": np.array(list(scores))} | columns | {"duality_gap": gaps, "fitted": fitted}
