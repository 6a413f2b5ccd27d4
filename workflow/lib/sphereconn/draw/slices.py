"""Seed maps as slices of a brain: three views through one place, and a row of axial slices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sphereconn.draw import style
from sphereconn.draw.brain import BRAIN_FILES
from sphereconn.extract.images import iter_frames, read_volume_header

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
    vmax: float | None = None,
    seed: Sequence[float] | None = None,
) -> Figure:
    """Draw a map over the MNI152 template.

    Values below the threshold are not hidden but fade out, and a line surrounds what is above it: what was almost
    there can be told from what was not there at all (Taylor et al. 2023).

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
    vmax
        The colours span -vmax to vmax; by default the 99.9th percentile of the magnitudes, so that the seed itself does
        not wash out the rest.
    seed
        Centre of the seed, mm, marked by a ring.

    References
    ----------
    Taylor PA et al. (2023). Highlight results, don't hide them: enhance interpretation, reduce biases and improve
    reproducibility. NeuroImage 274:120138.
    """
    limit = vmax if vmax is not None else _limit(values)
    template, to_mm = _template()
    scale = style.ColourScale(style.diverging_map(), -limit, limit, label)

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
            _draw_slice(axes, axis, centre[axis], template, to_mm, values, affine, limit, threshold)
            _mark(axes, axis, centre, seed)
            left += w * INCHES_PER_MM + GAP
        sheet.colour_bar(width - style.MARGIN - bar, top, tallest, scale)
        left, below = style.MARGIN, top + tallest + 0.2
        for level in LEVELS:
            axes = sheet.axes(left, below, small_width, small_height)
            _draw_slice(axes, 2, level, template, to_mm, values, affine, limit, threshold)
            left += small_width + GAP
    return sheet.figure


def _limit(values: NDArray[np.float64]) -> float:
    magnitudes = np.abs(values[np.isfinite(values)])
    return float(np.quantile(magnitudes, 0.999)) or 1.0 if len(magnitudes) else 1.0


def _template() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    path: Path = BRAIN_FILES / "template.nii.gz"
    header = read_volume_header(path)
    for frame in iter_frames(header):
        values = frame.astype(np.float64)
    return values.reshape(header.shape, order="F"), header.affine


def _draw_slice(
    axes: Axes,
    axis: int,
    at: float,
    template: NDArray[np.float64],
    to_mm: NDArray[np.float64],
    values: NDArray[np.float64],
    affine: NDArray[np.float64],
    limit: float,
    threshold: float,
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
    brain = _sampled(template, to_mm, points)
    grey = np.where(brain > 20, 0.30 + 0.65 * brain / 255, 1.0)
    axes.imshow(np.repeat(grey[..., None], 3, axis=2), **shown)
    overlay = _sampled(values, affine, points)
    colours = style.diverging_map()(np.clip(0.5 + 0.5 * overlay / limit, 0, 1))
    magnitude = np.abs(np.nan_to_num(overlay))
    fading = np.minimum(FAINTEST * (magnitude / threshold) ** 2, FAINTEST) if threshold > 0 else np.ones_like(magnitude)
    colours[..., 3] = np.where(np.isfinite(overlay), np.where(magnitude >= threshold, 0.9, fading), 0.0)
    axes.imshow(colours, **shown)
    if threshold > 0 and (magnitude >= threshold).any() and (magnitude < threshold).any():
        axes.contour(horizontal, vertical, magnitude, levels=[threshold], colors=style.INK, linewidths=0.5)
    axes.set_axis_off()
    name = "xyz"[axis]
    size = style.SMALL_TEXT_SIZE
    axes.text(0.02, 0.98, f"{name} = {_mm(at)}", transform=axes.transAxes, ha="left", va="top", size=size)
    if axis:
        axes.text(0.02, 0.02, "L", transform=axes.transAxes, ha="left", va="bottom", size=size)


def _mm(value: float) -> str:
    return f"{round(value):d}".replace("-", "\u2212")


def _mark(axes: Axes, axis: int, centre: Sequence[float], seed: Sequence[float] | None) -> None:
    across, up = [other for other in range(3) if other != axis]
    for place, line in ((centre[across], axes.axvline), (centre[up], axes.axhline)):
        line(place, color=style.INK, linewidth=0.3, alpha=0.6)
    if seed is not None:
        axes.plot([seed[across]], [seed[up]], "o", ms=6, mfc="none", mec="#1a7f37", mew=1.2)


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
