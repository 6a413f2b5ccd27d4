"""Sphere signals of whole files: agreement with nilearn where it is right, and what we do where it is not."""

import gzip
import tracemalloc
from itertools import pairwise

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_images import nilearn_signals, nilearn_signals_within, random_affine, random_seeds, save, scaled_affine

from sphereconn.errors import InputError
from sphereconn.extract.images import iter_frames, read_mask
from sphereconn.extract.signals import extract_sphere_signals

SHAPE = (16, 18, 14)
N_FRAMES = 7
AFFINE = scaled_affine((3, 3, 3), (-24, -27, -21))  # the voxel of mm (0, 0, 0) is (8, 9, 7)
# Sums of at most some thousand float64 products, in another order than nilearn's: rounding stays far below this.
AGREE = {"rtol": 1e-10, "atol": 0}


def made(seed=0, shape=SHAPE, n_frames=N_FRAMES):
    return np.random.default_rng(seed).normal(1000, 100, (*shape, n_frames))


def extract(path, seeds, radii, **settings):
    seeds = np.atleast_2d(np.asarray(seeds, dtype=float))
    names = [f"seed{number}" for number in range(1, len(seeds) + 1)]
    return extract_sphere_signals(path, names, seeds, np.broadcast_to(radii, len(seeds)).astype(float), **settings)


def anywhere(path, seeds, radii, **settings):
    """Every sphere of which nilearn, too, would give a signal."""
    return extract(path, seeds, radii, **{"overlap": "allow", "min_coverage": 0.0} | settings)


# ---- agreement with nilearn


@pytest.mark.parametrize("fwhm", [0.0, 6.0])
@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("random", range(3))
def test_signals_on_random_grids_are_nilearns(tmp_path, random, oblique, fwhm):
    rng = np.random.default_rng(random)
    affine = random_affine(rng, SHAPE, oblique).astype(np.float32)
    path = save(tmp_path / "bold.nii.gz", made(random), affine)
    # Below 3.5 mm nilearn may add a voxel that is further away. Seeds are up to a voxel outside of the grid.
    seeds = random_seeds(rng, SHAPE, affine, 25, beyond=1)
    for radius in (3.5, 7.3):
        signals = anywhere(path, seeds, radius, smoothing_fwhm=fwhm).signals
        np.testing.assert_allclose(signals, nilearn_signals(path, seeds, radius, smoothing_fwhm=fwhm), **AGREE)


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("radius", [0.0, 2.9, 3.0, 4.3])
def test_small_spheres_on_a_grid_of_whole_mm_are_nilearns(tmp_path, radius, size):
    affine = scaled_affine((size,) * 3, (-24, -27, -21))
    path = save(tmp_path / "bold.nii.gz", made(), affine)
    # Seeds of whole mm, too: many lie midway between voxels.
    seeds = np.rint(random_seeds(np.random.default_rng(7), SHAPE, affine, 40))
    np.testing.assert_allclose(anywhere(path, seeds, radius).signals, nilearn_signals(path, seeds, radius), **AGREE)


@pytest.mark.parametrize(
    ("dtype", "scale", "order", "image_class"),
    [
        ("i2", None, "<", nibabel.Nifti1Image),
        ("i2", None, ">", nibabel.Nifti1Image),
        ("i2", (0.25, -100.0), "<", nibabel.Nifti1Image),
        ("u1", (10.0, 0.0), ">", nibabel.Nifti2Image),
        ("u2", None, "<", nibabel.Nifti2Image),
        ("i4", None, ">", nibabel.Nifti2Image),
        ("i8", None, "<", nibabel.Nifti1Image),
        ("f4", None, "<", nibabel.Nifti1Image),
        ("f4", (-2.0, 5.0), ">", nibabel.Nifti2Image),
        ("f8", None, ">", nibabel.Nifti1Image),
    ],
)
@pytest.mark.parametrize("fwhm", [0.0, 5.0])
def test_signals_of_every_type_of_file_are_nilearns_in_float64(tmp_path, dtype, scale, order, image_class, fwhm):
    data = made() / 5 if dtype == "u1" else made()
    path = save(tmp_path / "bold.nii.gz", data, AFFINE, dtype=dtype, scale=scale, order=order, image_class=image_class)
    seeds = random_seeds(np.random.default_rng(1), SHAPE, AFFINE, 20)
    signals = anywhere(path, seeds, 5.0, smoothing_fwhm=fwhm).signals
    np.testing.assert_allclose(signals, nilearn_signals(path, seeds, 5.0, smoothing_fwhm=fwhm), **AGREE)


