"""A contrast over the runs of a stack: its model, its values, and its results."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtri, stdtrit

from sphereconn.aggregate.moments import fisher_z_of
from sphereconn.aggregate.stack import stack_rows
from sphereconn.errors import InputError, about
from sphereconn.files import MISSING, scratch, to_number
from sphereconn.infer.combat import check_kept, check_sites, harmonize, site_differences
from sphereconn.infer.components import SIDES, Enhancement, components, enhanced, on_side
from sphereconn.infer.corrections import (
    PairTests,
    PermutationP,
    directional_p,
    false_discovery_rate,
    family_wise_p,
    pair_tests,
)
from sphereconn.infer.design import Design, make_design, no_column
from sphereconn.infer.effects import difference_in_r
from sphereconn.infer.exchangeability import exchangeability_of, order_of
from sphereconn.infer.formula import INTERCEPT, LABELS, columns_of, quoted, tested_columns
from sphereconn.infer.glm import EdgeStatistics, Variances, edge_statistics
from sphereconn.infer.network_pairs import NetworkPairs, network_pairs, pair_means
from sphereconn.infer.permutation import Collected, Null, null_of_orders
from sphereconn.infer.shuffles import Exchangeability, Shuffles, plan_shuffles
from sphereconn.words import NOT_CHOSEN, counted

Rows = Sequence[Mapping[str, str]]
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """What a contrast tests, and on which runs.

    Attributes
    ----------
    design
        Of the runs that are tested; its positions are those of the table of runs.
    exchangeability
        How they may be shuffled.
    weights
        Of the runs, shape (n_runs,); None for equal ones.
    variances
        See `glm.edge_statistics`.
    rows
        The runs that are tested, from column to text.
    """

    design: Design
    exchangeability: Exchangeability
    weights: NDArray[np.float64] | None
    variances: Variances
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Values:
    """What is tested.

    Attributes
    ----------
    edges
        Shape (n_runs, n_edges), the upper triangle without the diagonal, row by row; Fisher's z of correlations.
    site_f
        Median F of the sites over the edges before and after harmonization; None without.
    """

    edges: NDArray[np.float64]
    site_f: tuple[float, float] | None


@dataclass(frozen=True)
class Tested:
    """The results of a contrast, one number an edge or a pair of networks; NaN where there is none.

    Attributes
    ----------
    statistics
        Effects, t or F, and what goes with them.
    fdr
        Two-sided, adjusted over all edges.
    fdr_direction
        Adjusted within the direction of the effect; of F equal to ``fdr``.
    family_wise
        By the maximum statistic; None without permutations, as are the following.
    enhanced
        Of TFNBS, by the maximum score.
    pairs
        Of pairs of networks.
    """

    statistics: EdgeStatistics
    fdr: NDArray[np.float64]
    fdr_direction: NDArray[np.float64]
    family_wise: PermutationP | None
    enhanced: PermutationP | None
    pairs: PairTests | None


def with_quality(runs: Sequence[dict[str, str]], quality: Rows) -> list[dict[str, str]]:
    """Return the rows of a table of runs with what is known of their quality; a column of the user's own stays."""
    return [
        run | {key: known[key] for key in known if key not in run} for run, known in zip(runs, quality, strict=True)
    ]


