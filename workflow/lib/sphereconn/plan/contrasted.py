"""The files of contrasts: what there is when a study is finished."""

from __future__ import annotations

from collections.abc import Iterator

from sphereconn.plan.product import Product
from sphereconn.study import names
from sphereconn.study.contrasts import Contrast, Permuted
from sphereconn.study.study import Study

# How the name of a contrast starts where a group's could stand.
PREFIX = "contrast-"
MATRICES = ("effect", "statistic", "p", "fdr", "fwe", "tfnbs", "significant")
TABLES = {
    "edges": "edges.tsv",
    "components": "components.tsv",
    "pairs": "networkpairs.tsv",
    "strongest": "strongest.tsv",
    "design": "design.tsv",
    "sidecar": "contrast.json",
}
SHOWN = {
    "matrix": "effects, and above the diagonal the significant ones",
    "glass_brain": "significant edges in the brain",
    "pairs": "pairs of networks",
    "strongest": "edges with the smallest p",
}
FIGURES = {"matrix": "effects", "glass_brain": "significant", "pairs": "networkpairs", "strongest": "strongest"}


def matrices(contrast: Contrast) -> tuple[str, ...]:
    """Return of what a contrast has a matrix: without permutations it has no corrected p by maximum statistics."""
    tests, permuted = contrast.settings["tests"], contrast.settings["permutations"] > 0
    lacking = {"fwe", "tfnbs"} if not permuted else set() if "tfnbs" in tests else {"tfnbs"}
    return tuple(statistic for statistic in MATRICES if statistic not in lacking)


def matrix_name(contrast: Contrast, statistic: str) -> str:
    """Name the matrix of a statistic."""
    return names.contrast_result(*contrast.labels, f"stat-{statistic}_relmat.tsv")


def chunks(contrast: Contrast) -> list[str]:
    """Name the files of permutations."""
    return [names.contrast_result(*contrast.labels, f"shuffles{number:03d}.npz") for number in range(contrast.n_chunks)]


def figures_of(contrast: Contrast, extension: str) -> dict[str, str]:
    """Name the figures of a contrast, by what they show."""
    return {kind: names.contrast_figure(*contrast.labels, f"{suffix}.{extension}") for kind, suffix in FIGURES.items()}


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
        for chunk in chunks(contrast):
            yield Product((chunk,), *labels)
        tables = [names.contrast_result(*contrast.labels, suffix) for suffix in TABLES.values()]
        yield Product((*tables, *(matrix_name(contrast, statistic) for statistic in matrices(contrast))), *labels)
        figures = figures_of(contrast, study.figures["format"]) if drawn else {}
        for kind, path in figures.items():
            yield Product((path,), *labels, shows=SHOWN[kind])
