"""ComBat and CovBat against neuroCombat and a plain computation; what happens to missing edges; the sentences."""

import contextlib
import doctest
import io

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from neuroCombat import neuroCombat

from sphereconn.errors import InputError
from sphereconn.infer import combat
from sphereconn.infer.combat import (
    apply,
    check_kept,
    fit,
    harmonize,
    share_explained_by_sites,
    site_differences,
)


def made(n_runs=(9, 12, 7), n_edges=40, seed=0, effect=0.3):
    """Runs of sites that differ in mean and variance; a score and a binary group, unbalanced over the sites."""
    rng = np.random.default_rng(seed)
    sites = np.repeat([f"s{number}" for number in range(len(n_runs))], n_runs)
    place = np.repeat(np.arange(len(n_runs)), n_runs)
    age = np.float32(rng.normal(30, 8, len(sites))).astype(float)  # neuroCombat reads columns in single precision
    group = (rng.random(len(sites)) < 0.3 + 0.15 * place).astype(float)
    shift, scale = rng.normal(0, 0.2, (len(n_runs), n_edges)), rng.uniform(0.6, 1.6, (len(n_runs), 1))
    noise = rng.normal(0, 0.2, (len(sites), n_edges)) * scale[place]
    values = rng.normal(0.3, 0.2, n_edges) + shift[place] + 0.01 * age[:, None] + effect * group[:, None] + noise
    return values, sites.tolist(), np.column_stack([group, age])


def by_neurocombat(values, sites, kept=None, **options):
    covariates = pd.DataFrame({"site": sites})
    kept = np.empty((len(sites), 0)) if kept is None else kept
    for place in range(kept.shape[1]):
        covariates[f"c{place}"] = kept[:, place]
    numbers = [f"c{place}" for place in range(kept.shape[1])]
    with contextlib.redirect_stdout(io.StringIO()):
        return neuroCombat(values.T, covariates, "site", continuous_cols=numbers, **options)["data"].T


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_runs", [(9, 12, 7), (20, 20), (4, 5, 6, 9)])
@pytest.mark.parametrize("with_kept", [True, False])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"empirical_bayes": False}, {"eb": False}),
        ({"mean_only": True}, {"mean_only": True}),
        ({"mean_only": True, "empirical_bayes": False}, {"mean_only": True, "eb": False}),
        ({"reference": "s1"}, {"ref_batch": "s1"}),
        ({"reference": "s1", "empirical_bayes": False}, {"ref_batch": "s1", "eb": False}),
    ],
)
def test_equals_neurocombat(seed, n_runs, with_kept, ours, theirs, monkeypatch):
    monkeypatch.setattr(np, "int", int, raising=False)  # neuroCombat is of a time when numpy had it
    values, sites, kept = made(n_runs, seed=seed)
    kept = kept if with_kept else None
    expected = by_neurocombat(values, sites, kept, **theirs)
    np.testing.assert_allclose(harmonize(values, sites, kept, **ours).values, expected, rtol=0, atol=1e-10)


def test_covbat_equals_a_plain_computation_from_the_paper():
    values, sites, kept = made((15, 18, 12), n_edges=25)
    design = np.column_stack([[site == label for site in sites] for label in ("s0", "s1", "s2")]).astype(float)
    harmonized = by_neurocombat(values, sites, kept)
    # Residuals of the mean model of the raw values, around which ComBat has put the harmonized ones.
    coefficients = np.linalg.lstsq(np.hstack([design, kept]), values, rcond=None)[0]
    mean = np.mean(design, axis=0) @ coefficients[:3] + kept @ coefficients[3:]
    residuals = harmonized - mean
    centre, spread = residuals.mean(axis=0), residuals.std(axis=0, ddof=1)
    left, singular, right = np.linalg.svd((residuals - centre) / spread, full_matrices=False)
    n_components = np.flatnonzero(np.cumsum(singular**2) / np.sum(singular**2) > 0.95)[0] + 1
    scores = left * singular
    scores[:, :n_components] = by_neurocombat(scores[:, :n_components], sites, eb=False)
    expected = scores @ right * spread + centre + mean

    model = harmonize(values, sites, kept, covariance_share=0.95)
    assert model.model.covariance.loadings.shape[1] == n_components
    np.testing.assert_allclose(model.values, expected, rtol=0, atol=1e-10)


