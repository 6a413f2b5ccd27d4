"""Masks on any grid, brought to the grid of the image as nilearn brings them."""

import warnings

import nibabel
import numpy as np
import pytest
from made_images import random_affine, save, scaled_affine
from nilearn.image import resample_img

from sphereconn.errors import InputError
from sphereconn.extract.images import read_mask

SHAPE = (14, 12, 15)


def by_nilearn(mask, mask_affine, affine):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = nibabel.Nifti1Image(mask.astype("u1"), mask_affine)
        resampled = resample_img(image, target_affine=affine, target_shape=SHAPE, interpolation="nearest")
    return resampled.get_fdata() != 0


STRAIGHT = (  # voxel sizes of the mask, of the image, and how far their first voxels are apart: all full of exact ties
    ("coarser", (6, 6, 6), (3, 3, 3), (1, -3, 2)),
    ("finer", (2, 2, 2), (3, 3, 3), (0, 3, -4)),
    ("anisotropic", (2, 4, 3), (3, 3, 2.4), (1, 1, 4)),
    ("not exact in binary", (4.8, 4.8, 4.8), (2.4, 2.4, 2.4), (2.4, 1.2, 0)),
    ("shifted by voxels", (3, 3, 3), (3, 3, 3), (3, -6, 0)),
    ("shifted by halves", (3, 3, 3), (3, 3, 3), (-1.5, -4.5, 0)),
    ("flipped", (-3, 3, 3), (3, 3, 3), (-33, 0, 0)),
)


def grids():
    """Pairs of a mask's affine and an image's affine."""
    rng = np.random.default_rng(5)
    for kind, mask_sizes, sizes, apart in STRAIGHT:
        for origin in rng.integers(-20, 20, (3, 3)):
            yield kind, scaled_affine(mask_sizes, origin), scaled_affine(sizes, origin + np.array(apart))
    for _ in range(4):
        yield "oblique mask", random_affine(rng, (11, 13, 9)), random_affine(rng, SHAPE, oblique=False)
        yield "oblique image", random_affine(rng, (11, 13, 9), oblique=False), random_affine(rng, SHAPE)
        yield "both oblique", random_affine(rng, (11, 13, 9)), random_affine(rng, SHAPE)


@pytest.mark.parametrize(("kind", "mask_affine", "affine"), [pytest.param(*grid, id=grid[0]) for grid in grids()])
def test_a_mask_on_another_grid_is_resampled_as_nilearn_does(tmp_path, kind, mask_affine, affine):
    mask = np.random.default_rng(3).random((11, 13, 9)) < 0.7
    # What a file keeps of the affine is its single precision; nilearn is to see the same.
    mask_affine = mask_affine.astype(np.float32).astype(np.float64)
    path = save(tmp_path / "mask.nii.gz", mask.astype("u1"), mask_affine)
    resampled = read_mask(path, SHAPE, affine)
    assert resampled.shape == SHAPE and resampled.dtype == bool
    np.testing.assert_array_equal(resampled, by_nilearn(mask, mask_affine, affine))


def test_a_mask_on_the_grid_of_the_image_is_taken_as_it_is(tmp_path):
    mask = np.random.default_rng(3).random(SHAPE) < 0.5
    affine = random_affine(np.random.default_rng(4), SHAPE).astype(np.float32).astype(np.float64)
    path = save(tmp_path / "mask.nii", mask.astype("f4"), affine)
    np.testing.assert_array_equal(read_mask(path, SHAPE, affine), mask)
    np.testing.assert_array_equal(read_mask(path, SHAPE, affine * (1 + 1e-7)), mask)  # another rounding, no other grid


def test_inside_is_what_is_finite_and_not_zero(tmp_path):
    values = np.array([0, 1, 2, -1, 0.3, np.nan, np.inf, -np.inf], dtype="f4").reshape(2, 2, 2)
    path = save(tmp_path / "mask.nii", values, np.eye(4))
    expected = np.isin(values, np.array([1, 2, -1, 0.3], dtype="f4"))
    np.testing.assert_array_equal(read_mask(path, (2, 2, 2), np.eye(4)), expected)


def test_scaling_decides_what_zero_is(tmp_path):
    stored = np.arange(8, dtype="i2").reshape(2, 2, 2)
    path = save(tmp_path / "mask.nii", stored, np.eye(4), scale=(2.0, -6.0))
    np.testing.assert_array_equal(read_mask(path, (2, 2, 2), np.eye(4)), stored != 3)


def test_a_fourth_axis_of_length_1_is_allowed(tmp_path):
    path = save(tmp_path / "mask.nii", np.ones((2, 2, 2, 1), dtype="u1"), np.eye(4))
    assert read_mask(path, (2, 2, 2), np.eye(4)).all()


def test_masks_that_say_nothing_are_refused(tmp_path):
    for data, reason in (
        (np.zeros((3, 3, 3), dtype="u1"), "empty"),
        (np.full((3, 3, 3), np.nan, dtype="f4"), "empty"),
        (np.ones((3, 3, 3, 2), dtype="u1"), "one frame, this image has 2"),
    ):
        path = save(tmp_path / "mask.nii", data, np.eye(4))
        with pytest.raises(InputError, match=reason):
            read_mask(path, (3, 3, 3), np.eye(4))
    path = save(tmp_path / "mask.nii", np.ones((3, 3, 3), dtype="u1"), scaled_affine((1, 1, 1), (50, 0, 0)))
    with pytest.raises(InputError, match="are both in the same space"):
        read_mask(path, (3, 3, 3), np.eye(4))
