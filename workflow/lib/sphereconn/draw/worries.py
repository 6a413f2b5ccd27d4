"""What to worry about in a study, as the report says it first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from sphereconn.aggregate.unusual import FAR_BELOW, Concern
from sphereconn.draw.contrast_words import with_motion
from sphereconn.draw.html import Card
from sphereconn.draw.quality_columns import COLUMNS
from sphereconn.files import MISSING
from sphereconn.words import counted

N_NAMED = 5  # runs
MOST_LEVELS = 6

Row = Mapping[str, str]


def worries(
    quality: Sequence[Row],
    left_out: Sequence[Row],
    estimation: Sequence[Row],
    unusual: Mapping[str, Sequence[Concern]],
    contents: Mapping[str, Any],
) -> Card:
    """Return the card that says what to worry about, or that nothing stands out.

    Parameters
    ----------
    quality, left_out, estimation
        Rows of the tables of quality, of runs that are used and of those that are left out, and of estimation.
    unusual
        By run, what is unusual about it.
    contents
        Of the report, with results.
    """
    runs = {row["run"] for row in quality}
    said = [*_left_out(quality, left_out, contents), *_with_motion(contents)]
    unusable = {row["run"] for row in quality if row["nodes_unusable"] != "0"}
    if unusable:
        worst = max(quality, key=lambda row: int(row["nodes_unusable"]) / int(row["nodes"]))
        said.append(
            f"{counted(len(unusable), 'run')} of {len(runs):,} {'has' if len(unusable) == 1 else 'have'} nodes"
            f" without a signal, at most {worst['nodes_unusable']} of {worst['nodes']} ({worst['seed_set']})."
            " The nodes tables give the reasons."
        )
    overruled = {row["run"]: row for row in quality if row["repetition_time_overruled"] != MISSING}
    if overruled:
        run, row = next(iter(overruled.items()))
        used = COLUMNS["repetition_time"].written(float(row["repetition_time"]))
        said.append(
            f"In {counted(len(overruled), 'run')} of {len(runs):,}, the repetition time in the image header or the"
            f" sidecar differs from the one used; for example {run}, with {used} s"
            f" ({row['repetition_time_overruled']})."
        )
    said += _far_below(quality)
    same = [row for row in estimation if row["same_signal"] != "0"]
    if same:
        said.append(
            f"In {counted(len(same), 'connectome')}, some nodes have identical signals and their edge is n/a; for"
            f" example in {same[0]['run']} ({same[0]['seed_set']}). The sidecars name the nodes."
        )
    unconverged = [row for row in estimation if row["converged"] == "no"]
    if unconverged:
        said.append(f"{counted(len(unconverged), 'estimate')} did not converge; see the quality section.")
    odd = sum(map(bool, unusual.values()))
    if odd:
        said.append(
            f"{odd:,} of {counted(len(unusual), 'run')} {'is' if odd == 1 else 'are'} unusual in some way; the list of"
            " runs (Quality) begins with them."
        )
    if not said:
        return Card(
            "What to worry about",
            ["Nothing stands out: every node has a signal in every run, and every estimate converged."],
        )
    return Card("What to worry about", said, warning=True)


def _left_out(quality: Sequence[Row], left_out: Sequence[Row], contents: Mapping[str, Any]) -> list[str]:
    """Say how many runs each denoising leaves out, and of which groups: groups that lose more are no longer alike."""
    said = []
    for label in dict.fromkeys(row["denoising"] for row in left_out):
        out = {row["run"] for row in left_out if row["denoising"] == label}
        runs = out | {row["run"] for row in quality if row["denoising"] == label}
        by_column: dict[str, list[tuple[float, str]]] = {}
        for (column, level), (n_out, n_all) in _levels(contents, label).items():
            by_column.setdefault(column, []).append((-n_out / n_all, f"{level} {n_out:,} of {n_all:,}"))
        of_levels = "; ".join(
            f"{column}: {', '.join(words for _, words in sorted(of)[:MOST_LEVELS])}{', …' * (len(of) > MOST_LEVELS)}"
            for column, of in by_column.items()
        )
        in_brackets = f" ({of_levels})" if of_levels else ""
        said.append(f"{label} leaves out {len(out):,} of {counted(len(runs), 'run')}{in_brackets}.")
    return said


def _levels(contents: Mapping[str, Any], denoising: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Return of each column and level how many runs a denoising leaves out, and how many there are, at the worst."""
    found: dict[tuple[str, str], tuple[int, int]] = {}

    def add(column: str, level: str, n_out: int, n_used: int) -> None:
        if n_out + n_used:
            found[column, level] = max(found.get((column, level), (0, 0)), (n_out, n_out + n_used))

    for item in contents["groups"]:
        if item["denoising"] == denoising and item["column"]:
            add(item["column"], item["level"], item["n_left_out"], item["n_runs"])
    for item in contents["contrasts"]:
        if item["labels"][1] == denoising:
            used, left_out = item["result"]["Levels"], item["result"]["LevelsLeftOut"]
            for column in used:
                for level in {**used[column], **left_out[column]}:
                    add(column, level, left_out[column].get(level, 0), used[column].get(level, 0))
    return found


def _with_motion(contents: Mapping[str, Any]) -> list[str]:
    """Say which contrasts test what goes together with motion, each once: where that is most certain."""
    worst: dict[str, Mapping[str, Any]] = {}
    for item in contents["contrasts"]:
        result, known = item["result"], worst.get(item["label"])
        if result["WithMotion"] and (known is None or result["WithMotion"]["P"] < known["WithMotion"]["P"]):
            worst[item["label"]] = result
    return [f"Contrast {label}: {words}" for label, result in worst.items() if (words := with_motion(result))]


def _far_below(quality: Sequence[Row]) -> list[str]:
    """Name the runs with less than a third of the median degrees of freedom of their denoising."""
    said = []
    for label in dict.fromkeys(row["denoising"] for row in quality):
        worth: dict[str, float] = {}
        for row in quality:
            if row["denoising"] == label:
                value = float(row["effective_degrees_of_freedom"])
                worth[row["run"]] = min(value, worth.get(row["run"], value))
        middle = median(worth.values())
        low = sorted((value, run) for run, value in worth.items() if FAR_BELOW * value < middle)
        if low:
            named = ", ".join(f"{run} ({value:.1f})" for value, run in low[:N_NAMED])
            more = f" and {len(low) - N_NAMED:,} more" if len(low) > N_NAMED else ""
            said.append(
                f"{counted(len(low), 'run')} of {len(worth):,} ({label}) {'has' if len(low) == 1 else 'have'} less than"
                f" a third of the median effective degrees of freedom ({middle:.1f}): {named}{more}. They have the same"
                " weight as other runs in group means; to exclude such runs, set min_degrees_of_freedom."
            )
    return said
