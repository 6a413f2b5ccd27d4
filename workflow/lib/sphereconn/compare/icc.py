"""Intraclass correlations of every edge: which share of the variance between runs lies between subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, ndtri

from sphereconn.aggregate.stack import blocks
from sphereconn.compare.repeats import Repeats

Array = NDArray[np.float64]

KINDS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)")
CONFIDENCE = 0.95
# Below this share of the sum of the squares themselves, a sum of squared differences is rounding.
_ROUNDING = 1e-20


@dataclass(frozen=True)
class Icc:
    """Intraclass correlations of one kind, arrays of shape (n_edges,).

    Attributes
    ----------
    icc, lower, upper
        The estimate and its confidence interval; NaN where an edge is known of too few runs, or does not vary. An
        estimate is negative where subjects differ less than repeats would make them by chance.
    between, total
        Its numerator, the variance between subjects, and its denominator.
    n_subjects
        Number of subjects that an edge is known of, in as many runs as this kind needs.
    """

    icc: Array
    lower: Array
    upper: Array
    between: Array
    total: Array
    n_subjects: NDArray[np.int64]


def intraclass_correlations(
    edges: Callable[[NDArray[np.int64], int, int], Array], n_edges: int, repeats: Repeats
) -> dict[str, Icc]:
    """Return the intraclass correlations of every edge, by kind, computed in blocks of edges.

    ICC(1,1) takes all runs of subjects with two or more. ICC(2,1) counts differences between repeats as error
    (agreement), ICC(3,1) does not (consistency); both need every repeat of every subject, see `Repeats.crossed`, and an
    edge that is missing in one run of a subject is estimated without this subject.

    Parameters
    ----------
    edges
        From the positions of some runs, and the first edge and the one after the last, to their values, shape (n_runs,
        n_edges); NaN where a run misses an edge.
    n_edges
        Number of all edges.
    repeats
        Which runs are repeats of which.

    References
    ----------
    Shrout PE, Fleiss JL (1979). Intraclass correlations: uses in assessing rater reliability. Psychological Bulletin
    86:420-428.
    McGraw KO, Wong SP (1996). Forming inferences about some intraclass correlation coefficients. Psychological Methods
    1:30-46.
    """
    crossed = repeats.crossed
    parts: list[tuple[Icc, Icc, Icc]] = []
    for start, stop in blocks(len(repeats.runs), n_edges):
        alone = one_way(edges(repeats.runs, start, stop), repeats.subject)
        if len(crossed):
            values = edges(crossed.ravel(), start, stop).reshape(*crossed.shape, stop - start)
        else:
            values = np.full((2, 2, stop - start), np.nan)
        parts.append((alone, *two_way(values)))
    fields = Icc.__dataclass_fields__
    return {
        kind: Icc(**{name: np.concatenate([getattr(part[place], name) for part in parts]) for name in fields})
        for place, kind in enumerate(KINDS)
    }


def one_way(values: Array, subject: NDArray[np.int64]) -> Icc:
    """Return ICC(1,1), (MSB - MSW) / (MSB + (k - 1) MSW), of every edge.

    MSB and MSW are the mean squares between and within subjects, k is the number of runs of a subject; where subjects
    differ in it, k is (N - Σ k_i² / N) / (n - 1), with which the variance between subjects is estimated without bias.
    The interval is that of F = MSB / MSW, exact for equal numbers of runs.

    Parameters
    ----------
    values
        Shape (n_runs, n_edges); NaN where a run misses an edge.
    subject
        Shape (n_runs,), ascending: the subject of each run.
    """
    known = ~np.isnan(values)
    starts = np.flatnonzero(np.diff(subject, prepend=-1))
    counts = np.add.reduceat(known, starts, axis=0, dtype=np.int64)
    counts[counts < 2] = 0
    number = np.cumsum(np.diff(subject, prepend=-1) != 0) - 1
    used = known & (counts[number] > 0)
    n_runs, n_subjects = counts.sum(axis=0), (counts > 0).sum(axis=0)
    values = np.where(used, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        grand = values.sum(axis=0) / n_runs
        values = np.where(used, values - grand, 0.0)
        means = np.add.reduceat(values, starts, axis=0) / np.maximum(counts, 1)
        shift = (counts * means).sum(axis=0) / n_runs
        between = (counts * (means - shift) ** 2).sum(axis=0)
        within = (np.where(used, values - means[number], 0.0) ** 2).sum(axis=0)
    return _of_one_way(between, within, n_subjects, n_runs, (counts**2).sum(axis=0), grand)


def _of_one_way(
    between: Array,
    within: Array,
    n_subjects: NDArray[np.int64],
    n_runs: NDArray[np.int64],
    squares: NDArray[np.int64],
    grand: Array,
) -> Icc:
    """Give ICC(1,1) from sums of squares between and within subjects, squared numbers of runs, and the mean."""
    with np.errstate(divide="ignore", invalid="ignore"):
        varies = (n_subjects > 1) & (between + within > _ROUNDING * n_runs * grand**2)
        df_between, df_within = (np.where(varies, df, np.nan) for df in (n_subjects - 1, n_runs - n_subjects))
        k = (n_runs - squares / n_runs) / df_between
        mean_between, mean_within = between / df_between, within / df_within
        variance = (mean_between - mean_within) / k
        total = variance + mean_within
        lower, upper = _f_interval(mean_between / mean_within, df_between, df_within, k)
    return Icc(variance / total, lower, upper, variance, total, n_subjects)


def _f_interval(f: Array, df_between: Array, df_error: Array, k: Array) -> tuple[Array, Array]:
    tail = (1 + CONFIDENCE) / 2
    low, high = f / _quantile(df_between, df_error, tail), f * _quantile(df_error, df_between, tail)
    # Without any error both ends are 1, which infinity over infinity would not say.
    return tuple(np.where(np.isinf(x), 1.0, (x - 1) / (x + k - 1)) for x in (low, high))  # type: ignore[return-value]


def _quantile(df1: Array, df2: Array, tail: float) -> Array:
    """Give a quantile of F for every edge; most edges have the same degrees of freedom, and it takes 10 µs each."""
    pairs, place = np.unique(np.stack([df1, df2]), axis=1, return_inverse=True)
    quantiles: Array = fdtri(*pairs, tail)[place.ravel()]
    return quantiles


def two_way(values: Array) -> tuple[Icc, Icc]:
    """Return ICC(2,1) and ICC(3,1) of every edge, agreement and consistency of single runs.

    With the mean squares between subjects MSB, between repeats MSJ and of what is left MSE, of n subjects and k
    repeats, these are (MSB - MSE) / (MSB + (k - 1) MSE + k (MSJ - MSE) / n) and (MSB - MSE) / (MSB + (k - 1) MSE).

    Parameters
    ----------
    values
        Shape (n_subjects, n_repeats, n_edges). Subjects with NaN in a repeat of an edge are left out of this edge.
    """
    used = np.asarray(np.isfinite(values).all(axis=1))
    n_subjects, k = used.sum(axis=0), values.shape[1]
    weight = used[:, None, :]
    values = np.where(weight, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        grand = values.sum(axis=(0, 1)) / (n_subjects * k)
        values = np.where(weight, values - grand, 0.0)
        of_subject, of_repeat = values.mean(axis=1), values.sum(axis=0) / n_subjects
        varies = (values**2).sum(axis=(0, 1)) > _ROUNDING * n_subjects * k * grand**2
        df = np.where((n_subjects > 1) & varies, n_subjects - 1.0, np.nan)
        msb, msj = k * (of_subject**2).sum(axis=0) / df, n_subjects * (of_repeat**2).sum(axis=0) / (k - 1)
        left = np.where(weight, values - of_subject[:, None, :] - of_repeat, 0.0)
        mse = (left**2).sum(axis=(0, 1)) / (df * (k - 1))
        mse, msj = (np.where(mean < _ROUNDING * (msb + msj), 0.0, mean) for mean in (mse, msj))

        between, of_repeats = (msb - mse) / k, (msj - mse) / n_subjects
        consistent, agreeing = between + mse, between + mse + of_repeats
        agreement = between / agreeing
        lower, upper = _f_interval(msb / mse, df, df * (k - 1), np.full_like(df, k))
        ends = _agreement_interval(agreement, msb, msj, mse, n_subjects, k)
    return (
        Icc(agreement, *ends, between, agreeing, n_subjects),
        Icc(between / consistent, lower, upper, between, consistent, n_subjects),
    )


def _agreement_interval(
    icc: Array, msb: Array, msj: Array, mse: Array, n: NDArray[np.int64], k: int
) -> tuple[Array, Array]:
    """Give the interval of ICC(2,1), by Satterthwaite's degrees of freedom (Shrout and Fleiss 1979, p. 424)."""
    f, own = msj / mse, n * (1 + (k - 1) * icc) - k * icc
    df = (n - 1) * (k - 1) * (k * icc * f + own) ** 2 / ((n - 1) * (k * icc * f) ** 2 + own**2)
    df = np.where(np.isfinite(f), df, k - 1.0)  # the limit where MSE is 0
    tail, rest = (1 + CONFIDENCE) / 2, k * n - k - n
    low, high = fdtri(n - 1.0, df, tail), fdtri(df, n - 1.0, tail)
    return (
        n * (msb - low * mse) / (low * (k * msj + rest * mse) + n * msb),
        n * (high * msb - mse) / (k * msj + rest * mse + n * high * msb),
    )


