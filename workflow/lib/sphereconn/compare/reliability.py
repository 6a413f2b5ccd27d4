"""The reliability of the connectomes of a combination: all measures of it, and the rows of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.discriminability import discriminability, observed_table
from sphereconn.compare.edges import Edges
from sphereconn.compare.icc import KINDS, Icc, WholeIcc, intraclass_correlations, whole_icc
from sphereconn.compare.identification import Identification, assignments, identification
from sphereconn.compare.lengths import whole_of
from sphereconn.compare.likeness import likeness
from sphereconn.compare.repeats import Repeats, repeat_labels, repeats_of
from sphereconn.errors import InputError
from sphereconn.infer.corrections import p_of_counts
from sphereconn.infer.network_pairs import NetworkPairs, network_pairs, pair_means

Array = NDArray[np.float64]

# How the names of files and columns call the kinds.
SHORT = {kind: kind.lower().replace("(", "").replace(",", "").replace(")", "") for kind in KINDS}
_ENDS = ("", "_lower", "_upper")
_OF_KINDS = [f"{short}{end}" for short in SHORT.values() for end in _ENDS]
EDGE_COLUMNS = ("node1", "node2", "network1", "network2", *_OF_KINDS, "subjects", "subjects_crossed")
PAIR_COLUMNS = (
    *("network1", "network2", "edges"),
    *(f"mean_{short}" for short in SHORT.values()),
    *(f"pair_{column}" for column in _OF_KINDS),
)
SUMMARY_COLUMNS = ("measure", "value", "lower", "upper", "chance", "p", "monte_carlo_error")
IDENTIFICATION_COLUMNS = ("target", "database", "subjects", "rate", "chance", "own", "others")
SCORES = ("discriminability", "identification rate", "differential identifiability")
POOR, GOOD = 0.4, 0.6  # Cicchetti 1994
# A shuffle counts as at least as extreme as what was observed within rounding.
_TIE = 1e-10


@dataclass(frozen=True)
class Score:
    """A measure, what it is by chance, and p from shuffles with its Monte Carlo error."""

    value: float
    chance: float
    p: float
    error: float


@dataclass(frozen=True)
class Measured:
    """What is known of the reliability of connectomes.

    Attributes
    ----------
    repeats
        The runs it was measured with.
    edges, of_pairs
        Intraclass correlations by kind, of edges and of the mean connectivity of pairs of networks.
    pairs
        The pairs of networks.
    whole
        ICC(1,1) of whole connectomes.
    correlations
        Between the runs, in the order of `Repeats.runs`.
    identified
        Identification, for each pair of repeats; the first assignment is the observed one.
    scores
        ``discriminability``, ``identification rate`` and ``differential identifiability``.
    n_shuffles, exhaustive
        Shuffles behind p, the observed order not among them, and whether these are all.
    """

    repeats: Repeats
    edges: dict[str, Icc]
    pairs: NetworkPairs
    of_pairs: dict[str, Icc]
    whole: WholeIcc
    correlations: Array
    identified: Identification
    scores: dict[str, Score]
    n_shuffles: int
    exhaustive: bool


def measure_reliability(
    edges: Edges, n_edges: int, repeats: Repeats, networks: Sequence[str | None], *, n_shuffles: int, seed: int
) -> Measured:
    """Return all measures of the reliability of connectomes.

    Parameters
    ----------
    edges, n_edges, repeats
        As for `icc.intraclass_correlations`.
    networks
        Of the nodes; None where a node has none.
    n_shuffles
        Of the subjects that runs belong to, for p; 0: none.
    seed
        Of these.
    """
    of_edges = intraclass_correlations(edges, n_edges, repeats)
    pairs = network_pairs(networks)
    means = np.full((int(repeats.runs.max()) + 1, len(pairs.names)), np.nan)
    for run in repeats.runs:
        means[run] = pair_means(edges(np.array([run]), 0, n_edges)[0], pairs)
    alike = likeness(edges, n_edges, repeats.runs)
    table = observed_table(repeats)
    tables, exhaustive = table[None], False
    if n_shuffles:
        shuffled = assignments(repeats, table, n_shuffles, seed)
        tables, exhaustive = shuffled.tables, shuffled.exhaustive
    identified = identification(alike.correlations, tables)
    chance = float(np.average(identified.chance, weights=identified.n_targets)) if identified.pairs else float("nan")
    by_chance = (0.5, chance, 0.0)
    values = (
        discriminability(alike.distances, tables),
        identified.overall_rate,
        identified.differential_identifiability,
    )
    return Measured(
        repeats=repeats,
        edges=of_edges,
        pairs=pairs,
        of_pairs=intraclass_correlations(lambda runs, start, stop: means[runs, start:stop], len(pairs.names), repeats)
        if pairs.names
        else {},
        whole=whole_icc(alike.distances, repeats.subject),
        correlations=alike.correlations,
        identified=identified,
        scores={
            name: _score(value, expected, exhaustive)
            for name, value, expected in zip(SCORES, values, by_chance, strict=True)
        },
        n_shuffles=len(tables) - 1,
        exhaustive=exhaustive,
    )


def not_measured(n_edges: int, networks: Sequence[str | None]) -> Measured:
    """Return what is known of the reliability of connectomes that have no repeats: nothing, so tables have empty cells.

    Parameters
    ----------
    n_edges, networks
        As for `measure_reliability`.
    """
    pairs = network_pairs(networks)
    nobody = Repeats((), (), np.empty((0, 0), dtype=np.int64), {})
    nothing, nowhere = float("nan"), np.empty((0, 0))
    return Measured(
        repeats=nobody,
        edges={kind: _no_icc(n_edges) for kind in KINDS},
        pairs=pairs,
        of_pairs={kind: _no_icc(len(pairs.names)) for kind in KINDS},
        whole=WholeIcc(nothing, nothing, nothing),
        correlations=nowhere,
        identified=identification(nowhere, nobody.table[None]),
        scores={name: Score(nothing, nothing, nothing, nothing) for name in SCORES},
        n_shuffles=0,
        exhaustive=False,
    )


def _no_icc(n_edges: int) -> Icc:
    unknown = np.full(n_edges, np.nan)
    return Icc(unknown, unknown, unknown, unknown, unknown, np.zeros(n_edges, dtype=np.int64))


def measured_if_any(
    edges: Edges,
    n_edges: int,
    subjects: Sequence[str],
    repeats: Sequence[str],
    networks: Sequence[str | None],
    *,
    n_shuffles: int,
    seed: int,
) -> tuple[Measured, str | None]:
    """Return all measures of the reliability of connectomes, or that nothing is known, and why.

    Parameters
    ----------
    edges, n_edges, networks, n_shuffles, seed
        As for `measure_reliability`.
    subjects, repeats
        As for `repeats.repeats_of`.

    Returns
    -------
    found : Measured
    reason : str or None
        Why nothing could be measured: too few subjects have repeats, or their runs share no edge. None otherwise.
    """
    try:
        chosen = repeats_of(subjects, repeats)
        return measure_reliability(edges, n_edges, chosen, networks, n_shuffles=n_shuffles, seed=seed), None
    except InputError as problem:
        return not_measured(n_edges, networks), str(problem)


def _score(values: Array, chance: float, exhaustive: bool) -> Score:
    observed, shuffled = float(values[0]), values[1:]
    if not len(shuffled) or np.isnan(observed):
        return Score(observed, chance, float("nan"), float("nan"))
    at_least = np.array((shuffled >= observed - _TIE * max(abs(observed), 1)).sum())
    found = p_of_counts(at_least, len(shuffled), exhaustive)
    return Score(observed, chance, float(found.p), float(found.monte_carlo_error))


def edge_rows(found: Measured, names: Sequence[str], networks: Sequence[str | None]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of edges, with the columns ``EDGE_COLUMNS``."""
    numbers = np.column_stack([values for kind in KINDS for values in _ends(found.edges[kind])]).tolist()
    counts = zip(*(found.edges[kind].n_subjects.tolist() for kind in (KINDS[0], KINDS[1])), strict=True)
    rows, columns = (places.tolist() for places in np.triu_indices(len(names), 1))
    for row, column, values, count in zip(rows, columns, numbers, counts, strict=True):
        yield names[row], names[column], networks[row], networks[column], *values, *count


