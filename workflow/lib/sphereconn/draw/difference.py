"""Two mean connectomes and their difference, as matrices side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sphereconn.draw import style
from sphereconn.draw.matrix import STRIP, STRIP_GAP, draw_matrix, mark_members, node_order

PANEL = 3.1  # inches
GAP = 0.3
CAPTION = 0.2
BAR = 1.9


def difference_figure(
    one: NDArray[np.float64],
    two: NDArray[np.float64],
    networks: Sequence[str],
    *,
    captions: tuple[str, str],
    title: str,
    label: str,
    note: str = "",
    vmax: float | None = None,
) -> Figure:
    """Draw two connectomes on one scale and, on a scale of its own that is symmetric, the first minus the second.

    Parameters
    ----------
    one, two
        Matrices, shape (n_nodes, n_nodes); NaN where an edge has no value.
    networks
        One a node, "" where unknown; the nodes are ordered by them.
    captions
        What stands above the first and the second panel.
    title, label, note
        What the figure shows; what the values are; a remark.
    vmax
        End of the scale of the first two panels; by default the largest magnitude of both.
    """
    known = style.checked_networks(networks, len(one))
    order = node_order(one, known, "network")
    panels = [matrix[np.ix_(order, order)] for matrix in (one, two, one - two)]
    off_diagonal = [panel[~np.eye(len(panel), dtype=bool)] for panel in panels]
    shared = style.value_scale(np.concatenate(off_diagonal[:2]), label, vmax=vmax)
    scales = [shared, shared, style.value_scale(off_diagonal[2], "difference")]
    members = [known[node] for node in order] if known else []
    looks = style.network_looks(members)
    legend = [replace(look, marker="s") for look in style.listed_looks(looks)]
    bars = [style.colour_bar_width(BAR, scale) for scale in scales]
    strip = STRIP + STRIP_GAP if members else 0.0
    lefts = [style.MARGIN + strip, style.MARGIN + strip + PANEL + GAP]
    lefts.append(lefts[1] + PANEL + 0.1 + bars[1] + GAP)
    width = lefts[2] + PANEL + 0.1 + bars[2] + style.MARGIN
    room = width - 2 * style.MARGIN
    with style.figure_style():
        top = style.heading_height(title, note, width) + CAPTION + strip
        below = top + PANEL + style.MARGIN
        height = below + (style.legend_height(legend, room) if legend else 0) + style.MARGIN
        sheet = style.Sheet(width, height)
        sheet.heading(title, note)
        above = [*captions, "first minus second"]
        for left, panel, scale, caption in zip(lefts, panels, scales, above, strict=True):
            axes = sheet.axes(left, top, PANEL, PANEL)
            axes.set_xticks([])
            axes.set_yticks([])
            draw_matrix(axes, panel, scale)
            starts = [place for place in range(1, len(members)) if members[place] != members[place - 1]]
            for start in starts:
                axes.axhline(start - 0.5, color=style.INK, linewidth=0.4)
                axes.axvline(start - 0.5, color=style.INK, linewidth=0.4)
            if members:
                mark_members(sheet, left, top, PANEL, [looks[name].colour for name in members])
            sheet.text(left, top - strip - CAPTION + 0.02, caption)
        for place in (1, 2):
            sheet.colour_bar(lefts[place] + PANEL + 0.1, top + (PANEL - BAR) / 2, BAR, scales[place])
        if legend:
            sheet.legend(style.MARGIN, below, room, legend)
        return sheet.figure
