"""Reliability in sentences: over which repeats it was measured, what it is, and how a methods section puts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sphereconn.draw.references import (
    AMICO_GONI,
    BRIDGEFORD,
    FINN,
    MCGRAW_WONG,
    SHOU,
    SHROUT_FLEISS,
    SPEARMAN,
    Cite,
)
from sphereconn.words import counted, number

Sidecar = Mapping[str, Any]


def measured_over(sidecar: Sidecar) -> str:
    """Return over which runs reliability was measured, and whom it leaves out, as sentences; or why it was not."""
    if sidecar["NotMeasured"]:
        return f"Reliability could not be measured. {sidecar['NotMeasured']}"
    halves = sidecar["Over"] == "halves"
    repeats = "the halves of one run each" if halves else f"{counted(sidecar['NumberOfRuns'], 'run')} in total"
    what = "" if halves else f" ({', '.join(sidecar['Repeats'][:6])}{', …' if len(sidecar['Repeats']) > 6 else ''})"
    sentences = [f"Measured in {counted(sidecar['Subjects'], 'subject')} with {repeats}{what}."]
    if sidecar["SubjectsLeftOut"]:
        n = len(sidecar["SubjectsLeftOut"])
        sentences.append(f"{counted(n, 'subject')} with a single run {'was' if n == 1 else 'were'} left out.")
    if sidecar["SubjectsCrossed"] < sidecar["Subjects"]:
        sentences.append(
            f"ICC(2,1) and ICC(3,1) are based on the {counted(sidecar['SubjectsCrossed'], 'subject')} with all"
            f" {counted(sidecar['RepeatsCrossed'], 'repeat')}."
            if sidecar["SubjectsCrossed"]
            else "No two subjects share two repeats, so ICC(2,1) and ICC(3,1) cannot be computed."
        )
    if halves:
        sentences.append(
            "Halves of one run share the day, the position of the head and the state of the subject: reliability"
            " between sessions is lower."
        )
    return " ".join(sentences)


def found(sidecar: Sidecar, lengths: Sidecar | None) -> str:
    """Return what reliability is, as sentences.

    Parameters
    ----------
    sidecar
        Of the reliability.
    lengths
        The sidecar of the table of lengths, None without one.
    """
    if sidecar["NotMeasured"]:
        return ""
    icc, lower, upper = sidecar["WholeICC"]
    interval = "" if lower is None else f" (95 % CI {number(lower)} to {number(upper)})"
    sentences = [f"The ICC(1,1) of whole connectomes is {number(icc)}{interval}."] if icc is not None else []
    if sidecar["QuartilesICC"]:
        low, high = sidecar["QuartilesICC"]
        sentences.append(
            f"Single edges have a median ICC(1,1) of {number(sidecar['MedianICC'])} (quartiles {number(low)} and"
            f" {number(high)})."
        )
    scores = sidecar["Scores"]
    discriminability = scores["discriminability"]
    sentences.append(f"Discriminability is {discriminability['Value']:.3f} (chance 0.5{_p(discriminability)}).")
    rate, difference = scores["identification rate"], scores["differential identifiability"]
    if rate["Value"] is not None:
        sentences.append(
            f"Connectomes identify {100 * rate['Value']:.0f} % of the subjects in another repeat (chance"
            f" {100 * rate['Chance']:.2g} %{_p(rate)}); differential identifiability is"
            f" {number(difference['Value'], '.1f')}{_p(difference)}."
        )
    if lengths and lengths["WholeICC"] is not None:
        sentences.append(_of_lengths(lengths))
    return " ".join(sentences)


def _of_lengths(lengths: Sidecar) -> str:
    minutes = {wanted: value for wanted, value in lengths["MinutesFor"].items() if value is not None}
    if not minutes:
        return "Reliability does not increase with the length of the scan."
    predicted = ", ".join(f"{value:.2g} min for an ICC of {float(wanted):g}" for wanted, value in minutes.items())
    return (
        f"For {lengths['Minutes'][-1]:g} min of data, the ICC of whole connectomes is {number(lengths['WholeICC'])};"
        f" the predicted scan length is {predicted}."
    )


def _p(score: Mapping[str, Any]) -> str:
    return "" if score["P"] is None else f", p = {score['P']:.2g}"


def _minutes(sidecar: Sidecar) -> str:
    return "in the middle of each half" if sidecar["Over"] == "halves" else "from the start of each run"


def methods_of_reliability(sidecars: Sequence[Sidecar], has_lengths: bool, cite: Cite) -> str:
    """Return how reliability was measured.

    Parameters
    ----------
    sidecars
        Of the reliability of each combination.
    has_lengths
        Whether it was measured by the length of the scan, too.
    cite
        Notes a reference.
    """
    first = sidecars[0]
    over = (
        "the cleaned signals of the first and the second half of each run"
        if first["Over"] == "halves"
        else f"the runs of each subject that differ in {' and '.join(first['Over'])}"
    )
    z = " (Fisher’s z of correlations)" if any(item["FisherZ"] for item in sidecars) else ""
    sentences = [
        f"Reliability was measured across {over}. For every edge{z}, the intraclass correlations ICC(1,1), ICC(2,1) and"
        f" ICC(3,1) were estimated with 95 % confidence intervals ({cite(SHROUT_FLEISS).in_brackets};"
        f" {cite(MCGRAW_WONG).in_brackets}); for whole connectomes, the image intraclass correlation"
        f" ({cite(SHOU).in_brackets}) was estimated with a jackknife interval over subjects.",
        f"Discriminability was computed from Euclidean distances ({cite(BRIDGEFORD).in_brackets}); subjects were"
        f" identified by the largest correlation of edges ({cite(FINN).in_brackets}); and differential identifiability"
        f" was 100 times the difference between the mean correlations within and between subjects"
        f" ({cite(AMICO_GONI).in_brackets}).",
    ]
    numbers = sorted({item["NumberOfPermutations"] for item in sidecars if item["NumberOfPermutations"]})
    if numbers:
        how = " or ".join(f"{number:,}" for number in numbers)
        sentences.append(f"Their p values are based on {how} permutations of the subjects within each repeat.")
    if has_lengths:
        sentences.append(
            f"The same was done for fewer minutes of data ({_minutes(first)}); reliability for other lengths was"
            f" predicted by the Spearman–Brown formula ({cite(SPEARMAN).in_brackets})."
        )
    return " ".join(sentences)
