"""Distributions over shuffles: of the largest statistic, of components, of the means of pairs of networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sphereconn.connect.compilation import compiled
from sphereconn.infer.components import (
    MOST_LEVELS,
    SIDES,
    Enhancement,
    largest_components,
    largest_enhanced,
    n_nodes_of,
)
from sphereconn.infer.corrections import TIE
from sphereconn.infer.glm import Variances
from sphereconn.infer.network_pairs import NetworkPairs, network_pairs
from sphereconn.infer.shuffled import ShuffledStatistics
from sphereconn.infer.shuffles import Exchangeability, Shuffles, plan_shuffles
from sphereconn.threads import map_at_once


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
    numbers = range(1, shuffles.n_shuffles + 1) if numbers is None else numbers
    shuffled = ShuffledStatistics(
        values, design, contrast, shuffles, weights=weights, variances=variances, least_share=least_share
    )
    batches = shuffled.batches(numbers)
    task = _Task(shuffled, collected or Collected())
    parts = map_at_once(cores, lambda batch: task.batch(batch, numbers), batches)
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


class _Task:
    """What every batch of shuffles needs."""

    def __init__(self, shuffled: ShuffledStatistics, collected: Collected) -> None:
        self.shuffled, self.collected, n_edges = shuffled, collected, shuffled.n_edges
        self.n_edges, self.n_sides = n_edges, 1 if shuffled.f_test else len(SIDES)
        if any(threshold <= 0 for threshold in collected.thresholds):
            raise ValueError("thresholds are positive")
        of_networks = bool(collected.thresholds) or collected.enhancement is not None
        self.n_nodes = n_nodes_of(n_edges) if of_networks else 0
        self.rows, self.columns = np.triu_indices(self.n_nodes, 1)
        self.pair_of_edge, n_pairs = np.full(n_edges, -1), 0
        if collected.pairs is not None:
            if collected.pairs.of_edge.shape != (n_edges,):
                raise ValueError(f"pairs of networks are of {collected.pairs.of_edge.shape} edges, not {n_edges}")
            tested, n_pairs = shuffled.edges, len(collected.pairs.names)
            self.pair_of_edge[tested] = collected.pairs.of_edge[tested]
        self.edges_of_pair = np.bincount(self.pair_of_edge[self.pair_of_edge >= 0], minlength=n_pairs)
        self.first = shuffled.of_batch(0)

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

    def batch(self, batch: int, numbers: range) -> Null:
        """Give the results of those numbers of a batch that are asked for."""
        whole = self.shuffled.batch(batch)
        asked = range(max(whole.start, numbers.start), min(whole.stop, numbers.stop))
        statistics = self.shuffled.of_batch(batch) if batch else self.first
        statistics = statistics[asked.start - whole.start : asked.stop - whole.start]
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


def warm_up() -> None:
    """Load the machine code, by shuffles of small data of which everything is collected."""
    values, design = np.random.default_rng(0).normal(size=(8, 6)), np.column_stack([np.ones(8), np.arange(8.0)])
    shuffles = plan_shuffles(Exchangeability("free"), design, 9, seed=1)
    collected = Collected((1.0,), Enhancement(), network_pairs(["a", "a", "b", "b"]))
    null_of_orders(values, design, np.array([0, 1]), shuffles, collected=collected)
