"""Figures of denoising compared: every criterion in a panel of its own, and QC-FC over the distance between nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from sphereconn.draw import style

Array = NDArray[np.float64]

COLUMNS = 3
PANEL, ROW, GAP = 1.75, 0.2, 0.62  # inches
DOT = "#2d78f0"
MOST_DOTS = 2000  # edges in a panel; of more, their density is drawn


def criteria_figure(
    criteria: Sequence[tuple[str, str]],
    labels: Sequence[str],
    values: Mapping[str, Sequence[float]],
    own: Mapping[str, Sequence[float]],
    ranks: Mapping[str, Sequence[str]],
    references: Mapping[str, float],
    *,
    title: str,
    note: str,
) -> Figure:
    """Draw every criterion in a panel, with a row for each denoising, in the same order throughout.

    Parameters
    ----------
    criteria
        Of each: its key, and its words with which values are better.
    labels
        Of the denoisings.
    values, own
        By criterion, one value a denoising: on the runs in common (filled), and on all of its own (a ring).
    ranks
        By criterion, one text a denoising, at the right of its row.
    references
        Value of the dashed line of a criterion, such as what chance gives; criteria without one have none.
    title, note
        What the figure shows, and a remark.
    """
    height = ROW * (len(labels) + 0.6)
    margin = max(style.text_width(label, style.SMALL_TEXT_SIZE) for label in labels) + 0.1
    n_rows = -(-len(criteria) // COLUMNS)
    width = 2 * style.MARGIN + margin + COLUMNS * (PANEL + 0.35)
    top = style.heading_height(title, note, width)
    sheet = style.Sheet(width, top + n_rows * (height + GAP) + style.MARGIN)
    with style.figure_style():
        sheet.heading(title, note)
        for place, (key, words) in enumerate(criteria):
            row, column = divmod(place, COLUMNS)
            left = style.MARGIN + margin + column * (PANEL + 0.35)
            axes = sheet.axes(left, top + 0.32 + row * (height + GAP), PANEL, height)
            _draw_criterion(axes, values[key], own[key], ranks[key], references.get(key))
            axes.set_title(style.wrapped(words, PANEL + 0.3, style.SMALL_TEXT_SIZE), size=style.SMALL_TEXT_SIZE, pad=3)
            axes.set_yticks(range(len(labels)), labels if column == 0 else [""] * len(labels))
    return sheet.figure


def _draw_criterion(
    axes: Axes, values: Sequence[float], own: Sequence[float], ranks: Sequence[str], reference: float | None
) -> None:
    rows = np.arange(len(values))
    if reference is not None:
        axes.axvline(reference, color=style.FAINT_INK, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.plot(own, rows, "o", ms=6, mfc="none", mec=style.FAINT_INK, mew=0.9, clip_on=False, zorder=3)
    axes.plot(values, rows, "o", ms=4, color=DOT, mec="none", clip_on=False, zorder=4)
    for row, rank in zip(rows, ranks, strict=True):
        axes.text(1.03, float(row), rank, transform=axes.get_yaxis_transform(), va="center", size=style.SMALL_TEXT_SIZE)
    axes.set_ylim(len(values) - 0.3, -0.7)
    axes.hlines(rows, 0, 1, transform=axes.get_yaxis_transform(), color="#e4e4e4", linewidth=0.6, zorder=0)
    known = [value for value in (*values, *own, reference) if value is not None and np.isfinite(value)]
    # From 0 on, or differences that are small would look large.
    low, high = min((0.0, *known)), max((0.0, *known))
    high = high if high > low else 1.0  # shares that are 0 everywhere: none is below 0
    room = 0.08 * (high - low)
    axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def distance_figure(
    lengths: Array,
    values: Mapping[str, Array],
    curves: Mapping[str, tuple[Array, Array]],
    words: Mapping[str, str],
    *,
    axis: str,
    title: str,
    note: str,
) -> Figure:
    """Draw what motion does to edges over the distance between their nodes, a panel for each denoising.

    Parameters
    ----------
    lengths
        Of the edges, mm, shape (n_edges,).
    values
        By denoising, what motion does to each edge, such as QC-FC, shape (n_edges,); NaN where it is not known.
    curves
        By denoising, distances and the smooth curve there.
    words
        By denoising, what its panel is called.
    axis
        What the vertical axis is called.
    title, note
        What the figure shows, and a remark.
    """
    n_columns = min(COLUMNS, len(values))
    width = 2 * style.MARGIN + 0.55 + n_columns * (PANEL + 0.2)
    top = style.heading_height(title, note, width)
    n_rows = -(-len(values) // n_columns)
    sheet = style.Sheet(width, top + n_rows * (PANEL + 0.75) + style.MARGIN)
    limit = max((style.symmetric_limit(each) for each in values.values()), default=1.0)
    with style.figure_style():
        sheet.heading(title, note)
        for place, (label, of_label) in enumerate(values.items()):
            row, column = divmod(place, n_columns)
            left = style.MARGIN + 0.55 + column * (PANEL + 0.2)
            axes = sheet.axes(left, top + 0.3 + row * (PANEL + 0.75), PANEL, PANEL)
            known = ~np.isnan(of_label)
            if known.sum() > MOST_DOTS:
                span = (0.0, float(lengths.max()), -limit, limit)
                axes.hexbin(
                    lengths[known], of_label[known], gridsize=40, cmap="Greys", mincnt=1, linewidths=0, extent=span
                )
            else:
                axes.plot(lengths[known], of_label[known], "o", ms=2.5, color=style.FAINT_INK, alpha=0.5, mec="none")
            axes.axhline(0, color=style.FAINT_INK, linewidth=0.8, linestyle=(0, (3, 2)))
            axes.plot(*curves[label], color=DOT, linewidth=1.8, path_effects=style.HALO)
            axes.set_ylim(-1.05 * limit, 1.05 * limit)
            axes.set_xlim(0, float(lengths.max()) * 1.02)
            axes.set_title(style.wrapped(words[label], PANEL + 0.2, style.SMALL_TEXT_SIZE), size=style.SMALL_TEXT_SIZE)
            axes.set_xlabel("distance (mm)")
            if column == 0:
                axes.set_ylabel(axis)
            else:
                axes.tick_params(labelleft=False)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
    return sheet.figure
