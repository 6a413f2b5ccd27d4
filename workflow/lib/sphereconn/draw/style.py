"""What all figures share: fonts, colours, a sheet laid out in inches, and saving the same bytes for the same input."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from numpy.typing import ArrayLike, NDArray

from sphereconn.files import written_whole

TEXT_SIZE = 8.0  # points
SMALL_TEXT_SIZE = 7.0
TITLE_SIZE = 11.0
LINE_HEIGHT = 1.35 / 72  # inches a point of text
MARGIN = 0.15  # inches

INK = "#222222"
FAINT_INK = "#6b6b6b"
MISSING_COLOUR = "#c9c9c9"  # a value that is n/a
NO_NETWORK_COLOUR = "#b8b8b8"

DIVERGING = "RdBu_r"

# Found by a search for the largest smallest distance (CIELAB) within the set and to NO_NETWORK_COLOUR, under normal,
# protan, deutan and tritan vision; then ordered so that the first few are the farthest apart.
NETWORK_COLOURS = (
    "#2d78f0", "#d28700", "#870069", "#2de1ff", "#5a3c1e", "#a5d296", "#9678b4",
    "#f0785a", "#5a6900", "#d20f5a", "#e1d25a", "#4b2d96", "#5ab4ff", "#3c8778",
)  # fmt: skip
NETWORK_MARKERS = ("o", "s", "^", "D")  # a second cue, for printing in grey
NO_NETWORK = frozenset({"", "n/a", "none", "unassigned", "uncertain"})

_SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": TEXT_SIZE,
    "text.color": INK,
    "text.hinting": "none",  # hinted letters differ between versions of the font library
    "text.parse_math": False,  # a node may be called a$b$
    "axes.edgecolor": FAINT_INK,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT_SIZE,
    "axes.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL_TEXT_SIZE,
    "ytick.labelsize": SMALL_TEXT_SIZE,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "sphereconn",
    "pdf.fonttype": 42,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw or save with the settings of these figures, whatever the user's own matplotlib settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def save_figure(figure: Figure, path: str | Path, dpi: int = 150) -> None:
    """Write a figure whole or not at all; the suffix (.png, .svg, .pdf) gives the format.

    The same figure gives the same bytes: no date and no version is written into the file.
    """
    path = Path(path)
    absent: dict[str, dict[str, Any]] = {
        ".png": {"Software": None},
        ".svg": {"Date": None, "Creator": None},
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    if path.suffix not in absent:
        raise ValueError(f"{path}: a figure is a .png, .svg or .pdf file")
    with figure_style(), written_whole(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=dpi, metadata=absent[path.suffix])


@dataclass(frozen=True)
class NetworkLook:
    """How the nodes of one network are drawn, and what the legend calls it."""

    label: str
    colour: str
    marker: str


def network_looks(networks: Sequence[str]) -> dict[str, NetworkLook]:
    """Return the look of each network, by its rank among the sorted names; those of no network come last, in grey.

    The same set of names always gets the same colours, whatever the order or number of the nodes.
    """
    named = sorted({name for name in networks if name.lower() not in NO_NETWORK}, key=lambda name: (name.lower(), name))
    looks = {}
    for rank, name in enumerate(named):
        round_, place = divmod(rank, len(NETWORK_COLOURS))
        marker = NETWORK_MARKERS[(place + round_) % len(NETWORK_MARKERS)]
        looks[name] = NetworkLook(name, NETWORK_COLOURS[place], marker)
    for name in sorted({name for name in networks if name.lower() in NO_NETWORK}):
        looks[name] = NetworkLook(name if name not in ("", "n/a") else "no network", NO_NETWORK_COLOUR, "o")
    return looks


def checked_networks(networks: Sequence[str] | None, n_nodes: int) -> list[str] | None:
    """Return the network of each node, or None when not one node has a network."""
    if networks is None or all(name.lower() in NO_NETWORK for name in networks):
        return None
    if len(networks) != n_nodes:
        raise ValueError(f"{len(networks)} networks for {n_nodes} nodes")
    return list(networks)


def symmetric_limit(values: ArrayLike) -> float:
    """Return the largest finite magnitude, for a colour scale from -limit to limit; 1 when there is none above 0."""
    magnitudes = np.abs(np.asarray(values, dtype=np.float64))
    largest = float(np.max(magnitudes[np.isfinite(magnitudes)], initial=0.0))
    return largest if largest > 0 else 1.0


def diverging_map() -> Colormap:
    """Return the map for signed values (blue below, red above zero), with grey for what is missing."""
    return matplotlib.colormaps[DIVERGING].with_extremes(bad=MISSING_COLOUR)


def sequential_map(name: str) -> Colormap:
    """Return a matplotlib map without its palest fifth, which could not be told from white paper."""
    shades = matplotlib.colormaps[name](np.linspace(0.2, 1, 256))
    return LinearSegmentedColormap.from_list(name, list(shades)).with_extremes(bad=MISSING_COLOUR)


def text_width(text: str, size: float) -> float:
    """Return the width of the widest line of a text in inches, at a size in points."""
    font = FontProperties(family=_SETTINGS["font.family"], size=size)
    widths = [text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] for line in text.split("\n")]
    return float(max(widths)) / 72


def wrapped(text: str, width: float, size: float) -> str:
    """Break the lines of a text so that they fit a width in inches."""
    return "\n".join(_wrapped_line(line, width, size) for line in text.split("\n"))


def _wrapped_line(line: str, width: float, size: float) -> str:
    natural = text_width(line, size)
    if natural <= width:
        return line
    # Characters differ in width: narrow the lines until the widest one fits.
    for characters in range(int(len(line) * width / natural) + 4, 1, -1):
        lines = "\n".join(textwrap.wrap(line, characters))
        if text_width(lines, size) <= width:
            return lines
    return line


def spread(centres: ArrayLike, gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Move sorted positions as little as possible (least squares) so that neighbours are at least ``gap`` apart.

    All stay within ``low + gap / 2`` and ``high - gap / 2``; where that is too narrow for them, the gap shrinks.
    """
    wanted = np.asarray(centres, dtype=np.float64)
    number = len(wanted)
    gap = min(gap, (high - low) / max(number, 1))
    shift = gap * np.arange(number)
    # Without the shift, "at least a gap apart" means "never falling": isotonic regression by pooling neighbours.
    pools: list[tuple[float, int]] = []
    for value in wanted - shift:
        pools.append((float(value), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, n_one), (two, n_two) = pools[-2:]
            pools[-2:] = [((one * n_one + two * n_two) / (n_one + n_two), n_one + n_two)]
    pooled = np.repeat([value for value, _ in pools], [size for _, size in pools])
    moved: NDArray[np.float64] = np.clip(pooled, low + gap / 2, high - gap / 2 - gap * (number - 1)) + shift
    return moved


@dataclass(frozen=True)
class ColourScale:
    """What the colours of a figure mean; magnitudes under ``left_out_below`` are not drawn."""

    colours: Colormap
    low: float
    high: float
    label: str
    left_out_below: float = 0.0


class Sheet:
    """A white figure on which things are placed in inches from its top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self.figure = Figure(figsize=(width, height))
        FigureCanvasAgg(self.figure)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes; left and top are those of the frame."""
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)

    def text(self, left: float, top: float, text: str, size: float = TEXT_SIZE, **settings: Any) -> None:
        """Add text; left and top are those of its first line unless the alignment says otherwise."""
        settings = {"ha": "left", "va": "top", "size": size, "linespacing": 1.2, **settings}
        self.figure.text(left / self.width, 1 - top / self.height, text, **settings)

    def heading(self, title: str, note: str = "") -> None:
        """Add a title and, below it, a smaller remark; `heading_height` says how high both are."""
        width = self.width - 2 * MARGIN
        title = wrapped(title, width, TITLE_SIZE)
        self.text(MARGIN, MARGIN, title, TITLE_SIZE)
        below = MARGIN + (title.count("\n") + 1) * TITLE_SIZE * LINE_HEIGHT
        self.text(MARGIN, below, wrapped(note, width, SMALL_TEXT_SIZE), SMALL_TEXT_SIZE, color=FAINT_INK)

    def colour_bar(self, left: float, top: float, height: float, scale: ColourScale) -> None:
        """Add a vertical colour bar; `colour_bar_width` says how wide it is with its ticks and label."""
        axes = self.axes(left, top, 0.13, height)
        values = np.linspace(scale.low, scale.high, 256)
        shades = scale.colours(np.linspace(0, 1, 256))
        shades[np.abs(values) < scale.left_out_below] = matplotlib.colors.to_rgba("#eeeeee")
        extent = (0, 1, scale.low, scale.high)
        axes.imshow(shades[:, None], aspect="auto", origin="lower", extent=extent, interpolation="nearest")
        axes.set_xticks([])
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.locator_params(axis="y", nbins=6)
        axes.set_ylabel(wrapped(scale.label, height, TEXT_SIZE))

    def legend(self, left: float, top: float, width: float, looks: Sequence[NetworkLook]) -> None:
        """Add a legend of networks in as many columns as fit the width; `legend_height` says how high it is."""
        columns, column_width = _legend_columns(looks, width)
        axes = self.axes(left, top, width, legend_height(looks, width))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(legend_height(looks, width), 0)
        rows = -(-len(looks) // columns)
        for number, look in enumerate(looks):
            column, row = divmod(number, rows)
            x, y = column * column_width + 0.08, (row + 0.5) * TEXT_SIZE * LINE_HEIGHT
            axes.scatter([x], [y], s=28, c=look.colour, marker=look.marker, edgecolors=INK, linewidths=0.5)
            axes.text(x + 0.1, y, look.label, va="center_baseline", size=TEXT_SIZE)


def heading_height(title: str, note: str, width: float) -> float:
    """Return where, in inches from the top of a figure of this width, the room below the heading begins."""
    width -= 2 * MARGIN
    lines = wrapped(title, width, TITLE_SIZE).count("\n") + 1
    height = MARGIN + lines * TITLE_SIZE * LINE_HEIGHT + 0.12
    if note:
        height += (wrapped(note, width, SMALL_TEXT_SIZE).count("\n") + 1) * SMALL_TEXT_SIZE * LINE_HEIGHT
    return height


def colour_bar_width(height: float, scale: ColourScale) -> float:
    """Return the room in inches that a colour bar takes with its ticks and the label along it."""
    ticks = max(text_width(f"{value:.2g}0", SMALL_TEXT_SIZE) for value in (scale.low, scale.high))
    lines = wrapped(scale.label, height, TEXT_SIZE).count("\n") + 1
    return 0.13 + 0.12 + ticks + lines * TEXT_SIZE * LINE_HEIGHT


def legend_height(looks: Sequence[NetworkLook], width: float) -> float:
    """Return the height in inches of a legend of networks."""
    columns, _ = _legend_columns(looks, width)
    return -(-len(looks) // columns) * TEXT_SIZE * LINE_HEIGHT


def _legend_columns(looks: Sequence[NetworkLook], width: float) -> tuple[int, float]:
    column_width = max(text_width(look.label, TEXT_SIZE) for look in looks) + 0.4
    return max(1, int(width / column_width)), column_width


def missing_note(names: Sequence[str]) -> str:
    """Return a remark that names the nodes without a value, or nothing when there is none."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"n/a (grey): {', '.join(names[:8])}{more}" if names else ""


def listed_looks(looks: Mapping[str, NetworkLook]) -> list[NetworkLook]:
    """Return the looks of a legend: one a label."""
    return list({look.label: look for look in looks.values()}.values())
