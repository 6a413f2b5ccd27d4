"""Radii compared, as panels of a figure and as text: what is shown, what came out, and what it cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sphereconn.compare.radii import MEASURES
from sphereconn.draw.radii import Line, Panel
from sphereconn.draw.references import CIRIC, Cite
from sphereconn.files import MISSING
from sphereconn.words import counted, listed

Row = Mapping[str, str]

SIMILARITY = "similarity of the connectomes of a run at two radii: r"
OF_STATISTICS = "contrasts: correlation of statistics with the smallest radius"


def _number(cell: str) -> float:
    return float("nan") if cell == MISSING else float(cell)


def panels(rows: Sequence[Row], similarity: Sequence[Row], by_chance: float | None) -> list[Panel]:
    """Return the panels of the figure: similarity first, then each measure that has a value at any radius.

    Parameters
    ----------
    rows, similarity
        Of the tables of measures and of similarity.
    by_chance
        Median magnitude of QC-FC if no edge depended on motion; None where that is not known.
    """
    of_connectomes = [row for row in similarity if row["contrast"] == MISSING]
    found = [Panel(SIMILARITY, _similarity_lines(of_connectomes), ordered=True)]
    references = {"qcfc_median_absolute": by_chance, "qcfc_significant": 0.05, "qcfc_by_distance": 0.0}
    for key, measure in MEASURES.items():
        of_measure = [row for row in rows if row["measure"] == key]
        if any(row["value"] != MISSING for row in of_measure):
            labels = list(dict.fromkeys(row["contrast"] for row in of_measure))
            lines = [
                _line("" if label == MISSING else label, [row for row in of_measure if row["contrast"] == label])
                for label in labels
            ]
            found.append(Panel(measure.words, tuple(lines), references.get(key)))
    of_contrasts = [row for row in similarity if row["contrast"] != MISSING]
    if of_contrasts:
        found.append(Panel(OF_STATISTICS, _statistic_lines(of_contrasts)))
    return found


def _line(label: str, rows: Sequence[Row]) -> Line:
    return Line(
        label, *(np.array([_number(row[key]) for row in rows]) for key in ("radius", "value", "lower", "upper"))
    )


def _similarity_lines(rows: Sequence[Row]) -> tuple[Line, ...]:
    """Give for each radius the similarity to all others; with itself it is 1."""
    radii = sorted({float(row[key]) for row in rows for key in ("radius", "other_radius")})
    alike = np.where(np.eye(len(radii), dtype=bool), 1.0, np.nan)
    for row in rows:
        one, other = (radii.index(float(row[key])) for key in ("radius", "other_radius"))
        alike[one, other] = alike[other, one] = _number(row["correlation_of_runs"])
    nothing = np.full(len(radii), np.nan)
    return tuple(
        Line(f"{radius:g} mm", np.array(radii), values, nothing, nothing)
        for radius, values in zip(radii, alike, strict=True)
    )


def _statistic_lines(rows: Sequence[Row]) -> tuple[Line, ...]:
    smallest = min(float(row["radius"]) for row in rows)
    lines = []
    for label in dict.fromkeys(row["contrast"] for row in rows):
        chosen = [row for row in rows if row["contrast"] == label and float(row["radius"]) == smallest]
        radii = np.array([smallest, *(float(row["other_radius"]) for row in chosen)])
        values = np.array([1.0, *(_number(row["correlation_of_statistics"]) for row in chosen)])
        nothing = np.full(len(radii), np.nan)
        lines.append(Line(label, radii, values, nothing, nothing))
    return tuple(lines)


def shown(key: str, cell: str) -> str:
    """Return the value of a measure as text for people.

    Examples
    --------
    >>> shown("coverage", "0.975"), shown("temporal_snr", "61.26"), shown("icc_edges", "n/a")
    ('97.5 %', '61.3', 'n/a')
    """
    if cell == MISSING:
        return cell
    value = float(cell)
    text = f"{100 * value:.1f} %" if MEASURES[key].is_share else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
    return text.replace("-", "\u2212")


def table_of_radii(rows: Sequence[Row]) -> list[list[str]]:
    """Return a row for each measure, and contrast, with a value: its words, then the value at each radius."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        found.setdefault((row["measure"], row["contrast"]), []).append(row["value"])
    return [
        [
            MEASURES[key].words + ("" if contrast == MISSING else f" ({contrast})"),
            *(shown(key, cell) for cell in cells),
        ]
        for (key, contrast), cells in found.items()
        if any(cell != MISSING for cell in cells)
    ]


def radii_compared_on(sidecar: Mapping[str, Any], similarity: Sequence[Row]) -> str:
    """Return on which runs radii were compared and how similar their connectomes are, as sentences.

    Parameters
    ----------
    sidecar
        Of the comparison.
    similarity
        Rows of its table of similarity.
    """
    sentences = [
        f"{len(sidecar['Radii'])} radii were compared on the"
        f" {counted(sidecar['RunsInCommon'], 'run')} of {counted(sidecar['SubjectsInCommon'], 'subject')} that all of"
        " them have."
    ]
    known = [row for row in similarity if row["contrast"] == MISSING and row["correlation_of_runs"] != MISSING]
    if known:
        least = min(known, key=lambda row: float(row["correlation_of_runs"]))
        between = f"{float(least['radius']):g} and {float(least['other_radius']):g} mm"
        mean = shown("icc_edges", least["correlation_of_runs"])
        sentences.append(
            f"The connectomes of a run are least similar between {between} (mean correlation over the edges {mean})."
            if len(known) > 1
            else f"The mean correlation over the edges between the connectomes of a run at {between} is {mean}."
        )
    if sidecar["QcFcNotMeasured"]:
        sentences.append(f"Dependence on motion was not measured: {sidecar['QcFcNotMeasured']}")
    return " ".join(sentences)


RADII_CAN_TELL = (
    "A larger sphere averages over more voxels: noise decreases and temporal SNR rises. It also takes in signal from"
    " neighbouring areas, and spheres that overlap share tissue, which adds correlation between neighbours that is not"
    " connectivity. Higher strength, similarity or reliability at a larger radius is therefore no evidence that the"
    " larger radius is better: shared tissue is reliable, too. The numbers show how much a conclusion depends on the"
    " radius."
)


def methods_of_radii(radii: Sequence[Mapping[str, Any]], cite: Cite) -> str:
    """Return how radii were compared, for a methods section.

    Parameters
    ----------
    radii
        Sidecars of the comparisons.
    cite
        Notes a reference.
    """
    millimetres = sorted({radius for sidecar in radii for radius in sidecar["Radii"].values()})
    text = (
        f"To see how far results depend on the size of the spheres, the analysis was repeated with radii of"
        f" {listed([f'{radius:g}' for radius in millimetres], 9)} mm. Connectomes of the same run at two radii were"
        " compared by Pearson’s correlation over the edges."
    )
    if any(sidecar["Motion"] and not sidecar["QcFcNotMeasured"] for sidecar in radii):
        text += (
            " At each radius, the dependence of edges on motion was their partial correlation with it"
            f" ({cite(CIRIC).in_brackets})."
        )
    return text
