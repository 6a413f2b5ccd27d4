"""The linear model of edges against statsmodels; missing edges, weights, unequal variances, bad designs."""

import doctest

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sphereconn.errors import InputError
from sphereconn.infer import effects, glm
from sphereconn.infer.glm import edge_statistics, patterns, projection


def study(seed=0, n_runs=31, n_edges=23, missing=0.15):
    """Values with missing edges, and a design of intercept, group, age in years, motion and a site factor."""
    rng = np.random.default_rng(seed)
    group = (np.arange(n_runs) % 3 == 0).astype(float)
    age, motion = rng.normal(40, 12, n_runs), rng.gamma(2, 0.1, n_runs)
    site = np.arange(n_runs) % 4 == 1
    design = np.column_stack([np.ones(n_runs), group, age, motion, site])
    values = rng.normal(0.3, 0.2, (n_runs, n_edges)) + 0.005 * age[:, None] + 0.1 * group[:, None]
    values[rng.random(values.shape) < missing] = np.nan
    values[:, :3] = rng.normal(0.3, 0.2, (n_runs, 3))
    return values, design, rng


def by_statsmodels(values, design, edge, weights=None, **options):
    known = ~np.isnan(values[:, edge])
    if weights is None:
        return sm.OLS(values[known, edge], design[known]).fit(**options)
    return sm.WLS(values[known, edge], design[known], weights=weights[known]).fit(**options)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("variances", ["equal", "hc3"])
@pytest.mark.parametrize("contrast", [[0, 1, 0, 0, 0], [0, 0, -1, 0, 0], [0, 1, 0, 0, -1], [1, 0.5, 40, 0.2, 0.25]])
def test_t_equals_statsmodels(contrast, variances, weighted):
    values, design, rng = study()
    weights = rng.uniform(20, 200, len(values)) if weighted else None
    ours = edge_statistics(values, design, np.array(contrast, dtype=float), weights=weights, variances=variances)
    for edge in range(values.shape[1]):
        options = {} if variances == "equal" else {"cov_type": "HC3", "use_t": True}
        fit = by_statsmodels(values, design, edge, weights, **options)
        theirs = fit.t_test(np.array(contrast, dtype=float))
        np.testing.assert_allclose(ours.effect[edge], theirs.effect.item(), rtol=1e-10)
        np.testing.assert_allclose(ours.standard_error[edge], theirs.sd.item(), rtol=1e-10)
        np.testing.assert_allclose(ours.statistic[edge], theirs.tvalue.item(), rtol=1e-10)
        np.testing.assert_allclose(ours.p[edge], float(theirs.pvalue), rtol=1e-10)
        np.testing.assert_allclose(ours.interval[:, edge], theirs.conf_int()[0], rtol=1e-10)
        assert ours.degrees_of_freedom[edge] == fit.df_resid
        assert ours.n_runs[edge] == fit.nobs


@pytest.mark.parametrize("weighted", [False, True])
def test_f_equals_statsmodels(weighted):
    values, design, rng = study(1)
    weights = rng.uniform(20, 200, len(values)) if weighted else None
    contrast = np.array([[0, 1.0, 0, 0, 0], [0, 0, 0, 1.0, -2.0]])
    ours = edge_statistics(values, design, contrast, weights=weights)
    for edge in range(values.shape[1]):
        theirs = by_statsmodels(values, design, edge, weights).f_test(contrast)
        np.testing.assert_allclose(ours.statistic[edge], theirs.fvalue, rtol=1e-10)
        np.testing.assert_allclose(ours.p[edge], float(theirs.pvalue), rtol=1e-10)
    assert np.isnan(ours.effect).all()


@pytest.mark.parametrize("seed", range(3))
def test_variances_by_group_of_two_samples_are_welchs_test(seed):
    rng = np.random.default_rng(seed)
    group = np.arange(19) < 6
    values = rng.normal(0, np.where(group, 3, 1)[:, None], (19, 8))
    ours = edge_statistics(
        values, np.column_stack([~group, group]).astype(float), np.array([-1.0, 1.0]), variances=group.astype(int)
    )
    theirs = stats.ttest_ind(values[group], values[~group], equal_var=False)
    np.testing.assert_allclose(ours.statistic, theirs.statistic, rtol=1e-10)
    np.testing.assert_allclose(ours.p, theirs.pvalue, rtol=1e-10)
    np.testing.assert_allclose(ours.degrees_of_freedom, theirs.df, rtol=1e-10)
    student = edge_statistics(values, np.column_stack([~group, group]).astype(float), np.array([-1.0, 1.0]))
    np.testing.assert_allclose(student.statistic, stats.ttest_ind(values[group], values[~group]).statistic, rtol=1e-10)


