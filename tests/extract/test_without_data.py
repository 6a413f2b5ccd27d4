"""Voxels that do not count, outside of a mask or without data, and frames without data: nothing of them is used."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_images import nilearn_signals, nilearn_signals_within, random_seeds, save, scaled_affine

from sphereconn.errors import InputError
from sphereconn.extract.signals import extract_sphere_signals

SHAPE = (12, 12, 10)
AFFINE = scaled_affine((3, 3, 3), (-18, -18, -15))  # the voxel of mm (0, 0, 0) is (6, 6, 5)
CENTRE = (0.0, 0.0, 0.0)


def made(seed=0, n_frames=40):
    return np.random.default_rng(seed).normal(500, 10, (*SHAPE, n_frames))


def extract(path, seeds, radius, **wanted):
    seeds = np.atleast_2d(np.asarray(seeds, dtype=float))
    names = [f"seed{number}" for number in range(1, len(seeds) + 1)]
    wanted = {"overlap": "allow", "min_coverage": 0.0} | wanted
    return extract_sphere_signals(path, names, seeds, np.full(len(seeds), float(radius)), **wanted)


def correlation(signals):
    return float(np.corrcoef(signals.T)[0, 1])


# ---- voxels


def test_nothing_from_outside_the_mask_reaches_smoothed_spheres_as_it_does_in_nilearn(tmp_path):
    """Two nodes 3 mm inside of the edge; outside of it an artefact of 5 % of the signal that they would share."""
    rng = np.random.default_rng(0)
    data = rng.normal(1000, 10, (20, 12, 12, 400))
    data[:, 8:] += rng.normal(0, 50, 400)
    inside = np.zeros((20, 12, 12), dtype="u1")
    inside[2:18, :8] = 1
    affine, seeds = scaled_affine((3, 3, 3)), [(12, 18, 18), (45, 18, 18)]
    path, mask = save(tmp_path / "bold.nii", data, affine), save(tmp_path / "mask.nii", inside, affine)
    assert correlation(nilearn_signals(path, seeds, 5.0, mask=mask, smoothing_fwhm=6.0)) > 0.9
    # The correlation of independent signals of 400 frames has the standard deviation 0.05.
    assert abs(correlation(extract(path, seeds, 5.0, mask=mask, smoothing_fwhm=6.0).signals)) < 0.15


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from([0.0, 6.0, 25.0]), st.sampled_from(["allow", "nearest"]), st.floats(0, 0.95)
)
@example(0, 6.0, "allow", 1.0)
def test_voxels_without_data_are_treated_as_those_outside_a_mask_and_both_as_absent(random, fwhm, overlap, share):
    """Zeros, NaN and a mask that excludes anything whatever give the same numbers: nilearn's, without the voxels."""
    rng = np.random.default_rng(random)
    data, seeds = made(random, n_frames=5), random_seeds(rng, SHAPE, AFFINE, 8, beyond=1)
    counts = rng.random(SHAPE) >= share
    counts[6, 6, 5] = True
    seeds[0] = CENTRE
    zeros, nan, anything = data.copy(), data.copy(), data.copy()
    zeros[~counts] = 0
    nan[~counts] = np.nan
    anything[~counts] = rng.normal(0, 1e6, data[~counts].shape)
    with tempfile.TemporaryDirectory() as folder:
        mask = save(Path(folder) / "mask.nii", counts.astype("u1"), AFFINE)
        results = [
            extract(
                save(Path(folder) / name, values, AFFINE),
                seeds,
                6.0,
                smoothing_fwhm=fwhm,
                overlap=overlap,
                mask=mask if masked else None,
            )
            for name, values, masked in (
                ("anything.nii", anything, True),
                ("zeros.nii", zeros, False),
                ("nan.nii", nan, False),
                ("both.nii", zeros, True),
            )
        ]
        if overlap == "allow":
            there = results[0].n_voxels > 0
            expected = nilearn_signals_within(
                Path(folder) / "zeros.nii", counts, seeds[there], 6.0, smoothing_fwhm=fwhm
            )
            np.testing.assert_allclose(results[0].signals[:, there], expected, rtol=1e-10)
    for other in results[1:]:
        # Rounding alone: voxels of weight 0 are in some of the sums and not in others.
        np.testing.assert_allclose(other.signals, results[0].signals, rtol=1e-12)
        np.testing.assert_array_equal(other.n_voxels, results[0].n_voxels)
        np.testing.assert_array_equal(other.coverage, results[0].coverage)
        assert other.frames_without_data == []


