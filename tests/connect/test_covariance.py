import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import OAS, EmpiricalCovariance, LedoitWolf

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
