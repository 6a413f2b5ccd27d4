import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from cohort import cohort_signals
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import GraphicalLassoCV
from sklearn.model_selection import KFold

from sphereconn.clean.cleaning import clean_signals
from sphereconn.connect.connectivity import standardize
from sphereconn.connect.graphical_lasso import ConvergenceError, graphical_lasso, solve
from sphereconn.connect.group_sparse import group_sparse_inverse_covariance
from sphereconn.connect.measures import certificate
from sphereconn.connect.sparse_selection import (
    Grid,
    PenaltyPath,
    blocks,
    choose_and_fit,
    covariances_of_folds,
    cross_validate,
    ebic,
    independent_samples,
    search,
    select_by_folds,
    sparse_inverse_covariance,
)
from sphereconn.errors import InputError

EVERYTHING = Grid(stop_early=False)


def sparse_precision(n_nodes, seed, density=0.1):
    rng = np.random.default_rng(seed)
    P = np.triu(rng.uniform(0.2, 0.5, (n_nodes, n_nodes)) * rng.choice([-1, 1], (n_nodes, n_nodes)), k=1)
    P *= rng.random((n_nodes, n_nodes)) < density
    P += P.T
    return P + np.diag(np.abs(P).sum(axis=0) + 0.3)


def signals_of(precision, n_frames, seed):
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((n_frames, len(precision)))
    return standardize(np.linalg.solve(np.linalg.cholesky(precision).T, white.T).T)[0]


