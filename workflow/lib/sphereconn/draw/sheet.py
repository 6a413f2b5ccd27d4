"""The quality sheet of a run, as SVG: motion, signals before and after each denoising, spectrum, coverage and so on.

Lines and letters are SVG, carpets small images of sixteen shades in it: a sheet costs a tenth of what matplotlib would
need, and takes the colours of the page that it stands in.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from sphereconn.clean.censoring import stretches
from sphereconn.clean.summary import SignalSummary
from sphereconn.draw.brain import outline
from sphereconn.draw.network_colours import NO_NETWORK, network_colours
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.files import MISSING, read_records
from sphereconn.words import counted, number

STYLE = Path(__file__).with_name("report_assets") / "sheet.css"
MOST_PIXELS = 40_000  # of all carpets of a sheet: with sixteen shades some 20 kB, 27 kB as text

WIDTH, LEFT, RIGHT = 960, 84, 12
TRACE, BEFORE, AFTER, BELOW = 44, 92, 64, 170  # heights
CAPTION, GAP = 17, 12
STRIP = 6  # of network colours
SHADES = 14  # from black to white; the last of sixteen is that of frames that are absent
Z_LIMIT = 2.0
ABSENT = (243, 217, 164)
MOST_POINTS = 400  # of a line
INK = "var(--ink, #222)"
VIEWS = (("right", 1, 2), ("back", 0, 2), ("top", 0, 1))  # with the axes of each
BANDS_OF_COVERAGE = (0.995, 0.75)  # above the first a dot; above the second a small disc; below it a larger one


class Look(NamedTuple):
    """The colour of a line, for light and dark ground, and its dash, for grey print."""

    colour: str
    dash: str = ""


LOOK_BEFORE = Look("var(--axis, #9aa0a6)")
LOOKS = (  # of the denoisings, in turn
    Look("#2d78f0"),
    Look("#d28700", "7 3"),
    Look("#3c9b84", "2 2"),
    Look("#c0509c", "9 3 2 3"),
    Look("#f0785a", "4 4"),
    Look("#8a9a20", "1 3"),
)


@dataclass(frozen=True)
class Denoised:
    """What a denoising made of a run.

    Attributes
    ----------
    label : of the denoising
    signals : None where the run is left out
    said : frames kept, degrees of freedom, or why the run is left out
    kept : shape (n_frames,), the frames that are not censored
    band : the frequencies in Hz that its filter passes, None where there is no limit
    """

    label: str
    signals: SignalSummary | None
    said: str
    kept: NDArray[np.bool_]
    band: tuple[float | None, float | None]


def described(
    label: str, sidecar: Mapping[str, Any], kept: NDArray[np.bool_], signals: SignalSummary | None
) -> Denoised:
    """Return what a sheet shows of a denoising, from the sidecar of the signals that it made."""
    said = sidecar.get("LeftOut") or (
        f"{sidecar['NumberOfVolumesKept']:,} of {counted(sidecar['NumberOfVolumes'], 'frame')} kept,"
        f" {counted(len(sidecar['ConfoundRegressors']), 'regressor')},"
        f" {sidecar['EffectiveDegreesOfFreedom']:.1f} effective degrees of freedom"
    )
    settings = sidecar["Settings"]
    return Denoised(label, signals, said, kept, (settings["high_pass"], settings["low_pass"]))


@dataclass(frozen=True)
class Spheres:
    """The spheres of a run: names, networks, coordinates (n, 3) in mm, coverage (n,), and whether each is used (n,)."""

    names: Sequence[str]
    networks: Sequence[str]
    coordinates: NDArray[np.float64]
    coverage: NDArray[np.float64]
    used: NDArray[np.bool_]


def read_spheres(path: str | Path) -> Spheres:
    """Read the nodes table of a run."""
    nodes, rows = read_nodes(path), read_records(path)
    coverage = [float("nan") if row["coverage"] == MISSING else float(row["coverage"]) for row in rows]
    used = [row["problem"] == MISSING for row in rows]
    return Spheres(nodes.names, nodes.networks, nodes.coordinates, np.array(coverage), np.array(used))


def by_network(networks: Sequence[str]) -> list[int]:
    """Return the places of nodes ordered by network, those of none last."""
    return sorted(range(len(networks)), key=lambda place: (_of_none(networks[place]), networks[place].lower(), place))


def pixels_of_each(n_denoisings: int) -> int:
    """Return how many pixels the carpet of the signals before, and of those after each denoising, may have."""
    return MOST_PIXELS // (1 + n_denoisings)


def quality_sheet(
    *,
    title: str,
    seed_set: str,
    repetition_time: float,
    spheres: Spheres,
    before: SignalSummary,
    denoised: Sequence[Denoised],
    framewise_displacement: ArrayLike | None = None,
) -> str:
    """Return the quality sheet of a run as the text of an SVG file.

    Parameters
    ----------
    title
        The run.
    seed_set
        The spheres whose signals it shows.
    repetition_time
        Seconds from frame to frame.
    spheres
        The spheres, in the order of the rows of their table.
    before
        Their signals before any denoising.
    denoised
        The same after each denoising.
    framewise_displacement : (n_frames,) array, optional
        mm.
    """
    n_frames = len(before.dvars)
    frames = _Frames(n_frames, repetition_time)
    censored = ~np.all([item.kept for item in denoised], axis=0) if denoised else np.zeros(n_frames, dtype=bool)
    looks = [LOOKS[place % len(LOOKS)] for place in range(len(denoised))]
    compared = [(before, LOOK_BEFORE)]
    compared += [(item.signals, look) for item, look in zip(denoised, looks, strict=True) if item.signals is not None]
    parts, top = [_key(denoised, looks, bool(censored.any()))], 26.0

    def trace(label: str, lines: Sequence[tuple[NDArray[np.float64], Look]]) -> None:
        nonlocal top
        parts.append(_trace(frames, top, label, lines, censored))
        top += TRACE + GAP

    if framewise_displacement is not None:
        trace("FD (mm)", [(np.asarray(framewise_displacement, dtype=np.float64), Look(INK))])
    trace("DVARS (SD)", [(signals.dvars, look) for signals, look in compared])
    shown = f"Before denoising: {counted(len(spheres.names), 'sphere')} of {seed_set}"
    dropped = int((~spheres.used).sum())
    if dropped:
        shown += f", {dropped:,} of them without a signal"
    parts.append(_carpet(top, BEFORE, shown, "", before, spheres))
    top += CAPTION + BEFORE + GAP
    for item, look in zip(denoised, looks, strict=True):
        if item.signals is None:
            parts.append(_caption(top, f"{item.label}: left out. {item.said}", look.colour))
            top += CAPTION + GAP
        else:
            parts.append(_carpet(top, AFTER, f"{item.label}: {item.said}", look.colour, item.signals, spheres))
            top += CAPTION + AFTER + GAP
    parts.append(_time_axis(frames, top - GAP))
    top += 60
    parts.append(_spectra(46, top, 270, compared, [item.band for item in denoised], repetition_time))
    parts.append(_correlations(392, top, 220, compared))
    parts.append(_coverage(652, top, 296, spheres))
    height = top + BELOW + 44
    style = re.sub(r"\s+", " ", STYLE.read_text(encoding="utf-8")).strip()
    spoken = f"Quality sheet of {title}: {shown}; " + "; ".join(f"{item.label}: {item.said}" for item in denoised)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="sheet" viewBox="0 0 {WIDTH} {height:.0f}" role="img"'
            f' aria-label="{escape(spoken)}">',
            f"<style>{style}</style>",
            *parts,
            "</svg>\n",
        ]
    )


def without_style(sheet: str) -> str:
    """Return a sheet to stand in a page, which brings the style."""
    return re.sub(r"<style>.*?</style>\n?", "", sheet, count=1, flags=re.DOTALL)


@dataclass(frozen=True)
class _Frames:
    """The frames of a run, and where they stand."""

    number: int
    repetition_time: float

    def x(self, frame: float) -> float:
        """Return where a frame begins."""
        return LEFT + frame / self.number * (WIDTH - LEFT - RIGHT)


def _key(denoised: Sequence[Denoised], looks: Sequence[Look], censors: bool) -> str:
    """Draw what the lines and the shading mean."""
    parts, x = [], float(LEFT)
    labels = ["before denoising", *(item.label for item in denoised)]
    for label, look in zip(labels[: len(LOOKS) + 1], [LOOK_BEFORE, *looks], strict=False):
        parts.append(_path(f"M{x:.0f} 12h26", look) + _text(x + 32, label))
        x += 52 + 6.6 * len(label)
    if censors:
        parts.append(f'<rect class="censored" x="{x:.0f}" y="5" width="18" height="13"/>')
        parts.append(_text(x + 24, "censored frames"))
    return "".join(parts)


def _text(x: float, words: str, y: float = 16, marks: str = "") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}"{marks}>{escape(words)}</text>'


def _path(steps: str, look: Look) -> str:
    dashed = f' stroke-dasharray="{look.dash}"' if look.dash else ""
    return f'<path class="line" stroke="{look.colour}"{dashed} d="{steps}"/>'


def _trace(
    frames: _Frames,
    top: float,
    label: str,
    lines: Sequence[tuple[NDArray[np.float64], Look]],
    censored: NDArray[np.bool_],
) -> str:
    """Draw one or several measures of each frame, above zero, and shade the frames that are censored."""
    highest = max((float(np.nanmax(values)) for values, _ in lines if np.isfinite(values).any()), default=0.0) or 1.0
    bottom = top + TRACE
    parts = [
        *(
            f'<rect class="censored" x="{frames.x(start):.1f}" y="{top:.0f}"'
            f' width="{frames.x(stop) - frames.x(start):.1f}" height="{TRACE}"/>'
            for start, stop in stretches(censored)
        ),
        f'<path class="axis" d="M{LEFT} {top:.0f}v{TRACE}H{WIDTH - RIGHT}"/>',
        _text(LEFT - 6, f"{highest:.2g}", top + 9, ' class="faint end"'),
        _text(LEFT - 6, "0", bottom, ' class="faint end"'),
        _text(LEFT - 6, label, top + TRACE / 2 + 6, ' class="end small"'),
    ]
    for values, look in lines:
        peaks, width = _peaks(values)
        points = [
            (frames.x(min((place + 0.5) * width, frames.number)), bottom - TRACE * value / highest)
            for place, value in enumerate(peaks)
        ]
        parts.append(_line(points, look))
    return "\n".join(parts)


def _peaks(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Return the largest of every so many values, so that a line has few points and loses no peak."""
    width = -(-len(values) // MOST_POINTS)
    padded = np.full(-(-len(values) // width) * width, np.nan)
    padded[: len(values)] = values
    highest = np.where(np.isnan(padded), -np.inf, padded).reshape(-1, width).max(axis=1)
    return np.where(np.isinf(highest), np.nan, highest), width


def _line(points: Iterable[tuple[float, float]], look: Look) -> str:
    """Draw a line through points, broken where one is not known; steps are shorter to write than places."""
    steps: list[str] = []
    at: tuple[int, int] | None = None  # in tenths, so that what is rounded does not add up
    for x, y in points:
        if np.isnan(y):
            at = None
            continue
        to = round(10 * x), round(10 * y)
        letter, start = ("M", (0, 0)) if at is None else ("l", at)
        steps.append(f"{letter}{(to[0] - start[0]) / 10:g} {(to[1] - start[1]) / 10:g}")
        at = to
    return _path("".join(steps), look) if steps else ""


def _caption(top: float, words: str, colour: str) -> str:
    mark = f'<rect x="{LEFT}" y="{top + 3:.0f}" width="9" height="9" fill="{colour}"/>' if colour else ""
    return mark + _text(LEFT + (14 if colour else 0), words, top + 12)


def _carpet(top: float, height: int, words: str, colour: str, signals: SignalSummary, spheres: Spheres) -> str:
    """Draw the signals as shades, black for -2 standard deviations and white for 2, beside the colours of networks."""
    top_of_image = top + CAPTION
    parts = [_caption(top, words, colour)]
    if signals.carpet.size:
        shades = np.clip(np.round((signals.carpet + Z_LIMIT) / (2 * Z_LIMIT) * SHADES), 0, SHADES)
        indices = np.where(np.isnan(signals.carpet), SHADES + 1, np.nan_to_num(shades)).astype(np.uint8)
        parts.append(
            f'<image x="{LEFT}" y="{top_of_image:.0f}" width="{WIDTH - LEFT - RIGHT}" height="{height}"'
            f' preserveAspectRatio="none" class="carpet" href="data:image/png;base64,{_png(indices)}"/>'
        )
        parts += _strip([spheres.networks[row] for row in signals.rows], top_of_image, height)
    return "\n".join(parts)


def _png(indices: NDArray[np.uint8]) -> str:
    """Write shades as a picture of four bits a pixel, as text."""
    grey = np.round(np.linspace(0, 255, SHADES + 1)).astype(np.uint8)
    image = Image.fromarray(indices)
    image.putpalette([*np.repeat(grey, 3).tolist(), *ABSENT])
    content = io.BytesIO()
    image.save(content, "PNG", bits=4, optimize=True)
    return base64.b64encode(content.getvalue()).decode("ascii")


def _strip(networks: Sequence[str], top: float, height: int) -> list[str]:
    """Draw the colours of networks left of a carpet, with their names where a pointer rests."""
    colours = network_colours(networks)
    starts = [place for place in range(len(networks)) if place == 0 or networks[place] != networks[place - 1]]
    scale, left = height / len(networks), LEFT - STRIP - 2
    if len(starts) < 2:
        return []
    parts = []
    for start, stop in zip(starts, [*starts[1:], len(networks)], strict=True):
        place = f'x="{left}" y="{top + start * scale:.1f}" width="{STRIP}" height="{(stop - start) * scale:.1f}"'
        words = escape(networks[start] or "no network")
        parts.append(f'<rect {place} fill="{colours[networks[start]]}"><title>{words}</title></rect>')
    return parts


def _time_axis(frames: _Frames, top: float) -> str:
    seconds = frames.number * frames.repetition_time
    minutes = seconds >= 180
    span = seconds / 60 if minutes else seconds
    parts = [f'<path class="axis" d="M{LEFT} {top + 2:.0f}H{WIDTH - RIGHT}"/>']
    for tick in _round_steps(span, 8):
        x = frames.x(tick / span * frames.number)
        parts.append(f'<path class="axis" d="M{x:.1f} {top + 2:.0f}v4"/>')
        parts.append(_text(x, f"{tick:g}", top + 18, ' class="faint middle"'))
    parts.append(_text((LEFT + WIDTH) / 2, f"time ({'min' if minutes else 's'})", top + 34, ' class="middle"'))
    return "\n".join(parts)


def _round_steps(span: float, most: int) -> list[float]:
    """Return round numbers from 0 to a span, at most so many steps."""
    power = 10.0 ** np.floor(np.log10(span / most))
    step = next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= most)
    return [round(float(place * step), 9) for place in range(int(span / step + 1e-9) + 1)]


def _panel(left: float, top: float, width: float, title: str, label: str, ticks: Sequence[tuple[float, str]]) -> str:
    """Draw the frame of a panel: title, axis with ticks (as shares of the width) and label."""
    bottom = top + BELOW
    parts = [
        _text(left, title, top - 6, ' class="bold"'),
        f'<path class="axis" d="M{left:.0f} {bottom:.0f}h{width:.0f}"/>',
        _text(left + width / 2, label, bottom + 34, ' class="middle"'),
    ]
    for share, words in ticks:
        x = left + share * width
        parts.append(f'<path class="axis" d="M{x:.1f} {bottom:.0f}v4"/>')
        parts.append(_text(x, words, bottom + 18, ' class="faint middle"'))
    return "\n".join(parts)


def _spectra(
    left: float,
    top: float,
    width: float,
    compared: Sequence[tuple[SignalSummary, Look]],
    passed: Sequence[tuple[float | None, float | None]],
    repetition_time: float,
) -> str:
    """Draw the power by frequency, before and after, and the band that each filter passes."""
    nyquist = 0.5 / repetition_time
    ticks = [(tick / nyquist, f"{tick:g}") for tick in _round_steps(nyquist, 5)]
    highest = max(float(signals.spectrum.max()) for signals, _ in compared) or 1.0
    label = "frequency (Hz)"
    bands = sorted({band for band in passed if band != (None, None)}, key=str)
    if bands:
        label += "; shaded: pass band"
    parts = [_panel(left, top, width, "Power (mean over the spheres)", label, ticks)]
    for low, high in bands:
        start, stop = min(low or 0.0, nyquist), min(high or nyquist, nyquist)
        parts.append(
            f'<rect class="band" x="{left + start / nyquist * width:.1f}" y="{top:.0f}"'
            f' width="{(stop - start) / nyquist * width:.1f}" height="{BELOW}">'
            f"<title>pass band {start:g} to {stop:g} Hz</title></rect>"
        )
    for signals, look in compared:
        steps = np.linspace(0, width, len(signals.spectrum))
        heights = BELOW * signals.spectrum / highest
        parts.append(_line([(left + x, top + BELOW - y) for x, y in zip(steps, heights, strict=True)], look))
    return "\n".join(parts)


def _correlations(left: float, top: float, width: float, compared: Sequence[tuple[SignalSummary, Look]]) -> str:
    """Draw how the correlations of all pairs of spheres are distributed, before and after."""
    highest = max(float(signals.correlations.max()) for signals, _ in compared) or 1.0
    ticks = [(0.0, "−1"), (0.5, "0"), (1.0, "1")]
    parts = [
        _panel(left, top, width, "Correlations of all pairs", "correlation", ticks),
        f'<path class="axis" stroke-dasharray="2 3" d="M{left + width / 2:.0f} {top:.0f}v{BELOW}"/>',
    ]
    for place, (signals, look) in enumerate(compared):
        n_bins = len(signals.correlations)
        points = [
            (left + (bin_ + 0.5) / n_bins * width, top + BELOW - (BELOW - 6) * share / highest)
            for bin_, share in enumerate(signals.correlations)
        ]
        parts.append(_line(points, look))
        if place <= len(LOOKS) and not np.isnan(signals.median_correlation):
            y = top + 10 + 15 * place
            parts.append(_path(f"M{left:.0f} {y - 4:.0f}h20", look))
            parts.append(_text(left + 25, f"median {number(signals.median_correlation)}", y))
    return "\n".join(parts)


def _coverage(left: float, top: float, width: float, spheres: Spheres) -> str:
    """Draw the spheres in outlines of the brain; those that the image covers in part stand out."""
    parts = [_text(left, "Coverage of the spheres", top - 6, ' class="bold"')]
    x = left
    scale = width / (178 + 2 * 138 + 20)  # mm: the length of a brain, twice its width, and what lies between
    covered = spheres.used & (spheres.coverage >= BANDS_OF_COVERAGE[0])
    partly = spheres.used & ~covered
    for view, across, up in VIEWS:
        drawn = outline(view).silhouette[0][::3]
        low, high = drawn.min(axis=0), drawn.max(axis=0)
        across_at, up_at = x - low[0] * scale, top + 62 + (low[1] + high[1]) / 2 * scale
        where = f'transform="translate({across_at:.0f} {up_at:.0f}) scale({scale:.3f} {-scale:.3f})"'
        path = "M" + "L".join(f"{a:.0f} {b:.0f}" for a, b in drawn) + "z"
        points = np.round(spheres.coordinates[:, (across, up)]).astype(int)
        dots = "".join(f"M{a} {b}h0" for a, b in points[covered])
        crosses = "".join(f"M{a - 3} {b - 3}l6 6m0 -6l-6 6" for a, b in points[~spheres.used])
        parts.append(f'<g {where}><path class="outline" d="{path}"/><path class="covered" d="{dots}"/>')
        parts.append('<g class="partly">')
        for place in map(int, np.flatnonzero(partly)):
            radius = 3 if spheres.coverage[place] >= BANDS_OF_COVERAGE[1] else 5
            (a, b), words = points[place], f"{spheres.names[place]}: {100 * spheres.coverage[place]:.0f} %"
            parts.append(f'<circle cx="{a}" cy="{b}" r="{radius}"><title>{escape(words)}</title></circle>')
        parts.append("</g>" + (f'<path class="unused" d="{crosses}"/>' if crosses else "") + "</g>")
        x += (high[0] - low[0] + 8) * scale
    little = spheres.used & (spheres.coverage < BANDS_OF_COVERAGE[1])
    counts = (
        ('<path class="covered key" d="M{x} {y}h0"/>', int(covered.sum()), "covered in full"),
        ('<circle class="partly" cx="{x}" cy="{y}" r="3"/>', int((partly & ~little).sum()), "covered by 75 % or more"),
        ('<circle class="partly" cx="{x}" cy="{y}" r="4.5"/>', int(little.sum()), "covered by less than 75 %"),
        ('<path class="unused key" d="M{x} {y}m-3.5 -3.5l7 7m0 -7l-7 7"/>', int((~spheres.used).sum()), "not used"),
    )
    y = top + 138
    for mark, count, words in counts:
        if count:
            parts.append(mark.format(x=f"{left + 6:.0f}", y=f"{y - 4:.0f}"))
            parts.append(_text(left + 18, f"{count:,} {words}", y))
            y += 16
    return "\n".join(parts)


def _of_none(network: str) -> bool:
    return network.lower() in NO_NETWORK
