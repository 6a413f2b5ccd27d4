"""Statistics of a linear model after shuffles of its runs, by the method of Freedman and Lane.

Residuals of the nuisance columns are shuffled and put on top of the nuisance fit (Freedman and Lane 1983; Winkler
2014). Since t and F do not see the nuisance fit, they follow from the products of the shuffled residuals with
orthonormal bases of the tested and of the nuisance columns: many shuffles of many edges are one product of matrices.
What an edge is matters not here: a voxel is one, too.

A run without an edge drops out of that edge in every shuffle, and its missing value moves with its data: the other runs
get the design rows that the shuffle gives them, and the model is fitted to these. All edges of a run move together,
which keeps the dependence between edges that components and means over edges live on, and the observed statistic is
that of ``glm.edge_statistics``, with the edge's own degrees of freedom. Shuffling only the runs that have an edge, each
edge in an order of its own, would break this dependence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sphereconn.aggregate.stack import blocks
from sphereconn.connect.compilation import compiled, inlined
from sphereconn.errors import InputError
from sphereconn.files import scratch
from sphereconn.infer.glm import (
    BLOCK,
    ROUNDING,
    SAME_SPACE,
    Projection,
    Variances,
    patterns,
    projection,
    variance_weights,
    whole_model,
)
from sphereconn.infer.shuffles import Exchangeability, Shuffles, plan_shuffles

# Shuffles that are multiplied at once. Batches start at multiples of it whatever range is asked for, so that a number
# is rounded in the same way however the work is split.
BATCH = 64
# Edges that are multiplied at once: the product of a batch stays in the processor's cache.
COLUMNS = 1024
TINY = 1e-300


@dataclass(frozen=True)
class _Model:
    """The design of all runs, ready for shuffles.

    ``basis`` holds orthonormal rows over runs: q tested, then the nuisance that shuffles move. ``fixed`` holds the rest
    of the nuisance, orthonormal too, whose span no shuffle changes: sums over runs that exchange among themselves.
    """

    basis: np.ndarray
    q: int
    fixed: np.ndarray
    variances: Variances


@dataclass(frozen=True)
class _Group:
    """Edges that the same runs have: the numbers of these runs, and their residuals, columns of length one."""

    kept: np.ndarray
    edges: np.ndarray
    residuals: np.ndarray
    fixed: np.ndarray  # rows of the model's that these runs are in, orthonormal over them


class ShuffledStatistics:
    """The t or F of a contrast for every edge, after any of the planned shuffles.

    Parameters
    ----------
    values, design, contrast, weights, variances
        As for ``glm.edge_statistics``.
    shuffles : Shuffles
        From ``shuffles.plan_shuffles``, with the same design.
    least_share : float
        Edges that fewer of the runs have are left out, as are those that ``glm.edge_statistics`` cannot test.

    Attributes
    ----------
    n_edges : int
    edges : ndarray of int
        Those that are not left out.
    f_test : bool
        Whether the statistics are F.

    Raises
    ------
    InputError
        When the contrast cannot be estimated, or no edge can be tested.
    ValueError
        When shapes or options do not fit.
    """

    def __init__(
        self,
        values: np.ndarray,
        design: np.ndarray,
        contrast: np.ndarray,
        shuffles: Shuffles,
        *,
        weights: np.ndarray | None = None,
        variances: Variances = "equal",
        least_share: float = 0.5,
    ) -> None:
        contrast = np.atleast_2d(np.asarray(contrast, dtype=float))
        if len(shuffles.unit_of_run) != len(values):
            raise ValueError(f"the shuffles are of {len(shuffles.unit_of_run)} runs, the values of {len(values)}")
        self.shuffles, self.n_edges, self.f_test = shuffles, values.shape[1], len(contrast) > 1
        self._model, self._groups = _prepared(values, design, contrast, shuffles, weights, variances, least_share)
        self.edges = np.concatenate([group.edges for group in self._groups])

    def batch(self, number: int) -> range:
        """Return the numbers of a batch of shuffles; the first, 0, starts with the observed order."""
        return range(number * BATCH, min((number + 1) * BATCH, self.shuffles.n_shuffles + 1))

    def batches(self, numbers: range) -> range:
        """Return the batches that some numbers of shuffles are in.

        Raises
        ------
        ValueError
            When there are no such shuffles.
        """
        last = self.shuffles.n_shuffles
        if numbers.step != 1 or numbers.start < 0 or numbers.stop > last + 1:
            raise ValueError(f"numbers of shuffles run from 0 to {last} in steps of one, found {numbers}")
        return range(numbers.start // BATCH, -(-numbers.stop // BATCH) if len(numbers) else 0)

    def of_batch(self, number: int) -> np.ndarray:
        """Return the statistics of a batch, of shape (n_shuffles, n_edges), NaN for edges that are left out."""
        numbers = self.batch(number)
        found = np.full((len(numbers), self.n_edges), np.nan)
        places, signs = self.shuffles.drawn(numbers)
        for group in self._groups:
            moved = np.empty((len(numbers), len(self._model.basis), len(group.kept)))
            left = np.empty(len(numbers), dtype=np.int64)
            _move(self._model.basis, self._model.q, group.fixed, group.kept, places, signs, moved, left)
            spread = self._spread(moved, group, places)
            for start in range(0, len(group.edges), COLUMNS):
                here = slice(start, start + COLUMNS)
                residuals = group.residuals[:, here]
                products = _products(moved, residuals)
                part = np.empty((len(numbers), residuals.shape[1]))
                if spread is None:
                    _statistic(products, self._model.q, left, part)
                else:
                    by_run, crossing, gram = spread
                    variance = by_run @ residuals**2
                    variance -= 2 * (products * _products(crossing, residuals)).sum(axis=1)
                    variance += (products * (gram @ products)).sum(axis=1)
                    part = products[:, 0] / np.sqrt(np.maximum(variance, TINY))
                found[:, here if len(group.edges) == self.n_edges else group.edges[here]] = part
        return found

    def _spread(
        self, moved: np.ndarray, group: _Group, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Give what the variance of a tested product takes, when variances differ: w' residuals² after the model's fit.

        That is w' e² - 2 (Q w e)' (Q e) + (Q e)' (Q w Q') (Q e) with the moved basis Q, so w, Q w and Q w Q' suffice.
        """
        variances = self._model.variances
        if isinstance(variances, str) and variances == "equal":
            return None
        labels = variances if isinstance(variances, np.ndarray) else np.zeros(places.shape[1], dtype=np.int64)
        labels = np.unique(labels, return_inverse=True)[1].ravel()[places[:, group.kept]]
        by_run = np.empty((len(moved), len(group.kept)))
        _variance_weights(moved, group.fixed, labels, isinstance(variances, np.ndarray), by_run)
        crossing = moved * by_run[:, None, :]
        return by_run, crossing, crossing @ moved.transpose(0, 2, 1)


