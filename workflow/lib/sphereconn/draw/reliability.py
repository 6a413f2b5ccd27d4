"""Figures of reliability: how alike all runs are, and how reliability grows with the length of a scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sphereconn.draw import style
from sphereconn.files import MISSING, to_number

Array = NDArray[np.float64]

SIDE = 4.6  # inches of the matrix
LEFT, BOTTOM = 0.75, 0.6
CURVE_WIDTH, CURVE_HEIGHT = 5.2, 3.2
WHOLE_COLOUR, EDGES_COLOUR = "#35557a", "#b9c6d3"
WHOLE, EDGES = "whole connectomes", "single edges, median and quartiles"
PREDICTED = "whole connectomes, predicted from the longest"


def similarity_figure(correlations: Array, repeats: Sequence[tuple[str, int]], *, title: str) -> Figure:
    """Draw the correlations between the connectomes of all runs, those of a repeat side by side.

    Where subjects are alike from repeat to repeat, diagonals stand out in the blocks off the main diagonal.

    Parameters
    ----------
    correlations
        Shape (n_runs, n_runs); its own diagonal is left out.
    repeats
        The repeats in order, each with its number of runs.
    title
        What the figure shows.
    """
    shown = np.where(np.eye(len(correlations), dtype=bool), np.nan, correlations)
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    with style.figure_style():
        scale = style.ColourScale(style.sequential_map("Blues"), low, high, "correlation between connectomes")
        bar = style.colour_bar_width(SIDE / 2, scale)
        width = LEFT + SIDE + 0.2 + bar + style.MARGIN
        note = "Runs in the same order of subjects within each repeat; diagonals of the blocks are runs of one subject."
        top = style.heading_height(title, note, width)
        sheet = style.Sheet(width, top + SIDE + BOTTOM)
        sheet.heading(title, note)
        axes = sheet.axes(LEFT, top, SIDE, SIDE)
        colours = scale.colours.with_extremes(bad=style.MISSING_COLOUR)
        axes.imshow(shown, cmap=colours, vmin=low, vmax=high, interpolation="nearest", aspect="auto")
        blank = np.ones((*shown.shape, 4))  # the diagonal, as in every matrix: grey is for what is missing
        blank[..., 3] = np.eye(len(shown))
        axes.imshow(blank, interpolation="nearest", aspect="auto")
        stops = np.cumsum([number for _, number in repeats])
        starts = np.concatenate([[0], stops[:-1]])
        for stop in stops[:-1]:
            axes.axhline(stop - 0.5, color=style.INK, linewidth=0.7)
            axes.axvline(stop - 0.5, color=style.INK, linewidth=0.7)
        centres, labels = (starts + stops - 1) / 2, [name for name, _ in repeats]
        axes.set_xticks(centres, labels)
        axes.set_yticks(centres, labels, rotation=90, va="center")
        axes.tick_params(length=0)
        sheet.colour_bar(LEFT + SIDE + 0.2, top + SIDE / 4, SIDE / 2, scale)
    return sheet.figure


def is_known(correlations: Array) -> bool:
    """Return whether any two different runs have a correlation."""
    return bool(np.isfinite(correlations[~np.eye(len(correlations), dtype=bool)]).any())


def lengths_figure(rows: Sequence[Mapping[str, str]], *, title: str, minutes: str) -> Figure:
    """Draw reliability against the length of a scan.

    Parameters
    ----------
    rows
        Of the table of lengths.
    title
        What the figure shows.
    minutes
        Which minutes these are.
    """
    columns = {
        name: np.array([np.nan if row[name] == MISSING else to_number(row[name]) for row in rows])
        for name in ("minutes", "whole_icc", "quartile1", "median_icc", "quartile3", "predicted_icc")
    }
    length, measured = columns["minutes"], np.isfinite(columns["median_icc"])
    n_subjects = rows[0]["subjects"]
    note = f"{n_subjects} subjects; {minutes}, censored frames not counted"
    with style.figure_style():
        width = LEFT + CURVE_WIDTH + style.MARGIN
        top = style.heading_height(title, note, width)
        sheet = style.Sheet(width, top + CURVE_HEIGHT + BOTTOM)
        sheet.heading(title, note)
        axes = sheet.axes(LEFT, top, CURVE_WIDTH, CURVE_HEIGHT)
        low, middle, high = (columns[name][measured] for name in ("quartile1", "median_icc", "quartile3"))
        axes.fill_between(length[measured], low, high, alpha=0.4, lw=0, color=EDGES_COLOUR)
        axes.plot(length[measured], middle, marker=".", color=EDGES_COLOUR, label=EDGES)
        axes.plot(length, columns["predicted_icc"], "--", color=style.FAINT_INK, linewidth=1, label=PREDICTED)
        axes.plot(length, columns["whole_icc"], "o-", ms=4, color=WHOLE_COLOUR, label=WHOLE)
        axes.set_xlabel("Minutes")
        axes.set_ylabel("ICC(1,1)")
        axes.set_xlim(left=0)
        lowest = np.nanmin([*columns["quartile1"], *columns["whole_icc"], 0.05])
        axes.set_ylim(min(0.0, lowest - 0.05), 1)
        axes.legend(frameon=False, loc="best")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    return sheet.figure


def pair_matrix(rows: Sequence[Mapping[str, str]], column: str) -> tuple[list[str], Array]:
    """Return the networks of a table of pairs, and a column of it as a symmetric matrix; NaN where it says n/a."""
    networks = sorted({row[key] for row in rows for key in ("network1", "network2")})
    values = np.full((len(networks), len(networks)), np.nan)
    for row in rows:
        one, other = networks.index(row["network1"]), networks.index(row["network2"])
        if row[column] != MISSING:
            values[one, other] = values[other, one] = to_number(row[column])
    return networks, values
