"""The graphical lasso: its certificate, closed forms, optimality and choice of a penalty, beside scikit-learn's."""

import warnings

import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import GraphicalLassoCV
from sklearn.covariance import graphical_lasso as sklearn_graphical_lasso

from sphereconn.connect.graphical_lasso import ConvergenceError, duality_gap, graphical_lasso
from sphereconn.connect.sparse_selection import Grid, blocks, cross_validate, ebic, sparse_inverse_covariance
from sphereconn.errors import InputError

ROUNDING = 1e-10  # of an objective of order 100


def correlation_of(n_frames, n_nodes, seed, mixing=0.5):
    rng = np.random.default_rng(seed)
    sources = rng.standard_normal((n_frames, n_nodes))
    signals = sources + mixing * sources @ (rng.standard_normal((n_nodes, n_nodes)) / np.sqrt(n_nodes))
    return np.corrcoef(signals, rowvar=False)


def objective(covariance, alpha, precision):
    sign, log_determinant = np.linalg.slogdet(precision)
    assert sign > 0
    off_diagonal = np.abs(precision).sum() - np.abs(np.diag(precision)).sum()
    return -log_determinant + np.sum(covariance * precision) + alpha * off_diagonal


def independent_gap(covariance, alpha, precision, dual):
    """The duality gap from its definition, after checking that the dual point is allowed."""
    assert np.abs(np.diag(dual) - np.diag(covariance)).max() < 1e-12
    difference = np.abs(dual - covariance)
    np.fill_diagonal(difference, 0)
    assert difference.max() <= alpha * (1 + 1e-12)
    assert np.linalg.eigvalsh(dual).min() > 0
    return objective(covariance, alpha, precision) - np.linalg.slogdet(dual)[1] - len(dual)


def z_scored(subject):
    signals = cohort_signals(subject)[1]
    return (signals - signals.mean(axis=0)) / signals.std(axis=0)


@given(
    seed=st.integers(0, 10_000),
    n_nodes=st.integers(2, 25),
    n_frames=st.integers(5, 60),
    share=st.floats(0.05, 0.95),
)
@settings(max_examples=40, deadline=None)
def test_every_solution_carries_a_gap_that_its_definition_confirms(seed, n_nodes, n_frames, share):
    covariance = correlation_of(n_frames, n_nodes, seed)
    alpha = share * np.abs(covariance - np.eye(n_nodes)).max()
    solution = graphical_lasso(covariance, alpha, gap_per_node=1e-6)
    gap = independent_gap(covariance, alpha, solution.precision, solution.covariance)
    assert abs(gap - solution.duality_gap) < ROUNDING * n_nodes
    assert -ROUNDING * n_nodes < gap <= 1e-6 * n_nodes
    assert (solution.precision == solution.precision.T).all()
    assert np.linalg.eigvalsh(solution.precision).min() > 0
    assert abs(objective(covariance, alpha, solution.precision) - solution.objective) < ROUNDING * n_nodes


def test_the_conditions_of_optimality_hold():
    # At the optimum W - S = alpha sign(P) where P is not 0, and at most alpha elsewhere (the KKT conditions).
    covariance, alpha = correlation_of(60, 30, seed=1), 0.1
    solution = graphical_lasso(covariance, alpha, gap_per_node=1e-11)
    inverse = np.linalg.inv(solution.precision)
    off_diagonal = ~np.eye(30, dtype=bool)
    edges = off_diagonal & (solution.precision != 0)
    assert 0 < edges.sum() < off_diagonal.sum()
    # A gap g leaves an error of the order of its square root: 30e-11 -> 2e-5.
    np.testing.assert_allclose((inverse - covariance)[edges], alpha * np.sign(solution.precision[edges]), atol=1e-4)
    assert np.abs((inverse - covariance)[off_diagonal & ~edges]).max() <= alpha + 1e-4
    np.testing.assert_allclose(np.diag(inverse), 1, atol=1e-4)


def test_a_gap_of_1e_8_in_total_is_within_reach():
    covariance = correlation_of(100, 50, seed=2)
    solution = graphical_lasso(covariance, 0.05, gap_per_node=1e-8 / 50)
    assert independent_gap(covariance, 0.05, solution.precision, solution.covariance) <= 1e-8 + 1e-11


def test_a_fit_that_does_not_reach_its_gap_is_an_error_and_no_result():
    with pytest.raises(ConvergenceError, match="gap"):
        graphical_lasso(correlation_of(60, 30, seed=1), 0.01, gap_per_node=1e-9, max_iterations=1)


@pytest.mark.parametrize("alpha", [0.6, 0.9])
def test_above_the_largest_correlation_no_edge_is_left(alpha):
    covariance = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 4.0]])
    solution = graphical_lasso(covariance, alpha)
    np.testing.assert_allclose(solution.precision, np.diag([0.5, 1.0, 0.25]), rtol=1e-15)
    assert solution.duality_gap == pytest.approx(0, abs=1e-15)


