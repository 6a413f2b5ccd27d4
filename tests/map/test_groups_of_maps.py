"""Means of maps over subjects, files on the grid of the image, and grids that differ."""

import nibabel
import numpy as np
import pytest
from scipy import stats

from sphereconn.aggregate.moments import running_moments
from sphereconn.aggregate.subjects import SUMMED
from sphereconn.errors import InputError
from sphereconn.extract.images import read_header
from sphereconn.map.contrast import left_out_before, members_of
from sphereconn.map.files import check_same_grid, read_map, write_map
from sphereconn.map.group import of_subjects, one_sample_t

AFFINE = np.array([[-2.0, 0.3, 0, 5], [0.2, 2.5, 0, -7], [0, 0, 3, 1], [0, 0, 0, 1]])


def test_each_subject_counts_once_with_the_runs_that_have_the_voxel():
    maps = [np.array([1.0, np.nan, 4.0]), np.array([3.0, 2.0, np.nan]), np.array([5.0, np.nan, np.nan])]
    means = list(of_subjects(["a", "a", "b"], maps))
    np.testing.assert_array_equal(means, [[2.0, 2.0, 4.0], [5.0, np.nan, np.nan]])
    with pytest.raises(ValueError, match="do not follow"):
        list(of_subjects(["a", "b", "a"], maps))


def test_t_equals_that_of_scipy_over_the_subjects_that_have_the_voxel():
    rng = np.random.default_rng(0)
    maps = rng.normal(0.3, 1, size=(9, 50))
    maps[rng.random(maps.shape) < 0.3] = np.nan
    maps[:, 0] = np.nan
    moments = running_moments(maps, 50)
    expected = [stats.ttest_1samp(values[np.isfinite(values)], 0).statistic for values in maps.T[1:]]
    np.testing.assert_allclose(one_sample_t(moments)[1:], expected, rtol=1e-10)
    assert np.isnan(one_sample_t(moments)[0]) and moments.n_runs[0] == 0


def test_a_map_is_written_on_the_grid_of_its_image_and_twice_the_same(tmp_path):
    image = nibabel.Nifti1Image(np.ones((4, 5, 6, 2), dtype=np.int16), AFFINE)
    nibabel.save(image, tmp_path / "bold.nii.gz")
    header = read_header(tmp_path / "bold.nii.gz")
    values = np.random.default_rng(1).normal(size=120)
    values[7] = np.nan
    for name in ("one.nii.gz", "two.nii.gz"):
        write_map(tmp_path / name, values, header)
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()
    written = nibabel.load(tmp_path / "one.nii.gz")
    assert written.shape == (4, 5, 6) and written.get_data_dtype() == np.float32
    np.testing.assert_allclose(written.affine, image.affine, atol=1e-6)
    np.testing.assert_array_equal(written.get_fdata().ravel(order="F"), values.astype(np.float32))
    grid, again = read_map(tmp_path / "one.nii.gz")
    assert grid.shape == (4, 5, 6)
    np.testing.assert_array_equal(again, values.astype(np.float32))


def test_runs_on_another_grid_are_named(tmp_path):
    headers = {}
    for name, shape in (("sub-01", (4, 5, 6)), ("sub-02", (4, 5, 6)), ("sub-03", (4, 5, 7))):
        nibabel.save(nibabel.Nifti1Image(np.ones((*shape, 2), dtype=np.int16), AFFINE), tmp_path / f"{name}.nii")
        headers[name] = read_header(tmp_path / f"{name}.nii")
    check_same_grid({name: headers[name] for name in ("sub-01", "sub-02")})
    with pytest.raises(InputError, match=r"another grid than that of sub-01: sub-03;"):
        check_same_grid(headers)


def test_members_of_a_contrast_are_tested_or_left_out_with_the_reason():
    rows = [{"name": "sub-01_run-all", "age": "20"}, {"name": "sub-02_run-all", "age": "30"}]
    runs = [["sub-01_run-1", "sub-01_run-2"], ["sub-02_run-1"]]
    kept = dict.fromkeys((*SUMMED, "MeanFramewiseDisplacement"), 100) | {
        "DegreesOfFreedom": 50.0,
        "EffectiveDegreesOfFreedom": 40.0,
    }
    sidecars = [kept | {"LeftOut": "Too short."}, kept, {"LeftOut": "Too short."}]
    (member,) = members_of(rows, runs, ["1", "2", "3"], sidecars)
    assert (member.row["name"], member.maps) == ("sub-01_run-all", ("2",))
    (left_out,) = left_out_before(rows, runs, sidecars)
    assert left_out["Run"] == rows[1] and "sub-02_run-1: Too short." in left_out["Reason"]
