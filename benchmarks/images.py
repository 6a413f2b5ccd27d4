"""Images of the size and compressibility of preprocessed runs."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np


def write_image(path: str, shape: tuple[int, int, int], n_frames: int, size: float, noise: float) -> np.ndarray:
    """Write an image: a smooth head with noise in it and zeros around it, compressed at level 1 as nibabel does.

    Returns
    -------
    ndarray of bool
        Where the head is, of the given shape.
    """
    x, y, z = (np.linspace(-1, 1, n, dtype="f4") for n in shape)
    x, y, z = x[:, None, None], y[:, None], z
    distance = x**2 + y**2 + z**2
    still = np.where(distance < 0.94, 1200 - 600 * distance + 100 * np.sin(9 * x) * np.cos(7 * y) * np.sin(8 * z), 0)
    affine = np.diag([size, size, size, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * size + (0, -18, 10)
    header = nibabel.Nifti1Header()
    header.set_data_shape((*shape, n_frames))
    header.set_data_dtype(np.int16)
    header.set_sform(affine, 4)
    header["magic"], header["vox_offset"] = header.single_magic, header.single_vox_offset
    rng = np.random.default_rng(0)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.binaryblock + bytes(4))
        for _ in range(n_frames):
            frame = still + (still > 0) * (noise * rng.standard_normal(shape, dtype="f4"))
            file.write(frame.astype(np.int16).tobytes(order="F"))
    return still > 0
