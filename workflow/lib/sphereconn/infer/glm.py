"""Linear model of every edge over the runs that have it: effects, intervals, t and F."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import fdtrc, stdtr, stdtrit

from sphereconn.aggregate.stack import blocks
from sphereconn.errors import InputError

# Edges are taken in blocks, so that intermediate arrays stay small beside a large stack.
BLOCK = 4096
# A column of the design counts as a sum of others when this share of it, or less, is its own.
SAME_SPACE = 1e-9
# Residuals this small beside the values (ratio of sums of squares) are rounding: the edge does not vary.
ROUNDING = 1e-24

Variances = Literal["equal", "hc3"] | np.ndarray


@dataclass(frozen=True)
class EdgeStatistics:
    """Statistics of a contrast, one number per edge, NaN where an edge cannot be tested.

    Attributes
    ----------
    effect : ndarray of shape (n_edges,)
        The contrast of the coefficients, in the unit of the values. NaN for an F test, which has no single effect, as
        are ``standard_error``, ``cohens_d`` and ``interval``.
    standard_error : ndarray of shape (n_edges,)
    statistic : ndarray of shape (n_edges,)
        t for a contrast of one row, F for several rows.
    degrees_of_freedom : ndarray of shape (n_edges,)
        Runs that have the edge less the rank of their design; Satterthwaite's with variances by group.
    p : ndarray of shape (n_edges,)
        Two-sided for t, upper tail for F; uncorrected.
    partial_r : ndarray of shape (n_edges,)
        t / √(t² + degrees of freedom), and √(qF / (qF + degrees of freedom)) for F of q rows: the (multiple)
        correlation of the edge with what is tested, given all other columns.
    cohens_d : ndarray of shape (n_edges,)
        The effect in residual standard deviations. For the difference of two groups this is Cohen's d with the pooled
        standard deviation; with subject effects in the design the standard deviation is that within subjects.
    interval : ndarray of shape (2, n_edges)
        Lower and upper confidence limit of the effect.
    mean : ndarray of shape (n_edges,)
        Mean value over the runs that have the edge (weighted, if runs are).
    n_runs : ndarray of int, shape (n_edges,)
        Runs that have the edge.
    """

    effect: np.ndarray
    standard_error: np.ndarray
    statistic: np.ndarray
    degrees_of_freedom: np.ndarray
    p: np.ndarray
    partial_r: np.ndarray
    cohens_d: np.ndarray
    interval: np.ndarray
    mean: np.ndarray
    n_runs: np.ndarray


@dataclass(frozen=True)
class Projection:
    """What a design and a contrast make of the values of n runs.

    Attributes
    ----------
    estimate : ndarray of shape (n, q)
        Its product with the values is the contrast of their least-squares coefficients.
    tested : ndarray of shape (n, q)
        Orthonormal basis of the columns of ``estimate``: what the contrast explains beyond all other columns.
    nuisance : ndarray of shape (n, rank - q)
        Orthonormal basis of what the design explains where the contrast is zero; orthogonal to ``tested``.
    degrees_of_freedom : int
        n - rank.
    """

    estimate: np.ndarray
    tested: np.ndarray
    nuisance: np.ndarray
    degrees_of_freedom: int


def edge_statistics(
    values: np.ndarray,
    design: np.ndarray,
    contrast: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    variances: Variances = "equal",
    level: float = 0.95,
    least_share: float = 0.0,
) -> EdgeStatistics:
    """Return the statistics of a contrast for every edge, by least squares over the runs that have it.

    A run without an edge drops out of that edge only. An edge is NaN when fewer than ``least_share`` of the runs have
    it, when the contrast cannot be estimated from them, when they leave no degree of freedom, or when its values are
    fitted exactly.

    Parameters
    ----------
    values : ndarray of shape (n_runs, n_edges)
        NaN marks a missing edge. Correlations should be in Fisher's z (``aggregate.moments.fisher_z_of``).
    design : ndarray of shape (n_runs, n_columns)
        With the intercept as a column. Columns may be linearly dependent as long as the contrast can be estimated.
    contrast : ndarray of shape (n_columns,) or (q, n_columns)
        One row for a t test, several linearly independent rows for an F test.
    weights : ndarray of shape (n_runs,), optional
        Positive, inversely proportional to the variances of the runs, for instance effective degrees of freedom.
    variances : "equal", "hc3", or ndarray of int, shape (n_runs,)
        Whether residuals have the same variance in all runs. "hc3" allows each run its own (MacKinnon and White 1985,
        with n - rank degrees of freedom). Labels of groups allow each group its own, with Satterthwaite's degrees of
        freedom: without further columns this is Welch's test. Both need a contrast of one row.
    level : float
        Coverage of the confidence interval.
    least_share : float
        Least share of the runs that must have an edge.

    Returns
    -------
    EdgeStatistics

    Raises
    ------
    InputError
        When the contrast cannot be estimated from the design of all runs, or that leaves no degree of freedom.
    ValueError
        When shapes or options do not fit.

    Examples
    --------
    Four controls and four patients, two edges; the second run lacks the second edge.

    >>> import numpy as np
    >>> patient = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> design = np.column_stack([np.ones(8), patient])
    >>> first = [0.1, 0.3, 0.2, 0.2, 0.5, 0.7, 0.6, 0.6]
    >>> second = [0.1, np.nan, 0.2, 0.3, 0.1, 0.3, 0.2, 0.2]
    >>> found = edge_statistics(np.column_stack([first, second]), design, np.array([0, 1]))
    >>> found.effect.round(3).tolist(), found.degrees_of_freedom.tolist()
    ([0.4, 0.0], [6.0, 5.0])
    >>> found.statistic.round(3).tolist()
    [6.928, 0.0]
    """
    contrast = np.atleast_2d(np.asarray(contrast, dtype=float))
    design, scale, whole = whole_model(values, design, contrast, weights, variances)
    q, n_edges = len(contrast), values.shape[1]
    found = _unknown(n_edges)
    for kept, edges in patterns(values):
        found.n_runs[edges] = kept.sum()
        part = whole if kept.all() else projection(design[kept], contrast)
        total = scale[kept] @ scale[kept]
        for start, stop in blocks(len(kept), len(edges), BLOCK):
            block = edges[start:stop]
            y = values[np.ix_(kept, block)] * scale[kept, None]
            if kept.any():
                found.mean[block] = scale[kept] @ y / total
            if part is None or kept.sum() < least_share * len(kept):
                continue
            groups = variances[kept] if isinstance(variances, np.ndarray) else variances
            _fill(found, block, y, part, groups, q)
    t, df, p = found.statistic, found.degrees_of_freedom, found.p
    if q == 1:
        p[:] = 2 * stdtr(df, -np.abs(t))
        found.partial_r[:] = t / np.sqrt(t**2 + df)
        width = stdtrit(df, (1 + level) / 2) * found.standard_error
        found.interval[:] = found.effect - width, found.effect + width
    else:
        p[:] = fdtrc(q, df, t)
        found.partial_r[:] = np.sqrt(q * t / (q * t + df))
    return found


def _unknown(n_edges: int) -> EdgeStatistics:
    def blank() -> np.ndarray:
        return np.full(n_edges, np.nan)

    return EdgeStatistics(
        effect=blank(),
        standard_error=blank(),
        statistic=blank(),
        degrees_of_freedom=blank(),
        p=blank(),
        partial_r=blank(),
        cohens_d=blank(),
        interval=np.full((2, n_edges), np.nan),
        mean=blank(),
        n_runs=np.zeros(n_edges, dtype=int),
    )


def _fill(
    found: EdgeStatistics, block: np.ndarray, y: np.ndarray, part: Projection, variances: Variances, q: int
) -> None:
    """Write effect, statistic and degrees of freedom of a block of edges with the same runs."""
    explained = part.tested.T @ y
    residuals = y - part.tested @ explained - part.nuisance @ (part.nuisance.T @ y)
    squares = residuals**2
    rss = squares.sum(axis=0)
    varies = rss > ROUNDING * (y**2).sum(axis=0)
    left = np.where(varies, part.degrees_of_freedom, np.nan)
    if q > 1:
        found.degrees_of_freedom[block] = left
        found.statistic[block] = (explained**2).sum(axis=0) / q / (np.where(varies, rss, np.nan) / left)
        return
    length = np.linalg.norm(part.estimate)
    by_run = variance_weights(part, variances)
    variance = np.where(varies, by_run @ squares, np.nan)
    if isinstance(variances, np.ndarray):
        parts = [by_run[variances == g] @ squares[variances == g] for g in np.unique(variances)]
        spare = [_spare(part)[variances == g].sum() for g in np.unique(variances)]
        left = variance**2 / sum(s**2 / v for s, v in zip(parts, spare, strict=True) if v > SAME_SPACE)
    found.degrees_of_freedom[block] = left
    found.effect[block] = part.estimate[:, 0] @ y
    found.standard_error[block] = length * np.sqrt(variance)
    found.statistic[block] = found.effect[block] / found.standard_error[block]
    found.cohens_d[block] = found.effect[block] / np.sqrt(np.where(varies, rss, np.nan) / part.degrees_of_freedom)


def _spare(part: Projection) -> np.ndarray:
    """Return 1 - leverage of every run."""
    leverage: np.ndarray = 1 - (part.tested**2).sum(axis=1) - (part.nuisance**2).sum(axis=1)
    return leverage


def variance_weights(part: Projection, variances: Variances) -> np.ndarray:
    """Return w such that w @ residuals² estimates the variance of ``tested.T @ values``, for a contrast of one row.

    Parameters
    ----------
    part : Projection
    variances : "equal", "hc3", or ndarray of int, shape (n,)
        As in ``edge_statistics``.

    Returns
    -------
    ndarray of shape (n,)
        NaN in all runs where the variance cannot be estimated: a run that the contrast needs is fitted exactly by a
        column of its own.
    """
    if isinstance(variances, str) and variances == "equal":
        return np.full(len(part.tested), 1 / part.degrees_of_freedom)
    share, spare = part.tested[:, 0] ** 2, _spare(part)
    if isinstance(variances, np.ndarray):
        members = np.unique(variances, return_inverse=True)[1]
        share, spare = np.bincount(members, share)[members], np.bincount(members, spare)[members]
        power = 1
    else:
        power = 2
    known = spare > SAME_SPACE
    if (share[~known] > SAME_SPACE).any():
        return np.full(len(share), np.nan)
    weights: np.ndarray = np.where(known, share / np.where(known, spare, 1) ** power, 0)
    return weights


def projection(design: np.ndarray, contrast: np.ndarray) -> Projection | None:
    """Split what a design explains into what a contrast tests and the rest.

    The rest is spanned by the design's combinations on which the contrast is zero, and ``tested`` is orthogonal to it,
    so no partition of the columns is needed (Winkler 2014, appendix A, gives the partitions that this replaces).

    Parameters
    ----------
    design : ndarray of shape (n, n_columns)
    contrast : ndarray of shape (q, n_columns)

    Returns
    -------
    Projection or None
        None when the contrast cannot be estimated, its rows are linearly dependent, or no degree of freedom is left.
    """
    size = np.linalg.norm(design, axis=0)
    size[size == 0] = 1
    u, s, vt = np.linalg.svd(design / size, full_matrices=False)
    rank = int((s > SAME_SPACE * s.max(initial=0)).sum())
    left = len(design) - rank
    scaled = contrast / size
    coordinates = scaled @ vt[:rank].T
    length = np.linalg.norm(scaled, axis=1)
    estimable = np.linalg.norm(scaled - coordinates @ vt[:rank], axis=1) <= 1e-7 * length
    if left < 1 or rank == 0 or not estimable.all() or not length.all():
        return None
    inner = coordinates.T / s[:rank, None]
    left_vectors, singular, _ = np.linalg.svd(inner, full_matrices=True)
    q = len(contrast)
    if q > rank or singular.min() <= SAME_SPACE * singular.max():
        return None
    if q == 1:  # the sign of t is that of the effect
        left_vectors[:, 0] = inner[:, 0] / np.linalg.norm(inner[:, 0])
    return Projection(u[:, :rank] @ inner, u[:, :rank] @ left_vectors[:, :q], u[:, :rank] @ left_vectors[:, q:], left)


def patterns(values: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Group the edges by the runs that have them.

    Parameters
    ----------
    values : ndarray of shape (n_runs, n_edges)
        NaN marks a missing edge.

    Yields
    ------
    kept : ndarray of bool, shape (n_runs,)
    edges : ndarray of int
        The edges that exactly these runs have.

    Examples
    --------
    >>> for kept, edges in patterns(np.array([[0.1, np.nan, 0.3], [0.2, 0.4, 0.1]])):
    ...     print(kept.tolist(), edges.tolist())
    [False, True] [1]
    [True, True] [0, 2]
    """
    packed = np.empty(((len(values) + 7) // 8, values.shape[1]), dtype=np.uint8)
    for start in range(0, values.shape[1], BLOCK):
        packed[:, start : start + BLOCK] = np.packbits(~np.isnan(values[:, start : start + BLOCK]), axis=0)
    if (packed == packed[:, :1]).all() and values.shape[1]:  # the usual case, without sorting
        yield np.unpackbits(packed[:, 0], count=len(values)).astype(bool), np.arange(values.shape[1])
        return
    unique, inverse = np.unique(packed, axis=1, return_inverse=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(inverse.ravel(), minlength=unique.shape[1]))
    for place, edges in enumerate(np.split(order, ends[:-1])):
        if len(edges):
            yield np.unpackbits(unique[:, place], count=len(values)).astype(bool), edges


def whole_model(
    values: np.ndarray,
    design: np.ndarray,
    contrast: np.ndarray,
    weights: np.ndarray | None,
    variances: Variances,
) -> tuple[np.ndarray, np.ndarray, Projection]:
    """Return the model of edges that every run has: the design and the scales of ``whitened``, and what is tested.

    Raises
    ------
    InputError
        When the contrast cannot be estimated.
    ValueError
        When shapes or options do not fit.
    """
    design, scale = whitened(values, design, contrast, weights)
    check_variances(variances, contrast, len(design))
    whole = projection(design, contrast)
    if whole is None:
        raise InputError(
            "The contrast cannot be estimated from the design: what it tests is a combination of other columns,"
            " or no degree of freedom is left; remove columns or change the contrast."
        )
    return design, scale, whole


def whitened(
    values: np.ndarray, design: np.ndarray, contrast: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the design with every run scaled to the same variance, and the scales, of shape (n_runs,).

    The scales are the roots of the weights, whose mean is set to one.

    Raises
    ------
    ValueError
        When the shapes do not fit, the design has a missing number or the weights are not positive.
    """
    n_runs = len(values)
    if values.ndim != 2 or design.shape != (n_runs, contrast.shape[1]) or not np.isfinite(design).all():
        raise ValueError(
            f"values of shape {values.shape} and a contrast of {contrast.shape[1]} columns need a finite design of"
            f" shape ({n_runs}, {contrast.shape[1]}), found {design.shape}"
        )
    if weights is None:
        return np.asarray(design, dtype=float), np.ones(n_runs)
    if weights.shape != (n_runs,) or not np.all(weights > 0) or not np.isfinite(weights).all():
        raise ValueError(f"one positive weight per run is expected, {n_runs} in all")
    scale = np.sqrt(weights / weights.mean())
    return design * scale[:, None], scale


def check_variances(variances: Variances, contrast: np.ndarray, n_runs: int) -> None:
    """Check the choice of variances.

    Raises
    ------
    ValueError
        When it is unknown, groups do not number one per run, or the contrast has several rows and variances may differ.
    """
    if isinstance(variances, np.ndarray):
        if variances.shape != (n_runs,):
            raise ValueError(f"variances by group need one label per run, {n_runs} in all, found {variances.shape}")
    elif variances not in ("equal", "hc3"):
        raise ValueError(f"variances are 'equal', 'hc3' or labels of groups, not {variances!r}")
    if len(contrast) > 1 and not (isinstance(variances, str) and variances == "equal"):
        raise ValueError("an F test needs equal variances")
