"""The products of reliability and of comparisons of denoising and radii."""

from __future__ import annotations

from collections.abc import Iterator

from sphereconn.plan.product import Product
from sphereconn.study.comparisons import DIFFERENCE, ORGANIZATION, QCFC
from sphereconn.study.reliabilities import MATRICES, OF_HALVES, OF_LENGTHS, TABLES
from sphereconn.study.study import Study

# Figure -> what it shows.
OF_RELIABILITY = {
    "icc": "ICC(1,1) of edges",
    "networks": "mean ICC(1,1) of pairs of networks",
    "similarity": "likeness of all runs",
    "lengths": "by the length of the scan",
}
OF_COMPARISON = {
    "criteria": "every criterion, denoising by denoising",
    "distance": "dependence on motion over the distance between nodes",
    "motion_groups": "most against least motion over the distance between nodes",
}
OF_RADII = "every measure over the radius"


def reliability_results(study: Study) -> Iterator[Product]:
    """Name the measures of reliability, what they are measured with, and their figures."""
    drawn = "reliability" in study.figures["kinds"]
    for reliability in study.reliabilities:
        labels = (reliability.label, *reliability.item.labels)
        if not reliability.over:
            yield Product(tuple(reliability.results(OF_HALVES).values()), *labels)
        yield Product(tuple(reliability.results(TABLES | MATRICES).values()), *labels)
        if reliability.has_lengths:
            yield Product(tuple(reliability.results(OF_LENGTHS).values()), *labels)
        for kind, path in reliability.figures(study.figures["format"]).items() if drawn else ():
            yield Product((path,), *labels, shows=OF_RELIABILITY[kind])


def comparison_results(study: Study) -> Iterator[Product]:
    """Name the comparisons of denoising and radii, what they need of each connectome, and their figures."""
    drawn = "comparison" in study.figures["kinds"]
    for comparison in study.comparisons:
        labels = {"whose": "comparison", "seed_set": comparison.seed_set, "estimator": comparison.estimator}
        of_each = zip(*(comparison.stacked(suffix) for suffix in ORGANIZATION.values()), strict=True)
        for denoising, files in zip(comparison.denoising, of_each, strict=True):
            yield Product(files, **labels, denoising=denoising)
        matrices = (*comparison.matrices(QCFC), *comparison.matrices(DIFFERENCE))
        yield Product((*comparison.tables().values(), *matrices), **labels)
        for kind, path in comparison.figures(study.figures["format"]).items() if drawn else ():
            yield Product((path,), **labels, shows=OF_COMPARISON[kind])
    for compared in study.radius_comparisons:
        of_radii = ("comparison", *compared.labels)
        yield Product(tuple(compared.tables().values()), *of_radii)
        if drawn:
            yield Product((compared.figure(study.figures["format"]),), *of_radii, shows=OF_RADII)