@pytest.mark.parametrize("fwhm", [0.0, 6.0])
@pytest.mark.parametrize(
    "mask_affine",
    [AFFINE, scaled_affine((6, 6, 6), (-25, -26, -21)), random_affine(np.random.default_rng(8), (12, 14, 10))],
    ids=["same grid", "coarser", "oblique"],
)
def test_signals_in_a_mask_are_nilearns(tmp_path, mask_affine, fwhm):
    shape = SHAPE if mask_affine is AFFINE else (12, 14, 10)
    inside = np.random.default_rng(2).random(shape) < 0.8
    mask = save(tmp_path / "mask.nii.gz", inside.astype("u1"), mask_affine)
    path = save(tmp_path / "bold.nii.gz", made(), AFFINE)
    seeds = random_seeds(np.random.default_rng(3), SHAPE, AFFINE, 25)
    spheres = anywhere(path, seeds, 6.0, mask=mask, smoothing_fwhm=fwhm)
    there = spheres.n_voxels > 0  # nilearn refuses all when one is empty
    if fwhm:  # nilearn smooths across the border of the mask
        expected = nilearn_signals_within(path, read_mask(mask, SHAPE, AFFINE), seeds[there], 6.0, smoothing_fwhm=fwhm)
    else:
        expected = nilearn_signals(path, seeds[there], 6.0, mask=mask)
    np.testing.assert_allclose(spheres.signals[:, there], expected, **AGREE)
    assert there.sum() > 10
    assert [spheres.problem[n] for n in np.flatnonzero(~there)] == ["outside the mask"] * int((~there).sum())


def test_smoothing_mirrors_the_frame_at_its_borders_as_nilearn_does(tmp_path):
    # A grid smaller than the Gaussian: it is mirrored several times over.
    shape, affine = (3, 5, 2), scaled_affine((3, 3, 3))
    path = save(tmp_path / "bold.nii", made(shape=shape), affine)
    seeds = [(0, 0, 0), (6, 12, 3), (3, 6, 0)]
    signals = anywhere(path, seeds, 3.0, smoothing_fwhm=15.0).signals
    np.testing.assert_allclose(signals, nilearn_signals(path, seeds, 3.0, smoothing_fwhm=15.0), **AGREE)


def test_each_seed_has_its_own_radius(tmp_path):
    path = save(tmp_path / "bold.nii", made(), AFFINE)
    seeds, radii = random_seeds(np.random.default_rng(4), SHAPE, AFFINE, 12), np.tile([4.0, 7.5, 5.0], 4)
    signals = anywhere(path, seeds, radii).signals
    for radius in (4.0, 7.5, 5.0):
        here = radii == radius
        np.testing.assert_allclose(signals[:, here], nilearn_signals(path, seeds[here], radius), **AGREE)


def test_more_frames_than_fit_a_block_are_all_read(tmp_path):
    data = made(n_frames=75)
    path = save(tmp_path / "bold.nii.gz", data, AFFINE)
    seeds = random_seeds(np.random.default_rng(5), SHAPE, AFFINE, 10)
    spheres = anywhere(path, seeds, 6.0)
    assert spheres.signals.shape == (75, 10)
    np.testing.assert_allclose(spheres.signals, nilearn_signals(path, seeds, 6.0), **AGREE)


# ---- where nilearn is wrong


