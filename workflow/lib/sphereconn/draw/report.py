"""The report of a study: what was run, how good it is, what came out, and the methods, as one HTML file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeVar

from sphereconn.aggregate.unusual import Concern
from sphereconn.draw.comparison_words import can_tell, compared_on, published_left_out, table_of_criteria
from sphereconn.draw.contrast_doubts import beside_the_result, decided_by_runs
from sphereconn.draw.contrast_words import (
    asked,
    found_in_maps,
    significant_components,
    significant_edges,
    tested_runs,
)
from sphereconn.draw.contrast_words import found as found_words
from sphereconn.draw.html import (
    Block,
    Card,
    Cards,
    Facts,
    Figure,
    Figures,
    Folded,
    Image,
    Link,
    Listing,
    Paragraph,
    Plot,
    References,
    Section,
    Table,
    Text,
    html_page,
)
from sphereconn.draw.methods import DataUsed, DenoisingUsed, Range, SeedSetUsed, methods
from sphereconn.draw.quality_columns import COLUMNS
from sphereconn.draw.radius_words import RADII_CAN_TELL, radii_compared_on, table_of_radii
from sphereconn.draw.reliability_words import found as reliability_found
from sphereconn.draw.reliability_words import measured_over
from sphereconn.draw.strip_plot import MOST_DOTS, strip_plot
from sphereconn.draw.worries import of_estimates, worries
from sphereconn.infer.tables import components_drawn
from sphereconn.words import alike_in, by_number, counted, listed, number, replaced_measures

CONTRAST_FILES = {"edges": "edges", "components": "components", "pairs": "pairs of networks", "sidecar": "all numbers"}
RELIABILITY_FILES = {
    "summary": "all measures",
    "edges": "edges",
    "pairs": "pairs of networks",
    "identification": "pairs of repeats",
    "similarity": "similarity of runs",
}
COMPARISON_FILES = {
    "distance": "QC-FC by distance",
    "motion_groups": "most and least motion",
    "similarity": "similarity of strategies",
    "sidecar": "all numbers",
}
MOST_ROWS = 2000  # of a table; a page with more is slow to open and is not read
MOST_EMBEDDED = 8_000_000  # bytes of figures, a third more as text; with all tables at their longest, below 15 MB
MOST_CARDS = 6  # contrasts that are shown at a glance
N_WORST = 5
IN_LIST = {  # column of the table of quality -> how short its name is in the list of runs
    "mean_framewise_displacement": "mean FD (mm)",
    "frames_kept": "frames kept",
    "effective_degrees_of_freedom": "effective degrees of freedom",
    "lowest_coverage": "lowest coverage",
    "nodes_unusable": "unusable nodes",
    "median_temporal_snr": "temporal SNR",
}
MISSING = "n/a"
ALL_RUNS = "all runs"  # what the group of all runs is called
EFFECTS = "effects (above the diagonal: significant effects)"  # what figures of contrasts are called
IN_BRAIN = "significant edges and components in the brain"
PAIRS = "pairs of networks"
GROUP_GLANCED_AT = ("matrix", "glass brain")
ESTIMATION_CAPTION = "Estimation diagnostics: median over runs (lowest to highest), or the value common to all runs"
SHRINKAGE = (
    "Shrinkage is the weight of the scaled identity in a covariance (0: the empirical covariance; 1: the scaled"
    " identity alone); samples is the number of independent frames for which it was chosen."
)

COMBINED_WORDS = {"concatenate": "signals concatenated", "average": "connectomes averaged"}

Row = Mapping[str, str]
Labels = TypeVar("Labels", bound=tuple[str, ...])
Value = TypeVar("Value")


@dataclass(frozen=True)
class Measure:
    """A measure of quality: its column, what it depends on besides the run, which end is bad, and what it means.

    ``extremes`` is the caption of the table of the worst runs.
    """

    column: str
    depends_on: str
    worst: Callable[[float], float]
    title: str
    extremes: str
    meaning: str


ESTIMATES = {
    "shrinkage": ("shrinkage", ".3f"),
    "samples": ("samples", ".1f"),
    "alpha": ("penalty", ".3g"),
    "duality_gap": ("duality gap", ".1e"),
    "duality_gap_per_node": ("duality gap per node", ".1e"),
    "gradient_norm": ("gradient norm", ".1e"),
}
SETTINGS = {
    "seeds": "seeds",
    "space": "space",
    "radius": "radius (mm)",
    "smoothing_fwhm": "smoothing, FWHM (mm)",
    "overlap": "overlap",
    "min_coverage": "minimum coverage",
    "confounds": "confounds",
    "strategy": "strategy",
    "non_steady_state": "frames before the steady state",
    "scrub": "scrub",
    "min_frames": "minimum frames",
    "min_minutes": "minimum minutes",
    "min_degrees_of_freedom": "minimum effective degrees of freedom",
    "max_mean_framewise_displacement": "maximum mean framewise displacement (mm)",
    "missing_confounds": "missing confounds",
    "detrend": "detrend",
    "filter": "filter",
    "high_pass": "high-pass (Hz)",
    "low_pass": "low-pass (Hz)",
    "order": "order",
    "interpolation": "interpolation",
    "padtype": "padding",
    "standardize": "standardize",
    "kind": "kind",
    "covariance": "covariance",
    "samples": "samples",
    "matrix": "matrix",
    "alpha": "penalty",
    "cv": "folds",
    "gap_frames": "frames between folds",
    "gamma": "γ of EBIC",
    "gap_per_node": "duality gap per node",
    "min_nodes": "minimum fraction of nodes",
}
MOTION = Measure(
    "mean_framewise_displacement",
    "",
    lambda value: -value,
    "Motion",
    "Runs with the highest mean framewise displacement",
    "Framewise displacement is the sum of the absolute changes of the six head-motion parameters from one frame to the"
    " next. For each run, the mean over frames is shown.",
)
MEASURES = (
    Measure(
        "lowest_coverage",
        "seed_set",
        lambda value: value,
        "Coverage",
        "Runs with the lowest minimum coverage",
        "Coverage is the fraction of a full sphere’s voxels that were inside the image and the mask and had data"
        " (finite, and not 0 in every frame). For each run, the lowest coverage over the spheres of a set is shown.",
    ),
    Measure(
        "nodes_unusable",
        "seed_set",
        lambda value: -value,
        "Nodes without a signal",
        "Runs with the most unusable nodes",
        "Number of nodes of a set whose coverage is below the minimum, or whose signal is constant. Their edges are n/a"
        " in that run; group means are computed over the runs that have them.",
    ),
    Measure(
        "median_temporal_snr",
        "seed_set",
        lambda value: value,
        "Temporal signal-to-noise ratio",
        "Runs with the lowest median temporal SNR",
        "The mean of a sphere’s signal over time divided by its standard deviation, before cleaning. For each run, the"
        " median over the spheres of a set is shown.",
    ),
    MOTION,
    Measure(
        "effective_degrees_of_freedom",
        "denoising",
        lambda value: value,
        "Effective degrees of freedom",
        "Runs with the fewest effective degrees of freedom",
        "The number of independent frames that would yield correlations of the same precision as those of the cleaned"
        " signals, given their autocorrelation: its inverse is the variance of the correlation of two unrelated"
        " signals. The table of runs also gives the count: the number of frames kept times the fraction of frequencies"
        " passed, minus one for each regressor and, unless removed by a high-pass filter, for the mean and the trend."
        " Where nodes outnumber the effective degrees of freedom, estimates rely on shrinkage or sparsity.",
    ),
)


def study_report(
    *,
    settings: Mapping[str, Any],
    contents: Mapping[str, Any],
    name: str,
    quality: Sequence[Row],
    estimation: Sequence[Row],
    unusual: Mapping[str, Sequence[Concern]],
    worst: Mapping[str, Mapping[str, float]],
    software: Mapping[str, Mapping[str, Sequence[str]]],
    regressors: Mapping[str, Mapping[str, int]],
    spheres: Mapping[str, tuple[int, Range]],
    images: Mapping[str, Image | None],
) -> str:
    """Make the report of a study.

    Parameters
    ----------
    settings
        The complete configuration.
    contents
        What ``plan.reported.reported`` collects, what each of its groups is the ``mean_of`` and the rows of its
        ``means`` by network, and as ``search`` the rows of the table of images that the search for runs left out.
    name
        Of the data set, its title.
    quality, estimation
        The rows of the tables of quality and of estimation, as text by column.
    unusual
        By run, what is unusual about it, in the order in which runs are to be listed.
    worst
        By run, the worst value of some columns of the table of quality.
    software
        Versions by stage and by name.
    regressors
        By denoising, in how many runs each confound was regressed out.
    spheres
        By seed set, the number of nodes and the range of their radii in mm.
    images
        The figures of groups by path, ready to embed; None for those that can only be linked.

    Returns
    -------
    str
        One HTML file, below 15 MB for any number of runs: tables end after 2,000 rows with a pointer to the complete
        file; figures beyond 8 MB are linked, those of levels of groups first.
    """
    left_out = [row for row in quality if row["left_out"] != MISSING]
    quality = [row for row in quality if row["left_out"] == MISSING]
    nothing_left = [row for row in estimation if row["left_out"] != MISSING and row["run"] in set(contents["combined"])]
    estimation = [row for row in estimation if row["left_out"] == MISSING]
    runs = sorted({row["run"] for row in quality})
    lead = (
        f"{counted(len(runs), 'run')} of {counted(_n_subjects(runs), 'subject')},"
        f" {counted(len({row['seed_set'] for row in quality}), 'seed set')},"
        f" {counted(len(estimation), 'connectome')}. All results, including the tables behind this page, are in the"
        " same folder."
    )
    contents = {**contents, "contrasts": [_without_empty_figures(item) for item in contents["contrasts"]]}
    images = _embedded(contents, images)
    alike = alike_in({row["run"] for row in [*quality, *left_out]})
    return html_page(
        name,
        lead,
        [
            _glance(settings, contents, quality, left_out, estimation, unusual, images, alike),
            *_contrasts(contents, images, alike),
            _groups(contents, images),
            *_maps(contents, images, alike),
            *_reliability(contents, images),
            *_choices(contents, images),
            _quality(quality, estimation, unusual, worst, contents),
            _what_was_run(settings, contents, runs, quality, left_out, estimation, nothing_left, software),
            _single_runs(contents),
            _methods(settings, contents, quality, left_out, estimation, software, regressors, spheres),
            _files(),
        ],
    )


def _embedded(contents: Mapping[str, Any], images: Mapping[str, Image | None]) -> dict[str, Image | None]:
    """Keep the images that there is room for: those of contrasts and all runs first, those of levels of groups last."""
    of_all = [item for item in contents["groups"] if item["group"] == ALL_RUNS]
    first = [
        item
        for key in ("contrasts", "map_contrasts", "differences", "reliability", "comparisons")
        for item in contents[key]
    ]
    in_order = [path for item in [*first, *of_all] for _, path in item["figures"]]
    kept: dict[str, Image | None] = dict.fromkeys(images)
    room = MOST_EMBEDDED
    for path in dict.fromkeys([*in_order, *images]):
        image = images.get(path)
        if image and len(image.content) <= room:
            kept[path], room = image, room - len(image.content)
    return kept


def _glance(
    settings: Mapping[str, Any],
    contents: Mapping[str, Any],
    quality: Sequence[Row],
    left_out: Sequence[Row],
    estimation: Sequence[Row],
    unusual: Mapping[str, Sequence[Concern]],
    images: Mapping[str, Image | None],
    alike: Collection[str],
) -> Section:
    """Say what was asked, show what came out, and say what to worry about, all on the first screen."""
    cards = [*_headline(contents, quality, images), worries(quality, left_out, estimation, unusual, contents, alike)]
    on_cards = _on_cards(contents["contrasts"])
    for item in (contents["contrasts"][place] for place in on_cards):
        shown = [
            Figure(path, words, images.get(path)) for words, path in item["figures"] if words in (EFFECTS, IN_BRAIN)
        ]
        result, components = item["result"], item["component_rows"]
        said = [
            f"{tested_runs(result)}.",
            significant_edges(result),
            significant_components(components, result["Settings"]["level"]),
            decided_by_runs(result, alike),
        ]
        cards.append(Card(item["title"], [" ".join(filter(None, said))], shown))
    others = [item for place, item in enumerate(contents["contrasts"]) if place not in on_cards]
    return Section(
        "At a glance", [Paragraph(_asked(settings, contents, estimation)), Cards(cards), *_contrasts_in_short(others)]
    )


def _on_cards(contrasts: Sequence[Mapping[str, Any]]) -> list[int]:
    """Choose the results that get a card: one of each contrast, then a second one of each, as far as there is room."""
    turns: dict[str, int] = {}
    in_turns = []
    for place, item in enumerate(contrasts):
        turns[item["label"]] = turns.get(item["label"], 0) + 1
        in_turns.append((turns[item["label"]], place))
    return sorted(place for _, place in sorted(in_turns)[:MOST_CARDS])


def _contrasts_in_short(contrasts: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Say of contrasts, one a line, what was found."""
    rows: list[list[Text]] = []
    for item in contrasts:
        result = item["result"]
        drawn = components_drawn(item["component_rows"], result["Settings"]["level"])
        edges = f"{result['EdgesSignificant']:,} of {result['EdgesTested']:,}"
        least = result["SmallestFWE"]
        component = "–"
        if drawn:
            size = f"{int(drawn[0]['edges']):,} edges at p < {float(drawn[0]['threshold_p']):g}"
            component = f"{size} (corrected p = {float(drawn[0]['p_extent']):.2g})"
        labels = ", ".join(item["labels"])
        rows.append(
            [item["asked"], labels, f"{result['NumberOfRuns']:,}", edges, f"{least:.2g}" if least else "–", component]
        )
    if not rows:
        return []
    columns = ["contrast", "connectomes", "runs", "significant edges", "smallest corrected p", "significant component"]
    return _long_table("Further results of contrasts, described below", columns, rows, "the section Contrasts")


