"""Seed maps of one run: the image is streamed, and no more of it held than cleaning leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError
from sphereconn.extract.images import ImageHeader, iter_frames
from sphereconn.extract.smoothing import sigmas_of, smoothing_matrix
from sphereconn.map.projection import Projection

# Memory for the coordinates of the voxels; a run that needs more is read again for the next rows.
_COORDINATE_BYTES = 128 << 20
_BLOCK_BYTES = 40 << 20
_BLOCK_VOXELS = 1024
# What cleaning leaves of a voxel that it annihilates, as a share of what the voxel was.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class SeedMaps:
    """Maps of some seeds, on the voxels of an image in the order of the file.

    Attributes
    ----------
    correlation
        Shape (n_seeds, n_voxels); NaN in voxels without a value and for seeds without a signal.
    slope
        Change of a voxel for a change of the seed by one standard deviation, in units of the image, same shape.
    mean
        Mean of each voxel over the frames kept, before cleaning, in units of the image; shape (n_voxels,).
    inside
        Voxels with a value, shape (n_voxels,).
    n_reads
        How often the image was read.
    """

    correlation: NDArray[np.float64]
    slope: NDArray[np.float64]
    mean: NDArray[np.float64]
    inside: NDArray[np.bool_]
    n_reads: int


def seed_maps(
    image: ImageHeader,
    inside: NDArray[np.bool_] | None,
    units: NDArray[np.float64],
    projection: Projection,
    kept: NDArray[np.bool_],
    *,
    smoothing_fwhm: float = 0.0,
    coordinate_bytes: int = _COORDINATE_BYTES,
) -> SeedMaps:
    """Return the correlation of each seed with every voxel, both cleaned alike.

    Cleaning is linear and of low rank (see `project`): the frames pass once, a block at a time, and of each voxel no
    more than its coordinates after cleaning is kept. Smoothing acts on the coordinates, which is the same as smoothing
    every frame and cheaper; a voxel is a weighted mean over the voxels inside alone. All arithmetic is in float64.

    A voxel has no value when it is outside the mask, 0 in every frame that is kept, not finite in one of them, or
    constant after cleaning.

    Parameters
    ----------
    image
        A 4D image.
    inside
        Voxels to be mapped, shape (n_voxels,); None for all.
    units
        Time courses, shape (n_frames_kept, n_seeds), centred and of length 1 (see `unit_seeds`).
    projection
        Of the cleaning operator of the run.
    kept
        Shape (n_frames,), False for frames that are censored: they are not looked at.
    smoothing_fwhm
        Full width at half maximum in mm of the Gaussian that smooths each frame; 0 for no smoothing.
    coordinate_bytes
        Memory for the coordinates.

    Raises
    ------
    InputError
        When the image is damaged or not one voxel has a value.
    """
    if projection.rows.shape[1] != image.n_frames or kept.shape != (image.n_frames,):
        raise ValueError(f"{image.n_frames} frames do not suit a cleaning of {projection.rows.shape[1]}.")
    inside = np.ones(image.n_voxels, dtype=bool) if inside is None else inside
    voxels = np.flatnonzero(inside)
    average = kept / np.count_nonzero(kept)
    at_once = max(1, coordinate_bytes // max(1, 8 * len(voxels)) - 1)
    parts = [projection.rows[first : first + at_once] for first in range(0, projection.rank, at_once)]
    seeds = projection.basis.T @ units

    squares = np.zeros(len(voxels))
    products = np.zeros((units.shape[1], len(voxels)))
    done = 0
    for number, part in enumerate(parts):
        rows = np.vstack([average, part]) if number == 0 else part
        coordinates, usable, reference = _pass(image, voxels, rows, kept)
        if number == 0:
            if not usable.any():
                raise InputError(f"{image.path}: no voxel inside the mask has data in the frames that are kept.")
            smooth = _Smoothing(image, voxels[usable], smoothing_fwhm) if smoothing_fwhm else None
            mean = np.full(len(voxels), np.nan)
            # The reference was subtracted from every frame; the other rows are centred and do not feel it.
            mean[usable] = (coordinates[0] + reference)[usable]
            if smooth:
                mean[usable] = smooth(mean[usable])
            coordinates = coordinates[1:]
        if smooth:
            for row in coordinates:
                row[usable] = smooth(row[usable])
        weights = seeds[done : done + len(part)].T
        for start in range(0, len(voxels), _BLOCK_VOXELS):
            some = slice(start, start + _BLOCK_VOXELS)
            squares[some] += np.einsum("ij,ij->j", coordinates[:, some], coordinates[:, some])
            products[:, some] += weights @ coordinates[:, some]
        done += len(part)
        del coordinates

    scale = image.slope
    length = np.sqrt(squares)
    with np.errstate(invalid="ignore"):
        flat = ~usable | ~(
            length * abs(scale) > _ROUNDING * np.abs(scale * mean + image.intercept) * np.sqrt(kept.sum())
        )
    correlation = np.full((units.shape[1], image.n_voxels), np.nan)
    slope = np.full_like(correlation, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Rounding may put a voxel that is the seed itself beyond 1.
        correlation[:, voxels] = np.where(flat, np.nan, np.clip(np.sign(scale) * products / length, -1.0, 1.0))
        slope[:, voxels] = np.where(flat, np.nan, scale * products / np.sqrt(max(1, len(units) - 1)))
    means = np.full(image.n_voxels, np.nan)
    means[voxels] = np.where(flat, np.nan, scale * mean + image.intercept)
    mapped = np.isfinite(means)
    if not mapped.any():
        raise InputError(f"{image.path}: no voxel inside the mask varies after cleaning.")
    return SeedMaps(correlation, slope, means, mapped, len(parts))


def percent_signal_change(maps: SeedMaps) -> NDArray[np.float64]:
    """Return the slope in percent of a voxel's mean, shape (n_seeds, n_voxels); NaN where the mean is no baseline."""
    baseline = np.where(np.abs(maps.mean) > 1e-6 * np.nanmax(np.abs(maps.mean)), np.abs(maps.mean), np.nan)
    return 100 * maps.slope / baseline


