"""Strategies of denoising side by side: the same criteria for each, on the runs that each has and on those of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

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

Array = NDArray[np.float64]
Row = Mapping[str, str]


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
        "Median over the edges of the magnitude of their partial correlation with motion, covariates taken out",
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
        "Share of the edges that differ (p < .05) between the third with most and the third with least motion,"
        " covariates taken out",
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
    "runs_kept": Criterion("higher", "runs kept", "Share of the runs that the strategy leaves a connectome"),
    "frames_kept": Criterion("higher", "frames kept", "Mean over the runs of the share of frames not censored"),
    "degrees_of_freedom": Criterion(
        "higher",
        "degrees of freedom per frame",
        "Mean over the runs of the degrees of freedom that censoring, filter and regressors leave, per frame",
    ),
    "effective_degrees_of_freedom": Criterion(
        "higher",
        "effective degrees of freedom",
        "Mean over the runs of the number of independent frames that would make correlations as precise",
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
    n_runs, n_subjects
        Numbers behind QC-FC.
    by_chance
        Median magnitude of QC-FC if no edge depended on motion.
    curve
        Distances, and the smooth curve of QC-FC over them.
    """

    values: Mapping[str, float]
    found: Qcfc
    n_runs: int
    n_subjects: int
    by_chance: float
    curve: tuple[Array, Array]


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

    Raises
    ------
    InputError
        When a column is missing or of no use, or too few runs are common to all strategies.
    """
    known = _known_of_runs(strategies)
    columns = [motion, *covariates]
    design = motion_design(list(known.values()), motion, covariates)
    names = list(known)
    place = {names[run]: row for row, run in enumerate(design.runs)}
    left_out = {names[run]: reason for run, reason in design.left_out.items()}
    common = [name for name in place if all(name in strategy.names for strategy in strategies)]
    nuisance = np.delete(design.matrix, design.columns.index(motion), axis=1)
    amount = np.array([to_number(known[name][motion]) for name in place])

    def of(strategy: Strategy, chosen: Sequence[str]) -> Criteria:
        rows = [place[name] for name in chosen]
        return criteria_of(strategy, chosen, amount[rows], nuisance[rows], lengths)

    own_runs = [[name for name in strategy.names if name in place] for strategy in strategies]
    n_subjects = len({known[name]["subject"] for name in common})
    least = int(np.linalg.matrix_rank(nuisance)) + 2
    if n_subjects < least:
        which = ", ".join(f"{one.label} {sum(name in place for name in one.names)}" for one in strategies)
        raise InputError(
            f"{n_subjects} subjects have runs after every denoising that is compared, with {' and '.join(columns)}"
            f" known; at least {least} are needed (runs: {which}). Compare fewer, or such as share more runs."
        )
    shared = tuple(of(strategy, common) for strategy in strategies)
    own = tuple(
        same if set(runs) == set(common) else of(strategy, runs)
        for strategy, runs, same in zip(strategies, own_runs, shared, strict=True)
    )
    ranks = {
        key: ranked([one.values[key] for one in (own if key == "runs_kept" else shared)], criterion.better)
        for key, criterion in CRITERIA.items()
    }
    return Compared(own, shared, ranks, tuple(common), amount[[place[name] for name in common]], left_out)


def motion_design(rows: Sequence[Row], motion: str, covariates: Sequence[str]) -> Design:
    """Return the linear model of motion and covariates over runs, with a column that has the name of motion.

    Raises
    ------
    InputError
        When a column is missing, does not vary, or cannot be told from others; when motion has other than numbers.
    """
    design = make_design(rows, " + ".join([motion, *covariates]), motion)
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
    at = {name: position for position, name in enumerate(strategy.names)}
    runs = np.array([at[name] for name in chosen], dtype=np.int64)
    measured = [strategy.measured[run] for run in runs]
    subjects = [strategy.rows[run]["subject"] for run in runs]
    amount, columns = mean_rows(motion, subjects), mean_rows(nuisance, subjects)
    edges = subject_means(strategy.edges, runs, subjects)
    everyone = np.arange(len(amount))
    extremes, high = motion_groups(amount)
    questions = Question(everyone, amount, columns), Question(extremes, high, columns[extremes])
    found, of_extremes = questions_of(edges, strategy.n_edges, everyone, questions)
    spread, high_low = spread_of(found), spread_of(of_extremes)
    organization = {
        # What is left of rounding is 0: without it, ranks and dependence on motion would be those of noise.
        key: np.round([_number(row, key) for row in measured], 12)
        for key in ("modularity", "network_separation")
    }
    of_subjects = mean_rows(organization["modularity"], subjects)[:, None]
    by_motion = qcfc(lambda some, low, high: of_subjects[some, low:high], 1, everyone, amount, columns)
    losses = losses_of(measured)
    values = {
        "qcfc_median_absolute": spread.median_absolute,
        "qcfc_significant": spread.significant,
        "qcfc_significant_fdr": spread.significant_fdr,
        "qcfc_by_distance": rank_correlation(lengths, found.r),
        "high_low_significant": high_low.significant,
        "modularity_by_motion": float(by_motion.r[0]),
        **{key: _mean(of_runs) for key, of_runs in organization.items()},
        "runs_kept": len(strategy.names) / strategy.n_asked if strategy.n_asked else float("nan"),
        **{key: value for key, value in asdict(losses).items() if key in CRITERIA},
    }
    return Criteria(
        {key: values[key] for key in CRITERIA},
        found,
        len(runs),
        len(amount),
        spread.median_absolute_by_chance,
        curve(lengths, found.r),
    )


def _number(row: Row, column: str) -> float:
    cell = row.get(column, MISSING)
    return float("nan") if cell == MISSING else to_number(cell)


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


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