def test_nilearn_cuts_means_of_integers_to_integers_and_we_do_not(tmp_path):
    data = np.zeros((3, 3, 3, 2), dtype="i2")
    data[..., 0] = np.arange(27).reshape(3, 3, 3)
    data[0, 0, 0, 1] = 14
    path = save(tmp_path / "bold.nii", data, np.eye(4))
    truth = [data[..., 0].mean(), 14 / 27]
    np.testing.assert_array_equal(nilearn_signals(path, [(1, 1, 1)], 2.0, dtype=None)[:, 0], np.trunc(truth))
    np.testing.assert_allclose(extract(path, (1, 1, 1), 2.0).signals[:, 0], truth, rtol=1e-15)


@pytest.mark.parametrize("fwhm", [0.0, 6.0])
def test_nilearn_counts_nan_as_0_and_we_leave_it_out(tmp_path, fwhm):
    data = made()
    data[8, 9, 7] = np.nan  # the voxel of the seed, in all frames
    data[9, 9, 7, 3] = np.nan  # its neighbour, in one
    path = save(tmp_path / "bold.nii.gz", data, AFFINE)
    spheres = extract(path, (0, 0, 0), 3.0, smoothing_fwhm=fwhm)
    assert (spheres.n_voxels.tolist(), spheres.coverage.tolist()) == ([5], [5 / 7])
    filled = save(tmp_path / "filled.nii.gz", np.nan_to_num(data), AFFINE)
    as_zeros = nilearn_signals(filled, [(0, 0, 0)], 3.0, smoothing_fwhm=fwhm)
    np.testing.assert_allclose(nilearn_signals(path, [(0, 0, 0)], 3.0, smoothing_fwhm=fwhm), as_zeros, **AGREE)
    if fwhm:
        # Means of values around 1000 stay around 1000 for us, and lose what nilearn counts as 0.
        assert abs(spheres.signals - 1000).max() < 40 < (spheres.signals - as_zeros).min()
    else:
        used = [(7, 9, 7), (8, 8, 7), (8, 10, 7), (8, 9, 6), (8, 9, 8)]
        np.testing.assert_allclose(spheres.signals[:, 0], np.mean([data[v] for v in used], axis=0), rtol=1e-14)


def test_nilearn_lets_infinity_through_and_we_leave_it_out(tmp_path):
    data = made()
    data[8, 9, 7, 2] = np.inf
    path = save(tmp_path / "bold.nii.gz", data, AFFINE)
    assert np.isinf(nilearn_signals(path, [(0, 0, 0)], 3.0)[2, 0])
    spheres = extract(path, (0, 0, 0), 3.0)
    assert np.isfinite(spheres.signals).all() and spheres.n_voxels.tolist() == [6]


# ---- voxels that are not finite


@pytest.mark.parametrize("fwhm", [0.0, 6.0])
@pytest.mark.parametrize("late", [False, True])
def test_voxels_that_are_not_finite_in_any_frame_count_as_absent(tmp_path, fwhm, late):
    """Absent: the same numbers come out whatever the other frames hold there."""
    rng = np.random.default_rng(9)
    data = made(n_frames=70)
    holes = rng.random(SHAPE) < 0.1
    data[holes, 65 if late else 0] = rng.choice([np.nan, np.inf, -np.inf], holes.sum())
    if late:
        data[4, 4, 4, 1] = np.nan  # one that turns up in the first block, the others only in a later one
    other = data.copy()
    other[holes, 1:60] = 1e6
    seeds = random_seeds(rng, SHAPE, AFFINE, 15)
    first = anywhere(save(tmp_path / "a.nii.gz", data, AFFINE), seeds, 6.0, smoothing_fwhm=fwhm)
    again = anywhere(save(tmp_path / "b.nii.gz", other, AFFINE), seeds, 6.0, smoothing_fwhm=fwhm)
    assert np.isfinite(first.signals).all()
    np.testing.assert_array_equal(first.signals, again.signals)
    np.testing.assert_array_equal(first.n_voxels, again.n_voxels)
    unmasked = anywhere(save(tmp_path / "c.nii.gz", made(n_frames=70), AFFINE), seeds, 6.0)
    assert (first.n_voxels <= unmasked.n_voxels).all() and (first.n_voxels < unmasked.n_voxels).any()
    if not fwhm:
        usable = save(tmp_path / "usable.nii.gz", np.isfinite(data).all(axis=3).astype("u1"), AFFINE)
        np.testing.assert_allclose(
            first.signals, anywhere(tmp_path / "a.nii.gz", seeds, 6.0, mask=usable).signals, **AGREE
        )


