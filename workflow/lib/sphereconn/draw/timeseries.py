"""Time series of nodes: lines for a few nodes, a carpet for many, with head motion and censored frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from sphereconn.clean.censoring import stretches
from sphereconn.draw import style

WIDTH = 7.0  # inches of the time axis
LINE_HEIGHT = 0.34  # inches a node
CARPET_HEIGHT = 4.2
BAR_HEIGHT = 2.6
MOTION_HEIGHT = 0.7
GAP = 0.14
STRIP = 0.11

MOST_LINES = 20
MOST_HIGHER = 2.0  # times, where single frames reach far beyond the others
UNITS = {"zscore_sample": "z", "psc": "% of the mean", "none": "units of the image"}
LINE_COLOUR = "#35557a"
CENSORED_COLOUR = "#f3d9a4"


def time_series_figure(
    signals: ArrayLike,
    names: Sequence[str],
    repetition_time: float,
    *,
    title: str,
    label: str = "Signal",
    networks: Sequence[str] | None = None,
    framewise_displacement: ArrayLike | None = None,
    censored: ArrayLike | None = None,
) -> Figure:
    """Draw signals over time: one line a node for at most 20 nodes, else a carpet ordered by network.

    Each signal is drawn around its own mean, all on one scale, and no line is cut off: where single frames reach far
    beyond the others, the figure is higher, and beyond its limit the lines are flatter.

    Parameters
    ----------
    signals : (n_frames, n_nodes) array, or (n_kept_frames, n_nodes)
        In the second case ``censored`` says which frames are absent. A node without any value is grey and named n/a.
    names : sequence of str
        One a node.
    repetition_time : float
        Seconds from frame to frame.
    title, label : str
        What the figure shows; what the values are, with their unit (beside the scale): see `signal_label`.
    networks : sequence of str, optional
        One a node: colours and, for a carpet, order.
    framewise_displacement : (n_frames,) array, optional
        mm; drawn above the signals.
    censored : (n_frames,) array of bool, optional
        Frames that were left out; they are shaded.

    Raises
    ------
    ValueError
        When shapes do not fit each other.
    """
    values = _on_all_frames(np.asarray(signals, dtype=np.float64), censored)
    n_frames, n_nodes = values.shape
    if len(names) != n_nodes:
        raise ValueError(f"{len(names)} names for {n_nodes} nodes")
    motion = None if framewise_displacement is None else np.asarray(framewise_displacement, dtype=np.float64)
    if motion is not None and motion.shape != (n_frames,):
        raise ValueError(f"framewise displacement of shape {motion.shape} for {n_frames} frames")
    n_known = [int(number) for number in (~np.isnan(values)).sum(axis=0)]
    run = _Run(
        signals=values - np.nan_to_num(values).sum(axis=0) / np.maximum(n_known, 1),
        names=names,
        networks=style.checked_networks(networks, n_nodes),
        empty=[number == 0 for number in n_known],
        repetition_time=repetition_time,
        motion=motion,
        censored=np.zeros(n_frames, dtype=bool) if censored is None else np.asarray(censored, dtype=bool),
    )
    with style.figure_style():
        return _lines(run, title, label) if n_nodes <= MOST_LINES else _carpet(run, title, label)


def signal_label(standardize: str) -> str:
    """Return what cleaned signals are, with their unit, by how they were standardized."""
    return f"Signal ({UNITS[standardize]})"


@dataclass(frozen=True)
class _Run:
    """What is drawn: signals (n_frames, n_nodes) around their means, NaN where absent, and what goes with them."""

    signals: NDArray[np.float64]
    names: Sequence[str]
    networks: list[str] | None
    empty: list[bool]
    repetition_time: float
    motion: NDArray[np.float64] | None
    censored: NDArray[np.bool_]


def _on_all_frames(signals: NDArray[np.float64], censored: ArrayLike | None) -> NDArray[np.float64]:
    if signals.ndim != 2:
        raise ValueError(f"signals have a row a frame and a column a node, not the shape {signals.shape}")
    if censored is None:
        return signals
    kept = ~np.asarray(censored, dtype=bool)
    if len(signals) == len(kept):
        return signals
    if len(signals) != kept.sum():
        raise ValueError(f"{len(signals)} frames of signals, {len(kept)} frames of which {kept.sum()} are kept")
    whole = np.full((len(kept), signals.shape[1]), np.nan)
    whole[kept] = signals
    return whole


def _lines(run: _Run, title: str, label: str) -> Figure:
    n_frames, n_nodes = run.signals.shape
    networks = run.networks or [""] * n_nodes
    looks = style.network_looks(networks)
    labels = [f"{name} (n/a)" if gone else name for name, gone in zip(run.names, run.empty, strict=True)]
    spacing = 1.7 * _robust_limit(run.signals)
    left = _room(max(style.text_width(name, style.TEXT_SIZE) for name in labels) + 0.15)
    legend = style.listed_looks(looks) if run.networks else []
    heights = run.signals - spacing * np.arange(n_nodes)
    low = float(np.nanmin(heights, initial=-(n_nodes - 0.3) * spacing)) - 0.1 * spacing
    high = float(np.nanmax(heights, initial=0.7 * spacing)) + 0.1 * spacing
    height = LINE_HEIGHT * min((high - low) / spacing, MOST_HIGHER * (n_nodes + 0.6))
    length = _round_length(spacing)
    length_room = style.text_width(f"{length:g}", style.SMALL_TEXT_SIZE) + 0.2
    label = style.wrapped(label, height, style.TEXT_SIZE)
    right = length_room + (label.count("\n") + 1) * style.TEXT_SIZE * style.LINE_HEIGHT
    frame = _frame(run, left, height, right, title, _censored_note(run), legend)
    axes = frame.axes
    _shade(axes, run)
    time = np.arange(n_frames) * run.repetition_time
    for node, (network, gone) in enumerate(zip(networks, run.empty, strict=True)):
        if gone:
            axes.plot(time[[0, -1]], [-node * spacing] * 2, color=style.MISSING_COLOUR, linewidth=3)
        else:
            colour = looks[network].colour if run.networks else LINE_COLOUR
            axes.plot(time, heights[:, node], color=colour, linewidth=0.9)
    axes.set_ylim(low, high)
    axes.set_yticks(-np.arange(n_nodes) * spacing, labels)
    axes.tick_params(axis="y", length=0, labelsize=style.TEXT_SIZE)
    for tick, gone in zip(axes.get_yticklabels(), run.empty, strict=True):
        tick.set_color(style.FAINT_INK if gone else style.INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    # Right of the lines, a bar says how high a round number of units is.
    beside = axes.get_yaxis_transform()
    x = 1 + 0.08 / WIDTH
    axes.plot([x, x], [-length / 2, length / 2], color=style.INK, linewidth=1.2, transform=beside, clip_on=False)
    axes.text(x + 0.06 / WIDTH, 0, f"{length:g}", transform=beside, va="center", size=style.SMALL_TEXT_SIZE)
    place = left + WIDTH + length_room, frame.top
    frame.sheet.text(*place, label, rotation=90)
    return frame.sheet.figure


def _round_length(most: float) -> float:
    """Return the largest 1, 2 or 5 times a power of ten that is at most this."""
    magnitude = 10.0 ** np.floor(np.log10(most))
    return float(max(step * magnitude for step in (1, 2, 5) if step * magnitude <= most))


def _carpet(run: _Run, title: str, label: str) -> Figure:
    n_frames, n_nodes = run.signals.shape
    looks = style.network_looks(run.networks) if run.networks else {}
    networks = np.array(run.networks or [""] * n_nodes)
    order = np.concatenate([np.flatnonzero(networks == name) for name in looks or [""]])
    limit = _robust_limit(run.signals)
    widest = max((style.text_width(look.label, style.TEXT_SIZE) for look in looks.values()), default=0.0)
    left = _room(widest + 0.25 + STRIP if looks else 0)
    empty = style.missing_note([name for name, gone in zip(run.names, run.empty, strict=True) if gone])
    note = ", ".join(filter(None, [_censored_note(run), empty]))
    scale = style.value_scale(run.signals, label, vmax=limit)
    right = 0.1 + style.colour_bar_width(BAR_HEIGHT, scale)
    frame = _frame(run, left, CARPET_HEIGHT, right, title, note, [])
    extent = (-0.5 * run.repetition_time, (n_frames - 0.5) * run.repetition_time, n_nodes, 0)
    frame.axes.imshow(
        run.signals[:, order].T,
        cmap=scale.colours,
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
        extent=extent,
    )
    _shade(frame.axes, run)
    frame.axes.set_yticks([])
    if looks:
        _mark_networks(frame, left - 0.05, [looks[name] for name in networks[order]])
    else:
        frame.axes.set_ylabel(f"{n_nodes} nodes")
    beside = left + WIDTH + 0.1, frame.top + (CARPET_HEIGHT - BAR_HEIGHT) / 2
    frame.sheet.colour_bar(*beside, BAR_HEIGHT, scale)
    return frame.sheet.figure


def _mark_networks(frame: _Frame, left: float, members: Sequence[style.NetworkLook]) -> None:
    """Draw, with its right edge at ``left``, a strip of network colours with the networks' names."""
    number = len(members)
    strip = frame.sheet.axes(left - STRIP, frame.top, STRIP, CARPET_HEIGHT)
    strip.set_axis_off()
    strip.imshow(np.array([[to_rgb(look.colour)] for look in members]), aspect="auto", interpolation="nearest")
    starts = [place for place in range(number) if place == 0 or members[place] != members[place - 1]]
    for start in starts[1:]:
        frame.axes.axhline(start, color=style.INK, linewidth=0.4)
    centres = (np.array(starts) + np.array([*starts[1:], number])) / 2 * CARPET_HEIGHT / number
    size = min(style.TEXT_SIZE, CARPET_HEIGHT / len(starts) / style.LINE_HEIGHT)
    heights = style.spread(centres, size * style.LINE_HEIGHT, 0, CARPET_HEIGHT)
    beside = frame.sheet.axes(left - STRIP - 0.15, frame.top, 0.15, CARPET_HEIGHT)
    beside.set_axis_off()
    beside.set_xlim(0, 0.15)
    beside.set_ylim(CARPET_HEIGHT, 0)
    for start, centre, height in zip(starts, centres, heights, strict=True):
        beside.plot([0.02, 0.06, 0.1, 0.14], [height, height, centre, centre],
                    color=style.FAINT_INK, linewidth=0.5, clip_on=False)  # fmt: skip
        place = left - STRIP - 0.15, frame.top + height
        frame.sheet.text(*place, members[start].label, size, ha="right", va="center_baseline")


