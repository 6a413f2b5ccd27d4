"""Permutations and sign flips that exchangeability allows, each known by its number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sphereconn.errors import InputError

Kind = Literal["free", "within", "whole", "signs"]


@dataclass(frozen=True)
class Exchangeability:
    """What may be exchanged under the null hypothesis (Winkler 2014).

    Attributes
    ----------
    kind : "free", "within", "whole" or "signs"
        "free" permutes runs; "within" permutes runs of the same block among themselves; "whole" permutes blocks of
        equal size as wholes, the runs of each in their order; "signs" flips the signs of residuals that are symmetric
        around zero, whole blocks at once.
    blocks : ndarray of int, shape (n_runs,), or None
        The block of every run, for instance its subject. None with "free", and with "signs" for runs that flip alone.
    """

    kind: Kind
    blocks: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("free", "within", "whole", "signs"):
            raise ValueError(f"exchangeability is 'free', 'within', 'whole' or 'signs', not {self.kind!r}")
        if (self.blocks is None) != (self.kind == "free") and self.kind != "signs":
            raise ValueError("blocks are for exchangeability within and of whole blocks, and for signs")


@dataclass(frozen=True)
class Units:
    """What moves as a whole: runs, or blocks of runs.

    Attributes
    ----------
    members : tuple of ndarray of int
        The runs of each unit, in their order.
    places : ndarray of int, shape (n_units,)
        Units with the same number may change places. Ascending: such units are neighbours.
    """

    members: tuple[np.ndarray, ...]
    places: np.ndarray

    @property
    def of_run(self) -> np.ndarray:
        """The unit of every run."""
        unit = np.empty(sum(map(len, self.members)), dtype=np.int64)
        for number, runs in enumerate(self.members):
            unit[runs] = number
        return unit


@dataclass(frozen=True)
class Shuffles:
    """A planned set of shuffles, numbered from 0, the observed order, to ``n_shuffles``.

    The shuffle of a number depends on nothing but the plan: any range of numbers can be drawn by any process.

    Attributes
    ----------
    exchangeability : Exchangeability
    n_shuffles : int
        Without the observed order.
    exhaustive : bool
        Whether these are all that give different results; else they are drawn at random, with replacement.
    seed : int
    """

    exchangeability: Exchangeability
    n_shuffles: int
    exhaustive: bool
    seed: int
    units: Units = field(repr=False)
    _alike: np.ndarray = field(repr=False)

    def drawn(self, numbers: range) -> tuple[np.ndarray, np.ndarray]:
        """Return the shuffles of some numbers.

        Returns
        -------
        orders : ndarray of int32, shape (n_numbers, n_units)
            The unit whose data come to each unit's place.
        signs : ndarray of int8, shape (n_numbers, n_units)
            1 or -1, by which the data of each unit are multiplied.
        """
        n_units = len(self.units.places)
        orders = np.tile(np.arange(n_units, dtype=np.int32), (len(numbers), 1))
        signs = np.ones((len(numbers), n_units), dtype=np.int8)
        for row, number in enumerate(numbers):
            if not 0 <= number <= self.n_shuffles:
                raise ValueError(f"shuffles are numbered from 0 to {self.n_shuffles}, found {number}")
            if number == 0:
                continue
            rng = np.random.default_rng((self.seed, number))
            if self.exchangeability.kind == "signs":
                flipped = _bits(number, n_units) if self.exhaustive else rng.random(n_units) < 0.5
                signs[row, flipped] = -1
            elif self.exhaustive:
                orders[row] = self._enumerated(number, rng)
            else:  # units that may change places are neighbours, so sorting by place and chance permutes among them
                orders[row] = np.argsort(self.units.places + rng.random(n_units))
        return orders, signs

    def _enumerated(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Give arrangement ``number`` of the designs of units, counted on from the observed one, around a circle.

        Which of several units with the same design changes places is drawn: it matters for no edge that all runs have,
        and balances the edges that some lack.
        """
        order = np.empty(len(self.units.places), dtype=np.int32)
        for place in np.unique(self.units.places):
            units = np.flatnonzero(self.units.places == place)
            alike = self._alike[units]
            total = _arrangements(alike)
            number, digit = divmod(number, total)
            arrangement = _unranked((_rank(alike) + digit) % total, alike)
            for design in np.unique(alike):
                order[rng.permutation(units[alike == design])] = units[arrangement == design]
        return order


