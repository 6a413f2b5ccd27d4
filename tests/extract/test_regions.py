"""The point that stands for a region of an atlas: its centre of mass, or the region's voxel nearest to it."""

import nibabel
import numpy as np
import pytest
from extract.made_images import random_affine, save, scaled_affine
from nilearn.plotting import find_parcellation_cut_coords

from sphereconn.errors import InputError
from sphereconn.extract.regions import read_regions

SHAPE = (20, 24, 22)


def to_mm(affine, voxel):
    return affine[:3, :3] @ np.asarray(voxel, dtype=float) + affine[:3, 3]


def regions_of(tmp_path, data, affine, **options):
    return read_regions(save(tmp_path / "atlas.nii.gz", data, affine, **options))


def boxes(shape=SHAPE):
    """Three boxes that touch neither each other nor the border, and the middle of each."""
    data = np.zeros(shape, dtype=np.int16)
    data[2:6, 3:4, 5:10] = 7
    data[10:15, 12:20, 3:5] = 2
    data[17, 2, 20] = 300
    return data, {2: (12, 15.5, 3.5), 7: (3.5, 3, 7), 300: (17, 2, 20)}


@pytest.mark.parametrize("seed", range(6))
def test_the_centre_of_a_box_is_its_middle_however_the_image_lies(tmp_path, seed):
    rng = np.random.default_rng(seed)
    data, middles = boxes()
    affine = random_affine(rng, SHAPE, oblique=seed % 2 == 0)
    regions = regions_of(tmp_path, data, affine)
    assert regions.numbers.tolist() == [2, 7, 300]
    assert regions.n_voxels.tolist() == [80, 20, 1]
    assert regions.n_pieces.tolist() == [1, 1, 1]
    assert regions.moved.tolist() == [0, 0, 0]
    stored = nibabel.load(tmp_path / "atlas.nii.gz").affine  # the header keeps single precision
    expected = [to_mm(stored, middles[number]) for number in (2, 7, 300)]
    np.testing.assert_allclose(regions.centres, expected, rtol=0, atol=1e-9)  # mm; coordinates are of order 100


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "u1"},
        {"dtype": "f4"},
        {"dtype": "f8"},
        {"dtype": "i4", "order": ">"},
        {"dtype": "i2", "image_class": nibabel.Nifti2Image},
    ],
)
def test_the_type_of_the_numbers_does_not_matter(tmp_path, options):
    data = np.minimum(boxes()[0], 200)
    affine = scaled_affine((2, 2, 2), (-20, -20, -20))
    expected = regions_of(tmp_path, data, affine)
    regions = regions_of(tmp_path, data, affine, **options)
    np.testing.assert_array_equal(regions.numbers, expected.numbers)
    np.testing.assert_array_equal(regions.centres, expected.centres)


def test_scaled_numbers_are_scaled(tmp_path):
    data, _ = boxes()
    assert regions_of(tmp_path, data, np.eye(4), scale=(3.0, 0.0)).numbers.tolist() == [6, 21, 900]


def test_a_fourth_axis_of_one_is_fine_and_of_more_is_not(tmp_path):
    data, _ = boxes()
    assert regions_of(tmp_path, data[..., None], np.eye(4)).numbers.tolist() == [2, 7, 300]
    with pytest.raises(InputError, match=r"atlas\.nii\.gz: a 3D image is needed, this one has 2 frames\."):
        regions_of(tmp_path, np.stack([data, data], axis=-1), np.eye(4))


@pytest.mark.parametrize("oblique", [False, True])
def test_a_centre_outside_of_its_region_moves_to_the_nearest_voxel_of_it(tmp_path, oblique):
    data = np.zeros(SHAPE, dtype=np.int16)
    data[4:15, 5:14, 8] = 1
    data[6:13, 5:12, 8] = 0  # open on one side, like a U
    affine = random_affine(np.random.default_rng(3), SHAPE, oblique)
    regions = regions_of(tmp_path, data, affine)
    stored = nibabel.load(tmp_path / "atlas.nii.gz").affine
    voxels = np.argwhere(data)
    mass = to_mm(stored, voxels.mean(axis=0))
    distances = np.linalg.norm(voxels @ stored[:3, :3].T + stored[:3, 3] - mass, axis=1)
    np.testing.assert_allclose(regions.moved, [distances.min()], atol=1e-9)
    assert regions.moved[0] > 1
    centre = np.linalg.inv(stored) @ [*regions.centres[0], 1]
    assert data[tuple(np.rint(centre[:3]).astype(int))] == 1
    np.testing.assert_allclose(np.linalg.norm(regions.centres[0] - mass), distances.min(), atol=1e-9)


@pytest.mark.parametrize("flip", [1, -1])
def test_of_two_voxels_as_near_the_left_one_is_taken_however_the_image_is_stored(tmp_path, flip):
    data = np.zeros((9, 5, 5), dtype=np.int16)
    data[[0, 1, 7, 8], 2, 2] = 4  # the centre of mass is midway between
    regions = regions_of(tmp_path, data, scaled_affine((flip * 2, 2, 2), (-flip * 8, -4, -4)))
    np.testing.assert_allclose(regions.centres, [[-6, 0, 0]], atol=1e-9)
    np.testing.assert_allclose(regions.moved, [6], atol=1e-9)


