"""Which voxels belong to a sphere, who gets shared ones, and the weights of smoothed means."""

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_images import nilearn_signals, random_affine, random_seeds, scaled_affine
from scipy import ndimage, sparse

from sphereconn.errors import InputError
from sphereconn.extract.signals import _Tiles
from sphereconn.extract.spheres import Weights, find_spheres, settle_overlap, sphere_weights

SHAPE = (9, 11, 8)
thorough = settings(max_examples=60, deadline=None)
seeds_of_random = st.integers(0, 2**32 - 1)


def voxel_sets(spheres):
    return [set(spheres.voxel[spheres.sphere == number].tolist()) for number in range(len(spheres.full_size))]


def whole_grid(shape, affine):
    """Voxel centres in mm, numbered as in the file."""
    indices = np.indices(shape).reshape(3, -1, order="F").T
    return indices @ affine[:3, :3].T + affine[:3, 3]


def matrix(weights, shape):
    return sparse.csr_array(
        (weights.weight, (weights.sphere, weights.voxel)), shape=(weights.n_spheres, int(np.prod(shape)))
    )


def one(seed, radius, shape=(9, 9, 9), affine=None):
    affine = scaled_affine((3, 3, 3), (-12, -12, -12)) if affine is None else affine
    return find_spheres(np.array([seed], dtype=float), np.array([radius], dtype=float), shape, affine)


@pytest.mark.parametrize(
    ("radius", "size"), [(0, 1), (2.9999999, 1), (3.0, 7), (4.2, 7), (3 * 2**0.5 + 1e-9, 19), (5.2, 27), (6.0, 33)]
)
def test_the_surface_belongs_to_the_sphere(radius, size):
    spheres = one((0, 0, 0), radius)
    assert spheres.size.tolist() == spheres.full_size.tolist() == [size]


def test_anisotropic_voxels_are_measured_in_mm():
    affine = scaled_affine((2, 1, 2))
    voxel_of = np.arange(125).reshape(5, 5, 5, order="F")
    assert voxel_sets(one((4, 2, 4), 1, (5, 5, 5), affine)) == [set(voxel_of[2, 1:4, 2].tolist())]


@pytest.mark.parametrize(
    ("x", "voxel"),
    [
        (1.5, 4),
        (4.5, 6),
        (-1.5, 4),
        (1.6, 5),
        (13.4, 8),
        (-13.4, 0),
        (13.5, 8),
        (-13.5, 0),
        (13.6, None),
        (-13.6, None),
    ],
)
def test_the_nearest_voxel_always_belongs_and_ties_go_to_even_indices(x, voxel):
    spheres = one((x, 0, 0), 0.1)
    assert spheres.full_size.tolist() == [1]
    assert spheres.voxel.tolist() == ([] if voxel is None else [voxel + 9 * (4 + 9 * 4)])


@thorough
@given(seeds_of_random)
def test_spheres_are_what_a_search_of_the_whole_grid_finds(random):
    rng = np.random.default_rng(random)
    affine = random_affine(rng, SHAPE)
    seeds, radii = random_seeds(rng, SHAPE, affine, 8, beyond=3), rng.uniform(0, 12, 8)
    mm = whole_grid(SHAPE, affine)
    spheres = find_spheres(seeds, radii, SHAPE, affine)
    for found, seed, radius in zip(voxel_sets(spheres), seeds, radii, strict=True):
        expected = set(np.flatnonzero(((mm - seed) ** 2).sum(axis=1) <= radius**2).tolist())
        nearest = np.rint(np.linalg.solve(affine, [*seed, 1])[:3]).astype(int)
        if (nearest >= 0).all() and (nearest < SHAPE).all():
            expected.add(int(np.ravel_multi_index(nearest, SHAPE, order="F")))
        assert found == expected
    distances = np.linalg.norm(mm[spheres.voxel] - seeds[spheres.sphere], axis=1)
    np.testing.assert_allclose(np.sqrt(spheres.squared_distance), distances, rtol=1e-9, atol=1e-9)


