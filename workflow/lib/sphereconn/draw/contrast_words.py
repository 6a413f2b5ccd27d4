"""A contrast in sentences: what was asked, of whom, and what was found and what not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sphereconn.files import MISSING, is_number
from sphereconn.infer.formula import INTERCEPT, columns_in
from sphereconn.infer.tables import components_drawn
from sphereconn.words import NOT_CHOSEN, NOT_COMPARED, counted, listed, number, shortened

Row = Mapping[str, str]

N_NAMED = 3  # runs that are not used

UNITS = {  # of measures that the study computes -> their unit, for slopes
    "frames": "frame",
    "frames_kept": "frame kept",
    "regressors": "regressor",
    "degrees_of_freedom": "degree of freedom",
    "effective_degrees_of_freedom": "effective degree of freedom",
    "mean_framewise_displacement": "mm of mean framewise displacement",
}


def asked(sidecar: Mapping[str, Any], alike: Collection[str] = ()) -> str:
    """Return what a contrast tests, by which model, and on which runs, as sentences.

    Parameters
    ----------
    sidecar
        Of the contrast.
    alike
        Parts of the names of runs that all runs of the study share, which are not repeated.
    """
    settings = sidecar["Settings"]
    test, model = settings["test"], settings["model"]
    if settings["paired"]:
        what = f"whether connectivity changes with {settings['paired']}{_weights(test)}, within subjects"
        if settings["groups"]:
            what += f", and whether this change differs between the levels of {settings['groups']}"
    elif test == "intercept":
        what = "whether mean connectivity differs from 0"
    elif isinstance(test, Mapping):
        what = f"whether connectivity differs between levels of {next(iter(test))}{_weights(test)}"
    else:
        named = test if isinstance(test, str) else " and ".join(test)
        what = f"whether connectivity depends on {named.replace(':', ' × ')}"
    left_out = not_used(sidecar, alike)
    return (
        f"Tested in {tested_runs(sidecar)}: {what}."
        f"{f' Model: {model}.' if model else ''}{_errors(settings)}{f' {left_out}' if left_out else ''}"
        f"{_corrections(sidecar)}"
    )


def not_used(sidecar: Mapping[str, Any], alike: Collection[str] = (), known: Collection[str] = ()) -> str:
    """Return how many of the runs that a contrast asks for it does without, and why, as a sentence; "" for none.

    Parameters
    ----------
    sidecar
        Of the contrast, or of one of maps.
    alike
        Parts of the names of runs that all runs of the study share, which are not repeated.
    known
        Runs that are not to be named, since it has been said that they are left out.
    """
    unused = {
        run: reason
        for run, reason in sidecar["RunsLeftOut"].items()
        if reason != NOT_CHOSEN and not reason.endswith(NOT_COMPARED)
    }
    named = [f"{shortened(run, alike)} ({in_brackets(reason)})" for run, reason in unused.items() if run not in known]
    if not named:
        return ""
    n_runs = counted(sidecar["NumberOfRuns"] + len(unused), "run")
    return f"{len(named):,} of {n_runs} {'is' if len(named) == 1 else 'are'} not used: {listed(named, N_NAMED)}."


def in_brackets(reason: str) -> str:
    """Return a reason as it stands within brackets, its own turned into square ones."""
    return reason.removesuffix(".").replace("(", "[").replace(")", "]")


def tested_runs(sidecar: Mapping[str, Any]) -> str:
    """Return how many runs a contrast tests, with those at each level of each factor: ``9 runs (sex: F 4, M 5)``.

    Parameters
    ----------
    sidecar
        Of the contrast.
    """
    runs = counted(sidecar["NumberOfRuns"], "run")
    if sidecar["NumberOfSubjects"] != sidecar["NumberOfRuns"]:
        runs += f" of {counted(sidecar['NumberOfSubjects'], 'subject')}"
    of_levels = "; ".join(
        f"{column}: " + ", ".join(f"{level} {n}" for level, n in levels.items())
        for column, levels in sidecar["Levels"].items()
    )
    return f"{runs} ({of_levels})" if of_levels else runs


def _errors(settings: Mapping[str, Any]) -> str:
    """Say how runs were weighted and variances treated, where not as all alike."""
    by = settings.get("variances", "equal")
    how = {"equal": "", "hc3": " Standard errors allow for unequal variances (HC3)."}
    weighted = f" Runs were weighted by {settings['weights']}." if settings.get("weights") else ""
    return weighted + how.get(by, f" Each level of {by} had a separate variance.")


def _weights(test: Any) -> str:
    if not isinstance(test, Mapping):
        return ""
    weights = next(iter(test.values()))
    high = " and ".join(level for level, weight in weights.items() if weight > 0)
    low = " and ".join(level for level, weight in weights.items() if weight < 0)
    return f" ({high} minus {low})"


def _corrections(sidecar: Mapping[str, Any]) -> str:
    if not sidecar["NumberOfPermutations"]:
        return " No permutations were requested: edges are corrected by the false discovery rate."
    how = "all" if sidecar["AllPermutations"] else f"{sidecar['NumberOfPermutations']:,}"
    return f" Corrected by {how} {sidecar['Shuffled']}."


def found(sidecar: Mapping[str, Any], components: Sequence[Row], pairs: Sequence[Row]) -> str:
    """Return what a contrast found at its level of significance, and what it did not, as sentences.

    Parameters
    ----------
    sidecar
        Of the contrast.
    components, pairs
        Rows of the tables of components and of pairs of networks.
    """
    level = sidecar["Settings"]["level"]
    sentences = [significant_edges(sidecar)]
    if sidecar["NumberOfPermutations"]:
        discovered = sidecar["EdgesSignificantFDR"]
        some = f"{discovered:,} {_are(discovered)}" if discovered else "none is"
        sentences.append(f"At a false discovery rate of {level:g}, {some} significant.")
        tests = sidecar["Settings"]["tests"]
        if "components" in tests:
            nothing = "No connected component is significant at any threshold."
            sentences.append(significant_components(components, level) or nothing)
        if "network_pairs" in tests and pairs:
            sentences.append(_of_pairs(pairs, level, sidecar["Statistic"]))
    if sidecar["SiteMedianF"]:
        before, after = sidecar["SiteMedianF"]
        column = sidecar["Settings"]["harmonize"]["column"]
        sentences.append(
            f"Harmonization changed the median F of {column} across edges from {before:.2f} to {after:.2f}."
        )
    return " ".join(sentences)


def significant_edges(sidecar: Mapping[str, Any]) -> str:
    """Return how many edges are significant, in which direction and how large their effects are, as sentences.

    Parameters
    ----------
    sidecar
        Of the contrast.
    """
    tested, significant, smallest = (sidecar[key] for key in ("EdgesTested", "EdgesSignificant", "SmallestFWE"))
    kind = "corrected for all edges" if sidecar["NumberOfPermutations"] else "false discovery rate"
    some = f"{significant:,} of {tested:,} edges {_are(significant)}" if significant else f"None of {tested:,} edges is"
    some = some if tested != 1 else f"The only edge is{'' if significant else ' not'}"
    least = f"; smallest p {smallest:.2g}" if smallest is not None else ""
    return (
        f"{some} significant (p ≤ {sidecar['Settings']['level']:g}, {kind}{least})."
        f"{_directions(sidecar) if sidecar['SignificantEffects'] else ''}"
    )


def _directions(sidecar: Mapping[str, Any]) -> str:
    """Say how many significant effects have which sign, and their range."""
    more, fewer = sidecar["EdgesSignificantPositive"], sidecar["EdgesSignificantNegative"]
    low, high = (number(effect) for effect in sidecar["SignificantEffects"])
    if more and fewer:
        first = direction(sidecar, more, True)
        said = f"{more:,} {first}, {fewer:,} {direction(sidecar, fewer, False, briefly=True)}"
    else:
        n = more + fewer
        said = f"{ {1: 'It', 2: 'Both'}.get(n, 'All') } {direction(sidecar, n, more > 0)}"
    sizes = f"effect {low}" if low == high else f"effects {low} to {high}"
    return f" {said} ({sizes}; {effect_unit(sidecar)})."


def effect_unit(sidecar: Mapping[str, Any]) -> str:
    """Return the unit of the effects of a contrast: ``Fisher's z``, and of a slope per unit of what is tested.

    Parameters
    ----------
    sidecar
        Of the contrast.
    """
    settings = sidecar["Settings"]
    test = _tested_first(settings)
    unit = str(sidecar["Unit"])
    if not isinstance(test, str) or test == INTERCEPT or settings["paired"]:
        return unit
    numbers = [column for column in columns_in(test) if column not in sidecar["Levels"]]
    return " ".join([unit, *(f"per {UNITS.get(column, f'unit of {column}')}" for column in numbers)])


def direction(sidecar: Mapping[str, Any], n: int, positive: bool, briefly: bool = False) -> str:
    """Say what the sign of an effect means, as the predicate of n edges, or of motion."""
    settings = sidecar["Settings"]
    test = _tested_first(settings)
    if test == INTERCEPT:
        return f"{_are(n)} {'above' if positive else 'below'} 0"
    sides = None if settings["groups"] else compared(test, sidecar["Levels"])
    if sides:
        than = "" if briefly else " in {} than in {}".format(*sides)
        return f"{_are(n)} {'higher' if positive else 'lower'}{than}"
    if isinstance(test, str) and len(columns_in(test)) == 1 and not settings["groups"]:
        than = "" if briefly else f" with {columns_in(test)[0]}"
        return f"{'increase' if positive else 'decrease'}{'s' if n == 1 else ''}{than}"
    return f"{'has a' if n == 1 else 'have'} {'positive' if positive else 'negative'} effect{'s' if n > 1 else ''}"


def _tested_first(settings: Mapping[str, Any]) -> Any:
    """Give what is tested, or the first of several."""
    return settings["test"][0] if isinstance(settings["test"], list) else settings["test"]


def compared(test: Any, levels: Mapping[str, Mapping[str, int]]) -> tuple[str, str] | None:
    """Name what is higher where an effect of levels is positive, and what is lower; None where numbers are tested."""
    if isinstance(test, Mapping):
        ((column, weights),) = test.items()
        high, low = ([level for level, weight in weights.items() if weight * sign > 0] for sign in (1, -1))
    elif test in levels and len(levels[test]) == 2:
        column, (first, second) = test, sorted(levels[test])
        high, low = [second], [first]  # effects are differences from the first level
    else:
        return None
    named = [" and ".join(f"{column} {level}" if is_number(level) else level for level in side) for side in (high, low)]
    return named[0], named[1]


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def found_in_maps(sidecar: Mapping[str, Any]) -> str:
    """Return what a contrast of seed maps found at its level of significance, as sentences.

    Parameters
    ----------
    sidecar
        Of the contrast.
    """
    level, tested = sidecar["Settings"]["level"], sidecar["VoxelsTested"]
    enhanced = sidecar["VoxelsSignificantTFCE"]
    some = f"{enhanced:,} of {tested:,} voxels are" if enhanced else f"none of {tested:,} voxels is"
    return (
        f"{sidecar['Seed']}: {some} significant (threshold-free cluster enhancement, p ≤ {level:g}, corrected for all"
        f" voxels; smallest p {sidecar['SmallestTFCE']:.2g}); by the maximum statistic"
        f" {sidecar['VoxelsSignificant']:,} (smallest p {sidecar['SmallestFWE']:.2g}), by the extent of clusters"
        f" {sidecar['VoxelsInSignificantClusters']:,} (smallest p {sidecar['SmallestClusterFWE']:.2g})."
    )


def significant_components(rows: Sequence[Row], level: float) -> str:
    """Return which components of edges are significant, as a sentence; "" where none is.

    Parameters
    ----------
    rows
        Of the table of components. The sides of t are in it; here both count, as everywhere in the report.
    level
        Of significance.
    """
    drawn = components_drawn(rows, level)
    if not drawn:
        return ""
    best = drawn[0]
    where = f"At an edge threshold of p < {float(best['threshold_p']):g} (the strictest at which any is significant)"
    size = f"{int(best['edges']):,} edges between {int(best['nodes']):,} nodes"
    p = f"corrected p = {float(best['p_extent']):.2g}; {float(best['p_intensity']):.2g} by its intensity"
    if len(drawn) == 1:
        return f"{where}, a component of {size} is significant by its extent ({p})."
    return f"{where}, {len(drawn):,} components are significant by their extent, first one of {size} ({p})."


def _of_pairs(rows: Sequence[Row], level: float, statistic: str) -> str:
    tested = sorted((row for row in rows if row["fwe"] != MISSING), key=lambda row: float(row["fwe"]))
    if not tested:
        return "No pair of networks could be tested."

    def sized(row: Row) -> str:
        return f"mean {statistic} = {number(float(row['statistic']))}, p = {float(row['fwe']):.2g}"

    there = [row for row in tested if float(row["fwe"]) <= level]
    best = min(tested, key=lambda row: (float(row["fwe"]), float(row["p"])))
    name = f"{best['network1']}–{best['network2']}"
    if len(tested) == 1:
        return f"The only pair of networks, {name}, is {'' if there else 'not '}significant ({sized(best)})."
    if not there:
        return (
            f"None of {len(tested):,} pairs of networks is significant; the smallest p is that of {name} ({sized(best)}"
            f" corrected for all pairs, {float(best['p']):.2g} uncorrected)."
        )
    named = "; ".join(f"{row['network1']}–{row['network2']} ({sized(row)})" for row in there[:5])
    return (
        f"{len(there):,} of {len(tested):,} pairs of networks {_are(len(there))} significant: {named}"
        f"{f'; and {len(there) - 5:,} more' if len(there) > 5 else ''}."
    )
