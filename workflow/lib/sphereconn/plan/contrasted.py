"""The files of contrasts: what there is when a study is finished."""

from __future__ import annotations

from collections.abc import Iterator

from sphereconn.plan.product import Product, Shown, ending, endings, named
from sphereconn.study import names
from sphereconn.study.contrasts import Contrast, Permuted
from sphereconn.study.study import Study

# How the name of a contrast starts where a group's could stand.
PREFIX = "contrast-"
MATRICES = {
    statistic: f"stat-{statistic}_relmat.tsv"
    for statistic in ("effect", "statistic", "p", "fdr", "fwe", "tfnbs", "significant")
}
TABLES = {
    "edges": "edges.tsv",
    "components": "components.tsv",
    "pairs": "networkpairs.tsv",
    "strongest": "strongest.tsv",
    "design": "design.tsv",
    "sidecar": "contrast.json",
}
FIGURES = {
    "matrix": Shown("effects", "effects (above the diagonal: significant effects)"),
    "glass_brain": Shown("significant", "significant edges and components in the brain"),
    "pairs": Shown("networkpairs", "pairs of networks"),
    "strongest": Shown("strongest", "edges with the smallest p"),
}


def tested(contrast: Contrast) -> dict[str, str]:
    """Return how the results of a contrast end: without permutations it has no corrected p by maximum statistics."""
    tests, permuted = contrast.settings["tests"], contrast.settings["permutations"] > 0
    lacking = {"fwe", "tfnbs"} if not permuted else set() if "tfnbs" in tests else {"tfnbs"}
    return TABLES | {statistic: suffix for statistic, suffix in MATRICES.items() if statistic not in lacking}


def chunks(contrast: Permuted) -> dict[str, str]:
    """Return how the files of permutations end, by the number of the job that makes them."""
    return {f"{number:03d}": f"shuffles{number:03d}.npz" for number in range(contrast.n_chunks)}


def tested_words(contrast: Permuted) -> str:
    """Say what is tested: ``age``, or the column of which levels are compared."""
    test = contrast.settings["test"]
    return test if isinstance(test, str) else " and ".join(test)


def asked_words(contrast: Permuted) -> str:
    """Say what a contrast is called and what it tests, with the weights of levels."""
    test = contrast.settings["test"]
    words = tested_words(contrast)
    if not isinstance(test, (str, list)):
        weights = next(iter(test.values()))
        words += ": " + ", ".join(f"{weight:+g} {level}".replace("-", "\u2212") for level, weight in weights.items())
    return contrast.label if words == contrast.label else f"{contrast.label} ({words})"


def title(contrast: Contrast) -> str:
    """Say what a figure of a contrast shows: what is tested, and which settings made it."""
    return f"{asked_words(contrast)}\n{', '.join(contrast.labels[1:])}"


def contrast_results(study: Study) -> Iterator[Product]:
    """Name the results of contrasts: the permutations, the tests, the figures."""
    drawn = "contrast" in study.figures["kinds"]
    for contrast in study.contrasts:
        labels = (PREFIX + contrast.label, *contrast.item.labels)
        for chunk in ending(names.contrast_result, contrast.labels, chunks(contrast)):
            yield Product((chunk,), *labels)
        yield Product(ending(names.contrast_result, contrast.labels, tested(contrast)), *labels)
        shown = endings(FIGURES if drawn else {}, study.figures["format"])
        for kind, path in named(names.contrast_figure, contrast.labels, shown).items():
            yield Product((path,), *labels, shows=FIGURES[kind].shows)