@thorough
@given(seeds_of_random)
def test_a_sphere_moves_with_its_seed(random):
    rng = np.random.default_rng(random)
    affine = random_affine(rng, (80, 80, 80))
    seed, radius, steps = rng.uniform(-10, 10, (1, 3)), rng.uniform(0, 10, 1), rng.integers(-20, 21, 3)
    moved = affine.copy()
    moved[:3, 3] -= affine[:3, :3] @ steps  # voxel v + steps is now where voxel v was
    here = voxel_sets(find_spheres(seed, radius, (80, 80, 80), affine))[0]
    there = voxel_sets(find_spheres(seed, radius, (80, 80, 80), moved))[0]
    assert there == {voxel + int(steps @ [1, 80, 6400]) for voxel in here}


@thorough
@given(seeds_of_random)
def test_the_full_size_is_that_of_the_sphere_on_a_larger_grid(random):
    rng = np.random.default_rng(random)
    affine = random_affine(rng, SHAPE)
    seeds, radii = random_seeds(rng, SHAPE, affine, 4, beyond=4), rng.uniform(0, 8, 4)
    margin = np.full(3, 12)
    larger = affine.copy()
    larger[:3, 3] -= affine[:3, :3] @ margin
    wide = find_spheres(seeds, radii, tuple((SHAPE + 2 * margin).tolist()), larger)
    cut = find_spheres(seeds, radii, SHAPE, affine)
    np.testing.assert_array_equal(wide.size, wide.full_size)
    np.testing.assert_array_equal(cut.full_size, wide.size)
    assert (cut.size <= cut.full_size).all()


def test_radii_of_every_size_are_found_together():
    affine = scaled_affine((2, 2, 2), (-30, -30, -30))
    rng = np.random.default_rng(2)
    seeds, radii = random_seeds(rng, (31, 31, 31), affine, 40), rng.permutation(np.linspace(0, 40, 40))
    together = voxel_sets(find_spheres(seeds, radii, (31, 31, 31), affine))
    alone = [voxel_sets(one(seed, radius, (31, 31, 31), affine))[0] for seed, radius in zip(seeds, radii, strict=True)]
    assert together == alone


def test_a_radius_in_other_units_is_refused():
    with pytest.raises(InputError, match="radius: 5000 mm is too large"):
        one((0, 0, 0), 5000)
    with pytest.raises(InputError, match="too large"):
        one((0, 0, 0), 1e300)


def test_a_seed_in_other_units_has_no_voxel():
    for x in (1e7, -1e12, 1e300):
        assert one((x, 0, 0), 5).size.tolist() == [0]


@pytest.mark.parametrize(
    ("seeds", "radii"),
    [([0, 0, 0], [1]), ([[0, 0, np.nan]], [1]), ([[0, 0, 0]], [-1]), ([[0, 0, 0]], [np.inf]), (np.empty((0, 3)), [])],
)
def test_seeds_and_radii_that_make_no_sphere_are_an_error(seeds, radii):
    with pytest.raises(ValueError, match="seeds"):
        find_spheres(np.array(seeds), np.array(radii), (9, 9, 9), np.eye(4))


def test_nilearn_adds_a_voxel_by_truncating_coordinates_and_we_do_not():
    # Voxel centres at ..., -0.9, 0.1, 1.1, ...: both -0.9 and 0.1 become 0 when cut to integers, as the seed does.
    affine = scaled_affine((1, 1, 1), (-4.9, -4.9, -4.9))
    data = np.zeros((10, 10, 10, 2))
    data[5, 5, 5] = (10.0, 20.0)  # the voxel at 0.1, nearest to the seed
    data[4, 4, 4] = (-30.0, -40.0)  # the voxel at -0.9
    seed = (0.05, 0.05, 0.05)
    image = nibabel.Nifti1Image(data, affine)
    np.testing.assert_array_equal(nilearn_signals(image, [seed], 0.5)[:, 0], [-10.0, -10.0])
    weights = sphere_weights(one(seed, 0.5, (10, 10, 10), affine), (10, 10, 10), affine)
    np.testing.assert_array_equal(matrix(weights, (10, 10, 10)) @ data.reshape(1000, 2, order="F"), [[10.0, 20.0]])