def test_covbat_makes_the_covariances_of_sites_alike_where_combat_leaves_them():
    rng = np.random.default_rng(4)
    direction = rng.normal(size=20)
    factor = rng.normal(size=(200, 1)) * np.repeat([2.0, 0.0], 100)[:, None]
    values, sites = factor * direction + rng.normal(size=(200, 20)), ["a"] * 100 + ["b"] * 100

    def distance(x):
        return np.linalg.norm(np.corrcoef(x[:100].T) - np.corrcoef(x[100:].T))

    without, with_covariance = harmonize(values, sites), harmonize(values, sites, covariance_share=0.95)
    assert distance(with_covariance.values) < 0.5 * distance(without.values)


@pytest.mark.parametrize(("with_kept", "mean_only"), [(False, False), (False, True), (True, True)])
def test_without_empirical_bayes_the_means_of_sites_do_not_differ_any_more(with_kept, mean_only):
    values, sites, kept = made()
    kept = kept if with_kept else None
    harmonized = harmonize(values, sites, kept, empirical_bayes=False, mean_only=mean_only).values
    before, after = (site_differences(x, sites, kept) for x in (values, harmonized))
    assert np.median(before.f) > 3
    assert after.f.max() < 1e-10


def test_the_effect_of_a_kept_column_stays():
    values, sites, kept = made((300, 300), n_edges=30, effect=0.5)
    harmonized = harmonize(values, sites, kept).values
    effects = np.linalg.lstsq(np.column_stack([np.ones(600), kept]), harmonized, rcond=None)[0][1]
    # Standard error of a single edge's effect is about 0.22 * 2 / √600 = 0.018.
    assert abs(effects.mean() - 0.5) < 0.02


@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_units_and_the_order_of_runs_and_edges_do_not_matter(seed, factor, shift):
    values, sites, kept = made((6, 7, 5), n_edges=12, seed=seed)
    rng = np.random.default_rng(seed)
    expected = harmonize(values, sites, kept).values
    np.testing.assert_allclose(
        harmonize(values * factor + shift, sites, kept).values, expected * factor + shift, rtol=1e-8, atol=1e-8 * factor
    )
    runs, edges = rng.permutation(len(values)), rng.permutation(values.shape[1])
    permuted = harmonize(values[np.ix_(runs, edges)], [sites[run] for run in runs], kept[runs]).values
    np.testing.assert_allclose(permuted, expected[np.ix_(runs, edges)], rtol=1e-8, atol=1e-10)


def test_an_edge_is_estimated_from_the_runs_that_have_it():
    values, sites, kept = made()
    values[[0, 10], 3] = np.nan
    harmonized = harmonize(values, sites, kept, empirical_bayes=False)
    with_edge = ~np.isnan(values[:, 3])
    alone = harmonize(
        values[with_edge, 3:4], np.array(sites)[with_edge].tolist(), kept[with_edge], empirical_bayes=False
    )
    np.testing.assert_allclose(harmonized.values[with_edge, 3], alone.values[:, 0], atol=1e-12)
    np.testing.assert_array_equal(np.isnan(harmonized.values), np.isnan(values))
    assert not harmonized.lost.any()


def test_empirical_bayes_with_missing_edges_borrows_from_the_edges_that_are_there():
    # Runs that miss a whole block of edges: that block equals neuroCombat's of the other runs, when it is alone.
    values, sites, kept = made()
    values[2, :] = np.nan
    others = np.arange(len(values)) != 2
    expected = by_neurocombat(values[others], np.array(sites)[others].tolist(), kept[others])
    harmonized = harmonize(values, sites, kept).values
    np.testing.assert_allclose(harmonized[others], expected, rtol=0, atol=1e-10)
    assert np.isnan(harmonized[2]).all()


def test_a_site_with_one_run_that_has_an_edge_has_no_such_edge():
    values, sites, kept = made()
    values[1:9, 5] = np.nan  # of nine runs of s0 one is left
    harmonized = harmonize(values, sites, kept)
    assert np.isnan(harmonized.values[:9, 5]).all()
    assert np.isfinite(harmonized.values[9:, 5]).all()
    assert harmonized.lost.tolist() == [int(edge == 5) for edge in range(40)]


def test_an_edge_with_too_few_runs_has_no_values():
    values, sites, kept = made()
    values[4:, 0] = np.nan
    harmonized = harmonize(values, sites, kept)
    assert np.isnan(harmonized.values[:, 0]).all()
    assert harmonized.lost[0] == 4


