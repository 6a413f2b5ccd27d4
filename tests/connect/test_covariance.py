import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter
from sklearn.covariance import OAS, EmpiricalCovariance, LedoitWolf

from sphereconn.clean.degrees_of_freedom import effective_degrees_of_freedom
from sphereconn.connect.covariance import ESTIMATORS, empirical, ledoit_wolf, oas

ORACLES = {"ledoit_wolf": LedoitWolf, "oas": OAS, "empirical": EmpiricalCovariance}


def mixed_signals(n_frames, n_nodes, seed=0):
    """Correlated Gaussian signals with means and scales of their own."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_frames, 3)) @ rng.standard_normal((3, n_nodes))
    scales = np.exp(rng.uniform(-1, 1, n_nodes))
    return (common + rng.standard_normal((n_frames, n_nodes))) * scales + rng.uniform(-100, 100, n_nodes)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("shape", [(2, 2), (5, 3), (30, 80), (168, 4), (200, 60)])
def test_each_estimator_agrees_with_scikit_learn(name, shape):
    signals = mixed_signals(*shape)
    ours, oracle = ESTIMATORS[name].estimate(signals), ORACLES[name]().fit(signals)
    np.testing.assert_allclose(ours.covariance, oracle.covariance_, rtol=1e-10, atol=1e-10)
    if name == "empirical":
        assert ours.shrinkage is None
    else:
        assert ours.shrinkage == pytest.approx(oracle.shrinkage_, abs=1e-10)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("subject", [1, 9])
def test_each_estimator_agrees_with_scikit_learn_on_real_series(name, subject):
    _, signals = cohort_signals(subject)
    ours, oracle = ESTIMATORS[name].estimate(signals), ORACLES[name]().fit(signals)
    np.testing.assert_allclose(ours.covariance, oracle.covariance_, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_single_node_keeps_its_variance_and_is_not_shrunk(name):
    signals = mixed_signals(50, 1)
    estimate = ESTIMATORS[name].estimate(signals)
    assert estimate.covariance == pytest.approx(np.var(signals), rel=1e-12)
    assert not estimate.shrinkage


@pytest.mark.parametrize("estimator", [ledoit_wolf, oas])
def test_shrinkage_keeps_the_total_variance(estimator):
    signals = mixed_signals(40, 30)
    # The target has the trace of the empirical covariance, so every mixture of the two has it.
    np.testing.assert_allclose(
        np.trace(estimator(signals).covariance), np.trace(empirical(signals).covariance), rtol=1e-12
    )


@pytest.mark.parametrize("estimator", [ledoit_wolf, oas])
def test_shrinkage_falls_with_the_number_of_frames(estimator):
    weights = [estimator(mixed_signals(n_frames, 20)).shrinkage for n_frames in (20, 200, 20000)]
    assert 1 > weights[0] > weights[1] > weights[2] > 0
    assert weights[2] < 0.01


@pytest.mark.parametrize("estimator", [ledoit_wolf, oas])
def test_signals_already_at_the_target_stay_there(estimator):
    signals = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])  # covariance 0.5 I
    np.testing.assert_allclose(estimator(signals).covariance, 0.5 * np.eye(2), atol=1e-15)


def test_the_effective_number_of_frames_gives_the_weight_that_is_best_for_the_true_covariance():
    # Autocorrelated signals whose covariance is known: the best weight is that of the least squared error.
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((60, 8))
    true = factors @ factors.T / 8 + 0.7 * np.eye(60)
    true /= np.sqrt(np.outer(np.diag(true), np.diag(true)))
    target, mean = np.eye(60), np.full((300, 1), 300**-0.5)
    for coefficient in (0.0, 0.6, 0.9):
        weights = []
        for _ in range(20):
            noise = lfilter([1], [1, -coefficient], rng.standard_normal((400, 60)), axis=0)[100:]
            x = noise @ np.linalg.cholesky(true).T * np.sqrt(1 - coefficient**2)
            samples = effective_degrees_of_freedom(x, np.arange(300), mean)
            S = empirical(x).covariance
            best = np.sum((S - target) * (S - true)) / np.sum((S - target) ** 2)
            weights.append([best, *(estimate(x, samples).shrinkage for estimate in (ledoit_wolf, oas))])
        best, *ours = np.mean(weights, axis=0)
        assert ours == pytest.approx([best, best], rel=0.15)
        assert coefficient == 0 or ledoit_wolf(x).shrinkage < 0.6 * best


def test_the_effective_number_of_frames_predicts_the_other_half_of_every_real_run_better():
    def log_likelihood(covariance, z):
        return -np.linalg.slogdet(covariance)[1] - np.trace(np.linalg.solve(covariance, z.T @ z)) / len(z)

    for subject in range(1, 17):
        _, signals = cohort_signals(subject)
        halves = [(x - x.mean(axis=0)) / x.std(axis=0) for x in np.array_split(signals, 2)]
        for z, other in (halves, halves[::-1]):
            samples = effective_degrees_of_freedom(z, np.arange(len(z)), np.full((len(z), 1), len(z) ** -0.5))
            for estimator in (ledoit_wolf, oas):
                effective, frames = (estimator(z, number).covariance for number in (samples, None))
                assert log_likelihood(effective, other) > log_likelihood(frames, other) + 10


def test_two_nodes_follow_the_closed_form_of_ledoit_and_wolf():
    # z-scored pairs with correlation r: S = [[1, r], [r, 1]], m = 1, d = 2 r². Four frames (1, 1), (1, -1), (-1, 1),
    # (-1, -1) weighted 3:1:1:3 give r = 1/2 with |x|⁴ = 4 in every one of 8 frames: b = (4 - 2.5) / 8.
    signals = np.repeat([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], [3, 1, 1, 3], axis=0)
    estimate = ledoit_wolf(signals)
    expected = (1.5 / 8) / 0.5
    assert estimate.shrinkage == pytest.approx(expected, rel=1e-14)
    assert estimate.covariance[0, 1] == pytest.approx((1 - expected) / 2, rel=1e-14)


@given(st.integers(2, 40), st.integers(1, 20), st.integers(0, 10_000))
def test_estimates_are_symmetric_positive_and_shrunk_by_a_fraction(n_frames, n_nodes, seed):
    signals = mixed_signals(n_frames, n_nodes, seed)
    for estimator in ESTIMATORS.values():
        estimate = estimator.estimate(signals)
        np.testing.assert_array_equal(estimate.covariance, estimate.covariance.T)
        eigenvalues = np.linalg.eigvalsh(estimate.covariance)
        assert eigenvalues[0] > -1e-12 * eigenvalues[-1]
        assert estimate.shrinkage is None or 0 <= estimate.shrinkage <= 1


@pytest.mark.parametrize("name", ESTIMATORS)
def test_order_of_nodes_and_offsets_do_not_matter(name):
    signals, order = mixed_signals(60, 25), np.random.default_rng(1).permutation(25)
    estimate = ESTIMATORS[name].estimate(signals)
    other = ESTIMATORS[name].estimate(signals[:, order] + 7)
    np.testing.assert_allclose(other.covariance, estimate.covariance[np.ix_(order, order)], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("wrong", [np.ones(5), np.ones((0, 3)), np.ones((3, 0)), np.array([[1.0, np.nan], [1, 2]])])
def test_arrays_that_are_not_finite_signals_are_refused(name, wrong):
    with pytest.raises(ValueError, match="signals"):
        ESTIMATORS[name].estimate(wrong)


def test_the_input_is_not_changed():
    signals = mixed_signals(30, 5)
    before = signals.copy()
    for estimator in ESTIMATORS.values():
        estimator.estimate(signals)
    np.testing.assert_array_equal(signals, before)
