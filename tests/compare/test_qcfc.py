"""QC-FC against ordinary least squares, its null distribution, and planted motion artefacts."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import sphereconn.aggregate.stack as stack_module
from sphereconn.compare import qcfc as module
from sphereconn.compare.qcfc import motion_groups, qcfc, spread_of
from sphereconn.compare.subject_means import mean_rows, subject_means


def reader(values):
    return lambda rows, start, stop: values[rows, start:stop]


def partial(values, motion, nuisance):
    return qcfc(reader(values), values.shape[1], np.arange(len(values)), motion, nuisance)


def by_least_squares(edge, motion, nuisance):
    """Return r, p and degrees of freedom from the t of motion in a regression of one edge, without its gaps."""
    known = ~np.isnan(edge)
    design = np.column_stack([motion, np.ones(len(motion)), nuisance])[known]
    design = design[:, [0, *(place for place in range(1, design.shape[1]) if np.any(design[:, place]))]]
    fit = sm.OLS(edge[known], design).fit()
    t, freedom = fit.tvalues[0], fit.df_resid
    return t / np.sqrt(t**2 + freedom), fit.pvalues[0], freedom


@given(st.integers(0, 10_000), st.integers(8, 40), st.integers(0, 3))
@settings(max_examples=25)
def test_equals_the_t_of_motion_in_a_regression_also_where_runs_miss_edges(seed, n_runs, n_columns):
    rng = np.random.default_rng(seed)
    motion, nuisance = rng.gamma(2, 0.1, n_runs), rng.normal(30, 5, (n_runs, n_columns))
    values = rng.normal(0.4, 0.3, (n_runs, 6)) + motion[:, None]
    values[rng.random(n_runs) < 0.2, 3] = np.nan
    values[0, 4] = np.nan
    found = partial(values, motion, nuisance)
    for edge in range(6):
        if np.isnan(found.r[edge]):
            assert (~np.isnan(values[:, edge])).sum() - n_columns - 2 < 1
            continue
        expected = by_least_squares(values[:, edge], motion, nuisance)
        assert np.allclose((found.r[edge], found.p[edge], found.degrees_of_freedom[edge]), expected, rtol=1e-7)


def test_a_site_whose_runs_all_miss_an_edge_costs_it_no_degree_of_freedom():
    rng = np.random.default_rng(1)
    site = np.repeat(np.eye(3)[:, 1:], 6, axis=0)
    values, motion = rng.normal(size=(18, 2)), rng.gamma(2, 0.1, 18)
    values[6:12, 1] = np.nan
    found = partial(values, motion, site)
    assert found.degrees_of_freedom.tolist() == [18 - 2 - 2, 12 - 1 - 2]
    assert found.r[1] == pytest.approx(by_least_squares(values[:, 1], motion, site)[0])


def test_columns_that_repeat_others_cost_no_degree_of_freedom():
    rng = np.random.default_rng(2)
    age = rng.normal(size=20)
    found = partial(rng.normal(size=(20, 3)), rng.normal(size=20), np.column_stack([age, 2 * age - 1, np.ones(20)]))
    assert found.degrees_of_freedom.tolist() == [17, 17, 17]


def test_what_does_not_vary_has_no_correlation():
    rng = np.random.default_rng(3)
    age = rng.normal(size=12)
    values = np.column_stack([np.full(12, 0.3), 2 * age + 1, np.full(12, np.nan), rng.normal(size=12)])
    found = partial(values, rng.normal(size=12), age[:, None])
    assert np.isnan(found.r).tolist() == np.isnan(found.p).tolist() == [True, True, True, False]
    assert np.isnan(partial(values, 3 * age, age[:, None]).r).all()


def test_three_runs_of_one_covariate_leave_nothing_to_test():
    found = partial(
        np.random.default_rng(4).normal(size=(3, 5)), np.array([0.1, 0.2, 0.4]), np.array([[1.0], [2], [4]])
    )
    assert np.isnan(found.r).all()
    assert spread_of(found).n_edges == 0 and np.isnan(spread_of(found).median_absolute)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(5)
    values, motion, nuisance = rng.normal(size=(15, 23)), rng.normal(size=15), rng.normal(size=(15, 2))
    values[3, ::2] = np.nan
    whole = partial(values, motion, nuisance)
    monkeypatch.setattr(stack_module, "MOST_VALUES", 5 * 15)
    assert np.allclose(partial(values, motion, nuisance).r, whole.r, rtol=1e-12)


def test_of_thirty_unrelated_runs_with_two_covariates_five_percent_of_edges_are_significant():
    """Counting n - 2 degrees of freedom, as two published tools do, gives 6.1 %."""
    rng = np.random.default_rng(6)
    shares, too_many, medians = [], [], []
    for _ in range(20):
        nuisance = np.column_stack([rng.normal(40, 10, 30), rng.integers(0, 2, 30)])
        found = partial(rng.normal(size=(30, 2000)), rng.gamma(2, 0.1, 30), nuisance)
        shares.append(np.mean(found.p < 0.05))
        t = found.r * np.sqrt(28 / (1 - found.r**2))
        too_many.append(np.mean(2 * stats.t.sf(np.abs(t), 28) < 0.05))
        medians.append(np.median(np.abs(found.r)))
        by_chance = spread_of(found).median_absolute_by_chance
    # 40,000 independent tests: a standard error of 0.0011.
    assert np.mean(shares) == pytest.approx(0.05, abs=0.0033)
    assert np.mean(too_many) > 0.056
    assert np.mean(medians) == pytest.approx(by_chance, rel=0.02)


def test_spread_counts_edges_that_can_be_tested_only():
    found = module.Qcfc(
        *(
            np.array(column)
            for column in ([0.8, np.nan, -0.2], [0.01, np.nan, 0.4], [1.0, np.nan, 1], [10.0, np.nan, 10])
        )
    )
    spread = spread_of(found)
    assert (spread.n_edges, spread.significant, spread.median_absolute) == (2, 0.5, 0.5)


def test_a_planted_dependence_on_motion_is_found_and_correction_keeps_it_among_many_edges():
    rng = np.random.default_rng(7)
    motion, age = rng.gamma(2, 0.1, 120), rng.normal(size=(120, 1))
    values = rng.normal(0, 0.2, (120, 400)) + 0.3 * age
    values[:, :100] += 1.0 * motion[:, None]
    found = partial(values, motion, age)
    spread = spread_of(found)
    assert (found.r[:100] > 0).all()
    assert spread.significant == pytest.approx(0.25 + 0.75 * 0.05, abs=0.03)
    assert spread.significant_fdr == pytest.approx(0.25, abs=0.03)


def test_thirds_of_most_and_least_motion_are_compared_as_by_a_t_test():
    rng = np.random.default_rng(8)
    motion, values = rng.gamma(2, 0.1, 30), rng.normal(size=(30, 4))
    places, high = motion_groups(motion)
    assert len(places) == 20 and high.sum() == 10
    assert (
        motion[places][high == 0].max() < np.sort(motion)[10] <= np.sort(motion)[19] < motion[places][high == 1].min()
    )
    found = qcfc(reader(values), 4, places, high, np.empty((20, 0)))
    expected = stats.ttest_ind(values[places][high == 1], values[places][high == 0])
    assert np.allclose(found.p, expected.pvalue)
    assert np.allclose(found.slope, values[places][high == 1].mean(axis=0) - values[places][high == 0].mean(axis=0))


def test_runs_of_a_subject_are_averaged_before_they_count():
    rng = np.random.default_rng(9)
    subjects = [f"s{number:02d}" for number in rng.permutation(np.repeat(np.arange(12), 3))]
    of_subject = rng.normal(size=(12, 5))
    values = np.array([of_subject[int(name[1:])] for name in subjects]) + rng.normal(0, 1e-9, (36, 5))
    motion = rng.gamma(2, 0.1, 36)
    read = subject_means(reader(values), np.arange(36), subjects)
    found = qcfc(read, 5, np.arange(12), mean_rows(motion, subjects), np.empty((12, 0)))
    expected = partial(of_subject, mean_rows(motion, subjects), np.empty((12, 0)))
    assert np.allclose(found.r, expected.r, atol=1e-6)
    assert found.degrees_of_freedom.tolist() == [10] * 5