def scikit_learn(z, cv, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GraphicalLassoCV(cv=cv, **settings).fit(z)


def cohort(subject):
    return standardize(cohort_signals(subject)[1])[0]


def covariance_of(x):
    return np.cov(x.T, bias=True)


# --- folds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_frames", "cv"), [(168, 3), (200, 5), (7, 3), (4, 2)])
def test_folds_are_those_of_scikit_learn(n_frames, cv):
    for ours, theirs in zip(blocks(n_frames, cv), KFold(cv).split(np.zeros((n_frames, 1))), strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_frames_within_the_gap_of_the_test_block_are_not_trained_on():
    (first, first_test), (middle, middle_test), (last, _) = blocks(12, 3, gap_frames=2)
    assert first.tolist() == [6, 7, 8, 9, 10, 11] and first_test.tolist() == [0, 1, 2, 3]
    assert middle.tolist() == [0, 1, 10, 11] and middle_test.tolist() == [4, 5, 6, 7]
    assert last.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("cv", "gap_frames", "words"), [(1, 0, "cv is 1"), (6, 0, "2 to 5"), (2, 4, "gap_frames is 4"), (2, -1, "-1")]
)
def test_folds_without_enough_frames_are_an_error(cv, gap_frames, words):
    with pytest.raises(InputError, match=words):
        blocks(10, cv, gap_frames)


# --- cross-validation -----------------------------------------------------------------------------------------------


def test_the_path_is_that_of_scikit_learn_where_that_converges():
    z = signals_of(sparse_precision(15, seed=0), 300, seed=1)
    theirs = scikit_learn(z, 3, tol=1e-8, enet_tol=1e-8, max_iter=1000)
    ours = cross_validate(z, 3, grid=Grid(stop_early=False, gap_per_node=1e-9))
    without_zero = theirs.cv_results_["alphas"] > 0
    np.testing.assert_allclose(ours.path["alpha"], theirs.cv_results_["alphas"][without_zero], rtol=1e-12)
    for ours_key, theirs_key in [("score", "mean_test_score"), ("fold_2", "split1_test_score")]:
        np.testing.assert_allclose(ours.path[ours_key], theirs.cv_results_[theirs_key][without_zero], atol=1e-5)
    assert ours.alpha == pytest.approx(theirs.alpha_, rel=1e-12)


def test_given_penalties_are_scored_as_scikit_learn_scores_them():
    z = signals_of(sparse_precision(10, seed=2), 200, seed=3)
    alphas = [0.3, 0.02, 0.1]
    theirs = scikit_learn(z, 5, alphas=alphas, tol=1e-8, enet_tol=1e-8, max_iter=1000)
    ours = cross_validate(z, 5, grid=Grid(alphas=alphas, stop_early=False, gap_per_node=1e-9))
    assert ours.path["alpha"].tolist() == [0.3, 0.1, 0.02]
    scores = dict(zip(theirs.cv_results_["alphas"], theirs.cv_results_["mean_test_score"], strict=True))
    np.testing.assert_allclose(ours.path["score"], [scores[alpha] for alpha in ours.path["alpha"]], atol=1e-5)
    assert ours.alpha == theirs.alpha_


def test_a_score_is_the_likelihood_of_the_frames_left_out():
    z = cohort(5)[:, :20]
    chosen = cross_validate(z, 4, gap_frames=3)
    expected = []
    for train, test in blocks(len(z), 4, gap_frames=3):
        P = graphical_lasso(covariance_of(z[train]), chosen.alpha).precision
        left_out = z[test] - z[test].mean(axis=0)
        log_density = (np.linalg.slogdet(P)[1] - np.sum(left_out @ P * left_out, axis=1) - 20 * np.log(2 * np.pi)) / 2
        expected.append(log_density.mean())
    row = chosen.path["alpha"].tolist().index(chosen.alpha)
    # Two fits within a gap of 20e-4 may differ by √(2 · 20e-4) in the metric of P, and their scores accordingly.
    np.testing.assert_allclose([chosen.path[f"fold_{k}"][row] for k in range(1, 5)], expected, atol=0.05)
    assert chosen.path["score"][row] == pytest.approx(np.mean(expected), abs=0.05)
    assert chosen.path["score"][row] == chosen.path["score"].max()


@pytest.mark.parametrize("unfitted", [0.0, 0.05])
def test_folds_that_are_fitted_at_once_are_those_fitted_in_turn(unfitted):
    """Also where the second fold does not reach its gap, when the third may be done already, or never begun."""
    z = cohort(1)[:, :40]
    covariances, tests = zip(*covariances_of_folds(z, 4, 0, len(z)), strict=True)

    def path(S, limit):
        def fit(alpha, gap, start, close):
            if alpha < limit:
                raise ConvergenceError("out of reach")
            return solve(S, alpha, gap, start, close)

        return PenaltyPath(S, fit)

    def selected(cores):
        paths = [path(S, limit) for S, limit in zip(covariances, (0.0, unfitted, 0.0, 0.0), strict=True)]
        score = lambda fit, test: fit.log_determinant - np.sum(test * fit.precision)  # noqa: E731
        return select_by_folds(score, paths, tests, covariance_of(z), 0.9, Grid(), 2.0, cores=cores)

    alone, together = selected(1), selected(3)
    assert alone.alpha == together.alpha >= unfitted
    assert (0 in alone.path["fitted"]) == (unfitted > 0)
    for key, values in alone.path.items():
        np.testing.assert_array_equal(together.path[key], values)
    np.testing.assert_array_equal(together.start, alone.start)


@pytest.mark.parametrize("subject", [1, 8, 6])
def test_ending_early_does_not_change_the_choice_on_real_series(subject):
    z = cohort(subject)[:, ::2]
    early, whole = (cross_validate(z, 3, grid=Grid(stop_early=stop, gap_per_node=1e-7)) for stop in (True, False))
    assert early.alpha == whole.alpha
    assert set(early.path["alpha"]) < set(whole.path["alpha"])
    # What was left out would have scored less.
    left_out = ~np.isin(whole.path["alpha"], early.path["alpha"])
    assert whole.path["score"][left_out].max() < early.path["score"].max()
    # Fits ended early, but not the one that was chosen.
    enough = 1e-7 * z.shape[1]
    assert np.sum(early.path["duality_gap"] > enough) >= 2
    assert early.path["duality_gap"][early.path["alpha"] == early.alpha] <= enough
    assert (whole.path["duality_gap"] <= enough).all()


@settings(deadline=None, max_examples=30)
@given(
    n_nodes=st.integers(2, 12),
    n_frames=st.integers(12, 120),
    cv=st.integers(2, 5),
    n_alphas=st.integers(2, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_penalty_whose_fit_ended_early_would_have_been_chosen(n_nodes, n_frames, cv, n_alphas, seed):
    rng = np.random.default_rng(seed)
    z = standardize(rng.standard_normal((n_frames, n_nodes)) + rng.uniform(0, 2) * rng.standard_normal((n_frames, 1)))[
        0
    ]
    early = cross_validate(z, cv, grid=Grid(n_alphas, gap_per_node=1e-8))
    whole = cross_validate(z, cv, grid=Grid(early.path["alpha"], stop_early=False, gap_per_node=1e-8))
    best, chosen = whole.path["score"].max(), whole.path["score"][whole.path["alpha"] == early.alpha]
    assert chosen == pytest.approx(best, abs=1e-3)  # scores with such gaps differ by 2 √(12e-8) at most
    assert early.path["score"].max() == pytest.approx(best, abs=1e-3)


def test_ending_early_follows_a_score_that_keeps_rising():
    # Many frames and a full graph: no penalty is best, and each grid of scikit-learn's ends lower than the last.
    z = signals_of(sparse_precision(6, seed=4, density=1), 20_000, seed=5)
    early, whole = (cross_validate(z, 3, grid=Grid(stop_early=stop, gap_per_node=1e-8)) for stop in (True, False))
    assert whole.alpha < 1e-3
    assert early.alpha < 1e-3
    assert early.path["score"].max() == pytest.approx(whole.path["score"].max(), abs=1e-5)


def test_a_penalty_that_was_given_up_too_early_is_fitted_again():
    point = np.eye(2), np.eye(2)
    path = PenaltyPath(np.eye(2), lambda alpha, gap, start, close: SimpleNamespace(duality_gap=2 * gap, point=point))

    def score(alpha, gap_per_node):
        path.fit(alpha, gap_per_node)
        if 0.3 < alpha < 0.5 and gap_per_node > 1e-3:
            return np.array([10.0])  # off by far more than the gap allows
        return np.array([5.0 if alpha == 1 else 4.95])

    best, _ = search(score, [path], 1.0, Grid(n_refinements=3), score_error=2.0)
    assert best == 1.0
    assert path.solutions[best].duality_gap <= 2 * Grid().gap_per_node


# --- penalties that cannot be fitted, and signals of few degrees of freedom ------------------------------------------


def failing_below(limit, S):
    """Give a path whose fits do not reach their gap below a penalty."""

    def solve(alpha, gap, start, close):
        if alpha < limit:
            raise ConvergenceError("out of reach")
        return SimpleNamespace(duality_gap=gap, point=(S, S), alpha=alpha)

    return PenaltyPath(S, solve)


@pytest.mark.parametrize("score_error", [0.0, 2.0])
@pytest.mark.parametrize("limit", [0.5, 0.05, 0.0123])
def test_a_penalty_that_cannot_be_fitted_is_no_candidate_and_the_search_goes_on_above_it(limit, score_error):
    paths = [failing_below(limit, np.eye(2)), failing_below(limit / 3, np.eye(2))]

    def score(alpha, gap_per_node):  # the smaller the better, as in a run of few degrees of freedom
        return np.array([-path.fit(alpha, gap_per_node).alpha for path in paths])

    best, scores = search(score, paths, 1.0, Grid(), score_error)
    fitted = [alpha for alpha in scores if np.isfinite(scores[alpha]).all()]
    assert limit <= best == min(fitted) < 1.5 * limit
    assert all(alpha < limit for alpha in scores.keys() - fitted)
    assert scores.keys() - fitted


def test_no_penalty_in_reach_is_one_clear_sentence():
    path = failing_below(2.0, np.eye(2))
    with pytest.raises(ConvergenceError, match="None of the penalties that were tried, 1 to 1, can be fitted"):
        search(lambda alpha, gap: np.array([path.fit(alpha, gap).alpha]), [path], 1.0, Grid())


def test_a_choice_that_all_frames_cannot_be_fitted_with_is_made_again_above_it():
    z = cohort(2)[:, :20]
    S = covariance_of(z)
    chosen_first = cross_validate(z, 3).alpha

    def fit(alpha, gap_per_node, start):
        if alpha <= chosen_first:
            raise ConvergenceError("out of reach")
        return graphical_lasso(S, alpha, gap_per_node=gap_per_node, start=start)

    chosen, solution = choose_and_fit(lambda floor: cross_validate(z, 3, floor=floor), fit, 1e-4, 1e-6)
    assert solution.alpha == chosen.alpha > chosen_first
    assert chosen.path["fitted"][chosen.path["alpha"].tolist().index(chosen_first)] == 0


def short_run(n_nodes, n_regressors, seed, n_frames=120, truth=None):
    """Make a run of four minutes at TR 2, cleaned, with its effective degrees of freedom."""
    rng = np.random.default_rng(seed)
    truth = np.eye(n_nodes) if truth is None else truth
    raw = signals_of(truth, n_frames, seed)
    cleaned = clean_signals(
        raw,
        2.0,
        confounds=rng.standard_normal((n_frames, n_regressors)),
        confound_names=[f"c{number}" for number in range(n_regressors)],
        high_pass=0.01,
        low_pass=0.1,
    )
    return cleaned.signals, cleaned.effective_degrees_of_freedom


@pytest.mark.parametrize(("n_nodes", "n_regressors"), [(2, 24), (50, 36), (100, 24), (120, 36), (180, 36)])
def test_a_run_of_few_degrees_of_freedom_has_a_result_whatever_the_way_to_choose(n_nodes, n_regressors):
    x, worth = short_run(n_nodes, n_regressors, seed=1)
    for selection in ("cv", "ebic", 0.1):
        result = sparse_inverse_covariance(x, selection=selection, samples=worth)
        assert result.duality_gap <= 1e-4 * n_nodes
        assert np.isfinite(result.precision).all()
        if result.path:
            assert result.path["alpha"].min() <= result.alpha
            assert result.samples == worth


@pytest.mark.parametrize("selection", ["cv", "ebic", 0.1])
def test_of_nodes_with_the_same_signal_the_first_stands_for_all(selection):
    own = np.random.default_rng(0).normal(size=(120, 6))
    twice = np.column_stack([np.full(120, np.nan), own, -2 * own[:, 2], own[:, 2] + 1])
    alone = sparse_inverse_covariance(own, selection=selection, cv=3)
    found = sparse_inverse_covariance(twice, selection=selection, cv=3)
    assert found.identical == ((3, 7), (3, 8), (7, 8)) and found.unusable == (0, 7, 8)
    np.testing.assert_array_equal(found.partial_correlation[1:7, 1:7], alone.partial_correlation)
    assert np.isnan(found.partial_correlation[[0, 7, 8]]).all() and found.alpha == alone.alpha


def test_a_group_of_runs_of_few_degrees_of_freedom_has_a_result():
    runs, worth = zip(*(short_run(60, n_regressors, seed) for seed, n_regressors in enumerate((24, 36))), strict=True)
    result = group_sparse_inverse_covariance(runs, cv=3, samples=worth)
    assert result.left_out == {}
    assert result.duality_gap <= 1e-4 * 60
    assert result.alpha > 0.1 * result.path["alpha"].max()


def test_with_fewer_independent_frames_than_nodes_the_penalty_is_that_which_suits_the_truth():
    truth = sparse_precision(60, seed=1, density=0.05)
    x, worth = short_run(60, 24, seed=2, truth=truth)
    z = standardize(x)[0]
    scale = np.sqrt(np.diag(np.linalg.inv(truth)))
    C = np.linalg.inv(truth) / np.outer(scale, scale)

    def excess(alpha):
        P = graphical_lasso(covariance_of(z), alpha).precision
        return np.sum(C * P) - np.linalg.slogdet(P @ C)[1] - 60

    best = min(excess(alpha) for alpha in np.geomspace(0.02, 0.9, 12))
    of_samples = sparse_inverse_covariance(z, cv=5, samples=worth).alpha
    of_frames = sparse_inverse_covariance(z, cv=5).alpha
    assert excess(of_samples) < best + 3
    assert excess(of_frames) > best + 30
    by_frames, by_samples = (ebic(z, samples=count) for count in (len(z), worth))
    assert by_samples.alpha > by_frames.alpha


def test_independent_samples_of_white_signals_of_more_nodes_than_frames_are_the_frames():
    z = standardize(np.random.default_rng(0).standard_normal((30, 200)))[0]
    y = independent_samples(z, 29)
    match = np.abs(np.corrcoef(y, z)[:29, 29:])
    assert (np.diff(match.argmax(axis=1)) >= 0).all()  # in the order of time
    np.testing.assert_allclose(y.T @ y / 29, covariance_of(z), atol=1e-12)
    few = independent_samples(z, 20)
    for (train, test), n in zip(covariances_of_folds(z, 3, 0, 20), (7, 7, 6), strict=True):
        np.testing.assert_allclose((20 - n) * train + n * test, few.T @ few, atol=1e-12)


def test_on_real_series_no_fit_fails_and_the_score_is_better_than_that_of_scikit_learn():
    z = cohort(1)
    theirs = scikit_learn(z, 3)
    ours = cross_validate(z, 3)
    assert np.isneginf(theirs.cv_results_["mean_test_score"]).any()
    assert np.isfinite(ours.path["score"]).all()
    assert ours.alpha < theirs.alpha_
    assert ours.path["score"].max() > theirs.cv_results_["mean_test_score"].max() + 5
    # Where it has scores they agree, as far as unfinished fits allow: it ends those of the path after ten sweeps.
    finite = np.isfinite(theirs.cv_results_["mean_test_score"]) & (theirs.cv_results_["alphas"] > 0)
    at_theirs = cross_validate(z, 3, grid=Grid(theirs.cv_results_["alphas"][finite], stop_early=False))
    assert (at_theirs.path["duality_gap"] <= 1e-4 * z.shape[1]).all()
    np.testing.assert_allclose(at_theirs.path["score"], theirs.cv_results_["mean_test_score"][finite], atol=0.1)


def test_a_gap_between_training_and_test_makes_the_choice_sparser_in_autocorrelated_series():
    rng = np.random.default_rng(6)
    white = rng.standard_normal((240, 30)) + 0.5 * rng.standard_normal((240, 1))
    smooth = np.apply_along_axis(np.convolve, 0, white, np.hanning(15), "valid")
    z = standardize(smooth)[0]
    assert cross_validate(z, 12, gap_frames=15).alpha > 1.1 * cross_validate(z, 12).alpha


def test_a_node_that_is_constant_in_some_training_frames_is_named():
    z = cohort(1)[:, :4].copy()
    z[:100, 1] = 0.1  # whose mean is not exactly 0.1
    with pytest.raises(InputError, match=r"'precuneus' is constant"):
        cross_validate(z, 2, names=["a", "precuneus", "c", "d"])


@pytest.mark.parametrize("grid", [Grid(alphas=1), Grid(alphas=[]), Grid(n_refinements=0)])
def test_a_grid_without_penalties_is_misuse(grid):
    with pytest.raises(ValueError, match="at least"):
        cross_validate(cohort(1)[:, :4], 2, grid=grid)


# --- the information criterion --------------------------------------------------------------------------------------


def test_ebic_is_the_criterion_of_foygel_and_drton():
    z = signals_of(sparse_precision(20, seed=7), 400, seed=8)
    n_frames, n_nodes = z.shape
    chosen = ebic(z, gamma=0.5, grid=Grid(gap_per_node=1e-9))
    P = graphical_lasso(covariance_of(z), chosen.alpha, gap_per_node=1e-9).precision
    n_edges = np.count_nonzero(np.triu(P, k=1))
    likelihood = n_frames / 2 * (np.linalg.slogdet(P)[1] - np.trace(covariance_of(z) @ P))
    expected = -2 * likelihood + n_edges * np.log(n_frames) + 4 * n_edges * 0.5 * np.log(n_nodes)
    row = chosen.path["alpha"].tolist().index(chosen.alpha)
    assert chosen.path["ebic"][row] == pytest.approx(expected, abs=1e-3)
    assert chosen.path["n_edges"][row] == n_edges
    assert chosen.path["ebic"][row] == chosen.path["ebic"].min()
    assert list(chosen.path) == ["alpha", "ebic", "n_edges", "duality_gap", "fitted"]
    assert len(chosen.path["alpha"]) == 16
    assert chosen.alpha < ebic(z, gamma=1.0).alpha


def test_ebic_recovers_a_sparse_graph_that_cross_validation_drowns_in_false_edges():
    truth = sparse_precision(25, seed=9, density=0.05)
    z = signals_of(truth, 2000, seed=10)
    by_ebic, by_cv = (sparse_inverse_covariance(z, selection=how) for how in ("ebic", "cv"))
    assert f1_score(by_ebic.precision, truth) > f1_score(by_cv.precision, truth) + 0.1


# --- the whole way --------------------------------------------------------------------------------------------------


def f1_score(precision, truth):
    edges = np.triu_indices(len(truth), k=1)
    found, true = precision[edges] != 0, truth[edges] != 0
    return 2 * (found & true).sum() / (found.sum() + true.sum())


def test_the_graph_is_recovered_no_worse_than_by_scikit_learn():
    scores = []
    for seed in range(6):
        truth = sparse_precision(30, seed=seed, density=0.08)
        z = signals_of(truth, 150, seed=100 + seed)
        ours = sparse_inverse_covariance(z, cv=3, grid=Grid(gap_per_node=1e-6))
        scores.append((f1_score(ours.precision, truth), f1_score(scikit_learn(z, 3).precision_, truth)))
    ours, theirs = np.array(scores).T
    # The penalties chosen may be neighbours on the grid, so that a single graph may be a little better or worse.
    assert ours.mean() > theirs.mean() - 0.005
    assert (ours > theirs - 0.03).all()


def test_at_the_penalty_of_scikit_learn_the_graph_is_no_worse_than_its_own():
    truth = np.eye(20) + np.diag(np.full(19, 0.4), 1) + np.diag(np.full(19, 0.4), -1)  # a chain
    z = signals_of(truth, 800, seed=11)
    theirs = scikit_learn(z, 3)
    ours = sparse_inverse_covariance(z, selection=float(theirs.alpha_))
    assert f1_score(ours.precision, truth) >= f1_score(theirs.precision_, truth)


@pytest.mark.parametrize("selection", ["cv", "ebic", 0.2])
def test_nodes_without_a_signal_are_left_out(selection):
    z = cohort(2)[:, :12]
    broken = np.insert(z, [3, 7], 0.0, axis=1)
    broken[:, 3] = np.nan
    broken[:, 8] = 5.0
    whole = sparse_inverse_covariance(z, selection=selection, cv=3)
    result = sparse_inverse_covariance(broken, selection=selection, cv=3)
    assert result.unusable == (3, 8)
    used = np.delete(np.arange(14), [3, 8])
    for name in ("precision", "covariance", "partial_correlation"):
        matrix = getattr(result, name)
        np.testing.assert_array_equal(matrix[np.ix_(used, used)], getattr(whole, name))
        assert np.isnan(matrix[[3, 8]]).all() and np.isnan(matrix[:, [3, 8]]).all()


def test_the_matrices_of_a_result_fit_together():
    z = cohort(3)[:, :30] * np.linspace(0.1, 9, 30) + 4  # any unit
    result = sparse_inverse_covariance(z, selection=0.1, grid=Grid(gap_per_node=1e-10))
    P = result.precision
    np.testing.assert_allclose(P @ result.covariance, np.eye(30), atol=1e-3)
    np.testing.assert_allclose(np.diag(result.covariance), 1, rtol=1e-12)
    np.testing.assert_allclose(
        result.partial_correlation, 2 * np.eye(30) - P / np.sqrt(np.outer(np.diag(P), np.diag(P)))
    )
    np.testing.assert_array_equal(result.partial_correlation == 0, P == 0)
    assert not np.signbit(result.partial_correlation[P == 0]).any()
    assert result.alpha == 0.1 and result.path == {} and result.n_frames == 200


def test_the_result_is_the_fit_to_all_frames_at_the_chosen_penalty():
    z = cohort(4)
    result = sparse_inverse_covariance(z, cv=3)
    alone = graphical_lasso(z.T @ z / len(z), result.alpha, gap_per_node=1e-9)
    assert 0 <= result.duality_gap <= 1e-6 * z.shape[1]
    objective = (
        -np.linalg.slogdet(result.precision)[1]
        + np.sum(z.T @ z / len(z) * result.precision)
        + result.alpha * (np.abs(result.precision).sum() - np.trace(result.precision))
    )
    assert -1e-7 <= objective - alone.objective <= result.duality_gap
    tighter = sparse_inverse_covariance(z, selection=result.alpha, grid=Grid(gap_per_node=1e-9))
    assert tighter.duality_gap <= 1e-9 * z.shape[1]


def test_the_same_signals_give_the_same_bytes():
    z = cohort(6)
    one, other = sparse_inverse_covariance(z), sparse_inverse_covariance(z)
    assert one.precision.tobytes() == other.precision.tobytes()
    assert all(one.path[key].tobytes() == other.path[key].tobytes() for key in one.path)


@pytest.mark.parametrize("selection", ["cv", "ebic", 0.1])
def test_a_run_with_fewer_than_two_usable_nodes_has_no_edges_and_is_no_error(selection):
    z = cohort(1)[:, :3].copy()
    z[:, 1], z[:, 2] = np.nan, 5.0
    fit = sparse_inverse_covariance(z, selection=selection)
    assert np.isnan(fit.partial_correlation).all()
    assert (fit.unusable, fit.path, certificate(fit, 3)["Converged"]) == ((0, 1, 2), {}, None)
    z[:, 2] = 2 * z[:, 0] + 1
    assert sparse_inverse_covariance(z, selection=selection).identical == ((0, 2),)


def test_mistakes_are_named():
    z = cohort(1)[:, :5]
    with pytest.raises(ValueError, match="'bic' is unknown, allowed are cv, ebic or a number"):
        sparse_inverse_covariance(z, selection="bic")
    with pytest.raises(InputError, match="at least 2 nodes; this seed set has 1"):
        sparse_inverse_covariance(z[:, :1])
    with pytest.raises(InputError, match="No two signals are correlated"):
        sparse_inverse_covariance(np.tile([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], (2, 1)), cv=2)
    with pytest.raises(InputError, match="cv is 200"):
        sparse_inverse_covariance(z, cv=200)
    with pytest.raises(ConvergenceError):
        sparse_inverse_covariance(z, selection=0.01, grid=Grid(gap_per_node=1e-18))
