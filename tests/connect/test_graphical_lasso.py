import warnings

import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.covariance import graphical_lasso as scikit_graphical_lasso
from sklearn.exceptions import ConvergenceWarning

from sphereconn.connect import graphical_lasso as solver
from sphereconn.connect.connectivity import standardize
from sphereconn.connect.graphical_lasso import ConvergenceError, duality_gap, graphical_lasso
from sphereconn.errors import InputError


def correlation(n_frames, n_nodes, seed=0, common=0.7):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_frames, n_nodes)) + common * rng.standard_normal((n_frames, 1))
    return correlation_of(x)


def correlation_of(x):
    z = standardize(x)[0]
    return z.T @ z / len(z)


def cohort_correlation(subject):
    return correlation_of(cohort_signals(subject)[1])


def objective(covariance, alpha, precision, penalize_diagonal=False):
    sign, log_determinant = np.linalg.slogdet(precision)
    assert sign == 1
    penalty = np.abs(precision).sum() - (0 if penalize_diagonal else np.abs(np.diag(precision)).sum())
    return -log_determinant + np.trace(covariance @ precision) + alpha * penalty


def dual_objective(dual):
    sign, log_determinant = np.linalg.slogdet(dual)
    assert sign == 1
    return log_determinant + len(dual)


def assert_certified(solution, covariance, alpha, gap, penalize_diagonal=False):
    """Check a solution by its definition, with nothing of the solver."""
    P, W = solution.precision, solution.covariance
    assert np.array_equal(P, P.T) and np.array_equal(W, W.T)
    assert np.linalg.eigvalsh(P)[0] > 0
    rounding = 1e-13 * np.abs(covariance).max()
    assert np.abs(W - covariance).max() <= alpha + rounding
    np.testing.assert_allclose(np.diag(W), np.diag(covariance) + alpha * penalize_diagonal, rtol=1e-15)
    recomputed = objective(covariance, alpha, P, penalize_diagonal) - dual_objective(W)
    # The terms of the gap are of the order of n_nodes times the logarithm of the condition number, known to 1e-16.
    assert solution.duality_gap == pytest.approx(recomputed, abs=1e-9)
    assert 0 <= solution.duality_gap <= gap
    assert solution.objective == pytest.approx(objective(covariance, alpha, P, penalize_diagonal), abs=1e-9)
    assert solution.log_determinant == pytest.approx(np.linalg.slogdet(P)[1], abs=1e-9)


# --- closed forms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [1e-3, 0.5, 7.0])
def test_a_diagonal_covariance_has_its_reciprocal_as_precision(alpha):
    variances = np.array([0.5, 1.0, 3.0])
    solution = graphical_lasso(np.diag(variances), alpha)
    np.testing.assert_allclose(solution.precision, np.diag(1 / variances), rtol=1e-15)
    assert_certified(solution, np.diag(variances), alpha, gap=1e-12)


def test_an_alpha_of_the_largest_covariance_or_more_leaves_no_edge():
    variances = np.linspace(0.5, 3, 20)
    S = correlation(50, 20) * np.sqrt(np.outer(variances, variances))
    largest = np.abs(S - np.diag(variances)).max()
    for alpha in (largest, 2 * largest):
        solution = graphical_lasso(S, alpha)
        np.testing.assert_allclose(solution.precision, np.diag(1 / variances), rtol=1e-14)
        assert_certified(solution, S, alpha, gap=1e-12)
    assert np.count_nonzero(graphical_lasso(S, 0.999 * largest).precision) == 22


