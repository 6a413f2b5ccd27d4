"""Which figures a study asks for, and how each is to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sphereconn.study import names
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.study import Combination, Study

ALL_GROUPS = ("group", "groups")  # folder and stem of the page that has every group


def style(study: Study, kind: str, seed_set: str) -> dict[str, Any]:
    """Give the settings of a kind of figure for a seed set: those of all seed sets, with the exceptions of this one."""
    exceptions: Mapping[str, Any] = study.figures["seed_sets"].get(seed_set, {})
    return {**study.figures.get(kind, {}), **exceptions.get(kind, {})}


def connectome_suffixes(study: Study, seed_set: str) -> list[str]:
    """Name the figures of one connectome by the ends of their names, such as ``glassbrain-ortho.png``."""
    kinds, extension = study.figures["kinds"], study.figures["format"]
    suffixes = ["relmat"] if "matrix" in kinds else []
    if "networks" in kinds and study.networks[seed_set] > 1:
        suffixes.append("networks")
    if "glass_brain" in kinds:
        suffixes += [f"glassbrain-{views}" for views in style(study, "glass_brain", seed_set)["views"]]
    if "strength" in kinds:
        suffixes.append("strength")
    return [f"{suffix}.{extension}" for suffix in suffixes]


def group_suffixes(study: Study, item: Combination, group: str) -> list[str]:
    """Name the figures of a group likewise; the group of all runs has the path of penalties of a joint fit."""
    fitted = group == ALL_RUNS and item.estimator in study.group_sparse_estimators
    has_path = fitted and "path" in study.figures["kinds"]
    path = [f"path.{study.figures['format']}"] if has_path else []
    return connectome_suffixes(study, item.seed_set) + path


def figures(study: Study) -> Iterator[str]:
    """Name every figure and page, relative to the output folder; one may come more than once."""
    kinds, extension = study.figures["kinds"], study.figures["format"]
    for item in study.combinations:
        labels = (item.seed_set, item.denoising, item.estimator)
        drawn = [each for each in study.connected(item) if each.stem in study.figure_runs]
        for each in drawn:
            for suffix in connectome_suffixes(study, item.seed_set):
                yield names.connectome_figure(each.folder, each.stem, *labels, suffix)
        for group in groups_of(item.members, study.groups):
            for suffix in group_suffixes(study, item, group.label):
                yield names.connectome_figure("group", group.label, *labels, suffix)
        if "path" in kinds and item.estimator in study.sparse_estimators:
            for each in study.estimated(item):
                if each.stem in study.figure_runs:
                    yield names.connectome_figure(each.folder, each.stem, *labels, f"path.{extension}")
        if "signals" in kinds:
            for each in study.cleaned(item):
                if each.stem in study.figure_runs:
                    yield names.signals_figure(each.folder, each.stem, item.seed_set, item.denoising, extension)
        if "page" in kinds:
            for whose in [*((each.folder, each.stem) for each in drawn), ALL_GROUPS]:
                yield names.page(*whose, item.seed_set, item.denoising)