def _without_empty_figures(item: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out figures of a contrast that show nothing: a brain without an edge, a matrix of one pair of networks."""
    result = item["result"]
    drawn = components_drawn(item["component_rows"], result["Settings"]["level"])
    pairs = [row for row in item["pair_rows"] if row["fwe"] != MISSING]
    empty = {IN_BRAIN} if not result["EdgesSignificant"] and not drawn else set()
    empty |= {PAIRS} if len(pairs) < 2 else set()
    return {**item, "figures": [[words, path] for words, path in item["figures"] if words not in empty]}


def _asked(settings: Mapping[str, Any], contents: Mapping[str, Any], estimation: Sequence[Row]) -> str:
    """Say in a few sentences what the study asks."""
    used = {column: {row[column] for row in estimation} for column in ("seed_set", "denoising", "estimator")}
    kinds = dict.fromkeys(
        values["kind"] for label, values in settings["estimators"].items() if label in used["estimator"]
    )
    compared = {item["column"] for item in _of_some_runs(contents["groups"])}
    columns = [column for column in settings["groups"] if column in compared]
    sentences = [
        f"Connectivity ({listed(list(kinds), 6)}) between the spheres of"
        f" {listed(sorted(used['seed_set'], key=by_number), 6)}, denoised with {listed(sorted(used['denoising']), 6)}"
        + (f", in all runs and by {listed(columns, 6)}." if columns else ".")
    ]
    if contents["contrasts"]:
        labels = dict.fromkeys(item["label"] for item in contents["contrasts"])
        sentences.append(f"Tested: {listed(list(labels), 6)}.")
    return " ".join(sentences)


def _headline(contents: Mapping[str, Any], quality: Sequence[Row], images: Mapping[str, Image | None]) -> list[Card]:
    """Show the connectome of all runs that most is asked about: one that is tested, of most runs, with most nodes."""
    n_runs: dict[tuple[str, str], set[str]] = {}
    unusable: dict[tuple[str, str], int] = {}
    for row in quality:
        labels = (row["seed_set"], row["denoising"])
        n_runs.setdefault(labels, set()).add(row["run"])
        unusable[labels] = unusable.get(labels, 0) + int(row["nodes_unusable"])
    tested = [item["labels"] for item in contents["contrasts"]]
    of_all = [item for item in contents["groups"] if item["group"] == ALL_RUNS]
    if not of_all:
        return []

    def glanced_at(item: Mapping[str, Any]) -> list[tuple[str, str]]:
        found = (
            next((pair for pair in item["figures"] if pair[0].startswith(kind)), None) for kind in GROUP_GLANCED_AT
        )
        return [(words, path) for words, path in filter(None, found)]

    def order(item: Mapping[str, Any]) -> tuple[bool, int, int, int]:
        labels = (item["seed_set"], item["denoising"])
        untested = [*labels, item["estimator"]] not in tested
        return untested, -len(n_runs.get(labels, ())), unusable.get(labels, 0), -len(glanced_at(item))

    item = min(of_all, key=order)
    shown = [Figure(path, f"{words}, {ALL_RUNS}", images.get(path)) for words, path in glanced_at(item)]
    said = f"Seed set {item['seed_set']}, estimator {item['estimator']}, denoising {item['denoising']}."
    return [Card(f"All runs, {item['mean_of']}", [said], shown)]


def _counts_of_study(
    runs: Sequence[str],
    contents: Mapping[str, Any],
    quality: Sequence[Row],
    left_out: Sequence[Row],
    estimation: Sequence[Row],
) -> Facts:
    """Count runs and connectomes."""
    unusable = {row["run"] for row in quality if row["nodes_unusable"] != "0"}
    combined = _of_combined(estimation, contents)
    facts = [
        ("runs used", f"{len(runs):,}"),
        ("runs not used", f"{len(contents['unused']):,}"),
        ("connectomes of runs", f"{len(estimation) - len(combined):,}"),
        *([("connectomes of combined runs", f"{len(combined):,}")] if contents["combined"] else []),
        ("connectomes of groups", f"{len(contents['groups']):,}"),
        ("runs with unusable nodes", f"{len(unusable):,}"),
    ]
    if left_out:
        facts.insert(2, ("runs left out by a denoising", f"{len({row['run'] for row in left_out}):,}"))
    motion = _by_run(quality, MOTION)
    if motion:
        middle = median(value for values in motion.values() for value in values.values())
        facts.append(("median of mean FD", f"{middle:.3f} mm"))
    return Facts(facts)


def _what_was_run(
    settings: Mapping[str, Any],
    contents: Mapping[str, Any],
    used: Sequence[str],
    quality: Sequence[Row],
    left_out: Sequence[Row],
    estimation: Sequence[Row],
    nothing_left: Sequence[Row],
    software: Mapping[str, Mapping[str, Sequence[str]]],
) -> Section:
    computed = _counts(estimation)
    combined = _counts(_of_combined(estimation, contents))
    all_runs = len({row["run"] for row in [*quality, *left_out]}) + len(contents["unused"])
    runs: list[Block] = [
        _counts_of_study(used, contents, quality, left_out, estimation),
        Paragraph(
            f"The only run in the runs table {contents['runs_table']} was {'' if used else 'not '}used."
            if all_runs == 1
            else f"{len(used):,} of the {all_runs:,} runs in the runs table {contents['runs_table']}"
            f" {'was' if len(used) == 1 else 'were'} used."
        ),
    ]
    if contents["unused"]:
        runs += _long_table(
            "Runs that were not used, with the reason",
            ["run", "reason"],
            contents["unused"],
            f"the runs of {contents['runs_table']} that are not in group/quality.tsv",
        )
    if contents["in_no_group"]:
        runs += _long_table(
            "Runs that belong to no group of a column because their value is missing",
            ["run", "column"],
            contents["in_no_group"],
            f"the runs of {contents['runs_table']} without a value in these columns",
        )
    if contents["own_measures"]:
        runs.append(Paragraph(replaced_measures(contents["own_measures"])))
    if contents["search"]:
        runs += _long_table(
            "Images that were found but not used, with the reason",
            ["image", "reason", "detail"],
            [[row["bold"], row["reason"], row["detail"]] for row in contents["search"]],
            Link("runs_left_out.tsv", "runs_left_out.tsv"),
        )
    if left_out:
        runs += _long_table(
            "Runs left out by a denoising, with the reason",
            ["run", "denoising", "seed sets", "reason"],
            _reasons(left_out),
            Link("group/quality.tsv", "group/quality.tsv"),
        )
    if not contents["unused"] and not left_out:
        runs.append(Paragraph("No run of the table was left out."))
    if contents["combined"]:
        how, over = settings["combine"]["how"], " and ".join(settings["combine"]["over"])
        runs.append(
            Paragraph(
                f"The runs of a subject that differ only in {over} were combined ({COMBINED_WORDS[how]}); groups are"
                " computed from the combined runs, whose names contain run-all."
            )
        )
    if nothing_left:
        runs += _long_table(
            "Combined runs without any remaining run, with the reason",
            ["combined run", "denoising", "seed sets", "reason"],
            _reasons(nothing_left),
            Link("group/estimation.tsv", "group/estimation.tsv"),
        )
    runs.append(
        Table(
            "Number of connectomes computed",
            ["seed set", "denoising", "estimator", "runs", *(["combined runs"] if contents["combined"] else [])],
            [
                [
                    *labels,
                    f"{count - combined.get(labels, 0):,}",
                    *([f"{combined.get(labels, 0):,}"] if contents["combined"] else []),
                ]
                for labels, count in _in_order(computed)
            ],
        )
    )
    names = sorted({name for found in software.values() for name in found})
    versions = [[name, *(", ".join(found.get(name, ["–"])) for found in software.values())] for name in names]
    return Section(
        "What was run",
        [
            Section("Runs", runs),
            *(
                Section(title, [_settings_table(title, settings[key], {row[column] for row in estimation})])
                for title, key, column in (
                    ("Seed sets", "seed_sets", "seed_set"),
                    ("Denoising", "denoising", "denoising"),
                    ("Estimators", "estimators", "estimator"),
                )
            ),
            Section(
                "Versions and configuration",
                [
                    Table("Software versions by stage", ["software", *software], versions),
                    Folded(
                        "Complete configuration, including defaults",
                        [Listing(json.dumps(settings, indent=2, ensure_ascii=False))],
                    ),
                ],
            ),
        ],
    )


def _settings_table(title: str, by_label: Mapping[str, Mapping[str, Any]], used: set[str]) -> Table:
    present = {key for label, values in by_label.items() if label in used for key in values}
    keys = [key for key in SETTINGS if key in present] + sorted(present - set(SETTINGS))
    rows = [
        [label, *(_setting(values.get(key)) for key in keys)] for label, values in by_label.items() if label in used
    ]
    return Table(
        f"{title}: settings, including defaults",
        ["label", *(SETTINGS.get(key, key.replace("_", " ")) for key in keys)],
        rows,
    )


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == []:
        return "–"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_setting, value))
    if isinstance(value, Mapping):
        chosen = {key: item for key, item in value.items() if item is not None and item is not False}
        if not chosen.get("compcor"):
            chosen.pop("n_compcor", None)
        return ", ".join(f"{key.replace('_', ' ')}: {_setting(item)}" for key, item in chosen.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _counts(estimation: Sequence[Row]) -> dict[tuple[str, str, str], int]:
    """Count the connectomes of each seed set, denoising and estimator."""
    counts: dict[tuple[str, str, str], int] = {}
    for row in estimation:
        key = (row["seed_set"], row["denoising"], row["estimator"])
        counts[key] = counts.get(key, 0) + 1
    return counts


def _of_combined(estimation: Sequence[Row], contents: Mapping[str, Any]) -> list[Row]:
    """Take the rows of combined runs."""
    combined = set(contents["combined"])
    return [row for row in estimation if row["run"] in combined]


def _runs(
    unusual: Mapping[str, Sequence[Concern]], worst: Mapping[str, Mapping[str, float]], pages: Mapping[str, str]
) -> Section:
    """List all runs, those first about which most is unusual."""
    rows: list[list[Text]] = []
    for run, concerns in unusual.items():
        said = "; ".join(concern.words for concern in concerns)
        cells = [
            MISSING if (value := worst[run].get(column)) is None else COLUMNS[column].written(value)
            for column in IN_LIST
        ]
        rows.append([Link(run, pages[run]) if run in pages else run, said or "–", *cells])
    explained = "Each number is the worst over seed sets and denoising settings."
    if pages:
        explained += " Each run links to the page of its subject, with a quality sheet."
    table = _long_table(
        "All runs, unusual ones first",
        ["run", "what is unusual", *IN_LIST.values()],
        rows,
        Link("group/quality.tsv", "group/quality.tsv"),
        sortable=True,
    )
    return Section("Runs", [Paragraph(explained), *table])


def _quality(
    quality: Sequence[Row],
    estimation: Sequence[Row],
    unusual: Mapping[str, Sequence[Concern]],
    worst: Mapping[str, Mapping[str, float]],
    contents: Mapping[str, Any],
) -> Section:
    worst_first = sorted(
        quality,
        key=lambda row: (-int(row["nodes_unusable"]), _number(row["lowest_coverage"]) or 0.0, *row.values()),
    )
    every_run = _long_table(
        "All runs, seed sets and denoisings, sorted by the number of unusable nodes and by lowest coverage",
        ["run", "seed set", "denoising", *(column.words for column in COLUMNS.values())],
        [
            [row["run"], row["seed_set"], row["denoising"], *(_shown(row[key], key) for key in COLUMNS)]
            for row in worst_first
        ],
        Link("group/quality.tsv", "group/quality.tsv"),
    )
    return Section(
        "Quality",
        [
            _runs(unusual, worst, contents["subject_pages"]),
            Section("Overview", [_overview(quality), Folded("All runs, seed sets and denoisings", every_run)]),
            *(_measure_section(quality, measure) for measure in MEASURES),
            _estimation_section(estimation, set(contents["combined"])),
        ],
    )


def _overview(quality: Sequence[Row]) -> Table:
    by_labels: dict[tuple[str, str], list[Row]] = {}
    for row in quality:
        by_labels.setdefault((row["seed_set"], row["denoising"]), []).append(row)
    return Table(
        "Median over runs (lowest to highest), or the value common to all runs",
        ["seed set", "denoising", "runs", *(column.words for column in COLUMNS.values())],
        [
            [
                *labels,
                f"{len(rows):,}",
                *(_spread([row[key] for row in rows], f".{column.digits}f") for key, column in COLUMNS.items()),
            ]
            for labels, rows in _in_order(by_labels)
        ],
    )


def _spread(cells: Iterable[str], form: str) -> str:
    numbers = [value for value in map(_number, cells) if value is not None]
    if not numbers:
        return MISSING
    low, middle, high = (number(value, form) for value in (min(numbers), median(numbers), max(numbers)))
    return middle if low == high else f"{middle} ({low}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high})"


def _measure_section(quality: Sequence[Row], measure: Measure) -> Section:
    column = COLUMNS[measure.column]
    values = _by_run(quality, measure)
    if not values:
        return Section(measure.title, [Paragraph(measure.meaning), Paragraph("Not known for any run.")])
    plotted = [(label or "all runs", sorted(by_run.items())) for label, by_run in values.items()]
    flat = [(value, run, label) for label, by_run in values.items() for run, value in by_run.items()]
    flat.sort(key=lambda item: (measure.worst(item[0]), item[1:]))
    first = ["run", measure.depends_on.replace("_", " ")] if measure.depends_on else ["run"]
    first_alike = len({column.written(value) for value, *_ in flat[: N_WORST + 1]}) == 1  # none is worse than others
    few = all(len(by_run) <= MOST_DOTS for by_run in values.values())

    blocks: list[Block] = [
        Paragraph(measure.meaning),
        Plot(
            strip_plot(plotted, column.words, column.digits),
            f"{'Each dot is a run' if few else 'Bars show the distribution of runs'}; the line is the median.",
        ),
    ]
    if not first_alike:
        rows = [
            [run, label, f"{value:.{column.digits}f}"] if measure.depends_on else [run, f"{value:.{column.digits}f}"]
            for value, run, label in flat[:N_WORST]
        ]
        blocks.append(Table(measure.extremes, [*first, column.words], rows))
    return Section(measure.title, blocks)


def _by_run(quality: Sequence[Row], measure: Measure) -> dict[str, dict[str, float]]:
    """Give the known values by run, for each label of what the measure depends on; each value comes once."""
    values: dict[str, dict[str, float]] = {}
    for row in quality:
        value = _number(row[measure.column])
        if value is not None:
            values.setdefault(row[measure.depends_on] if measure.depends_on else "", {})[row["run"]] = value
    return dict(sorted(values.items(), key=lambda item: by_number(item[0])))


def _estimation_section(estimation: Sequence[Row], combined: set[str]) -> Section:
    present = [key for key in ESTIMATES if any(row[key] != MISSING for row in estimation)]
    iterative = any(row["converged"] != MISSING for row in estimation)
    by_labels: dict[tuple[str, ...], list[Row]] = {}
    for row in estimation:
        of_what = ["combined runs" if row["run"] in combined else "runs"] if combined else []
        by_labels.setdefault((row["seed_set"], row["denoising"], row["estimator"], *of_what), []).append(row)
    rows = []
    for labels, members in _in_order(by_labels):
        converged = [row["converged"] for row in members if row["converged"] != MISSING]
        rows.append(
            [
                *labels,
                f"{len(members):,}",
                *(_spread([row[key] for row in members], ESTIMATES[key][1]) for key in present),
                *(
                    [f"{converged.count('yes'):,} of {len(converged):,}" if converged else "closed form"]
                    if iterative
                    else []
                ),
            ]
        )
    counted = ["of", "number"] if combined else ["runs"]
    columns = ["seed set", "denoising", "estimator", *counted, *(ESTIMATES[key][0] for key in present)]
    if not present and not iterative:
        nothing = "All estimates have a closed form, without shrinkage or penalty."
        return Section("Estimation diagnostics", [Paragraph(nothing), *map(Paragraph, of_estimates(estimation))])
    blocks: list[Block] = [
        Paragraph(
            f"{SHRINKAGE} A duality gap bounds the distance of an iterative estimate from its optimum; a gradient norm"
            " bounds the distance of a geometric mean from the true one."
        )
        if iterative
        else Paragraph(f"All estimates have a closed form, so convergence is not an issue. {SHRINKAGE}"),
        Table(
            ESTIMATION_CAPTION,
            [*columns, *(["converged"] if iterative else [])],
            rows,
        ),
    ]
    blocks += [Paragraph(sentence) for sentence in of_estimates(estimation)]
    unconverged = [row for row in estimation if row["converged"] == "no"]
    if unconverged:
        blocks += _long_table(
            "Estimates that did not converge",
            ["run", "seed set", "denoising", "estimator", "duality gap"],
            [[row[key] for key in ("run", "seed_set", "denoising", "estimator", "duality_gap")] for row in unconverged],
            Link("group/estimation.tsv", "group/estimation.tsv"),
        )
    return Section("Estimation diagnostics", blocks)


def _groups(contents: Mapping[str, Any], images: Mapping[str, Image | None]) -> Section:
    pages = {(page["seed_set"], page["denoising"]): page["path"] for page in contents["pages"]}
    by_labels: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = {}
    for item in contents["groups"]:
        by_labels.setdefault((item["seed_set"], item["denoising"]), {}).setdefault(item["group"], []).append(item)
    sections = []
    for (seed_set, denoising), groups in _in_order(by_labels):
        blocks: list[Block] = []
        if (seed_set, denoising) in pages:
            page = Link("Interactive page", pages[seed_set, denoising])
            blocks.append(Paragraph([page, ": rotate, threshold and compare these connectomes in the brain."]))
        for group, members in groups.items():
            if group != ALL_RUNS and not _of_some_runs([*groups.get(ALL_RUNS, ()), *members]):
                blocks.append(Paragraph(f"All runs belong to {group}, whose connectomes are therefore the same."))
                continue
            figures = []
            for item in members:
                for words, path in item["figures"]:
                    caption = f"{item['estimator']}: {words}, {group}"
                    table = _means_table(item, caption) if words == "networks" else None
                    figures.append(Figure(path, caption, images.get(path), table))
            if group == ALL_RUNS:
                blocks += [Paragraph(f"All runs, {members[0]['mean_of']}."), Figures(figures)]
            else:
                blocks.append(Folded(f"{group}, {members[0]['mean_of']}", [Figures(figures)]))
        sections.append(Section(f"{seed_set}, {denoising}", blocks))
    note = Paragraph("Each figure links to its file at full resolution.")
    sections += [
        Section(item["title"], [Figures([Figure(path, words, images.get(path)) for words, path in item["figures"]])])
        for item in contents["differences"]
    ]
    return Section("Connectomes of groups", [note, *sections])


def _of_some_runs(groups: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Take the groups of levels that do not have all runs: the connectome of one that has is that of all runs."""

    def labels(item: Mapping[str, Any]) -> tuple[str, str, str]:
        return item["seed_set"], item["denoising"], item["estimator"]

    groups = list(groups)
    n_all = {labels(item): item["n_runs"] for item in groups if item["group"] == ALL_RUNS}
    return [item for item in groups if item["group"] != ALL_RUNS and item["n_runs"] != n_all.get(labels(item))]


def _means_table(item: Mapping[str, Any], caption: str) -> Table | None:
    if not item["means"]:
        return None
    (_, *networks), rows = item["means"]
    cells = [[row[0], *(cell if cell == MISSING else number(float(cell)) for cell in row[1:])] for row in rows]
    return Table(f"Means behind {caption}", ["network", *networks], cells)


def _contrasts(
    contents: Mapping[str, Any], images: Mapping[str, Image | None], alike: Collection[str]
) -> list[Section]:
    """Return what was tested and found; no section if nothing was tested."""
    by_question: dict[str, list[Section]] = {}
    for item in contents["contrasts"]:
        blocks: list[Block] = [
            Paragraph(asked(item["result"], alike)),
            Paragraph(found_words(item["result"], item["component_rows"], item["pair_rows"])),
            *map(Paragraph, filter(None, [beside_the_result(item["result"], alike)])),
            Figures([Figure(path, words, images.get(path)) for words, path in item["figures"]]),
            Paragraph(_links_to_tables(item, CONTRAST_FILES)),
        ]
        by_question.setdefault(item["asked"], []).append(Section(", ".join(item["labels"]), blocks))
    sections = [Section(question, of_question) for question, of_question in by_question.items()]
    return [Section("Contrasts", sections)] if sections else []


def _links_to_tables(item: Mapping[str, Any], files: Mapping[str, str]) -> list[str | Link]:
    links: list[str | Link] = ["Tables: "]
    for key, words in files.items():
        links += [Link(words, item[key])] if len(links) == 1 else [", ", Link(words, item[key])]
    return [*links, "."]


def _reliability(contents: Mapping[str, Any], images: Mapping[str, Image | None]) -> list[Section]:
    """Return how reliable connectomes are; no section if that was not requested."""
    sections = [
        Section(
            item["title"],
            [
                Paragraph(measured_over(item["result"])),
                Paragraph(reliability_found(item["result"], item["lengths"])),
                Figures([Figure(path, words, images.get(path)) for words, path in item["figures"]]),
                Paragraph(_links_to_tables(item, RELIABILITY_FILES)),
            ],
        )
        for item in contents["reliability"]
    ]
    return [Section("Reliability", sections)] if sections else []


def _maps(contents: Mapping[str, Any], images: Mapping[str, Image | None], alike: Collection[str]) -> list[Section]:
    """Return the mean seed maps of groups; no section if there are none."""
    by_title: dict[str, list[Block]] = {}
    for item in contents["maps"]:
        shown = Figures([Figure(path, f"{seed}, {item['group']}", images.get(path)) for seed, path in item["figures"]])
        if item["title"] not in by_title:
            page = Link("Interactive page", item["page"]) if item["page"] else None
            by_title[item["title"]] = [Paragraph([page, ": slices through any point."])] if page else []
        blocks = by_title[item["title"]]
        blocks.append(shown if item["group"] == ALL_RUNS else Folded(item["group"], [shown]))
    for item in contents["map_contrasts"]:
        said = filter(None, [asked(item["result"], alike), beside_the_result(item["result"], alike)])
        blocks = by_title.setdefault(item["title"], [*map(Paragraph, said)])
        blocks += [
            Paragraph([f"{found_in_maps(item['result'])} ", Link("Clusters and peaks", item["clusters"]), "."]),
            Figures([Figure(path, f"{seed}, {item['title']}", images.get(path)) for seed, path in item["figures"]]),
        ]
    sections = [Section(title, blocks) for title, blocks in by_title.items()]
    return [Section("Seed maps", sections)] if sections else []


def _choices(contents: Mapping[str, Any], images: Mapping[str, Image | None]) -> list[Section]:
    """Return denoisings and radii compared, and what the numbers can show; no section if nothing was compared."""
    sections: list[Block | Section] = []
    if contents["published_left_out"]:
        sections.append(Paragraph(published_left_out(contents["published_left_out"])))
    for item in contents["comparisons"]:
        sidecar, labels = item["result"], list(item["result"]["Denoising"])
        links: list[str | Link] = ["Tables: ", Link("criteria", item["criteria"])]
        for key, words in COMPARISON_FILES.items():
            links += [", ", Link(words, item[key])]
        table = Table(
            "Criteria computed on the common runs; ranks in brackets (1: best)",
            ["criterion", "better", *labels],
            table_of_criteria(item["criteria_rows"], labels),
        )
        blocks: list[Block] = [
            Paragraph(compared_on(sidecar)),
            table,
            Paragraph(can_tell(sidecar)),
            Figures([Figure(path, words, images.get(path)) for words, path in item["figures"]]),
            Paragraph([*links, "."]),
        ]
        sections.append(Section(item["title"], blocks))
    sections += [_radii_compared(item, images) for item in contents["radii"]]
    return [Section("Choices", sections)] if contents["comparisons"] or contents["radii"] else []


def _radii_compared(item: Mapping[str, Any], images: Mapping[str, Image | None]) -> Section:
    sidecar = item["result"]
    links: list[str | Link] = ["Tables: ", Link("measures", item["radii_table"])]
    for key, words in {"similarity_table": "similarity of radii", "sidecar": "all numbers"}.items():
        links += [", ", Link(words, item[key])]
    radii = [f"{radius:g} mm" for radius in sidecar["Radii"].values()]
    return Section(
        item["title"],
        [
            Paragraph(radii_compared_on(sidecar, item["similarity_rows"])),
            Table("Each measure at each radius", ["measure", *radii], table_of_radii(item["radii_rows"])),
            Paragraph(RADII_CAN_TELL),
            Figures([Figure(path, words, images.get(path)) for words, path in item["figures"]]),
            Paragraph([*links, "."]),
        ],
    )


def _single_runs(contents: Mapping[str, Any]) -> Section:
    if not contents["runs"]:
        words = "The configuration requests no further figures of single runs (figures: runs)."
        return Section("Single runs", [Paragraph(words)])
    rows: list[list[Text]] = []
    for item in contents["runs"]:
        links: list[str | Link] = []
        for words, path in item["links"]:
            links += [" · ", Link(words, path)] if links else [Link(words, path)]
        rows.append([item["run"], item["seed_set"], item["denoising"], links])
    table = _long_table(
        "Figures and pages of single runs",
        ["run", "seed set", "denoising", "figures"],
        rows,
        "in the folders of the runs, sub-*/figures",
    )
    return Section("Single runs", table)


def _methods(
    settings: Mapping[str, Any],
    contents: Mapping[str, Any],
    quality: Sequence[Row],
    left_out: Sequence[Row],
    estimation: Sequence[Row],
    software: Mapping[str, Mapping[str, Sequence[str]]],
    regressors: Mapping[str, Mapping[str, int]],
    spheres: Mapping[str, tuple[int, Range]],
) -> Section:
    if not quality:
        return Section("Methods", [Paragraph("All runs were left out, so there is nothing to describe.")])
    used = {column: {row[column] for row in estimation} for column in ("seed_set", "denoising", "estimator")}
    versions: dict[str, set[str]] = {}
    for stage in software.values():
        for name, found in stage.items():
            versions.setdefault(name, set()).update(found)
    text = methods(
        data=_data_used(quality, contents["preprocessed_by"]),
        seed_sets=[
            SeedSetUsed(label, values, *spheres[label])
            for label, values in settings["seed_sets"].items()
            if label in used["seed_set"]
        ],
        denoising=[
            DenoisingUsed(
                label,
                len({row["run"] for row in rows}),
                values,
                _limits(rows, "regressors"),
                _limits(rows, "degrees_of_freedom"),
                _limits(rows, "effective_degrees_of_freedom"),
                n_left_out=len(out := {row["run"] for row in left_out if row["denoising"] == label}),
                n_left_out_in_part=len(out & {row["run"] for row in rows}),
                censored=_censored(rows),
                without_data=_without_data(rows),
                columns=regressors.get(label, {}),
            )
            for label, values in settings["denoising"].items()
            if (rows := [row for row in quality if row["denoising"] == label])
        ],
        estimators={label: values for label, values in settings["estimators"].items() if label in used["estimator"]},
        groups=settings["groups"],
        combine=settings["combine"],
        contrasts=[item["result"] for item in contents["contrasts"]],
        maps=settings["maps"],
        reliability=[item["result"] for item in contents["reliability"]],
        has_lengths=any(item["lengths"] for item in contents["reliability"]),
        comparisons=[item["result"] for item in contents["comparisons"]],
        radii=[item["result"] for item in contents["radii"]],
        motion_known=bool(_by_run(quality, MOTION)),
        software={name: sorted(found) for name, found in versions.items()},
    )
    return Section(
        "Methods",
        [
            Paragraph("This text was generated from the settings used and can be adapted for a publication."),
            *(Section(heading, [Paragraph(paragraph)]) for heading, paragraph in text.paragraphs),
            Section("References", [References([(reference.entry, reference.doi) for reference in text.references])]),
        ],
    )


def _data_used(quality: Sequence[Row], preprocessed_by: Sequence[Sequence[str]]) -> DataUsed:
    runs = {row["run"] for row in quality}
    minutes = [int(row["frames"]) * float(row["repetition_time"]) / 60 for row in quality]
    return DataUsed(
        n_runs=len(runs),
        n_subjects=_n_subjects(runs),
        frames=_limits(quality, "frames"),
        repetition_time=_limits(quality, "repetition_time"),
        minutes=(min(minutes), max(minutes)),
        spaces=sorted({found[1] for run in runs if (found := re.search(r"_space-([A-Za-z0-9]+)", run))}),
        preprocessed_by=preprocessed_by,
    )


def _files() -> Section:
    files = (
        ("study.json", "the complete configuration"),
        ("dataset_description.json", "description of the data set (BIDS)"),
        ("group/quality.tsv", "quality of every run, seed set and denoising"),
        ("group/estimation.tsv", "shrinkage, penalty and convergence of every connectome"),
    )
    return Section(
        "Files",
        [Table("Files behind this page", ["file", "content"], [[Link(path, path), words] for path, words in files])],
    )


def _reasons(left_out: Iterable[Row]) -> list[list[str]]:
    """Say of what a run is left out and why: the degrees of freedom that decide it may differ between seed sets."""
    seed_sets: dict[tuple[str, str, str], set[str]] = {}
    for row in left_out:
        seed_sets.setdefault((row["run"], row["denoising"], row["left_out"]), set()).add(row["seed_set"])
    return [
        [run, denoising, ", ".join(sorted(labels)), reason]
        for (run, denoising, reason), labels in sorted(seed_sets.items())
    ]


def _long_table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Text]],
    others: str | Link,
    sortable: bool = False,
) -> list[Block]:
    blocks: list[Block] = [Table(caption, columns, rows[:MOST_ROWS], sortable)]
    if len(rows) > MOST_ROWS:
        note = f"The first {MOST_ROWS:,} of {len(rows):,} rows are shown; for the others, see "
        blocks.append(Paragraph([note, others, "."]))
    return blocks


def _in_order(by_labels: Mapping[Labels, Value]) -> list[tuple[Labels, Value]]:
    """Return the items of a dictionary sorted by their labels, as a person sorts: radius 4 before 12."""
    return sorted(by_labels.items(), key=lambda item: list(map(by_number, item[0])))


def _n_subjects(runs: Iterable[str]) -> int:
    return len({run.partition("_")[0] for run in runs})


def _censored(rows: Iterable[Row]) -> Range:
    shares = [
        (int(row["frames"]) - int(row["frames_without_data"]) - int(row["frames_kept"])) / int(row["frames"])
        for row in rows
    ]
    return min(shares), max(shares)


def _without_data(rows: Iterable[Row]) -> Mapping[str, int]:
    return {row["run"]: frames for row in rows if (frames := int(row["frames_without_data"]))}


def _limits(rows: Iterable[Row], column: str) -> Range:
    numbers = [float(row[column]) for row in rows]
    return min(numbers), max(numbers)


def _number(cell: str) -> float | None:
    return None if cell == MISSING else float(cell)


def _shown(cell: str, column: str) -> str:
    value = _number(cell)
    return MISSING if value is None else COLUMNS[column].written(value)