# ---- overlap


def pair(distance, overlap, radius=4.0):
    seeds = np.array([[0.0, 0, 0], [distance, 0, 0]])
    spheres = find_spheres(seeds, np.full(2, radius), (12, 9, 9), scaled_affine((3, 3, 3), (-12, -12, -12)))
    return settle_overlap(spheres, ["left", "right"], overlap)


def test_spheres_that_share_no_voxel_pass_every_policy():
    for overlap in ("allow", "error", "nearest"):
        assert pair(9, overlap).size.tolist() == [7, 7]


def test_allowed_overlap_leaves_shared_voxels_to_both():
    assert pair(6, "allow").size.tolist() == [7, 7]


def test_forbidden_overlap_names_the_spheres():
    with pytest.raises(InputError, match="overlap: error, but spheres share voxels: 'left' and 'right';"):
        pair(6, "error")


def test_forbidden_overlap_names_five_pairs_and_counts_the_rest():
    seeds = np.array([[3.0 * n, 0, 0] for n in range(8)])
    spheres = find_spheres(seeds, np.full(8, 1.6), (20, 9, 9), scaled_affine((1.5, 1.5, 1.5)))
    with pytest.raises(InputError, match=r"'a' and 'b', 'b' and 'c', .*'e' and 'f' and 2 more pairs;"):
        settle_overlap(spheres, list("abcdefgh"), "error")


def test_a_shared_voxel_goes_to_the_nearest_centre():
    # The voxel at 6 mm is 4 mm from the left seed and 1 mm from the right one; that at 3 mm is 1 and 4 mm away.
    seeds = np.array([[2.0, 0, 0], [7.0, 0, 0]])
    spheres = find_spheres(seeds, np.full(2, 4.0), (9, 1, 1), scaled_affine((3, 3, 3)))
    assert voxel_sets(spheres) == [{0, 1, 2}, {1, 2, 3}]
    assert voxel_sets(settle_overlap(spheres, ["a", "b"], "nearest")) == [{0, 1}, {2, 3}]


def test_a_voxel_midway_goes_to_the_seed_that_comes_first():
    midway = int(np.ravel_multi_index((5, 4, 4), (12, 9, 9), order="F"))
    left, right = voxel_sets(pair(6, "nearest"))
    assert midway in left and midway not in right
    for shift in np.random.default_rng(0).uniform(-90, 90, 50):  # whichever way the distances are rounded
        seeds = np.array([[shift - 1.1, 0, 0], [shift + 1.1, 0, 0]])
        spheres = find_spheres(seeds, np.full(2, 1.5), (1, 1, 1), scaled_affine((3, 3, 3), (shift, 0, 0)))
        assert voxel_sets(settle_overlap(spheres, ["a", "b"], "nearest")) == [{0}, set()]


@thorough
@given(seeds_of_random)
def test_nearest_gives_every_voxel_of_the_union_to_one_nearest_sphere(random):
    rng = np.random.default_rng(random)
    affine = random_affine(rng, SHAPE)
    seeds = random_seeds(rng, SHAPE, affine, 12, beyond=1)
    shared = find_spheres(seeds, rng.uniform(2, 12, 12), SHAPE, affine)
    settled = settle_overlap(shared, list("abcdefghijkl"), "nearest")
    assert len(np.unique(settled.voxel)) == len(settled.voxel)
    assert set(settled.voxel.tolist()) == set(shared.voxel.tolist())
    least = np.full(np.prod(SHAPE), np.inf)
    np.minimum.at(least, shared.voxel, shared.squared_distance)
    np.testing.assert_allclose(settled.squared_distance, least[settled.voxel], rtol=0, atol=1e-9)


def test_an_unknown_policy_is_an_error():
    with pytest.raises(ValueError, match="overlap must be allow, error or nearest"):
        pair(6, "ignore")


# ---- weights


