"""Contrasts of maps against nilearn's second level, against enumeration, and however the shuffles are split."""

import functools
import itertools

import nibabel
import numpy as np
import pandas as pd
import pytest
from nilearn.glm.second_level import non_parametric_inference
from nilearn.mass_univariate import permuted_least_squares
from scipy import ndimage, stats

from sphereconn.infer.contrast import contrast_model, shuffles_of
from sphereconn.map.clusters import cluster_labels, lattice_of
from sphereconn.map.inference import joined, null_of_maps, read_null, results_of_maps, write_null

SHAPE = (8, 7, 6)
N_RUNS = 14
SETTINGS = {
    "model": "", "test": "intercept", "factors": [], "paired": None, "groups": None, "runs": {}, "weights": None,
    "variances": "equal", "permutations": 400, "seed": 3,
}  # fmt: skip


def rows():
    rng = np.random.default_rng(5)
    return [{"name": f"sub-{n:02d}", "subject": f"{n:02d}", "age": repr(rng.normal(40, 10))} for n in range(N_RUNS)]


def smooth_maps(age_effect=0.0, mean=0.0):
    """Smooth maps on a part of a grid, an effect in one corner: shape (n_runs, n_voxels), and the voxels."""
    rng = np.random.default_rng(2)
    volumes = np.array([ndimage.gaussian_filter(rng.normal(size=SHAPE), 1) for _ in range(N_RUNS)])
    volumes /= volumes.std()
    ages = np.array([float(row["age"]) for row in rows()])
    volumes[:, :4, :4, :3] += mean + age_effect * ((ages - ages.mean()) / ages.std())[:, None, None, None]
    inside = np.ones(SHAPE, dtype=bool)
    inside[0, 0] = inside[-1, -1] = False
    voxels = np.flatnonzero(inside.ravel(order="F"))
    return np.array([volume.ravel(order="F")[voxels] for volume in volumes]), voxels


def outcome(values, voxels, settings, neighbours=6, cluster_p=0.01):
    model = contrast_model(rows(), settings)
    shuffles, lattice = shuffles_of(model, settings), lattice_of(voxels, SHAPE, neighbours)
    null = null_of_maps(values, model, shuffles, lattice, cluster_p=cluster_p)
    return results_of_maps(values, model, lattice, null, shuffles.exhaustive, cluster_p=cluster_p), null


def nilearns(values, voxels, test, **options):
    """Give the function that returns a map of nilearn's second level, from 300 shuffles, on the voxels."""

    def image(numbers, dtype):
        volume = np.zeros(np.prod(SHAPE), dtype=dtype)
        volume[voxels] = numbers
        return nibabel.Nifti1Image(volume.reshape(SHAPE, order="F"), np.eye(4))

    design = pd.DataFrame({"intercept": np.ones(N_RUNS)})
    if test == "age":
        design["age"] = [float(row["age"]) for row in rows()]
    found = non_parametric_inference(
        [image(row, np.float64) for row in values], design_matrix=design, second_level_contrast=test,
        mask=image(1, np.uint8), n_perm=300, two_sided_test=True, random_state=0, threshold=0.01, verbose=0, **options,
    )  # fmt: skip
    return lambda name: found[name].get_fdata().ravel(order="F")[voxels]


def assert_same_p(ours, logarithm, n=300):
    """Both are estimates from n shuffles: their difference stays below four of its standard errors."""
    theirs = 10.0**-logarithm
    error = np.sqrt(2 * np.maximum(theirs * (1 - theirs), 1 / n) / n)
    assert (np.abs(ours - theirs) < 4 * error).all()


@pytest.mark.parametrize("test", ["intercept", "age"])
def test_equals_nilearns_second_level_within_monte_carlo_error(test):
    settings = {**SETTINGS, "test": test, "model": "age" if test == "age" else ""}
    values, voxels = smooth_maps(age_effect=0.9 * (test == "age"), mean=1.2 * (test == "intercept"))
    found, _ = outcome(values, voxels, settings)
    theirs = nilearns(values, voxels, test)
    np.testing.assert_allclose(found.statistics.statistic, theirs("t"), rtol=1e-5)
    assert_same_p(found.p_voxel.p, theirs("logp_max_t"))
    in_cluster = found.p_cluster < 1
    np.testing.assert_array_equal(in_cluster, theirs("size") > 0)
    assert_same_p(found.p_cluster[in_cluster], theirs("logp_max_size")[in_cluster])
    assert found.p_voxel.p.min() < 0.05 and found.p_cluster.min() < 0.05