def plan_shuffles(
    exchangeability: Exchangeability,
    design: np.ndarray,
    n_shuffles: int,
    seed: int,
    *,
    labels: np.ndarray | None = None,
) -> Shuffles:
    """Plan ``n_shuffles`` random shuffles, or all when there are no more than that.

    Shuffles count as different when they change the design: two groups of five have 252 arrangements, not 10!.

    Parameters
    ----------
    exchangeability : Exchangeability
    design : ndarray of shape (n_runs, n_columns)
        As given to ``permutation.null_of_orders``; times the roots of the weights, when runs are weighted.
    n_shuffles : int
        At most so many, without the observed order.
    seed : int
        Not negative.
    labels : ndarray of shape (n_runs,), optional
        What else distinguishes runs, such as groups with variances of their own.

    Raises
    ------
    InputError
        When there is nothing to shuffle: no second order differs from the observed one.

    Examples
    --------
    >>> import numpy as np
    >>> design = np.column_stack([np.ones(10), np.repeat([0, 1], 5)])
    >>> shuffles = plan_shuffles(Exchangeability("free"), design, 10_000, seed=1)
    >>> shuffles.exhaustive, shuffles.n_shuffles
    (True, 251)
    >>> orders, signs = shuffles.drawn(range(0, 2))
    >>> orders[0].tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    n_runs = len(design)
    if exchangeability.blocks is not None and exchangeability.blocks.shape != (n_runs,):
        raise ValueError(f"one block per run is expected, {n_runs} in all, found {exchangeability.blocks.shape}")
    if n_shuffles < 1 or seed < 0:
        raise ValueError("at least one shuffle and a seed that is not negative are expected")
    units = _units(exchangeability, n_runs)
    columns = design if labels is None else np.column_stack([design, labels])
    row = np.unique(columns, axis=0, return_inverse=True)[1].ravel()
    designs: dict[tuple[int, ...], int] = {}
    alike = np.array([designs.setdefault(tuple(row[runs].tolist()), len(designs)) for runs in units.members])
    if exchangeability.kind == "signs":
        possible = 2 ** len(units.members)
    else:
        possible = math.prod(_arrangements(alike[units.places == place]) for place in np.unique(units.places))
    if possible == 1:
        raise InputError(
            "No other order of the runs differs from the observed one: what may be exchanged has the same design"
            " everywhere; test something that differs between exchangeable runs or blocks."
        )
    exhaustive = possible - 1 <= n_shuffles
    return Shuffles(exchangeability, possible - 1 if exhaustive else n_shuffles, exhaustive, seed, units, alike)


def _units(exchangeability: Exchangeability, n_runs: int) -> Units:
    kind, blocks = exchangeability.kind, exchangeability.blocks
    runs = np.arange(n_runs)
    if kind == "free" or (kind == "signs" and blocks is None):
        return Units(tuple(runs[:, None]), np.zeros(n_runs, dtype=np.int64))
    assert blocks is not None
    number = np.unique(blocks, return_inverse=True)[1].ravel()
    if kind == "within":
        order = np.argsort(number, kind="stable")
        return Units(tuple(order[:, None]), number[order])
    members = [np.flatnonzero(number == block) for block in range(number.max(initial=-1) + 1)]
    members.sort(key=len)
    return Units(tuple(members), np.array([len(m) for m in members]))


def _bits(number: int, n_bits: int) -> np.ndarray:
    return np.array([number >> bit & 1 for bit in range(n_bits)], dtype=bool)


def _arrangements(items: np.ndarray) -> int:
    """Count the orders of items of which some are alike."""
    counts = np.unique(items, return_counts=True)[1].tolist()
    return math.factorial(len(items)) // math.prod(map(math.factorial, counts))


def _steps(items: np.ndarray) -> Iterator[tuple[list[int], list[int]]]:
    """Yield kinds and their counts of what is left, for as long as the caller takes one away."""
    kinds, counts = (x.tolist() for x in np.unique(items, return_counts=True))
    while any(counts):
        yield kinds, counts


def _rank(items: np.ndarray) -> int:
    """Number an arrangement among all of its items, in alphabetical order."""
    rank, total, left = 0, _arrangements(items), len(items)
    for (kinds, counts), item in zip(_steps(items), items.tolist(), strict=True):
        for place, kind in enumerate(kinds):
            share = total * counts[place] // left
            if kind == item:
                total, left = share, left - 1
                counts[place] -= 1
                break
            rank += share
    return rank


def _unranked(rank: int, items: np.ndarray) -> np.ndarray:
    """Give the arrangement of a number, the inverse of ``_rank``."""
    total, left = _arrangements(items), len(items)
    arrangement = []
    for kinds, counts in _steps(items):
        for place, kind in enumerate(kinds):
            share = total * counts[place] // left
            if rank < share:
                arrangement.append(kind)
                total, left = share, left - 1
                counts[place] -= 1
                break
            rank -= share
    return np.array(arrangement)
