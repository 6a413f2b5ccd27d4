"""What all figures share: fonts, colours, a sheet laid out in inches, and saving the same bytes for the same input."""

from __future__ import annotations

import textwrap
from collections import Counter
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
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from sphereconn.draw.network_colours import NO_NETWORK, NO_NETWORK_COLOUR, network_colours
from sphereconn.files import written_whole
from sphereconn.words import number

TEXT_SIZE = 8.0  # points
SMALL_TEXT_SIZE = 7.0
TITLE_SIZE = 11.0
LINE_HEIGHT = 1.35 / 72  # inches a point of text
MARGIN = 0.15  # inches
BAR_WIDTH = 0.13
TICK_ROOM = 0.17  # inches between the ticks of a colour bar
LEFT_OUT_SHARE = 0.1  # of a colour bar, for the magnitudes that are left out

INK = "#222222"
HALO = [withStroke(linewidth=3.2, foreground="white")]  # a line over dark ground is seen, in grey print too
FAINT_INK = "#6b6b6b"
MISSING_COLOUR = "#c9c9c9"  # a value that is n/a

DIVERGING = "RdBu_r"

NETWORK_MARKERS = ("o", "s", "^", "D")  # a second cue, for printing in grey

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

    The same figure gives the same bytes: no date and no version is written into the file. The shades of a .png are in
    steps of 4 of 255, which no one sees and which makes the file a third smaller.
    """
    path = Path(path)
    absent: dict[str, dict[str, Any]] = {
        ".svg": {"Date": None, "Creator": None},
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    if path.suffix not in (".png", *absent):
        raise ValueError(f"{path}: a figure is a .png, .svg or .pdf file")
    with figure_style(), written_whole(path) as temporary:
        if path.suffix == ".png":
            _rastered(figure, dpi).save(temporary, "PNG", dpi=(dpi, dpi))
        else:
            figure.savefig(temporary, format=path.suffix[1:], dpi=dpi, metadata=absent[path.suffix])


def _rastered(figure: Figure, dpi: int) -> Image.Image:
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    shades = np.minimum((np.arange(256) + 2) // 4 * 4, 255).astype(np.uint8)
    return Image.fromarray(shades[pixels])


@dataclass(frozen=True)
class NetworkLook:
    """How the nodes of one network are drawn, and what the legend calls it."""

    label: str
    colour: str
    marker: str


def network_looks(networks: Sequence[str]) -> dict[str, NetworkLook]:
    """Return the look of each network, in the order of the names; those of no network come last, in grey.

    A network has one colour in every atlas (`sphereconn.draw.network_colours`); the same set of names always gets the
    same looks, whatever the order or number of the nodes. Neighbours in the legend, and networks of one colour, differ
    in their markers.
    """
    named = sorted({name for name in networks if name.lower() not in NO_NETWORK}, key=lambda name: (name.lower(), name))
    colours, used = network_colours(named), Counter[str]()
    looks = {}
    for rank, name in enumerate(named):
        marker = NETWORK_MARKERS[(rank + used[colours[name]]) % len(NETWORK_MARKERS)]
        used[colours[name]] += 1
        looks[name] = NetworkLook(name, colours[name], marker)
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


def unsigned_map() -> Colormap:
    """Return the map for values that are never below 0: from white on, the colours of positive values."""
    shades = matplotlib.colormaps[DIVERGING](np.linspace(0.5, 1, 256))
    return LinearSegmentedColormap.from_list("unsigned", list(shades)).with_extremes(bad=MISSING_COLOUR)


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
    """What the colours of a figure mean.

    Attributes
    ----------
    colours : from ``low`` to ``high``
    low, high : values at the ends; what lies beyond has the colour of the end
    label : what the values are
    left_out_below : magnitudes under it are not drawn
    drawn : the smallest and the largest value that is drawn, where known: the bar says that some lie beyond an end,
        and shows no sign that no value has when magnitudes are left out
    """

    colours: Colormap
    low: float
    high: float
    label: str
    left_out_below: float = 0.0
    drawn: tuple[float, float] | None = None

    def share(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return where values lie from the low (0) to the high end (1), those beyond at the ends."""
        return np.clip((np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low), 0, 1)


def value_scale(
    values: ArrayLike, label: str, *, vmax: float | None = None, signed: bool = True, left_out_below: float = 0.0
) -> ColourScale:
    """Return the scale of values that have a sign, from -limit to limit, or of those that have none, from 0 on.

    Parameters
    ----------
    values
        What is drawn; NaN where nothing is.
    label
        What they are.
    vmax
        The limit; by default the largest magnitude.
    signed
        Whether they can be below 0 by their nature; F statistics cannot.
    left_out_below
        Magnitudes under it are not drawn.
    """
    limit = vmax if vmax is not None else symmetric_limit(values)
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    drawn = (float(known.min()), float(known.max())) if known.size else None
    colours = diverging_map() if signed else unsigned_map()
    return ColourScale(colours, -limit if signed else 0.0, limit, label, left_out_below, drawn)


@dataclass(frozen=True)
class _Stretch:
    """Part of a colour bar: shares of its height, the values there, and the ticks, as value and label."""

    bottom: float
    top: float
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def height_of(self, value: float) -> float:
        """Return where a value stands, as a share of the height of the bar."""
        if self.high == self.low:
            return (self.bottom + self.top) / 2
        return self.bottom + (self.top - self.bottom) * (value - self.low) / (self.high - self.low)


