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
class _Units:
    """What moves as a whole: runs, or blocks of runs.

    Units of the same ``kind`` may change places; kinds ascend, so that such units are neighbours. The runs of all units
    stand one unit after the other in ``runs``, from ``starts`` on.
    """

    kinds: np.ndarray
    runs: np.ndarray
    starts: np.ndarray

    def spread(self, unit_places: np.ndarray) -> np.ndarray:
        """Give the place of every run when unit u goes to the place of unit ``unit_places[:, u]``."""
        unit = np.repeat(np.arange(len(self.kinds)), np.diff(self.starts))
        offset = np.arange(len(self.runs)) - self.starts[unit]
        places = np.empty((len(unit_places), len(self.runs)), dtype=np.int32)
        places[:, self.runs] = self.runs[self.starts[unit_places[:, unit]] + offset]
        return places

    def each(self, of_units: np.ndarray) -> np.ndarray:
        """Repeat what is known of units for their runs, over the last axis."""
        spread = np.empty((*of_units.shape[:-1], len(self.runs)), dtype=of_units.dtype)
        spread[..., self.runs] = np.repeat(of_units, np.diff(self.starts), axis=-1)
        return spread


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
    _units: _Units = field(repr=False)
    _designs: np.ndarray = field(repr=False)

    @property
    def unit_of_run(self) -> np.ndarray:
        """The unit that moves as a whole with every run, of shape (n_runs,)."""
        return self._units.each(np.arange(len(self._units.kinds)))

    @property
    def kind_of_run(self) -> np.ndarray:
        """Numbers of shape (n_runs,): units of the same may change places."""
        return self._units.each(self._units.kinds)

    def drawn(self, numbers: range) -> tuple[np.ndarray, np.ndarray]:
        """Return the shuffles of some numbers.

        Returns
        -------
        places : ndarray of int32, shape (n_numbers, n_runs)
            The run to whose place, and design, the data of each run go.
        signs : ndarray of int8, shape (n_numbers, n_runs)
            1 or -1, by which the data of each run are multiplied.
        """
        kinds = self._units.kinds
        places = np.tile(np.arange(len(kinds)), (len(numbers), 1))
        signs = np.ones((len(numbers), len(kinds)), dtype=np.int8)
        for row, number in enumerate(numbers):
            if not 0 <= number <= self.n_shuffles:
                raise ValueError(f"shuffles are numbered from 0 to {self.n_shuffles}, found {number}")
            if number == 0:
                continue
            rng = np.random.Generator(np.random.Philox(key=(self.seed, number)))  # a stream for every number
            if self.exchangeability.kind == "signs":
                flipped = _bits(number, len(kinds)) if self.exhaustive else rng.random(len(kinds)) < 0.5
                signs[row, flipped] = -1
            elif self.exhaustive:
                places[row] = self._enumerated(number)
            else:  # units that may change places are neighbours, so sorting by kind and chance permutes among them
                places[row] = np.argsort(kinds + rng.random(len(kinds)))
        return self._units.spread(places), self._units.each(signs)

    def _enumerated(self, number: int) -> np.ndarray:
        """Give arrangement ``number`` of the designs of units, counted on from the observed one, around a circle."""
        places = np.empty(len(self._units.kinds), dtype=np.int64)
        for kind in np.unique(self._units.kinds):
            units = np.flatnonzero(self._units.kinds == kind)
            designs = self._designs[units]
            number, digit = divmod(number, _arrangements(designs))
            arrangement = _unranked((_rank(designs) + digit) % _arrangements(designs), designs)
            for design in np.unique(designs):
                places[units[arrangement == design]] = units[designs == design]
        return places


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
    >>> places, signs = shuffles.drawn(range(0, 2))
    >>> places.tolist()
    [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0, 1, 2, 3, 5, 4, 6, 7, 8, 9]]
    """
    n_runs = len(design)
    if exchangeability.blocks is not None and exchangeability.blocks.shape != (n_runs,):
        raise ValueError(f"one block per run is expected, {n_runs} in all, found {exchangeability.blocks.shape}")
    if n_shuffles < 1 or seed < 0:
        raise ValueError("at least one shuffle and a seed that is not negative are expected")
    units = _units_of(exchangeability, n_runs)
    columns = design if labels is None else np.column_stack([design, labels])
    row = np.unique(columns, axis=0, return_inverse=True)[1].ravel()[units.runs]
    known: dict[tuple[int, ...], int] = {}
    designs = np.array(
        [known.setdefault(tuple(part.tolist()), len(known)) for part in np.split(row, units.starts[1:-1])]
    )
    if exchangeability.kind == "signs":
        possible = 2 ** len(units.kinds)
    else:
        possible = math.prod(_arrangements(designs[units.kinds == kind]) for kind in np.unique(units.kinds))
    if possible == 1:
        raise InputError(
            "No other order of the runs differs from the observed one: what may be exchanged has the same design"
            " everywhere; test something that differs between exchangeable runs or blocks."
        )
    exhaustive = possible - 1 <= n_shuffles
    return Shuffles(exchangeability, possible - 1 if exhaustive else n_shuffles, exhaustive, seed, units, designs)


def _units_of(exchangeability: Exchangeability, n_runs: int) -> _Units:
    kind, blocks = exchangeability.kind, exchangeability.blocks
    if kind == "free" or (kind == "signs" and blocks is None):
        return _Units(np.zeros(n_runs, dtype=np.int64), np.arange(n_runs), np.arange(n_runs + 1))
    assert blocks is not None
    number = np.unique(blocks, return_inverse=True)[1].ravel()
    if kind == "within":
        runs = np.argsort(number, kind="stable")
        return _Units(number[runs], runs, np.arange(n_runs + 1))
    members = sorted((np.flatnonzero(number == block) for block in range(number.max(initial=-1) + 1)), key=len)
    sizes = np.array([len(runs) for runs in members])
    return _Units(sizes, np.concatenate(members), np.cumsum([0, *sizes]))


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