def pair_rows(found: Measured) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of pairs of networks, with the columns ``PAIR_COLUMNS``."""
    if not found.pairs.names:
        return
    n_edges = np.bincount(found.pairs.of_edge[found.pairs.of_edge >= 0], minlength=len(found.pairs.names)).tolist()
    means = [pair_means(found.edges[kind].icc, found.pairs).tolist() for kind in KINDS]
    own = [values.tolist() for kind in KINDS for values in _ends(found.of_pairs[kind])]
    for place, (first, second) in enumerate(found.pairs.names):
        yield first, second, n_edges[place], *(mean[place] for mean in means), *(values[place] for values in own)


def _ends(found: Icc) -> tuple[Array, Array, Array]:
    return found.icc, found.lower, found.upper


def summary_rows(found: Measured) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of what is known of the whole, with the columns ``SUMMARY_COLUMNS``."""
    nothing = (None,) * 3
    for kind in KINDS:
        value = found.whole.icc if kind == KINDS[0] else whole_of(found.edges[kind])
        ends = (found.whole.lower, found.whole.upper) if kind == KINDS[0] else (None, None)
        yield f"{kind} of whole connectomes", value, *ends, *nothing
        known = found.edges[kind].icc[np.isfinite(found.edges[kind].icc)]
        described = [float(known.mean()), *np.quantile(known, (0.5, 0.25, 0.75)).tolist()] if known.size else [None] * 4
        shares = [float((known < POOR).mean()), float((known >= GOOD).mean())] if known.size else [None] * 2
        words = ("mean", "median", "first quartile", "third quartile", f"share below {POOR:g}", f"share from {GOOD:g}")
        for word, number in zip(words, [*described, *shares], strict=True):
            yield f"{kind} of edges, {word}", number, None, None, *nothing
    for name, score in found.scores.items():
        yield name, score.value, None, None, score.chance, score.p, score.error
    weights = found.identified.n_targets
    for name, means in (
        ("runs of the same subject", found.identified.own[0]),
        ("runs of other subjects", found.identified.others[0]),
    ):
        mean = float(np.average(means, weights=weights)) if len(weights) else None
        yield f"mean correlation with {name}", mean, None, None, *nothing


