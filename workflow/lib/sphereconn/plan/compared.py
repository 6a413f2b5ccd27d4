"""The products of reliability and of comparisons of denoising and radii."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from sphereconn.plan.product import Product, Shown, ending, endings, named
from sphereconn.study import names
from sphereconn.study.comparisons import DenoisingComparison
from sphereconn.study.groups import ALL_RUNS
from sphereconn.study.radius_comparisons import RadiusComparison
from sphereconn.study.reliabilities import Reliability
from sphereconn.study.study import Combination, Study

# The outputs of a rule, by what the rule calls them: how the names of the files end.
RELIABILITY = {
    "edges": "edges.tsv",
    "pairs": "networkpairs.tsv",
    "summary": "summary.tsv",
    "identification": "identification.tsv",
    "similarity": "similarity.tsv",
    "sidecar": "reliability.json",
    **{short: f"stat-{short}_relmat.tsv" for short in ("icc11", "icc21", "icc31")},
}
HALVES = {"stack": "stack.npy", "runs": "stack.tsv", "stacked": "stack.json"}
LENGTHS = {"lengths": "minutes.tsv", "lengths_sidecar": "minutes.json"}
ORGANIZATION = {"organization": "organization.tsv", "organization_sidecar": "organization.json"}
COMPARISON = {
    "criteria": "criteria.tsv",
    "distance": "distance.tsv",
    "similarity": "similarity.tsv",
    "motion_groups": "motiongroups.tsv",
    "sidecar": "comparison.json",
}
RADII = {"radii": "radii.tsv", "similarity": "similarity.tsv", "sidecar": "radii.json"}
# Of each denoising, for every edge: its dependence on motion, and the difference between those who move most and least.
OF_DENOISING = {"qcfc": "stat-qcfc_relmat.tsv", "difference": "stat-motiondifference_relmat.tsv"}
OF_RELIABILITY = {
    "icc": Shown("icc", "ICC(1,1) of edges"),
    "networks": Shown("networks", "mean ICC(1,1) of pairs of networks"),
    "similarity": Shown("similarity", "similarity of all runs"),
    "lengths": Shown("minutes", "by the length of the scan"),
}
OF_COMPARISON = {
    "criteria": Shown("criteria", "all criteria for each denoising"),
    "distance": Shown("distance", "dependence on motion by distance between nodes"),
    "motion_groups": Shown("motiongroups", "most against least motion over the distance between nodes"),
}
OF_RADII = {"radii": Shown("radii", "every measure over the radius")}


def reliability_figures(reliability: Reliability) -> dict[str, Shown]:
    """Return the figures of reliability; the length of the scan has one only where it is looked at."""
    return {kind: figure for kind, figure in OF_RELIABILITY.items() if kind != "lengths" or reliability.has_lengths}


def of_all_runs(items: Sequence[Combination], suffix: str) -> list[str]:
    """Name a result of all runs for each combination that is compared."""
    return [names.group_result(ALL_RUNS, *item.labels, suffix) for item in items]


def of_contrasts(compared: RadiusComparison, suffix: str) -> list[str]:
    """Name a result of each contrast for each radius, contrast by contrast."""
    return [
        names.contrast_result(label, *item.labels, suffix) for label in compared.contrasts for item in compared.items
    ]


def of_reliability(compared: RadiusComparison) -> list[str]:
    """Name the sidecar of the reliability of each radius."""
    return [names.reliability_result(*each.labels, RELIABILITY["sidecar"]) for each in compared.reliability]


def of_each_denoising(comparison: DenoisingComparison) -> dict[str, list[str]]:
    """Name what a comparison has of every edge for each denoising, by what the rule that makes it calls it."""
    return {
        key: [
            names.compared_denoising(comparison.seed_set, label, comparison.estimator, suffix)
            for label in comparison.denoising
        ]
        for key, suffix in OF_DENOISING.items()
    }


def reliability_results(study: Study) -> Iterator[Product]:
    """Name the measures of reliability, what they are measured with, and their figures."""
    drawn = "reliability" in study.figures["kinds"]
    for reliability in study.reliabilities:
        labels = (reliability.label, *reliability.item.labels)
        if not reliability.over:
            yield Product(ending(names.reliability_result, reliability.labels, HALVES), *labels)
        yield Product(ending(names.reliability_result, reliability.labels, RELIABILITY), *labels)
        if reliability.has_lengths:
            yield Product(ending(names.reliability_result, reliability.labels, LENGTHS), *labels)
        shown = reliability_figures(reliability) if drawn else {}
        figures = named(names.reliability_figure, reliability.labels, endings(shown, study.figures["format"]))
        for kind, path in figures.items():
            yield Product((path,), *labels, shows=shown[kind].shows)


def comparison_results(study: Study) -> Iterator[Product]:
    """Name the comparisons of denoising and radii, what they need of each connectome, and their figures."""
    drawn = "comparison" in study.figures["kinds"]
    for comparison in study.comparisons:
        labels = {"whose": "comparison", "seed_set": comparison.seed_set, "estimator": comparison.estimator}
        for denoising in comparison.denoising:
            of_one = (ALL_RUNS, comparison.seed_set, denoising, comparison.estimator)
            yield Product(ending(names.group_result, of_one, ORGANIZATION), **labels, denoising=denoising)
        tables = ending(names.comparison_result, comparison.labels, COMPARISON)
        yield Product((*tables, *chain(*of_each_denoising(comparison).values())), **labels)
        shown = OF_COMPARISON if drawn else {}
        figures = named(names.comparison_figure, comparison.labels, endings(shown, study.figures["format"]))
        for kind, path in figures.items():
            yield Product((path,), **labels, shows=shown[kind].shows)
    for compared in study.radius_comparisons:
        of_radii = ("comparison", *compared.labels)
        yield Product(ending(names.radii_result, compared.labels, RADII), *of_radii)
        figures = named(
            names.radii_figure, compared.labels, endings(OF_RADII if drawn else {}, study.figures["format"])
        )
        for kind, path in figures.items():
            yield Product((path,), *of_radii, shows=OF_RADII[kind].shows)