@pytest.mark.parametrize("covariance", [0.8, -0.8, 0.3])
@pytest.mark.parametrize("alpha", [0.1, 0.5])
def test_two_nodes_have_the_inverse_of_the_soft_thresholded_covariance(covariance, alpha):
    S = np.array([[1.0, covariance], [covariance, 2.0]])
    W = np.array(S)
    W[0, 1] = W[1, 0] = np.sign(covariance) * max(abs(covariance) - alpha, 0)
    solution = graphical_lasso(S, alpha)
    np.testing.assert_allclose(solution.precision, np.linalg.inv(W), rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(solution.covariance, W, rtol=1e-15)
    assert_certified(solution, S, alpha, gap=1e-12)


def test_an_alpha_of_zero_gives_the_inverse():
    S = correlation(100, 10)
    solution = graphical_lasso(S, 0.0)
    np.testing.assert_allclose(solution.precision @ S, np.eye(10), atol=1e-13)
    assert_certified(solution, S, 0.0, gap=1e-12)


def test_a_star_has_a_closed_form_because_its_thresholded_graph_is_a_tree():
    # With no cycle in the graph |S_ij| > alpha, W_ij is S_ij moved towards 0 by alpha on the edges of the tree and the
    # product of those along the path elsewhere, provided that this is within alpha of S_ij (Fattahi and Sojoudi 2019).
    n, alpha = 6, 0.2
    edge = 0.5
    S = np.eye(n)
    S[0, 1:] = S[1:, 0] = edge
    S[1:, 1:] += 0.15 * (1 - np.eye(n - 1))
    solution = graphical_lasso(S, alpha, gap_per_node=1e-12)
    moved = edge - alpha
    expected = np.zeros((n, n))
    expected[0, 1:] = expected[1:, 0] = -moved / (1 - moved**2)
    expected[np.diag_indices(n)] = 1 / (1 - moved**2)
    expected[0, 0] = 1 + (n - 1) * moved**2 / (1 - moved**2)
    np.testing.assert_allclose(solution.precision, expected, atol=1e-6)
    assert np.array_equal(solution.precision != 0, expected != 0)


# --- the certificate, and optimality --------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_nodes=st.integers(2, 25),
    n_frames=st.integers(2, 60),
    log_alpha=st.floats(-4, 0),
    penalize_diagonal=st.booleans(),
    duplicate=st.booleans(),
)
def test_every_solution_is_certified_and_meets_the_conditions_of_optimality(
    seed, n_nodes, n_frames, log_alpha, penalize_diagonal, duplicate
):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_frames, n_nodes)) + rng.standard_normal((n_frames, 1))
    if duplicate:
        x[:, -1] = -x[:, 0]
    S = np.cov(x.T, bias=True)
    S = S / np.diag(S).max()
    alpha = 10.0**log_alpha
    loose = graphical_lasso(S, alpha, penalize_diagonal=penalize_diagonal)
    assert_certified(loose, S, alpha, 1e-4 * n_nodes, penalize_diagonal)
    tight = graphical_lasso(S, alpha, penalize_diagonal=penalize_diagonal, gap_per_node=1e-9 / n_nodes)
    assert_certified(tight, S, alpha, 1e-9, penalize_diagonal)
    assert loose.objective >= tight.objective - 1e-9
    # The gradient of the smooth part is balanced by the penalty: S - P⁻¹ is -alpha sign(P_ij) where P_ij is not zero.
    # A gap g allows P⁻¹ an error of √(2 g) in the metric of P⁻¹ itself, whose eigenvalues are at most n_nodes or so.
    slack = np.linalg.inv(tight.precision) - S
    allowed = 3 * np.sqrt(2e-9) * np.linalg.eigvalsh(tight.covariance)[-1]
    edge = (tight.precision != 0) & ~np.eye(n_nodes, dtype=bool)
    assert np.abs(slack[edge] - alpha * np.sign(tight.precision[edge])).max(initial=0) <= allowed
    assert np.abs(slack).max() <= alpha + allowed


def test_the_dual_solved_by_a_general_optimizer_has_the_same_value():
    S, alpha = correlation(12, 8, seed=4), 0.15
    rows, columns = np.triu_indices(8, k=1)

    def negative_dual(entries):
        W = np.eye(8)
        W[rows, columns] = W[columns, rows] = entries
        sign, log_determinant = np.linalg.slogdet(W)
        if sign <= 0 or np.linalg.eigvalsh(W)[0] <= 0:
            return np.inf, np.zeros_like(entries)
        return -log_determinant, -2 * np.linalg.inv(W)[rows, columns]

    start = S[rows, columns] * (1 - alpha)
    bounds = [(value - alpha, value + alpha) for value in S[rows, columns]]
    best = minimize(negative_dual, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15})
    solution = graphical_lasso(S, alpha, gap_per_node=1e-11)
    assert solution.objective == pytest.approx(8 - best.fun, abs=1e-6)


@pytest.mark.parametrize("subject", [1, 7, 12])
def test_real_series_reach_a_gap_of_one_in_a_hundred_million(subject):
    S = cohort_correlation(subject)
    for alpha in (0.3, 0.1, 0.03):
        assert_certified(graphical_lasso(S, alpha, gap_per_node=1e-8 / len(S)), S, alpha, gap=1e-8)


def test_a_thousand_nodes_with_fewer_frames():
    rng = np.random.default_rng(3)
    groups = rng.integers(20, size=1000)
    S = correlation_of(rng.standard_normal((150, 20))[:, groups] + rng.standard_normal((150, 1000)))
    assert_certified(graphical_lasso(S, 0.25), S, 0.25, gap=0.1)


def test_the_gap_of_any_precision_is_an_upper_bound_of_its_distance_from_the_optimum():
    S, alpha = correlation(30, 12), 0.1
    best = graphical_lasso(S, alpha, gap_per_node=1e-11)
    for shrinkage in (0.1, 0.5, 0.9):
        P = np.linalg.inv((1 - shrinkage) * S + shrinkage * np.eye(12))
        distance = objective(S, alpha, P) - best.objective
        assert distance > 0
        assert duality_gap(S, alpha, P, np.linalg.inv(P)) >= distance
        assert duality_gap(S, alpha, P, best.covariance) == pytest.approx(distance, abs=1e-9)
    assert duality_gap(S, alpha, -np.eye(12), np.eye(12)) == np.inf


