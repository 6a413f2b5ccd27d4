"""Denoising compared, in sentences: on what, what came out, and what the numbers can and cannot tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.denoising import CRITERIA
from sphereconn.draw.references import BLONDEL, CIRIC, PARKES, RUBINOV_SPORNS, WANG, Cite
from sphereconn.files import MISSING
from sphereconn.words import counted, listed, number

Array = NDArray[np.float64]
Row = Mapping[str, str]

MINUS = " \u2212 "
# Shares are shown in per cent.
SHARES = {"qcfc_significant", "qcfc_significant_fdr", "high_low_significant", "runs_kept", "frames_kept"}


def shown(key: str, cell: str) -> str:
    """Return the value of a criterion as text for people.

    Examples
    --------
    >>> shown("runs_kept", "0.975"), shown("modularity", "0.41234"), shown("modularity", "n/a")
    ('97.5 %', '0.412', 'n/a')
    """
    if cell == MISSING:
        return cell
    value = float(cell)
    return f"{number(100 * value, '.1f')} %" if key in SHARES else number(value, ".1f" if abs(value) >= 10 else ".3f")


def compared_on(sidecar: Mapping[str, Any]) -> str:
    """Return on which runs denoisings were compared, as sentences.

    Parameters
    ----------
    sidecar
        Of the comparison.
    """
    covariates = sidecar["Covariates"]
    taken_out = f", with {listed(covariates, 6)} regressed out of edges and motion" if covariates else ""
    each = ", ".join(f"{label} {of['Runs']:,} of {of['RunsAsked']:,}" for label, of in sidecar["Denoising"].items())
    unknown = len(sidecar["RunsWithoutMotionOrCovariates"])
    lacking = (
        f" {counted(unknown, 'run')} could not be used because motion or a covariate is missing." if unknown else ""
    )
    motion = {key: f"{value:.3g}" for key, value in sidecar["MotionInCommon"].items()}
    alone = "".join(
        f" {label} is not compared with the others on runs in common: {reason}."
        for label, reason in sidecar["DenoisingWithTooFewRuns"].items()
    )
    amount = (
        f" Motion ({sidecar['Motion'].replace('_', ' ')}) ranged from {motion['Lowest']} to {motion['Highest']}"
        f" (median {motion['Median']})."
        if motion
        else ""
    )
    return (
        f"Compared on the {counted(sidecar['RunsInCommon'], 'run')} of"
        f" {counted(sidecar['SubjectsInCommon'], 'subject')} that every denoising keeps (by denoising: {each})"
        f"{taken_out}; the runs of each subject were averaged.{lacking}{alone}{amount}"
    )


def can_tell(sidecar: Mapping[str, Any]) -> str:
    """Return what the numbers can and cannot tell, as sentences.

    Parameters
    ----------
    sidecar
        Of the comparison.
    """
    freedom = sidecar["DegreesOfFreedom"]
    if sidecar["NotComparedWithMotion"]:
        return f"On the runs in common nothing could be correlated with motion: {sidecar['NotComparedWithMotion']}."
    if freedom is None:
        return "No edge could be correlated with motion."
    error = 1 / math.sqrt(freedom + 1)
    sentences = [
        f"With {counted(freedom, 'degree')} of freedom, the QC-FC correlation of an edge has a standard error of about"
        f" {error:.2f}; if no edge depended on motion, the median magnitude would be {sidecar['QcFcByChance']:.3f} and"
        " 5 % of edges would have p < .05. Values near these cannot be distinguished from no dependence; and since"
        " edges share nodes and runs, values vary around them more than the number of edges suggests."
    ]
    if sidecar["SubjectsInCommon"] < 50:
        sentences.append(
            "With so few subjects, only large effects of motion can be detected; ranks based on small differences"
            " should not guide decisions."
        )
    sentences.append(
        "QC-FC detects motion effects that differ between runs, not those that are the same in all runs, and counts"
        " true differences between people who move more and people who move less as artefacts. It also decreases if"
        " signal is removed together with noise, and should be interpreted together with network separation, modularity"
        " and degrees of freedom. There is no overall score, since the importance of the criteria depends on the"
        " question of the study."
    )
    if any(of["Runs"] != sidecar["RunsInCommon"] for of in sidecar["Denoising"].values()):
        sentences.append(
            "Values based on all runs of a denoising (rings) also differ in the runs that were kept; ranks are based on"
            " the common runs."
        )
    return " ".join(sentences)


def published_left_out(left_out: Mapping[str, Mapping[str, str]]) -> str:
    """Return which published strategies could not be used, for how many runs, and why, as a sentence.

    Examples
    --------
    >>> published_left_out({"aroma": {"all": "no components"}, "compcor": {"sub-1": "no sidecar"}})
    'Published strategies not used, or not for all runs: aroma (all runs: no components), compcor (1 run: no sidecar).'
    """
    parts = []
    for label, reasons in left_out.items():
        runs: dict[str, list[str]] = {}
        for run, reason in reasons.items():
            runs.setdefault(reason, []).append(run)
        each = [f"{'all runs' if of == ['all'] else counted(len(of), 'run')}: {reason}" for reason, of in runs.items()]
        parts.append(f"{label} ({'; '.join(each)})")
    return f"Published strategies not used, or not for all runs: {', '.join(parts)}."


def figure_words(key: str) -> str:
    """Return what a panel of a criterion is called, with which values are better."""
    criterion = CRITERIA[key]
    return f"{criterion.words.replace(' - ', MINUS)}\n({criterion.better} is better)"


def by_criterion(rows: Sequence[Row], labels: Sequence[str], column: str) -> dict[str, list[Any]]:
    """Return a column of the table by criterion, a value for each denoising: ranks as text, else numbers."""
    cells = {(row["criterion"], row["denoising"]): row[column] for row in rows}
    if column == "rank":
        return {key: [cells[key, one].replace(MISSING, "") for one in labels] for key in CRITERIA}
    return {
        key: [math.nan if cells[key, one] == MISSING else float(cells[key, one]) for one in labels] for key in CRITERIA
    }


def curves_of(points: Sequence[Row], labels: Sequence[str], column: str) -> dict[str, tuple[Array, Array]]:
    """Return distances and the curve of each denoising there, from the rows of the table of distances."""
    of_label = {
        label: [point for point in points if point["denoising"] == label and point[column] != MISSING]
        for label in labels
    }
    return {
        label: (np.array([float(at["distance"]) for at in some]), np.array([float(at[column]) for at in some]))
        for label, some in of_label.items()
    }


def without_dependence(sidecar: Mapping[str, Any]) -> dict[str, float]:
    """Return by criterion the value that it has where nothing depends on motion, as far as that is known."""
    known = {
        "qcfc_significant": 0.05,
        "high_low_significant": 0.05,
        "qcfc_by_distance": 0.0,
        "modularity_by_motion": 0.0,
    }
    by_chance = sidecar["QcFcByChance"]
    return known if by_chance is None else known | {"qcfc_median_absolute": by_chance}


def over_distance(column: str, sidecar: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the vertical axis of a figure over distance is called, and the note below its title.

    Parameters
    ----------
    column
        Of the table of distances, ``qcfc`` or ``difference``.
    sidecar
        Of the comparison.
    """
    fit = "on the runs in common; the curve is a local fit"
    if column == "qcfc":
        return "QC-FC (partial r)", f"Partial correlation of each edge with motion, {fit}."
    number = counted(sidecar["SubjectsPerMotionGroup"], "subject")
    return (
        f"most{MINUS}least motion",
        f"Mean edge of the {number} with most motion less that of as many with least, {fit}.",
    )


