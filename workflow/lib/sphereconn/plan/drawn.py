"""Which figures a study asks for, and how each is to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sphereconn.plan.product import Product
from sphereconn.study import names
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.study import Combination, Study

PAGE, SIGNALS, PATH = "interactive page", "signals", "penalties tried"  # what these figures show
ALL_GROUPS = ("group", "groups")  # folder and stem of the page that has every group


def style(study: Study, kind: str, seed_set: str) -> dict[str, Any]:
    """Give the settings of a kind of figure for a seed set: those of all seed sets, with the exceptions of this one."""
    exceptions: Mapping[str, Any] = study.figures["seed_sets"].get(seed_set, {})
    return {**study.figures.get(kind, {}), **exceptions.get(kind, {})}


def connectome_figures(study: Study, seed_set: str) -> dict[str, str]:
    """Return the figures of one connectome: how a name ends, such as ``glassbrain-ortho.png`` -> what it shows."""
    kinds = study.figures["kinds"]
    shown = {"relmat": "matrix"} if "matrix" in kinds else {}
    if "networks" in kinds and study.networks[seed_set] > 1:
        shown["networks"] = "networks"
    if "glass_brain" in kinds:
        views = style(study, "glass_brain", seed_set)["views"]
        shown |= {f"glassbrain-{view}": f"glass brain, {view}" for view in views}
    if "strength" in kinds:
        shown["strength"] = "node strength"
    return {f"{suffix}.{study.figures['format']}": words for suffix, words in shown.items()}


def figures(study: Study) -> Iterator[Product]:
    """Name the figures of recordings and groups, and the pages; pages and figures of signals come again."""
    kinds, extension = study.figures["kinds"], study.figures["format"]
    for item in study.combinations:
        drawn = [(each.folder, each.stem) for each in study.connected(item) if each.stem in study.figure_runs]
        groups = [("group", group.label) for group in groups_of(item.members, study.groups)]
        shown = connectome_figures(study, item.seed_set)
        for folder, whose in [*drawn, *groups]:
            for suffix, words in shown.items():
                path = names.connectome_figure(folder, whose, *item.labels, suffix)
                yield Product((path,), whose, *item.labels, shows=words)
        for folder, whose in _fitted(study, item) if "path" in kinds else ():
            path = names.connectome_figure(folder, whose, *item.labels, f"path.{extension}")
            yield Product((path,), whose, *item.labels, shows=PATH)
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
