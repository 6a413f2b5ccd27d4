"""GraphicalLassoCV is an estimator of scikit-learn, and agrees with scikit-learn's where that converges."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.covariance import GraphicalLasso as TheirGraphicalLasso
from sklearn.covariance import GraphicalLassoCV as TheirGraphicalLassoCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sphereconn import GraphicalLassoCV, InputError
from sphereconn.connect.graphical_lasso import duality_gap

ROOT = Path(__file__).parents[2]


@parametrize_with_checks([GraphicalLassoCV()])
def test_it_passes_the_checks_of_scikit_learn(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # else one of them would be skipped
    check(estimator)


def samples(n_samples=150, n_features=12, seed=0):
    """Samples whose inverse covariance is that of a ring, about a mean that is not 0."""
    ring = np.eye(n_features) + 0.3 * (np.roll(np.eye(n_features), 1, 0) + np.roll(np.eye(n_features), -1, 0))
    return np.random.default_rng(seed).multivariate_normal(np.arange(n_features), np.linalg.inv(ring), n_samples)


SETTINGS = {"tol": 1e-6, "enet_tol": 1e-8, "max_iter": 2000}


def within(gap, precision):
    """How far precisions may be apart whose objectives exceed the minimum by up to ``gap``: f is strongly convex.

    f(P) - f(P*) >= |P - P*|² / (2 λ²), with λ the largest eigenvalue on the way, here doubled to be on the safe side.
    """
    return 2 * np.linalg.eigvalsh(precision).max() * np.sqrt(2 * gap) * 2  # each is as far from P*


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("settings", [{}, {"cv": 3}, {"assume_centered": True}])
def test_among_given_penalties_it_chooses_and_fits_as_scikit_learn_does(settings, seed):
    X = samples(seed=seed) - (np.arange(12) if "assume_centered" in settings else 0)
    settings = {**settings, "alphas": [0.05, 0.1, 0.2, 0.4]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        expected = TheirGraphicalLassoCV(**SETTINGS, **settings).fit(X)
    ours = GraphicalLassoCV(tol=1e-6, **settings).fit(X)
    assert ours.alpha_ == expected.alpha_
    np.testing.assert_allclose(ours.precision_, expected.precision_, atol=within(1e-6, ours.precision_))
    np.testing.assert_allclose(ours.covariance_, expected.covariance_, atol=0.01)
    np.testing.assert_allclose(ours.location_, expected.location_, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_its_own_search_finds_a_penalty_that_scikit_learn_scores_as_high_as_its_own(seed):
    X = samples(seed=seed)
    ours = GraphicalLassoCV(tol=1e-6).fit(X)
    theirs = TheirGraphicalLassoCV(**SETTINGS).fit(X)
    scores = TheirGraphicalLassoCV(alphas=[theirs.alpha_, ours.alpha_], **SETTINGS).fit(X).cv_results_
    found = dict(zip(scores["alphas"], scores["mean_test_score"], strict=True))
    # The scores that we choose by are of fits with a gap of 1e-4 per feature at most.
    assert found[ours.alpha_] > found[theirs.alpha_] - 2e-3
    assert ours.alpha_ == pytest.approx(theirs.alpha_, rel=0.3)
    fit = TheirGraphicalLasso(alpha=ours.alpha_, **SETTINGS).fit(X)
    np.testing.assert_allclose(ours.precision_, fit.precision_, atol=within(1e-6, ours.precision_))


def test_the_scores_of_penalties_are_those_of_scikit_learn():
    X = samples()
    grid = [0.02, 0.05, 0.1, 0.2]
    ours = GraphicalLassoCV(alphas=grid, cv=KFold(4, shuffle=True, random_state=1)).fit(X).cv_results_
    their_model = TheirGraphicalLassoCV(alphas=grid, cv=KFold(4, shuffle=True, random_state=1), **SETTINGS)
    expected = their_model.fit(X).cv_results_
    found = {float(alpha): place for place, alpha in enumerate(ours["alphas"])}
    best = float(ours["alphas"][np.argmax(ours["mean_test_score"])])
    place = np.flatnonzero(expected["alphas"] == best).item()
    for key in ("split0_test_score", "split3_test_score", "mean_test_score", "std_test_score"):
        # Within 2 sqrt(gap), sparse_selection.SCORE_ERROR, of a gap of 1e-4 per feature.
        np.testing.assert_allclose(ours[key][found[best]], expected[key][place], atol=2 * np.sqrt(12e-4))
    assert sorted(found, reverse=True) == list(found) and set(found) <= set(grid)


def test_the_gap_of_a_fit_is_what_it_says():
    X = samples()
    model = GraphicalLassoCV(tol=1e-6).fit(X)
    gap = duality_gap(np.cov(X.T, bias=True), model.alpha_, model.precision_, model.covariance_)
    assert gap <= model.duality_gap_ + 1e-12 and model.duality_gap_ <= 1e-6
    np.testing.assert_array_equal(model.precision_, model.precision_.T)


def test_it_works_in_a_pipeline_and_keeps_the_names_of_features():
    X = pd.DataFrame(samples(), columns=[f"node{n}" for n in range(12)])
    model = GraphicalLassoCV(cv=3)
    assert model.fit(X).feature_names_in_.tolist() == X.columns.tolist() and model.n_features_in_ == 12
    assert clone(model).get_params() == model.get_params()
    scaled = make_pipeline(StandardScaler(), GraphicalLassoCV(cv=3)).fit(X)[-1]
    np.testing.assert_allclose(np.diag(scaled.covariance_), 1)  # the diagonal is not penalised
    assert np.isfinite(model.score(X)) and model.mahalanobis(X).shape == (150,)


def test_many_features_of_few_samples_are_fitted_where_scikit_learn_does_not_converge():
    X = samples(n_samples=30, n_features=60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = GraphicalLassoCV().fit(X)
    assert model.duality_gap_ <= 1e-4 and np.linalg.eigvalsh(model.precision_).min() > 0


def test_a_gap_beyond_double_precision_is_warned_of():
    with pytest.warns(ConvergenceWarning, match=r"tol requires 1\.0e-20"):
        GraphicalLassoCV(tol=1e-20).fit(samples())


@pytest.mark.parametrize(
    ("X", "settings", "said"),
    [
        (np.column_stack([samples(), np.ones(150)]), {}, "The node '13' has no variance"),
        (samples(), {"tol": 0}, "tol is 0; a number above 0 is allowed"),
        (samples(n_samples=3), {}, "Cannot have number of splits n_splits=5 greater"),
    ],
)
def test_what_cannot_be_fitted_is_said(X, settings, said):
    with pytest.raises(ValueError, match=said):
        GraphicalLassoCV(**settings).fit(X)
    assert issubclass(InputError, ValueError)


def test_without_scikit_learn_the_library_works_and_says_what_to_install():
    program = """
import sys
sys.modules["sklearn"] = sys.modules["sklearn.covariance"] = None
import sphereconn
from sphereconn.connect.sparse_selection import sparse_inverse_covariance
assert sphereconn.read_study
try:
    sphereconn.GraphicalLassoCV
except ImportError as problem:
    print(problem)
"""
    library = {"PYTHONPATH": str(ROOT / "workflow" / "lib")}
    done = subprocess.run([sys.executable, "-c", program], env=library, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("GraphicalLassoCV needs scikit-learn 1.6 or newer: pip install")