def test_partial_r_is_the_correlation_of_residuals():
    values, design, _ = study(2, missing=0)
    ours = edge_statistics(values, design, np.array([0, 0, 1.0, 0, 0]))
    rest = np.delete(design, 2, axis=1)
    left = [x - rest @ np.linalg.lstsq(rest, x, rcond=None)[0] for x in (values, design[:, [2]])]
    expected = [np.corrcoef(left[0][:, edge], left[1][:, 0])[0, 1] for edge in range(values.shape[1])]
    np.testing.assert_allclose(ours.partial_r, expected, rtol=1e-9)


def test_partial_r_of_an_f_test_is_the_root_of_the_share_explained():
    values, design, _ = study(3, missing=0)
    ours = edge_statistics(values, design, np.eye(5)[[1, 4]])
    for edge in range(values.shape[1]):
        full, rest = (by_statsmodels(values, x, edge).ssr for x in (design, design[:, [0, 2, 3]]))
        np.testing.assert_allclose(ours.partial_r[edge], np.sqrt((rest - full) / rest), rtol=1e-9)


def test_cohens_d_of_two_groups_has_the_pooled_standard_deviation():
    values, design, _ = study(4, missing=0)
    ours = edge_statistics(values, design[:, :2], np.array([0, 1.0]))
    a, b = values[design[:, 1] == 1], values[design[:, 1] == 0]
    pooled = ((len(a) - 1) * a.var(0, ddof=1) + (len(b) - 1) * b.var(0, ddof=1)) / (len(a) + len(b) - 2)
    np.testing.assert_allclose(ours.cohens_d, (a.mean(0) - b.mean(0)) / np.sqrt(pooled), rtol=1e-10)


def test_aliased_nuisance_columns_change_nothing():
    values, design, _ = study(5)
    contrast = np.array([0, 1.0, 0, 0, 0])
    doubled = np.column_stack([design, design[:, 2] * 2 + design[:, 0]])
    ours = edge_statistics(values, doubled, np.append(contrast, 0))
    np.testing.assert_allclose(ours.statistic, edge_statistics(values, design, contrast).statistic, rtol=1e-9)


def test_an_edge_whose_group_has_no_run_left_is_missing_and_the_others_stay():
    values, design, _ = study(6, missing=0)
    values[design[:, 1] == 1, 3] = np.nan
    contrast = np.array([0, 1.0, 0, 0, 0])
    ours = edge_statistics(values, design, contrast)
    assert np.flatnonzero(np.isnan(ours.statistic)).tolist() == [3]
    assert np.isnan(ours.p[3])
    assert np.isnan(ours.interval[:, 3]).all()
    assert ours.n_runs[3] == (design[:, 1] == 0).sum()
    age = edge_statistics(values, design, np.array([0, 0, 1.0, 0, 0]))  # can still be estimated there
    known = ~np.isnan(values[:, 3])
    fit = sm.OLS(values[known, 3], design[known][:, [0, 2, 3, 4]]).fit()
    np.testing.assert_allclose(age.statistic[3], fit.tvalues[1], rtol=1e-10)
    assert age.degrees_of_freedom[3] == fit.df_resid


def test_edges_of_too_few_runs_constant_edges_and_edges_nobody_has_are_missing():
    values, design, _ = study(7, missing=0)
    values[:16, 0] = np.nan
    values[:, 1] = 0.25
    values[:, 2] = np.nan
    ours = edge_statistics(values, design, np.array([0, 1.0, 0, 0, 0]), least_share=0.5)
    assert np.flatnonzero(np.isnan(ours.statistic)).tolist() == [0, 1, 2]
    assert ours.n_runs[:4].tolist() == [15, 31, 0, 31]


def test_a_run_with_a_column_of_its_own_counts_in_no_variance_of_others():
    values, design, _ = study(8, missing=0)
    alone = np.column_stack([design, np.arange(len(design)) == 5])
    for variances in ("equal", "hc3", (np.arange(31) % 2)):
        ours = edge_statistics(values, alone, np.array([0, 1.0, 0, 0, 0, 0]), variances=variances)
        others = np.arange(31) != 5
        kept = variances[others] if isinstance(variances, np.ndarray) else variances
        without = edge_statistics(values[others], design[others], np.array([0, 1.0, 0, 0, 0]), variances=kept)
        np.testing.assert_allclose(ours.statistic, without.statistic, rtol=1e-9)
        its_own = edge_statistics(values, alone, np.eye(6)[5], variances=variances)
        assert np.isnan(its_own.statistic).all() == (isinstance(variances, str) and variances == "hc3")


