import warnings

import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given, settings
from hypothesis import strategies as st

from sphereconn.connect.connectivity import standardize
from sphereconn.connect.graphical_lasso import ConvergenceError, graphical_lasso
from sphereconn.connect.group_sparse import group_sparse_covariance, group_sparse_inverse_covariance
from sphereconn.connect.sparse_selection import Grid, sparse_inverse_covariance
from sphereconn.errors import InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nilearn.connectome import GroupSparseCovarianceCV
    from nilearn.connectome import group_sparse_covariance as nilearn_group_sparse_covariance


def cohort(n_runs, n_nodes):
    return [standardize(cohort_signals(subject)[1][:, :n_nodes])[0] for subject in range(1, n_runs + 1)]


def covariances_of(runs):
    return np.array([np.cov(run.T, bias=True) for run in runs])


def made_runs(n_nodes, lengths, seed):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_nodes, n_nodes)) / np.sqrt(n_nodes)
    return [
        standardize(
            rng.standard_normal((n_frames, n_nodes)) @ (np.eye(n_nodes) + common)
            + 0.5 * rng.standard_normal((n_frames, 1))
        )[0]
        for n_frames in lengths
    ]


def partial_correlations(precision):
    scale = np.sqrt(np.diag(precision))
    return 2 * np.eye(len(precision)) - precision / np.outer(scale, scale)


def norms(matrices):
    return np.sqrt(np.sum(matrices**2, axis=0))


def objective(S, weights, alpha, P):
    log_determinants = np.linalg.slogdet(P)[1]
    edges = norms(P)
    penalty = edges.sum() - np.trace(edges)
    return weights @ (np.sum(S * P, axis=(1, 2)) - log_determinants) + alpha * penalty


def assert_certified(solution, S, weights, alpha, gap):
    """Check a solution by its definition, with nothing of the solver."""
    P, W = solution.precisions, solution.covariances
    for matrices in (P, W):
        assert np.array_equal(matrices, np.swapaxes(matrices, 1, 2))
        assert (np.linalg.eigvalsh(matrices)[:, 0] > 0).all()
    assert ((P == 0).all(axis=0) == (P == 0).any(axis=0)).all()
    np.testing.assert_array_equal(np.diagonal(W, axis1=1, axis2=2), np.diagonal(S, axis1=1, axis2=2))
    assert norms(weights[:, None, None] * (W - S)).max() <= alpha * (1 + 1e-12)
    dual = weights @ np.linalg.slogdet(W)[1] + S.shape[1]
    assert solution.objective == pytest.approx(objective(S, weights, alpha, P), abs=1e-9)
    assert solution.duality_gap == pytest.approx(solution.objective - dual, abs=1e-9)
    assert 0 <= solution.duality_gap <= gap


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n_nodes=st.integers(2, 15),
    lengths=st.lists(st.integers(3, 60), min_size=1, max_size=5),
    log_alpha=st.floats(-4, 0),
)
def test_every_solution_is_certified_and_meets_the_conditions_of_optimality(seed, n_nodes, lengths, log_alpha):
    S = covariances_of(made_runs(n_nodes, lengths, seed))
    weights, alpha = np.array(lengths) / sum(lengths), 10.0**log_alpha
    loose = group_sparse_covariance(S, lengths, alpha)
    assert_certified(loose, S, weights, alpha, 1e-4 * n_nodes)
    tight = group_sparse_covariance(S, lengths, alpha, gap_per_node=1e-9 / n_nodes)
    assert_certified(tight, S, weights, alpha, 1e-9)
    assert loose.objective >= tight.objective - 1e-9
    # The gradient of the smooth part, t (S - P⁻¹), is balanced by the penalty: -alpha P_ij / ‖P_ij‖ over the runs where
    # there is an edge. A gap g allows P_k⁻¹ an error of √(2 g / t_k) in its own metric.
    gradient = weights[:, None, None] * (S - np.linalg.inv(tight.precisions))
    allowed = 3 * np.sqrt(2e-9 * len(lengths)) * np.linalg.eigvalsh(tight.covariances).max()
    assert np.abs(np.diagonal(gradient, axis1=1, axis2=2)).max() <= allowed
    off_diagonal = ~np.eye(n_nodes, dtype=bool)
    assert norms(gradient)[off_diagonal].max() <= alpha + allowed
    edge = off_diagonal & (tight.precisions[0] != 0)
    # The direction of a weak edge is as uncertain as the edge is weak.
    strength = np.maximum(norms(tight.precisions), 1e-300)
    strong = edge & (strength > 0.01 * np.abs(tight.precisions).max())
    balance = norms(gradient + alpha * tight.precisions / strength)
    assert balance[strong].max(initial=0) <= 300 * allowed


