"""Differences of two groups, or of two denoisings, that are drawn without a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sphereconn.plan.drawn import on_common_scale
from sphereconn.plan.product import Product, Shown
from sphereconn.study import names
from sphereconn.study.groups import ALL_RUNS, groups_of
from sphereconn.study.study import Study

DENOISING = "denoising"
FIGURES = {
    "matrix": Shown("difference", "both and their difference"),
    "brain": Shown("difference-brain", "both and their difference in the brain"),
}


class Difference(NamedTuple):
    """A difference: how it is called in file names and in words, its own labels, and the two groups that it is of.

    A group is its label and the labels of its combination.
    """

    whose: str
    words: str
    labels: tuple[str, str, str]
    captions: tuple[str, str]
    groups: tuple[tuple[str, str, str, str], tuple[str, str, str, str]]


def differences(study: Study) -> Iterator[Difference]:
    """List the differences that a study draws: of each entry, one for every combination that has both."""
    for entry in study.figures["differences"]:
        ((column, (one, two)),) = entry.items()
        for item in study.shown:
            if column == DENOISING:
                other = (item.seed_set, two, item.estimator)
                groups = [ALL_RUNS, ALL_RUNS] if item.denoising == one and other in study.combination else []
                whose = f"denoising-{one}_minus-{two}"
            else:
                other = item.labels
                by_level = {
                    group.level: group for group in groups_of(item.members, study.groups) if group.column == column
                }
                groups = [by_level[level].label for level in (one, two)] if {one, two} <= set(by_level) else []
                whose = f"{groups[0]}_minus-{groups[1].partition('-')[2]}" if groups else ""
            if groups and all(on_common_scale(study, group, item.estimator) for group in groups):
                pair = (groups[0], *item.labels), (groups[1], *other)
                yield Difference(whose, f"{column}: {one} minus {two}", item.labels, (one, two), pair)


def difference_figures(study: Study) -> Iterator[Product]:
    """Name the figures of differences."""
    for item in differences(study):
        for figure in FIGURES.values():
            suffix = f"{figure.ending}.{study.figures['format']}"
            path = names.connectome_figure("group", item.whose, *item.labels, suffix)
            yield Product((path,), item.whose, *item.labels, shows=figure.shows)
