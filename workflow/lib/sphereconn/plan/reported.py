"""What the report of a study shows of it: figures of groups, links to pages and to figures of single runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sphereconn.plan import contrasted
from sphereconn.plan.compared import COMPARISON, LENGTHS, RADII, RELIABILITY
from sphereconn.plan.differences import differences
from sphereconn.plan.drawn import ALL_GROUPS, FIGURES, PAGE, SIGNALS
from sphereconn.plan.mapped import TESTED
from sphereconn.plan.product import Product, named
from sphereconn.plan.products import AGGREGATED, products
from sphereconn.study import names
from sphereconn.study.groups import ALL_RUNS, groups_of, in_no_group
from sphereconn.study.preprocessing import preprocessed_by
from sphereconn.study.study import Study

# Who is drawn, and the labels of seed set, denoising and estimator -> figures, as what they show and their path.
Figures = dict[tuple[str, str, str, str], list[list[str]]]

DRAWN = ("figures", "contrasts", "maps", "reliability", "comparison")  # stages with figures
NOT_CHOSEN = "not selected by any entry of connectomes in the configuration"
PAGE_FIRST = {PAGE: 0, SIGNALS: 1}  # the order of the links of a run; figures of connectomes follow


def reported(study: Study) -> dict[str, Any]:
    """Collect what the report of a study needs beside numbers.

    The order depends on that of the configuration for contrasts only, which stand as a person wrote them.

    Returns
    -------
    dict
        ``runs_table``: the table that lists the runs. ``preprocessed_by``: programs that made their images, with
        versions. ``search``: images that a search for runs left out, and why.
        ``unused``: runs of it that no combination uses, and why. ``in_no_group``: runs without a value in a grouping
        column, and that column. ``own_measures``: columns of the runs table that models use in place of measures that
        the study computes. ``combined``: names of combined runs. ``groups``: for each group of a combination its
        labels, its sidecar (which lists its runs), its table of means by network, where there is one, and its figures,
        as paths with what they show. ``differences``: the title and the figures of each. ``pages``: interactive pages
        of the groups. ``runs``: the same links for single runs. ``subject_pages``: of each run with
        a quality sheet the page that has it. ``contrasts``: of each its title, labels, tables and
        figures. ``maps``: figures of the seed maps of each group.
        ``reliability``: of each combination its title, tables and figures.
        ``comparisons`` and ``radii``: of each its title, tables and figures. ``published_left_out``: of each published
        strategy the runs that it is not for, and why.
        ``map_contrasts``: of each contrast of maps and each seed its title, sidecar, table and figures.
    """
    figures = _figures(products(study, *DRAWN))
    used = {run.stem for item in study.combinations for run in item.runs}
    return {
        "runs_table": study.runs_table,
        "preprocessed_by": preprocessed_by(study.run[stem].bold for stem in used),
        "search": [dict(row) for row in study.left_out],
        "unused": [[run, study.excluded.get(run, NOT_CHOSEN)] for run in sorted(set(study.run) - used)],
        "in_no_group": [
            list(item) for item in in_no_group([run for run in study.runs if run.stem in used], study.groups)
        ],
        "own_measures": study.own_measures,
        "combined": sorted({stem for stem, _, _ in study.combined_runs}),
        "groups": list(_groups(study, figures)),
        "differences": [
            {
                "title": f"{item.words} ({', '.join(item.labels)})",
                "figures": figures.get((item.whose, *item.labels), []),
            }
            for item in differences(study)
        ],
        "pages": list(_pages(study, figures)),
        "runs": list(_runs(study, figures)),
        "subject_pages": {stem: names.subject_page(study.run[stem].entities["subject"]) for stem in study.sheets},
        "contrasts": list(_contrasts(study, figures)),
        "maps": list(_maps(study, figures)),
        "reliability": list(_reliability(study, figures)),
        "comparisons": list(_comparisons(study, figures)),
        "published_left_out": {label: dict(of) for label, of in sorted(study.published_left_out.items())},
        "radii": list(_radii(study, figures)),
        "map_contrasts": list(_map_contrasts(study, figures)),
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


def _groups(study: Study, figures: Figures) -> Iterator[dict[str, Any]]:
    for item in study.shown:
        for group in groups_of(item.members, study.groups):
            shown = figures.get((group.label, *item.labels), [])
            yield {
                "group": group.words,
                "column": group.column,
                "level": group.level,
                "seed_set": item.seed_set,
                "denoising": item.denoising,
                "estimator": item.estimator,
                "sidecar": names.group_result(group.label, *item.labels, AGGREGATED["sidecar"]),
                "networks": names.network_table("group", group.label, *item.labels)
                if any(shows == FIGURES["networks"].shows for shows, _ in shown)
                else None,
                "figures": shown,
            }


def _contrasts(study: Study, figures: Figures) -> Iterator[dict[str, Any]]:
    chosen = {key: contrasted.TABLES[key] for key in ("sidecar", "components", "pairs", "edges")}
    as_written = study.contrasts_as_written.index
    for contrast in sorted(study.contrasts, key=lambda contrast: as_written(contrast.label)):
        yield {
            "title": contrasted.title(contrast).replace("\n", ", "),
            "asked": contrasted.asked_words(contrast),
            "label": contrast.label,
            "labels": list(contrast.item.labels),
            **named(names.contrast_result, contrast.labels, chosen),
            "figures": figures.get((contrasted.PREFIX + contrast.label, *contrast.item.labels), []),
        }


def _maps(study: Study, figures: Figures) -> Iterator[dict[str, Any]]:
    for maps in study.maps:
        for group in groups_of(maps.runs, study.groups):
            of_group = figures.get((group.label, maps.seed_set, maps.denoising, maps.label))
            if of_group:
                title = f"{maps.label} ({maps.settings['kind']}), {maps.seed_set}, {maps.denoising}"
                pages = figures.get((ALL_GROUPS[1], maps.seed_set, maps.denoising, maps.label), [])
                page = pages[0][1] if pages else None
                yield {"title": title, "group": group.words, "page": page, "figures": of_group}


def _map_contrasts(study: Study, figures: Figures) -> Iterator[dict[str, Any]]:
    for maps in study.maps:
        of_maps = (maps.seed_set, maps.denoising, maps.label)
        for contrast in maps.contrasts:
            whose = contrasted.PREFIX + contrast.label
            drawn = dict(figures.get((whose, *of_maps), []))
            chosen = {key: TESTED[key] for key in ("sidecar", "clusters")}
            for seed, name in maps.seeds.items():
                files = named(names.seed_map, ("group", whose, *maps.labels, seed), chosen)
                title = f"{contrasted.asked_words(contrast)}: {maps.label}, {maps.seed_set}, {maps.denoising}"
                shown = [[name, drawn[name]]] if name in drawn else []
                yield {"title": title, "seed": name, **files, "figures": shown}


def _reliability(study: Study, figures: Figures) -> Iterator[dict[str, Any]]:
    for reliability in study.reliabilities:
        files = named(names.reliability_result, reliability.labels, RELIABILITY | LENGTHS)
        yield {
            "title": reliability.title,
            **{key: files[key] for key in RELIABILITY if not key.startswith("icc")},
            "lengths_sidecar": files["lengths_sidecar"] if reliability.has_lengths else None,
            "figures": figures.get((reliability.label, *reliability.item.labels), []),
        }


def _comparisons(study: Study, figures: Figures) -> Iterator[dict[str, Any]]:
    for comparison in study.comparisons:
        shown = figures.get(("comparison", comparison.seed_set, "", comparison.estimator), [])
        files = named(names.comparison_result, comparison.labels, COMPARISON)
        yield {"title": comparison.title, **files, "figures": shown}


def _radii(study: Study, figures: Figures) -> Iterator[dict[str, Any]]:
    for compared in study.radius_comparisons:
        tables = named(names.radii_result, compared.labels, RADII)
        yield {
            "title": compared.title,
            "sidecar": tables["sidecar"],
            "radii_table": tables["radii"],
            "similarity_table": tables["similarity"],
            "figures": figures.get(("comparison", *compared.labels), []),
        }


def _pages(study: Study, figures: Figures) -> Iterator[dict[str, str]]:
    for (whose, seed_set, denoising, of_maps), shown in sorted(figures.items()):
        for words, path in shown:
            if whose == ALL_GROUPS[1] and words == PAGE and not of_maps:
                yield {"seed_set": seed_set, "denoising": denoising, "path": path}


def _runs(study: Study, figures: Figures) -> Iterator[dict[str, Any]]:
    links: dict[tuple[str, str, str], list[list[str]]] = {}
    for (whose, seed_set, denoising, estimator), shown in figures.items():
        if whose in study.figure_runs:
            words = f"{estimator}: " if estimator else ""
            links.setdefault((whose, seed_set, denoising), []).extend([words + shows, path] for shows, path in shown)
    for (run, seed_set, denoising), of_run in sorted(links.items()):
        in_order = sorted(of_run, key=lambda link: PAGE_FIRST.get(link[0], 2))
        yield {"run": run, "seed_set": seed_set, "denoising": denoising, "links": in_order}


def _figures(some: Iterable[Product]) -> Figures:
    """Sort figures by the labels of what they are of; each is listed once."""
    figures: Figures = {}
    for product in some:
        if product.shows:
            of = figures.setdefault((product.whose, product.seed_set, product.denoising, product.estimator), [])
            link = [product.shows, product.files[0]]
            if link not in of:
                of.append(link)
    return figures