def identification_rows(found: Measured) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of pairs of repeats, with the columns ``IDENTIFICATION_COLUMNS``."""
    one, repeats = found.identified, found.repeats.repeats
    for place, (target, database) in enumerate(one.pairs):
        numbers = (one.rate[0, place], one.chance[place], one.own[0, place], one.others[0, place])
        yield repeats[target], repeats[database], int(one.n_targets[place]), *map(float, numbers)


def described(found: Measured) -> dict[str, Any]:
    """Return what the sidecar of a reliability says of its runs and of what was found."""
    repeats, crossed = found.repeats, found.repeats.crossed
    icc = found.edges[KINDS[0]].icc
    known = icc[np.isfinite(icc)]
    return {
        "Subjects": len(repeats.subjects),
        "Repeats": list(repeats.repeats),
        "RunsOfRepeats": (repeats.table >= 0).sum(axis=0).tolist(),
        "NumberOfRuns": len(repeats.runs),
        "SubjectsLeftOut": {subject: f"one run only ({repeat})" for subject, repeat in repeats.left_out.items()},
        "SubjectsCrossed": len(crossed),
        "RepeatsCrossed": crossed.shape[1] if len(crossed) else 0,
        "EdgesEstimated": len(known),
        "EdgesNotEstimated": len(icc) - len(known),
        "MedianICC": float(np.median(known)) if known.size else None,
        "QuartilesICC": np.quantile(known, (0.25, 0.75)).tolist() if known.size else None,
        "WholeICC": [found.whole.icc, found.whole.lower, found.whole.upper],
        "Scores": {
            name: {"Value": score.value, "Chance": score.chance, "P": score.p} for name, score in found.scores.items()
        },
        "NumberOfPermutations": found.n_shuffles,
        "AllPermutations": found.exhaustive,
        "Shuffled": "subjects of the runs of each repeat",
    }


def chosen_rows(
    rows: Sequence[Mapping[str, str]], over: Sequence[str], wanted: Sequence[str]
) -> tuple[list[str], list[str], list[str], NDArray[np.int64]]:
    """Return the names, subjects and repeats of the wanted runs of a stack, and their rows.

    Parameters
    ----------
    rows
        Of the table beside the stack; its first column has the names.
    over
        Columns that tell the runs of a subject apart; none where the column ``repeat`` does.
    wanted
        Names of the runs.
    """
    names = [next(iter(row.values())) for row in rows]
    places = [place for place, name in enumerate(names) if name in set(wanted)]
    chosen = [rows[place] for place in places]
    repeats = repeat_labels(chosen, over) if over else [row["repeat"] for row in chosen]
    labelled = [
        names[place] if over else f"{names[place]}, {row['repeat']}" for place, row in zip(places, chosen, strict=True)
    ]
    return labelled, [row["subject"] for row in chosen], repeats, np.array(places, dtype=np.int64)


def by_repeat(found: Measured, runs: Sequence[str]) -> tuple[list[str], Array]:
    """Return the names of the runs and their correlations, those of a repeat one after the other."""
    repeats = found.repeats
    order = np.lexsort((repeats.subject, repeats.repeat))
    return [runs[run] for run in repeats.runs[order]], found.correlations[np.ix_(order, order)]