def _prepared(
    values: np.ndarray,
    design: np.ndarray,
    contrast: np.ndarray,
    shuffles: Shuffles,
    weights: np.ndarray | None,
    variances: Variances,
    least_share: float,
) -> tuple[_Model, list[_Group]]:
    design, scale, whole = whole_model(values, design, contrast, weights, variances)
    fixed, moved = _split(whole.nuisance, shuffles)
    model = _Model(np.vstack([whole.tested.T, moved]), len(contrast), fixed, variances)
    groups = []
    for known, edges in patterns(values):
        part = projection(design[known], contrast) if known.any() else None
        if part is None or known.mean() < least_share:
            continue
        if not isinstance(variances, str) or variances != "equal":
            labels = variances[known] if isinstance(variances, np.ndarray) else variances
            if np.isnan(variance_weights(part, labels)).any():
                continue
        edges, residuals = _residuals(values, edges, np.flatnonzero(known), scale, part)
        here = fixed[:, known]
        here = here[here.any(axis=1)]
        if len(edges):
            groups.append(
                _Group(np.flatnonzero(known), edges, residuals, here / np.linalg.norm(here, axis=1, keepdims=True))
            )
    if not groups:
        raise InputError(
            f"No edge can be tested: none varies and is in at least {least_share:g} of the runs with the contrast"
            " estimable; exclude runs with missing nodes, lower least_share, or check whether the estimator gives the"
            " same values for all runs."
        )
    return model, groups