def contrast_model(rows: Rows, settings: Settings) -> Model:
    """Return the model of a contrast.

    Parameters
    ----------
    rows
        One a run, see `with_quality`.
    settings
        ``model``, ``test``, ``factors``, ``paired``, ``groups``, ``runs``, ``weights``, ``variances`` of the contrast.

    Raises
    ------
    InputError
        When the model cannot be estimated, or the runs of it not be shuffled.
    """
    if not rows:
        raise InputError("there is no run to be tested.")
    chosen = chosen_runs(rows, settings["runs"])
    test, paired, groups = settings["test"], settings["paired"], settings["groups"]
    within = [chosen[place] for place in order_of([rows[place] for place in chosen], paired)]
    design = make_design(
        [rows[place] for place in within],
        settings["model"],
        test,
        factors=[*settings["factors"], *LABELS],
        paired=paired,
        groups=groups,
    )
    left_out = {within[place]: reason for place, reason in design.left_out.items()}
    left_out |= {place: NOT_CHOSEN for place in range(len(rows)) if place not in chosen}
    runs = tuple(within[place] for place in design.runs)
    design = replace(design, runs=runs, left_out=left_out)
    tested = tuple(rows[place] for place in design.runs)
    if len(design.contrast) > 1 and settings["variances"] != "equal":
        raise InputError(
            "variances: a test of several differences at once (F) takes them for equal; leave the key out, or test one"
            " difference."
        )
    exchangeability = exchangeability_of(tested, test, paired=paired, groups=groups)
    return Model(design, exchangeability, _weights(tested, settings["weights"]), _variances(tested, settings), tested)


@contextmanager
def naming_runs_left_out(
    left_out: Sequence[Mapping[str, Any]], wanted: Mapping[str, Collection[str]]
) -> Iterator[None]:
    """Add to what an ``InputError`` from the block says which runs of a contrast were left out before, and why.

    Parameters
    ----------
    left_out
        Runs, each as its row, ``Run``, and the ``Reason``.
    wanted
        Which runs the contrast has, ``runs``.
    """
    try:
        yield
    except InputError as problem:
        lost = [item for item in left_out if is_wanted(item["Run"], wanted)]
        if not lost:
            raise
        run, reason = next(iter(lost[0]["Run"].values())), lost[0]["Reason"]
        were = "was" if len(lost) == 1 else "were"
        raise InputError(
            f"{problem} {counted(len(lost), 'run')} {were} left out before. The reason for {run}: {reason}"
        ) from problem


def is_wanted(run: Mapping[str, str], wanted: Mapping[str, Collection[str]]) -> bool:
    """Return whether a run has one of the wanted values in each column of ``wanted``."""
    return all(run.get(column) in values for column, values in wanted.items())


def chosen_runs(rows: Rows, wanted: Mapping[str, Sequence[str]]) -> list[int]:
    """Return the positions of the runs that have one of the wanted values in each column of ``wanted``."""
    chosen = [place for place, row in enumerate(rows) if is_wanted(row, wanted)]
    if not chosen:
        raise InputError(f"runs: no run has {' and '.join(f'{key} {values}' for key, values in wanted.items())}.")
    return chosen


def _weights(rows: Rows, column: str | None) -> NDArray[np.float64] | None:
    if column is None:
        return None
    weights = np.array([_number(row.get(column, MISSING)) for row in rows])
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise InputError(f"weights: the column {column} must have a number above 0 for each run that is tested.")
    return weights


def _number(cell: str) -> float:
    try:
        return to_number(cell)
    except ValueError:
        return float("nan")