@pytest.mark.parametrize(
    ("design", "contrast"),
    [
        ([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1], [1, 0, 1]], [0, 1, 0]),  # both groups and an intercept
        ([[1, 2, 4], [1, 3, 6], [1, 1, 2], [1, 0, 0], [1, 5, 10]], [0, 1, 0]),  # two columns that are one
        ([[1, 2, 4], [1, 3, 7], [1, 1, 2]], [0, 1, 0]),  # nothing left
        ([[1, 2, 0], [1, 3, 0], [1, 1, 0], [1, 0, 0], [1, 5, 0]], [0, 0, 1]),  # a column of zeros
        ([[1, 2, 4], [1, 3, 1], [1, 1, 2], [1, 0, 3], [1, 5, 9]], [[0, 1, 0], [0, 2, 0]]),  # the same row twice
        ([[1, 2, 4], [1, 3, 1], [1, 1, 2], [1, 0, 3], [1, 5, 9]], [0, 0, 0]),
    ],
)
def test_a_contrast_that_cannot_be_estimated_is_an_error(design, contrast):
    values = np.random.default_rng(0).normal(size=(len(design), 3))
    with pytest.raises(InputError, match="cannot be estimated"):
        edge_statistics(values, np.array(design, dtype=float), np.array(contrast, dtype=float))


@given(st.integers(0, 10_000))
def test_units_of_columns_and_values_do_not_matter(seed):
    values, design, rng = study(seed, n_runs=20, n_edges=4)
    contrast = np.array([0, 0, 1.0, 0, 0])
    ours = edge_statistics(values, design, contrast)
    unit = 10.0 ** rng.integers(-6, 6, 5)
    other = edge_statistics(values * 1e3, design * unit, contrast)
    np.testing.assert_allclose(other.statistic, ours.statistic, rtol=1e-7)
    np.testing.assert_allclose(other.effect, ours.effect * 1e3 / unit[2], rtol=1e-7)


def test_bases_are_orthonormal_and_span_the_design():
    _, design, _ = study(9)
    part = projection(design, np.array([[0, 1.0, 0, 0, -1.0]]))
    basis = np.column_stack([part.tested, part.nuisance])
    np.testing.assert_allclose(basis.T @ basis, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(basis @ (basis.T @ design), design, atol=1e-10)


def test_patterns_cover_every_edge_once():
    values, _, _ = study(10, missing=0.05)
    seen = []
    for kept, edges in patterns(values):
        assert (~np.isnan(values[:, edges]) == kept[:, None]).all()
        seen.extend(edges.tolist())
    assert sorted(seen) == list(range(values.shape[1]))


def test_shapes_and_options_that_do_not_fit_are_errors():
    values, design, _ = study()
    one, two = np.eye(5)[1], np.eye(5)[[1, 2]]
    with pytest.raises(ValueError, match="finite design"):
        edge_statistics(values, design[:-1], one)
    with pytest.raises(ValueError, match="positive weight"):
        edge_statistics(values, design, one, weights=np.zeros(len(values)))
    with pytest.raises(ValueError, match="equal variances"):
        edge_statistics(values, design, two, variances="hc3")
    with pytest.raises(ValueError, match="'equal', 'hc3'"):
        edge_statistics(values, design, one, variances="welch")
    with pytest.raises(ValueError, match="label per run"):
        edge_statistics(values, design, one, variances=np.zeros(3, dtype=int))


@pytest.mark.parametrize("module", [glm, effects])
def test_examples(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


def test_a_difference_in_r_is_what_z_says_at_the_mean():
    mean, effect = np.array([-0.4, 0.0, 1.2]), np.array([0.3, -0.2, 0.5])
    expected = np.tanh(mean + effect / 2) - np.tanh(mean - effect / 2)
    np.testing.assert_allclose(effects.difference_in_r(effect, mean), expected)
    small = effects.difference_in_r(effect * 1e-6, mean)
    np.testing.assert_allclose(small, 1e-6 * effect * (1 - np.tanh(mean) ** 2), rtol=1e-9)  # the slope of tanh
