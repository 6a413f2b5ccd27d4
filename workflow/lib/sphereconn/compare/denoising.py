"""Strategies of denoising side by side: the same criteria for each, on the runs that each has and on those of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.distance import curve, rank_correlation
from sphereconn.compare.edges import Edges
from sphereconn.compare.losses import losses_of
from sphereconn.compare.qcfc import Qcfc, Question, motion_groups, qcfc, questions_of, spread_of
from sphereconn.compare.subject_means import mean_rows, subject_means
from sphereconn.errors import InputError
from sphereconn.files import MISSING, to_number
from sphereconn.infer.design import Design, make_design
from sphereconn.infer.formula import LABELS, quoted
from sphereconn.words import counted

Array = NDArray[np.float64]
Row = Mapping[str, str]

ORGANIZATION = ("modularity", "network_separation")
_DIGITS = 12  # decimal places


@dataclass(frozen=True)
class Criterion:
    """What strategies are compared by.

    Attributes
    ----------
    better
        ``lower``, ``higher`` or ``nearer 0``.
    words
        What a figure calls it.
    meaning
        What it is, in a sentence.
    """

    better: str
    words: str
    meaning: str


CRITERIA: Mapping[str, Criterion] = {
    "qcfc_median_absolute": Criterion(
        "lower",
        "QC-FC: median |r|",
        "Median over edges of the magnitude of their partial correlation with motion, after regressing out covariates",
    ),
    "qcfc_significant": Criterion(
        "lower", "QC-FC: edges p < .05", "Share of the edges whose partial correlation with motion has p < .05"
    ),
    "qcfc_significant_fdr": Criterion(
        "lower", "QC-FC: edges FDR < .05", "The same share after control of the false discovery rate at .05"
    ),
    "qcfc_by_distance": Criterion(
        "nearer 0",
        "QC-FC by distance: Spearman",
        "Spearman's correlation over the edges between their partial correlation with motion and the distance of their"
        " nodes; below 0 motion adds to short edges more than to long ones",
    ),
    "high_low_significant": Criterion(
        "lower",
        "most vs least motion: edges p < .05",
        "Share of the edges that differ (p < .05) between the thirds with the most and the least motion, after"
        " regressing out covariates",
    ),
    "high_low_difference": Criterion(
        "lower",
        "most vs least motion: median |difference|",
        "Median over the edges of the magnitude of the difference between the means of these two thirds, covariates"
        " taken out; Fisher's z for correlations. A denoising that makes all edges smaller makes it smaller, too",
    ),
    "modularity": Criterion(
        "higher", "modularity", "Mean over the runs of the modularity Q* that Louvain searches find"
    ),
    "modularity_by_motion": Criterion(
        "nearer 0", "modularity by motion: r", "Partial correlation of the modularity of a run with its motion"
    ),
    "network_separation": Criterion(
        "higher",
        "networks: within - between (SD)",
        "Mean over the runs of the difference between the mean edge within networks and that between them, in pooled"
        " standard deviations of the edges",
    ),
    "runs_kept": Criterion("higher", "runs kept", "Share of the runs that have a connectome after the strategy"),
    "frames_kept": Criterion("higher", "frames kept", "Mean over the runs of the share of frames not censored"),
    "degrees_of_freedom": Criterion(
        "higher",
        "degrees of freedom per frame",
        "Mean over the runs of the degrees of freedom left after censoring, filtering and regression, per frame",
    ),
    "effective_degrees_of_freedom": Criterion(
        "higher",
        "effective degrees of freedom",
        "Mean over the runs of the number of independent frames that would give correlations of the same precision",
    ),
}


@dataclass(frozen=True)
class Strategy:
    """The connectomes after one denoising.

    Attributes
    ----------
    label
        Of the denoising.
    names
        Of the runs, in the order of the stack.
    rows
        What is known of each run: the runs table, and what results know of its quality.
    measured
        Quality and organization of each connectome, as results have them, whatever the runs table calls its columns.
    edges
        See `qcfc.qcfc`; its positions are those of ``names``.
    n_edges
        Number of edges.
    n_asked
        Number of runs that were to be denoised, those that were left out included.
    """

    label: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    measured: tuple[Row, ...]
    edges: Edges
    n_edges: int
    n_asked: int


@dataclass(frozen=True)
class Criteria:
    """The criteria of one strategy on some runs.

    Attributes
    ----------
    values
        By criterion; NaN where it cannot be told.
    found
        QC-FC of every edge.
    groups
        Of every edge what tells the third of the subjects with most motion from that with least; the slope is the
        difference of their means.
    group_size
        Number of subjects in each of these.
    n_runs, n_subjects
        Numbers behind QC-FC.
    by_chance
        Median magnitude of QC-FC if no edge depended on motion.
    curve, curve_of_groups
        Distances, and the smooth curves over them of QC-FC and of the difference between these groups.
    """

    values: Mapping[str, float]
    found: Qcfc
    groups: Qcfc
    group_size: int
    n_runs: int
    n_subjects: int
    by_chance: float
    curve: tuple[Array, Array]
    curve_of_groups: tuple[Array, Array]


@dataclass(frozen=True)
class Compared:
    """Strategies compared.

    Attributes
    ----------
    own, common
        Criteria of each strategy on all its runs, and on the runs that all strategies have.
    ranks
        By criterion, the rank of each strategy on the common runs, 1 for the best; NaN where there is no value. Equal
        values share the better rank.
    alone
        Strategies that have too few runs to be compared, by label, and why: the common runs are those of the others,
        and these strategies have no value on them.
    notice
        Why nothing could be correlated with motion on the common runs; None where it could.
    common_runs
        Names of these runs.
    motion
        Of them, in their order.
    left_out
        Runs that miss motion or a covariate, and what they miss.
    """

    own: tuple[Criteria, ...]
    common: tuple[Criteria, ...]
    ranks: Mapping[str, tuple[float, ...]]
    alone: Mapping[str, str]
    notice: str | None
    common_runs: tuple[str, ...]
    motion: Array
    left_out: Mapping[str, str]


def compare_strategies(
    strategies: Sequence[Strategy], lengths: Array, motion: str, covariates: Sequence[str]
) -> Compared:
    """Return the criteria of every strategy, and their ranks.

    Runs of a subject are averaged before anything is correlated with motion: they are no independent observations.
    What is known of a run, such as its motion, is taken from the first strategy that knows it.

    Parameters
    ----------
    strategies
        With the same nodes.
    lengths
        Distance between the nodes of each edge in mm, shape (n_edges,).
    motion, covariates
        Columns of the rows. Motion has numbers; a covariate with other cells has levels.

    Returns
    -------
    Compared
        What cannot be computed, of too few runs or without their motion, is NaN, and ``alone`` and ``notice`` say why.
    """
    known = _known_of_runs(strategies)
    names = list(known)
    try:
        design = motion_design(list(known.values()), motion, covariates)
    except InputError as problem:
        return _without_motion(strategies, str(problem).rstrip("."))
    place = {names[run]: row for row, run in enumerate(design.runs)}
    left_out = {names[run]: reason for run, reason in design.left_out.items()}
    nuisance = np.delete(design.matrix, design.columns.index(motion), axis=1)
    amount = np.array([to_number(known[name][motion]) for name in place])
    least = int(np.linalg.matrix_rank(nuisance)) + 2

    def of(strategy: Strategy, chosen: Sequence[str]) -> Criteria:
        rows = [place[name] for name in chosen]
        return criteria_of(strategy, chosen, amount[rows], nuisance[rows], lengths)

    own_runs = [[name for name in strategy.names if name in place] for strategy in strategies]
    counts = [len({known[name]["subject"] for name in runs}) for runs in own_runs]
    alone = {
        strategy.label: f"{counted(count, 'subject')} with motion and covariates, and {least} are needed"
        for strategy, count in zip(strategies, counts, strict=True)
        if count < least
    }
    sharing = [strategy for strategy in strategies if strategy.label not in alone]
    common = [name for name in place if sharing and all(name in strategy.names for strategy in sharing)]
    shared = tuple(
        of(strategy, common) if strategy.label not in alone else blank_criteria(strategy) for strategy in strategies
    )
    own = tuple(
        same if set(runs) == set(common) and strategy.label not in alone else of(strategy, runs)
        for strategy, runs, same in zip(strategies, own_runs, shared, strict=True)
    )
    n_subjects = len({known[name]["subject"] for name in common})
    few = (
        f"{counted(n_subjects, 'subject')} {'has' if n_subjects == 1 else 'have'} runs after every denoising, with"
        f" {' and '.join([motion, *covariates])} known, and at least {least} are needed"
    )
    motion_of_common = amount[[place[name] for name in common]]
    ranks = ranks_of(own, shared)
    return Compared(
        own, shared, ranks, alone, few if n_subjects < least else None, tuple(common), motion_of_common, left_out
    )


def _without_motion(strategies: Sequence[Strategy], reason: str) -> Compared:
    """Compare what has nothing to do with motion."""
    common = [name for name in strategies[0].names if all(name in strategy.names for strategy in strategies)]

    def of(strategy: Strategy, chosen: Sequence[str]) -> Criteria:
        return replace(blank_criteria(strategy), values=values_without_motion(strategy, chosen), n_runs=len(chosen))

    own = tuple(of(strategy, strategy.names) for strategy in strategies)
    shared = tuple(of(strategy, common) for strategy in strategies)
    return Compared(own, shared, ranks_of(own, shared), {}, reason, tuple(common), np.empty(0), {})


def ranks_of(own: Sequence[Criteria], shared: Sequence[Criteria]) -> dict[str, tuple[float, ...]]:
    """Return the ranks of strategies by criterion, of their values on the common runs; of runs kept, on all runs."""
    return {
        key: ranked([one.values[key] for one in (own if key == "runs_kept" else shared)], criterion.better)
        for key, criterion in CRITERIA.items()
    }


def blank_criteria(strategy: Strategy) -> Criteria:
    """Return the criteria of a strategy without any run that they could be told of."""
    nothing = Qcfc(*(np.full(strategy.n_edges, np.nan) for _ in range(4)))
    no_curve = np.empty(0), np.empty(0)
    values = dict.fromkeys(CRITERIA, float("nan"))
    return Criteria(values, nothing, nothing, 0, 0, 0, float("nan"), no_curve, no_curve)


def motion_design(rows: Sequence[Row], motion: str, covariates: Sequence[str]) -> Design:
    """Return the linear model of motion and covariates over runs, with a column that has the name of motion.

    Raises
    ------
    InputError
        When a column is missing, does not vary, or cannot be told from others; when motion has other than numbers.
    """
    for_levels = "give its levels names that are no numbers"
    model = " + ".join(map(quoted, [motion, *covariates]))
    design = make_design(rows, model, quoted(motion), factors=LABELS, for_levels=for_levels)
    if motion not in design.columns:
        raise InputError(f"motion: the column {motion} must have numbers.")
    return design


def check_columns(rows: Sequence[Row], motion: str, covariates: Sequence[str], known_later: Sequence[str]) -> None:
    """Raise ``InputError`` for columns that are wrong whatever those are that only jobs will know.

    Parameters
    ----------
    rows
        The runs, with the columns that are known before any job.
    motion, covariates
        The columns that are needed.
    known_later
        Columns that come with the results; their values are drawn at random here.
    """
    rng = np.random.default_rng(0)
    later = [name for name in known_later if name in (motion, *covariates) and not any(name in row for row in rows)]
    motion_design([{**row, **{name: repr(rng.random()) for name in later}} for row in rows], motion, covariates)


def _known_of_runs(strategies: Sequence[Strategy]) -> dict[str, dict[str, str]]:
    """Put together what any strategy knows of each run."""
    known: dict[str, dict[str, str]] = {}
    for strategy in strategies:
        for name, row in zip(strategy.names, strategy.rows, strict=True):
            of_run = known.setdefault(name, {})
            of_run.update({key: cell for key, cell in row.items() if of_run.get(key, MISSING) == MISSING})
    return dict(sorted(known.items()))


def criteria_of(strategy: Strategy, chosen: Sequence[str], motion: Array, nuisance: Array, lengths: Array) -> Criteria:
    """Return the criteria of a strategy on some of its runs.

    Parameters
    ----------
    strategy
        Whose connectomes are looked at.
    chosen
        Names of the runs.
    motion, nuisance
        Of these runs, shapes (n_runs,) and (n_runs, n_columns).
    lengths
        Of the edges, shape (n_edges,).
    """
    if not len(chosen):
        return replace(blank_criteria(strategy), values=values_without_motion(strategy, chosen))
    at = {name: position for position, name in enumerate(strategy.names)}
    runs = np.array([at[name] for name in chosen], dtype=np.int64)
    subjects = [strategy.rows[run]["subject"] for run in runs]
    amount, columns = mean_rows(motion, subjects), mean_rows(nuisance, subjects)
    edges = subject_means(strategy.edges, runs, subjects)
    everyone = np.arange(len(amount))
    extremes, high = motion_groups(amount)
    questions = Question(everyone, amount, columns), Question(extremes, high, columns[extremes])
    found, of_extremes = questions_of(edges, strategy.n_edges, everyone, questions)
    spread, high_low = spread_of(found), spread_of(of_extremes)
    of_qcfc = curve(lengths, found.r)
    values = values_without_motion(strategy, chosen)
    modularity = np.array([_number(strategy.measured[run], "modularity") for run in runs]).round(_DIGITS)
    of_subjects = mean_rows(modularity, subjects)[:, None]
    by_motion = qcfc(lambda some, low, high: of_subjects[some, low:high], 1, everyone, amount, columns)
    return Criteria(
        {
            **values,
            "qcfc_median_absolute": spread.median_absolute,
            "qcfc_significant": spread.significant,
            "qcfc_significant_fdr": spread.significant_fdr,
            "qcfc_by_distance": rank_correlation(lengths, found.r),
            "high_low_significant": high_low.significant,
            "high_low_difference": _median(np.abs(of_extremes.slope)),
            "modularity_by_motion": float(by_motion.r[0]),
        },
        found,
        of_extremes,
        len(extremes) // 2,
        len(runs),
        len(amount),
        spread.median_absolute_by_chance,
        of_qcfc,
        curve(lengths, of_extremes.slope, at=of_qcfc[0]),
    )


def values_without_motion(strategy: Strategy, chosen: Sequence[str]) -> dict[str, float]:
    """Return the criteria of a strategy on some of its runs, named, that need no motion; the others are NaN."""
    at = {name: position for position, name in enumerate(strategy.names)}
    measured = [strategy.measured[at[name]] for name in chosen]
    # What is left of rounding is 0: without it, ranks and dependence on motion would be those of noise.
    means = {key: _mean(np.array([_number(row, key) for row in measured]).round(_DIGITS)) for key in ORGANIZATION}
    losses = {key: value for key, value in asdict(losses_of(measured)).items() if key in CRITERIA}
    kept = len(strategy.names) / strategy.n_asked if strategy.n_asked else float("nan")
    return {**dict.fromkeys(CRITERIA, float("nan")), **means, **losses, "runs_kept": kept}


def _number(row: Row, column: str) -> float:
    cell = row.get(column, MISSING)
    return float("nan") if cell == MISSING else to_number(cell)


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _median(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")


def ranked(values: Sequence[float], better: str) -> tuple[float, ...]:
    """Return the rank of each value, 1 for the best; equal ones share the better rank, NaN has none.

    Examples
    --------
    >>> ranked([0.3, -0.1, float("nan"), 0.3], "nearer 0")
    (2.0, 1.0, nan, 2.0)
    """
    signs = {"lower": lambda value: value, "higher": lambda value: -value, "nearer 0": abs}
    # Rounding of sums may not decide between strategies.
    cost = np.array([float(f"{signs[better](value):.10g}") for value in values])
    return tuple(float("nan") if np.isnan(one) else 1.0 + float((cost < one).sum()) for one in cost)
