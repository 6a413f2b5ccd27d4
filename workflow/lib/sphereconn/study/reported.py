"""What the report of a study shows of it: figures of groups, links to pages and to figures of single runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sphereconn.study import contrasted, names
from sphereconn.study.drawn import ALL_GROUPS, connectome_suffixes, group_suffixes
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.reliabilities import OF_LENGTHS, TABLES
from sphereconn.study.study import Study

# How the name of a figure ends -> what the report calls it.
FIGURES = {
    "relmat": "matrix",
    "networks": "networks",
    "glassbrain": "glass brain",
    "strength": "node strength",
    "path": "penalties tried in the joint fit",
}

CONTRAST_FIGURES = {
    "matrix": "effects, and above the diagonal the significant ones",
    "glass_brain": "significant edges in the brain",
    "pairs": "pairs of networks",
    "strongest": "edges with the smallest p",
}

RELIABILITY_FIGURES = {
    "icc": "ICC(1,1) of edges",
    "networks": "mean ICC(1,1) of pairs of networks",
    "similarity": "likeness of all runs",
    "lengths": "by the length of the scan",
}

COMPARISON_FIGURES = {
    "criteria": "every criterion, denoising by denoising",
    "distance": "dependence on motion over the distance between nodes",
}

NOT_CHOSEN = "no entry of connectomes in the configuration chooses it"
PAGE_FIRST = {"interactive page": 0, "signals": 1}  # the order of the links of a run; figures of connectomes follow


def reported(study: Study) -> dict[str, Any]:
    """Collect what the report of a study needs beside numbers, in an order that does not depend on the configuration's.

    Returns
    -------
    dict
        ``runs_table``: the table that lists the runs. ``search``: images that a search for runs left out, and why.
        ``unused``: runs of it that no combination uses, and why. ``combined``: names of combined runs. ``groups``: for
        each group of a combination its labels, its sidecar (which lists its runs) and its figures, as paths with what
        they show. ``pages``: interactive pages of the groups. ``runs``: the same links for single runs.
        ``contrasts``: of each its title, tables and figures. ``maps``: figures of the seed maps of each group.
        ``reliability``: of each combination its title, tables and figures.
        ``comparisons``: of each its title, tables and figures.
    """
    used = {run.stem for item in study.combinations for run in item.runs}
    return {
        "runs_table": study.runs_table,
        "search": [dict(row) for row in study.left_out],
        "unused": [[run, study.excluded.get(run, NOT_CHOSEN)] for run in sorted(set(study.run) - used)],
        "combined": sorted({stem for stem, _, _ in study.combined_runs}),
        "groups": list(_groups(study)),
        "pages": list(_pages(study)),
        "runs": list(_runs(study)),
        "contrasts": list(_contrasts(study)),
        "maps": list(_maps(study)),
        "reliability": list(_reliability(study)),
        "comparisons": list(_comparisons(study)),
    }


def nodes_tables(study: Study) -> dict[str, str]:
    """Name for each seed set that is used a nodes table of the group of all runs."""
    return {
        item.seed_set: names.group_result(ALL_RUNS, item.seed_set, item.denoising, item.estimator, "nodes.tsv")
        for item in study.combinations
    }


def measured(study: Study) -> dict[str, list[str]]:
    """Name the results of single runs that tell of quality.

    Returns
    -------
    dict of str to list of str
        ``cleaned``: a sidecar for each run, seed set and denoising; ``nodes`` and ``extracted``: for each of these the
        nodes table and the sidecar of the extraction; ``connectomes``: the sidecars of all connectomes.
    """
    signals = {
        (run.stem, item.seed_set, item.denoising): run.folder for item in study.combinations for run in item.runs
    }
    of_signals = [(folder, *labels) for labels, folder in sorted(signals.items())]
    return {
        "nodes": [names.sphere_signals(*labels[:3], "nodes.tsv") for labels in of_signals],
        "extracted": [names.sphere_signals(*labels[:3], "timeseries.json") for labels in of_signals],
        "cleaned": [names.cleaned_signals(*labels, "timeseries.json") for labels in of_signals],
        "connectomes": [
            names.connectome(each.folder, each.stem, item.seed_set, item.denoising, item.estimator, "relmat.json")
            for item in study.combinations
            for each in study.connected(item)
        ],
    }


def _groups(study: Study) -> Iterator[dict[str, Any]]:
    for item in study.combinations:
        labels = (item.seed_set, item.denoising, item.estimator)
        for group in groups_of(item.members, study.groups):
            yield {
                "group": group.words,
                "seed_set": item.seed_set,
                "denoising": item.denoising,
                "estimator": item.estimator,
                "sidecar": names.group_result(group.label, *labels, "stat-mean_relmat.json"),
                "figures": [
                    [figure_words(suffix), names.connectome_figure("group", group.label, *labels, suffix)]
                    for suffix in group_suffixes(study, item, group.label)
                ],
            }


def _contrasts(study: Study) -> Iterator[dict[str, Any]]:
    drawn = "contrast" in study.figures["kinds"]
    for contrast in study.contrasts:
        figures = contrasted.figures_of(contrast, study.figures["format"]) if drawn else {}
        yield {
            "title": contrasted.title(contrast).replace("\n", ", "),
            "label": contrast.label,
            **{
                key: names.contrast_result(*contrast.labels, contrasted.TABLES[key])
                for key in ("sidecar", "components", "pairs", "edges")
            },
            "figures": [[CONTRAST_FIGURES[kind], path] for kind, path in figures.items()],
        }


def _maps(study: Study) -> Iterator[dict[str, Any]]:
    if "map" not in study.figures["kinds"]:
        return
    for maps in study.maps:
        for group in groups_of(maps.runs, study.groups):
            suffix = f"slices.{study.figures['format']}"
            yield {
                "title": f"{maps.label} ({maps.settings['kind']}), {maps.seed_set}, {maps.denoising}",
                "group": group.words,
                "figures": [
                    [name, names.seed_map_figure(group.label, *maps.labels, seed, suffix)]
                    for seed, name in maps.seeds.items()
                ],
            }


def _reliability(study: Study) -> Iterator[dict[str, Any]]:
    drawn = "reliability" in study.figures["kinds"]
    for reliability in study.reliabilities:
        figures = reliability.figures(study.figures["format"]) if drawn else {}
        yield {
            "title": reliability.title,
            **reliability.results(TABLES),
            "lengths_sidecar": reliability.results(OF_LENGTHS)["lengths_sidecar"] if reliability.has_lengths else None,
            "figures": [[RELIABILITY_FIGURES[kind], path] for kind, path in figures.items()],
        }


def _comparisons(study: Study) -> Iterator[dict[str, Any]]:
    drawn = "comparison" in study.figures["kinds"]
    for comparison in study.comparisons:
        figures = comparison.figures(study.figures["format"]) if drawn else {}
        yield {
            "title": comparison.title,
            **comparison.tables(),
            "figures": [[COMPARISON_FIGURES[kind], path] for kind, path in figures.items()],
        }


def _pages(study: Study) -> Iterator[dict[str, str]]:
    if "page" in study.figures["kinds"]:
        for seed_set, denoising in sorted({(item.seed_set, item.denoising) for item in study.combinations}):
            path = names.page(*ALL_GROUPS, seed_set, denoising)
            yield {"seed_set": seed_set, "denoising": denoising, "path": path}


def _runs(study: Study) -> Iterator[dict[str, Any]]:
    kinds, extension = study.figures["kinds"], study.figures["format"]
    links: dict[tuple[str, str, str], dict[str, str]] = {}
    for item in study.combinations:
        cleaned = {each.stem: each for each in study.cleaned(item)}
        connected = {each.stem: each for each in study.connected(item)}
        for stem, each in (cleaned | connected).items():
            if stem not in study.figure_runs:
                continue
            labels = (each.folder, each.stem, item.seed_set, item.denoising)
            of_owner = links.setdefault((stem, item.seed_set, item.denoising), {})
            if stem in cleaned and "signals" in kinds:
                of_owner[names.signals_figure(*labels, extension)] = "signals"
            if stem in connected:
                if "page" in kinds:
                    of_owner[names.page(*labels)] = "interactive page"
                for suffix in connectome_suffixes(study, item.seed_set):
                    path = names.connectome_figure(*labels, item.estimator, suffix)
                    of_owner[path] = f"{item.estimator}: {figure_words(suffix)}"
    for (stem, seed_set, denoising), of_run in sorted(links.items()):
        pages_first = sorted(of_run.items(), key=lambda item: PAGE_FIRST.get(item[1], 2))
        in_order = [[words, path] for path, words in pages_first]
        yield {"run": stem, "seed_set": seed_set, "denoising": denoising, "links": in_order}


def figure_words(suffix: str) -> str:
    """Say what a figure shows, from how its name ends: ``glassbrain-ortho.png`` is a "glass brain, ortho"."""
    kind, _, views = suffix.partition(".")[0].partition("-")
    return FIGURES[kind] + (f", {views}" if views else "")
