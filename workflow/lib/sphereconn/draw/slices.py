"""Seed maps as slices of a brain: three views through one place, and a row of axial slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sphereconn.draw import style
from sphereconn.draw.brain import template

STEP = 1.0  # mm between the points at which a slice is drawn
SPAN = ((-76.0, 76.0), (-112.0, 80.0), (-60.0, 84.0))  # mm of x, y, z that are shown
LEVELS = (-40.0, -24.0, -8.0, 8.0, 24.0, 40.0, 56.0)  # mm of z of the axial slices
INCHES_PER_MM = 0.0155
SMALL = 0.0075
GAP = 0.08
FAINTEST = 0.55  # opacity just below the threshold; it falls to 0 with the value


def slices_figure(
    values: NDArray[np.float64],
    affine: NDArray[np.float64],
    centre: Sequence[float],
    *,
    title: str,
    label: str,
    note: str = "",
    threshold: float = 0.0,
    strong: NDArray[np.bool_] | None = None,
    vmax: float | None = None,
    seed: Sequence[float] | None = None,
    signed: bool = True,
) -> Figure:
    """Draw a map over the MNI152 template.

    Values below the threshold, or not significant, are not hidden but fade out, and a line surrounds the others: what
    was almost there can be told from what was not there at all (Taylor et al. 2023).

    Parameters
    ----------
    values
        Shape (n_x, n_y, n_z); NaN where there is no value.
    affine
        From voxel indices to mm of MNI152, shape (4, 4).
    centre
        Where the three views cut, mm.
    title, label, note
        What the figure shows; what the values are (beside the colour bar); a remark.
    threshold
        Magnitude from which a value is drawn in full; 0 for all.
    strong
        Voxels that are drawn in full, instead of those that reach a threshold, the shape of ``values``.
    vmax
        The colours span -vmax to vmax; by default the 99.9th percentile of the magnitudes, so that the seed itself does
        not wash out the rest.
    seed
        Centre of the seed, mm, marked by a ring.
    signed
        False for values that are never below 0, such as F statistics: the colours span 0 to vmax.

    References
    ----------
    Taylor PA et al. (2023). Highlight results, don't hide them: enhance interpretation, reduce biases and improve
    reproducibility. NeuroImage 274:120138.
    """
    limit = vmax if vmax is not None else _limit(values)
    if strong is None:
        strong = np.abs(np.nan_to_num(values)) >= threshold
    brain, to_mm = template()
    scale = style.value_scale(values, label, vmax=limit, signed=signed)
    overlay = _Overlay(values, strong, affine, scale, threshold or limit)

    spans = [high - low for low, high in SPAN]
    widths = [spans[1], spans[0], spans[0]]  # of the sagittal, coronal and axial view
    heights = [spans[2], spans[2], spans[1]]
    tallest = max(heights) * INCHES_PER_MM
    row_width = sum(widths) * INCHES_PER_MM + 2 * GAP
    small_width, small_height = spans[0] * SMALL, spans[1] * SMALL
    bar = style.colour_bar_width(tallest, scale)
    width = 2 * style.MARGIN + max(row_width, len(LEVELS) * (small_width + GAP)) + 0.2 + bar
    top = style.heading_height(title, note, width)
    sheet = style.Sheet(width, top + tallest + 0.2 + small_height + 0.25 + style.MARGIN)
    with style.figure_style():
        sheet.heading(title, note)
        left = style.MARGIN
        for axis, (w, h) in enumerate(zip(widths, heights, strict=True)):
            axes = sheet.axes(left, top + (tallest - h * INCHES_PER_MM) / 2, w * INCHES_PER_MM, h * INCHES_PER_MM)
            _draw_slice(axes, axis, centre[axis], brain, to_mm, overlay)
            _mark(axes, axis, centre, seed)
            left += w * INCHES_PER_MM + GAP
        sheet.colour_bar(width - style.MARGIN - bar, top, tallest, scale)
        left, below = style.MARGIN, top + tallest + 0.2
        for level in LEVELS:
            axes = sheet.axes(left, below, small_width, small_height)
            _draw_slice(axes, 2, level, brain, to_mm, overlay)
            left += small_width + GAP
    return sheet.figure


@dataclass(frozen=True)
class _Overlay:
    """A map with the voxels that are drawn in full; the others fade out below a magnitude."""

    values: NDArray[np.float64]
    strong: NDArray[np.bool_]
    affine: NDArray[np.float64]
    scale: style.ColourScale
    fading: float


def _limit(values: NDArray[np.float64]) -> float:
    magnitudes = np.abs(values[np.isfinite(values)])
    return float(np.quantile(magnitudes, 0.999)) or 1.0 if len(magnitudes) else 1.0


def _draw_slice(
    axes: Axes,
    axis: int,
    at: float,
    brain: NDArray[np.float64],
    to_mm: NDArray[np.float64],
    overlay: _Overlay,
) -> None:
    """Draw the slice where the coordinate ``axis`` is ``at`` mm: from the left, the back or the top."""
    across, up = [other for other in range(3) if other != axis]
    horizontal = np.arange(SPAN[across][0], SPAN[across][1] + STEP, STEP)
    vertical = np.arange(SPAN[up][0], SPAN[up][1] + STEP, STEP)
    points = np.empty((len(vertical), len(horizontal), 3))
    points[..., axis] = at
    points[..., across] = horizontal
    points[..., up] = vertical[:, None]
    extent = (horizontal[0], horizontal[-1], vertical[0], vertical[-1])
    shown: Any = {"extent": extent, "origin": "lower", "interpolation": "nearest"}
    light = _sampled(brain, to_mm, points)
    grey = np.where(light > 20, 0.30 + 0.65 * light / 255, 1.0)
    axes.imshow(np.repeat(grey[..., None], 3, axis=2), **shown)
    value = _sampled(overlay.values, overlay.affine, points)
    strong = _sampled(overlay.strong.astype(np.float64), overlay.affine, points) > 0.5
    colours = overlay.scale.colours(overlay.scale.share(value))
    fading = FAINTEST * np.minimum(np.abs(np.nan_to_num(value)) / overlay.fading, 1) ** 2
    colours[..., 3] = np.where(np.isfinite(value), np.where(strong, 0.9, fading), 0.0)
    axes.imshow(colours, **shown)
    if strong.any() and (np.isfinite(value) & ~strong).any():
        axes.contour(horizontal, vertical, strong.astype(float), levels=[0.5], colors=style.INK, linewidths=0.5)
    axes.set_axis_off()
    name = "xyz"[axis]
    size = style.SMALL_TEXT_SIZE
    axes.text(0.02, 1.0, f"{name} = {_mm(at)}", transform=axes.transAxes, ha="left", va="bottom", size=size)
    if axis:
        axes.text(0.02, 0.02, "L", transform=axes.transAxes, ha="left", va="bottom", size=size)


def _mm(value: float) -> str:
    return f"{round(value):d}".replace("-", "\u2212")


def _mark(axes: Axes, axis: int, centre: Sequence[float], seed: Sequence[float] | None) -> None:
    across, up = [other for other in range(3) if other != axis]
    for place, line in ((centre[across], axes.axvline), (centre[up], axes.axhline)):
        line(place, color=style.INK, linewidth=0.3, alpha=0.6)
    if seed is not None:
        axes.plot([seed[across]], [seed[up]], "o", ms=6, mfc="none", mec="#1a7f37", mew=1.2, path_effects=style.HALO)


def _sampled(
    volume: NDArray[np.float64], affine: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the value of the voxel nearest to each point in mm; NaN outside of the grid."""
    inverse = np.linalg.inv(affine)
    voxel = np.rint(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(np.intp)
    inside = ((voxel >= 0) & (voxel < np.array(volume.shape))).all(axis=-1)
    sampled = np.full(points.shape[:-1], np.nan)
    sampled[inside] = volume[tuple(voxel[inside].T)]
    return sampled