def correlations_with_distance(rows: Sequence[Row]) -> dict[str, str]:
    """Return by denoising what the table of criteria says of QC-FC by distance: ``ρ = −0.213``."""
    key = "qcfc_by_distance"
    return {row["denoising"]: f"ρ = {shown(key, row['value_in_common'])}" for row in rows if row["criterion"] == key}


def differences_by_motion(rows: Sequence[Row]) -> dict[str, str]:
    """Return by denoising how many edges differ between most and least motion: ``12.5 % p < .05``."""
    key = "high_low_significant"
    of_label = {row["denoising"]: row["value_in_common"] for row in rows if row["criterion"] == key}
    return {label: f"{shown(key, value)} p < .05" for label, value in of_label.items()}


def table_of_criteria(rows: Sequence[Row], labels: Sequence[str]) -> list[list[str]]:
    """Return a row for each criterion: its words, what is better, and for each denoising its value with the rank.

    Parameters
    ----------
    rows
        Of the table of criteria, as text by column.
    labels
        Of the denoisings, in the order of the columns.
    """
    by_key = {(row["criterion"], row["denoising"]): row for row in rows}
    table = []
    for key, criterion in CRITERIA.items():
        rows_of_key = [by_key[key, label] for label in labels]
        values = [shown(key, row["value" if key == "runs_kept" else "value_in_common"]) for row in rows_of_key]
        ranks = [row["rank"] for row in rows_of_key]
        told = len(set(ranks)) > 1  # where all are alike, none is the best
        cells = [
            f"{value} ({rank})" if told and MISSING not in (value, rank) else value
            for value, rank in zip(values, ranks, strict=True)
        ]
        table.append([criterion.words.replace(" - ", MINUS), criterion.better, *cells])
    return table


def denoising_compared(comparisons: Sequence[Mapping[str, Any]], cite: Cite) -> str:
    """Return how denoisings were compared, for a methods section.

    Parameters
    ----------
    comparisons
        Sidecars of the comparisons.
    cite
        Notes a reference.
    """
    motion = next(iter(comparisons))["Motion"].replace("_", " ")
    covariates = next(iter(comparisons))["Covariates"]
    taken_out = f" after regression of {listed(covariates, 9)}" if covariates else ""
    return (
        f"Denoising strategies were compared on the runs that all of them retained ({cite(CIRIC).in_brackets};"
        f" {cite(PARKES).in_brackets}; {cite(WANG).in_brackets}), after averaging the runs of each subject. The"
        f" dependence of an edge on motion (QC-FC) was measured by its partial correlation with {motion}{taken_out};"
        " degrees of freedom were the number of subjects minus two and minus the rank of the covariates. The dependence"
        " of QC-FC on the distance between nodes was measured by Spearman’s correlation across edges. The means of the"
        " thirds of the subjects with the most and the least motion were compared in the same way. Modularity"
        f" was the mean Q* of 100 searches with the Louvain method ({cite(BLONDEL).in_brackets};"
        f" {cite(RUBINOV_SPORNS).in_brackets}); network separation was the difference between the mean edges within and"
        " between networks, in pooled standard"
        " deviations."
    )