def _residuals(
    values: np.ndarray, edges: np.ndarray, kept: np.ndarray, scale: np.ndarray, part: Projection
) -> tuple[np.ndarray, np.ndarray]:
    """Give those edges that vary, and their residuals from the nuisance columns, scaled to length one."""
    residuals = scratch((len(kept), len(edges)))
    varies = np.empty(len(edges), dtype=bool)
    for start, stop in blocks(len(kept), len(edges), BLOCK):
        block, here = edges[start:stop], slice(start, stop)
        y = values[np.ix_(kept, block)] * scale[kept, None]
        rest = y - part.nuisance @ (part.nuisance.T @ y)
        unexplained = rest - part.tested @ (part.tested.T @ rest)
        varies[here] = (unexplained**2).sum(axis=0) > ROUNDING * (y**2).sum(axis=0)
        length = np.linalg.norm(rest, axis=0)
        residuals[:, here] = rest / np.where(length > 0, length, 1)
    return (edges, residuals) if varies.all() else (edges[varies], np.ascontiguousarray(residuals[:, varies]))


def _split(nuisance: np.ndarray, shuffles: Shuffles) -> tuple[np.ndarray, np.ndarray]:
    """Split the nuisance space into what no shuffle changes and the rest, orthonormal rows each.

    The indicator of runs that exchange among themselves goes over into itself, as does that of a block that flips;
    those of blocks that exchange as wholes go over into one another. They are the intercept with free permutation, and
    subject effects wherever subjects are blocks.
    """
    kind = shuffles.exchangeability.kind
    together = shuffles.kind_of_run if kind in ("free", "within") else shuffles.unit_of_run
    members = together == np.unique(together)[:, None]
    indicators = members / np.sqrt(members.sum(axis=1, keepdims=True))
    inside = np.linalg.norm(indicators - (indicators @ nuisance) @ nuisance.T, axis=1) <= SAME_SPACE
    if kind == "whole":
        kinds = np.array([shuffles.kind_of_run[member][0] for member in members])
        inside &= ~np.isin(kinds, kinds[~inside])
    fixed = indicators[inside]
    if not len(fixed):
        return fixed, nuisance.T
    left, singular, _ = np.linalg.svd(nuisance.T @ fixed.T, full_matrices=True)
    return fixed, (nuisance @ left[:, len(singular) :]).T


