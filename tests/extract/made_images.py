"""Images made for the tests, and nilearn's answer for them."""

import warnings
from pathlib import Path

import nibabel
import numpy as np
from nilearn.maskers import NiftiSpheresMasker
from scipy.spatial.transform import Rotation

RESOURCES = Path(__file__).resolve().parents[2] / "resources"


def scaled_affine(sizes, origin=(0.0, 0.0, 0.0)):
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = origin
    return affine


def random_affine(rng, shape, oblique=True):
    """Voxels of 1.5 to 4 mm, turned if ``oblique``, flipped at random; mm 0 is near the middle of the grid."""
    affine = np.eye(4)
    turn = Rotation.random(random_state=int(rng.integers(1 << 30))).as_matrix() if oblique else np.eye(3)
    affine[:3, :3] = turn * (rng.uniform(1.5, 4.0, 3) * rng.choice([-1, 1], 3))
    affine[:3, 3] = rng.uniform(-3, 3, 3) - affine[:3, :3] @ (np.array(shape) - 1) / 2
    return affine


def random_seeds(rng, shape, affine, n_seeds, beyond=0.0):
    """Seeds all over the grid and up to ``beyond`` voxels outside of it."""
    indices = rng.uniform(-beyond, np.array(shape) - 1 + beyond, (n_seeds, 3))
    return indices @ affine[:3, :3].T + affine[:3, 3]


def save(path, data, affine, *, dtype=None, scale=None, image_class=nibabel.Nifti1Image, order="<", seconds=2.0):
    """Write an image as it is, without the scaling that nibabel would choose; ``scale`` is (slope, intercept)."""
    data = np.asarray(data)
    dtype = np.dtype(dtype or data.dtype).newbyteorder(order)
    header = image_class.header_class(endianness=order)
    header.set_data_shape(data.shape)
    header.set_data_dtype(dtype)
    header.set_sform(affine, 1)
    header.set_xyzt_units("mm", "sec")
    if data.ndim == 4:
        header.set_zooms((*header.get_zooms()[:3], seconds))
    header["magic"] = header.single_magic
    header["vox_offset"] = header.single_vox_offset
    if scale is not None:
        header["scl_slope"], header["scl_inter"] = scale
    content = header.binaryblock + bytes(4) + data.astype(dtype).tobytes(order="F")
    with nibabel.openers.Opener(str(path), "wb") as file:
        file.write(content)
    return path


def nilearn_signals(image, seeds, radius, *, mask=None, smoothing_fwhm=None, dtype="float64"):
    """Mean signals by nilearn, without cleaning; in float64 unless told otherwise."""
    masker = NiftiSpheresMasker(
        [tuple(seed) for seed in np.asarray(seeds).tolist()],
        radius=radius,
        mask_img=None if mask is None else str(mask),
        smoothing_fwhm=smoothing_fwhm or None,
        allow_overlap=True,
        standardize=False,
        dtype=dtype,
        reports=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(masker.fit_transform(str(image) if isinstance(image, Path) else image))


def nilearn_signals_within(image, counted, seeds, radius, *, smoothing_fwhm=None):
    """Mean signals of the voxels that count, by nilearn: those of the image set to 0 elsewhere, over those of 1 and 0.

    Both are smoothed, so that what smoothing loses to voxels that do not count is made up for.
    """
    image = nibabel.load(image)
    weights = np.asarray(counted, dtype=np.float64)
    data = np.where(counted[..., None], np.asanyarray(image.dataobj, dtype=np.float64), 0.0)
    sums, of_weights = (
        nilearn_signals(nibabel.Nifti1Image(values, image.affine), seeds, radius, smoothing_fwhm=smoothing_fwhm)
        for values in (data, weights[..., None])
    )
    return sums / of_weights


def read_seed_table(name):
    """Coordinates, and radii where the table has them, of a shipped seed table."""
    lines = [line.split("\t") for line in (RESOURCES / "coordinates" / name).read_text().splitlines()]
    columns = {column: [line[place] for line in lines[1:]] for place, column in enumerate(lines[0])}
    coordinates = np.column_stack([np.array(columns[axis], dtype=float) for axis in "xyz"])
    return coordinates, np.array(columns["radius"], dtype=float) if "radius" in columns else None
