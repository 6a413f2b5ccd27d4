"""Freedman-Lane permutation of a linear model of every edge.

Residuals of the nuisance columns are shuffled and put on top of the nuisance fit (Freedman and Lane 1983; Winkler
2014). Since t and F do not see the nuisance fit, they follow from the products of the shuffled residuals with
orthonormal bases of the tested and of the nuisance columns: many shuffles of many edges are one product of matrices.

A run without an edge drops out of that edge, in every shuffle. The runs that have it are taken in the order that the
shuffle gives them, the others left out: a uniform shuffle of all runs becomes one of those that remain. With whole
blocks, those exchange that have the edge in the same of their runs. So every edge is shuffled as exchangeability
allows, its observed statistic is that of ``glm.edge_statistics``, and edges move together as far as they share runs.
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
from sphereconn.infer.shuffles import Shuffles, Units

# Shuffles that are multiplied at once. Batches start at multiples of it whatever range is asked for, so that a number
# is rounded in the same way however the work is split.
BATCH = 64
# Edges that are multiplied at once: the product of a batch stays in the processor's cache.
COLUMNS = 1024


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
class _Group:
    """Edges that the same runs have, ready for shuffles."""

    kept: np.ndarray  # numbers of the runs
    edges: np.ndarray
    residuals: np.ndarray  # (n_kept, n_edges), columns of length one
    basis: np.ndarray  # (1 or q tested rows, then nuisance rows that shuffles change; n_kept)
    q: int
    degrees_of_freedom: int
    weighing: np.ndarray | None  # (1 + basis rows, n_kept): variance weights, and these times the basis
    gram: np.ndarray  # basis weighed by the variance weights
    labels: np.ndarray  # (n_units,), units that exchange in these edges; -1 for those without a run
    members: np.ndarray  # positions in ``kept`` of the runs of each unit, one unit after the other
    starts: np.ndarray  # (n_units + 1,), where each unit's members start


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
        From 1 to ``shuffles.n_shuffles`` by default; 0 is the observed order.
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
    >>> values[patient == 1, :9] += 0.5  # all edges of the first node
    >>> design, contrast = np.column_stack([np.ones(16), patient, age]), np.array([0, 1, 0])
    >>> found = edge_statistics(values, design, contrast)
    >>> shuffles = plan_shuffles(Exchangeability("free"), design, 499, seed=1)
    >>> null = null_of_orders(values, design, contrast, shuffles, collected=Collected(thresholds=(3.0,)))
    >>> p = family_wise_p(np.abs(found.statistic), null.maxima[:, 0], shuffles.exhaustive).p
    >>> np.flatnonzero(p < 0.05).tolist()
    [0, 2, 3, 4]
    >>> largest = components(found.statistic, 3.0)
    >>> family_wise_p(largest.extent, null.extent[:, 0, 0], shuffles.exhaustive).p.tolist()
    [0.002]
    """
    collected = collected or Collected()
    contrast = np.atleast_2d(np.asarray(contrast, dtype=float))
    numbers = range(1, shuffles.n_shuffles + 1) if numbers is None else numbers
    if numbers.step != 1 or numbers.start < 0 or numbers.stop > shuffles.n_shuffles + 1:
        raise ValueError(f"numbers of shuffles run from 0 to {shuffles.n_shuffles} in steps of one, found {numbers}")
    groups = _groups(values, design, contrast, shuffles, weights, variances, least_share)
    task = _Task(groups, shuffles, collected, values.shape[1], 1 if len(contrast) > 1 else len(SIDES))
    first, last = numbers.start // BATCH, -(-numbers.stop // BATCH)
    with ThreadPoolExecutor(cores) as pool:
        parts = list(pool.map(lambda batch: task.batch(batch, numbers), range(first, last if len(numbers) else first)))
    return joined(parts) if parts else task.empty(numbers)