def _products(moved: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    n, k, runs = moved.shape
    product: np.ndarray = (moved.reshape(n * k, runs) @ residuals).reshape(n, k, -1)
    return product


@compiled
def _move(
    basis: np.ndarray,
    q: int,
    fixed: np.ndarray,
    kept: np.ndarray,
    places: np.ndarray,
    signs: np.ndarray,
    moved: np.ndarray,
    left: np.ndarray,
) -> None:
    """Write an orthonormal basis of the design that a shuffle gives to the kept runs, and the degrees of freedom left.

    Nuisance rows are orthogonal to ``fixed`` and each other, and tested rows to all of them. A row that says nothing
    new for these runs is zero: as a nuisance it takes no degree of freedom, as a tested one the statistic is zero.
    """
    n_rows, n_runs = len(basis), len(kept)
    for number in range(len(places)):
        rank = len(fixed)
        for step in range(n_rows):
            row = step + q if step < n_rows - q else step - (n_rows - q)
            target = moved[number, row]
            before = 0.0
            for run in range(n_runs):
                target[run] = basis[row, places[number, kept[run]]] * signs[number, kept[run]]
                before += target[run] ** 2
            after = before
            for _ in range(2):  # once more, for what rounding left
                for other in range(len(fixed)):
                    _subtract(target, fixed[other])
                for earlier in range(step):
                    _subtract(target, moved[number, earlier + q if earlier < n_rows - q else earlier - (n_rows - q)])
                after = 0.0
                for run in range(n_runs):
                    after += target[run] ** 2
            if after > 1e-14 * before and after > 1e-20:
                rank += 1
                for run in range(n_runs):
                    target[run] /= np.sqrt(after)
            else:
                target[:] = 0.0
        left[number] = n_runs - rank


@inlined
def _subtract(target: np.ndarray, direction: np.ndarray) -> None:
    product = 0.0
    for run in range(len(target)):
        product += target[run] * direction[run]
    for run in range(len(target)):
        target[run] -= product * direction[run]


@compiled
def _variance_weights(
    moved: np.ndarray, fixed: np.ndarray, labels: np.ndarray, by_group: bool, by_run: np.ndarray
) -> None:
    """Write ``glm.variance_weights`` of every shuffle; where there are none, the tested row becomes zero."""
    n_runs = moved.shape[2]
    spare, share_of, spare_of = np.empty(n_runs), np.empty(n_runs), np.empty(n_runs)
    for number in range(len(moved)):
        spare[:] = 1.0
        for row in range(len(fixed)):
            spare -= fixed[row] ** 2
        for row in range(moved.shape[1]):
            spare -= moved[number, row] ** 2
        share = moved[number, 0] ** 2
        if by_group:
            share_of[:] = 0.0
            spare_of[:] = 0.0
            for run in range(n_runs):
                share_of[labels[number, run]] += share[run]
                spare_of[labels[number, run]] += spare[run]
            for run in range(n_runs):
                share[run], spare[run] = share_of[labels[number, run]], spare_of[labels[number, run]]
        known = True
        for run in range(n_runs):
            if spare[run] > 1e-9:
                by_run[number, run] = share[run] / spare[run] if by_group else share[run] / spare[run] ** 2
            else:
                by_run[number, run] = 0.0
                known = known and share[run] <= 1e-9
        if not known:
            moved[number, 0] = 0.0
            by_run[number] = 1.0


@compiled
def _statistic(products: np.ndarray, q: int, degrees_of_freedom: np.ndarray, statistic: np.ndarray) -> None:
    """Write t, or F of q rows, from the products of residuals of length one with orthonormal bases."""
    n, k, n_edges = products.shape
    rest = np.empty(n_edges)
    for number in range(n):
        rest[:] = 1.0
        spare = degrees_of_freedom[number]
        if spare < 1:
            statistic[number] = 0.0
            continue
        for row in range(q, k):
            for edge in range(n_edges):
                rest[edge] -= products[number, row, edge] ** 2
        if q == 1:
            for edge in range(n_edges):
                tested = products[number, 0, edge]
                left = max(rest[edge] - tested * tested, 1e-300)
                statistic[number, edge] = tested / np.sqrt(left / spare)
        else:
            for edge in range(n_edges):
                tested = 0.0
                for row in range(q):
                    tested += products[number, row, edge] ** 2
                left = max(rest[edge] - tested, 1e-300)
                statistic[number, edge] = tested / q / (left / spare)


def warm_up() -> None:
    """Load the machine code, by shuffles of small data."""
    values, design = np.random.default_rng(0).normal(size=(8, 3)), np.column_stack([np.ones(8), np.arange(8.0)])
    shuffles = plan_shuffles(Exchangeability("free"), design, 9, seed=1)
    for variances in ("equal", "hc3"):
        ShuffledStatistics(values, design, np.array([0, 1]), shuffles, variances=variances).of_batch(0)
