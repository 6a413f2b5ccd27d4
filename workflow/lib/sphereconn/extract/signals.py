"""Sphere signals of an image, from one pass over its frames."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sphereconn.errors import InputError
from sphereconn.extract.images import ImageHeader, iter_frames, read_header, read_mask
from sphereconn.extract.spheres import Overlap, Spheres, Weights, find_spheres, settle_overlap, sphere_weights

_TILE = 8  # voxels along the edge of a tile: smaller ones cost calls, larger ones hold more zeros
_BLOCK_BYTES = 1 << 24  # of voxels gathered from the frames of a block
_BLOCK_FRAMES = (4, 32)  # least and most frames of a block
_LARGEST = 1e150  # the squares of larger signals are no numbers any more
_ROUNDING = 1e-12  # relative: a mean of equal values may differ by this from frame to frame


@dataclass(frozen=True)
class SphereSignals:
    """The mean signals of spheres, and how well each sphere was measured.

    Attributes
    ----------
    signals : numpy.ndarray, shape (n_frames, n_seeds)
        Mean over the voxels of each sphere; NaN in the column of a sphere with a problem.
    header : ImageHeader
        The header of the image.
    n_voxels : numpy.ndarray of int, shape (n_seeds,)
        Voxels that were averaged.
    coverage : numpy.ndarray, shape (n_seeds,)
        The same, divided by the voxels that the whole ball would have.
    temporal_snr : numpy.ndarray, shape (n_seeds,)
        Mean of the signal over time divided by its standard deviation (n - 1); NaN without signal or variance.
    problem : list of str
        Why a sphere has no signal; "" when it has one.
    """

    signals: np.ndarray
    header: ImageHeader
    n_voxels: np.ndarray
    coverage: np.ndarray
    temporal_snr: np.ndarray
    problem: list[str]


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

    The image is read once and never held as a whole; all arithmetic is in float64. A voxel that is not finite in some
    frame is not used in any: when one turns up, the frames are read once more without it.

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
        Full width at half maximum in mm of the Gaussian that smooths each frame; 0 for no smoothing. Smoothing precedes
        the mask: values from outside of it bleed in, as in any smoothed image.
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
    in_view = find_spheres(seeds, radii, header.shape, header.affine)
    in_mask = in_view
    if mask is not None:
        in_mask = in_view.only(read_mask(mask, header.shape, header.affine).ravel(order="F")[in_view.voxel])
    own = settle_overlap(in_mask, names, overlap)
    signals, finite = _finite_signals(header, own, smoothing_fwhm)
    signals = header.slope * signals + header.intercept  # each sphere's weights sum to 1

    temporal_snr = _temporal_snr(signals)
    stages = (
        (in_view, "outside the field of view"),
        (in_mask, "outside the mask"),
        (own, "all of its voxels are nearer to another seed"),
        (finite, "no voxel is finite in all frames"),
    )
    problem = _problems(stages, signals, temporal_snr, min_coverage)
    if all(problem):
        raise InputError(f"{bold}: none of the {len(problem)} spheres has a signal ({_summary(problem)}).")
    signals[:, [bool(reason) for reason in problem]] = np.nan
    return SphereSignals(signals, header, finite.size, finite.size / finite.full_size, temporal_snr, problem)


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


def _finite_signals(header: ImageHeader, spheres: Spheres, smoothing_fwhm: float) -> tuple[np.ndarray, Spheres]:
    """Weigh the stored values over the voxels that are finite in all frames; give signals and those voxels."""
    unusable: np.ndarray | None = None
    while True:
        weights = sphere_weights(spheres, header.shape, header.affine, smoothing_fwhm, unusable)
        signals, not_finite = _weigh_frames(header, weights)
        if not len(not_finite):
            finite = spheres if unusable is None else spheres.only(~unusable[spheres.voxel])
            return signals, finite
        if unusable is None:
            unusable = np.zeros(header.n_voxels, dtype=bool)
        unusable[not_finite] = True


def _weigh_frames(header: ImageHeader, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """Multiply every frame with the weights.

    Gives signals of shape (n_frames, n_spheres), NaN for a sphere without voxels, and the voxels that were not finite.
    If there are any, the signals are of no use, and voxels that fail in the first block of frames are given at once,
    since most of those that ever fail fail there.
    """
    tiles = _Tiles(weights, header.shape)
    signals = np.empty((header.n_frames, weights.n_spheres))
    not_finite = np.zeros(len(tiles.voxels), dtype=bool)
    least, most = _BLOCK_FRAMES
    n_block = _BLOCK_BYTES // max(1, len(tiles.voxels) * header.dtype.itemsize)
    n_block = min(max(n_block, least), most, header.n_frames)
    block = np.empty((n_block, len(tiles.voxels)), dtype=header.dtype)
    with closing(iter_frames(header)) as frames:
        for start in range(0, header.n_frames, n_block):
            used = block[: header.n_frames - start]
            for row in used:
                np.take(next(frames), tiles.voxels, out=row, mode="clip")  # clip needs no second buffer
            weighed = tiles.weigh(used)
            if header.dtype.kind == "f" and not np.isfinite(weighed[:, tiles.present]).all():
                not_finite |= ~np.isfinite(used).all(axis=0)
                if start == 0 and not_finite.any():
                    break
            signals[start : start + len(used)] = weighed
        else:
            next(frames, None)  # to the end of the file, where its checksum is
    return signals, tiles.voxels[not_finite]


class _Tiles:
    """The weights as small dense matrices, one for each cube of voxels that they reach.

    The weights of a smoothed sphere fill a ball of voxels, and spheres are neighbours: within a cube the matrix of
    spheres by voxels is dense enough for a dense product, which costs less than walking through a sparse one.
    """

    voxels: np.ndarray  #: the voxels with a weight, cube by cube
    present: np.ndarray  #: the spheres with a weight

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
        self._n_spheres = n_spheres
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
            signals = np.full((len(frames), self._n_spheres), np.nan)
            if len(self.present):
                signals[:, self.present] = np.add.reduceat(partial[:, self._order], self._first, axis=1)
        return signals


def _starts(ordered: np.ndarray) -> np.ndarray:
    """Give the places in an ordered array at which a new value starts."""
    return np.flatnonzero(np.concatenate([np.ones(min(1, len(ordered)), dtype=bool), ordered[1:] != ordered[:-1]]))