def joined(parts: Sequence[Null]) -> Null:
    """Join the results of neighbouring ranges of shuffles.

    Raises
    ------
    ValueError
        When there is none, or a range does not start where the one before ends.
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


def _groups(
    values: np.ndarray,
    design: np.ndarray,
    contrast: np.ndarray,
    shuffles: Shuffles,
    weights: np.ndarray | None,
    variances: Variances,
    least_share: float,
) -> list[_Group]:
    design, scale = whitened(values, design, contrast, weights)
    check_variances(variances, contrast, len(design))
    if projection(design, contrast) is None:
        raise InputError(
            "The contrast cannot be estimated from the design: what it tests is a combination of other columns,"
            " or no degree of freedom is left; remove columns or change the contrast."
        )
    found = []
    for known, edges in patterns(values):
        part = projection(design[known], contrast) if known.any() else None
        if part is None or known.mean() < least_share:
            continue
        group = _group(values, edges, known, scale, part, shuffles, variances)
        if group is not None:
            found.append(group)
    if not found:
        raise InputError(
            f"No edge can be tested: none is in at least {least_share:g} of the runs with the contrast estimable;"
            " exclude runs with missing nodes, or lower the least share of runs."
        )
    return found


def _group(
    values: np.ndarray,
    edges: np.ndarray,
    known: np.ndarray,
    scale: np.ndarray,
    part: Projection,
    shuffles: Shuffles,
    variances: Variances,
) -> _Group | None:
    kept = np.flatnonzero(known)
    residuals = np.empty((len(kept), len(edges)))
    varies = np.empty(len(edges), dtype=bool)
    for start, block in zip(range(0, len(edges), 4096), blocks_of(edges), strict=True):
        y = values[np.ix_(kept, block)] * scale[kept, None]
        nuisance_free = y - part.nuisance @ (part.nuisance.T @ y)
        rest = nuisance_free - part.tested @ (part.tested.T @ nuisance_free)
        here = slice(start, start + len(block))
        varies[here] = (rest**2).sum(axis=0) > ROUNDING * (y**2).sum(axis=0)
        length = np.linalg.norm(nuisance_free, axis=0)
        residuals[:, here] = nuisance_free / np.where(length > 0, length, 1)
    if not varies.any():
        return None
    if not varies.all():
        residuals, edges = np.ascontiguousarray(residuals[:, varies]), edges[varies]
    labels, members, starts = _exchanging(shuffles.units, known)
    nuisance = _moved(part.nuisance, shuffles.exchangeability.kind, labels, members, starts)
    basis = np.ascontiguousarray(np.column_stack([part.tested, nuisance]).T)
    weighing, gram = None, np.empty((0, 0))
    if isinstance(variances, np.ndarray) or variances != "equal":
        by_run = variance_weights(part, variances[kept] if isinstance(variances, np.ndarray) else variances)
        if np.isnan(by_run).any():
            return None
        weighing, gram = np.vstack([by_run, basis * by_run]), (basis * by_run) @ basis.T
    q = part.tested.shape[1]
    return _Group(
        kept, edges, residuals, basis, q, part.degrees_of_freedom, weighing, gram, labels, members, starts
    )  # fmt: skip


def _exchanging(units: Units, known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tell which units exchange when only some runs are known, and where their known runs are among these."""
    position = np.cumsum(known) - 1
    labels = np.empty(len(units.members), dtype=np.int64)
    numbers: dict[tuple[int, bytes], int] = {}
    members = []
    for unit, (runs, place) in enumerate(zip(units.members, units.places.tolist(), strict=True)):
        present = known[runs]
        labels[unit] = numbers.setdefault((place, present.tobytes()), len(numbers)) if present.any() else -1
        members.append(position[runs[present]])
    return labels, np.concatenate(members), np.cumsum([0, *map(len, members)])