def _stretches(scale: ColourScale, height: float) -> list[_Stretch]:
    """Cut a bar into what is drawn: below and above the magnitudes that are left out, or all of it."""
    cutoff = scale.left_out_below
    if cutoff <= 0:
        parts = [(0.0, 1.0, scale.low, scale.high)]
    else:
        smallest, largest = scale.drawn or (scale.low, scale.high)
        below = [(min(scale.low, -cutoff), -cutoff)] if smallest < 0 else []
        above = [(cutoff, max(scale.high, cutoff))] if largest > 0 or not below else []
        share = (1 - LEFT_OUT_SHARE) / len(below + above)
        parts = [(0.0, share, *ends) for ends in below] + [(1 - share, 1.0, *ends) for ends in above]
    digits = _digits([end for _, _, *ends in parts for end in ends])
    return [
        _Stretch(bottom, top, low, high, _ticks(low, high, digits, (top - bottom) * height, scale))
        for bottom, top, low, high in parts
    ]


def _ticks(low: float, high: float, digits: str, height: float, scale: ColourScale) -> tuple[tuple[float, str], ...]:
    """Label both ends of a stretch and what has room between them; an end that values lie beyond says so."""
    smallest, largest = scale.drawn or (low, high)
    slack = 1e-9 * max(abs(scale.low), abs(scale.high))
    if low == high:
        return ((high, ("\u2264 " if high < 0 else "\u2265 ") + number(high, digits)),)
    first = ("\u2264 " if low <= scale.low and smallest < scale.low - slack else "") + number(low, digits)
    last = ("\u2265 " if high >= scale.high and largest > scale.high + slack else "") + number(high, digits)
    room = TICK_ROOM * (high - low) / height
    most = max(1, int(height / TICK_ROOM / 1.6))
    between = [
        float(value)
        for value in MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        if low + room <= value <= high - room
    ]
    between = [value for value in between if abs(float(f"{value:{digits}}") - value) <= slack]  # no more digits
    decimals = max((len(f"{value:.6g}".partition(".")[2]) for value in between), default=0)
    labels = [number(value, digits if digits.endswith("e") else f".{decimals}f") for value in between]
    return ((low, first), *zip(between, labels, strict=True), (high, last))


def _digits(ends: Sequence[float]) -> str:
    """Return how the ends of scales are written: two digits of the largest, more where little lies between them."""
    different = sorted({abs(end) for end in ends})
    largest = different[-1]
    if not 1e-3 <= largest < 1e5:
        return ".1e"
    least = max(0, 1 - int(np.floor(np.log10(largest))))
    for digits in range(least, least + 3):
        if all(np.diff(different) > 3 * 10.0**-digits):  # else ticks between the ends would be written as these are
            break
    return f".{digits}f"


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

    def colour_bar(self, left: float, top: float, height: float, scale: ColourScale, largest: float = 0.0) -> None:
        """Add a vertical colour bar; `colour_bar_width` says how wide it is with its ticks and label.

        Magnitudes that are left out are a short grey stretch. Where ``largest`` is the area (square points) of a marker
        of the highest value, and areas are in proportion to values, markers to the left say what a size means.
        """
        left += _marker_room(largest)
        axes = self.axes(left, top, BAR_WIDTH, height)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_facecolor("#eeeeee")
        parts = _stretches(scale, height)
        for part in parts:
            values = np.linspace(part.low, part.high, 256)
            extent = (0, 1, part.bottom, part.top)
            shades = scale.colours(scale.share(values))[:, None]
            axes.imshow(shades, aspect="auto", origin="lower", extent=extent, interpolation="nearest")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        ticks = [
            (part.height_of(value), value, label) for part in _stretches(scale, height) for value, label in part.ticks
        ]
        axes.set_xticks([])
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.set_yticks([place for place, _, _ in ticks], [label for _, _, label in ticks])
        axes.set_ylabel(wrapped(scale.label, height, TEXT_SIZE))
        if largest:
            shown = [(place, value) for place, value, _ in ticks if value > 0]
            axes.scatter(
                [-_marker_room(largest) / 2 / BAR_WIDTH] * len(shown),
                [place for place, _ in shown],
                s=[largest * value / scale.high for _, value in shown],
                c=scale.colours(scale.share([value for _, value in shown])),
                edgecolors=INK,
                linewidths=0.4,
                clip_on=False,
            )

    def legend(self, left: float, top: float, width: float, looks: Sequence[NetworkLook]) -> None:
        """Add a legend of networks in as many columns as fit the width; `legend_height` says how high it is."""
        columns, column_width = _legend_columns(looks, width)
        axes = self.axes(left, top, width, legend_height(looks, width))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(legend_height(looks, width), 0)
        rows = -(-len(looks) // columns)
        for place, look in enumerate(looks):
            column, row = divmod(place, rows)
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


def colour_bar_width(height: float, scale: ColourScale, largest: float = 0.0) -> float:
    """Return the room in inches that a colour bar takes with its markers, its ticks and the label along it."""
    labels = [label for part in _stretches(scale, height) for _, label in part.ticks]
    ticks = max(text_width(label, SMALL_TEXT_SIZE) for label in labels)
    lines = wrapped(scale.label, height, TEXT_SIZE).count("\n") + 1
    return _marker_room(largest) + BAR_WIDTH + 0.15 + ticks + lines * TEXT_SIZE * LINE_HEIGHT


def _marker_room(largest: float) -> float:
    return 2 * np.sqrt(largest / np.pi) / 72 + 0.1 if largest else 0.0


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