def test_three_voxels_with_data_of_33_are_a_coverage_of_3_in_33(tmp_path):
    data = made()
    distance = np.linalg.norm(np.moveaxis(np.indices(SHAPE), 0, -1) - (6, 6, 5), axis=-1) * 3
    sphere = np.argwhere(distance <= 6)
    data[tuple(sphere[3:].T)] = 0
    path = save(tmp_path / "bold.nii", data, AFFINE)
    mask = save(tmp_path / "mask.nii", np.ones(SHAPE, dtype="u1"), AFFINE)
    for wanted in ({}, {"mask": mask}):
        spheres = extract(path, CENTRE, 6.0, **wanted)
        assert (spheres.n_voxels.tolist(), spheres.coverage.tolist()) == ([3], [3 / 33])
        np.testing.assert_allclose(spheres.signals[:, 0], data[tuple(sphere[:3].T)].mean(axis=0), rtol=1e-13)
        with pytest.raises(InputError, match="coverage is too low"):
            extract(path, CENTRE, 6.0, min_coverage=0.5, **wanted)


def test_smoothing_does_not_lend_a_signal_to_a_sphere_without_a_voxel_that_counts(tmp_path):
    data = made()
    data[5:8, 5:8, 4:7] = 0
    path = save(tmp_path / "bold.nii", data, AFFINE)
    spheres = extract(path, [CENTRE, (12, 12, 9)], 3.0, smoothing_fwhm=9.0)
    assert spheres.problem == ["no voxel has data (each is 0 in all frames, or not finite)", ""]
    assert np.isnan(spheres.signals[:, 0]).all() and spheres.coverage.tolist() == [0, 1]


@pytest.mark.parametrize("fwhm", [0.0, 25.0])
@pytest.mark.parametrize("thin", [np.s_[:, 6, :], np.s_[6, 6, 5]], ids=["one sheet", "one voxel"])
def test_a_mask_thinner_than_the_smoothing_is_wide_keeps_it_inside(tmp_path, thin, fwhm):
    inside = np.zeros(SHAPE, dtype="u1")
    inside[thin] = 1
    mask = save(tmp_path / "mask.nii", inside, AFFINE)
    path = save(tmp_path / "bold.nii", made(), AFFINE)
    spheres = extract(path, [CENTRE, (0, 15, 0)], 6.0, mask=mask, smoothing_fwhm=fwhm)
    expected = nilearn_signals_within(path, inside > 0, [CENTRE], 6.0, smoothing_fwhm=fwhm)
    np.testing.assert_allclose(spheres.signals[:, :1], expected, rtol=1e-10)
    assert spheres.problem == ["", "outside the mask"]


@pytest.mark.parametrize(("dtype", "scale"), [("i2", (0.5, 40.0)), ("i2", (0.3, 100.0)), ("f4", (2.0, -30.0))])
def test_zero_is_what_scaling_makes_zero_or_nearest_to_it(tmp_path, dtype, scale):
    stored = np.random.default_rng(0).integers(400, 600, (*SHAPE, 20)).astype(dtype)
    slope, intercept = scale
    zero = np.rint(-intercept / slope) if dtype == "i2" else -intercept / slope
    stored[6:] = zero
    path = save(tmp_path / "bold.nii", stored, AFFINE, scale=scale)
    spheres = extract(path, CENTRE, 6.0, smoothing_fwhm=6.0)
    inside = save(tmp_path / "mask.nii", (np.arange(SHAPE[0]) < 6)[:, None, None] * np.ones(SHAPE, "u1"), AFFINE)
    within = extract(path, CENTRE, 6.0, smoothing_fwhm=6.0, mask=inside)
    assert spheres.n_voxels.tolist() == within.n_voxels.tolist() == [10]
    np.testing.assert_allclose(spheres.signals, within.signals, rtol=1e-12)