def _moved(nuisance: np.ndarray, kind: str, labels: np.ndarray, members: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return a basis of the nuisance space without what is orthogonal to residuals in every shuffle.

    Sums over runs that only exchange among themselves stay as they are, zero when the nuisance space holds them: the
    intercept with free permutation, subject effects with any that keeps subjects together.
    """
    unit = np.repeat(np.arange(len(labels)), np.diff(starts))
    group = labels[unit] if kind in ("free", "within") else unit
    columns = np.zeros((len(nuisance), group.max() + 1))
    columns[members, group] = 1
    present = columns.any(axis=0)
    outside = np.linalg.norm(columns - nuisance @ (nuisance.T @ columns), axis=0)
    fixed = present & (outside <= SAME_SPACE * np.linalg.norm(columns, axis=0))
    if kind == "whole":
        open_labels = np.unique(labels[np.flatnonzero(present & ~fixed)])
        fixed &= ~np.isin(labels[: len(fixed)], open_labels)
    if not fixed.any():
        return nuisance
    coordinates = nuisance.T @ columns[:, fixed]
    left, singular, _ = np.linalg.svd(coordinates, full_matrices=True)
    rank = int((singular > 1e-8 * singular.max()).sum())
    return np.asarray(nuisance @ left[:, rank:])


class _Task:
    """What every batch of shuffles needs."""

    def __init__(
        self, groups: list[_Group], shuffles: Shuffles, collected: Collected, n_edges: int, n_sides: int
    ) -> None:
        self.groups, self.shuffles, self.collected = groups, shuffles, collected
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
        self.observed = self.statistics(range(min(BATCH, shuffles.n_shuffles + 1)))[0]

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
        orders, signs = self.shuffles.drawn(numbers)
        for group in self.groups:
            flips = signs[:, self.shuffles.units.of_run[group.kept]]
            moved = _shuffled(group, group.basis, orders, flips)
            weighing = None if group.weighing is None else _shuffled(group, group.weighing, orders, flips)
            whole = len(group.edges) == self.n_edges
            for start in range(0, len(group.edges), COLUMNS):
                here = slice(start, start + COLUMNS)
                residuals = group.residuals[:, here]
                products = _products(moved, residuals)
                if weighing is None:
                    part = np.empty((len(numbers), residuals.shape[1]))
                    _statistic(products, group.q, group.degrees_of_freedom, part)
                else:
                    spread = _products(np.abs(weighing[:, :1]), residuals**2)[:, 0]  # weights carry no sign
                    spread -= 2 * (products * _products(weighing[:, 1:], residuals)).sum(axis=1)
                    spread += (products * (group.gram @ products)).sum(axis=1)
                    part = products[:, 0] / np.sqrt(np.maximum(spread, np.finfo(float).tiny))
                found[:, here if whole else group.edges[here]] = part
        return found

    def batch(self, batch: int, numbers: range) -> Null:
        """Give the results of those numbers of a batch that are asked for."""
        start = batch * BATCH
        whole = range(start, min(start + BATCH, self.shuffles.n_shuffles + 1))
        asked = range(max(start, numbers.start), min(whole.stop, numbers.stop))
        statistics = self.statistics(whole)[asked.start - start : asked.stop - start]
        null, wanted = self.empty(asked), self.collected
        thresholds = np.array(wanted.thresholds, dtype=float)
        if wanted.enhancement is not None:
            step = wanted.enhancement.step
            top = int(min(np.nanmax(np.abs(statistics)) / step + 1, MOST_LEVELS))
            of_extent = np.arange(self.n_edges + 1.0) ** wanted.enhancement.extent
            of_height = (np.arange(top + 1) * step) ** wanted.enhancement.height * step
        for row, statistic in enumerate(statistics):
            _count(statistic, self.observed, TIE, asked[row] > 0, null.maxima[row], null.at_least)
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


def _shuffled(group: _Group, basis: np.ndarray, orders: np.ndarray, flips: np.ndarray) -> np.ndarray:
    """Move the rows of ``basis`` against each shuffle: their product with residuals is that with shuffled residuals."""
    moved = np.empty((len(orders), *basis.shape))
    _scatter(basis, orders, group.labels, group.members, group.starts, moved)
    moved *= flips[:, None, :]
    return moved


def _products(moved: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    n, k, runs = moved.shape
    product: np.ndarray = (moved.reshape(n * k, runs) @ residuals).reshape(n, k, -1)
    return product


@compiled
def _scatter(
    basis: np.ndarray,
    orders: np.ndarray,
    labels: np.ndarray,
    members: np.ndarray,
    starts: np.ndarray,
    moved: np.ndarray,
) -> None:
    """Put the rows of ``basis`` where the data of their places are: units of a label in the order of the shuffle."""
    n_units = len(labels)
    n_labels = labels.max() + 1
    first = np.zeros(n_labels + 1, np.int64)
    for unit in range(n_units):
        if labels[unit] >= 0:
            first[labels[unit] + 1] += 1
    for label in range(n_labels):
        first[label + 1] += first[label]
    slots = np.empty(first[n_labels], np.int64)
    filled = first.copy()
    for unit in range(n_units):
        if labels[unit] >= 0:
            slots[filled[labels[unit]]] = unit
            filled[labels[unit]] += 1
    for number in range(len(orders)):
        filled[:] = first
        for place in range(n_units):
            source = orders[number, place]
            label = labels[source]
            if label < 0:
                continue
            target = slots[filled[label]]
            filled[label] += 1
            for run in range(starts[source + 1] - starts[source]):
                to, of = members[starts[source] + run], members[starts[target] + run]
                for row in range(len(basis)):
                    moved[number, row, to] = basis[row, of]


@compiled
def _statistic(products: np.ndarray, q: int, degrees_of_freedom: int, statistic: np.ndarray) -> None:
    """Write t, or F of q rows, from the products of residuals of length one with orthonormal bases."""
    n, k, n_edges = products.shape
    rest = np.empty(n_edges)
    for number in range(n):
        rest[:] = 1.0
        for row in range(q, k):
            for edge in range(n_edges):
                rest[edge] -= products[number, row, edge] ** 2
        if q == 1:
            for edge in range(n_edges):
                tested = products[number, 0, edge]
                left = max(rest[edge] - tested * tested, 1e-300)
                statistic[number, edge] = tested / np.sqrt(left / degrees_of_freedom)
        else:
            for edge in range(n_edges):
                tested = 0.0
                for row in range(q):
                    tested += products[number, row, edge] ** 2
                left = max(rest[edge] - tested, 1e-300)
                statistic[number, edge] = tested / q / (left / degrees_of_freedom)


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
