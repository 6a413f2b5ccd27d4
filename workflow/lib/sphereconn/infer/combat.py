"""Site differences between the connectomes of runs: how large they are, and ComBat and CovBat to remove them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from sphereconn.errors import InputError

# Empirical Bayes stops when no estimate changes by more than this share of itself, as in the published implementations.
TOLERANCE = 1e-4
MOST_ITERATIONS = 10_000


@dataclass(frozen=True)
class Combat:
    """Site differences of every edge, as ``fit`` estimates them.

    The model of a value of edge e in run i of site s is grand_mean_e + kept_i coefficients_e + deviation_e (shift_se +
    √scale_se noise). An edge has NaN at a site that has too few runs with it, and at all sites when its model cannot be
    estimated. An edge that nothing but the sites and kept columns moves has shift 0 and scale 1: it stays as it is.

    Attributes
    ----------
    sites : tuple of str
        In alphabetical order.
    grand_mean, deviation : ndarray of shape (n_edges,)
        Mean over the runs (that of the reference site, if there is one), and standard deviation within sites.
    coefficients : ndarray of shape (n_kept, n_edges)
    shift, scale : ndarray of shape (n_sites, n_edges)
        Of mean and variance, in units of ``deviation`` and its square; after empirical Bayes if it was asked for.
    covariance : CovarianceShift or None
        What CovBat removes in addition.
    """

    sites: tuple[str, ...]
    grand_mean: np.ndarray
    deviation: np.ndarray
    coefficients: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    covariance: CovarianceShift | None = None


@dataclass(frozen=True)
class CovarianceShift:
    """Site differences of the principal components of what ComBat leaves.

    Attributes
    ----------
    edges : ndarray of int, shape (n_complete,)
        Edges that all fitted runs have.
    centre, spread : ndarray of shape (n_complete,)
        Mean and standard deviation of their residuals.
    loadings : ndarray of shape (n_complete, n_components)
    scores : Combat
        Of the components, without empirical Bayes and without covariates.
    """

    edges: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    loadings: np.ndarray
    scores: Combat


@dataclass(frozen=True)
class Harmonized:
    """Values without the site differences.

    Attributes
    ----------
    values : ndarray of shape (n_runs, n_edges)
    model : Combat
    lost : ndarray of int, shape (n_edges,)
        Runs whose value became n/a, since the edge's site differences cannot be estimated there.
    """

    values: np.ndarray
    model: Combat
    lost: np.ndarray


def harmonize(
    values: np.ndarray,
    sites: Sequence[str],
    kept: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    *,
    fitted: np.ndarray | None = None,
    empirical_bayes: bool = True,
    mean_only: bool = False,
    reference: str | None = None,
    covariance_share: float | None = None,
) -> Harmonized:
    """Return the values of all runs without the differences between sites that some or all of them show.

    Parameters
    ----------
    values, sites, kept, names, empirical_bayes, mean_only, reference, covariance_share
        As for ``fit``, of all runs.
    fitted : ndarray of bool, shape (n_runs,), optional
        Runs that the site differences are estimated from, such as the controls; all by default.

    Raises
    ------
    InputError
        As ``fit`` and ``apply``.

    Examples
    --------
    >>> values = np.array([[0.1, 0.5], [0.2, 0.3], [0.3, 0.4], [0.5, 0.9], [0.7, 0.6], [0.6, 0.9]])
    >>> harmonized = harmonize(values, ["one"] * 3 + ["two"] * 3, empirical_bayes=False)
    >>> bool(np.allclose(harmonized.values[:3].mean(axis=0), harmonized.values[3:].mean(axis=0)))
    True
    """
    values = _two_dimensional(values)
    labels = np.asarray(sites, dtype=str)
    columns = _columns(kept, len(values))
    chosen = np.ones(len(values), dtype=bool) if fitted is None else np.asarray(fitted, dtype=bool)
    model = fit(
        values[chosen],
        labels[chosen].tolist(),
        columns[chosen],
        names,
        empirical_bayes=empirical_bayes,
        mean_only=mean_only,
        reference=reference,
        covariance_share=covariance_share,
    )
    result = apply(model, values, labels.tolist(), columns)
    return Harmonized(result, model, np.sum(np.isnan(result) & ~np.isnan(values), axis=0))


def fit(
    values: np.ndarray,
    sites: Sequence[str],
    kept: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    *,
    empirical_bayes: bool = True,
    mean_only: bool = False,
    reference: str | None = None,
    covariance_share: float | None = None,
) -> Combat:
    """Return the site differences of every edge in mean and variance, and of the edges' covariance if asked for.

    Every edge is fitted to the runs that have it. A site with fewer than two such runs (one, for means only) leaves
    that edge n/a in its runs; an edge with no more runs than parameters is n/a in all.

    Parameters
    ----------
    values : ndarray of shape (n_runs, n_edges)
        NaN where a run has no such edge.
    sites : sequence of str
        Of the runs.
    kept : ndarray of shape (n_runs, n_kept), optional
        Columns whose effects are to stay, without an intercept: those that are tested later belong here.
    names : sequence of str, optional
        Of the kept columns, for error messages; counted from 1 by default.
    empirical_bayes : bool
        Whether the estimates of an edge lean on those of the others (Johnson 2007): an edge's shift towards the mean of
        all, its scale towards theirs, the more, the fewer runs a site has.
    mean_only : bool
        Whether the variances of sites are left as they are.
    reference : str, optional
        Site whose values stay and whom the others come to resemble; by default the mean over all runs.
    covariance_share : float, optional
        CovBat (Chen 2022): the share of variance whose leading principal components are harmonized as well; .95 in the
        paper. Edges that some fitted run misses take no part in it.

    Raises
    ------
    InputError
        When there are fewer than two sites, a site has a single run (unless only means are harmonized), a kept column
        is n/a in a run or cannot be told from the sites and the other columns, the runs are too few, the reference is
        no site, or empirical Bayes is given a single edge.
    ValueError
        When the shapes do not match or the share is not within 0 and 1.

    References
    ----------
    Johnson WE, Li C, Rabinovic A (2007). Adjusting batch effects in microarray expression data using empirical Bayes
    methods. Biostatistics 8:118-127.
    Fortin JP, et al. (2018). Harmonization of cortical thickness measurements across scanners and sites. NeuroImage
    167:104-120.
    Chen AA, et al. (2022). Mitigating site effects in covariance for machine learning in neuroimaging data. Human Brain
    Mapping 43:1179-1195.
    """
    values = _two_dimensional(values)
    columns = _columns(kept, len(values))
    labels, indicators = _indicators(sites, len(values))
    _check_sites(labels, indicators, mean_only, reference)
    check_kept(sites, columns, names)
    place = None if reference is None else labels.index(reference)
    least = 1 if mean_only else 2

    n_edges = values.shape[1]
    grand_mean, deviation = np.full(n_edges, np.nan), np.full(n_edges, np.nan)
    coefficients = np.full((columns.shape[1], n_edges), np.nan)
    means, variances = np.full((len(labels), n_edges), np.nan), np.full((len(labels), n_edges), np.nan)
    counts = np.zeros((len(labels), n_edges))
    still = np.zeros(n_edges, dtype=bool)
    for known, edges in _patterns(~np.isnan(values)):
        enough = indicators[known].sum(axis=0) >= least
        runs = known & indicators[:, enough].any(axis=1)
        members = indicators[np.ix_(runs, enough)]
        design = np.hstack([members, columns[runs]])
        if not _estimable(design) or (place is not None and not enough[place]):
            continue
        x, n = values[np.ix_(runs, edges)], members.sum(axis=0)
        solution = np.linalg.lstsq(design, x, rcond=None)[0]
        within = runs[runs] if place is None else indicators[runs, place].astype(bool)
        residuals = x - design @ solution
        spread = np.sqrt(np.mean(residuals[within] ** 2, axis=0))
        by_rounding = len(x) * np.finfo(np.float64).eps * np.abs(x).max(axis=0)
        unmoved = spread <= by_rounding
        target = n / n.sum() if place is None else (np.flatnonzero(enough) == place).astype(float)
        grand_mean[edges] = target @ solution[: len(n)]
        deviation[edges] = np.where(unmoved, 1.0, spread)
        coefficients[:, edges] = solution[len(n) :]
        still[edges] = unmoved
        scaled = (x - grand_mean[edges] - columns[runs] @ coefficients[:, edges]) / deviation[edges]
        where = np.ix_(enough, edges)
        counts[where] = n[:, None]
        means[where] = (members.T @ scaled) / n[:, None]
        squares = members.T @ (scaled - members @ means[where]) ** 2
        variances[where] = squares / np.maximum(n - 1, 1)[:, None]
    shift, scale = _site_estimates(means, variances, counts, still, empirical_bayes, mean_only)
    if place is not None:
        shift[place, ~np.isnan(shift[place])], scale[place, ~np.isnan(scale[place])] = 0.0, 1.0
    model = Combat(labels, grand_mean, deviation, coefficients, shift, scale)
    if covariance_share is None:
        return model
    covariance = _covariance_shift(model, values, sites, columns, covariance_share, reference)
    return Combat(labels, grand_mean, deviation, coefficients, shift, scale, covariance)


def apply(model: Combat, values: np.ndarray, sites: Sequence[str], kept: np.ndarray | None = None) -> np.ndarray:
    """Return values of the same edges, of any runs of the same sites, without the site differences.

    Parameters
    ----------
    model : Combat
    values : ndarray of shape (n_runs, n_edges)
        For CovBat, an edge that a run misses counts as its mean in that run's components.
    sites : sequence of str
    kept : ndarray of shape (n_runs, n_kept), optional
        The columns that the model was fitted with.

    Returns
    -------
    ndarray of shape (n_runs, n_edges)
        NaN where the value is, or where the model has no estimate.

    Raises
    ------
    InputError
        When a run is of a site that the model does not know.
    ValueError
        When the shapes do not match.
    """
    values = _two_dimensional(values)
    columns = _columns(kept, len(values))
    if values.shape[1] != len(model.grand_mean) or columns.shape[1] != len(model.coefficients):
        raise ValueError(
            f"the model has {len(model.grand_mean)} edges and {len(model.coefficients)} kept columns, found"
            f" {values.shape[1]} and {columns.shape[1]}"
        )
    _check_unseen(sites, model.sites)
    place = np.searchsorted(model.sites, np.asarray(sites, dtype=str))
    expected = model.grand_mean + columns @ model.coefficients
    residuals = (values - expected) / model.deviation - model.shift[place]
    residuals = residuals / np.sqrt(model.scale[place]) * model.deviation
    if model.covariance is not None:
        part = model.covariance
        z = (residuals[:, part.edges] - part.centre) / part.spread
        scores = np.where(np.isnan(z), 0.0, z) @ part.loadings
        moved = apply(part.scores, scores, sites) - scores
        residuals[:, part.edges] += moved @ part.loadings.T * part.spread
    result: np.ndarray = residuals + expected
    return result


def check_kept(sites: Sequence[str], columns: np.ndarray, names: Sequence[str] | None = None) -> None:
    """Refuse columns that the sites, or the sites and the columns before it, determine.

    Parameters
    ----------
    sites : sequence of str
    columns : ndarray of shape (n_runs, n_columns)
        Those to be kept or tested, without an intercept.
    names : sequence of str, optional

    Raises
    ------
    InputError
        When a column is n/a in a run or determined by the others, or there are no more runs than sites and columns.
    """
    columns = _columns(columns, len(sites))
    labels, indicators = _indicators(sites, len(sites))
    called = [str(number) for number in range(1, columns.shape[1] + 1)] if names is None else list(names)
    for place, name in enumerate(called):
        missing = int(np.isnan(columns[:, place]).sum())
        if missing:
            raise InputError(
                f"The column '{name}' has no value in {missing} of {len(sites)} runs, so it cannot be kept while sites"
                " are harmonized: leave out those runs or the column."
            )
        if _explained(indicators, columns[:, place]):
            raise InputError(
                f"The column '{name}' has a single value in each of the sites {', '.join(labels)}: its effect cannot be"
                " distinguished from the site differences and would be removed with them; keep and test other columns,"
                " or do not harmonize."
            )
        if _explained(np.hstack([indicators, columns[:, :place]]), columns[:, place]):
            raise InputError(
                f"The column '{name}' is determined by the sites and the columns {', '.join(called[:place])}: leave out"
                " one of them."
            )
    if len(sites) <= len(labels) + len(called):
        raise InputError(
            f"Harmonizing {len(labels)} sites while keeping {len(called)} columns needs more than"
            f" {len(labels) + len(called)} runs, and there are {len(sites)}."
        )


def check_sites(sites: Sequence[str], fitted: np.ndarray | None = None, *, mean_only: bool = False) -> None:
    """Refuse runs whose differences between sites cannot be estimated.

    Parameters
    ----------
    sites : sequence of str
        Of all runs.
    fitted : ndarray of bool, shape (n_runs,), optional
        Runs that the differences are estimated from; all by default.
    mean_only : bool
        As for ``fit``.

    Raises
    ------
    InputError
        When fewer than two sites are left in the fitted runs, a site has a single one (unless only means are
        harmonized), or a run is of a site without any.
    """
    labels = np.asarray(sites, dtype=str)
    chosen = labels if fitted is None else labels[fitted]
    known, indicators = _indicators(chosen.tolist(), len(chosen))
    _check_sites(known, indicators, mean_only, None)
    _check_unseen(sites, known)


def share_explained_by_sites(sites: Sequence[str], columns: np.ndarray) -> np.ndarray:
    """Return the share of each column's variance between sites, R² of shape (n_columns,).

    At 1 a column cannot be told from the sites; the closer to it, the more of its effect depends on how well the site
    differences are estimated (Nygaard 2016). A constant column has NaN.
    """
    columns = _columns(columns, len(sites))
    _, indicators = _indicators(sites, len(sites))
    total = np.sum((columns - columns.mean(axis=0)) ** 2, axis=0)
    left = np.sum(_residuals(indicators, columns) ** 2, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share: np.ndarray = np.where(total > 0, 1 - left / total, np.nan)
    return share


@dataclass(frozen=True)
class SiteDifferences:
    """The F test of sites for every edge.

    Attributes
    ----------
    f, p : ndarray of shape (n_edges,)
        NaN where an edge has fewer than two sites or no degrees of freedom left, or does not vary.
    between, within : ndarray of shape (n_edges,)
        Degrees of freedom.
    """

    f: np.ndarray
    p: np.ndarray
    between: np.ndarray
    within: np.ndarray


def site_differences(values: np.ndarray, sites: Sequence[str], kept: np.ndarray | None = None) -> SiteDifferences:
    """Return how much the means of sites differ, edge by edge, beside the kept columns.

    F = ((RSS₀ - RSS₁) / (S - 1)) / (RSS₁ / (n - S - k)), with the residual sums of squares of n runs without and with S
    sites, and k kept columns. Of harmonized values F is too small for its distribution, since harmonization has used up
    what the sites explain: there it says what is left, and its p is no test.

    Parameters
    ----------
    values : ndarray of shape (n_runs, n_edges)
    sites : sequence of str
    kept : ndarray of shape (n_runs, n_kept), optional
    """
    values = _two_dimensional(values)
    columns = _columns(kept, len(values))
    _, indicators = _indicators(sites, len(values))
    f, between, within = (np.full(values.shape[1], np.nan) for _ in range(3))
    for known, edges in _patterns(~np.isnan(values)):
        members = indicators[known][:, indicators[known].any(axis=0)]
        x = values[np.ix_(known, edges)]
        full = np.hstack([members, columns[known]])
        if members.shape[1] < 2 or not _estimable(full):
            continue
        among, left = members.shape[1] - 1, len(x) - full.shape[1]
        rest = np.sum(_residuals(full, x) ** 2, axis=0)
        total = np.sum(_residuals(np.hstack([np.ones((len(x), 1)), columns[known]]), x) ** 2, axis=0)
        varies = rest > (len(x) * np.finfo(np.float64).eps * np.abs(x).max(axis=0)) ** 2
        with np.errstate(invalid="ignore", divide="ignore"):
            f[edges] = np.where(varies, np.maximum(total - rest, 0) / among / (rest / left), np.nan)
        between[edges], within[edges] = among, left
    return SiteDifferences(f, fdtrc(between, within, f), between, within)


def _site_estimates(
    means: np.ndarray,
    variances: np.ndarray,
    counts: np.ndarray,
    still: np.ndarray,
    empirical_bayes: bool,
    mean_only: bool,
) -> tuple[np.ndarray, np.ndarray]:
    shift = np.where(still, np.where(np.isnan(means), np.nan, 0.0), means)
    scale = np.where(np.isnan(means), np.nan, 1.0)
    if not mean_only:
        # A site where an edge does not vary has no variance to be brought to that of the others.
        scale = np.where(still | (variances <= np.finfo(np.float64).eps ** 2), scale, variances)
    if not empirical_bayes:
        return shift, scale
    for site in range(len(means)):
        moved = np.flatnonzero(~still & ~np.isnan(means[site]))
        if moved.size == 1:
            raise InputError(
                "Empirical Bayes estimates the site differences of an edge from those of the others, and there is a"
                " single edge: harmonize without it."
            )
        g, d = shift[site, moved], scale[site, moved]
        prior_mean, prior_variance = g.mean() if g.size else np.nan, g.var(ddof=1) if g.size else np.nan
        if mean_only:
            # The published form takes the site's mean for a single observation of variance 1.
            shift[site, moved] = (prior_variance * g + prior_mean) / (prior_variance + 1)
        else:
            shift[site, moved], scale[site, moved] = _posterior(
                g, d, variances[site, moved], counts[site, moved], float(prior_mean), float(prior_variance)
            )
    return shift, scale


def _posterior(
    g: np.ndarray, d: np.ndarray, variances: np.ndarray, n: np.ndarray, mean: float, variance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the joint posterior modes of an edge's shift (normal prior) and scale (inverse gamma prior)."""
    if not g.size:
        return g, d
    centre, spread = d.mean(), d.var(ddof=1)
    if spread == 0:
        return (variance * n * g + d * mean) / (variance * n + d), d
    a, b = (2 * spread + centre**2) / spread, (centre * spread + centre**3) / spread
    shift, scale = g, d
    for _ in range(MOST_ITERATIONS):
        new_shift = (variance * n * g + scale * mean) / (variance * n + scale)
        squares = (n - 1) * variances + n * (g - new_shift) ** 2
        new_scale = (squares / 2 + b) / (n / 2 + a - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Relative to the signed shift, as published: to stop elsewhere would give other numbers than everyone's.
            change = max(
                np.nanmax(np.abs(new_shift - shift) / shift, initial=0.0),
                np.max(np.abs(new_scale - scale) / scale),
            )
        shift, scale = new_shift, new_scale
        if change <= TOLERANCE:
            return shift, scale
    raise ArithmeticError(f"the site differences did not settle within {MOST_ITERATIONS} iterations")


def _covariance_shift(
    model: Combat,
    values: np.ndarray,
    sites: Sequence[str],
    columns: np.ndarray,
    share: float,
    reference: str | None,
) -> CovarianceShift:
    if not 0 < share <= 1:
        raise ValueError(f"a share of variance within 0 and 1 is expected, found {share}")
    residuals = apply(model, values, sites, columns) - (model.grand_mean + columns @ model.coefficients)
    spread = residuals.std(axis=0, ddof=1)
    edges = np.flatnonzero(spread > np.finfo(np.float64).eps * model.deviation)
    if edges.size < 2:
        raise InputError(
            "CovBat needs at least two edges that all runs have and that vary; harmonize means and variances only."
        )
    centre, spread = residuals[:, edges].mean(axis=0), spread[edges]
    z = (residuals[:, edges] - centre) / spread
    # Runs are fewer than edges: the components of the small side.
    eigenvalues, vectors = np.linalg.eigh(z @ z.T)
    eigenvalues, vectors = eigenvalues[::-1], vectors[:, ::-1]
    real = int(np.sum(eigenvalues > len(z) * np.finfo(np.float64).eps * eigenvalues[0]))
    explained = np.cumsum(eigenvalues[:real]) / np.sum(eigenvalues[:real])
    n_components = min(int(np.sum(explained <= share)) + 1, real)
    root = np.sqrt(eigenvalues[:n_components])
    loadings = z.T @ (vectors[:, :n_components] / root)
    scores = fit(vectors[:, :n_components] * root, sites, empirical_bayes=False, reference=reference)
    return CovarianceShift(edges, centre, spread, loadings, scores)


def _check_sites(labels: tuple[str, ...], indicators: np.ndarray, mean_only: bool, reference: str | None) -> None:
    if len(labels) < 2:
        raise InputError(
            f"Harmonization needs runs of at least two sites, and all runs are of '{labels[0]}': do not harmonize."
            if labels
            else "Harmonization needs runs of at least two sites, and there is no run to estimate from."
        )
    single = [label for label, count in zip(labels, indicators.sum(axis=0), strict=True) if count < 2]
    if single and not mean_only:
        raise InputError(
            f"The site '{single[0]}' has a single run among those that effects are learnt from, so that its variance is"
            " unknown: leave out the run, or join the site with another."
        )
    if reference is not None and reference not in labels:
        raise InputError(f"The reference site '{reference}' has no run; the sites are {', '.join(labels)}.")


def _check_unseen(sites: Sequence[str], known: tuple[str, ...]) -> None:
    unseen = sorted(set(sites) - set(known))
    if unseen:
        raise InputError(
            f"The site '{unseen[0]}' has no run among those that the site differences are estimated from (sites"
            f" {', '.join(known)}): leave out its runs, or estimate from runs of all sites."
        )


def _patterns(known: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Group the edges that the same runs have: yields the runs (mask) and the edges (positions)."""
    packed = np.ascontiguousarray(np.packbits(known, axis=0).T)
    _, first, group = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True)
    order = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=len(first)))
    for start, edges in zip(first, np.split(order, ends[:-1]), strict=True):
        yield known[:, start], edges


def _estimable(design: np.ndarray) -> bool:
    rows, columns = design.shape
    return columns > 0 and rows > columns and bool(np.linalg.matrix_rank(design) == columns)


def _explained(design: np.ndarray, column: np.ndarray) -> bool:
    centred = column - column.mean()
    left = np.linalg.norm(_residuals(design, column))
    return bool(left <= 1e-9 * max(np.linalg.norm(centred), np.finfo(np.float64).tiny) or not centred.any())


def _residuals(design: np.ndarray, values: np.ndarray) -> np.ndarray:
    residuals: np.ndarray = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return residuals


def _indicators(sites: Sequence[str], n_runs: int) -> tuple[tuple[str, ...], np.ndarray]:
    if len(sites) != n_runs:
        raise ValueError(f"a site for each of {n_runs} runs is expected, found {len(sites)}")
    labels, place = np.unique(np.asarray(sites, dtype=str), return_inverse=True)
    return tuple(labels.tolist()), np.eye(len(labels))[place]


def _columns(kept: np.ndarray | None, n_runs: int) -> np.ndarray:
    columns = np.empty((n_runs, 0)) if kept is None else np.asarray(kept, dtype=np.float64)
    if columns.ndim != 2 or len(columns) != n_runs:
        raise ValueError(f"kept columns of shape ({n_runs}, n_kept) are expected, found shape {columns.shape}")
    return columns


def _two_dimensional(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"values of shape (n_runs, n_edges) are expected, found shape {values.shape}")
    return values
