"""Distributions in rows, as SVG markup: a dot for each value, or bars when there are many, and the median."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import median

WIDTH, LEFT, RIGHT = 860, 190, 150
ROW, TOP, BOTTOM = 40, 8, 44
N_BINS = 72
MOST_DOTS = 200
RADIUS = 3.2

Value = tuple[str, float]


def strip_plot(rows: Sequence[tuple[str, Sequence[Value]]], label: str, digits: int) -> str:
    """Draw the distribution of one measure in several rows over one axis.

    Parameters
    ----------
    rows
        A label for each row, and its values, each with a name that is shown where the pointer rests on its dot.
    label
        Of the axis, with the unit.
    digits
        Decimal places of the medians, which stand at the right.

    Returns
    -------
    str
        An ``svg`` element. Up to 200 values are drawn as dots, more as bars whose height is the share of the row's
        values that lie there.

    Raises
    ------
    ValueError
        When a row has no value.
    """
    everything = [value for _, values in rows for _, value in values]
    if not all(values for _, values in rows) or not everything:
        raise ValueError("each row needs a value")
    ticks = _ticks(min(everything), max(everything))
    low, high = min(ticks[0], *everything), max(ticks[-1], *everything)
    height = TOP + ROW * len(rows) + BOTTOM

    def x(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    axis_y = TOP + ROW * len(rows)
    spoken = "; ".join(
        f"{name}: median {median(value for _, value in values):.{digits}f} of {len(values)}" for name, values in rows
    )
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(f"{label}. {spoken}")}">',
        *(
            f'<line class="grid" x1="{x(tick):.1f}" y1="{TOP}" x2="{x(tick):.1f}" y2="{axis_y}"/>'
            f'<text class="faint" x="{x(tick):.1f}" y="{axis_y + 16}" text-anchor="middle">{tick:g}</text>'
            for tick in ticks
        ),
        f'<line class="axis" x1="{LEFT}" y1="{axis_y}" x2="{WIDTH - RIGHT}" y2="{axis_y}"/>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{height - 8}" text-anchor="middle">{escape(label)}</text>',
    ]
    for number, (name, values) in enumerate(rows):
        centre = TOP + ROW * (number + 0.5)
        middle = median(value for _, value in values)
        shown = name if len(name) <= 26 else f"{name[:25]}…"
        parts.append(f'<text x="{LEFT - 12}" y="{centre + 4}" text-anchor="end">{escape(shown)}</text>')
        bins: dict[int, list[Value]] = {}
        for item in sorted(values, key=lambda item: (item[1], item[0])):
            bins.setdefault(int((item[1] - low) / (high - low) * (N_BINS - 1e-9)), []).append(item)
        fullest = max(map(len, bins.values()))
        if len(values) <= MOST_DOTS:
            step = min(2 * RADIUS, (ROW - 10) / fullest)
            for members in bins.values():
                for place, (run, value) in enumerate(members):
                    y = centre + (place - (len(members) - 1) / 2) * step
                    parts.append(
                        f'<circle class="dot" cx="{x(value):.1f}" cy="{y:.1f}" r="{RADIUS}">'
                        f"<title>{escape(run)}: {value:.{digits}f}</title></circle>"
                    )
        else:
            width = (WIDTH - LEFT - RIGHT) / N_BINS
            for place, members in sorted(bins.items()):
                tall = max(1.0, (ROW - 8) * len(members) / fullest)
                parts.append(
                    f'<rect class="bar" x="{LEFT + place * width:.1f}" y="{centre - tall / 2:.1f}"'
                    f' width="{width:.1f}" height="{tall:.1f}"><title>{len(members)} of {len(values)}</title></rect>'
                )
        at = f"{x(middle):.1f}"
        parts.append(
            f'<line class="median" x1="{at}" y1="{centre - ROW / 2 + 3}" x2="{at}" y2="{centre + ROW / 2 - 3}"/>'
        )
        parts.append(
            f'<text class="faint" x="{WIDTH - RIGHT + 14}" y="{centre + 4}">median {middle:.{digits}f}'
            f" (n = {len(values):,})</text>"
        )
    return "\n".join([*parts, "</svg>"])


def _ticks(low: float, high: float) -> list[float]:
    """Choose round numbers that span an interval, some five of them."""
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-300):
        low, high = low - max(abs(low), 1.0) * 0.05, high + max(abs(high), 1.0) * 0.05
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