def test_two_nodes_are_solved_in_closed_form():
    # The covariance of the fit is soft-thresholded: 0.7 - 0.2.
    solution = graphical_lasso(np.array([[1.0, -0.7], [-0.7, 1.0]]), 0.2, gap_per_node=1e-12)
    np.testing.assert_allclose(solution.precision, np.linalg.inv([[1.0, -0.5], [-0.5, 1.0]]), rtol=1e-12)


def test_without_a_penalty_it_is_the_inverse():
    covariance = correlation_of(100, 10, seed=3)
    np.testing.assert_allclose(graphical_lasso(covariance, 0.0).precision, np.linalg.inv(covariance), rtol=1e-9)


def test_a_penalised_diagonal_adds_the_penalty_to_the_variances():
    covariance = correlation_of(40, 12, seed=4)
    penalised = graphical_lasso(covariance, 0.1, penalize_diagonal=True, gap_per_node=1e-10)
    shifted = graphical_lasso(covariance + 0.1 * np.eye(12), 0.1, gap_per_node=1e-10)
    np.testing.assert_allclose(penalised.precision, shifted.precision, atol=1e-12)


def test_unconnected_groups_of_nodes_are_solved_apart():
    first, second = correlation_of(50, 8, seed=5), correlation_of(50, 6, seed=6)
    whole = np.zeros((14, 14))
    whole[:8, :8], whole[8:, 8:] = first, second
    order = np.random.default_rng(0).permutation(14)
    solution = graphical_lasso(whole[np.ix_(order, order)], 0.1, gap_per_node=1e-10).precision
    back = np.argsort(order)
    expected = np.zeros((14, 14))
    expected[:8, :8] = graphical_lasso(first, 0.1, gap_per_node=1e-10).precision
    expected[8:, 8:] = graphical_lasso(second, 0.1, gap_per_node=1e-10).precision
    np.testing.assert_allclose(solution[np.ix_(back, back)], expected, atol=1e-4)


def test_duplicated_nodes_and_fewer_frames_than_nodes_are_no_obstacle():
    signals = np.random.default_rng(7).standard_normal((20, 30))
    signals[:, 5] = signals[:, 6]
    covariance = np.corrcoef(signals, rowvar=False)
    solution = graphical_lasso(covariance, 0.2)
    assert independent_gap(covariance, 0.2, solution.precision, solution.covariance) <= 30e-4 + 1e-9


def test_a_node_without_variance_is_named():
    covariance = np.diag([1.0, 0.0, 1.0])
    with pytest.raises(InputError, match="thalamus"):
        graphical_lasso(covariance, 0.1, names=["insula", "thalamus", "cuneus"])


@pytest.mark.parametrize("n_nodes", [2, 3, 300])
def test_few_and_many_nodes(n_nodes):
    covariance = correlation_of(150, n_nodes, seed=8)
    solution = graphical_lasso(covariance, 0.25)
    assert solution.duality_gap <= 1e-4 * n_nodes