def test_an_edge_that_does_not_vary_stays_as_it_is_and_tells_nothing_about_others():
    values, sites, kept = made()
    constant = np.insert(values, 7, 0.0, axis=1)
    harmonized = harmonize(constant, sites, kept).values
    np.testing.assert_array_equal(harmonized[:, 7], 0.0)
    np.testing.assert_allclose(np.delete(harmonized, 7, axis=1), harmonize(values, sites, kept).values, atol=1e-12)


def test_the_sites_of_controls_are_removed_from_patients():
    values, sites, kept = made((40, 40), n_edges=10, effect=0)
    patients = np.arange(80) % 4 == 0
    values[patients] += 0.4
    age = kept[:, 1:]
    harmonized = harmonize(values, sites, age, fitted=~patients)
    controls = np.array(sites)[~patients].tolist()
    np.testing.assert_allclose(
        harmonized.values[~patients], harmonize(values[~patients], controls, age[~patients]).values, atol=1e-12
    )
    model = fit(values[~patients], controls, age[~patients])
    np.testing.assert_array_equal(
        harmonized.values[patients], apply(model, values[patients], np.array(sites)[patients].tolist(), age[patients])
    )


def test_the_runs_of_a_reference_site_stay_as_they_are():
    values, sites, kept = made()
    harmonized = harmonize(values, sites, kept, reference="s2").values
    last = np.array(sites) == "s2"
    np.testing.assert_allclose(harmonized[last], values[last], atol=1e-14)
    assert np.abs(harmonized[~last] - values[~last]).min() > 0


def test_site_differences_equal_the_f_test_of_statsmodels():
    values, sites, kept = made()
    values[3, 1] = np.nan
    found = site_differences(values, sites, kept)
    for edge in (0, 1):
        there = ~np.isnan(values[:, edge])
        frame = sm.add_constant(np.column_stack([pd.get_dummies(sites, drop_first=True).astype(float), kept])[there])
        model = sm.OLS(values[there, edge], frame).fit()
        test = model.f_test(np.eye(5)[1:3])
        np.testing.assert_allclose([found.f[edge], found.p[edge]], [test.fvalue, test.pvalue], rtol=1e-10)
        assert (found.between[edge], found.within[edge]) == (2, model.df_resid)


def test_share_explained_by_sites_is_the_r_squared_of_a_regression_on_them():
    _, sites, kept = made()
    dummies = pd.get_dummies(sites).astype(float)
    expected = [sm.OLS(kept[:, place], dummies).fit().rsquared for place in range(2)]
    np.testing.assert_allclose(share_explained_by_sites(sites, kept), expected, rtol=1e-10)
    by_site = np.array([[float(site == "s0")] for site in sites])
    np.testing.assert_allclose(share_explained_by_sites(sites, by_site), 1)


def test_mistakes_are_answered_in_a_sentence():
    values, sites, kept = made()
    confounded = np.array([[float(site == "s0")] for site in sites])

    with pytest.raises(InputError, match=r"The site 'lonely' has a single run.*join the site with another"):
        fit(values, ["lonely", *sites[1:]])
    with pytest.raises(InputError, match=r"at least two sites, and all runs are of 'x'"):
        fit(values, ["x"] * len(values))
    with pytest.raises(InputError, match=r"a single value in each of the sites s0, s1, s2.*cannot be dist"):
        fit(values, sites, confounded, ["group"])
    with pytest.raises(InputError, match=r"'twice' is determined by the sites and the columns group, age"):
        check_kept(sites, np.column_stack([kept, kept.sum(axis=1)]), ["group", "age", "twice"])
    with pytest.raises(InputError, match=r"'age' has no value in 1 of 28 runs"):
        fit(values, sites, np.where(np.arange(28)[:, None] == 4, [np.nan, np.nan], kept), ["age", "group"])
    with pytest.raises(InputError, match=r"The site 'new' has no run among those.*sites s0, s1, s2"):
        apply(fit(values, sites), values, ["new", *sites[1:]])
    with pytest.raises(InputError, match=r"The reference site 'sX' has no run; the sites are s0, s1, s2"):
        fit(values, sites, reference="sX")
    with pytest.raises(InputError, match=r"there is a single edge: harmonize without it"):
        fit(values[:, :1], sites)
    with pytest.raises(InputError, match=r"keeping 1 columns needs more than 3 runs, and there are 3"):
        fit(values[[0, 9, 10]], ["a", "b", "b"], np.array([[1.0], [2.0], [1.0]]), mean_only=True)
    assert np.isfinite(harmonize(values, ["lonely", *sites[1:]], mean_only=True).values).all()


def test_the_example_of_the_documentation_holds():
    assert doctest.testmod(combat).failed == 0