@pytest.mark.parametrize("order", "<>")
def test_nan_in_single_precision_of_either_byte_order_is_left_out(tmp_path, order):
    data = made().astype("f4")
    data[8, 9, 7, 4] = np.nan
    path = save(tmp_path / "bold.nii", data, AFFINE, order=order)
    assert extract(path, (0, 0, 0), 3.0).n_voxels.tolist() == [6]


@pytest.mark.parametrize(
    ("frames_with_nan", "frames_read"),
    [([], 70), ([[0]], 2 * 70), ([[0], [40]], 2 * 70), ([[40], [69]], 2 * 70), ([range(70)], 70)],
)
def test_frames_are_read_once_more_only_when_a_voxel_turns_out_not_finite_in_some(
    tmp_path, monkeypatch, frames_with_nan, frames_read
):
    data = made(n_frames=70)
    for place, frames in enumerate(frames_with_nan):
        data[8, 9 + place, 7, frames] = np.nan
    path = save(tmp_path / "bold.nii", data, AFFINE)
    count = 0

    def counted(header):
        nonlocal count
        for frame in iter_frames(header):
            count += 1
            yield frame

    monkeypatch.setattr("sphereconn.extract.signals.iter_frames", counted)
    assert extract(path, (0, 0, 0), 3.0).n_voxels.tolist() == [7 - len(frames_with_nan)]
    assert count == frames_read


def test_nan_that_no_sphere_reaches_changes_nothing(tmp_path):
    data = made()
    path = save(tmp_path / "a.nii", data, AFFINE)
    data[0, 0, 0] = np.nan
    with_nan = save(tmp_path / "b.nii", data, AFFINE)
    np.testing.assert_array_equal(extract(path, (0, 0, 0), 6.0).signals, extract(with_nan, (0, 0, 0), 6.0).signals)


# ---- spheres with a problem


def test_one_bad_sphere_does_not_end_a_run_and_each_says_what_is_wrong(tmp_path):
    data = made()
    data[2:5, 2:5, 2:5] = 7.0
    data[11:14, 2:5, 2:5] = np.nan
    path = save(tmp_path / "bold.nii.gz", data, AFFINE)
    inside = np.ones(SHAPE, dtype="u1")
    inside[:, 15:, :] = 0
    mask = save(tmp_path / "mask.nii.gz", inside, AFFINE)
    at = [(8, 9, 7), (-5, 9, 7), (8, 17, 7), (0, 0, 7), (3, 3, 3), (12, 3, 3), (8, 9, 7)]
    seeds = np.array(at) * 3.0 + AFFINE[:3, 3]
    spheres = extract(path, seeds, [6, 3, 3, 6, 3, 3, 2], mask=mask, overlap="nearest", min_coverage=0.6)
    assert spheres.problem == [
        "",
        "outside the field of view",
        "outside the mask",
        "coverage 0.48 (16 of 33 voxels) is below 0.6",
        "constant signal",
        "no voxel has data (each is 0 in all frames, or not finite)",
        "all of its voxels are nearer to another seed",
    ]
    assert spheres.n_voxels.tolist() == [33, 0, 0, 16, 7, 0, 0]
    np.testing.assert_allclose(spheres.coverage, [1, 0, 0, 16 / 33, 1, 0, 0])
    np.testing.assert_array_equal(np.isnan(spheres.signals).all(axis=0), np.array(spheres.problem) != "")
    np.testing.assert_array_equal(np.isnan(spheres.signals).any(axis=0), np.array(spheres.problem) != "")
    np.testing.assert_array_equal(np.isnan(spheres.temporal_snr), [False, True, True, False, True, True, True])


