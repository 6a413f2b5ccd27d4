"""The figure of radii compared: every measure over the radius in a panel of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from sphereconn.draw import style
from sphereconn.draw.network_colours import COLOURS

Array = NDArray[np.float64]

COLUMNS = 3
WIDTH, HEIGHT = 1.9, 1.45  # inches of a panel
BESIDE, ABOVE, BELOW = 0.5, 0.36, 0.3  # room for ticks, for the words of a panel, for the axis of radii
MOST_NAMED = 6  # lines with a name at their end


@dataclass(frozen=True)
class Line:
    """A curve over the radius.

    Attributes
    ----------
    label
        What stands at its end, "" where it is the only one.
    radii, values
        In mm, ascending, and the value there; NaN where there is none.
    lower, upper
        Of the band around it; NaN where there is none.
    """

    label: str
    radii: Array
    values: Array
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Panel:
    """What is drawn in one panel.

    Attributes
    ----------
    words
        What it is called.
    lines
        One or more.
    reference
        Value of a dashed line, such as what chance gives; None without.
    ordered
        Whether the lines have an order, which their colours then show.
    """

    words: str
    lines: tuple[Line, ...]
    reference: float | None = None
    ordered: bool = False


def radii_figure(panels: Sequence[Panel], *, title: str, note: str) -> Figure:
    """Draw every measure over the radius, a panel for each.

    Parameters
    ----------
    panels
        In the order in which they are read, row by row.
    title, note
        What the figure shows, and a remark.
    """
    n_columns = min(COLUMNS, len(panels))
    names = [line.label for panel in panels for line in panel.lines]
    named = max(style.text_width(name, style.SMALL_TEXT_SIZE) for name in names) + 0.1
    column_width = BESIDE + WIDTH + named
    width = 2 * style.MARGIN + n_columns * column_width
    top = style.heading_height(title, note, width)
    n_rows = -(-len(panels) // n_columns)
    row_height = ABOVE + HEIGHT + BELOW
    sheet = style.Sheet(width, top + n_rows * row_height + 0.15 + style.MARGIN)
    radii = sorted({radius for panel in panels for line in panel.lines for radius in line.radii.tolist()})
    with style.figure_style():
        sheet.heading(title, note)
        for place, panel in enumerate(panels):
            row, column = divmod(place, n_columns)
            left = style.MARGIN + BESIDE + column * column_width
            axes = sheet.axes(left, top + ABOVE + row * row_height, WIDTH, HEIGHT)
            _draw(axes, panel, radii)
            if place + n_columns >= len(panels):
                axes.set_xlabel("radius (mm)")
    return sheet.figure


def _draw(axes: Axes, panel: Panel, radii: Sequence[float]) -> None:
    if panel.reference is not None:
        axes.axhline(panel.reference, color=style.FAINT_INK, linewidth=0.8, linestyle=(0, (3, 2)))
    ends = []
    for line, colour, marker in zip(panel.lines, _colours(panel), cycle(style.NETWORK_MARKERS), strict=False):
        axes.fill_between(line.radii, line.lower, line.upper, color=colour, alpha=0.2, lw=0)
        axes.plot(line.radii, line.values, f"{marker}-", ms=3.5, linewidth=1.3, color=colour)
        known = np.flatnonzero(np.isfinite(line.values))
        if line.label and known.size:
            ends.append((float(line.values[known[-1]]), line.label, colour))
    room = 0.06 * (radii[-1] - radii[0])
    axes.set_xlim(radii[0] - room, radii[-1] + room)
    axes.set_xticks(radii, [f"{radius:g}" for radius in radii])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    low, high = _span(panel)
    axes.set_ylim(low, high)
    ends = sorted(ends, key=lambda end: end[:2])[:MOST_NAMED]
    for height, (_, label, colour) in zip(
        style.spread([end[0] for end in ends], (high - low) / 9, low, high), ends, strict=True
    ):
        axes.text(
            1.01, height, label, transform=axes.get_yaxis_transform(), color=colour, va="center",
            size=style.SMALL_TEXT_SIZE,
        )  # fmt: skip
    axes.set_title(style.wrapped(panel.words, WIDTH + 0.35, style.SMALL_TEXT_SIZE), size=style.SMALL_TEXT_SIZE, pad=4)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _span(panel: Panel) -> tuple[float, float]:
    """Give the ends of the axis of values: from 0 on, or differences that are small would look large."""
    drawn = np.concatenate(
        [np.array([0.0 if panel.reference is None else panel.reference])]
        + [part for line in panel.lines for part in (line.values, line.lower, line.upper)]
    )
    known = drawn[np.isfinite(drawn)]
    low, high = float(known.min(initial=0.0)), float(known.max(initial=0.0))
    high = high if high > low else 0.1
    room = 0.06 * (high - low)
    return low - room, high + room


def _colours(panel: Panel) -> list[Any]:
    number = len(panel.lines)
    if panel.ordered and number > 1:
        return list(style.sequential_map("Blues")(np.linspace(0.5, 1, number)))
    return [COLOURS[place % len(COLOURS)] for place in range(number)]
