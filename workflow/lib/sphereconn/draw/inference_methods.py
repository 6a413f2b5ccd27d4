"""The paragraphs of a methods section on contrasts and on seed maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sphereconn.draw.contrast_words import asked
from sphereconn.draw.references import (
    BAGGIO,
    BENJAMINI_HOCHBERG,
    COMBAT,
    COVBAT,
    NOBLE,
    SMITH_NICHOLS,
    WINKLER,
    ZALESKY,
    Cite,
)

_MAP_KINDS = {
    "correlation": "the correlation between a sphere and each voxel inside the brain mask",
    "semipartial correlation": "the correlation of each voxel inside the brain mask with the signal of a sphere after"
    " regressing out the signals of the other spheres",
    "percent signal change": "the change of each voxel inside the brain mask, in percent of its mean, per standard"
    " deviation of the signal of a sphere",
}


def inference(contrasts: Sequence[Mapping[str, Any]], cite: Cite) -> str:
    """Return how contrasts were tested.

    Parameters
    ----------
    contrasts
        Their sidecars; a contrast that is tested in several combinations is described once.
    cite
        Notes a reference.
    """
    tests = {test for item in contrasts if item["NumberOfPermutations"] for test in item["Settings"]["tests"]}
    sentences = [
        "Linear models were fitted to every edge"
        + (", to Fisher’s z of correlations" if any(item["Unit"] == "Fisher's z" for item in contrasts) else "")
        + ", over the runs that had the edge; continuous variables were centred on their mean.",
        *dict.fromkeys(asked(item) for item in contrasts),
    ]
    if any(item["NumberOfPermutations"] for item in contrasts):
        families = ["across edges by the maximum statistic"]
        if "components" in tests:
            families.append(f"across connected components by their extent and intensity ({cite(ZALESKY).in_brackets})")
        if "tfnbs" in tests:
            families.append(f"across edges by threshold-free network-based statistics ({cite(BAGGIO).in_brackets})")
        if "network_pairs" in tests:
            families.append(f"across pairs of networks by their mean statistic ({cite(NOBLE).in_brackets})")
        sentences.append(
            "Permutations followed the Freedman–Lane procedure and respected the exchangeability of the design"
            f" ({cite(WINKLER).in_brackets}). The observed data were counted as one permutation; p values were"
            f" corrected for the family-wise error rate {'; '.join(families)}."
        )
    sentences.append(f"The false discovery rate was controlled following {cite(BENJAMINI_HOCHBERG).in_text}.")
    for chosen in {repr(item["Settings"]["harmonize"]): item["Settings"]["harmonize"] for item in contrasts}.values():
        if chosen:
            how = cite(COMBAT).in_brackets
            if chosen["covariance_share"]:
                how += f"; {cite(COVBAT).in_brackets}"
            kept = f", keeping the effects of {' and '.join(chosen['keep'])}" if chosen["keep"] else ""
            sentences.append(
                f"Differences between levels of {chosen['column']} were harmonized with ComBat ({how}){kept}."
            )
    return " ".join(sentences)


def seed_maps(maps: Mapping[str, Mapping[str, Any]], cite: Cite) -> str:
    """Return how seed maps were made and tested, from their settings by label."""
    kinds = dict.fromkeys(_MAP_KINDS[item["kind"]] for item in maps.values())
    widths = sorted({item["smoothing_fwhm"] for item in maps.values()} - {0})
    smoothed = (
        " Images were smoothed within the mask with a Gaussian kernel of"
        f" {' or '.join(f'{width:g}' for width in widths)} mm full width at half maximum."
        if widths
        else ""
    )
    correlations = any(item["kind"] != "percent signal change" for item in maps.values())
    z = " Correlations were transformed to Fisher’s z before averaging." if correlations else ""
    return (
        f"Seed maps were computed as {'; and as '.join(kinds)}. Voxels were cleaned in the same way as the"
        f" spheres.{smoothed}{z} For group maps, the runs of each subject were averaged first."
        f"{_tested_maps(maps, cite)}"
    )


def _tested_maps(maps: Mapping[str, Mapping[str, Any]], cite: Cite) -> str:
    tested = [item for item in maps.values() if item["contrasts"]]
    if not tested:
        return ""
    labels = dict.fromkeys(label for item in tested for label in item["contrasts"])
    clusters = dict.fromkeys((item["cluster_p"], item["neighbours"]) for item in tested)
    extents = " or ".join(f"p < {p:g} with {neighbours}-neighbour connectivity" for p, neighbours in clusters)
    return (
        f" The linear models of {' and '.join(labels)} were fitted to every voxel. P values were corrected"
        f" for all voxels by permutation ({cite(WINKLER).in_brackets}), using the maximum statistic, threshold-free"
        f" cluster enhancement ({cite(SMITH_NICHOLS).in_brackets}) and the extent of clusters (two-sided uncorrected"
        f" {extents})."
    )
