"""Identification of subjects by their connectomes: identification rate and differential identifiability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.repeats import Repeats
from sphereconn.infer.shuffles import Exchangeability, plan_shuffles

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Identification:
    """How well subjects are recognised, for some assignments of runs to subjects.

    Attributes
    ----------
    pairs : tuple of (int, int)
        The repeat that runs are taken from, and the repeat that they are looked for in: each order that two subjects or
        more have both of.
    n_targets : ndarray of int, shape (n_pairs,)
        Subjects that are looked for.
    rate : ndarray, shape (n_assignments, n_pairs)
        The share of them whose own run is the most alike.
    own, others : ndarray, shape (n_assignments, n_pairs)
        Mean correlation with the own run, and with those of others.
    chance : ndarray, shape (n_pairs,)
        Of the rate: one over the number of runs that are searched.
    """

    pairs: tuple[tuple[int, int], ...]
    n_targets: NDArray[np.int64]
    rate: Array
    own: Array
    others: Array
    chance: Array

    @property
    def overall_rate(self) -> Array:
        """The rate over all pairs of repeats, shape (n_assignments,); NaN without any pair."""
        return self._mean(self.rate)

    @property
    def differential_identifiability(self) -> Array:
        """100 (mean correlation with the own run - mean with those of others), shape (n_assignments,)."""
        return 100 * self._mean(self.own - self.others)

    def _mean(self, of_pairs: Array) -> Array:
        weights = self.n_targets / max(int(self.n_targets.sum()), 1)
        return of_pairs @ weights if len(weights) else np.full(len(of_pairs), np.nan)


def identification(correlations: Array, tables: NDArray[np.int64]) -> Identification:
    """Return how well the subjects of one repeat are recognised in another.

    A subject is identified when the run of the other repeat that is most alike, by the correlation of the edges, is the
    own one (Finn 2015); a tie identifies nobody. Differential identifiability is 100 (mean correlation with the own run
    - mean correlation with the runs of others; Amico and Goñi 2018).

    Parameters
    ----------
    correlations
        Shape (n_runs, n_runs); NaN where two runs have none, which are then not alike.
    tables
        As for `discriminability.discriminability`.

    References
    ----------
    Finn ES and others (2015). Functional connectome fingerprinting: identifying individuals using patterns of brain
    connectivity. Nature Neuroscience 18:1664-1671.
    Amico E, Goñi J (2018). The quest for identifiability in human functional connectomes. Scientific Reports 8:8254.
    """
    has = tables[0] >= 0
    pairs, n_targets, chance = [], [], []
    rates, own_means, other_means = [], [], []
    for first in range(has.shape[1]):
        for second in range(has.shape[1]):
            both, searched = has[:, first] & has[:, second], np.flatnonzero(has[:, second])
            if first == second or both.sum() < 2:
                continue
            database = tables[0, searched, second]
            known = ~np.isnan(correlations[:, database])
            likeness = np.where(known, correlations[:, database], -np.inf)
            best = likeness.max(axis=1)
            unique = (likeness == best[:, None]).sum(axis=1) == 1
            found = np.where(unique, database[likeness.argmax(axis=1)], -1)
            targets, partners = tables[:, both, first], tables[:, both, second]
            own = correlations[targets, partners]
            sums = np.where(known, likeness, 0).sum(axis=1)[targets] - np.nan_to_num(own)
            n_others = known.sum(axis=1)[targets] - ~np.isnan(own)
            others = np.where(n_others > 0, sums / np.maximum(n_others, 1), np.nan)
            pairs.append((first, second))
            n_targets.append(int(both.sum()))
            chance.append(1 / len(database))
            rates.append((found[targets] == partners).mean(axis=1))
            own_means.append(_mean(own))
            other_means.append(_mean(others))
    rate, own, others = (
        np.array(column).T.reshape(len(tables), len(pairs)) for column in (rates, own_means, other_means)
    )
    return Identification(tuple(pairs), np.array(n_targets, dtype=np.int64), rate, own, others, np.array(chance))


def _mean(values: Array) -> Array:
    """Give the mean of each row over what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    means: Array = np.where(count > 0, np.where(known, values, 0).sum(axis=1) / np.maximum(count, 1), np.nan)
    return means


@dataclass(frozen=True)
class Assignments:
    """Assignments of runs to subjects that are as likely as the observed one if runs do not tell subjects apart.

    Attributes
    ----------
    tables : ndarray of int, shape (1 + n_shuffles, n_subjects, n_repeats)
        The observed one first.
    exhaustive : bool
        Whether these are all there are.
    """

    tables: NDArray[np.int64]
    exhaustive: bool


def assignments(repeats: Repeats, table: NDArray[np.int64], n_shuffles: int, seed: int) -> Assignments:
    """Return shuffled assignments of runs to subjects.

    Under the hypothesis that the runs of a subject are no more alike than those of different subjects, runs of the same
    repeat may change their subjects, and no others: sessions may differ for all subjects alike, and a subject who
    lacks a repeat lacks it in every shuffle.

    Parameters
    ----------
    repeats
        Which runs are repeats of which.
    table
        As `discriminability.observed_table` gives it.
    n_shuffles
        At most so many; all, when there are no more.
    seed
        Not negative.

    Raises
    ------
    InputError
        When there is nothing to shuffle.
    """
    plan = plan_shuffles(
        Exchangeability("within", repeats.repeat), repeats.subject[:, None].astype(float), n_shuffles, seed
    )
    places, _ = plan.drawn(range(plan.n_shuffles + 1))
    tables = np.full((len(places), *table.shape), -1, dtype=np.int64)
    rows = np.arange(len(places))[:, None]
    tables[rows, repeats.subject[places], repeats.repeat] = np.arange(len(repeats.runs))
    return Assignments(tables, plan.exhaustive)