def _pass(
    image: ImageHeader, voxels: NDArray[np.intp], rows: NDArray[np.float64], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Read the image once; give ``rows`` times its frames, voxels with data, and the frame taken for reference.

    The products, shape (n_rows, n_voxels), are of stored values less the first frame kept, so that nothing cancels.
    """
    products = np.zeros((len(rows), len(voxels)))
    finite, has_data = np.ones(len(voxels), dtype=bool), np.zeros(len(voxels), dtype=bool)
    reference = np.zeros(len(voxels))
    zero = -image.intercept / image.slope
    first = True
    with closing(iter_frames(image)) as frames:
        for numbers, block in _blocks(frames, voxels, kept, image.dtype):
            for frame in block:
                has_data |= frame != zero
            if image.dtype.kind == "f":
                for frame in block:
                    known = np.isfinite(frame)
                    if not known.all():
                        finite &= known
                        frame[~known] = 0
            if first:
                reference[:] = block[0]
                first = False
            weights = rows[:, numbers]
            # A product of few voxels at a time stays in the cache, and needs no second array of the whole size.
            for start in range(0, len(voxels), _BLOCK_VOXELS):
                some = slice(start, start + _BLOCK_VOXELS)
                products[:, some] += weights @ (block[:, some] - reference[some])
    return products, finite & has_data, reference


def _blocks(
    frames: Iterator[NDArray[Any]], voxels: NDArray[np.intp], kept: NDArray[np.bool_], dtype: np.dtype[Any]
) -> Iterator[tuple[list[int], NDArray[Any]]]:
    """Give the kept frames in blocks: their numbers, and the stored values of the voxels, shape (n_some, n_voxels)."""
    size = min(max(_BLOCK_BYTES // max(1, len(voxels) * dtype.itemsize), 1), len(kept))
    block = np.empty((size, len(voxels)), dtype=dtype)
    numbers: list[int] = []
    for number, frame in enumerate(frames):
        if kept[number]:
            np.take(frame, voxels, out=block[len(numbers)], mode="clip")  # clip needs no second buffer
            numbers.append(number)
        if len(numbers) == size:
            yield numbers, block
            numbers = []
    if numbers:
        yield numbers, block[: len(numbers)]


class _Smoothing:
    """Gaussian smoothing of values on some voxels of a grid, within these voxels."""

    def __init__(self, image: ImageHeader, voxels: NDArray[np.intp], fwhm: float) -> None:
        n_x, n_y, _ = image.shape
        at = np.stack([voxels // (n_x * n_y), voxels // n_x % n_y, voxels % n_x])
        # Of voxels beyond the box around the mask there is nothing to smooth.
        low = at.min(axis=1)
        self._box = tuple((at.max(axis=1) - low + 1).tolist())
        self._place = np.ravel_multi_index(tuple(at - low[:, None]), self._box)
        sigmas = sigmas_of(fwhm, image.affine)[::-1]
        whole = [smoothing_matrix(n, sigma) for n, sigma in zip(image.shape[::-1], sigmas, strict=True)]
        spans = [slice(first, first + n) for first, n in zip(low, self._box, strict=True)]
        self._along = [matrix[span, span] for matrix, span in zip(whole, spans, strict=True)]
        self._volume = np.zeros(self._box)
        self._weight = np.ones(len(voxels))
        self._weight = self(self._weight)

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Smooth values, shape (n_voxels,)."""
        self._volume.ravel()[self._place] = values
        along_z, along_y, along_x = self._along
        smoothed = self._volume @ along_x.T
        smoothed = along_y @ smoothed
        smoothed = along_z @ smoothed.reshape(self._box[0], -1)
        result: NDArray[np.float64] = smoothed.ravel()[self._place] / self._weight
        return result
