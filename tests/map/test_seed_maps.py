"""Seed maps of one run equal what the definition gives, computed in plain float64 on the whole image."""

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nilearn.maskers import NiftiMasker
from scipy.ndimage import gaussian_filter

from sphereconn.clean.cleaning import clean_signals
from sphereconn.clean.operator import cleaning_operator
from sphereconn.errors import InputError
from sphereconn.extract.images import read_header
from sphereconn.map.projection import project
from sphereconn.map.seeds import unit_seeds
from sphereconn.map.voxels import percent_signal_change, seed_maps

SHAPE, TIME = (9, 8, 7), 2.0
AFFINE = np.diag([3.0, -3.0, 3.5, 1.0])


def settings_of(rng, n_frames, censored=(), **more):
    kept = np.ones(n_frames, dtype=bool)
    kept[list(censored)] = False
    confounds = rng.normal(size=(n_frames, 3))
    band = {"high_pass": 0.01, "low_pass": 0.1}
    return {"confounds": confounds, "confound_names": list("abc"), "kept": kept, **band, **more}


def mapped(path, seeds, settings, inside=None, kind="correlation", **options):
    """The maps as the workflow makes them, from raw seed signals."""
    image = read_header(path)
    projection = project(cleaning_operator(image.n_frames, TIME, **settings))
    units = unit_seeds(clean_signals(seeds, TIME, **settings).signals, kind)
    return seed_maps(image, inside, units, projection, settings["kept"], **options)


def defined(data, seeds, settings):
    """Pearson's correlation of cleaned seeds with cleaned voxels, shape (n_seeds, n_voxels)."""
    voxels = data.reshape(-1, data.shape[-1], order="F").T
    both = clean_signals(np.hstack([seeds, voxels]), TIME, **settings, standardize="none").signals
    r = np.corrcoef(both, rowvar=False)
    return r[: seeds.shape[1], seeds.shape[1] :]


def save(path, data, dtype="float32"):
    nibabel.save(nibabel.Nifti1Image(np.asarray(data, dtype=dtype), AFFINE), path)
    return path


@pytest.fixture
def run(tmp_path):
    rng = np.random.default_rng(1)
    n_frames = 90
    seeds = rng.normal(size=(n_frames, 3)).cumsum(axis=0)
    loads = rng.normal(size=(*SHAPE, 3))
    data = 1000 + 5 * (loads @ seeds.T) + rng.normal(scale=20, size=(*SHAPE, n_frames))
    path = save(tmp_path / "bold.nii.gz", data)
    return path, np.asarray(nibabel.load(path).dataobj, dtype=np.float64), seeds, rng


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"censored": [10, 11, 40]},
        {"censored": [0, 1, 2], "interpolation": "cubic_spline", "padtype": "odd"},
        {"low_pass": None},
        {"filter": "cosine", "low_pass": None, "censored": [33]},
        {"high_pass": None, "low_pass": None},
    ],
)
def test_correlations_equal_those_of_cleaned_voxels(run, more):
    path, data, seeds, rng = run
    settings = settings_of(rng, data.shape[-1], **more)
    assert np.abs(mapped(path, seeds, settings).correlation - defined(data, seeds, settings)).max() < 1e-9


@given(st.integers(min_value=1, max_value=10**7))
def test_memory_changes_how_often_the_image_is_read_and_nothing_else(tmp_path_factory, memory):
    rng = np.random.default_rng(2)
    path = tmp_path_factory.mktemp("maps") / "bold.nii"
    save(path, 100 + rng.normal(size=(3, 4, 5, 40)))
    settings = settings_of(rng, 40)
    seeds = rng.normal(size=(40, 2))
    whole = mapped(path, seeds, settings)
    parts = mapped(path, seeds, settings, coordinate_bytes=memory)
    assert whole.n_reads == 1 and parts.n_reads >= 1
    np.testing.assert_allclose(parts.correlation, whole.correlation, rtol=0, atol=1e-12)
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-12)