# --- invariances ----------------------------------------------------------------------------------------------------


def test_the_order_of_the_nodes_does_not_matter():
    S, alpha = correlation(40, 15), 0.1
    order = np.random.default_rng(1).permutation(15)
    one = graphical_lasso(S, alpha, gap_per_node=1e-11)
    other = graphical_lasso(S[np.ix_(order, order)], alpha, gap_per_node=1e-11)
    np.testing.assert_allclose(other.precision, one.precision[np.ix_(order, order)], atol=1e-5)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_the_signals_does_not_matter(unit):
    S, alpha = correlation(40, 15), 0.1
    one = graphical_lasso(S, alpha)
    other = graphical_lasso(unit * S, unit * alpha)
    np.testing.assert_allclose(unit * other.precision, one.precision, rtol=1e-6, atol=1e-9)


def test_independent_blocks_are_solved_as_if_alone():
    one, other, alpha = correlation(30, 7, seed=1), correlation(30, 5, seed=2), 0.12
    order = np.random.default_rng(0).permutation(12)
    here, there = np.sort(order[:7]), np.sort(order[7:])  # the nodes of one among those of the other
    both = np.full((12, 12), 0.05)  # below alpha: the blocks are not linked, although they are correlated
    both[np.ix_(here, here)], both[np.ix_(there, there)] = one, other
    solution = graphical_lasso(both, alpha)
    np.testing.assert_array_equal(solution.precision[np.ix_(here, here)], graphical_lasso(one, alpha).precision)
    np.testing.assert_array_equal(solution.precision[np.ix_(there, there)], graphical_lasso(other, alpha).precision)
    assert not solution.precision[np.ix_(here, there)].any()
    assert_certified(solution, both, alpha, gap=12e-4)


def test_duplicate_nodes_are_exchangeable():
    x = np.random.default_rng(0).standard_normal((60, 6))
    x[:, 1] = x[:, 0]
    solution = graphical_lasso(correlation_of(x), 0.05, gap_per_node=1e-12)
    exchanged = [1, 0, 2, 3, 4, 5]
    np.testing.assert_allclose(solution.precision, solution.precision[np.ix_(exchanged, exchanged)], atol=1e-4)
    assert solution.precision[0, 1] < -1


def test_penalising_the_diagonal_adds_alpha_to_it():
    S, alpha = correlation(40, 10), 0.1
    with_diagonal = graphical_lasso(S, alpha, penalize_diagonal=True)
    shifted = graphical_lasso(S + alpha * np.eye(10), alpha)
    np.testing.assert_array_equal(with_diagonal.precision, shifted.precision)
    assert_certified(with_diagonal, S, alpha, 1e-3, penalize_diagonal=True)


def test_the_same_input_gives_the_same_bytes_and_is_left_alone():
    S = cohort_correlation(2)
    before = S.copy()
    one, other = graphical_lasso(S, 0.1), graphical_lasso(S, 0.1)
    assert one.precision.tobytes() == other.precision.tobytes()
    assert one.covariance.tobytes() == other.covariance.tobytes()
    np.testing.assert_array_equal(S, before)


# --- starts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_a_start_from_another_alpha_or_covariance_or_from_nonsense_changes_nothing_but_the_time(alpha):
    S, other = cohort_correlation(3), cohort_correlation(4)
    target = graphical_lasso(S, alpha, gap_per_node=1e-10)
    larger, smaller, foreign = (
        graphical_lasso(S, 2 * alpha),
        graphical_lasso(S, alpha / 2),
        graphical_lasso(other, alpha),
    )
    starts = [(near.precision, near.covariance) for near in (larger, smaller, foreign)]
    nonsense = np.random.default_rng(0).standard_normal(S.shape)
    starts.append((np.eye(len(S)), nonsense + nonsense.T))
    for start in starts:
        before = [matrix.copy() for matrix in start]
        solution = graphical_lasso(S, alpha, start=start)
        assert_certified(solution, S, alpha, gap=1e-4 * len(S))
        assert solution.objective - target.objective <= solution.duality_gap + 1e-9
        np.testing.assert_array_equal(start, before)
    same = graphical_lasso(S, alpha, start=(target.precision, target.covariance))
    assert same.n_iterations == 1


# --- errors ---------------------------------------------------------------------------------------------------------