def test_a_run_without_one_usable_sphere_is_an_error_that_says_why(tmp_path):
    path = save(tmp_path / "bold.nii.gz", made(), AFFINE)
    seeds = [(1000, 0, 0), (0, -500, 0), (-24, -27, -21)]
    with pytest.raises(
        InputError, match=r"bold\.nii\.gz: none of the 3 spheres has a signal \(2: outside the field of view, "
    ):
        extract(path, seeds, 6.0)
    still = save(tmp_path / "still.nii", np.ones((*SHAPE, 5)), AFFINE)
    with pytest.raises(InputError, match=r"still\.nii: .* \(1: constant signal\)"):
        extract(still, (0, 0, 0), 6.0)


def test_coverage_at_the_limit_is_enough(tmp_path):
    path = save(tmp_path / "bold.nii", made(), AFFINE)
    seed, used = (-24, 0, 0), 6 / 7  # on the first plane of voxels: one of seven neighbours is outside
    assert extract(path, seed, 3.0, min_coverage=used).problem == [""]
    with pytest.raises(InputError, match="coverage is too low"):
        extract(path, seed, 3.0, min_coverage=np.nextafter(used, 1))


def test_values_too_large_to_average_are_a_problem_of_their_sphere(tmp_path):
    data = made()
    data[7:10, 8:11, 6:9, 3] = 1.7e308
    path = save(tmp_path / "bold.nii", data, AFFINE)
    spheres = extract(path, [(0, 0, 0), (-15, -15, -12)], 3.0)
    assert spheres.problem == ["the values are too large to be averaged", ""]


def test_temporal_snr_is_the_mean_over_the_standard_deviation(tmp_path):
    path = save(tmp_path / "bold.nii", made(n_frames=40), AFFINE, scale=(0.5, 30.0))
    spheres = extract(path, [(0, 0, 0), (-12, 9, 6)], 5.0)
    expected = spheres.signals.mean(axis=0) / spheres.signals.std(axis=0, ddof=1)
    np.testing.assert_allclose(spheres.temporal_snr, expected, rtol=1e-14)


def test_a_single_frame_has_signals_but_no_temporal_snr(tmp_path):
    path = save(tmp_path / "bold.nii", made(n_frames=1), AFFINE)
    spheres = extract(path, [(0, 0, 0)], 5.0)
    assert spheres.problem == [""] and np.isnan(spheres.temporal_snr).all()
    np.testing.assert_allclose(spheres.signals, nilearn_signals(path, [(0, 0, 0)], 5.0), **AGREE)


def test_overlap_is_forbidden_unless_asked_for(tmp_path):
    path = save(tmp_path / "bold.nii", made(), AFFINE)
    with pytest.raises(InputError, match="'seed1' and 'seed2'"):
        extract(path, [(0, 0, 0), (6, 0, 0)], 5.0)
    nearest = extract(path, [(0, 0, 0), (6, 0, 0)], 5.0, overlap="nearest")
    allowed = extract(path, [(0, 0, 0), (6, 0, 0)], 5.0, overlap="allow")
    assert nearest.n_voxels.sum() < allowed.n_voxels.sum()
    np.testing.assert_allclose(allowed.signals, nilearn_signals(path, [(0, 0, 0), (6, 0, 0)], 5.0), **AGREE)


# ---- properties


properties = settings(max_examples=15, deadline=None)


@properties
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 6.0]), st.floats(0.5, 3), st.floats(-3, -0.5))
def test_signals_are_linear_in_the_image(tmp_path_factory, random, fwhm, a, b):
    rng = np.random.default_rng(random)
    folder = tmp_path_factory.getbasetemp()
    affine = random_affine(rng, SHAPE)
    seeds = random_seeds(rng, SHAPE, affine, 6)
    one, two = made(random), made(random + 1)
    signals = [
        anywhere(save(folder / "image.nii", image, affine), seeds, 5.0, smoothing_fwhm=fwhm).signals
        for image in (one, two, a * one + b * two + 50.0)
    ]
    # The terms are of order 1000; what is left of their rounding does not depend on how far they cancel.
    np.testing.assert_allclose(signals[2], a * signals[0] + b * signals[1] + 50.0, rtol=0, atol=1e-9)