class RunningOneWay:
    """ICC(1,1) of every edge from one subject after the other, for series that do not fit into memory.

    Sums of squares between subjects are updated by the pairwise rule of Chan and others (1979), which is stable where
    sums of squares cancel.
    """

    def __init__(self, n_edges: int) -> None:
        self._n_subjects, self._n_runs, self._squares = (np.zeros(n_edges, dtype=np.int64) for _ in range(3))
        self._mean, self._between, self._within = (np.zeros(n_edges) for _ in range(3))

    def add(self, values: Array) -> None:
        """Add the runs of a subject, shape (n_runs, n_edges); an edge counts where two or more runs have it."""
        known = ~np.isnan(values)
        count = known.sum(axis=0)
        count[count < 2] = 0
        some = count > 0
        filled = np.where(known & some, values, 0.0)
        mean = filled.sum(axis=0) / np.maximum(count, 1)
        self._within += (np.where(known & some, values - mean, 0.0) ** 2).sum(axis=0)
        total = np.maximum(self._n_runs + count, 1)
        step = np.where(some, mean - self._mean, 0.0)
        self._between += step**2 * self._n_runs * count / total
        self._mean += step * count / total
        self._n_subjects += some
        self._n_runs += count
        self._squares += count**2

    def result(self) -> Icc:
        """Return what `one_way` would for all subjects together."""
        return _of_one_way(self._between, self._within, self._n_subjects, self._n_runs, self._squares, self._mean)


