"""P values: of permutations, for many tests at once, and how exact they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from sphereconn.infer.components import SIDES

# Statistics that differ by less, relatively, are equal: rounding depends on the order of sums.
TIE = 1e-9


@dataclass(frozen=True)
class PermutationP:
    """P values of permutations.

    Attributes
    ----------
    p : ndarray
        (1 + shuffles at least as extreme) / (1 + shuffles), so never zero (Phipson and Smyth 2010); NaN where there was
        no test.
    monte_carlo_error : ndarray
        Standard error of p as an estimate of what all shuffles give; zero when they were all done.
    """

    p: np.ndarray
    monte_carlo_error: np.ndarray


def p_of_counts(at_least: np.ndarray, n_shuffles: int, exhaustive: bool) -> PermutationP:
    """Return p from the number of shuffles that were at least as extreme as what was observed.

    Parameters
    ----------
    at_least : ndarray
        Counts; NaN where there was no test.
    n_shuffles : int
        Without the observed order.
    exhaustive : bool

    Examples
    --------
    >>> found = p_of_counts(np.array([0, 49]), 999, exhaustive=False)
    >>> found.p.tolist(), found.monte_carlo_error.round(4).tolist()
    ([0.001, 0.05], [0.001, 0.0069])
    """
    p = (1 + np.asarray(at_least, dtype=float)) / (1 + n_shuffles)
    error = np.where(np.isnan(p), np.nan, 0) if exhaustive else np.sqrt(p * (1 - p) / (1 + n_shuffles))
    return PermutationP(p, error)


def family_wise_p(observed: np.ndarray, maxima: np.ndarray, exhaustive: bool) -> PermutationP:
    """Return p corrected for the family of all tests, by the distribution of their maximum (Westfall and Young 1993).

    Parameters
    ----------
    observed : ndarray
        Statistics, larger is more extreme (``components.on_side``); NaN where there was no test.
    maxima : ndarray of shape (n_shuffles,)
        The largest statistic of each shuffle, without the observed order.
    exhaustive : bool
        Whether these are all shuffles there are.

    Examples
    --------
    >>> family_wise_p(np.array([5.0, 3.0, np.nan]), np.array([2.0, 3.1, 2.5, 3.0]), exhaustive=False).p.tolist()
    [0.2, 0.6, nan]
    """
    low = np.where(np.isnan(observed), np.inf, observed)
    low = low - TIE * np.abs(np.where(np.isinf(low), 0, low))
    at_least = len(maxima) - np.searchsorted(np.sort(maxima), low, side="left")
    return p_of_counts(np.where(np.isnan(observed), np.nan, at_least), len(maxima), exhaustive)


def directional_p(t: np.ndarray, degrees_of_freedom: np.ndarray) -> np.ndarray:
    """Return uncorrected p of t for every one of ``SIDES``, shape (3, n_edges).

    Examples
    --------
    >>> directional_p(np.array([2.0]), np.array([30])).round(4).tolist()
    [[0.0546], [0.0273], [0.9727]]
    """
    return np.array([2 * stdtr(degrees_of_freedom, -np.abs(t)), *(stdtr(degrees_of_freedom, x) for x in (-t, t))])


def false_discovery_rate(p: np.ndarray) -> np.ndarray:
    """Return p adjusted by Benjamini and Hochberg 1995, over the last axis.

    Where all edges at or below a level are taken, the expected share of false ones among them is at most this level
    (tests independent or positively dependent). Two directions are two families: give each its own row, since a
    two-sided selection controls no rate for the direction with fewer effects.

    Parameters
    ----------
    p : ndarray of shape (..., n_edges)
        NaN where there was no test: those count in no family.

    Examples
    --------
    >>> false_discovery_rate(np.array([0.01, 0.04, 0.03, np.nan])).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    adjusted = np.full(p.shape, np.nan)
    for place in np.ndindex(p.shape[:-1]):
        known = np.flatnonzero(~np.isnan(p[place]))
        order = known[np.argsort(p[place][known])[::-1]]
        rank = np.arange(len(order), 0, -1)
        adjusted[place][order] = np.minimum(np.minimum.accumulate(p[place][order] * len(order) / rank), 1)
    return adjusted


@dataclass(frozen=True)
class PairTests:
    """Tests of pairs of networks.

    Attributes
    ----------
    statistic : ndarray of shape (n_pairs,)
        Mean t (or F) of the edges.
    uncorrected, family_wise : dict of PermutationP
        For every side: each pair by its own shuffles, and with FWE over all pairs.
    """

    statistic: np.ndarray
    uncorrected: dict[str, PermutationP]
    family_wise: dict[str, PermutationP]


def pair_tests(observed: np.ndarray, shuffled: np.ndarray, exhaustive: bool, *, f_test: bool = False) -> PairTests:
    """Return p of the mean statistics of pairs of networks (Noble 2020), for each side.

    Means of few edges scatter more than means of many, so that the largest would nearly always be that of a small pair.
    Each pair is therefore standardised by the mean and standard deviation over its shuffles, the observed order
    included, before maxima over pairs are taken.

    Parameters
    ----------
    observed : ndarray of shape (n_pairs,)
        NaN for pairs without a tested edge.
    shuffled : ndarray of shape (n_shuffles, n_pairs)
        Without the observed order.
    exhaustive : bool
    f_test : bool
        Whether the statistics are F, which have the side "greater" only.

    Examples
    --------
    >>> shuffled = np.array([[0.1, -1.0], [-0.2, 1.5], [0.0, -0.5], [0.1, 0.4]])
    >>> found = pair_tests(np.array([0.6, 1.2]), shuffled, exhaustive=False)
    >>> found.family_wise["greater"].p.tolist(), found.uncorrected["greater"].p.tolist()
    ([0.2, 0.4], [0.2, 0.4])
    """
    rows = np.vstack([observed, shuffled])
    with np.errstate(invalid="ignore", divide="ignore"):
        standard = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    standard[:, ~(rows.std(axis=0) > 0)] = np.nan
    tested = ~np.isnan(standard[0])
    uncorrected, family_wise = {}, {}
    for side in ("greater",) if f_test else SIDES:
        sided = np.abs(standard) if side == "two-sided" else -standard if side == "less" else standard
        low = sided[0] - TIE * np.abs(sided[0])
        at_least = np.where(tested, (sided[1:] >= low).sum(axis=0), np.nan)
        uncorrected[side] = p_of_counts(at_least, len(shuffled), exhaustive)
        maxima = np.max(sided[1:], axis=1, where=tested, initial=-np.inf)
        family_wise[side] = family_wise_p(sided[0], maxima, exhaustive)
    return PairTests(observed, uncorrected, family_wise)
