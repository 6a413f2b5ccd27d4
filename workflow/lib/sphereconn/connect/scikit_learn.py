"""The graphical lasso as an estimator of scikit-learn. The one module that needs scikit-learn; no job imports it."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sphereconn.connect.graphical_lasso import checked_covariance, graphical_lasso
from sphereconn.connect.sparse_selection import Grid, choose_and_fit, cross_validate_covariances

try:
    from sklearn.covariance import EmpiricalCovariance, empirical_covariance
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import check_cv
    from sklearn.utils.validation import validate_data
except ImportError as problem:
    raise ImportError("GraphicalLassoCV needs scikit-learn 1.6 or newer: pip install 'scikit-learn>=1.6'") from problem

COARSE_GAP = 1e-4  # per feature: of the fits that are compared, which need be no better to be told apart


class GraphicalLassoCV(EmpiricalCovariance):  # type: ignore[misc]
    """Sparse inverse covariance with its penalty chosen by cross-validation, and a certificate of its accuracy.

    In place of ``sklearn.covariance.GraphicalLassoCV``: the same problem, the same search and the same scores. The
    solver differs: it stops on a duality gap that it has proved, a penalty that cannot be fitted is no candidate, and
    it takes a fraction of the time (``sphereconn.connect.graphical_lasso``).

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=4
        Number of penalties in a grid, or the penalties to try, in units of the covariance; these are not refined.
    n_refinements : int, default=4
        Number of grids: the first goes from the smallest penalty that leaves no edge down to a hundredth of it, each of
        the others fills the gap around the best so far.
    cv : int, cross-validation generator or iterable, default=None
        How samples are split, as in scikit-learn; None for five contiguous folds.
    tol : float, default=1e-4
        The duality gap of the final fit: its objective exceeds the minimum by no more than this.
    assume_centered : bool, default=False
        Whether the mean of all samples is known to be 0. Folds are centered in any case, as in scikit-learn.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The mean of the samples; 0 with ``assume_centered``.
    covariance_ : ndarray of shape (n_features, n_features)
        The estimate, symmetric and positive definite; the inverse of ``precision_`` up to the gap.
    precision_ : ndarray of shape (n_features, n_features)
        The sparse inverse, symmetric, with exact zeros.
    alpha_ : float
        The penalty with the best mean score; of equals, the smallest.
    cv_results_ : dict of ndarray
        One value per penalty that was tried, the largest first: ``alphas``, ``split0_test_score`` and so on,
        ``mean_test_score``, ``std_test_score``; NaN where a penalty could not be fitted. Penalties that can no longer
        be chosen are left out or fitted roughly, so that their scores are accurate only as far as it takes.
    duality_gap_ : float
        What is proved of the final fit.
    n_iter_ : int
        Sweeps of the solver in the final fit, at least 1.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where the samples had names.

    Examples
    --------
    >>> import numpy as np
    >>> from sphereconn import GraphicalLassoCV
    >>> X = np.random.default_rng(0).multivariate_normal([0, 0, 0], [[1, 0.6, 0], [0.6, 1, 0], [0, 0, 1]], 200)
    >>> model = GraphicalLassoCV().fit(X)
    >>> bool(model.precision_[0, 1] < -0.3) and model.duality_gap_ <= 1e-4
    True
    """

    def __init__(
        self,
        *,
        alphas: int | ArrayLike = 4,
        n_refinements: int = 4,
        cv: Any = None,
        tol: float = 1e-4,
        assume_centered: bool = False,
    ) -> None:
        super().__init__(assume_centered=assume_centered)
        self.alphas = alphas
        self.n_refinements = n_refinements
        self.cv = cv
        self.tol = tol

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Choose a penalty and fit it to all samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.
        y : ignored

        Raises
        ------
        InputError
            A ``ValueError``: a feature is constant, in all samples or in those of a fold, or no penalty can be fitted.
        """
        x: np.ndarray = validate_data(self, X, dtype=np.float64, ensure_min_features=2, ensure_min_samples=2)
        if not self.tol > 0:
            raise ValueError(f"tol is {self.tol}; a number above 0 is allowed.")
        n_features = x.shape[1]
        names = getattr(self, "feature_names_in_", None)
        covariance = checked_covariance(empirical_covariance(x, assume_centered=self.assume_centered), names)
        folds = [
            (checked_covariance(empirical_covariance(x[train]), names), empirical_covariance(x[test]))
            for train, test in check_cv(self.cv).split(x)
        ]
        given = not isinstance(self.alphas, (int, np.integer))
        alphas = np.asarray(self.alphas, dtype=float).tolist() if given else int(self.alphas)  # type: ignore[arg-type]
        final_gap = self.tol / n_features
        grid = Grid(alphas=alphas, n_refinements=self.n_refinements, gap_per_node=max(COARSE_GAP, final_gap))
        choose = partial(cross_validate_covariances, covariance, folds, grid)
        chosen, fit = choose_and_fit(choose, partial(graphical_lasso, covariance), grid.gap_per_node, final_gap)
        if fit.duality_gap > self.tol:
            warnings.warn(
                f"The duality gap of the final fit is {fit.duality_gap:.1e}, but tol requires {self.tol:.1e}; use a"
                " larger tol.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.location_ = np.zeros(n_features) if self.assume_centered else x.mean(axis=0)
        self.covariance_, self.precision_ = fit.covariance, fit.precision
        self.alpha_, self.duality_gap_, self.n_iter_ = chosen.alpha, fit.duality_gap, max(fit.n_iterations, 1)
        scores = np.array([chosen.path[f"fold_{number}"] for number in range(1, len(folds) + 1)])
        self.cv_results_ = {
            "alphas": chosen.path["alpha"],
            **{f"split{number}_test_score": score for number, score in enumerate(scores)},
            "mean_test_score": scores.mean(axis=0),
            "std_test_score": scores.std(axis=0),
        }
        return self
