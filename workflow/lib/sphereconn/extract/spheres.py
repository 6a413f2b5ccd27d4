"""The voxels of spheres, who gets a voxel that spheres share, and the weights that make a mean of smoothed voxels.

Voxels are numbered in the order of the file: the first axis of the image varies fastest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sphereconn.errors import InputError
from sphereconn.extract.smoothing import kernel_radius, sigmas_of, smoothing_matrix

Overlap = Literal["allow", "error", "nearest"]

_CHUNK = 1 << 16  # voxels looked at together, few enough for the cache
_LARGEST_BOX = 1 << 24  # voxels around one seed: a radius of 250 mm on a grid of 2 mm
_FAR = 1e8  # voxels: further than any grid reaches, and still a number that integers can hold
_PAIRS_NAMED = 5
_SAME_DISTANCE = 9  # decimals of mm²: what rounding alone tells apart is equally near


@dataclass(frozen=True)
class Spheres:
    """The voxels of spheres, as pairs of a sphere and a voxel.

    Attributes
    ----------
    sphere : numpy.ndarray of int, shape (n_pairs,)
        The sphere, numbered as the seeds are.
    voxel : numpy.ndarray of int, shape (n_pairs,)
        The voxel.
    squared_distance : numpy.ndarray, shape (n_pairs,)
        From the seed to the centre of the voxel, in mm².
    full_size : numpy.ndarray of int, shape (n_spheres,)
        Voxels that the sphere would have on a grid without end.
    """

    sphere: np.ndarray
    voxel: np.ndarray
    squared_distance: np.ndarray
    full_size: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """Voxels of each sphere, shape (n_spheres,)."""
        return np.bincount(self.sphere, minlength=len(self.full_size))

    def only(self, kept: np.ndarray) -> Spheres:
        """Give the spheres without the pairs that ``kept``, a mask or indices, leaves out."""
        return Spheres(self.sphere[kept], self.voxel[kept], self.squared_distance[kept], self.full_size)


@dataclass(frozen=True)
class Weights:
    """The weights that turn a frame into sphere signals, as triples.

    Attributes
    ----------
    sphere, voxel : numpy.ndarray of int, shape (n_weights,)
        Where the weight stands in the matrix of spheres by voxels; no place occurs twice.
    weight : numpy.ndarray, shape (n_weights,)
        The weight.
    n_spheres : int
        Number of spheres, those without any voxel included.
    """

    sphere: np.ndarray
    voxel: np.ndarray
    weight: np.ndarray
    n_spheres: int

    def only(self, kept: np.ndarray) -> Weights:
        """Give the weights without those that ``kept``, a mask, leaves out; the others are as they were."""
        return Weights(self.sphere[kept], self.voxel[kept], self.weight[kept], self.n_spheres)


@np.errstate(over="ignore")  # seeds and radii in other units are infinitely far or large
def find_spheres(seeds: np.ndarray, radii: np.ndarray, shape: tuple[int, int, int], affine: np.ndarray) -> Spheres:
    """Find the voxels of each sphere.

    A voxel belongs to a sphere when its centre lies within the radius, the surface included, or when it is the voxel
    nearest to the seed. Only the neighbourhood of each seed is searched.

    Parameters
    ----------
    seeds : numpy.ndarray, shape (n_spheres, 3)
        Centres in mm.
    radii : numpy.ndarray, shape (n_spheres,)
        Radii in mm, 0 or more.
    shape
        Voxels along the three axes of the image.
    affine : numpy.ndarray, shape (4, 4)
        From voxel indices to mm.

    Raises
    ------
    InputError
        When a radius is so large that its sphere has more voxels than any image.
    ValueError
        When seeds and radii do not fit together, are not finite, or a radius is negative.
    """
    seeds, radii = np.asarray(seeds, dtype=np.float64), np.asarray(radii, dtype=np.float64)
    if seeds.shape != (len(radii), 3) or not len(radii):
        raise ValueError(f"seeds of shape (n, 3) and n radii are needed, found {seeds.shape} and {radii.shape}")
    if not (np.isfinite(seeds).all() and np.isfinite(radii).all() and (radii >= 0).all()):
        raise ValueError("seeds and radii must be finite, radii at least 0")
    inverse = np.linalg.inv(affine)
    centres = np.clip(seeds @ inverse[:3, :3].T + inverse[:3, 3], -_FAR, _FAR)
    nearest = np.rint(centres).astype(np.int64)
    reach = radii[:, None] * np.linalg.norm(inverse[:3, :3], axis=1) + 1e-6  # the box around an ellipsoid of indices
    if (2 * reach + 1).prod(axis=1).max() > _LARGEST_BOX:
        raise InputError(f"radius: {radii.max():g} mm is too large for voxels of this image's size.")
    low = np.minimum(np.ceil(centres - reach).astype(np.int64), nearest)
    high = np.maximum(np.floor(centres + reach).astype(np.int64), nearest)

    full_size = np.zeros(len(seeds), dtype=np.int64)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for some, box in _alike(high - low + 1):
        i, j, k = (low[some, axis, None] + np.arange(box[axis]) for axis in range(3))
        axes = (i[:, None, None, :], j[:, None, :, None], k[:, :, None, None])
        squared = np.zeros((len(some), *box[::-1]))
        for row, offset, seed in zip(affine[:3, :3], affine[:3, 3], seeds[some].T, strict=True):
            mm = row[0] * axes[0] + row[1] * axes[1] + row[2] * axes[2] + offset
            squared += (mm - seed[:, None, None, None]) ** 2
        inside = squared <= radii[some, None, None, None] ** 2
        inside[(np.arange(len(some)), *(nearest[some] - low[some]).T[::-1])] = True
        full_size[some] = np.count_nonzero(inside, axis=(1, 2, 3))
        for at, n in zip(axes, shape, strict=True):
            inside &= (at >= 0) & (at < n)
        voxel = axes[0] + shape[0] * (axes[1] + shape[1] * axes[2])
        found.append((np.repeat(some, np.count_nonzero(inside, axis=(1, 2, 3))), voxel[inside], squared[inside]))
    sphere, voxel, squared_distance = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Spheres(sphere, voxel, squared_distance, full_size)


def settle_overlap(spheres: Spheres, names: Sequence[str], overlap: Overlap) -> Spheres:
    """Treat voxels that several spheres share as ``overlap`` says.

    ``allow`` leaves them to all; ``nearest`` gives each to the sphere with the nearest centre, or the first of equally
    near ones; ``error`` raises an ``InputError`` that names the spheres, in pairs.
    """
    if overlap == "allow":
        return spheres
    if overlap not in ("error", "nearest"):
        raise ValueError(f"overlap must be allow, error or nearest, not {overlap!r}")
    order = np.lexsort((spheres.sphere, np.round(spheres.squared_distance, _SAME_DISTANCE), spheres.voxel))
    voxel = spheres.voxel[order]
    first = np.ones(len(voxel), dtype=bool)
    first[1:] = voxel[1:] != voxel[:-1]
    if first.all():
        return spheres
    if overlap == "nearest":
        return spheres.only(np.sort(order[first]))
    pairs: set[tuple[int, int]] = set()
    for shared in np.split(spheres.sphere[order], np.flatnonzero(first)[1:]):
        pairs.update(itertools.combinations(sorted(shared.tolist()), 2))
    named = [f"'{names[one]}' and '{names[other]}'" for one, other in sorted(pairs)]
    more = f" and {len(named) - _PAIRS_NAMED} more pairs" if len(named) > _PAIRS_NAMED else ""
    raise InputError(
        f"overlap: error, but spheres share voxels: {', '.join(named[:_PAIRS_NAMED])}{more}; choose smaller radii,"
        " or overlap: nearest (a shared voxel belongs to the nearest centre) or overlap: allow."
    )


def sphere_weights(
    spheres: Spheres,
    shape: tuple[int, int, int],
    affine: np.ndarray,
    smoothing_fwhm: float = 0.0,
) -> Weights:
    """Give the weights whose product with a frame is the mean of each sphere in the smoothed frame; they sum to 1.

    Smoothing is linear, so it is applied to the spheres instead of the frames: the mean of a smoothed frame over a
    sphere is the product of the frame with the sphere's own weights, smoothed by the transposed filter. The filter is a
    Gaussian along each axis, cut after four standard deviations, with the frame mirrored at its borders.

    Parameters
    ----------
    spheres
        The voxels to average.
    shape
        Voxels along the three axes of the image.
    affine : numpy.ndarray, shape (4, 4)
        From voxel indices to mm; the lengths of its columns are the voxel sizes.
    smoothing_fwhm
        Full width at half maximum of the Gaussian in mm; 0 for no smoothing.
    """
    weights = Weights(spheres.sphere, spheres.voxel, 1 / spheres.size[spheres.sphere], len(spheres.full_size))
    if not smoothing_fwhm or not len(spheres.sphere):
        return weights
    return _smooth(weights, shape, sigmas_of(smoothing_fwhm, affine))


def _smooth(weights: Weights, shape: tuple[int, int, int], sigmas: np.ndarray) -> Weights:
    """Apply the transposed filter to the weights of each sphere, within the box that they can reach."""
    n_x, n_y, _ = shape
    voxels = np.stack([weights.voxel % n_x, weights.voxel // n_x % n_y, weights.voxel // (n_x * n_y)])
    present = np.flatnonzero(np.bincount(weights.sphere))
    sphere = np.searchsorted(present, weights.sphere)
    low = np.full((len(present), 3), np.iinfo(np.int64).max)
    high = np.zeros_like(low)
    np.minimum.at(low, sphere, voxels.T)
    np.maximum.at(high, sphere, voxels.T)
    # A row and a column of 0 stand for what lies beyond the grid.
    filters = [np.pad(smoothing_matrix(n, sigma), (0, 1)) for n, sigma in zip(shape, sigmas, strict=True)]
    margin = np.array([kernel_radius(sigma) for sigma in sigmas])
    far_low = np.maximum(low - margin, 0)
    far_high = np.minimum(high + margin, np.array(shape) - 1)

    parts = []
    for some, far_box in _alike(far_high - far_low + 1):
        place = np.full(len(present), -1)
        place[some] = np.arange(len(some))
        of_some = place[sphere] >= 0
        number = place[sphere[of_some]]
        x, y, z = voxels[:, of_some] - low.T[:, sphere[of_some]]
        box = (high - low + 1)[some].max(axis=0)
        values = np.zeros((len(some), *box[::-1]))
        values[number, z, y, x] = weights.weight[of_some]
        # Rows: voxels that are reached; columns: voxels of the sphere. Beyond the grid, filters are padded with 0.
        along = [
            filters[axis][
                np.minimum(far_low[some, axis, None] + np.arange(far_box[axis]), shape[axis])[:, :, None],
                np.minimum(low[some, axis, None] + np.arange(box[axis]), shape[axis])[:, None, :],
            ]
            for axis in range(3)
        ]
        values = values @ along[0].transpose(0, 2, 1)[:, None]
        values = along[1][:, None] @ values
        values = (along[2] @ values.reshape(len(some), box[2], -1)).reshape(len(some), *far_box[::-1])
        reached = values != 0
        x, y, z = (far_low[some, axis, None] + np.arange(far_box[axis]) for axis in range(3))
        voxel = x[:, None, None, :] + n_x * (y[:, None, :, None] + n_y * z[:, :, None, None])
        count = np.count_nonzero(reached, axis=(1, 2, 3))
        parts.append((np.repeat(present[some], count), voxel[reached], values[reached]))
    smoothed = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    return Weights(smoothed[0], smoothed[1], smoothed[2], weights.n_spheres)


def _alike(boxes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Part spheres with boxes of shape (n_spheres, 3) into groups of like size, few enough to be handled together.

    Gives the numbers of the spheres and the box that holds each of their boxes.
    """
    volumes = boxes.prod(axis=1)
    magnitudes = np.frexp(volumes)[1]
    for magnitude in sorted(set(magnitudes.tolist())):  # numpy's unique costs an import of its own
        members = np.flatnonzero(magnitudes == magnitude)
        box = boxes[members].max(axis=0)
        together = max(1, _CHUNK // math.prod(box.tolist()))
        for start in range(0, len(members), together):
            yield members[start : start + together], box
