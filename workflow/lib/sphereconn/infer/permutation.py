"""Freedman-Lane permutation of a linear model of every edge.

Residuals of the nuisance columns are shuffled and put on top of the nuisance fit (Freedman and Lane 1983; Winkler
2014). Since t and F do not see the nuisance fit, they follow from the products of the shuffled residuals with
orthonormal bases of the tested and of the nuisance columns: many shuffles of many edges are one product of matrices.

A run without an edge drops out of that edge in every shuffle, and its missing value moves with its data: the other runs
get the design rows that the shuffle gives them, and the model is fitted to these. All edges of a run move together,
which keeps the dependence between edges that components and means over edges live on, and the observed statistic is
that of ``glm.edge_statistics``, with the edge's own degrees of freedom. Shuffling only the runs that have an edge, each
edge in an order of its own, would break this dependence.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sphereconn.connect.compilation import compiled
from sphereconn.errors import InputError
from sphereconn.infer.components import (
    MOST_LEVELS,
    SIDES,
    Enhancement,
    largest_components,
    largest_enhanced,
    n_nodes_of,
)
from sphereconn.infer.corrections import TIE
from sphereconn.infer.glm import (
    BLOCK,
    ROUNDING,
    SAME_SPACE,
    Projection,
    Variances,
    blocks_of,
    check_variances,
    patterns,
    projection,
    variance_weights,
    whitened,
)
from sphereconn.infer.network_pairs import NetworkPairs
from sphereconn.infer.shuffles import Shuffles

# Shuffles that are multiplied at once. Batches start at multiples of it whatever range is asked for, so that a number
# is rounded in the same way however the work is split.
BATCH = 64
# Edges that are multiplied at once: the product of a batch stays in the processor's cache.
COLUMNS = 1024
TINY = 1e-300


@dataclass(frozen=True)
class Collected:
    """What is kept of every shuffle beside the largest statistics.

    Attributes
    ----------
    thresholds : tuple of float
        Of the network-based statistic; all are done at once.
    enhancement : Enhancement or None
        Of TFNBS; None leaves it out.
    pairs : NetworkPairs or None
        Whose mean statistics are kept; None leaves them out.
    """

    thresholds: tuple[float, ...] = ()
    enhancement: Enhancement | None = None
    pairs: NetworkPairs | None = None


@dataclass(frozen=True)
class Null:
    """Statistics of a range of shuffles. Sides are those of ``components.SIDES``, for F "greater" alone.

    Attributes
    ----------
    numbers : range
        Of the shuffles, in steps of one.
    maxima : ndarray of shape (n_shuffles, n_sides)
        Largest statistic of any edge.
    at_least : ndarray of int, shape (n_sides, n_edges)
        Shuffles whose statistic of the edge is at least as extreme as the observed one, the observed order not counted;
        all of them for edges that are left out.
    extent, intensity : ndarray of shape (n_shuffles, n_thresholds, n_sides)
        Of the largest component.
    enhanced : ndarray of shape (n_shuffles, n_sides)
        Largest TFNBS score; NaN when it was not asked for.
    pair_means : ndarray of shape (n_shuffles, n_pairs)
        Mean statistic of every pair of networks.
    """

    numbers: range
    maxima: np.ndarray
    at_least: np.ndarray
    extent: np.ndarray
    intensity: np.ndarray
    enhanced: np.ndarray
    pair_means: np.ndarray


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


def null_of_orders(
    values: np.ndarray,
    design: np.ndarray,
    contrast: np.ndarray,
    shuffles: Shuffles,
    numbers: range | None = None,
    *,
    collected: Collected | None = None,
    weights: np.ndarray | None = None,
    variances: Variances = "equal",
    least_share: float = 0.5,
    cores: int = 1,
) -> Null:
    """Return the statistics of shuffled data, for a range of the planned shuffles.

    Ranges may be done by different processes and joined (``joined``): the result is the same for any split and any
    number of cores.

    Parameters
    ----------
    values, design, contrast, weights, variances
        As for ``glm.edge_statistics``.
    shuffles : Shuffles
        From ``shuffles.plan_shuffles``, with the same design.
    numbers : range, optional
        From 1 to ``shuffles.n_shuffles`` by default; 0 is the observed order, whose statistics come the same way.
    collected : Collected, optional
        Which statistics of networks are wanted.
    least_share : float
        Edges that fewer of the runs have are left out, as are those that ``glm.edge_statistics`` cannot test.
    cores : int
        Threads.

    Returns
    -------
    Null

    Raises
    ------
    InputError
        When the contrast cannot be estimated, or no edge can be tested.
    ValueError
        When shapes or options do not fit.

    Examples
    --------
    Does the connectivity of ten nodes differ between eight controls and eight patients, given age?

    >>> import numpy as np
    >>> from sphereconn.infer.components import components
    >>> from sphereconn.infer.corrections import family_wise_p
    >>> from sphereconn.infer.glm import edge_statistics
    >>> from sphereconn.infer.shuffles import Exchangeability, plan_shuffles
    >>> rng = np.random.default_rng(0)
    >>> patient, age = np.repeat([0.0, 1.0], 8), rng.normal(40, 10, 16)
    >>> values = rng.normal(0.3, 0.2, (16, 45))
    >>> values[patient == 1, :9] += 0.7  # all edges of the first node
    >>> design, contrast = np.column_stack([np.ones(16), patient, age]), np.array([0, 1, 0])
    >>> found = edge_statistics(values, design, contrast)
    >>> shuffles = plan_shuffles(Exchangeability("free"), design, 499, seed=1)
    >>> null = null_of_orders(values, design, contrast, shuffles, collected=Collected(thresholds=(3.0,)))
    >>> p = family_wise_p(np.abs(found.statistic), null.maxima[:, 0], shuffles.exhaustive).p
    >>> np.flatnonzero(p < 0.05).tolist()
    [0, 1, 2, 3, 4, 5, 6, 8]
    >>> largest = components(found.statistic, 3.0)
    >>> family_wise_p(largest.extent, null.extent[:, 0, 0], shuffles.exhaustive).p.tolist()
    [0.002]
    """
    collected = collected or Collected()
    contrast = np.atleast_2d(np.asarray(contrast, dtype=float))
    numbers = range(1, shuffles.n_shuffles + 1) if numbers is None else numbers
    if numbers.step != 1 or numbers.start < 0 or numbers.stop > shuffles.n_shuffles + 1:
        raise ValueError(f"numbers of shuffles run from 0 to {shuffles.n_shuffles} in steps of one, found {numbers}")
    if len(shuffles.unit_of_run) != len(values):
        raise ValueError(f"the shuffles are of {len(shuffles.unit_of_run)} runs, the values of {len(values)}")
    model, groups = _prepared(values, design, contrast, shuffles, weights, variances, least_share)
    task = _Task(model, groups, shuffles, collected, values.shape[1], 1 if len(contrast) > 1 else len(SIDES))
    batches = range(numbers.start // BATCH, -(-numbers.stop // BATCH) if len(numbers) else 0)
    if cores == 1:
        parts = [task.batch(batch, numbers) for batch in batches]
    else:
        with ThreadPoolExecutor(cores) as pool:
            parts = list(pool.map(lambda batch: task.batch(batch, numbers), batches))
    return joined(parts) if parts else task.empty(numbers)


def joined(parts: Sequence[Null]) -> Null:
    """Join the results of neighbouring ranges of shuffles.

    Raises
    ------
    ValueError
        When there is none, or a range does not start where the one before ends.

    Examples
    --------
    >>> import numpy as np
    >>> from sphereconn.infer.shuffles import Exchangeability, plan_shuffles
    >>> values, design = np.random.default_rng(0).normal(size=(12, 6)), np.column_stack([np.ones(12), np.arange(12)])
    >>> shuffles = plan_shuffles(Exchangeability("free"), design, 100, seed=1)
    >>> jobs = [null_of_orders(values, design, np.array([0, 1]), shuffles, r) for r in (range(1, 41), range(41, 101))]
    >>> joined(jobs).maxima.shape
    (100, 3)
    """
    if not parts or any(a.numbers.stop != b.numbers.start for a, b in pairwise(parts)):
        raise ValueError("ranges of shuffles that follow one another are expected")
    return Null(
        range(parts[0].numbers.start, parts[-1].numbers.stop),
        at_least=sum((part.at_least for part in parts), start=np.zeros_like(parts[0].at_least, dtype=np.int64)),
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("maxima", "extent", "intensity", "enhanced", "pair_means")
        },
    )


def _prepared(
    values: np.ndarray,
    design: np.ndarray,
    contrast: np.ndarray,
    shuffles: Shuffles,
    weights: np.ndarray | None,
    variances: Variances,
    least_share: float,
) -> tuple[_Model, list[_Group]]:
    design, scale = whitened(values, design, contrast, weights)
    check_variances(variances, contrast, len(design))
    whole = projection(design, contrast)
    if whole is None:
        raise InputError(
            "The contrast cannot be estimated from the design: what it tests is a combination of other columns,"
            " or no degree of freedom is left; remove columns or change the contrast."
        )
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
            " estimable; exclude runs with missing nodes, lower the least share of runs, or look whether the estimator"
            " gives all runs the same values."
        )
    return model, groups


def _residuals(
    values: np.ndarray, edges: np.ndarray, kept: np.ndarray, scale: np.ndarray, part: Projection
) -> tuple[np.ndarray, np.ndarray]:
    """Give those edges that vary, and their residuals from the nuisance columns, scaled to length one."""
    residuals = np.empty((len(kept), len(edges)))
    varies = np.empty(len(edges), dtype=bool)
    for start, block in zip(range(0, len(edges), BLOCK), blocks_of(edges), strict=True):
        here = slice(start, start + len(block))
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


class _Task:
    """What every batch of shuffles needs."""

    def __init__(
        self,
        model: _Model,
        groups: list[_Group],
        shuffles: Shuffles,
        collected: Collected,
        n_edges: int,
        n_sides: int,
    ) -> None:
        self.model, self.groups, self.shuffles, self.collected = model, groups, shuffles, collected
        self.n_edges, self.n_sides = n_edges, n_sides
        if any(threshold <= 0 for threshold in collected.thresholds):
            raise ValueError("thresholds are positive")
        of_networks = bool(collected.thresholds) or collected.enhancement is not None
        self.n_nodes = n_nodes_of(n_edges) if of_networks else 0
        self.rows, self.columns = np.triu_indices(self.n_nodes, 1)
        self.pair_of_edge, n_pairs = np.full(n_edges, -1), 0
        if collected.pairs is not None:
            if collected.pairs.of_edge.shape != (n_edges,):
                raise ValueError(f"pairs of networks are of {collected.pairs.of_edge.shape} edges, not {n_edges}")
            tested, n_pairs = np.concatenate([group.edges for group in groups]), len(collected.pairs.names)
            self.pair_of_edge[tested] = collected.pairs.of_edge[tested]
        self.edges_of_pair = np.bincount(self.pair_of_edge[self.pair_of_edge >= 0], minlength=n_pairs)
        self.first = self.statistics(range(min(BATCH, shuffles.n_shuffles + 1)))

    def empty(self, numbers: range) -> Null:
        wanted, n = self.collected, len(numbers)
        return Null(
            numbers,
            maxima=np.empty((n, self.n_sides)),
            at_least=np.zeros((self.n_sides, self.n_edges), dtype=np.uint8),  # a batch is smaller than 256
            extent=np.zeros((n, len(wanted.thresholds), self.n_sides), dtype=np.int64),
            intensity=np.zeros((n, len(wanted.thresholds), self.n_sides)),
            enhanced=np.full((n, self.n_sides), np.nan),
            pair_means=np.full((n, len(self.edges_of_pair)), np.nan),
        )

    def statistics(self, numbers: range) -> np.ndarray:
        """Give the statistics of some shuffles, of shape (n_shuffles, n_edges), NaN for edges that are left out."""
        found = np.full((len(numbers), self.n_edges), np.nan)
        places, signs = self.shuffles.drawn(numbers)
        for group in self.groups:
            moved = np.empty((len(numbers), len(self.model.basis), len(group.kept)))
            left = np.empty(len(numbers), dtype=np.int64)
            _move(self.model.basis, self.model.q, group.fixed, group.kept, places, signs, moved, left)
            spread = self._spread(moved, group, places)
            for start in range(0, len(group.edges), COLUMNS):
                here = slice(start, start + COLUMNS)
                residuals = group.residuals[:, here]
                products = _products(moved, residuals)
                part = np.empty((len(numbers), residuals.shape[1]))
                if spread is None:
                    _statistic(products, self.model.q, left, part)
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
        variances = self.model.variances
        if isinstance(variances, str) and variances == "equal":
            return None
        labels = variances if isinstance(variances, np.ndarray) else np.zeros(places.shape[1], dtype=np.int64)
        labels = np.unique(labels, return_inverse=True)[1].ravel()[places[:, group.kept]]
        by_run = np.empty((len(moved), len(group.kept)))
        _variance_weights(moved, group.fixed, labels, isinstance(variances, np.ndarray), by_run)
        crossing = moved * by_run[:, None, :]
        return by_run, crossing, crossing @ moved.transpose(0, 2, 1)

    def batch(self, batch: int, numbers: range) -> Null:
        """Give the results of those numbers of a batch that are asked for."""
        start = batch * BATCH
        whole = range(start, min(start + BATCH, self.shuffles.n_shuffles + 1))
        asked = range(max(start, numbers.start), min(whole.stop, numbers.stop))
        statistics = (self.statistics(whole) if batch else self.first)[asked.start - start : asked.stop - start]
        null, wanted = self.empty(asked), self.collected
        thresholds = np.array(wanted.thresholds, dtype=float)
        if wanted.enhancement is not None:
            step = wanted.enhancement.step
            top = int(min(np.nanmax(np.abs(statistics)) / step + 1, MOST_LEVELS))
            of_extent = np.arange(self.n_edges + 1.0) ** wanted.enhancement.extent
            of_height = (np.arange(top + 1) * step) ** wanted.enhancement.height * step
        for row, statistic in enumerate(statistics):
            _count(statistic, self.first[0], TIE, asked[row] > 0, null.maxima[row], null.at_least)
            if len(thresholds):
                largest_components(
                    statistic, self.rows, self.columns, self.n_nodes, thresholds, null.extent[row], null.intensity[row]
                )
            if wanted.enhancement is not None:
                largest_enhanced(
                    statistic, self.rows, self.columns, self.n_nodes, step, of_extent, of_height, null.enhanced[row]
                )
            if len(self.edges_of_pair):
                _pair_means(statistic, self.pair_of_edge, self.edges_of_pair, null.pair_means[row])
        return null


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


@compiled
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


@compiled
def _count(
    statistic: np.ndarray, observed: np.ndarray, tie: float, counted: bool, maxima: np.ndarray, at_least: np.ndarray
) -> None:
    """Write the largest statistic of each side, and count edges that are at least as extreme as observed."""
    high, low, sided = -np.inf, np.inf, len(maxima) > 1
    for edge in range(len(statistic)):
        value = statistic[edge]
        high = max(high, value) if value == value else high
        low = min(low, value) if value == value else low
    if sided:
        maxima[0], maxima[1], maxima[2] = max(high, -low), high, -low
    else:
        maxima[0] = high
    if not counted:
        return
    for edge in range(len(statistic)):  # "not less" counts NaN as well
        value, seen = statistic[edge], observed[edge]
        near = tie * abs(seen)
        if sided:
            at_least[0, edge] += not (abs(value) < abs(seen) - near)
            at_least[1, edge] += not (value < seen - near)
            at_least[2, edge] += not (value > seen + near)
        else:
            at_least[0, edge] += not (value < seen - near)


@compiled
def _pair_means(statistic: np.ndarray, pair: np.ndarray, edges_of_pair: np.ndarray, means: np.ndarray) -> None:
    total = np.zeros(len(means))
    for edge in range(len(statistic)):
        if pair[edge] >= 0:
            total[pair[edge]] += statistic[edge]
    for number in range(len(means)):
        means[number] = total[number] / edges_of_pair[number] if edges_of_pair[number] > 0 else np.nan
