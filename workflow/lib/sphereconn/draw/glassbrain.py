"""Nodes and edges in outlines of the brain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from sphereconn.draw import style
from sphereconn.draw.brain import outline
from sphereconn.draw.edges import Edges, edges_to_draw
from sphereconn.errors import InputError

INCHES_PER_MM = 1 / 52
ROOM_AROUND = 5.0  # mm between the brain, or the outermost node, and the frame of a view
GAP = 0.1  # inches between views

_BESIDE = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 0), (-2, 0), (2, 1), (2, -1))
MOST_NAMED_NODES = 12  # more names would cover the brain
WIDEST_NAME = 1.0  # inches; longer names are broken into lines
MOST_VECTOR_EDGES = 3000  # more lines than this make an .svg of megabytes: they become an image in it
MOST_DASHED_EDGES = 1000  # dashes tell a negative edge in print; among more lines than this they only make a mesh

SMALLEST_MARKER = 1.5  # square points: a node of strength 0 is still seen
_STRENGTH_MAPS = {"absolute": "Greys", "positive": "YlOrRd", "negative": "PuBu"}

MODES = {
    "ortho": "xyz",
    **{mode: mode for mode in ("x", "y", "z", "xz", "yx", "yz", "l", "r", "lr", "lzr", "lyr", "lzry", "lyrz")},
}


@dataclass(frozen=True)
class _View:
    """One direction to look from: which outline, which coordinate goes right and which up, which half is seen."""

    outline: str
    across: int
    upwards: int
    mirrored: bool = False
    half: str | None = None
    ends: tuple[str, str] = ("", "")
    caption: str = ""

    def project(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return horizontal and vertical positions in mm, shape (..., 2)."""
        flat: NDArray[np.float64] = coordinates[..., [self.across, self.upwards]].astype(np.float64)
        if self.mirrored:
            flat[..., 0] *= -1
        return flat

    def shows(self, coordinates: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which points are seen; the midline belongs to both halves."""
        x = coordinates[..., 0]
        if self.half is None:
            return np.ones(x.shape, dtype=bool)
        return x <= 0 if self.half == "left" else x >= 0


_VIEWS = {
    "x": _View("right", 1, 2),
    "y": _View("back", 0, 2, ends=("L", "R")),
    "z": _View("top", 0, 1, ends=("L", "R")),
    "l": _View("left", 1, 2, mirrored=True, half="left", caption="left"),
    "r": _View("right", 1, 2, half="right", caption="right"),
}
_RADIOLOGICAL_VIEWS = {
    **_VIEWS,
    "y": _View("front", 0, 2, mirrored=True, ends=("R", "L")),
    "z": _View("top", 0, 1, mirrored=True, ends=("R", "L")),
}


def connectome_figure(
    matrix: ArrayLike,
    coordinates: ArrayLike,
    *,
    title: str,
    label: str,
    names: Sequence[str] | None = None,
    networks: Sequence[str] | None = None,
    views: str = "ortho",
    threshold: float | str | None = None,
    vmax: float | None = None,
    node_size: float | None = None,
    isolated: str = "small",
    radiological: bool = False,
    selected: str = "",
    signed: bool = True,
) -> Figure:
    """Draw a connectome as nodes and edges in outlines of the brain.

    Parameters
    ----------
    matrix : (n_nodes, n_nodes) symmetric array
        NaN where an edge has no value.
    coordinates : (n_nodes, 3) array
        MNI152, mm.
    title, label : str
        What the figure shows; what the values are (beside the colour bar).
    names : sequence of str, optional
        Written beside the nodes when there are at most 12.
    networks : sequence of str, optional
        One a node; they give the colours and shapes of the nodes.
    views : str
        ``ortho``, or letters in a row: x (from the right, all nodes), y (from the back), z (from the top), l and r (the
        left and the right hemisphere from their own side). A node at x = 0 and its edges belong to both hemispheres;
        an edge between the hemispheres is in neither lateral view, and the figure says how many those are.
    threshold : float, str or None
        Which edges are drawn: see `sphereconn.draw.edges.edges_to_draw`.
    vmax : float, optional
        The colours span -vmax to vmax; by default the largest magnitude that is drawn.
    node_size : float, optional
        Area of a node in square points; by default smaller the more nodes there are.
    isolated : {"small", "same", "hidden"}
        How nodes without a drawn edge look.
    radiological : bool
        Show the brain's right side on the left in the views y (from the front, then) and z.
    selected : str
        By what the edges were selected that are not 0, where not by their magnitude.
    signed : bool
        False for values that are never below 0, such as F statistics: the colours span 0 to vmax.

    Raises
    ------
    InputError
        Unknown views or an unknown threshold.
    ValueError
        Shapes that do not fit each other, or a matrix that is not symmetric.
    """
    chosen = _chosen_views(views, radiological)
    edges = edges_to_draw(matrix, threshold)
    places = _checked_coordinates(coordinates, len(np.asarray(matrix)))
    if names is not None and len(names) != len(places):
        raise ValueError(f"{len(names)} names for {len(places)} nodes")
    if isolated not in ("small", "same", "hidden"):
        raise ValueError(f"isolated is small, same or hidden, not {isolated!r}")
    size = node_size if node_size is not None else _default_size(len(places))
    connected = np.isin(np.arange(len(places)), np.concatenate([edges.first, edges.second]))
    sizes = np.full(len(places), size)
    if isolated != "same" and len(edges):
        sizes[~connected] = size / 4 if isolated == "small" else 0.0

    with style.figure_style():
        left_out = 0.0 if selected else edges.cutoff
        scale = style.value_scale(edges.values, label, vmax=vmax, signed=signed, left_out_below=left_out)
        page = _Page(chosen, places, title, _edge_note(edges, chosen, places, selected), [scale], networks)
        for view, axes in page.row(0):
            _draw_edges(axes, view, edges, places, scale)
            page.draw_nodes(axes, view, sizes)
            if names is not None and len(names) <= MOST_NAMED_NODES:
                _draw_names(axes, view, edges, places, names, sizes)
        return page.sheet.figure


def difference_brain_figure(
    one: ArrayLike,
    two: ArrayLike,
    coordinates: ArrayLike,
    *,
    captions: tuple[str, str],
    title: str,
    label: str,
    note: str = "",
    networks: Sequence[str] | None = None,
    views: str = "ortho",
    threshold: float | str | None = None,
    vmax: float | None = None,
    radiological: bool = False,
) -> Figure:
    """Draw two connectomes on one scale and, on a scale of its own that is symmetric, the first minus the second.

    Parameters
    ----------
    one, two : (n_nodes, n_nodes) symmetric arrays
        NaN where an edge has no value.
    captions : pair of str
        What the two are called (beside their colour bars).
    title, label, note
        What the figure shows; what the values are; a remark.
    vmax : float, optional
        End of the scale of the first two; by default the largest magnitude that is drawn of both.
    coordinates, networks, views, threshold, radiological
        As for `connectome_figure`; the threshold holds for each of the three.
    """
    chosen = _chosen_views(views, radiological)
    first, second = np.asarray(one, dtype=np.float64), np.asarray(two, dtype=np.float64)
    edges = [edges_to_draw(matrix, threshold) for matrix in (first, second, first - second)]
    places = _checked_coordinates(coordinates, len(first))
    limit = vmax or style.symmetric_limit(np.concatenate([drawn.values for drawn in edges[:2]]))
    words = [*(f"{caption}: {label}" for caption in captions), "first minus second"]
    scales = [
        style.value_scale(drawn.values, said, vmax=end, left_out_below=drawn.cutoff)
        for drawn, said, end in zip(edges, words, (limit, limit, None), strict=True)
    ]
    size = _default_size(len(places))
    with style.figure_style():
        page = _Page(chosen, places, title, note, scales, networks)
        for row, (drawn, scale) in enumerate(zip(edges, scales, strict=True)):
            connected = np.isin(np.arange(len(places)), np.concatenate([drawn.first, drawn.second]))
            for view, axes in page.row(row):
                _draw_edges(axes, view, drawn, places, scale)
                page.draw_nodes(axes, view, np.where(connected, size, size / 4))
        return page.sheet.figure


def node_strength_figure(
    strengths: Mapping[str, ArrayLike],
    coordinates: ArrayLike,
    *,
    title: str,
    label: str = "Strength",
    views: str = "ortho",
    node_size: float | None = None,
    radiological: bool = False,
    limits: Mapping[str, float] | None = None,
) -> Figure:
    """Draw node strengths as area and colour of the nodes: one row for each of absolute, positive, negative.

    Parameters
    ----------
    strengths : mapping of "absolute", "positive" or "negative" to an (n_nodes,) array
        At least 0; NaN for a node without a value, which is drawn as a grey cross. Areas and colours begin at 0, so
        that twice the strength is twice the area; markers beside the colour bar say what an area means.
    coordinates : (n_nodes, 3) array
        MNI152, mm.
    title, label : str
        What the figure shows; what the values are (beside each colour bar, after the kind of strength).
    views, radiological
        As for `connectome_figure`.
    node_size : float, optional
        Area of the strongest node, or of one at the limit, in square points.
    limits : mapping of the same keys to float, optional
        Strength at the end of the scale; by default the largest of a row.

    Raises
    ------
    InputError
        Unknown views.
    ValueError
        Shapes that do not fit each other, or a negative strength.
    """
    chosen = _chosen_views(views, radiological)
    places = _checked_coordinates(coordinates)
    vectors = {kind: np.asarray(values, dtype=np.float64) for kind, values in strengths.items()}
    for kind, values in vectors.items():
        if kind not in _STRENGTH_MAPS:
            raise ValueError(f"strengths are {', '.join(_STRENGTH_MAPS)}, not {kind!r}")
        if values.shape != (len(places),):
            raise ValueError(f"{kind} strengths of shape {values.shape} for {len(places)} nodes")
        if (values < 0).any():
            raise ValueError(f"{kind} strengths below 0")
    largest = 2.5 * _default_size(len(places)) if node_size is None else node_size
    missing = sorted({int(node) for values in vectors.values() for node in np.flatnonzero(np.isnan(values))})
    note = f"{len(missing)} node{'s' if len(missing) > 1 else ''} without a value (crosses)" if missing else ""

    with style.figure_style():
        scales = [_strength_scale(kind, values, label, (limits or {}).get(kind)) for kind, values in vectors.items()]
        page = _Page(chosen, places, title, note, scales, largest=largest)
        for row, (values, scale) in enumerate(zip(vectors.values(), scales, strict=True)):
            share = scale.share(values)
            known = np.flatnonzero(~np.isnan(values))
            order = known[np.argsort(values[known], kind="stable")]
            for view, axes in page.row(row):
                seen = view.shows(places)
                gone = view.project(places[np.isnan(values) & seen])
                axes.scatter(gone[:, 0], gone[:, 1], s=22, c="#7a7a7a", marker="x", linewidths=1.1, zorder=3)
                drawn = order[seen[order]]
                spots = view.project(places[drawn])
                axes.scatter(
                    spots[:, 0],
                    spots[:, 1],
                    s=np.maximum(largest * share[drawn], SMALLEST_MARKER),
                    c=scale.colours(share[drawn]),
                    edgecolors=style.INK,
                    linewidths=0.4,
                    zorder=4,
                )
        return page.sheet.figure


def _strength_scale(kind: str, values: NDArray[np.float64], label: str, limit: float | None) -> style.ColourScale:
    scale = style.value_scale(values, f"{label} ({kind})", vmax=limit or None, signed=False)
    return replace(scale, colours=style.sequential_map(_STRENGTH_MAPS[kind]))


class _Page:
    """The frame of a figure: heading, rows of views with a colour bar each, legend of networks."""

    def __init__(
        self,
        views: Sequence[_View],
        coordinates: NDArray[np.float64],
        title: str,
        note: str,
        scales: Sequence[style.ColourScale],
        networks: Sequence[str] | None = None,
        largest: float = 0.0,
    ) -> None:
        self.largest = largest
        self.views = views
        self.coordinates = coordinates
        self.scales = scales
        self.networks = style.checked_networks(networks, len(coordinates))
        self.looks = style.network_looks(self.networks) if self.networks else {}
        self.boxes = [_box(view, coordinates) for view in views]
        widths = [(right - left) * INCHES_PER_MM for left, right, _, _ in self.boxes]
        self.row_height = max((high - low) * INCHES_PER_MM for _, _, low, high in self.boxes)
        self.bar_height = min(self.row_height - 0.3, 2.4)
        bar_width = max(style.colour_bar_width(self.bar_height, scale, largest) for scale in scales)
        width = style.MARGIN + sum(widths) + GAP * len(widths) + bar_width + style.MARGIN
        self.top = style.heading_height(title, note, width)
        legend = style.listed_looks(self.looks)
        room = width - 2 * style.MARGIN
        below = self.top + len(scales) * (self.row_height + GAP)
        height = below + (style.legend_height(legend, room) if legend else 0) + style.MARGIN
        self.sheet = style.Sheet(width, height)
        self.sheet.heading(title, note)
        if legend:
            self.sheet.legend(style.MARGIN, below, room, legend)

    def row(self, number: int) -> list[tuple[_View, Axes]]:
        """Add a row of brains and its colour bar."""
        top = self.top + number * (self.row_height + GAP)
        left = style.MARGIN
        drawn = []
        for view, (west, east, south, north) in zip(self.views, self.boxes, strict=True):
            width, height = (east - west) * INCHES_PER_MM, (north - south) * INCHES_PER_MM
            axes = self.sheet.axes(left, top + (self.row_height - height) / 2, width, height)
            axes.set_axis_off()
            axes.set_xlim(west, east)
            axes.set_ylim(south, north)
            _draw_brain(axes, view)
            drawn.append((view, axes))
            left += width + GAP
        middle = top + (self.row_height - self.bar_height) / 2
        self.sheet.colour_bar(left, middle, self.bar_height, self.scales[number], self.largest)
        return drawn

    def draw_nodes(self, axes: Axes, view: _View, sizes: NDArray[np.float64]) -> None:
        """Draw the nodes of a view, a network at a time."""
        seen = view.shows(self.coordinates) & (sizes > 0)
        networks = np.array(self.networks if self.networks else [""] * len(self.coordinates))
        looks = self.looks or {"": style.NetworkLook("", "#4d4d4d", "o")}
        for name, look in looks.items():
            these = seen & (networks == name)
            spots = view.project(self.coordinates[these])
            axes.scatter(
                spots[:, 0],
                spots[:, 1],
                s=sizes[these],
                c=look.colour,
                marker=look.marker,
                edgecolors=style.INK,
                linewidths=0.5,
                zorder=4,
            )


def _chosen_views(views: str, radiological: bool) -> list[_View]:
    if views not in MODES:
        raise InputError(f"views: '{views}' is not known; allowed: {', '.join(MODES)}.")
    known = _RADIOLOGICAL_VIEWS if radiological else _VIEWS
    return [known[letter] for letter in MODES[views]]


def _checked_coordinates(coordinates: ArrayLike, n_nodes: int | None = None) -> NDArray[np.float64]:
    places = np.asarray(coordinates, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 3 or n_nodes not in (None, len(places)):
        raise ValueError(f"coordinates of shape {places.shape} for {n_nodes or 'n'} nodes")
    if not np.isfinite(places).all():
        raise ValueError("coordinates that are not finite")
    return places


def _default_size(n_nodes: int) -> float:
    return float(np.clip(5000 / max(n_nodes, 1), 16, 90))


def _box(view: _View, coordinates: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of a view in mm: the brain and all nodes that are seen."""
    points = np.concatenate([*outline(view.outline).silhouette, view.project(coordinates[view.shows(coordinates)])])
    (west, south), (east, north) = points.min(axis=0) - ROOM_AROUND, points.max(axis=0) + ROOM_AROUND
    return float(west), float(east), float(south), float(north)


def _draw_brain(axes: Axes, view: _View) -> None:
    drawn = outline(view.outline)
    silhouette, sulci = _closed_path(drawn.silhouette), _closed_path(drawn.sulci)
    for patch in (
        PathPatch(silhouette, facecolor="#f8f8f8", edgecolor="none", zorder=0),
        PathPatch(sulci, facecolor="#dadada", edgecolor="none", zorder=1),
        PathPatch(silhouette, facecolor="none", edgecolor="#9a9a9a", linewidth=1.0, zorder=1),
    ):
        axes.add_artist(patch)  # add_patch spends half of the figure's time on limits of the axes, which are given
    marks = [*zip(view.ends, ((0.02, "left"), (0.98, "right")), strict=True), (view.caption, (0.02, "left"))]
    for text, (x, alignment) in marks:
        if text:
            axes.text(x, 0.99, text, transform=axes.transAxes, ha=alignment, va="top", color=style.FAINT_INK)


def _closed_path(lines: Sequence[NDArray[np.float64]]) -> Path:
    return Path.make_compound_path(*(Path(np.vstack([line, line[:1]]), closed=True) for line in lines))


def _draw_edges(
    axes: Axes, view: _View, edges: Edges, coordinates: NDArray[np.float64], scale: style.ColourScale
) -> None:
    seen = view.shows(coordinates)
    both = seen[edges.first] & seen[edges.second]
    values = edges.values[both]
    flat = view.project(coordinates)
    share = np.minimum(np.abs(values) / scale.high, 1)
    dashed = len(edges) <= MOST_DASHED_EDGES
    crowded = len(edges) > MOST_VECTOR_EDGES
    heaviest = float(np.clip(2.7 - 0.5 * np.log10(max(len(edges), 1)), 0.5, 2.5))  # points; many lines are finer
    axes.add_collection(
        LineCollection(
            list(np.stack([flat[edges.first[both]], flat[edges.second[both]]], axis=1)),
            colors=scale.colours(scale.share(values)),
            linewidths=0.5 if crowded else 0.2 + heaviest * share,  # one width is a quarter faster
            linestyles=[(0, (3, 1)) if dashed and value < 0 else "solid" for value in values] if dashed else "solid",
            rasterized=crowded,
            zorder=2,
        ),
        autolim=False,
    )


def _edge_note(edges: Edges, views: Sequence[_View], coordinates: NDArray[np.float64], selected: str = "") -> str:
    if not len(edges):
        reason = f"no edge has a magnitude of {edges.cutoff:.3g} or more" if edges.n_possible else "no edge has a value"
        return reason if edges.cutoff or not edges.n_possible else "all edges are 0"
    parts = [f"{len(edges):,} of {edges.n_possible:,} edges"]
    if selected or edges.cutoff:
        parts.append(selected or f"magnitude at least {edges.cutoff:.3g}")
    if (edges.values < 0).any() and len(edges) <= MOST_DASHED_EDGES:
        parts.append("negative edges dashed")
    x = coordinates[:, 0]
    between = int((x[edges.first] * x[edges.second] < 0).sum())
    if between and all(view.half for view in views):
        parts.append(f"{between:,} between the hemispheres not shown")
    elif between and any(view.half for view in views):
        parts.append(f"{between:,} between the hemispheres not in the lateral views")
    return ", ".join(parts)


def _draw_names(
    axes: Axes,
    view: _View,
    edges: Edges,
    coordinates: NDArray[np.float64],
    names: Sequence[str],
    sizes: NDArray[np.float64],
) -> None:
    """Write names beside their nodes, each at that of twelve places where it hides least: nodes, names, edges."""
    seen = view.shows(coordinates) & (sizes > 0)
    spots = view.project(coordinates)
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    both = seen[edges.first] & seen[edges.second]
    along = np.linspace(0, 1, 50)[:, None, None]
    on_edges = (spots[edges.first[both]] * along + spots[edges.second[both]] * (1 - along)).reshape(-1, 2)
    radius = np.sqrt(sizes) / 2 / 72 / INCHES_PER_MM + 1.5
    taken = [
        (x - r, x + r, y - r, y + r) for (x, y), r in zip(spots[seen].tolist(), radius[seen].tolist(), strict=True)
    ]
    for node in np.flatnonzero(seen).tolist():
        name = style.wrapped(names[node], WIDEST_NAME, style.SMALL_TEXT_SIZE)
        width = style.text_width(name, style.SMALL_TEXT_SIZE) / INCHES_PER_MM + 1
        height = (name.count("\n") + 1) * style.SMALL_TEXT_SIZE * style.LINE_HEIGHT / INCHES_PER_MM
        x, y = (float(value) for value in spots[node])
        reach = float(radius[node])
        candidates = []
        for up, across in _BESIDE:
            beside = x + across * (reach + width / 2) * (1 if not up else 0.8)
            middle = float(np.clip(beside, left + width / 2, right - width / 2)), y + up * (reach + height / 2)
            box = (middle[0] - width / 2, middle[0] + width / 2, middle[1] - height / 2, middle[1] + height / 2)
            inside = box[2] >= low and box[3] <= high
            covered = ((on_edges > (box[0], box[2])) & (on_edges < (box[1], box[3]))).all(axis=1).sum()
            hidden = 5 * sum(_overlap(box, other) for other in taken) + 3 * int(
                covered
            )  # an edge may pass below a name
            candidates.append((not inside, hidden, middle, box))
        _, _, middle, box = min(candidates, key=lambda candidate: candidate[:2])
        taken.append(box)
        axes.text(
            *middle,
            name,
            ha="center",
            va="center",
            size=style.SMALL_TEXT_SIZE,
            zorder=5,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )


def _overlap(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> float:
    across = min(one[1], two[1]) - max(one[0], two[0])
    upwards = min(one[3], two[3]) - max(one[2], two[2])
    return across * upwards if across > 0 and upwards > 0 else 0.0