def test_an_image_whose_type_stores_no_zero_has_data_everywhere(tmp_path):
    stored = np.random.default_rng(0).integers(0, 2, (*SHAPE, 9)).astype("u1")
    path = save(tmp_path / "bold.nii", stored, AFFINE, scale=(1.0, 1000.0))
    spheres = extract(path, CENTRE, 3.0)
    assert spheres.coverage.tolist() == [1] and abs(spheres.signals - 1000.5).max() <= 0.5


# ---- frames


@pytest.mark.parametrize("value", [0.0, np.nan, "most are NaN"])
@pytest.mark.parametrize(
    "frames", [[0, 1], [37, 38, 39], [17], [5, 6, 20, 31]], ids=["start", "end", "middle", "several"]
)
@pytest.mark.parametrize("mean", [500, 0])
@pytest.mark.parametrize("fwhm", [0.0, 6.0])
def test_frames_without_data_are_named_and_change_nothing_else(tmp_path, value, frames, mean, fwhm):
    data = made() - 500 + mean
    data[:, :, 8:] = 0  # some voxels have no data in any frame
    spoilt = data.copy()
    if value == "most are NaN":
        spoilt[:7, ..., frames] = np.nan
    else:
        spoilt[..., frames] = value
    seeds = [CENTRE, (-9, 3, 6)]
    whole = extract(save(tmp_path / "a.nii", data, AFFINE), seeds, 6.0, smoothing_fwhm=fwhm)
    spheres = extract(save(tmp_path / "b.nii", spoilt, AFFINE), seeds, 6.0, smoothing_fwhm=fwhm)
    assert spheres.frames_without_data == frames and whole.frames_without_data == []
    kept = np.setdiff1d(np.arange(40), frames)
    np.testing.assert_allclose(spheres.signals[kept], whole.signals[kept], rtol=1e-12)
    assert np.isnan(spheres.signals[frames]).all()
    np.testing.assert_array_equal(spheres.coverage, whole.coverage)
    expected = whole.signals[kept].mean(axis=0) / whole.signals[kept].std(axis=0, ddof=1)
    np.testing.assert_allclose(spheres.temporal_snr, expected, rtol=1e-9)


def test_a_voxel_that_has_lost_a_frame_is_left_out_while_lost_frames_cost_no_voxel(tmp_path):
    data = made()
    data[..., 3] = np.nan
    data[6, 6, 5, 9] = np.nan
    spheres = extract(save(tmp_path / "bold.nii", data, AFFINE), CENTRE, 3.0)
    assert (spheres.frames_without_data, spheres.n_voxels.tolist()) == ([3], [6])


def test_a_frame_is_without_data_only_if_the_whole_image_is_zero(tmp_path):
    # Whole numbers about 0: a sphere of one voxel is 0 every now and then.
    data = np.random.default_rng(0).integers(-1, 2, (*SHAPE, 40)).astype("i2")
    spheres = extract(save(tmp_path / "bold.nii", data, AFFINE), CENTRE, 0.0)
    assert (spheres.signals == 0).any() and spheres.frames_without_data == []


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_an_image_without_any_data_is_an_error(tmp_path, value):
    path = save(tmp_path / "bold.nii", np.full((*SHAPE, 5), value), AFFINE)
    with pytest.raises(InputError, match=r"bold\.nii: no frame has data in the spheres"):
        extract(path, CENTRE, 6.0)
