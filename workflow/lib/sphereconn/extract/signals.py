"""Sphere signals of an image, of one set of seeds or of several, from one pass over its frames."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from sphereconn.errors import InputError
from sphereconn.extract.images import ImageHeader, iter_frames, read_header, read_mask
from sphereconn.extract.spheres import Overlap, Spheres, Weights, find_spheres, settle_overlap, sphere_weights

_TILE = 8  # voxels along the edge of a tile: smaller ones cost calls, larger ones hold more zeros
_BLOCK_BYTES = 1 << 24  # of voxels gathered from the frames of a block
_BLOCK_FRAMES = (4, 32)  # least and most frames of a block
_LARGEST = 1e150  # the squares of larger signals are no numbers any more
_MOST_TOGETHER = 8  # sets of spheres for one pass: each needs some 50 MB for an image of 2 mm
_ROUNDING = 1e-12  # relative: a mean of equal values may differ by this from frame to frame


@dataclass(frozen=True)
class SphereSignals:
    """The mean signals of spheres, and how well each sphere was measured.

    Attributes
    ----------
    signals : numpy.ndarray, shape (n_frames, n_seeds)
        Mean over the voxels of each sphere; NaN in the column of a sphere with a problem, and in the row of a frame
        without data.
    n_voxels : numpy.ndarray of int, shape (n_seeds,)
        Voxels that were averaged.
    coverage : numpy.ndarray, shape (n_seeds,)
        The same, divided by the voxels that the whole ball would have.
    temporal_snr : numpy.ndarray, shape (n_seeds,)
        Mean of the signal over time divided by its standard deviation (n - 1); NaN without signal or variance.
    problem : list of str
        Why a sphere has no signal; "" when it has one.
    frames_without_data : list of int
        Frames, counted from 0, that are 0 in the whole image or not finite in most of the voxels used.
    """

    signals: np.ndarray
    n_voxels: np.ndarray
    coverage: np.ndarray
    temporal_snr: np.ndarray
    problem: list[str]
    frames_without_data: list[int]


def extract_sphere_signals(
    bold: str | Path,
    names: Sequence[str],
    seeds: np.ndarray,
    radii: np.ndarray,
    *,
    mask: str | Path | None = None,
    smoothing_fwhm: float = 0.0,
    overlap: Overlap = "error",
    min_coverage: float = 0.5,
) -> SphereSignals:
    """Average an image over spheres, frame by frame.

    A voxel counts when it lies in the mask and has data: it is finite, and not 0 in every frame. What is outside the
    mask and what has no data is treated alike, so a mask that leaves such voxels out changes nothing. The signal of a
    sphere is the mean of its voxels that count; with smoothing, the weights of the whole ball are smoothed, cut to the
    voxels that count and divided by their sum, so that nothing from elsewhere reaches a signal.

    A frame without data is one in which the whole image is 0, as where censored frames were zeroed, or in which more
    than half of the voxels with data are not finite. It has no signals, and does not matter to the voxels. A voxel that
    is not finite in some other frame is used in none.

    The image is never held as a whole, and read once; only when a voxel turns out to be finite in some frames but not
    in others are the frames read once more without it. All arithmetic is in float64.

    Parameters
    ----------
    bold
        A 4D NIfTI image.
    names
        A name for each seed, for messages.
    seeds : numpy.ndarray, shape (n_seeds, 3)
        Centres in mm of the image's space.
    radii : numpy.ndarray, shape (n_seeds,)
        Radii in mm. The voxel nearest to a seed always belongs to its sphere.
    mask
        A 3D NIfTI image on any grid; voxels at 0 do not count. None for all voxels.
    smoothing_fwhm
        Full width at half maximum in mm of the Gaussian that smooths each frame, within the mask; 0 for no smoothing.
    overlap
        What to do with voxels that several spheres share: ``error``, ``allow``, or ``nearest``, which gives each to the
        nearest centre.
    min_coverage
        The coverage, from 0 to 1, below which a sphere has no signal.

    Raises
    ------
    InputError
        When the image or the mask cannot be used, spheres overlap that must not, or not one sphere has a signal.
    """
    header = read_header(bold)
    average = _average(header, names, seeds, radii, mask, smoothing_fwhm, overlap, min_coverage)
    (found,) = _in_passes(header, [average])
    if isinstance(found, InputError):
        raise found
    return found


def extract_together(bold: str | Path, sets: Sequence[Mapping[str, Any]]) -> list[SphereSignals | InputError]:
    """Average an image over several sets of spheres, reading it once for up to eight of them, which bounds the memory.

    Parameters
    ----------
    bold
        A 4D NIfTI image.
    sets
        What `extract_sphere_signals` takes for each, by name.

    Returns
    -------
    list
        For each set what `extract_sphere_signals` gives, to the last bit, or the error that it raises.

    Raises
    ------
    InputError
        When the image cannot be used.
    """
    header = read_header(bold)
    passes = [sets[start : start + _MOST_TOGETHER] for start in range(0, len(sets), _MOST_TOGETHER)]
    return [found for each in passes for found in _in_passes(header, [_average(header, **one) for one in each])]


_Average: TypeAlias = "Generator[_Reading, None, SphereSignals]"


def _in_passes(header: ImageHeader, averages: Sequence[_Average]) -> list[SphereSignals | InputError]:
    """Read the frames for all averages that wait for them, until none does; give what became of each."""
    ended: dict[_Average, SphereSignals | InputError] = {}
    while len(ended) < len(averages):
        readings = []
        for average in averages:
            if average not in ended:
                try:
                    readings.append(next(average))
                except StopIteration as end:
                    ended[average] = end.value
                except InputError as problem:
                    ended[average] = problem
        if readings:
            with closing(iter_frames(header)) as frames:
                for number, frame in enumerate(frames):  # to the end of the file, where its checksum is
                    for reading in readings:
                        reading.take(number, frame)
    return [ended[average] for average in averages]


def _average(
    header: ImageHeader,
    names: Sequence[str],
    seeds: np.ndarray,
    radii: np.ndarray,
    mask: str | Path | None = None,
    smoothing_fwhm: float = 0.0,
    overlap: Overlap = "error",
    min_coverage: float = 0.5,
) -> _Average:
    """Do what `extract_sphere_signals` does, in steps: wait for the frames, and go on with what they have shown."""
    in_view = in_mask = find_spheres(seeds, radii, header.shape, header.affine)
    inside = None
    if mask is not None:
        inside = read_mask(mask, header.shape, header.affine).ravel(order="F")
        in_mask = in_view.only(inside[in_view.voxel])
    own = settle_overlap(in_mask, names, overlap)
    ball = settle_overlap(in_view, names, overlap) if overlap == "nearest" else in_view
    weights = sphere_weights(ball.only(own.size[ball.sphere] > 0), header.shape, header.affine, smoothing_fwhm)
    weighed = yield from _weigh(header, weights if inside is None else weights.only(inside[weights.voxel]))

    has_data = ~weighed.blank
    if not has_data.any():
        raise InputError(f"{header.path}: no frame has data in the spheres: their voxels are 0 or not finite.")
    counted = own.only(weighed.measured[own.voxel])
    signals, n_voxels = weighed.signals, counted.size
    temporal_snr = _temporal_snr(signals[has_data])
    stages = (
        (in_view, "outside the field of view"),
        (in_mask, "outside the mask"),
        (own, "all of its voxels are nearer to another seed"),
        (counted, "no voxel has data (each is 0 in all frames, or not finite)"),
    )
    problem = _problems(stages, signals[has_data], temporal_snr, min_coverage)
    if all(problem):
        raise InputError(f"{header.path}: none of the {len(problem)} spheres has a signal ({_summary(problem)}).")
    signals[:, [bool(reason) for reason in problem]] = np.nan
    coverage = n_voxels / own.full_size
    frames_without_data = np.flatnonzero(weighed.blank).tolist()
    return SphereSignals(signals, n_voxels, coverage, temporal_snr, problem, frames_without_data)


def _temporal_snr(signals: np.ndarray) -> np.ndarray:
    """Divide the mean of each signal by its standard deviation; NaN where that is 0 up to rounding, or not finite."""
    if len(signals) < 2:
        return np.full(signals.shape[1], np.nan)
    with np.errstate(all="ignore"):
        mean, deviation = signals.mean(axis=0), signals.std(axis=0, ddof=1)
        varies = deviation > _ROUNDING * np.abs(signals).max(axis=0)
        return np.where(varies & np.isfinite(deviation), mean / deviation, np.nan)


def _problems(
    stages: Sequence[tuple[Spheres, str]], signals: np.ndarray, temporal_snr: np.ndarray, min_coverage: float
) -> list[str]:
    """Say why spheres have no signal; ``stages`` tells what was left of the spheres, and why one was left empty."""
    spheres = stages[-1][0]
    size, full_size = spheres.size, spheres.full_size
    problem = [""] * len(size)
    for number in range(len(size)):
        if not size[number]:
            problem[number] = next(reason for left, reason in stages if not left.size[number])
        elif (coverage := size[number] / full_size[number]) < min_coverage:
            voxels = f"{size[number]} of {full_size[number]} voxels"
            problem[number] = f"coverage {coverage:.2f} ({voxels}) is below {min_coverage:g}"
        elif not np.abs(signals[:, number]).max() < _LARGEST:
            problem[number] = "the values are too large to be averaged"
        elif len(signals) > 1 and np.isnan(temporal_snr[number]):
            problem[number] = "constant signal"
    return problem


def _summary(problem: list[str]) -> str:
    kinds = Counter("coverage is too low" if reason.startswith("coverage") else reason for reason in problem)
    return ", ".join(f"{count}: {kind}" for kind, count in kinds.most_common())


@dataclass(frozen=True)
class _Weighed:
    """Weighted means of an image, and what of it has data.

    Attributes
    ----------
    signals : numpy.ndarray, shape (n_frames, n_spheres)
        Scaled means over the voxels with data; NaN for a sphere that has none, and for a frame without data.
    measured : numpy.ndarray of bool, shape (n_voxels,)
        Voxels with a weight that have data.
    blank : numpy.ndarray of bool, shape (n_frames,)
        Frames without data.
    """

    signals: np.ndarray
    measured: np.ndarray
    blank: np.ndarray


def _weigh(header: ImageHeader, weights: Weights) -> Generator[_Reading, None, _Weighed]:
    """Wait for the frames, give weighted means over the voxels with data; wait again if some turn out to be damaged."""
    known_blank = np.zeros(header.n_frames, dtype=bool)
    while True:
        tiles = _Tiles(weights, header.shape)
        read = _Reading(header, tiles, known_blank)
        yield read
        blank, damaged = _damage(read)
        if not damaged.any() and np.array_equal(blank, read.blank):
            break
        known_blank = blank
        usable = np.ones(header.n_voxels, dtype=bool)
        usable[tiles.voxels[damaged]] = False
        weights = weights.only(usable[weights.voxel])

    measured = np.zeros(header.n_voxels, dtype=bool)
    measured[tiles.voxels[read.measured]] = True
    total = np.bincount(weights.sphere, weights.weight, minlength=weights.n_spheres)
    of_data = np.bincount(weights.sphere, weights.weight * measured[weights.voxel], minlength=weights.n_spheres)
    zero = _stored_zero(header)
    of_zero = 0.0 if zero is None else header.slope * float(zero) + header.intercept
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        scaled = header.slope * read.sums + header.intercept * total
        signals = (scaled - of_zero * (total - of_data)) / of_data
    signals[blank] = np.nan
    return _Weighed(signals, measured, blank)


class _Reading:
    """What one pass over the frames finds in the voxels of the tiles.

    Attributes
    ----------
    sums : numpy.ndarray, shape (n_frames, n_spheres)
        Weighted sums of the stored values; those that are not finite count as the stored 0.
    measured : numpy.ndarray of bool, shape (n_voxels,)
        Voxels that are finite and not 0 in some frame with data.
    blank : numpy.ndarray of bool, shape (n_frames,)
        Frames without data, as far as a frame shows this by itself.
    not_finite : dict of int to numpy.ndarray
        For each other frame with values that are not finite where these are, packed into bits.
    """

    def __init__(self, header: ImageHeader, tiles: _Tiles, known_blank: np.ndarray) -> None:
        n_voxels = len(tiles.voxels)
        self.sums, self.blank = np.empty((header.n_frames, tiles.n_spheres)), known_blank.copy()
        self.measured, self._buffer = np.zeros((2, n_voxels), dtype=bool)
        self.not_finite: dict[int, np.ndarray] = {}
        self._tiles, self._zero = tiles, _stored_zero(header)
        least, most = _BLOCK_FRAMES
        n_block = min(max(_BLOCK_BYTES // max(1, n_voxels * header.dtype.itemsize), least), most, header.n_frames)
        self._block = np.empty((n_block, n_voxels), dtype=header.dtype)

    def take(self, number: int, frame: np.ndarray) -> None:
        """Take the next frame; once there is a block of them, or it is the last, weigh them."""
        place = number % len(self._block)
        row = self._block[place]
        np.take(frame, self._tiles.voxels, out=row, mode="clip")  # clip needs no second buffer
        has_data = _has_data(row, self._zero, out=self._buffer)
        self.blank[number] |= not has_data.any() and not _has_data(frame, self._zero).any()
        if not self.blank[number]:
            self.measured |= has_data
        if place == len(self._block) - 1 or number == len(self.sums) - 1:
            self._weigh(number - place, self._block[: place + 1])

    def _weigh(self, start: int, block: np.ndarray) -> None:
        weighed = self._tiles.weigh(block)
        if block.dtype.kind == "f" and not np.isfinite(weighed[:, self._tiles.present]).all():
            finite = np.isfinite(block)
            block[~finite] = self._zero
            weighed = self._tiles.weigh(block)
            for number, row in enumerate(finite, start):
                if not (self.blank[number] or row.all()):
                    self.not_finite[number] = np.packbits(~row)
        self.sums[start : start + len(block)] = weighed


def _damage(read: _Reading) -> tuple[np.ndarray, np.ndarray]:
    """Tell frames without data, those included that have lost most of their voxels, from voxels lost in other frames.

    Gives the frames, shape (n_frames,), and the voxels, shape (n_voxels,).
    """
    blank, damaged = read.blank.copy(), np.zeros(len(read.measured), dtype=bool)
    for number, packed in read.not_finite.items():
        lost = np.unpackbits(packed, count=len(damaged)).astype(bool) & read.measured
        if 2 * np.count_nonzero(lost) > np.count_nonzero(read.measured):
            blank[number] = True
        else:
            damaged |= lost
    return blank, damaged


def _stored_zero(header: ImageHeader) -> Any:
    """Give what the file stores for 0, a scalar of the image's type; None when the type has no such value."""
    zero = -header.intercept / header.slope
    if header.dtype.kind == "f":
        return header.dtype.type(zero)
    limits = np.iinfo(header.dtype)
    return header.dtype.type(round(zero)) if limits.min <= zero <= limits.max else None


