"""A real resting run: the published seed sets give nilearn's signals."""

import nibabel
import numpy as np
import pytest
from made_images import RESOURCES, nilearn_signals, read_seed_table

from sphereconn.extract.images import read_header
from sphereconn.extract.signals import extract_sphere_signals

BOLD = RESOURCES / "rest_bold" / "sub-001_task-rest_space-MNI152_res-4_bold.nii.gz"
MASK = RESOURCES / "rest_bold" / "sub-001_space-MNI152_res-4_desc-brain_mask.nii.gz"


def extract(table, radius=None, **settings):
    seeds, radii = read_seed_table(table)
    radii = np.full(len(seeds), float(radius)) if radius is not None else radii
    names = [str(number) for number in range(1, len(seeds) + 1)]
    return seeds, radii, extract_sphere_signals(BOLD, names, seeds, radii, **settings)


def test_the_header_says_what_the_sidecar_says():
    header = read_header(BOLD)
    assert (header.shape, header.n_frames, header.dtype) == ((50, 59, 50), 20, np.dtype("i2"))
    assert header.repetition_time in (None, 2.52)


@pytest.mark.parametrize(("table", "radius"), [("power264.tsv", 5.0), ("dosenbach160.tsv", 4.5)])
def test_the_spheres_of_the_seed_example_are_nilearns_but_where_they_reach_voxels_without_data(table, radius):
    seeds, _, spheres = extract(table, radius, smoothing_fwhm=6.0, min_coverage=0.0)
    assert set(spheres.problem) == {""}
    bold = nibabel.load(BOLD)  # masked: 0 outside the brain
    voxels = bold.get_fdata()
    with_data = np.concatenate([voxels, voxels.any(axis=3, keepdims=True)], axis=3)  # as one frame more
    averaged = nilearn_signals(nibabel.Nifti1Image(with_data, bold.affine), seeds, radius, smoothing_fwhm=6.0)
    with_zeros, weights = averaged[:-1], averaged[-1:]
    np.testing.assert_allclose(spheres.signals, with_zeros / weights, rtol=1e-10)
    # Without all of its weights, a smoothed sphere of nilearn's is darker, by up to a tenth here.
    assert weights.min() < 0.95 if table == "power264.tsv" else np.allclose(weights, 1)


def test_one_radius_per_seed_gives_what_nilearn_gives_radius_by_radius():
    seeds, radii, spheres = extract("seitzman300.tsv", overlap="allow", min_coverage=0.0)
    assert len(np.unique(radii)) > 1
    for radius in np.unique(radii):
        here = (radii == radius) & (spheres.coverage == 1)
        np.testing.assert_allclose(spheres.signals[:, here], nilearn_signals(BOLD, seeds[here], radius), rtol=1e-10)


def test_the_brain_mask_leaves_what_nilearn_averages_and_says_how_much():
    seeds, _, spheres = extract("power264.tsv", 5.0, mask=MASK)
    used = np.array(spheres.problem) == ""
    expected = nilearn_signals(BOLD, seeds[used], 5.0, mask=MASK)
    np.testing.assert_allclose(spheres.signals[:, used], expected, rtol=1e-10)
    assert (spheres.coverage[used] >= 0.5).all() and (spheres.coverage[~used] < 0.5).all()
    assert (spheres.coverage < 1).any()