def test_a_centre_on_the_border_of_two_voxels_of_the_region_lies_in_it(tmp_path):
    data = np.zeros((6, 6, 6), dtype=np.int16)
    data[2, 3, 3] = data[3, 2, 3] = 1  # two voxels that share an edge, on which the centre lies
    regions = regions_of(tmp_path, data, np.eye(4))
    assert regions.moved.tolist() == [0]
    assert regions.n_pieces.tolist() == [1]
    np.testing.assert_allclose(regions.centres, [[2.5, 2.5, 3]])


@pytest.mark.parametrize(("second", "pieces"), [((3, 3, 3), 1), ((3, 3, 2), 1), ((3, 2, 2), 1), ((4, 2, 2), 2)])
def test_pieces_touch_by_a_face_an_edge_or_a_corner(tmp_path, second, pieces):
    data = np.zeros((7, 7, 7), dtype=np.int16)
    data[2, 2, 2] = data[second] = 1
    assert regions_of(tmp_path, data, np.eye(4)).n_pieces.tolist() == [pieces]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.37, "0.37"), (-1.0, "-1"), (np.nan, "nan"), (np.inf, "inf"), (3e10, "3e+10")]
)
def test_a_value_that_is_no_region_is_named_with_its_voxel(tmp_path, value, shown):
    data = boxes()[0].astype(np.float64)
    data[3, 4, 5] = value
    with pytest.raises(InputError) as caught:
        regions_of(tmp_path, data, np.eye(4))
    assert f"the voxel (3, 4, 5) holds {shown}." in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "atlas.nii.gz"))


def test_an_empty_atlas_is_named(tmp_path):
    with pytest.raises(InputError, match="the atlas has no region, every voxel is 0"):
        regions_of(tmp_path, np.zeros(SHAPE, dtype=np.int16), np.eye(4))


def test_many_regions_agree_with_the_mean_of_their_voxels(tmp_path):
    rng = np.random.default_rng(1)
    data = rng.integers(0, 150, size=SHAPE).astype(np.int32)  # scattered: in many pieces, centres often outside
    affine = scaled_affine((3, 2, 2.5), (-30, -24, -27))
    regions = regions_of(tmp_path, data, affine)
    assert regions.numbers.tolist() == list(range(1, 150))
    for number, centre, moved in zip(regions.numbers, regions.centres, regions.moved, strict=True):
        mm = np.argwhere(data == number) @ affine[:3, :3].T + affine[:3, 3]
        mass = mm.mean(axis=0)
        if moved:
            assert np.isclose(np.linalg.norm(mm - mass, axis=1).min(), moved, rtol=0, atol=1e-9)
            assert np.isclose(mm, centre, rtol=0, atol=1e-9).all(axis=1).any()
        else:
            np.testing.assert_allclose(centre, mass, rtol=0, atol=1e-9)
    assert 0 < (regions.moved > 0).sum() < 149


# --- nilearn


def test_solid_regions_of_one_side_agree_with_nilearn(tmp_path):
    affine = scaled_affine((3, 3, 3), (-30, -36, -33))  # x = 0 at voxel 10
    data = np.zeros(SHAPE, dtype=np.int16)
    data[2:6, 3:4, 5:10] = 7
    data[12:15, 12:20, 3:5] = 2
    data[17, 2, 20] = 5
    regions = regions_of(tmp_path, data, affine)
    centres, numbers = find_parcellation_cut_coords(tmp_path / "atlas.nii.gz", return_label_names=True)
    assert [int(number) for number in numbers] == regions.numbers.tolist()
    np.testing.assert_allclose(regions.centres, centres, rtol=0, atol=1e-9)


def test_a_region_across_the_middle_is_whole_here_and_halved_by_nilearn(tmp_path):
    data = np.zeros(SHAPE, dtype=np.int16)
    data[7:14, 10, 10] = 1  # from x = -9 to 9
    regions = regions_of(tmp_path, data, scaled_affine((3, 3, 3), (-30, -36, -33)))
    nilearns = find_parcellation_cut_coords(tmp_path / "atlas.nii.gz")
    np.testing.assert_allclose(regions.centres, [[0, -6, -3]], atol=1e-9)
    np.testing.assert_allclose(nilearns, [[-6, -6, -3]], atol=1e-9)  # the middle of its left part


def test_the_centre_of_a_hollow_region_is_in_it_here_and_in_the_hollow_by_nilearn(tmp_path):
    data = np.zeros(SHAPE, dtype=np.int16)
    data[12:19, 5:12, 8] = 1
    data[13:18, 6:11, 8] = 0
    affine = scaled_affine((3, 3, 3), (-30, -36, -33))
    regions = regions_of(tmp_path, data, affine)
    for centre, expected in ((regions.centres[0], 1), (find_parcellation_cut_coords(tmp_path / "atlas.nii.gz")[0], 0)):
        voxel = np.rint(np.linalg.inv(affine) @ [*centre, 1])[:3].astype(int)
        assert data[tuple(voxel)] == expected