@pytest.mark.parametrize(("n_nodes", "lengths"), [(7, [3]), (15, [3]), (15, [3, 4])])
def test_small_penalties_of_short_runs_take_few_sweeps(n_nodes, lengths):
    S = covariances_of(made_runs(n_nodes, lengths, seed=0))
    solution = group_sparse_covariance(S, lengths, 1e-4, gap_per_node=1e-9 / n_nodes, max_iterations=60)
    assert_certified(solution, S, np.array(lengths) / sum(lengths), 1e-4, 1e-9)


def test_a_slightly_indefinite_covariance_is_an_error():
    S = covariances_of(made_runs(5, [40, 40], seed=0))
    values, axes = np.linalg.eigh(S[1])
    values[0] = -1e-3
    S[1] = axes * values @ axes.T
    S[1] = (S[1] + S[1].T) / 2
    with pytest.raises(InputError, match="not positive semidefinite"):
        group_sparse_covariance(S, [40, 40], 0.1)


@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.4])
def test_a_group_of_one_run_is_the_graphical_lasso(alpha):
    S = covariances_of(cohort(1, 30))
    group = group_sparse_covariance(S, [200], alpha, gap_per_node=1e-11)
    alone = graphical_lasso(S[0], alpha, gap_per_node=1e-11)
    np.testing.assert_allclose(group.precisions[0], alone.precision, atol=1e-4)
    assert group.objective == pytest.approx(alone.objective, abs=1e-9)


def test_a_run_given_twice_counts_as_one_run_with_a_smaller_penalty():
    # With S_1 = S_2 both P are equal, and √(P² + P²) is √2 |P|.
    S = covariances_of(cohort(1, 20))
    group = group_sparse_covariance(np.repeat(S, 2, axis=0), [100, 100], 0.1, gap_per_node=1e-11)
    alone = graphical_lasso(S[0], np.sqrt(2) * 0.1, gap_per_node=1e-11)
    np.testing.assert_allclose(group.precisions, [alone.precision, alone.precision], atol=1e-4)


def test_two_nodes_have_edges_in_proportion_to_their_covariances_where_the_penalty_is_large():
    # Just below the alpha that leaves no edge, P_k,12 is small, W_k,12 close to 0, and P_k,12 to -W_k,12.
    shared, lengths = np.array([0.3, -0.4, 0.1]), np.array([50, 100, 150])
    S = np.array([[[1, value], [value, 1]] for value in shared])
    weights = lengths / lengths.sum()
    largest = np.sqrt(np.sum((weights * shared) ** 2))
    assert not group_sparse_covariance(S, lengths, largest).precisions[:, 0, 1].any()
    solution = group_sparse_covariance(S, lengths, 0.999 * largest, gap_per_node=1e-14)
    edges = solution.precisions[:, 0, 1]
    np.testing.assert_allclose(edges / np.linalg.norm(edges), -weights * shared / largest, atol=2e-3)
    np.testing.assert_allclose(edges, -solution.covariances[:, 0, 1], rtol=1e-4)


def test_real_runs_reach_a_gap_of_one_in_a_hundred_million():
    S, weights = covariances_of(cohort(16, 60)), np.full(16, 1 / 16)
    for alpha in (0.1, 0.02):
        solution = group_sparse_covariance(S, [200] * 16, alpha, gap_per_node=1e-8 / 60)
        assert_certified(solution, S, weights, alpha, gap=1e-8)