def _room(width: float) -> float:
    """Return where the time axis starts, given what stands left of it; the motion panel's ticks need some room too."""
    return style.MARGIN + max(width, 0.45)


@dataclass(frozen=True)
class _Frame:
    """The sheet, the axes of the signals, and how far (inches) their top is below that of the sheet."""

    sheet: style.Sheet
    axes: Axes
    top: float


def _frame(
    run: _Run, left: float, height: float, right: float, title: str, note: str, legend: Sequence[style.NetworkLook]
) -> _Frame:
    """Lay out heading, motion panel, signals and legend."""
    width = left + WIDTH + right + style.MARGIN
    motion_top = style.heading_height(title, note, width)
    top = motion_top + (0 if run.motion is None else MOTION_HEIGHT + GAP)
    below = top + height + 0.45
    room = width - 2 * style.MARGIN
    sheet = style.Sheet(width, below + (style.legend_height(legend, room) if legend else 0) + style.MARGIN)
    sheet.heading(title, note)
    axes = sheet.axes(left, top, WIDTH, height)
    span = (-0.5 * run.repetition_time, (len(run.censored) - 0.5) * run.repetition_time)
    axes.set_xlim(span)
    axes.set_xlabel("Time (s)")
    if run.motion is not None:
        panel = sheet.axes(left, motion_top, WIDTH, MOTION_HEIGHT)
        _shade(panel, run)
        panel.plot(np.arange(len(run.motion)) * run.repetition_time, run.motion, color=style.INK, linewidth=0.8)
        panel.set_xlim(span)
        panel.set_ylim(0, 1.1 * style.symmetric_limit(run.motion))
        panel.locator_params(axis="y", nbins=3)
        panel.tick_params(labelbottom=False)
        panel.set_ylabel("FD (mm)")
        for side in ("top", "right"):
            panel.spines[side].set_visible(False)
    if legend:
        sheet.legend(style.MARGIN, below, room, legend)
    return _Frame(sheet, axes, top)


def _shade(axes: Axes, run: _Run) -> None:
    """Shade each stretch of censored frames."""
    for start, stop in stretches(run.censored):
        begin, end = (start - 0.5) * run.repetition_time, (stop - 0.5) * run.repetition_time
        axes.axvspan(begin, end, color=CENSORED_COLOUR, linewidth=0, zorder=0.5)


def _robust_limit(signals: NDArray[np.float64]) -> float:
    """Return the magnitude that 99 of 100 values stay below, so that one spike does not flatten all lines."""
    magnitudes = np.abs(signals[~np.isnan(signals)])
    limit = float(np.percentile(magnitudes, 99)) if magnitudes.size else 0.0
    return limit if limit > 0 else style.symmetric_limit(signals)


def _censored_note(run: _Run) -> str:
    number = int(run.censored.sum())
    return f"{number:,} of {len(run.censored):,} frames censored (shaded)" if number else ""
