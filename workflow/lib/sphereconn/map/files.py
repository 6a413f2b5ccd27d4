"""Maps as NIfTI files."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError
from sphereconn.extract.images import ImageHeader, iter_frames, read_volume_header
from sphereconn.files import written_whole


def write_map(path: str | Path, values: NDArray[np.float64], image: ImageHeader) -> None:
    """Write a map on the grid of an image, as float32; the same map gives the same bytes.

    Parameters
    ----------
    path
        A .nii.gz file.
    values
        Shape (n_voxels,), the first axis of the image varies fastest; NaN where there is no value.
    image
        Where shape and affine come from.
    """
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape(image.shape)
    header.set_xyzt_units("mm")
    # 4: the space of a template, as most derivatives are in; the file name says which.
    header.set_sform(image.affine, code=4)
    header.set_qform(image.affine, code=4, strip_shears=True)
    volume = values.reshape(image.shape, order="F").astype(np.float32)
    content = nibabel.Nifti1Image(volume, None, header).to_bytes()
    with written_whole(path) as temporary:
        temporary.write_bytes(gzip.compress(content, compresslevel=6, mtime=0))


def read_map(path: str | Path) -> tuple[ImageHeader, NDArray[np.float64]]:
    """Return the grid of a map and its values, shape (n_voxels,).

    Raises
    ------
    InputError
        When the file is no 3D NIfTI image.
    """
    header = read_volume_header(path)
    for frame in iter_frames(header):
        values = header.slope * frame.astype(np.float64) + header.intercept
    return header, values


def check_same_grid(images: dict[str, ImageHeader]) -> None:
    """Raise ``InputError`` that names the maps of which the grid is not that of the first.

    Parameters
    ----------
    images
        Grid of each run, by the name of the run.
    """
    first_name, first = next(iter(images.items()))
    others = [
        name
        for name, image in images.items()
        if image.shape != first.shape or not np.allclose(image.affine, first.affine, atol=1e-3)
    ]
    if others:
        named = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
        raise InputError(
            f"maps: the images of these runs have another grid than that of {first_name}: {named}; a map of a group"
            " needs runs on one grid (choose one `space` and `resolution`, or leave these runs out)."
        )