def test_smoothing_the_coordinates_is_smoothing_every_frame_within_the_mask(run):
    path, data, seeds, rng = run
    settings = settings_of(rng, data.shape[-1], censored=[5])
    inside = rng.random(SHAPE) < 0.7
    sigma = [6 / np.sqrt(8 * np.log(2)) / size for size in (3.0, 3.0, 3.5)]

    def smooth(volume):
        return gaussian_filter(np.where(inside, volume, 0.0), sigma)

    weight = smooth(np.ones(SHAPE))
    smoothed = np.stack([smooth(data[..., frame]) / weight for frame in range(data.shape[-1])], axis=-1)
    maps = mapped(path, seeds, settings, inside.ravel(order="F"), smoothing_fwhm=6.0)
    expected = defined(smoothed, seeds, settings)
    there = inside.ravel(order="F")
    assert np.abs(maps.correlation - expected)[:, there].max() < 1e-9
    assert np.isnan(maps.correlation[:, ~there]).all() and not maps.inside[~there].any()
    kept_mean = smoothed[..., settings["kept"]].mean(axis=-1).ravel(order="F")
    np.testing.assert_allclose(maps.mean[there], kept_mean[there], rtol=1e-12)


def test_the_map_of_nilearn_is_that_of_single_precision(run, tmp_path):
    """NiftiMasker cleans in float32: its map is near the float64 one, ours equals it."""
    path, data, seeds, _ = run
    settings = {"kept": np.ones(data.shape[-1], dtype=bool)}
    mask = nibabel.Nifti1Image(np.ones(SHAPE, dtype=np.uint8), AFFINE)
    masker = NiftiMasker(mask, standardize="zscore_sample", detrend=True, reports=False)
    voxels = np.asarray(masker.fit_transform(str(path)), dtype=np.float64)
    cleaned = clean_signals(seeds, TIME, **settings).signals
    theirs = cleaned.T @ voxels / (len(voxels) - 1)
    ours = mapped(path, seeds, settings).correlation.reshape(3, *SHAPE, order="F").reshape(3, -1)
    exact = defined(data, seeds, settings).reshape(3, *SHAPE, order="F").reshape(3, -1)
    assert np.abs(ours - exact).max() < 1e-10
    assert np.abs(theirs - exact).max() < 1e-3


def test_a_semipartial_correlation_takes_the_other_seeds_out_of_the_seed_alone(run):
    path, data, seeds, rng = run
    settings = settings_of(rng, data.shape[-1])
    maps = mapped(path, seeds, settings, kind="semipartial correlation")
    voxels = data.reshape(-1, data.shape[-1], order="F").T
    cleaned = clean_signals(np.hstack([seeds, voxels]), TIME, **settings, standardize="none").signals
    first, others, voxels = cleaned[:, 0], cleaned[:, 1:3], cleaned[:, 3:]
    design = np.column_stack([np.ones(len(others)), others])
    own = first - design @ np.linalg.lstsq(design, first, rcond=None)[0]
    expected = np.corrcoef(own, voxels, rowvar=False)[0, 1:]
    assert np.abs(maps.correlation[0] - expected).max() < 1e-9


def test_seeds_that_are_sums_of_others_have_no_semipartial_map_and_a_missing_one_disturbs_none():
    rng = np.random.default_rng(3)
    signals = rng.normal(size=(50, 4))
    signals[:, 3] = np.nan
    with_missing = unit_seeds(signals, "semipartial correlation")
    np.testing.assert_allclose(with_missing[:, :3], unit_seeds(signals[:, :3], "semipartial correlation"), atol=1e-12)
    assert np.isnan(with_missing[:, 3]).all()
    signals[:, 3] = signals[:, 0] + 2 * signals[:, 1]
    dependent = unit_seeds(signals, "semipartial correlation")
    assert np.isnan(dependent[:, [0, 1, 3]]).all() and np.isfinite(dependent[:, 2]).all()


