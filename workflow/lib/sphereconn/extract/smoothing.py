"""The Gaussian filter of frames, as one matrix an axis."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numpy.typing import NDArray

_FWHM_OVER_SIGMA = math.sqrt(8 * math.log(2))
_TRUNCATE = 4.0  # the Gaussian ends after four standard deviations


def sigmas_of(smoothing_fwhm: float, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation of a Gaussian along each axis in voxels, shape (3,).

    Parameters
    ----------
    smoothing_fwhm
        Full width at half maximum in mm.
    affine
        From voxel indices to mm, shape (4, 4); the lengths of its columns are the voxel sizes.
    """
    return cast(NDArray[np.float64], smoothing_fwhm / (_FWHM_OVER_SIGMA * np.linalg.norm(affine[:3, :3], axis=0)))


def kernel_radius(sigma: float) -> int:
    """Return how many voxels away the Gaussian still has a weight."""
    return int(_TRUNCATE * sigma + 0.5)


def smoothing_matrix(n: int, sigma: float) -> NDArray[np.float64]:
    """Return the matrix, shape (n, n), that smooths along an axis of ``n`` voxels, mirrored at its ends."""
    radius = kernel_radius(sigma)
    steps = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (steps / sigma) ** 2)
    kernel /= kernel.sum()
    source = (np.arange(n)[:, None] + steps) % (2 * n)
    source = np.minimum(source, 2 * n - 1 - source)  # d c b a | a b c d | d c b a
    matrix = np.zeros((n, n))
    np.add.at(matrix, (np.arange(n)[:, None], source), kernel)
    return matrix