def _variances(rows: Rows, settings: Settings) -> Variances:
    chosen = settings["variances"]
    if chosen in ("equal", "hc3"):
        return str(chosen)  # type: ignore[return-value]
    levels = [row.get(chosen, MISSING) for row in rows]
    if MISSING in levels:
        raise InputError(f"variances: the column {chosen} has no value in some of the runs that are tested.")
    _, level, counts = np.unique(levels, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        raise InputError(
            f"variances: a level of the column {chosen} has a single run, whose variance is unknown; name a column of"
            " groups, each of several runs."
        )
    return np.asarray(level)


def values_of(stack: str | Path, stacked: Settings, model: Model, settings: Settings) -> Values:
    """Return the edges of the runs of a model, harmonized over sites if that is asked for.

    Parameters
    ----------
    stack
        As `aggregate.stack.write_stack` writes it.
    stacked
        Its sidecar.
    model
        Whose runs are read.
    settings
        ``harmonize`` of the contrast, None or a dictionary.
    """
    n_nodes, diagonal = len(stacked["Nodes"]), stacked["ValidDiagonal"]
    rows, columns = np.triu_indices(n_nodes, 0 if diagonal else 1)
    edges = np.flatnonzero(rows != columns)
    values = scratch((len(model.design.runs), len(edges)))
    for row, read in zip(values, stack_rows(stack, model.design.runs), strict=True):
        row[:] = read[edges] if diagonal else fisher_z_of(read)
    return harmonized(values, model, settings)


def harmonized(values: NDArray[np.float64], model: Model, settings: Settings) -> Values:
    """Return values of the runs of a model, shape (n_runs, n_edges), harmonized over sites if that is asked for."""
    chosen = settings["harmonize"]
    if chosen is None:
        return Values(values, None)
    with about("harmonize"):
        planned = harmonization_of(model, settings)
        result = harmonize(
            values,
            planned.sites,
            planned.kept,
            planned.names,
            fitted=planned.fitted,
            empirical_bayes=chosen["empirical_bayes"],
            covariance_share=chosen["covariance_share"],
        )
    before, after = (site_differences(some, planned.sites, planned.kept).f for some in (values, result.values))
    return Values(result.values, (float(np.nanmedian(before)), float(np.nanmedian(after))))


@dataclass(frozen=True)
class Harmonization:
    """What is harmonized, on the runs of a model.

    Attributes
    ----------
    sites
        Of each run.
    kept
        Shape (n_runs, n_kept): the columns whose effects stay.
    names
        Of these columns.
    fitted
        Shape (n_runs,): the runs that the differences between sites are learnt from.
    """

    sites: list[str]
    kept: NDArray[np.float64]
    names: tuple[str, ...]
    fitted: NDArray[np.bool_]


def harmonization_of(model: Model, settings: Settings) -> Harmonization:
    """Return what a contrast harmonizes, when its test means something afterwards.

    Raises
    ------
    InputError
        When a column has no value in a run, the sites cannot be harmonized, a tested column is not kept (its effect
        would be removed with the differences between sites), or the sites are not in the model (p values would be too
        small where groups are unbalanced over sites).
    """
    chosen, test = settings["harmonize"], tested_columns(settings["test"])
    column, keep, learn = chosen["column"], chosen["keep"], chosen["learn_from"]
    sites = [row.get(column, MISSING) for row in model.rows]
    if MISSING in sites:
        raise InputError(f"the column {column} has no value in some of the runs that are tested.")
    if column in test or column in keep:
        raise InputError(f"{column} is what is harmonized; it can be neither tested nor kept.")
    for name in test:
        if not learn and name not in keep:
            raise InputError(
                f"keep: the tested column {name} must be kept, or its effect would be removed with the differences"
                " between sites."
            )
    if not settings["paired"] and column not in columns_of(settings["model"], ()):
        model_with_sites = " + ".join(filter(None, [settings["model"], quoted(column)]))
        raise InputError(
            f"{column} must stay in the model ({model_with_sites}); without it, harmonized values would be taken as"
            " measured at a single site, and p values would be too small."
        )
    kept_model, to_keep = " + ".join(map(quoted, keep)), [quoted(name) for name in keep]
    of_kept = make_design(model.rows, kept_model, to_keep, factors=[*settings["factors"], *LABELS]) if keep else None
    if of_kept and len(of_kept.runs) < len(model.rows):
        raise InputError(f"some of the runs that are tested have no value in {', '.join(keep)}.")
    fitted = np.array([all(row.get(key) in wanted for key, wanted in learn.items()) for row in model.rows])
    kept = of_kept.matrix[:, 1:] if of_kept else np.empty((len(sites), 0))
    planned = Harmonization(sites, kept, of_kept.columns[1:] if of_kept else (), fitted)
    check_sites(planned.sites, planned.fitted)
    check_kept([site for site, is_fitted in zip(sites, fitted, strict=True) if is_fitted], kept[fitted], planned.names)
    return planned


def pairs_of(networks: Sequence[str | None], tests: Sequence[str]) -> NetworkPairs | None:
    """Return the pairs of networks that are tested; None where there is no network or it is not asked for."""
    pairs = network_pairs([network if network and network != MISSING else None for network in networks])
    return pairs if "network_pairs" in tests and pairs.names else None


def thresholds_of(model: Model, p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the t, or F, with these two-sided p in a model without missing edges."""
    n_rows = len(model.design.contrast)
    left = len(model.design.matrix) - np.linalg.matrix_rank(model.design.matrix)
    if n_rows == 1:
        return tuple(float(stdtrit(left, 1 - p / 2)) for p in p_values)
    return tuple(float(fdtri(n_rows, left, 1 - p)) for p in p_values)


def collected_of(model: Model, pairs: NetworkPairs | None, settings: Settings) -> Collected:
    """Return what is kept of each shuffle."""
    tests = settings["tests"]
    return Collected(
        thresholds_of(model, settings["component_p"]) if "components" in tests else (),
        Enhancement() if "tfnbs" in tests else None,
        pairs,
    )


def shuffles_of(model: Model, settings: Settings) -> Shuffles | None:
    """Return the shuffles of a contrast; None where no permutation is asked for."""
    if not settings["permutations"]:
        return None
    root = 1.0 if model.weights is None else np.sqrt(model.weights)[:, None]
    labels = model.variances if isinstance(model.variances, np.ndarray) else None
    return plan_shuffles(
        model.exchangeability, model.design.matrix * root, settings["permutations"], settings["seed"], labels=labels
    )


def shuffle(
    values: NDArray[np.float64],
    model: Model,
    shuffles: Shuffles,
    collected: Collected,
    numbers: range,
    settings: Settings,
    cores: int = 1,
) -> Null:
    """Return the statistics of a range of shuffles, cut to those that there are."""
    return null_of_orders(
        values,
        model.design.matrix,
        model.design.contrast,
        shuffles,
        range(min(numbers.start, shuffles.n_shuffles + 1), min(numbers.stop, shuffles.n_shuffles + 1)),
        collected=collected,
        weights=model.weights,
        variances=model.variances,
        least_share=settings["least_share"],
        cores=cores,
    )


def write_null(path: str | Path, null: Null) -> None:
    """Write the statistics of a range of shuffles as an .npz file."""
    arrays = {field.name: getattr(null, field.name) for field in fields(Null) if field.name != "numbers"}
    with open(path, "wb") as file:
        np.savez_compressed(file, numbers=[null.numbers.start, null.numbers.stop], **arrays)


def read_null(path: str | Path) -> Null:
    """Return what `write_null` wrote."""
    with np.load(path) as stored:
        arrays = {field.name: stored[field.name] for field in fields(Null) if field.name != "numbers"}
        return Null(numbers=range(*stored["numbers"].tolist()), **arrays)


def results_of(
    values: NDArray[np.float64],
    model: Model,
    pairs: NetworkPairs | None,
    settings: Settings,
    null: Null | None = None,
    exhaustive: bool = False,
) -> Tested:
    """Return the statistics of a contrast with p of each kind.

    Parameters
    ----------
    values
        Shape (n_runs, n_edges).
    model, pairs, settings
        Of the contrast.
    null, exhaustive
        All shuffles, and whether these are all that there are; None where there are none.
    """
    found = edge_statistics(
        values,
        model.design.matrix,
        model.design.contrast,
        weights=model.weights,
        variances=model.variances,
        level=1 - settings["level"],
        least_share=settings["least_share"],
    )
    f_test = len(model.design.contrast) > 1
    fdr = false_discovery_rate(found.p)
    fdr_direction = fdr
    if not f_test:
        directed = false_discovery_rate(directional_p(found.statistic, found.degrees_of_freedom)[1:])
        fdr_direction = np.where(found.statistic > 0, directed[0], directed[1])
    if null is None:
        return Tested(found, fdr, fdr_direction, None, None, None)
    side = "greater" if f_test else "two-sided"
    scores = enhanced(found.statistic, side) if "tfnbs" in settings["tests"] else None
    return Tested(
        found,
        fdr,
        fdr_direction,
        family_wise_p(on_side(found.statistic, side), null.maxima[:, 0], exhaustive),
        family_wise_p(scores, null.enhanced[:, 0], exhaustive) if scores is not None else None,
        pair_tests(pair_means(found.statistic, pairs), null.pair_means, exhaustive, f_test=f_test) if pairs else None,
    )


EDGE_COLUMNS = (
    "node1", "node2", "network1", "network2", "effect", "low", "high", "effect_r", "statistic", "degrees_of_freedom",
    "partial_r", "cohens_d", "n_runs", "p", "fdr", "fdr_direction", "fwe", "tfnbs", "significant",
)  # fmt: skip


def is_significant(tested: Tested, level: float) -> NDArray[np.bool_]:
    """Return the edges that are significant after correction for all edges, shape (n_edges,).

    By the maximum statistic or TFNBS where there are permutations, by the false discovery rate where there are none.
    """
    if tested.family_wise is None:
        return tested.fdr <= level
    found = tested.family_wise.p <= level
    return found | (tested.enhanced.p <= level) if tested.enhanced is not None else found


def edge_rows(
    tested: Tested, names: Sequence[str], networks: Sequence[str | None], level: float, correlations: bool
) -> list[tuple[Any, ...]]:
    """Return the rows of the table of edges with the columns ``EDGE_COLUMNS``, smallest p first.

    Listed is each edge that any correction finds significant at the level, ``significant`` is yes for those that
    `is_significant` finds; an F test has no effect.
    """
    rows, columns = np.triu_indices(len(names), 1)
    s = tested.statistics
    significant = is_significant(tested, level)
    listed = significant | (tested.fdr <= level) | (tested.fdr_direction <= level)
    in_r = difference_in_r(s.effect, s.mean) if correlations else np.full(len(s.effect), np.nan)
    nothing = np.full(len(s.p), np.nan)
    fwe = tested.family_wise.p if tested.family_wise else nothing
    tfnbs = tested.enhanced.p if tested.enhanced else nothing
    order = [edge for edge in np.lexsort((-np.abs(s.statistic), s.p)) if listed[edge]]
    return [
        (
            names[rows[edge]],
            names[columns[edge]],
            networks[rows[edge]] or None,
            networks[columns[edge]] or None,
            s.effect[edge],
            *s.interval[:, edge],
            in_r[edge],
            s.statistic[edge],
            s.degrees_of_freedom[edge],
            s.partial_r[edge],
            s.cohens_d[edge],
            s.n_runs[edge],
            s.p[edge],
            tested.fdr[edge],
            tested.fdr_direction[edge],
            fwe[edge],
            tfnbs[edge],
            "yes" if significant[edge] else "no",
        )
        for edge in order
    ]


LEAST_EXTENT = 2  # edges of a component; one edge alone is tested as an edge
COMPONENT_COLUMNS = (
    "threshold_p", "threshold", "side", "component", "edges", "nodes", "intensity", "p_extent", "p_intensity",
    "monte_carlo_error", "members",
)  # fmt: skip


def component_rows(
    tested: Tested,
    names: Sequence[str],
    model: Model,
    settings: Settings,
    null: Null | None,
    shuffles: Shuffles | None,
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of components, with the columns ``COMPONENT_COLUMNS``: those of two edges or more.

    There are none without permutations, or where components are not tested.
    """
    if null is None or shuffles is None or "components" not in settings["tests"]:
        return
    p_values, exhaustive = settings["component_p"], shuffles.exhaustive
    thresholds = thresholds_of(model, p_values)
    rows, columns = np.triu_indices(len(names), 1)
    sides = SIDES[: null.extent.shape[2]] if null.extent.shape[2] > 1 else ("greater",)
    for place, (p, threshold) in enumerate(zip(p_values, thresholds, strict=True)):
        for number, side in enumerate(sides):
            found = components(tested.statistics.statistic, threshold, side)
            extent = family_wise_p(found.extent.astype(float), null.extent[:, place, number], exhaustive)
            intensity = family_wise_p(found.intensity, null.intensity[:, place, number], exhaustive)
            for component in range(len(found.extent)):
                if found.extent[component] < LEAST_EXTENT:
                    continue
                edges = found.labels == component + 1
                members = sorted({*rows[edges].tolist(), *columns[edges].tolist()})
                yield (
                    p,
                    threshold,
                    side,
                    component + 1,
                    found.extent[component],
                    found.n_nodes[component],
                    found.intensity[component],
                    extent.p[component],
                    intensity.p[component],
                    extent.monte_carlo_error[component],
                    "; ".join(names[node] for node in members),
                )


def marks_of(
    tested: Tested, model: Model, settings: Settings, null: Null | None, shuffles: Shuffles | None
) -> NDArray[np.float64]:
    """Return what figures show of each edge: 2 if it is significant, 1 if only a component that it is part of is.

    0 for all others; NaN where there was no test. A component, of two edges or more, counts at the strictest threshold
    at which one is significant: those that ``tables.components_drawn`` finds in the table of components.
    """
    level, statistic = settings["level"], tested.statistics.statistic
    marks = np.where(np.isnan(statistic), np.nan, 0.0)
    if null is not None and shuffles is not None and "components" in settings["tests"]:
        side = "greater" if len(model.design.contrast) > 1 else "two-sided"
        for place, threshold in sorted(enumerate(thresholds_of(model, settings["component_p"])), key=lambda x: -x[1]):
            found = components(statistic, threshold, side)
            p = family_wise_p(found.extent.astype(float), null.extent[:, place, 0], shuffles.exhaustive).p
            significant = np.isin(found.labels, np.flatnonzero((p <= level) & (found.extent >= LEAST_EXTENT)) + 1)
            if significant.any():
                marks[significant] = 1
                break
    marks[is_significant(tested, level)] = 2
    return marks


PAIR_COLUMNS = (
    "network1",
    "network2",
    "edges",
    "statistic",
    "p",
    "fwe",
    "p_greater",
    "fwe_greater",
    "p_less",
    "fwe_less",
)


def pair_rows(tested: Tested, pairs: NetworkPairs | None) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of pairs of networks, with the columns ``PAIR_COLUMNS``; of F only p and fwe."""
    if tested.pairs is None or pairs is None:
        return
    found, edges = tested.pairs, np.bincount(pairs.of_edge[pairs.of_edge >= 0], minlength=len(pairs.names))
    whole = "two-sided" if "two-sided" in found.family_wise else "greater"
    sides = [whole, *(side for side in SIDES[1:] if whole == "two-sided")]
    for place, (first, second) in enumerate(pairs.names):
        p = [value for side in sides for value in (found.uncorrected[side].p[place], found.family_wise[side].p[place])]
        yield (first, second, edges[place], found.statistic[place], *p, *[None] * (6 - len(p)))


def check_model(rows: Rows, settings: Settings, known_later: Sequence[str]) -> None:
    """Raise ``InputError`` for a model that is wrong whatever the values of columns that only jobs will know are.

    Parameters
    ----------
    rows
        The runs, with the columns that are known before any job.
    settings
        Of the contrast.
    known_later
        Columns that come with the results; their values are drawn at random here.
    """
    rng = np.random.default_rng(0)
    chosen = settings["harmonize"]
    wanted = columns_of(settings["model"], settings["test"], chosen["keep"] if chosen else ())
    known = sorted({column for row in rows for column in row})
    for column in filter(None, (*wanted, settings["paired"], settings["groups"])):
        if column not in (*known, *known_later, INTERCEPT):
            raise InputError(no_column(column, known, known_later))
    later = [column for column in known_later if column in wanted and column not in known]
    model = contrast_model(
        [{**row, **{column: repr(rng.random()) for column in later}} for row in rows],
        {**settings, "weights": None},
    )
    if chosen:
        with about("harmonize"):
            harmonization_of(model, settings)
