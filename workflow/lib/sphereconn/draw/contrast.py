"""Figures of a contrast: effects with what is significant, pairs of networks, and the strongest edges run by run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sphereconn.draw import style
from sphereconn.draw.glassbrain import connectome_figure
from sphereconn.draw.matrix import matrix_figure, network_matrix_figure, node_order
from sphereconn.draw.network_colours import COLOURS
from sphereconn.draw.nodes_table import Nodes
from sphereconn.draw.notice import notice_figure
from sphereconn.infer.formula import columns_in
from sphereconn.words import counted, number

PANEL = 2.5  # inches
PANEL_GAP = 0.75
DOT = "#2d78f0"


def effects_figure(
    effects: NDArray[np.float64],
    significant: NDArray[np.float64],
    names: Sequence[str],
    networks: Sequence[str],
    *,
    title: str,
    label: str,
    level: float,
    threshold_p: float | None = None,
    signed: bool = True,
) -> Figure:
    """Draw the effects of a contrast below the diagonal, and above it those of significant edges alone.

    Parameters
    ----------
    effects
        Shape (n_nodes, n_nodes).
    significant
        Same shape: 2 where an edge is significant, 1 where its component is.
    names, networks
        Of the nodes.
    title, label
        What the figure shows, and what the values are.
    level
        Of significance.
    threshold_p
        Of edges, at which the components are significant; None where there is none.
    signed
        False for F statistics, which are never below 0.
    """
    known = networks if any(networks) else None
    order = node_order(effects, known, "network")
    ordered, marks = effects[np.ix_(order, order)], significant[np.ix_(order, order)]
    upper = np.triu(np.ones(ordered.shape, dtype=bool), 1)
    shown = np.where(upper & ~(marks > 0), np.where(np.isnan(ordered), np.nan, 0.0), ordered)
    return matrix_figure(
        shown,
        [names[node] for node in order],
        [networks[node] for node in order] if known else None,
        title=f"{title}\nBelow the diagonal: all effects; above it: {_marked(marks, threshold_p)}; corrected p ≤"
        f" {level:g}",
        label=label,
        signed=signed,
    )


def significant_figure(
    effects: NDArray[np.float64],
    significant: NDArray[np.float64],
    nodes: Nodes,
    *,
    title: str,
    label: str,
    level: float,
    threshold_p: float | None = None,
    signed: bool = True,
) -> Figure:
    """Draw the significant edges of a contrast in a glass brain, or say that there are none.

    Parameters
    ----------
    effects, significant, title, label, level, threshold_p, signed
        As in ``effects_figure``.
    nodes
        Where the nodes are.
    """
    shown = np.where(significant > 0, effects, 0.0)
    if not shown.any():
        nothing = f"No edge and no component is significant (corrected p ≤ {level:g})."
        return notice_figure(nothing, title=title)
    return connectome_figure(
        shown,
        nodes.coordinates,
        title=title,
        label=label,
        names=nodes.names,
        networks=nodes.networks,
        threshold=1e-12,
        selected=f"{_marked(significant, threshold_p)}; corrected p ≤ {level:g}",
        signed=signed,
    )


def _marked(marks: NDArray[np.float64], threshold_p: float | None) -> str:
    """Say how many edges are significant, and how many only as part of a component."""
    n_edges, n_component = (int((np.triu(marks, 1) == mark).sum()) for mark in (2, 1))
    found = [counted(n_edges, "significant edge")] if n_edges or not n_component else []
    if n_component:
        at = "" if threshold_p is None else f" at an edge threshold of p < {threshold_p:g}"
        others = f"{n_component:,} other{'' if n_component == 1 else 's'}" if n_edges else counted(n_component, "edge")
        found.append(f"{others} of a component that is significant{at}")
    return " and ".join(found)


def pairs_figure(
    networks: Sequence[str],
    means: NDArray[np.float64],
    marked: NDArray[np.bool_],
    *,
    title: str,
    statistic: str,
    level: float,
) -> Figure:
    """Draw the mean statistic of pairs of networks, or say that there is none.

    Parameters
    ----------
    networks, means, marked
        Of ``infer.tables.pair_matrices``: their names, the mean of each pair, and whether it is significant.
    title, statistic, level
        What the figure shows; t or F; of significance.
    """
    if not networks:
        nothing = "Pairs of networks are not tested: there are no networks, no permutations, or no test of them."
        return notice_figure(nothing, title=title)
    note = f"Mean {statistic} over the edges of each pair; * corrected p ≤ {level:g} over all pairs."
    tested = np.argwhere(np.triu(np.isfinite(means)))
    if len(tested) == 1:
        ((one, other),) = tested
        found = f" (p ≤ {level:g})" if marked[one, other] else ""
        only = f"The only pair of networks is {networks[one]}–{networks[other]}: mean {statistic} over its edges ="
        return notice_figure(f"{only} {number(float(means[one, other]))}{found}.", title=title)
    label, signed = f"mean {statistic}", statistic != "F"
    return network_matrix_figure(means, networks, title=title, label=label, marked=marked, note=note, signed=signed)


def strongest_figure(edges: Sequence[Mapping[str, object]], *, title: str, tested: str, label: str) -> Figure:
    """Draw the strongest edges of a contrast, one panel each: runs as dots, and the fitted line or means.

    Where there is no edge, say that none could be tested.

    Parameters
    ----------
    edges
        Of each: ``name``, ``p``, and for its runs ``tested`` (numbers, or levels as text), ``value``, ``fitted``; of an
        interaction ``by``, the level of the other column, and ``swapped``, as ``infer.tables.edges_by_run`` gives them.
        An interaction is drawn as one: a colour and a line for each level.
    title, tested, label
        What the figure shows; what is tested (below the panels) and what the values are (beside them).
    """
    if not edges:
        return notice_figure("No edge could be tested.", title=title)
    n_columns = min(2, len(edges))
    n_rows = -(-len(edges) // n_columns)
    width = 2 * style.MARGIN + n_columns * (PANEL + PANEL_GAP)
    note = "Values are adjusted for the columns of the model that are not tested."
    top = style.heading_height(title, note, width)
    sheet = style.Sheet(width, top + n_rows * (PANEL + PANEL_GAP) + style.MARGIN)
    with style.figure_style():
        sheet.heading(title, note)
        for place, edge in enumerate(edges):
            row, column = divmod(place, n_columns)
            left = style.MARGIN + 0.55 + column * (PANEL + PANEL_GAP)
            axes = sheet.axes(left, top + 0.25 + row * (PANEL + PANEL_GAP), PANEL, PANEL)
            below = tested
            if edge.get("by"):
                columns = columns_in(tested)
                below, other = columns[::-1] if edge["swapped"] else columns
                _draw_interaction(axes, edge, other)
            else:
                _draw_edge(axes, edge)
            name = style.wrapped(str(edge["name"]), PANEL + 0.4, style.SMALL_TEXT_SIZE)
            axes.set_title(f"{name}\np = {edge['p']:.2g}, uncorrected", size=style.SMALL_TEXT_SIZE)
            axes.set_xlabel(below)
            axes.set_ylabel(label)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
    return sheet.figure


def _draw_interaction(axes: Axes, edge: Mapping[str, object], other: str) -> None:
    """Draw the runs of each level of the other column in a colour, with a line through their fitted values."""
    tested, by = edge["tested"], edge["by"]
    assert isinstance(tested, Sequence) and isinstance(by, Sequence)
    value, fitted = np.asarray(edge["value"]), np.asarray(edge["fitted"])
    of_numbers = all(isinstance(item, float) for item in tested)
    levels = sorted(set(map(str, tested)))
    x = np.array(tested if of_numbers else [levels.index(str(item)) for item in tested], dtype=np.float64)
    others = sorted(set(map(str, by)))
    for place, level in enumerate(others):
        colour, marker = COLOURS[place % len(COLOURS)], style.NETWORK_MARKERS[place % len(style.NETWORK_MARKERS)]
        members = np.array([str(item) == level for item in by])
        shift = 0.0 if of_numbers else 0.12 * (place - (len(others) - 1) / 2)
        axes.plot(x[members] + shift, value[members], marker, ms=3.5, color=colour, alpha=0.7, mec="none")
        at = np.unique(x[members])
        heights = [float(fitted[members & (x == one)].mean()) for one in at]
        axes.plot(at + shift, heights, "-", color=colour, linewidth=1.4, label=level)
    axes.legend(title=other, fontsize=style.SMALL_TEXT_SIZE, title_fontsize=style.SMALL_TEXT_SIZE, frameon=False)
    if not of_numbers:
        axes.set_xlim(-0.6, len(levels) - 0.4)
        axes.set_xticks(range(len(levels)), levels)


def _draw_edge(axes: Axes, edge: Mapping[str, object]) -> None:
    tested, value, fitted = edge["tested"], np.asarray(edge["value"]), np.asarray(edge["fitted"])
    assert isinstance(tested, Sequence)
    if all(isinstance(item, float) for item in tested):
        x = np.array(tested, dtype=np.float64)
        order = np.argsort(x)
        axes.plot(x, value, "o", ms=3.5, color=DOT, alpha=0.7, mec="none")
        line = np.polyval(np.polyfit(x, fitted, 1), x)
        if np.abs(fitted - line).max() <= 1e-6 * (np.ptp(fitted) + np.ptp(value)):
            axes.plot(x[order], fitted[order], "-", color=style.INK, linewidth=1.2)
        else:  # the fit depends on more than what stands below the panel
            axes.plot(x, fitted, "o", ms=3.5, mfc="none", mec=style.INK, mew=0.7)
        return
    levels = sorted(set(map(str, tested)))
    for place, level in enumerate(levels):
        members = np.array([str(item) == level for item in tested])
        heights = value[members]
        # Spread by rank, so that the same data give the same picture.
        offsets = ((np.argsort(np.argsort(heights)) * 7) % 11 - 5) / 5 * 0.18
        axes.plot(place + offsets, heights, "o", ms=3.5, color=DOT, alpha=0.7, mec="none")
        axes.plot([place - 0.3, place + 0.3], [heights.mean()] * 2, "-", color=style.INK, linewidth=1.6)
    axes.set_xlim(-0.6, len(levels) - 0.4)
    axes.set_xticks(range(len(levels)), levels)
