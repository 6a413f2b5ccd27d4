"""The part of a run that cleaning leaves, as few coordinates a voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Singular values below this share of the largest are left out: the filter's slopes go on to the rounding of the
# operator. Even of a voxel of which cleaning leaves a ten-thousandth, a correlation then changes by less than 1e-7.
_NEGLIGIBLE = 3e-6


@dataclass(frozen=True)
class Projection:
    """A cleaning operator, centred over time, as the product ``basis @ rows`` of orthonormal columns and few rows.

    Attributes
    ----------
    basis
        Shape (n_frames_kept, rank), orthonormal columns.
    rows
        Shape (rank, n_frames).
    """

    basis: NDArray[np.float64]
    rows: NDArray[np.float64]

    @property
    def rank(self) -> int:
        """Return the number of rows."""
        return len(self.rows)


def project(operator: NDArray[np.float64]) -> Projection:
    """Return the centred operator in its singular vectors.

    Lengths and angles of cleaned signals are those of their coordinates ``rows @ signal``, of which there are fewer
    than frames: a band-pass and the regression of confounds leave half of them or less.

    Parameters
    ----------
    operator
        Shape (n_frames_kept, n_frames), see `clean.operator.cleaning_operator`.

    References
    ----------
    Golub GH, Van Loan CF (2013). Matrix Computations, 4th edition, section 2.4: the singular value decomposition.
    """
    centred = operator - operator.mean(axis=0)
    basis, sizes, rows = np.linalg.svd(centred, full_matrices=False)
    used = sizes > _NEGLIGIBLE * sizes[0]
    return Projection(np.ascontiguousarray(basis[:, used]), sizes[used, None] * rows[used])
