"""What motion does to connectomes (QC-FC): the partial correlation of every edge with the motion of the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from sphereconn.aggregate.stack import blocks
from sphereconn.compare.edges import Edges
from sphereconn.infer.corrections import false_discovery_rate

Array = NDArray[np.float64]

LEVEL = 0.05
# A residual with no more than this share of the sum of squares is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Qcfc:
    """Partial correlations of edges with motion, arrays of shape (n_edges,); NaN where there is none.

    Attributes
    ----------
    r
        Pearson's, of what the nuisance columns leave of edge and motion.
    p
        Two-sided, of t with ``degrees_of_freedom``.
    slope
        Change of the edge with a unit of motion; where motion is 1 in one group of runs and 0 in another, the
        difference between the means of the two, what the nuisance columns explain taken out.
    degrees_of_freedom
        Number of runs that have the edge, less the intercept, the slope and the rank of the nuisance columns in them.
    """

    r: Array
    p: Array
    slope: Array
    degrees_of_freedom: Array


@dataclass(frozen=True)
class Question:
    """What edges are correlated with.

    Attributes
    ----------
    places
        Which of the runs that are read, in ascending order.
    motion, nuisance
        Of these, see `qcfc`.
    """

    places: NDArray[np.int64]
    motion: Array
    nuisance: Array


@dataclass(frozen=True)
class Spread:
    """How strongly edges depend on motion, over all edges that can be tested.

    Attributes
    ----------
    n_edges
        Number of these.
    significant, significant_fdr
        Shares of edges with p below .05, uncorrected, and corrected for the false discovery rate.
    median_absolute, median_absolute_by_chance
        Median of the magnitude of r, and what it would be if no edge depended on motion.
    """

    n_edges: int
    significant: float
    significant_fdr: float
    median_absolute: float
    median_absolute_by_chance: float


def qcfc(edges: Edges, n_edges: int, runs: NDArray[np.int64], motion: Array, nuisance: Array) -> Qcfc:
    """Return the partial correlation of every edge with motion over runs, computed in blocks of edges.

    Parameters
    ----------
    edges
        Reads them, see `edges.Edges`. A run that misses an edge is left out for it.
    n_edges
        Number of all edges.
    runs
        The runs, as positions.
    motion
        Shape (n_runs,): mean framewise displacement, for one.
    nuisance
        Shape (n_runs, n_columns): what is taken out of both; the intercept need not be among the columns.

    References
    ----------
    Ciric R et al. (2017). Benchmarking of participant-level confound regression strategies for the control of motion
    artifact in studies of functional connectivity. NeuroImage 154:174-187.

    Examples
    --------
    >>> values = np.array([[0.1, 0.5], [0.2, 0.1], [0.4, 0.2], [0.3, np.nan]])
    >>> motion = np.array([1.0, 2.0, 4.0, 3.0])
    >>> found = qcfc(lambda rows, low, high: values[rows, low:high], 2, np.arange(4), motion, np.empty((4, 0)))
    >>> found.r.round(2).tolist(), found.degrees_of_freedom.tolist()
    ([1.0, -0.58], [2.0, 1.0])
    """
    return questions_of(edges, n_edges, runs, [Question(np.arange(len(runs)), motion, nuisance)])[0]


def questions_of(
    edges: Edges, n_edges: int, runs: NDArray[np.int64], questions: Sequence[Question]
) -> tuple[Qcfc, ...]:
    """Return the partial correlations of several questions to the same edges, which are read once.

    Parameters
    ----------
    edges, n_edges, runs
        As for `qcfc`.
    questions
        What edges are correlated with, over which of these runs; without three of them there is no answer.
    """
    nothing = np.full(n_edges, np.nan)
    if any(len(question.places) < 3 for question in questions):
        asked = [question for question in questions if len(question.places) > 2]
        answers = iter(questions_of(edges, n_edges, runs, asked) if asked else ())
        return tuple(next(answers) if len(question.places) > 2 else Qcfc(*[nothing] * 4) for question in questions)
    bases = [_basis(question.nuisance) for question in questions]
    centred = [question.motion - question.motion.mean() for question in questions]
    parts: list[list[tuple[Array, Array, Array]]] = [[] for _ in questions]
    for start, stop in blocks(len(runs), n_edges):
        values = edges(runs, start, stop)
        for question, motion, basis, found in zip(questions, centred, bases, parts, strict=True):
            everyone = len(question.places) == len(runs)
            found.append(_block(values if everyone else values[question.places], motion, *basis))
    return tuple(_with_p(*(np.concatenate(column) for column in zip(*found, strict=True))) for found in parts)


def _with_p(r: Array, slope: Array, freedom: Array) -> Qcfc:
    with np.errstate(invalid="ignore", divide="ignore"):
        t = r * np.sqrt(freedom / np.maximum(1 - r**2, 0))
    return Qcfc(r, 2 * stdtr(freedom, -np.abs(t)), slope, freedom)


def _basis(nuisance: Array) -> tuple[Array, int]:
    """Give an orthonormal basis of intercept and nuisance columns, and how many there are."""
    matrix = np.column_stack([np.ones(len(nuisance)), nuisance])
    norms = np.linalg.norm(matrix, axis=0)
    left, singular, _ = np.linalg.svd(matrix / np.where(norms > 0, norms, 1), full_matrices=False)
    rank = int((singular > 1e-9 * singular[0]).sum())
    return left[:, :rank], rank


def _block(values: Array, motion: Array, basis: Array, rank: int) -> tuple[Array, Array, Array]:
    """Give r, slope and degrees of freedom of a block of edges."""
    r, slope, freedom = (np.full(values.shape[1], np.nan) for _ in range(3))
    known = ~np.isnan(values)
    whole = known.all(axis=0)
    if whole.any():
        complete = values if whole.all() else values[:, whole]
        complete = complete - complete.mean(axis=0)
        of_motion = motion - basis @ (basis.T @ motion)
        totals = np.einsum("re,re->e", complete, complete), np.full(complete.shape[1], motion @ motion)
        explained = ((basis.T @ complete) ** 2).sum(axis=0)
        squares = totals[0] - explained, np.full(complete.shape[1], of_motion @ of_motion)
        r[whole], slope[whole] = _ratios(of_motion @ complete, squares, totals)
        freedom[whole] = len(values) - rank - 1
    partial = np.flatnonzero(~whole & (known.sum(axis=0) > 2))
    if len(partial):
        r[partial], slope[partial], freedom[partial] = _with_gaps(values[:, partial], known[:, partial], motion, basis)
    r[freedom < 1] = np.nan
    slope[np.isnan(r)] = np.nan
    freedom[np.isnan(r)] = np.nan
    return r, slope, freedom


def _with_gaps(values: Array, known: NDArray[np.bool_], motion: Array, basis: Array) -> tuple[Array, Array, Array]:
    """Give r, slope and degrees of freedom of edges that some runs miss, each by normal equations of its own.

    The columns of the basis are orthonormal over all runs, so those over most of them are well conditioned.
    """
    weights = known.astype(float)
    count = weights.sum(axis=0)
    centred = np.where(known, values - np.nansum(values, axis=0) / count, 0)
    moved = np.where(known, motion[:, None] - motion @ weights / count, 0)
    n_columns = basis.shape[1]
    products = (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1)
    gram = (weights.T @ products).reshape(-1, n_columns, n_columns)
    size, direction = np.linalg.eigh(gram)
    used = size > 1e-9 * size[:, -1:]
    whitened = direction * np.where(used, 1 / np.sqrt(np.where(used, size, 1)), 0)[:, None, :]
    of_edges = np.einsum("ekr,ek->er", whitened, centred.T @ basis)
    of_motion = np.einsum("ekr,ek->er", whitened, moved.T @ basis)
    totals = (centred**2).sum(axis=0), (moved**2).sum(axis=0)
    squares = totals[0] - (of_edges**2).sum(axis=1), totals[1] - (of_motion**2).sum(axis=1)
    products_left = (centred * moved).sum(axis=0) - (of_edges * of_motion).sum(axis=1)
    return *_ratios(products_left, squares, totals), count - used.sum(axis=1) - 1


def _ratios(products: Array, squares: tuple[Array, Array], totals: tuple[Array, Array]) -> tuple[Array, Array]:
    """Give correlations and slopes from sums of products and squares; NaN where a square is rounding."""
    varies = (squares[0] > _ROUNDING * totals[0]) & (squares[1] > _ROUNDING * totals[1])
    r, slope = np.full(len(products), np.nan), np.full(len(products), np.nan)
    r[varies] = products[varies] / np.sqrt(squares[0][varies] * squares[1][varies])
    slope[varies] = products[varies] / squares[1][varies]
    return np.clip(r, -1, 1), slope


def spread_of(found: Qcfc) -> Spread:
    """Return how strongly edges depend on motion; NaN in all when no edge can be tested.

    Examples
    --------
    >>> r, p, freedom = np.array([0.9, -0.1]), np.array([0.001, 0.8]), np.array([18.0, 18.0])
    >>> spread_of(Qcfc(r, p, 2 * r, freedom))  # doctest: +ELLIPSIS
    Spread(n_edges=2, significant=0.5, significant_fdr=0.5, median_absolute=0.5, median_absolute_by_chance=0.16...)
    """
    tested = ~np.isnan(found.r)
    if not tested.any():
        return Spread(0, *[float("nan")] * 4)
    p, freedom = found.p[tested], found.degrees_of_freedom[tested]
    quartile = stdtrit(freedom, 0.75)
    return Spread(
        n_edges=int(tested.sum()),
        significant=float((p < LEVEL).mean()),
        significant_fdr=float((false_discovery_rate(p) < LEVEL).mean()),
        median_absolute=float(np.median(np.abs(found.r[tested]))),
        median_absolute_by_chance=float(np.median(quartile / np.sqrt(quartile**2 + freedom))),
    )


def motion_groups(motion: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the third of the runs with least and the third with most motion, and which of the two each belongs to.

    Returns
    -------
    places : ndarray of int
        Positions of the runs of both groups, in ascending order.
    high : ndarray of float
        1 for those that moved most, 0 for those that moved least. Given to `qcfc` in place of motion, this tests the
        difference between the two groups.

    Examples
    --------
    >>> places, high = motion_groups(np.array([0.1, 0.5, 0.2, 0.3, 0.6, 0.4]))
    >>> places.tolist(), high.tolist()
    ([0, 1, 2, 4], [0.0, 1.0, 0.0, 1.0])
    """
    third = len(motion) // 3
    order = np.argsort(motion, kind="stable")
    low, top = order[:third], order[len(order) - third :]
    places = np.sort(np.concatenate([low, top]))
    return places, np.isin(places, top).astype(float)
