"""Connectomes as coloured matrices, their nodes ordered and marked by network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from sphereconn.draw import style
from sphereconn.errors import InputError
from sphereconn.words import number

SIDE = 5.4  # inches
STRIP = 0.11
STRIP_GAP = 0.04
LEADER = 0.22  # room of the lines from a block to its label

MOST_NAMED_NODES = 40
MOST_DECIMALS = 4  # of a written value
MOST_WRITTEN_VALUES = 16  # of networks, in a side of the matrix of means

ORDERS = ("network", "cluster", "table")


def matrix_figure(
    matrix: ArrayLike,
    names: Sequence[str],
    networks: Sequence[str] | None = None,
    *,
    title: str,
    label: str,
    vmax: float | None = None,
    order: str = "network",
    signed: bool = True,
) -> Figure:
    """Draw a connectome as a matrix, its diagonal blank.

    Parameters
    ----------
    matrix : (n_nodes, n_nodes) array
        NaN cells are grey; the diagonal plays no part.
    names : sequence of str
        Written at the rows and columns when there are at most 40.
    networks : sequence of str, optional
        One a node: strips in the colours of the networks, and for ``order="network"`` lines and labels.
    title, label : str
        What the figure shows; what the values are (beside the colour bar).
    vmax : float, optional
        The colours span -vmax to vmax; by default the largest magnitude off the diagonal.
    order : {"network", "cluster", "table"}
        Of the nodes: by network (the nodes of a network in the order given), by similarity of their rows (average
        linkage of Euclidean distances without the diagonal, optimal leaf order, nodes without a value last), or as
        given.
    signed : bool
        False for values that are never below 0, such as F statistics: the colours span 0 to vmax.

    Raises
    ------
    InputError
        For an unknown order.
    ValueError
        When shapes do not fit each other.
    """
    values = _checked_matrix(matrix, len(names))
    groups = style.checked_networks(networks, len(names))
    sequence = node_order(values, groups, order)
    shown = values[np.ix_(sequence, sequence)]
    scale = style.value_scale(shown[~np.eye(len(shown), dtype=bool)], label, vmax=vmax, signed=signed)
    labels = [names[node] for node in sequence] if len(names) <= MOST_NAMED_NODES else []
    members = [groups[node] for node in sequence] if groups else []
    note = style.missing_note(_nodes_without_values(values, names))
    return _draw(shown, labels, members, title, note, scale, blocks=order == "network")


def network_matrix_figure(
    means: ArrayLike,
    networks: Sequence[str],
    *,
    title: str,
    label: str,
    vmax: float | None = None,
    signed: bool = True,
    marked: ArrayLike | None = None,
    note: str = "",
) -> Figure:
    """Draw the mean connectivity within and between networks, with the value in each cell.

    Parameters
    ----------
    means : (n_networks, n_networks) array
        On the diagonal the mean within a network; NaN (grey) where there is none, as in a network of one node.
    networks : sequence of str
        Their names.
    title, label, vmax, signed
        As for `matrix_figure`; the limit takes in the diagonal.
    marked : (n_networks, n_networks) array of bool, optional
        Cells with an asterisk.
    note : str
        A remark below the title.

    Raises
    ------
    ValueError
        When shapes do not fit each other.
    """
    values = _checked_matrix(means, len(networks))
    looks = style.network_looks(networks)
    sequence = [place for name in looks for place, network in enumerate(networks) if network == name]
    shown = values[np.ix_(sequence, sequence)]
    scale = style.value_scale(shown, label, vmax=vmax, signed=signed)
    members = [networks[place] for place in sequence]
    labels = [looks[name].label for name in members]
    stars = None if marked is None else np.asarray(marked, dtype=bool)[np.ix_(sequence, sequence)]
    return _draw(shown, labels, members, title, note, scale, blocks=False, written=True, marked=stars)


def node_order(matrix: ArrayLike, networks: Sequence[str] | None, order: str) -> NDArray[np.intp]:
    """Return the node numbers in the order "network", "cluster" or "table"; see `matrix_figure`."""
    values = np.asarray(matrix, dtype=np.float64)
    if order not in ORDERS:
        raise InputError(f"order: '{order}' is not known; allowed: {', '.join(ORDERS)}.")
    if order == "cluster":
        return _by_similarity(values)
    if order == "network" and networks is not None:
        rank = {name: place for place, name in enumerate(style.network_looks(networks))}
        return np.argsort([rank[name] for name in networks], kind="stable")
    return np.arange(len(values))


def _by_similarity(values: NDArray[np.float64]) -> NDArray[np.intp]:
    rows = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    empty = np.isnan(rows).all(axis=1)
    known = np.flatnonzero(~empty)
    if len(known) > 2:
        from scipy.cluster.hierarchy import leaves_list, linkage  # costs a second to import, and is rarely asked for

        tree = linkage(np.nan_to_num(rows[known]), method="average", metric="euclidean", optimal_ordering=True)
        known = known[leaves_list(tree)]
    return np.concatenate([known, np.flatnonzero(empty)])


def _checked_matrix(matrix: ArrayLike, n_nodes: int) -> NDArray[np.float64]:
    values = np.asarray(matrix, dtype=np.float64)
    if values.shape != (n_nodes, n_nodes):
        raise ValueError(f"a matrix of shape {values.shape} for {n_nodes} nodes")
    return values


def _nodes_without_values(values: NDArray[np.float64], names: Sequence[str]) -> list[str]:
    off_diagonal = np.where(np.eye(len(values), dtype=bool), np.nan, values)
    return [name for name, row in zip(names, off_diagonal, strict=True) if np.isnan(row).all() and len(names) > 1]


def _draw(
    shown: NDArray[np.float64],
    labels: Sequence[str],
    members: Sequence[str],
    title: str,
    note: str,
    scale: style.ColourScale,
    blocks: bool,
    written: bool = False,
    marked: NDArray[np.bool_] | None = None,
) -> Figure:
    with style.figure_style():
        looks = style.network_looks(members)
        size = min(style.SMALL_TEXT_SIZE, 0.8 * 72 * SIDE / max(len(shown), 1))
        name_room = max((style.text_width(name, size) for name in labels), default=0.0) + (0.08 if labels else 0.0)
        block_room = max((style.text_width(looks[name].label, style.TEXT_SIZE) for name in members), default=0.0)
        strip = STRIP + STRIP_GAP if members else 0.0
        left = style.MARGIN + name_room + strip
        right = left + SIDE + (LEADER + block_room if blocks and members else 0) + 0.2
        width = right + style.colour_bar_width(SIDE / 2, scale) + style.MARGIN
        legend = (
            [replace(look, marker="s") for look in style.listed_looks(looks)]
            if members and not blocks and not written
            else []
        )
        room = width - 2 * style.MARGIN

        top = style.heading_height(title, note, width) + strip
        below = top + SIDE + name_room
        height = below + (style.MARGIN + style.legend_height(legend, room) if legend else 0) + style.MARGIN
        sheet = style.Sheet(width, height)
        sheet.heading(title, note)
        axes = sheet.axes(left, top, SIDE, SIDE)
        draw_matrix(axes, shown, scale, blank=not written)
        places = range(len(labels))
        axes.set_xticks(places, labels, rotation=90, size=size)
        axes.set_yticks(places, labels, size=size)
        axes.tick_params(axis="x", length=0, pad=2)
        axes.tick_params(axis="y", length=0, pad=2 + 72 * strip)
        if written and len(shown) <= MOST_WRITTEN_VALUES:
            _write_values(axes, shown, scale, marked)
        if members:
            mark_members(sheet, left, top, SIDE, [looks[name].colour for name in members])
        if blocks and members:
            _draw_blocks(sheet, axes, left + SIDE, top, members, looks)
        sheet.colour_bar(right, top + SIDE / 4, SIDE / 2, scale)
        if legend:
            sheet.legend(style.MARGIN, below + style.MARGIN, room, legend)
        return sheet.figure


def draw_matrix(axes: Axes, values: NDArray[np.float64], scale: style.ColourScale, blank: bool = True) -> None:
    """Draw the cells of a matrix; a node has no edge with itself, so the diagonal is blank unless it holds means."""
    settings: Any = {"interpolation": "nearest", "aspect": "auto"}
    axes.imshow(values, cmap=scale.colours, vmin=scale.low, vmax=scale.high, **settings)
    if blank:
        paper = np.ones((*values.shape, 4))
        paper[..., 3] = np.eye(len(values))
        axes.imshow(paper, **settings)


def mark_members(sheet: style.Sheet, left: float, top: float, side: float, colours: Sequence[str]) -> None:
    """Draw the colours of the networks of nodes along the left and the top of a matrix."""
    shades = np.array([to_rgb(colour) for colour in colours])
    beside = sheet.axes(left - STRIP - STRIP_GAP, top, STRIP, side)
    above = sheet.axes(left, top - STRIP - STRIP_GAP, side, STRIP)
    beside.imshow(shades[:, None], aspect="auto", interpolation="nearest")
    above.imshow(shades[None], aspect="auto", interpolation="nearest")
    for axes in (beside, above):
        axes.set_axis_off()


def _draw_blocks(
    sheet: style.Sheet,
    axes: Axes,
    left: float,
    top: float,
    members: Sequence[str],
    looks: dict[str, style.NetworkLook],
) -> None:
    """Draw lines between networks and, to the right, their names, with a leader from each block to its name."""
    n_nodes = len(members)
    starts = [place for place in range(n_nodes) if place == 0 or members[place] != members[place - 1]]
    for start in starts[1:]:
        axes.axhline(start - 0.5, color=style.INK, linewidth=0.5)
        axes.axvline(start - 0.5, color=style.INK, linewidth=0.5)
    stops = [*starts[1:], n_nodes]
    centres = (np.array(starts) + np.array(stops)) / 2 * SIDE / n_nodes
    size = min(style.TEXT_SIZE, SIDE / len(starts) / style.LINE_HEIGHT)
    heights = style.spread(centres, size * style.LINE_HEIGHT, -style.TEXT_SIZE / 72, SIDE + style.TEXT_SIZE / 72)
    beside = sheet.axes(left, top, LEADER, SIDE)
    beside.set_axis_off()
    beside.set_xlim(0, LEADER)
    beside.set_ylim(SIDE, 0)
    for start, stop, centre, height in zip(starts, stops, centres, heights, strict=True):
        look = looks[members[start]]
        bracket = SIDE / n_nodes * np.array([start, stop]) + np.array([0.01, -0.01])
        beside.plot([0.045, 0.045], bracket, color=look.colour, linewidth=2, solid_capstyle="butt")
        beside.plot([0.06, 0.1, LEADER - 0.05, LEADER - 0.02], [centre, centre, height, height],
                    color=style.FAINT_INK, linewidth=0.5, clip_on=False)  # fmt: skip
        sheet.text(left + LEADER, top + height, look.label, size, va="center_baseline")


def _write_values(
    axes: Axes, shown: NDArray[np.float64], scale: style.ColourScale, marked: NDArray[np.bool_] | None
) -> None:
    largest = style.symmetric_limit(shown)
    decimals = min(MOST_DECIMALS, max(2, 1 - int(np.floor(np.log10(largest)))))  # two digits of the largest
    for (row, column), value in np.ndenumerate(shown):
        star = "*" if marked is not None and marked[row, column] else ""
        text = "n/a" if np.isnan(value) else f"{number(value, f'.{decimals}f')}{star}"
        dark = abs(value) > 0.65 * scale.high
        axes.text(column, row, text, ha="center", va="center", size=6.5, color="white" if dark else style.INK)