def test_percent_signal_change_is_the_slope_of_a_regression_on_the_seed(run):
    path, data, seeds, rng = run
    settings = settings_of(rng, data.shape[-1])
    maps = mapped(path, seeds, settings)
    voxels = data.reshape(-1, data.shape[-1], order="F").T
    cleaned = clean_signals(np.hstack([seeds[:, :1], voxels]), TIME, **settings, standardize="none").signals
    seed = (cleaned[:, 0] - cleaned[:, 0].mean()) / cleaned[:, 0].std(ddof=1)
    slope = seed @ (cleaned[:, 1:] - cleaned[:, 1:].mean(axis=0)) / (seed @ seed)
    np.testing.assert_allclose(percent_signal_change(maps)[0], 100 * slope / voxels.mean(axis=0), atol=1e-9)


@pytest.mark.parametrize("scale", [(0.5, 100.0), (-2.0, 3.0)])
def test_the_scaling_of_the_file_changes_no_correlation_but_its_sign(tmp_path, scale):
    rng = np.random.default_rng(4)
    stored = rng.integers(-3000, 3000, size=(4, 5, 6, 60)).astype(np.int16)
    image = nibabel.Nifti1Image(stored, AFFINE)
    image.header.set_slope_inter(*scale)
    path = tmp_path / "bold.nii"
    nibabel.save(image, path)
    header = image.header.copy()
    raw = bytearray(path.read_bytes())
    header.set_data_dtype(np.int16)
    raw[112:120] = np.array(scale, dtype="<f4").tobytes()
    raw[352:] = stored.tobytes(order="F")
    path.write_bytes(bytes(raw))
    settings = settings_of(rng, 60)
    seeds = rng.normal(size=(60, 2))
    maps = mapped(path, seeds, settings)
    data = scale[0] * stored.astype(np.float64) + scale[1]
    assert np.abs(maps.correlation - defined(data, seeds, settings)).max() < 1e-9
    np.testing.assert_allclose(maps.mean, data.mean(axis=-1).ravel(order="F"), rtol=1e-9, atol=1e-6)


def test_voxels_without_data_or_variation_have_no_value_and_disturb_no_other(run, tmp_path):
    _, data, seeds, rng = run
    settings = settings_of(rng, data.shape[-1], censored=[7])
    expected = defined(data, seeds, settings)
    broken = data.copy()
    broken[0, 0, 0] = 0
    broken[1, 0, 0] = 55.0
    broken[2, 0, 0, 20] = np.nan
    broken[..., 7] = np.nan  # a censored frame is not looked at
    maps = mapped(save(tmp_path / "broken.nii.gz", broken), seeds, settings)
    assert np.flatnonzero(~maps.inside).tolist() == [0, 1, 2]
    assert np.isnan(maps.correlation[:, :3]).all()
    assert np.abs(maps.correlation - expected)[:, 3:].max() < 1e-9
    smoothed = mapped(tmp_path / "broken.nii.gz", seeds, settings, smoothing_fwhm=8.0)
    assert np.isfinite(smoothed.correlation[:, 3:]).all()


def test_an_image_of_zeros_is_a_sentence(tmp_path):
    rng = np.random.default_rng(5)
    path = save(tmp_path / "empty.nii.gz", np.zeros((3, 3, 3, 40)))
    with pytest.raises(InputError, match=r"empty\.nii\.gz: no voxel inside the mask has data"):
        mapped(path, rng.normal(size=(40, 1)), settings_of(rng, 40))


def test_the_coordinates_of_a_band_pass_are_fewer_than_the_frames():
    operator = cleaning_operator(200, TIME, high_pass=0.01, low_pass=0.1)
    projection = project(operator)
    assert projection.rank < 160
    signals = np.random.default_rng(6).normal(size=(200, 5)).cumsum(axis=0)
    cleaned = operator @ signals
    cleaned -= cleaned.mean(axis=0)
    coordinates = projection.rows @ signals
    np.testing.assert_allclose(coordinates.T @ coordinates, cleaned.T @ cleaned, rtol=1e-8)