def test_any_start_leads_to_the_same_certificate():
    S, weights = covariances_of(cohort(3, 20)), np.full(3, 1 / 3)
    other = group_sparse_covariance(S[::-1], [1, 1, 1], 0.15)
    nonsense = np.random.default_rng(0).standard_normal(S.shape)
    for start in ((other.precisions, other.covariances), (S, nonsense + np.swapaxes(nonsense, 1, 2))):
        solution = group_sparse_covariance(S, [1, 1, 1], 0.05, start=start)
        assert_certified(solution, S, weights, 0.05, gap=20e-4)


# --- against nilearn ------------------------------------------------------------------------------------------------


def nilearn_solution(runs, alpha, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.moveaxis(nilearn_group_sparse_covariance(runs, alpha, **settings)[1], 2, 0)


def test_the_solution_is_that_of_nilearn_where_it_converges():
    runs = made_runs(8, [60, 100, 80], seed=1)
    theirs = nilearn_solution(runs, 0.05, tol=1e-8, max_iter=500)
    ours = group_sparse_covariance(covariances_of(runs), [60, 100, 80], 0.05, gap_per_node=1e-12)
    np.testing.assert_allclose(ours.precisions, theirs, atol=1e-5)


def test_on_real_runs_our_objective_is_lower_than_that_of_nilearn():
    runs, weights = cohort(4, 25), np.full(4, 0.25)
    S = covariances_of(runs)
    theirs = nilearn_solution(runs, 0.02, max_iter=10)  # the default of its estimator
    ours = group_sparse_covariance(S, [200] * 4, 0.02, gap_per_node=1e-9)
    excess = objective(S, weights, 0.02, theirs) - ours.objective
    assert excess > 100 * ours.duality_gap


def test_cross_validation_is_that_of_nilearn():
    runs = cohort(2, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings = {"tol_cv": 1e-5, "max_iter_cv": 300, "tol": 1e-6, "max_iter": 300, "early_stopping": False}
        theirs = GroupSparseCovarianceCV(cv=2, alphas=4, n_refinements=2, **settings).fit(runs)
    grid = Grid(alphas=4, n_refinements=2, stop_early=False, gap_per_node=1e-10)
    ours = group_sparse_inverse_covariance(runs, cv=2, grid=grid)
    np.testing.assert_allclose(ours.path["alpha"], theirs.cv_alphas_, rtol=1e-12)
    np.testing.assert_allclose(ours.path["score"], theirs.cv_scores_, atol=1e-3)
    assert ours.alpha == pytest.approx(theirs.alpha_, rel=1e-12)
    np.testing.assert_allclose(ours.precisions, np.moveaxis(theirs.precisions_, 2, 0), atol=1e-3)


# --- the whole way --------------------------------------------------------------------------------------------------


def test_ending_the_path_early_does_not_change_the_choice():
    runs = cohort(5, 20)
    early, whole = (
        group_sparse_inverse_covariance(runs, cv=3, grid=Grid(stop_early=stop, gap_per_node=1e-7))
        for stop in (True, False)
    )
    assert early.alpha == whole.alpha
    assert set(early.path["alpha"]) < set(whole.path["alpha"])


def test_runs_with_common_edges_are_told_apart_better_than_one_by_one():
    rng = np.random.default_rng(3)
    truth = np.triu(rng.random((20, 20)) < 0.1, k=1)
    runs = []
    for _ in range(6):
        P = np.where(truth, rng.uniform(0.2, 0.6, truth.shape) * rng.choice([-1, 1], truth.shape), 0)
        P = P + P.T
        P += np.diag(np.abs(P).sum(axis=0) + 0.3)
        white = rng.standard_normal((40, 20))
        runs.append(standardize(np.linalg.solve(np.linalg.cholesky(P).T, white.T).T)[0])
    edges = np.triu_indices(20, k=1)

    def most_correct(precisions_of):
        correct = []
        for alpha in np.geomspace(0.02, 0.5, 12):
            correct.append(np.mean([(P[edges] != 0) == truth[edges] for P in precisions_of(alpha)]))
        return max(correct)

    S = covariances_of(runs)
    # The penalty of a run of six weighs 1/6 of its likelihood, hence the different scale.
    together = most_correct(lambda alpha: group_sparse_covariance(S, [40] * 6, alpha / 3).precisions)
    apart = most_correct(lambda alpha: [graphical_lasso(covariance, alpha).precision for covariance in S])
    assert together > apart + 0.02


def test_nodes_without_a_signal_in_some_run_are_left_out_of_all():
    runs = cohort(3, 10)
    whole = group_sparse_inverse_covariance([np.delete(run, [2, 5], axis=1) for run in runs], cv=3)
    broken = [run * np.arange(1, 11) + 7 for run in runs]
    broken[0][:, 2] = np.nan
    broken[2][:, 5] = 3.0
    result = group_sparse_inverse_covariance(broken, cv=3)
    assert result.unusable == (2, 5)
    assert result.without_signal == ({2: "no signal"}, {}, {5: "constant signal"})
    assert result.left_out == {}
    used = np.delete(np.arange(10), [2, 5])
    for name in ("precisions", "covariances", "partial_correlations"):
        matrices = getattr(result, name)
        np.testing.assert_allclose(matrices[:, used[:, None], used], getattr(whole, name), atol=1e-7)
        assert np.isnan(matrices[:, [2, 5]]).all() and np.isnan(matrices[:, :, [2, 5]]).all()


def test_a_node_with_the_signal_of_another_in_some_run_is_left_out_of_all():
    runs = made_runs(6, [60, 80], 0)
    others = group_sparse_inverse_covariance([run[:, :5] for run in runs], cv=3)
    runs[1][:, 5] = 3 - runs[1][:, 2]
    found = group_sparse_inverse_covariance(runs, cv=3)
    assert found.unusable == (5,) and found.without_signal == ({}, {5: "the same signal as 3"})
    np.testing.assert_array_equal(found.precisions[:, :5, :5], others.precisions)


def test_a_node_that_is_constant_in_the_frames_of_a_fold_is_left_out_only_where_there_are_folds():
    runs = [run.copy() for run in cohort(2, 6)]
    runs[1][:100, 3] = 0
    folded = group_sparse_inverse_covariance(runs, cv=2)
    assert folded.unusable == (3,) and folded.without_signal[1] == {3: "constant in the frames of a fold"}
    assert group_sparse_inverse_covariance(runs, selection=0.1).unusable == ()


def test_a_run_without_enough_nodes_or_frames_is_left_out_and_takes_nothing_from_the_others():
    whole = cohort(2, 10)
    poor, short, broken = (run.copy() for run in cohort(5, 10)[2:])
    poor[:, :6] = np.nan
    broken[:, 1:] = np.nan
    runs = [whole[0], poor, short[:5], whole[1], broken]
    result = group_sparse_inverse_covariance(runs, cv=3, min_nodes=0.5)
    assert result.left_out == {
        1: "4 of 10 nodes have a signal; a joint fit needs 5 (min_nodes is 0.5).",
        2: "cv is 3; 5 frames can be split into 2 to 2 folds of 2 frames or more.",
        4: "1 of 10 nodes has a signal; a joint fit needs 5 (min_nodes is 0.5).",
    }
    alone = group_sparse_inverse_covariance(whole, cv=3)
    for name in ("precisions", "covariances", "partial_correlations"):
        np.testing.assert_array_equal(getattr(result, name)[[0, 3]], getattr(alone, name))
        assert np.isnan(getattr(result, name)[[1, 2, 4]]).all()
    assert result.alpha == alone.alpha and result.unusable == ()
    # On request the poor run takes part, and its missing nodes are missing in all; no share lets in a single node.
    rather = group_sparse_inverse_covariance(runs, cv=3, min_nodes=0)
    assert set(rather.left_out) == {2, 4}
    assert rather.unusable == (0, 1, 2, 3, 4, 5)


def test_runs_of_different_lengths_and_with_fewer_frames_than_nodes_are_fitted_together():
    runs = [run[:length] for run, length in zip(cohort(3, 40), (200, 90, 30), strict=True)]
    result = group_sparse_inverse_covariance(runs, cv=3)
    expected = group_sparse_covariance(
        covariances_of([standardize(run)[0] for run in runs]), [200, 90, 30], result.alpha, gap_per_node=1e-6
    )
    # Two fits within a gap g may differ by √(2 g / t) in the metric of P, with g = 40e-6 and t = 30 / 320 here.
    np.testing.assert_allclose(result.partial_correlations[2], partial_correlations(expected.precisions[2]), atol=0.06)
    assert result.duality_gap <= 40e-6


def test_one_run_is_the_sparse_inverse_covariance_of_that_run():
    (run,) = cohort(1, 20)
    group = group_sparse_inverse_covariance([run], selection=0.1, gap_per_node=1e-11)
    alone = sparse_inverse_covariance(run, selection=0.1, gap_per_node=1e-11)
    np.testing.assert_allclose(group.partial_correlations[0], alone.partial_correlation, atol=1e-4)


def test_a_given_penalty_needs_no_folds():
    runs = cohort(2, 8)
    result = group_sparse_inverse_covariance(runs, selection=0.05)
    expected = group_sparse_covariance(covariances_of(runs), [200, 200], 0.05)
    assert result.duality_gap <= 8e-6
    np.testing.assert_allclose(result.precisions, expected.precisions, atol=1e-2)
    assert result.path == {}


def test_the_same_runs_give_the_same_bytes():
    one, other = (group_sparse_inverse_covariance(cohort(3, 15), cv=3, cores=cores) for cores in (1, 2))
    assert one.precisions.tobytes() == other.precisions.tobytes()


def test_mistakes_are_named():
    runs = cohort(2, 6)
    S = covariances_of(runs)
    with pytest.raises(ConvergenceError, match=r"alpha 0\.05 has a duality gap of .* per node after 1 sweeps"):
        group_sparse_covariance(S, [1, 1], 0.05, max_iterations=1)
    with pytest.raises(ConvergenceError):
        group_sparse_covariance(S, [1, 1], 0.05, gap_per_node=1e-18, max_iterations=40)
    with pytest.raises(InputError, match="alpha is 0"):
        group_sparse_covariance(S, [1, 1], 0)
    with pytest.raises(InputError, match="positive semidefinite"):
        group_sparse_covariance([[[1, 2], [2, 1]]], [1], 0.1)
    with pytest.raises(ValueError, match="number of frames for each"):
        group_sparse_covariance(S, [1], 0.1)
    with pytest.raises(InputError, match="at least one run"):
        group_sparse_inverse_covariance([])
    with pytest.raises(InputError, match="from 5 to 6"):
        group_sparse_inverse_covariance([runs[0], runs[1][:, :5]])
    with pytest.raises(InputError, match="No run can take part in the fit; run 1: 1 of 1 node has"):
        group_sparse_inverse_covariance([run[:, :1] for run in runs])
    with pytest.raises(ValueError, match="'ebic' is unknown"):
        group_sparse_inverse_covariance(runs, selection="ebic")
    with pytest.raises(InputError, match=r"No run can take part in the fit; run 1: cv is 200"):
        group_sparse_inverse_covariance(runs, cv=200)
    halves = [run.copy() for run in runs]
    halves[0][:, 3:], halves[1][:, :3] = np.nan, np.nan
    with pytest.raises(
        InputError, match=r"at least 2 nodes .*, and 0 of 6 nodes have one: run 1 lacks 4, 5 and 6 \(no"
    ):
        group_sparse_inverse_covariance(halves)
    with pytest.raises(InputError, match="No two signals are correlated"):
        group_sparse_inverse_covariance([np.tile([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], (2, 1))], cv=2)
