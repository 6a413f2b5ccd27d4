"""Which figures a study asks for, and how each is to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sphereconn.plan.product import Product
from sphereconn.study import names
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.study import Combination, Study

PAGE, SIGNALS = "interactive page", "signals"  # what these show


class Figure(NamedTuple):
    """A kind of figure: how a name ends, what it shows, what is being drawn, and whether in outlines of the brain."""

    ending: str
    shows: str
    drawing: str
    on_brain: bool = False


OF_CONNECTOMES = ("matrix", "networks", "glass_brain", "strength")
FIGURES = {
    "matrix": Figure("relmat", "matrix", "as a matrix"),
    "networks": Figure("networks", "networks", "by network"),
    "glass_brain": Figure("glassbrain-{views}", "glass brain, {views}", "in a glass brain", on_brain=True),
    "strength": Figure("strength", "node strength", "as node strengths", on_brain=True),
    "path": Figure("path", "penalties tried", "by the penalties tried"),
}
ALL_GROUPS = ("group", "groups")  # folder and stem of the page that has every group


def style(study: Study, kind: str, seed_set: str) -> dict[str, Any]:
    """Give the settings of a kind of figure for a seed set: those of all seed sets, with the exceptions of this one."""
    exceptions: Mapping[str, Any] = study.figures["seed_sets"].get(seed_set, {})
    return {**study.figures.get(kind, {}), **exceptions.get(kind, {})}


def connectome_figures(study: Study, seed_set: str) -> dict[str, str]:
    """Return the figures of one connectome: how a name ends, such as ``glassbrain-ortho.png`` -> what it shows."""
    chosen = {kind: FIGURES[kind] for kind in OF_CONNECTOMES if kind in study.figures["kinds"]}
    if study.networks[seed_set] < 2:
        chosen.pop("networks", None)
    return {
        f"{figure.ending.format(views=views)}.{study.figures['format']}": figure.shows.format(views=views)
        for kind, figure in chosen.items()
        for views in (style(study, kind, seed_set)["views"] if kind == "glass_brain" else [""])
    }


def on_common_scale(study: Study, group: str, estimator: str) -> bool:
    """Tell whether a group is drawn on the scale that groups share: what all runs of a tangent space show is not.

    That is the geometric mean, not the mean displacement from it, which is zero.
    """
    return not (group == ALL_RUNS and estimator in study.tangent_estimators)


def figures(study: Study) -> Iterator[Product]:
    """Name the figures of recordings and groups, and the pages; pages, figures of signals and scales come again."""
    kinds, extension = study.figures["kinds"], study.figures["format"]
    for item in study.shown:
        drawn = [(each.folder, each.stem) for each in study.connected(item) if each.stem in study.figure_runs]
        groups = [("group", group.label) for group in groups_of(item.members, study.groups)]
        shown = connectome_figures(study, item.seed_set)
        if shown:
            yield Product((names.figure_scale(item.seed_set, item.estimator),), ALL_GROUPS[1], item.seed_set)
        for folder, whose in [*drawn, *groups]:
            for suffix, words in shown.items():
                path = names.connectome_figure(folder, whose, *item.labels, suffix)
                table = [names.network_table(folder, whose, *item.labels)] if words == FIGURES["networks"].shows else []
                yield Product((path, *table), whose, *item.labels, shows=words)
        for folder, whose in _fitted(study, item) if "path" in kinds else ():
            path = names.connectome_figure(folder, whose, *item.labels, f"{FIGURES['path'].ending}.{extension}")
            yield Product((path,), whose, *item.labels, shows=FIGURES["path"].shows)
        for each in study.cleaned(item) if "signals" in kinds else ():
            if each.stem in study.figure_runs:
                path = names.signals_figure(each.folder, each.stem, item.seed_set, item.denoising, extension)
                yield Product((path,), each.stem, item.seed_set, item.denoising, shows=SIGNALS)
        for folder, whose in [*drawn, ALL_GROUPS] if "page" in kinds else ():
            path = names.page(folder, whose, item.seed_set, item.denoising)
            yield Product((path,), whose, item.seed_set, item.denoising, shows=PAGE)


def _fitted(study: Study, item: Combination) -> list[tuple[str, str]]:
    """List what a sparse inverse covariance was fitted to: each recording that is drawn, or all runs at once."""
    if item.estimator in study.group_sparse_estimators:
        return [("group", ALL_RUNS)]
    if item.estimator not in study.sparse_estimators:
        return []
    return [(each.folder, each.stem) for each in study.estimated(item) if each.stem in study.figure_runs]
