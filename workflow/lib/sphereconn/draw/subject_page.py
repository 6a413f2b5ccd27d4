"""The page of a subject: the quality sheets of its runs, and their numbers beside those of all runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sphereconn.aggregate.cohort import Standing
from sphereconn.aggregate.unusual import FEWEST, Concern
from sphereconn.draw.html import Block, Folded, Link, Paragraph, Plot, Position, Section, Table, Text, html_page
from sphereconn.draw.quality_columns import COLUMNS
from sphereconn.draw.sheet import without_style

REPORT = "report.html"
READING = (
    "The sheet shows the signals of one seed set: the one with the most denoising settings and, among these, the most"
    " spheres. Each row of a carpet is the z-scored signal of a sphere; black is 2 standard deviations below its mean"
    " and white 2 above. Before denoising, only the mean and a linear trend are removed. Spheres are ordered by network"
    " (colours at the left; the names appear under the pointer). Where there are many, only every second, third, … is"
    " shown, and in long runs neighbouring frames are averaged.",
    "FD is framewise displacement. DVARS is the root mean square, over the spheres, of the change from one frame to the"
    " next, in standard deviations of each signal; for white noise it is 1.4. Frames censored by any of the denoising"
    " settings are shaded in the traces; each carpet shades those censored by its own.",
    "The power spectrum is the mean over the spheres of the share of the variance per Hz, estimated from the frames"
    " kept. Correlations are those of all pairs of spheres, computed from the signals shown.",
    "In the tables, the line runs from the lowest to the highest value of all runs; the stroke marks the median and the"
    " dot this run.",
)

Figures = Mapping[str, Any]


def by_run(figures: Sequence[Figures]) -> dict[str, list[Figures]]:
    """Sort figures of single runs, as `plan.reported.reported` lists them, by their run."""
    of_runs: dict[str, list[Figures]] = {}
    for item in figures:
        of_runs.setdefault(item["run"], []).append(item)
    return of_runs


def subject_page(
    *,
    subject: str,
    study: str,
    sheets: Mapping[str, str],
    concerns: Mapping[str, Sequence[Concern]],
    standings: Mapping[str, Sequence[Standing]],
    figures: Mapping[str, Sequence[Figures]],
) -> str:
    """Return the page of a subject as HTML.

    Parameters
    ----------
    subject
        Its label.
    study
        The title of the study.
    sheets
        By run, the quality sheet as `draw.sheet.quality_sheet` gives it.
    concerns
        By run, what is unusual about it.
    standings
        By run, its numbers beside those of all runs.
    figures
        By run, further figures of it, as `by_run` sorts them.
    """
    runs = [Section(run, _run(run, sheet, concerns, standings, figures)) for run, sheet in sheets.items()]
    explained: list[Block] = [Folded("How to read a quality sheet", [Paragraph(words) for words in READING])]
    lead: Text = [f"{study}. ", Link("Back to the report of all subjects", REPORT), "."]
    return html_page(f"sub-{subject}", lead, [*runs, Section("Explanation", explained)])


def _run(
    run: str,
    sheet: str,
    concerns: Mapping[str, Sequence[Concern]],
    standings: Mapping[str, Sequence[Standing]],
    figures: Mapping[str, Sequence[Figures]],
) -> list[Block]:
    said = "; ".join(concern.words for concern in concerns.get(run, ()))
    blocks: list[Block] = [
        Paragraph(f"{said[0].upper()}{said[1:]}.", warning=True) if said else Paragraph(_nothing(len(concerns))),
        Plot(without_style(sheet), f"Quality sheet of {run}"),
    ]
    rows: list[list[Text]] = [
        [
            COLUMNS[item.column].words,
            ", ".join(item.of),
            *map(COLUMNS[item.column].written, (item.value, item.median)),
            _range(item),
            Position(item.value, item.low, item.median, item.high),
        ]
        for item in standings.get(run, ())
    ]
    if rows:
        columns = ["measure", "of", "this run", "median", "range", "where"]
        blocks.append(Table(f"Numbers of {run} beside those of all runs", columns, rows))
    for item in figures.get(run, ()):
        shown: list[str | Link] = [f"{item['seed_set']}, {item['denoising']}: "]
        for words, path in item["links"]:
            shown += [Link(words, path), " · "]
        blocks.append(Paragraph(shown[:-1]))
    return blocks


def _nothing(n_runs: int) -> str:
    """Say that nothing is unusual about a run, among so many."""
    if n_runs >= FEWEST:
        return "Nothing stands out."
    are = (
        "run is too few to tell what is"
        if n_runs == 1
        else "runs are too few to tell which motion and temporal SNR are"
    )
    return f"Nothing stands out, but {n_runs} {are} usual."


def _range(item: Standing) -> str:
    low, high = map(COLUMNS[item.column].written, (item.low, item.high))
    return "same in all" if low == high else f"{low} to {high}"
