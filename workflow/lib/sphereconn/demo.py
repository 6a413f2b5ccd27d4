"""The demo cohort: real parcel series painted on a real mean image, with planted nuisance, so that the truth is known.

A voxel inside the brain mask follows

    mean * (1 + 0.015 s(t) + 0.02 d(t) + 0.02 [w WM(t) + c CSF(t)] + 0.01 noise(t)) - displacement * gradient

where ``s`` is the real, z-scored series of the parcel whose point lies nearest, ``d`` a slow drift with a weight of the
voxel's own, ``WM`` and ``CSF`` two nuisance signals, and motion shifts the mean image along its spatial gradient, as
head motion does to first order (the displacement follows from the motion parameters, in mm). Voxels outside the mask
are zero.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sphereconn.files import written_whole

INTENSITY_SCALE = 10.0  # the mean image has values near 300; ten times that makes rounding to int16 harmless
SIGNAL, DRIFT, TISSUE, NOISE = 0.015, 0.02, 0.02, 0.01  # shares of a voxel's mean
HEAD_RADIUS = 50.0  # mm; framewise displacement counts a rotation as the arc on a sphere of this radius (Power 2012)


@dataclass(frozen=True)
class Nuisance:
    """Planted nuisance, frame by frame: six motion parameters (mm and radians), tissue signals and drift."""

    motion: np.ndarray
    white_matter: np.ndarray
    csf: np.ndarray
    drift: np.ndarray


def nearest_point(coordinates: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Give, for each coordinate (n, 3), the index of the nearest of the points (m, 3)."""
    nearest = np.empty(len(coordinates), dtype=np.intp)
    for start in range(0, len(coordinates), 2000):  # block by block: all distances at once would not be small
        block = coordinates[start : start + 2000]
        distances = ((block[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
        nearest[start : start + 2000] = distances.argmin(axis=1)
    return nearest


def plant_nuisance(framewise_displacement: np.ndarray, repetition_time: float, rng: np.random.Generator) -> Nuisance:
    """Make nuisance signals for a run whose framewise displacement, in mm, is given (NaN in the first frame).

    The displacement of each frame is shared out at random over the six parameters, so that the framewise displacement
    computed from them (Power et al. 2012) is the given one.
    """
    n_frames = len(framewise_displacement)
    steps = np.nan_to_num(framewise_displacement)
    shares = rng.dirichlet(np.ones(6), size=n_frames) * rng.choice([-1.0, 1.0], size=(n_frames, 6))
    motion = np.cumsum(steps[:, None] * shares, axis=0)
    motion[:, 3:] /= HEAD_RADIUS
    seconds = np.arange(n_frames) * repetition_time
    drift = np.stack([np.linspace(-1, 1, n_frames), np.cos(2 * np.pi * seconds / 250.0 + rng.uniform(0, 6))], axis=1)
    return Nuisance(motion, _autoregressive(n_frames, rng), _autoregressive(n_frames, rng), drift)


def _autoregressive(n_frames: int, rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(n_frames)
    series = np.empty(n_frames)
    series[0] = noise[0]
    for frame in range(1, n_frames):
        series[frame] = 0.8 * series[frame - 1] + 0.6 * noise[frame]
    standardised: np.ndarray = (series - series.mean()) / series.std()
    return standardised


def paint_run(
    mean_image: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    parcel_series: np.ndarray,
    parcel_points: np.ndarray,
    parcel_of_point: np.ndarray,
    nuisance: Nuisance,
    rng: np.random.Generator,
) -> np.ndarray:
    """Paint a run: int16 values of shape (x, y, z, n_frames), in Fortran order as a NIfTI file stores them.

    Parameters
    ----------
    mean_image, mask
        Mean intensity and brain mask, shape (x, y, z).
    affine
        Voxel indices to mm, shape (4, 4).
    parcel_series
        One z-scored series a parcel, shape (n_frames, n_parcels).
    parcel_points, parcel_of_point
        Points in mm, shape (n_points, 3), and the column of ``parcel_series`` that each stands for.
    nuisance
        What to plant on top.
    rng
        Source of the voxels' weights and noise.
    """
    inside = np.argwhere(mask)
    mm = inside @ affine[:3, :3].T + affine[:3, 3]
    parcel = parcel_of_point[nearest_point(mm, parcel_points)]
    mean = mean_image[mask] * INTENSITY_SCALE
    slopes = [np.gradient(mean_image * INTENSITY_SCALE, axis=axis)[mask] for axis in range(3)]  # per voxel step
    gradient = np.column_stack(slopes) @ np.linalg.inv(affine[:3, :3])  # per mm
    drift_weights = rng.uniform(0.2, 1.0, size=(len(mm), nuisance.drift.shape[1]))
    white_matter_weights, csf_weights = rng.uniform(0.0, 1.0, size=(2, len(mm)))

    painted = np.empty((*mask.shape, len(parcel_series)), dtype=np.int16, order="F")
    for frame in range(len(parcel_series)):
        change = (
            SIGNAL * parcel_series[frame, parcel]
            + DRIFT * (drift_weights @ nuisance.drift[frame])
            + TISSUE * (white_matter_weights * nuisance.white_matter[frame] + csf_weights * nuisance.csf[frame])
            + NOISE * rng.standard_normal(len(mm))
        )
        translation, rotation = nuisance.motion[frame, :3], nuisance.motion[frame, 3:]
        displacement = translation + np.cross(rotation, mm)
        values = mean * (1 + change) - (gradient * displacement).sum(axis=1)
        volume = np.zeros(mask.shape, dtype=np.int16)
        volume[mask] = np.rint(np.clip(values, 0, np.iinfo(np.int16).max))
        painted[..., frame] = volume
    return painted


def confounds_table(nuisance: Nuisance, framewise_displacement: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Lay out the nuisance as fMRIPrep does: column names and values, shape (n_frames, n_columns)."""
    columns = ["csf", "white_matter", "framewise_displacement", *(f"trans_{axis}" for axis in "xyz")]
    columns += [f"rot_{axis}" for axis in "xyz"]
    # fMRIPrep gives tissue signals as mean intensities.
    tissue = np.stack([4200 + 30 * nuisance.csf, 3600 + 25 * nuisance.white_matter], axis=1)
    return columns, np.column_stack([tissue, framewise_displacement, nuisance.motion])


def save_int16(path: Path, data: np.ndarray, affine: np.ndarray, repetition_time: float) -> None:
    """Write int16 data as a compressed NIfTI-1 file, the same bytes for the same data."""
    from isal import igzip
    from nibabel.nifti1 import Nifti1Image

    image = Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((*np.linalg.norm(affine[:3, :3], axis=0), repetition_time))
    image.set_sform(affine, code=4)
    image.set_qform(affine, code=4)
    image.header.set_slope_inter(1, 0)
    header = bytearray(image.header.binaryblock)
    header[108:112] = struct.pack("<f", 352.0)  # where the voxels start: after the header and an empty extension
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        file.write(igzip.compress(bytes(header) + bytes(4) + data.tobytes(order="F"), compresslevel=2, mtime=0))