def test_enhancement_equals_nilearns_once_its_steps_are_the_same_in_all_maps(monkeypatch):
    """nilearn cuts each map into a hundred steps and does not multiply by their width: scores of maps with other
    maxima cannot be compared, and its p is too large where the observed maximum is larger than those of shuffles."""
    values, voxels = smooth_maps(mean=0.6)
    found, _ = outcome(values, voxels, SETTINGS)
    theirs = nilearns(values, voxels, "intercept", tfce=True)
    width = np.abs(theirs("t")).max() / 100
    np.testing.assert_allclose(found.enhanced, theirs("tfce") * width, atol=0.03 * np.abs(found.enhanced).max())
    assert (10.0 ** -theirs("logp_max_tfce") - found.p_enhanced.p).max() > 0.1

    monkeypatch.setattr(
        permuted_least_squares, "calculate_tfce", functools.partial(permuted_least_squares.calculate_tfce, dh=0.1)
    )
    theirs = nilearns(values, voxels, "intercept", tfce=True)
    assert_same_p(found.p_enhanced.p, theirs("logp_max_tfce"))


def test_all_sign_flips_give_the_p_of_enumeration():
    values, voxels = smooth_maps(mean=0.7)
    chosen = [row["subject"] for row in rows()[:7]]
    settings = {**SETTINGS, "runs": {"subject": chosen}}
    found, null = outcome(values[:7], voxels, settings)
    lattice = lattice_of(voxels, SHAPE, 6)
    threshold = stats.t.isf(0.005, 6)
    maxima, extents = [], []
    for signs in itertools.product([1, -1], repeat=7):
        t = stats.ttest_1samp(np.array(signs)[:, None] * values[:7], 0).statistic
        maxima.append(np.abs(t).max())
        extents.append(cluster_labels(t, threshold, lattice)[1].max(initial=0))
    assert len(null.maxima) == 127 and found.threshold == pytest.approx(threshold)
    t = np.abs(stats.ttest_1samp(values[:7], 0).statistic)
    np.testing.assert_allclose(found.p_voxel.p, [(np.array(maxima) >= x * (1 - 1e-9)).mean() for x in t], atol=1e-12)
    labels, sizes = cluster_labels(found.statistics.statistic, threshold, lattice)
    for number, size in enumerate(sizes, start=1):
        np.testing.assert_allclose(found.p_cluster[labels == number], (np.array(extents) >= size).mean(), atol=1e-12)


def test_the_split_of_the_shuffles_and_the_cores_change_nothing(tmp_path):
    values, voxels = smooth_maps()
    values[3, :20] = np.nan
    settings = {**SETTINGS, "test": "age", "model": "age"}
    model = contrast_model(rows(), settings)
    shuffles, lattice = shuffles_of(model, settings), lattice_of(voxels, SHAPE, 26)
    whole = null_of_maps(values, model, shuffles, lattice)
    parts = [null_of_maps(values, model, shuffles, lattice, r, cores=2) for r in (range(1, 100), range(100, 999))]
    for number, part in enumerate(parts):
        write_null(tmp_path / f"{number}.npz", part)
    again = joined([read_null(tmp_path / f"{number}.npz") for number in range(2)])
    assert again.numbers == whole.numbers == range(1, 401)
    for name in ("maxima", "extents", "enhanced"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    with pytest.raises(ValueError, match="follow one another"):
        joined(parts[::-1])


def test_voxels_that_too_few_runs_have_are_not_tested():
    values, voxels = smooth_maps(mean=0.6)
    values[:6, :30], values[:1, 30:60] = np.nan, np.nan
    found, _ = outcome(values, voxels, SETTINGS)
    for p in (found.p_voxel.p, found.p_enhanced.p, found.p_cluster, found.enhanced):
        assert np.isnan(p[:30]).all() and np.isfinite(p[30:]).all()
    assert found.statistics.degrees_of_freedom[30] == N_RUNS - 2
