"""The tangent space against pyriemann and nilearn, its certificate, and its rules for what is missing."""

import doctest
import warnings
from functools import partial

import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given
from hypothesis import strategies as st
from nilearn.connectome import ConnectivityMeasure, connectivity_matrices
from pyriemann.tangentspace import TangentSpace
from scipy.linalg import expm, logm, sqrtm
from sklearn.covariance import EmpiricalCovariance, LedoitWolf

from sphereconn.connect import tangent
from sphereconn.connect.connectivity import standardize
from sphereconn.connect.tangent import displacement, geometric_mean, of_eigenvalues, tangent_space
from sphereconn.errors import InputError


def cohort(n_runs=8, n_nodes=30):
    return [cohort_signals(subject)[1][:, :n_nodes] for subject in range(6, 6 + n_runs)]


def definite(rng, n_matrices, n, spread=1.0):
    for _ in range(n_matrices):
        direction = rng.normal(0, spread, (n, n))
        yield expm(direction + direction.T)


@pytest.mark.parametrize("covariance", ["ledoit_wolf", "empirical"])
@pytest.mark.parametrize(("tolerance", "agreement"), [(None, 1e-5), (1e-12, 1e-6)])
def test_equals_nilearn_on_z_scored_signals(covariance, tolerance, agreement, monkeypatch):
    if tolerance is not None:  # nilearn stops its mean early, at a distance of up to 1e-7 n_nodes²
        exact = partial(connectivity_matrices._geometric_mean, max_iter=60, tol=tolerance)
        monkeypatch.setattr(connectivity_matrices, "_geometric_mean", lambda matrices, **_: exact(matrices))
    runs = cohort()
    z = [standardize(run)[0] for run in runs]
    estimator = {"ledoit_wolf": LedoitWolf(store_precision=False), "empirical": EmpiricalCovariance()}[covariance]
    measure = ConnectivityMeasure(estimator, kind="tangent", standardize=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = measure.fit_transform(z)
    space = tangent_space(runs, covariance)
    np.testing.assert_allclose(space.displacements, expected, rtol=0, atol=agreement)
    np.testing.assert_allclose(space.mean, measure.mean_, rtol=0, atol=agreement)
    np.testing.assert_allclose(space.whitening, measure.whitening_, rtol=0, atol=10 * agreement)


def test_equals_pyriemann():
    runs = cohort(n_runs=10, n_nodes=40)
    covariances = np.array([LedoitWolf().fit(standardize(run)[0]).covariance_ for run in runs])
    expected = TangentSpace(metric="riemann").fit(covariances)
    space = tangent_space(runs)
    rows, columns = np.triu_indices(40)
    # pyriemann weighs what is off the diagonal by √2, so that the norm of the vector is that of the matrix.
    vectors = space.displacements[:, rows, columns] * np.where(rows == columns, 1, np.sqrt(2))
    np.testing.assert_allclose(space.mean, expected.reference_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(vectors, expected.transform(covariances), rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
def test_the_displacement_is_a_logarithm_and_leads_back_to_the_covariance():
    rng = np.random.default_rng(3)
    covariance, mean = definite(rng, 2, 6, 0.3)
    whitening = of_eigenvalues(mean, lambda values: 1 / np.sqrt(values))
    moved = displacement(covariance, whitening)
    np.testing.assert_allclose(moved, logm(np.linalg.inv(sqrtm(mean)) @ covariance @ np.linalg.inv(sqrtm(mean))))
    np.testing.assert_allclose(sqrtm(mean) @ expm(moved) @ sqrtm(mean), covariance, rtol=1e-10)


def test_the_mean_of_two_is_the_middle_of_the_geodesic():
    rng = np.random.default_rng(0)
    one, other = definite(rng, 2, 8)
    root = sqrtm(one)
    middle = root @ sqrtm(np.linalg.inv(root) @ other @ np.linalg.inv(root)) @ root
    np.testing.assert_allclose(geometric_mean([one, other]).matrix, middle, rtol=1e-6)


def distance(one, other):
    return np.linalg.norm(np.log(np.linalg.eigvals(np.linalg.solve(one, other)).real))


@given(seed=st.integers(0, 2**32 - 1), n_matrices=st.integers(1, 12), n=st.integers(1, 8), spread=st.floats(0.01, 0.8))
def test_the_gradient_bounds_the_distance_from_the_mean(seed, n_matrices, n, spread):
    rng = np.random.default_rng(seed)
    matrices = list(definite(rng, n_matrices, n, spread))
    true = geometric_mean(matrices, distance=1e-9).matrix
    rough = geometric_mean(matrices, distance=0.1)
    assert rough.gradient_norm <= 0.1
    assert distance(rough.matrix, true) <= rough.gradient_norm * (1 + 1e-6) + 1e-7


@given(seed=st.integers(0, 2**32 - 1))
def test_the_mean_goes_along_with_any_mixing_of_the_nodes(seed):
    rng = np.random.default_rng(seed)
    matrices, mixing = list(definite(rng, 5, 4, 0.3)), rng.standard_normal((4, 4)) + 3 * np.eye(4)
    mixed = geometric_mean([mixing @ matrix @ mixing.T for matrix in matrices]).matrix
    np.testing.assert_allclose(mixed, mixing @ geometric_mean(matrices).matrix @ mixing.T, rtol=1e-5, atol=1e-6)


def test_displacements_sum_to_zero_and_carry_their_certificate():
    space = tangent_space(cohort())
    assert space.gradient_norm <= 1e-7
    np.testing.assert_allclose(np.linalg.norm(space.displacements.mean(axis=0)), space.gradient_norm, atol=1e-12)
    np.testing.assert_array_equal(space.displacements, space.displacements.swapaxes(1, 2))
    assert 1 < space.n_iterations < 20
    assert all(0 < weight < 1 for weight in space.shrinkage)


def test_effective_samples_shrink_more():
    runs = cohort(4)
    frames, effective = tangent_space(runs), tangent_space(runs, samples=[40] * 4)
    assert all(more > less for more, less in zip(effective.shrinkage, frames.shrinkage, strict=True))


def test_the_units_of_the_signals_do_not_matter():
    runs = cohort(4, 10)
    scaled = [run * np.linspace(0.1, 50, 10) + 1000 for run in runs]
    np.testing.assert_allclose(tangent_space(scaled).displacements, tangent_space(runs).displacements, atol=1e-9)


def test_a_mean_that_is_not_found_is_an_error(monkeypatch):
    monkeypatch.setattr(tangent, "MOST_ITERATIONS", 1)
    with pytest.raises(
        InputError, match=r"geometric mean of 8 covariances has not converged in 1 iterations: it may be"
    ):
        tangent_space(cohort())


def test_a_node_without_a_signal_in_one_run_is_left_out_of_all():
    runs = cohort(4, 12)
    runs[1] = runs[1].copy()
    runs[1][:, 3] = np.nan
    runs[2] = runs[2].copy()
    runs[2][:, 7] = runs[2][:, 0]  # the signal of an earlier node
    space, others = tangent_space(runs), np.delete(np.arange(12), [3, 7])
    assert space.unusable == (3, 7) and space.left_out == {}
    np.testing.assert_array_equal(
        space.displacements[np.ix_(range(4), others, others)],
        tangent_space([run[:, others] for run in runs]).displacements,
    )
    for matrix in (*space.displacements, space.mean, space.whitening):
        assert np.isnan(matrix[[3, 7]]).all() and np.isnan(matrix[:, [3, 7]]).all()


def test_a_run_that_lacks_nodes_or_has_no_inverse_is_left_out_and_named():
    runs = cohort(5, 12)
    runs[0] = np.where(np.arange(12) < 8, np.nan, runs[0])
    runs[2] = runs[2][:12]
    space = tangent_space(runs, "empirical")
    assert space.left_out == {
        0: "4 of 12 nodes have a signal; a joint fit needs 6 (min_nodes is 0.5).",
        2: "12 frames are too few for 12 nodes, so the empirical covariance has no inverse; use the covariance"
        " ledoit_wolf or oas, or other nodes.",
    }
    assert np.isnan(space.displacements[[0, 2]]).all()
    np.testing.assert_array_equal(
        space.displacements[[1, 3, 4]], tangent_space([runs[1], runs[3], runs[4]], "empirical").displacements
    )


def test_no_run_with_an_inverse_is_an_error():
    with pytest.raises(InputError, match=r"No run can take part in the fit; run 1: 12 frames are too few"):
        tangent_space([run[:12] for run in cohort(3, 12)], "empirical")


def test_the_example_of_the_documentation_holds():
    assert doctest.testmod(tangent).failed == 0