def test_a_step_out_of_the_positive_definite_matrices_is_taken_back(monkeypatch):
    S = cohort_correlation(3)
    ordinary = graphical_lasso(S, 0.02)
    monkeypatch.setattr(solver, "RELAXATION", 4.0)  # so far beyond the maximum that W is soon indefinite
    solution = graphical_lasso(S, 0.02)
    assert solution.n_iterations > ordinary.n_iterations
    assert_certified(solution, S, 0.02, 1e-4 * len(S))


@pytest.mark.parametrize("demand", [{"max_iterations": 1}, {"gap_per_node": 1e-18, "max_iterations": 60}])
def test_what_does_not_reach_its_gap_is_an_error_that_says_so(demand):
    with pytest.raises(ConvergenceError, match=r"alpha 0\.05 has a duality gap of .* per node after .* sweeps"):
        graphical_lasso(cohort_correlation(1), 0.05, **demand)


def test_a_constant_node_is_named():
    S = correlation(40, 5)
    S[2] = S[:, 2] = 0
    with pytest.raises(InputError, match=r"'PCC' has no variance"):
        graphical_lasso(S, 0.1, names=["a", "b", "PCC", "d", "e"])
    with pytest.raises(InputError, match=r"'3' has no variance"):
        graphical_lasso(S, 0.1)


@pytest.mark.parametrize(
    ("covariance", "alpha", "words"),
    [
        (np.array([[1, 0.5], [0.4, 1]]), 0.1, "not symmetric"),
        (np.array([[1, np.nan], [np.nan, 1]]), 0.1, "not finite"),
        (np.eye(2), -0.1, "alpha is -0.1"),
        (np.eye(2), np.nan, "alpha is nan"),
        (np.array([[1, 2.0], [2, 1]]), 0.1, "positive semidefinite"),
        (np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]), 0.1, "positive semidefinite"),
        (np.ones((2, 2)), 0.0, "alpha must be above 0"),
    ],
)
def test_a_problem_that_has_no_solution_is_an_error(covariance, alpha, words):
    with pytest.raises(InputError, match=words):
        graphical_lasso(covariance, alpha)


@pytest.mark.parametrize("lowest", [-1e-3, -1e-8])
def test_a_slightly_indefinite_covariance_is_an_error_and_rounding_is_not(lowest):
    axes = np.linalg.qr(np.random.default_rng(0).standard_normal((20, 20)))[0]
    values = np.linspace(0.1, 2, 20)
    values[0] = lowest
    S = axes * values @ axes.T
    with pytest.raises(InputError, match="not positive semidefinite"):
        graphical_lasso((S + S.T) / 2, 0.1)
    values[0] = -1e-15
    S = axes * values @ axes.T
    assert graphical_lasso((S + S.T) / 2, 0.1).duality_gap <= 1e-4 * 20


def test_small_penalties_are_reached_step_by_step():
    S = correlation(60, 100, seed=3)
    largest = np.abs(S - np.eye(100)).max()
    for share in (1e-2, 1e-3, 1e-4):
        solution = graphical_lasso(S, share * largest, max_iterations=25)
        assert_certified(solution, S, share * largest, gap=1e-4 * 100)


def test_a_covariance_that_is_not_square_is_misuse():
    with pytest.raises(ValueError, match="square"):
        graphical_lasso(np.ones((2, 3)), 0.1)


# --- against scikit-learn -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_where_scikit_learn_converges_the_solutions_agree(alpha):
    S = correlation(300, 20)
    _, theirs = scikit_graphical_lasso(S, alpha, tol=1e-9, enet_tol=1e-9, max_iter=500)
    ours = graphical_lasso(S, alpha, gap_per_node=1e-10)
    # Both are within a gap of 2e-9, that is, within √(2 · 2e-9) of the optimum in the metric of P, of order 1 here.
    np.testing.assert_allclose(ours.precision, theirs, atol=2e-4)
    assert ours.objective == pytest.approx(objective(S, alpha, theirs), abs=1e-7)


@pytest.mark.parametrize(("subject", "alpha", "says_converged"), [(1, 0.1, False), (1, 0.05, False), (7, 0.2, True)])
def test_on_real_series_our_objective_is_lower_than_that_of_scikit_learn(subject, alpha, says_converged):
    S = cohort_correlation(subject)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, theirs, costs = scikit_graphical_lasso(S, alpha, tol=1e-4, return_costs=True)
    ours = graphical_lasso(S, alpha, gap_per_node=1e-4 / len(S))
    assert ours.duality_gap <= 1e-4
    # What scikit-learn calls a duality gap can be negative and bounds nothing: even where it is within the tolerance of
    # 1e-4, the objective is ten times that and more above its optimum.
    assert (abs(costs[-1][1]) <= 1e-4) == says_converged
    assert objective(S, alpha, theirs) - ours.objective > 1e-3
    assert duality_gap(S, alpha, theirs, ours.covariance) > 1e-3