@thorough
@given(seeds_of_random, st.sampled_from([0.0, 0.4, 3.0, 6.0, 14.0]))
def test_the_weights_of_a_sphere_give_its_mean_in_the_smoothed_frame(random, fwhm):
    rng = np.random.default_rng(random)
    shape = tuple(rng.integers(1, 14, 3).tolist())
    affine = random_affine(rng, shape)
    spheres = find_spheres(random_seeds(rng, shape, affine, 6), rng.uniform(0, 9, 6), shape, affine)
    frame = rng.normal(100, 10, shape)

    smooth = frame
    for axis, size in enumerate(np.linalg.norm(affine[:3, :3], axis=0)):
        if fwhm:
            smooth = ndimage.gaussian_filter1d(smooth, fwhm / (np.sqrt(8 * np.log(2)) * size), axis=axis)
    expected = [smooth.ravel(order="F")[sorted(voxels)].mean() for voxels in voxel_sets(spheres)]

    weights = sphere_weights(spheres, shape, affine, fwhm)
    # Sums of up to some thousand products of like size: rounding stays below 1e-12 of their sum.
    np.testing.assert_allclose(matrix(weights, shape) @ frame.ravel(order="F"), expected, rtol=1e-12)
    assert len(np.unique(weights.sphere * np.prod(shape) + weights.voxel)) == len(weights.weight)
    assert (weights.weight > 0).all()


@thorough
@given(seeds_of_random, st.sampled_from([0.0, 6.0]))
def test_the_weights_of_a_sphere_sum_to_1(random, fwhm):
    rng = np.random.default_rng(random)
    affine = random_affine(rng, SHAPE)
    spheres = find_spheres(random_seeds(rng, SHAPE, affine, 6, beyond=2), rng.uniform(0, 9, 6), SHAPE, affine)
    weights = sphere_weights(spheres, SHAPE, affine, fwhm)
    sums = np.bincount(weights.sphere, weights.weight, minlength=6)
    np.testing.assert_allclose(sums, spheres.size > 0, rtol=1e-13)


def test_smoothing_of_all_sizes_of_spheres_at_once_is_that_of_each_alone():
    affine = scaled_affine((2, 2, 2), (-20, -20, -20))
    rng = np.random.default_rng(2)
    shape = (21, 21, 21)
    seeds, radii = random_seeds(rng, shape, affine, 30), rng.permutation(np.linspace(0, 20, 30))
    together = matrix(sphere_weights(find_spheres(seeds, radii, shape, affine), shape, affine, 5.0), shape).toarray()
    for row, seed, radius in zip(together, seeds, radii, strict=True):
        alone = sphere_weights(one(seed, radius, shape, affine), shape, affine, 5.0)
        np.testing.assert_allclose(row, matrix(alone, shape).toarray()[0], rtol=1e-12, atol=1e-18)


@thorough
@given(seeds_of_random)
def test_the_product_by_tiles_is_the_sparse_product(random):
    rng = np.random.default_rng(random)
    shape = tuple(rng.choice([1, 2, 7, 8, 9, 25, 260], 3, p=[0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.1]).tolist())
    n_voxels, n_spheres, n_frames = int(np.prod(shape)), int(rng.integers(1, 20)), int(rng.integers(1, 9))
    places = np.array(sorted(set(rng.integers(n_voxels * n_spheres, size=rng.integers(0, 500)).tolist())), dtype=int)
    sphere, voxel = np.divmod(rng.permutation(places), n_voxels)
    weights = Weights(sphere, voxel, rng.normal(size=len(places)), n_spheres)
    frames = rng.integers(-1000, 1000, (n_frames, n_voxels), dtype="i2").astype(">i2")

    tiles = _Tiles(weights, shape)
    signals = tiles.weigh(frames[:, tiles.voxels])

    expected = (matrix(weights, shape) @ frames.astype(float).T).T
    absent = np.setdiff1d(np.arange(n_spheres), sphere)
    np.testing.assert_array_equal(tiles.present, np.unique(sphere))
    assert np.isnan(signals[:, absent]).all()
    # Sums of up to 500 products of order 1000.
    np.testing.assert_allclose(signals[:, tiles.present], expected[:, tiles.present], rtol=0, atol=1e-8)