@dataclass(frozen=True)
class WholeIcc:
    """An intraclass correlation of whole connectomes, and its confidence interval."""

    icc: float
    lower: float
    upper: float


def whole_icc(distances: Array, subject: NDArray[np.int64]) -> WholeIcc:
    """Return the ICC(1,1) of whole connectomes: the variances of all edges are added up first (I2C2, Shou 2013).

    Sums of squares follow from the squared distances between runs, Σ d² / k_i over the pairs of a subject and Σ d² / N
    over all pairs. The interval is that of the jackknife over subjects, of Fisher's z of the estimate.

    Parameters
    ----------
    distances
        Shape (n_runs, n_runs), Euclidean.
    subject
        Shape (n_runs,): the subject of each run, each with two runs or more.

    References
    ----------
    Shou H and others (2013). Quantifying the reliability of image replication studies: the image intraclass correlation
    coefficient (I2C2). Cognitive, Affective, & Behavioral Neuroscience 13:714-724.
    """
    squared = distances**2
    places = [np.flatnonzero(subject == number) for number in np.unique(subject)]
    sizes = np.array([len(place) for place in places])
    within = np.array([squared[np.ix_(place, place)].sum() / 2 / len(place) for place in places])
    of_runs = squared.sum(axis=0)
    touching = np.array(  # squared distances of pairs with a run of the subject
        [of_runs[place].sum() - size * own for place, size, own in zip(places, sizes, within, strict=True)]
    )
    all_pairs = of_runs.sum() / 2

    def estimate(pairs: Array, within: Array, n_subjects: int, n_runs: Array, squares: Array) -> Array:
        mean_within = within / (n_runs - n_subjects)
        mean_between = (pairs / n_runs - within) / (n_subjects - 1)
        variance = (mean_between - mean_within) / ((n_runs - squares / n_runs) / (n_subjects - 1))
        with np.errstate(invalid="ignore"):
            return variance / (variance + mean_within)

    n = len(places)
    value = float(estimate(all_pairs, within.sum(), n, sizes.sum(), (sizes**2).sum()))
    if n < 3:
        return WholeIcc(value, float("nan"), float("nan"))
    without = estimate(
        all_pairs - touching, within.sum() - within, n - 1, sizes.sum() - sizes, (sizes**2).sum() - sizes**2
    )
    limit = 1 - 1e-12
    z, left = np.arctanh(np.clip(value, -limit, limit)), np.arctanh(np.clip(without, -limit, limit))
    spread = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()) * ndtri((1 + CONFIDENCE) / 2)
    return WholeIcc(value, float(np.tanh(z - spread)), float(np.tanh(z + spread)))
