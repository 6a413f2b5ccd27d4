"""The regions of an atlas, an image whose voxels hold the number of a region: where they are, as single points."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import label

from sphereconn.errors import InputError
from sphereconn.extract.images import ImageHeader, iter_frames, read_volume_header

_BLOCK = 1 << 20  # voxels checked at once
_LARGEST = np.iinfo(np.int32).max
_TOUCHING = np.ones((3, 3, 3))  # voxels that share a face, an edge or a corner are of one piece


@dataclass(frozen=True)
class Regions:
    """The regions of an atlas, in the order of their numbers.

    Attributes
    ----------
    numbers : numpy.ndarray of int, shape (n_regions,)
        What the voxels of a region hold; 0, the background, is none.
    centres : numpy.ndarray, shape (n_regions, 3)
        A point of each region in mm: its centre of mass, or where that lies outside the region its voxel nearest to it.
    moved : numpy.ndarray, shape (n_regions,)
        Distance of ``centres`` from the centre of mass in mm; 0 where that lies in the region.
    n_voxels, n_pieces : numpy.ndarray of int, shape (n_regions,)
        Voxels of each region, and how many pieces they are in that do not touch, not even by a corner.
    """

    numbers: np.ndarray
    centres: np.ndarray
    moved: np.ndarray
    n_voxels: np.ndarray
    n_pieces: np.ndarray


def read_regions(path: str | Path) -> Regions:
    """Find the regions of an atlas, and a point in each that stands for it.

    Parameters
    ----------
    path
        A 3D NIfTI image (a fourth axis of length 1 is fine) of whole numbers from 0 on.

    Raises
    ------
    InputError
        When the image cannot be read, has several frames, holds other values or no region.
    """
    header = read_volume_header(path)
    numbers = _numbers(header)
    inside = np.flatnonzero(numbers)
    if not len(inside):
        raise InputError(f"{path}: the atlas has no region, every voxel is 0.")
    found, region_of = np.unique(numbers[inside], return_inverse=True)
    n_voxels = np.bincount(region_of)
    by_region = np.split(inside[np.argsort(region_of, kind="stable")], np.cumsum(n_voxels)[:-1])
    centres, moved, n_pieces = np.empty((len(found), 3)), np.empty(len(found)), np.empty(len(found), dtype=np.intp)
    for place, members in enumerate(by_region):
        voxels = np.column_stack(np.unravel_index(members, header.shape, order="F"))
        centres[place], moved[place] = _centre(voxels, header.affine)
        n_pieces[place] = _pieces(voxels)
    return Regions(found.astype(np.intp), centres, moved, n_voxels, n_pieces)


def _numbers(header: ImageHeader) -> np.ndarray:
    """Read the image as int32; block by block, since what is stored may have to be scaled, as float64."""
    numbers = np.empty(header.n_voxels, dtype=np.int32)
    for frame in iter_frames(header):
        for start in range(0, len(frame), _BLOCK):
            values = header.slope * frame[start : start + _BLOCK].astype(np.float64) + header.intercept
            bad = ~((values == np.rint(values)) & (values >= 0) & (values <= _LARGEST))
            if bad.any():
                first = int(np.argmax(bad))
                voxel = ", ".join(map(str, np.unravel_index(start + first, header.shape, order="F")))
                raise InputError(
                    f"{header.path}: an atlas holds the number of a region in each voxel, a whole number of at least 0;"
                    f" the voxel ({voxel}) holds {values[first]:g}."
                )
            numbers[start : start + _BLOCK] = values
    return numbers


def _centre(voxels: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, float]:
    """Give the point that stands for some voxels, in mm, and how far from their centre of mass it had to be moved."""
    mean = voxels.mean(axis=0)
    centre = affine[:3, :3] @ mean + affine[:3, 3]
    # Less than a millionth of a voxel is rounding: a centre on the border of two voxels lies in both.
    if (np.abs(voxels - mean) <= 0.5 + 1e-6).all(axis=1).any():
        return centre, 0.0
    mm = voxels @ affine[:3, :3].T + affine[:3, 3]
    distance = np.linalg.norm(mm - centre, axis=1)
    nearest = mm[distance <= distance.min() + 1e-6]
    # Of several that are as near, the leftmost (then the hindmost, then the lowest), however the image is stored.
    chosen = nearest[np.lexsort(np.round(nearest, 6).T[::-1])[0]]
    return chosen, float(distance.min())


def _pieces(voxels: np.ndarray) -> int:
    low = voxels.min(axis=0)
    box = np.zeros(voxels.max(axis=0) - low + 1, dtype=bool)
    box[tuple((voxels - low).T)] = True
    return int(label(box, _TOUCHING)[1])