def test_where_scikit_learn_converges_the_objectives_agree():
    for seed in range(3):
        covariance = correlation_of(200, 20, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # no warning: it did converge
            _, precision = sklearn_graphical_lasso(covariance, alpha=0.1, tol=1e-8, enet_tol=1e-10, max_iter=500)
        ours = graphical_lasso(covariance, 0.1, gap_per_node=1e-9)
        assert ours.objective == pytest.approx(objective(covariance, 0.1, precision), abs=1e-6)
        assert ours.objective <= objective(covariance, 0.1, precision) + 1e-8 * 20


@pytest.mark.parametrize("subject", [1, 9])
def test_on_real_series_scikit_learn_does_not_converge_and_we_end_lower(subject):
    z = z_scored(subject)
    covariance, alpha = z.T @ z / len(z), 0.02
    ours = graphical_lasso(covariance, alpha)
    assert independent_gap(covariance, alpha, ours.precision, ours.covariance) <= 1e-4 * 122
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _, precision = sklearn_graphical_lasso(covariance, alpha=alpha, max_iter=100)
        except FloatingPointError:
            return  # it did not even end
    assert any("did not converge" in str(warning.message) for warning in caught)
    assert ours.objective < objective(covariance, alpha, precision)


def test_the_same_input_gives_the_same_bytes():
    z = z_scored(2)[:, :40]
    first, second = (sparse_inverse_covariance(z, cv=3) for _ in range(2))
    assert first.precision.tobytes() == second.precision.tobytes()
    assert first.alpha == second.alpha


def test_the_grid_folds_and_scores_are_those_of_scikit_learn():
    # scikit-learn's fits stop early (at 1e-4 of a gap that it misjudges), so scores agree to about 1e-3 only.
    rng = np.random.default_rng(9)
    signals = rng.standard_normal((200, 12)) @ np.linalg.cholesky(correlation_of(60, 12, seed=10)).T
    z = (signals - signals.mean(axis=0)) / signals.std(axis=0)
    theirs = GraphicalLassoCV(cv=3).fit(z)
    ours = cross_validate(z, 3, grid=Grid(stop_early=False, gap_per_node=1e-7))
    # Around the best penalty the score is flat, so the last refinement may settle on a neighbour.
    assert ours.alpha == pytest.approx(theirs.alpha_, rel=0.05)
    scores = dict(zip(ours.path["alpha"], ours.path["score"], strict=True))
    expected = dict(zip(theirs.cv_results_["alphas"], theirs.cv_results_["mean_test_score"], strict=True))
    compared = 0
    for alpha, score in expected.items():
        near = [key for key in scores if np.isclose(key, alpha, rtol=1e-6)]
        if near and alpha > 0:
            # Theirs leaves out the constant of the likelihood, or not, by version: both are constants over the path.
            compared += 1
            assert scores[near[0]] == pytest.approx(score, abs=5e-3)
    assert compared >= 4


def test_ending_the_path_early_does_not_change_the_choice():
    z = z_scored(3)[:, :30]
    early, whole = (cross_validate(z, 3, grid=Grid(stop_early=stop)) for stop in (True, False))
    assert early.alpha == whole.alpha
    assert len(early.path["alpha"]) <= len(whole.path["alpha"])


def test_folds_are_contiguous_blocks_and_a_gap_keeps_training_away_from_them():
    for train, test in blocks(100, 5, gap_frames=6):
        assert np.array_equal(test, np.arange(test[0], test[-1] + 1))
        assert np.abs(train[:, None] - test[None, :]).min() > 6
    with pytest.raises(InputError, match="gap_frames"):
        blocks(20, 2, gap_frames=10)


def test_ebic_finds_a_sparse_graph_better_than_cross_validation_does():
    # A chain: each node tied to the next; cross-validation is known to keep too many edges.
    n_nodes = 20
    precision = np.eye(n_nodes) + np.diag(np.full(n_nodes - 1, 0.4), 1) + np.diag(np.full(n_nodes - 1, 0.4), -1)
    rng = np.random.default_rng(11)
    signals = rng.multivariate_normal(np.zeros(n_nodes), np.linalg.inv(precision), size=800)
    z = (signals - signals.mean(axis=0)) / signals.std(axis=0)
    truth = (precision != 0) & ~np.eye(n_nodes, dtype=bool)

    def wrong(fit):
        return (((fit.precision != 0) & ~np.eye(n_nodes, dtype=bool)) != truth).sum() / 2

    by_ebic, by_cv = (sparse_inverse_covariance(z, selection=selection, cv=3) for selection in ("ebic", "cv"))
    assert 0 < 2 * wrong(by_ebic) < wrong(by_cv)
    # At the penalty that scikit-learn chooses, the graph is no worse than scikit-learn's.
    theirs = GraphicalLassoCV(cv=3).fit(z)
    wrong_of_theirs = (((theirs.precision_ != 0) & ~np.eye(n_nodes, dtype=bool)) != truth).sum() / 2
    assert wrong(sparse_inverse_covariance(z, selection=float(theirs.alpha_))) <= wrong_of_theirs
    assert set(ebic(z).path) == {"alpha", "ebic", "n_edges", "duality_gap"}


def test_missing_and_constant_nodes_are_left_out_and_listed():
    z = z_scored(4)[:, :12].copy()
    z[:, 3] = np.nan
    z[:, 7] = 5.0
    fit = sparse_inverse_covariance(z, selection=0.1)
    assert fit.unusable == (3, 7)
    for matrix in (fit.precision, fit.covariance, fit.partial_correlation):
        assert np.isnan(matrix[[3, 7]]).all()
        assert np.isfinite(np.delete(np.delete(matrix, [3, 7], 0), [3, 7], 1)).all()


def test_the_three_matrices_belong_together():
    fit = sparse_inverse_covariance(z_scored(6)[:, :15], selection=0.05, grid=Grid(gap_per_node=1e-10))
    np.testing.assert_allclose(fit.covariance @ fit.precision, np.eye(15), atol=1e-3)
    scale = np.sqrt(np.diag(fit.precision))
    expected = -fit.precision / np.outer(scale, scale)
    np.fill_diagonal(expected, 1)
    np.testing.assert_allclose(fit.partial_correlation, expected, atol=1e-12)


def test_the_gap_of_any_pair_of_points_bounds_the_distance_from_the_optimum():
    covariance, alpha = correlation_of(50, 10, seed=12), 0.1
    best = graphical_lasso(covariance, alpha, gap_per_node=1e-10)
    rough = np.diag(1 / np.diag(covariance))
    gap = duality_gap(covariance, alpha, rough, best.covariance)
    assert gap >= objective(covariance, alpha, rough) - best.objective - 1e-9