@properties
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 6.0]))
def test_an_image_that_is_the_same_everywhere_gives_its_time_course(tmp_path_factory, random, fwhm):
    rng = np.random.default_rng(random)
    shape = tuple(rng.integers(2, 12, 3).tolist())
    affine = random_affine(rng, shape)
    course = rng.normal(500, 50, 9)
    path = save(tmp_path_factory.getbasetemp() / "flat.nii", np.broadcast_to(course, (*shape, 9)), affine)
    spheres = anywhere(path, random_seeds(rng, shape, affine, 5, beyond=0.4), rng.uniform(0, 9, 5), smoothing_fwhm=fwhm)
    np.testing.assert_allclose(spheres.signals, np.repeat(course[:, None], 5, axis=1), rtol=1e-13)


@properties
@given(st.integers(0, 2**32 - 1), st.sampled_from(["allow", "nearest"]))
def test_the_order_of_the_seeds_changes_nothing_but_the_order(tmp_path_factory, random, overlap):
    rng = np.random.default_rng(random)
    path = save(tmp_path_factory.getbasetemp() / "image.nii", made(random), AFFINE)
    seeds, radii = random_seeds(rng, SHAPE, AFFINE, 12), rng.uniform(2, 10, 12)
    order = rng.permutation(12)
    straight = anywhere(path, seeds, radii, overlap=overlap)
    shuffled = anywhere(path, seeds[order], radii[order], overlap=overlap)
    np.testing.assert_allclose(shuffled.signals, straight.signals[:, order], rtol=1e-12)
    np.testing.assert_array_equal(shuffled.n_voxels, straight.n_voxels[order])


def test_compression_and_orientation_of_the_file_change_nothing(tmp_path):
    data = made()
    seeds = random_seeds(np.random.default_rng(6), SHAPE, AFFINE, 10)
    flipped = AFFINE.copy()
    flipped[:3, 0] *= -1
    flipped[:3, 3] += AFFINE[:3, 0] * (SHAPE[0] - 1)
    turned = AFFINE[:, [1, 2, 0, 3]]
    paths = [
        save(tmp_path / "a.nii", data, AFFINE),
        save(tmp_path / "b.nii.gz", data, AFFINE),
        save(tmp_path / "c.nii.gz", data[::-1], flipped),
        save(tmp_path / "d.nii.gz", data.transpose(1, 2, 0, 3), turned),
    ]
    results = [anywhere(path, seeds, 5.0, smoothing_fwhm=6.0).signals for path in paths]
    for one, other in pairwise(results):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_the_image_is_never_in_memory_as_a_whole(tmp_path):
    shape, n_frames = (40, 40, 40), 90  # 11.5 MB as it is stored, 46 MB in float64
    frame = np.random.default_rng(0).integers(0, 1000, shape).astype("i2")
    path = tmp_path / "bold.nii.gz"
    header = save(tmp_path / "one.nii", frame[..., None], scaled_affine((2, 2, 2), (-40, -40, -40))).read_bytes()[:352]
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header[:48] + np.int16(n_frames).tobytes() + header[50:])
        for number in range(n_frames):
            file.write((frame + np.int16(number)).tobytes(order="F"))
    seeds = np.stack(np.meshgrid([-20, 0, 20], [-20, 0, 20], [-20, 0, 20]), axis=-1).reshape(-1, 3)
    tracemalloc.start()
    spheres = extract(path, seeds, 4.0, smoothing_fwhm=4.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(np.diff(spheres.signals, axis=0), 1, rtol=1e-9)
    assert peak < 11_500_000