def _has_data(stored: np.ndarray, zero: Any, out: np.ndarray | None = None) -> np.ndarray:
    """Tell what is finite and not 0."""
    if zero is None:
        return np.ones(len(stored), dtype=bool)
    has_data: np.ndarray = np.not_equal(stored, zero, out=out)
    if stored.dtype.kind == "f":
        has_data &= np.isfinite(stored)
    return has_data


class _Tiles:
    """The weights as small dense matrices, one for each cube of voxels that they reach.

    The weights of a smoothed sphere fill a ball of voxels, and spheres are neighbours: within a cube the matrix of
    spheres by voxels is dense enough for a dense product, which costs less than walking through a sparse one.
    """

    voxels: np.ndarray  #: the voxels with a weight, cube by cube
    present: np.ndarray  #: the spheres with a weight
    n_spheres: int  #: those without any included

    def __init__(self, weights: Weights, shape: tuple[int, int, int]) -> None:
        n_spheres = weights.n_spheres
        weighed = np.zeros(math.prod(shape), dtype=bool)
        weighed[weights.voxel] = True
        voxels = np.flatnonzero(weighed)
        n_tiles = [-(-n // _TILE) for n in shape]
        small = np.min_scalar_type(max(math.prod(n_tiles), *shape))  # 16 bits are sorted faster than 64
        x, y, z = (np.arange(n, dtype=small) // _TILE for n in shape)
        tile = (x + n_tiles[0] * (y[:, None] + n_tiles[1] * z[:, None, None])).ravel()[voxels]
        order = np.argsort(tile, kind="stable")
        self.voxels = voxels[order]
        first = _starts(tile[order])
        width = np.diff(first, append=len(voxels))  # voxels of each tile
        tile_of_place = np.repeat(np.arange(len(first)), width)

        place = np.empty(len(weighed), dtype=np.int64)  # of a voxel in self.voxels
        place[self.voxels] = np.arange(len(voxels))
        weight_place = place[weights.voxel]
        key = tile_of_place[weight_place] * n_spheres + weights.sphere
        met = np.zeros(len(first) * n_spheres, dtype=bool)
        met[key] = True
        pairs = np.flatnonzero(met)  # of a tile and a sphere that meet, tile by tile
        pair_tile, pair_sphere = np.divmod(pairs, n_spheres)
        pair_width = width[pair_tile]
        pair_start = np.cumsum(pair_width) - pair_width
        row_start = np.zeros(len(met), dtype=np.int64)
        row_start[pairs] = pair_start - first[pair_tile]
        dense = np.zeros(pair_width.sum())
        dense[row_start[key] + weight_place] = weights.weight

        n_rows = np.bincount(pair_tile, minlength=len(first))
        row_ends = np.cumsum(n_rows)
        self._tiles = []
        at = 0
        for begin, n_columns, end, n in zip(first, width, row_ends, n_rows, strict=True):
            matrix = dense[at : at + n * n_columns].reshape(n, n_columns)
            at += n * n_columns
            self._tiles.append((slice(begin, begin + n_columns), slice(end - n, end), matrix.T))
        self._order = np.argsort(pair_sphere, kind="stable")
        self._first = _starts(pair_sphere[self._order])
        self.present = pair_sphere[self._order][self._first]
        self.n_spheres = n_spheres
        self._widest = int(width.max(initial=0))

    def weigh(self, frames: np.ndarray) -> np.ndarray:
        """Give signals, shape (n_frames, n_spheres), of frames of shape (n_frames, n_voxels with a weight)."""
        partial = np.empty((len(frames), len(self._order)))
        values = np.empty((len(frames), self._widest))
        with np.errstate(invalid="ignore", over="ignore"):
            for columns, pairs, matrix in self._tiles:
                part = values[:, : len(matrix)]
                part[...] = frames[:, columns]
                np.matmul(part, matrix, out=partial[:, pairs])
            signals = np.full((len(frames), self.n_spheres), np.nan)
            if len(self.present):
                signals[:, self.present] = np.add.reduceat(partial[:, self._order], self._first, axis=1)
        return signals


def _starts(ordered: np.ndarray) -> np.ndarray:
    """Give the places in an ordered array at which a new value starts."""
    return np.flatnonzero(np.concatenate([np.ones(min(1, len(ordered)), dtype=bool), ordered[1:] != ordered[:-1]]))
