"""Permutation against plain refits of the model, one shuffle at a time, against enumeration and against nilearn."""

import doctest
import itertools

import numpy as np
import pytest
from nilearn.mass_univariate import permuted_ols
from scipy import stats
from threadpoolctl import threadpool_limits

from sphereconn import files
from sphereconn.errors import InputError
from sphereconn.infer import permutation as module
from sphereconn.infer.components import SIDES, Enhancement, components, enhanced, on_side
from sphereconn.infer.corrections import family_wise_p, p_of_counts
from sphereconn.infer.glm import edge_statistics
from sphereconn.infer.network_pairs import NetworkPairs, network_pairs, pair_means
from sphereconn.infer.permutation import Collected, joined, null_of_orders
from sphereconn.infer.shuffles import Exchangeability, plan_shuffles

SUBJECTS = np.repeat(np.arange(12), 2)
KINDS = {
    "free": Exchangeability("free"),
    "within": Exchangeability("within", np.arange(24) % 3),
    "whole": Exchangeability("whole", SUBJECTS),
    "signs": Exchangeability("signs"),
    "whole signs": Exchangeability("signs", SUBJECTS),
}


def study(seed=0, n_edges=15, missing=0.0):
    """Values of 24 runs, two of each of twelve subjects; intercept, group of subjects, age, motion, session."""
    rng = np.random.default_rng(seed)
    group, session = (SUBJECTS % 3 == 0).astype(float), np.tile([0.0, 1.0], 12)
    age, motion = rng.normal(40, 12, 12)[SUBJECTS], rng.gamma(2, 0.1, 24)
    design = np.column_stack([np.ones(24), group, age, motion, session])
    values = rng.normal(0.3, 0.2, (24, n_edges)) + 0.02 * age[:, None] + rng.normal(0, 0.1, 12)[SUBJECTS][:, None]
    values[rng.random(values.shape) < missing] = np.nan
    if missing:
        values[:, :2] = rng.normal(size=(24, 2))
    return values, design, rng


def every_edge(n_edges):
    """Pairs of one edge each, whose means are the statistics of the edges."""
    return Collected(pairs=NetworkPairs(tuple((str(e), "") for e in range(n_edges)), np.arange(n_edges)))


def refitted(values, design, contrast, shuffles, number, edge, weights=None, variances="equal"):
    """Statistic of one edge after one shuffle, in plain steps: whiten, fit nuisance, shuffle, add, fit all."""
    known = ~np.isnan(values[:, edge])
    scale = np.ones(len(values)) if weights is None else np.sqrt(weights / weights.mean())
    y, x = values[:, edge] * scale, design * scale[:, None]
    kernel = np.linalg.svd(contrast)[2][np.linalg.matrix_rank(contrast) :].T  # coefficients on which it is zero
    nuisance = x @ kernel
    fit = nuisance @ np.linalg.lstsq(nuisance[known], y[known], rcond=None)[0]
    places, signs = (drawn[0] for drawn in shuffles.drawn(range(number, number + 1)))
    moved = np.full(len(y), np.nan)
    moved[places] = signs * (y - fit) + fit[places]  # a missing value moves with its run
    return edge_statistics(moved[:, None], x, contrast, variances=variances).statistic[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("how", ["plain", "weights", "hc3", "groups", "F"])
def test_every_shuffle_is_a_refit(kind, missing, how):
    values, design, rng = study(1, missing=missing)
    contrast = np.eye(5)[[1, 4]] if how == "F" else np.array([[0, 1.0, 0, 0, 0]])
    options = {
        "weights": {"weights": rng.uniform(20, 200, 24)},
        "hc3": {"variances": "hc3"},
        "groups": {"variances": design[:, 1].astype(int)},
    }.get(how, {})
    shuffles = plan_shuffles(KINDS[kind], design, 5, seed=7)
    null = null_of_orders(
        values, design, contrast, shuffles, range(6), collected=every_edge(15), least_share=0, **options
    )
    expected = [
        [refitted(values, design, contrast, shuffles, number, edge, **options) for edge in range(15)]
        for number in range(6)
    ]
    np.testing.assert_allclose(null.pair_means, expected, rtol=1e-8, atol=1e-10)
    observed = edge_statistics(values, design, contrast, **options).statistic
    np.testing.assert_allclose(null.pair_means[0], observed, rtol=1e-8, atol=1e-10)
    top = np.nanmax([on_side(null.pair_means, side) for side in (["greater"] if how == "F" else SIDES)], axis=2)
    np.testing.assert_array_equal(null.maxima, top.T)


def test_subject_effects_cost_nothing_and_change_nothing():
    values, design, _ = study(2)
    with_subjects = np.column_stack([np.eye(12)[SUBJECTS], design[:, 4]])
    contrast = np.eye(13)[[12]]
    shuffles = plan_shuffles(Exchangeability("within", SUBJECTS), with_subjects, 20, seed=1)
    null = null_of_orders(values, with_subjects, contrast, shuffles, collected=every_edge(15))
    expected = [
        [refitted(values, with_subjects, contrast, shuffles, number, edge) for edge in range(15)]
        for number in range(1, 21)
    ]
    np.testing.assert_allclose(null.pair_means, expected, rtol=1e-8, atol=1e-10)
    difference = values[1::2] - values[::2]
    theirs = stats.ttest_1samp(difference, 0).statistic
    zero = null_of_orders(values, with_subjects, contrast, shuffles, range(1), collected=every_edge(15))
    np.testing.assert_allclose(zero.pair_means[0], theirs, rtol=1e-10)


def test_all_shuffles_of_two_groups_give_the_p_of_enumeration():
    rng = np.random.default_rng(3)
    group = np.array([0, 1, 0, 0, 1, 0, 1, 0, 0])
    values = rng.normal(size=(9, 10)) + 1.2 * group[:, None] * (np.arange(10) < 4)
    design = np.column_stack([np.ones(9), group])
    shuffles = plan_shuffles(Exchangeability("free"), design, 1000, seed=0)
    null = null_of_orders(values, design, np.array([0, 1.0]), shuffles)
    t = []
    for chosen in itertools.combinations(range(9), 3):
        inside = np.isin(np.arange(9), chosen)
        t.append(stats.ttest_ind(values[inside], values[~inside]).statistic)
    observed = stats.ttest_ind(values[group == 1], values[group == 0]).statistic
    assert null.maxima.shape == (83, 3)
    for place, side in enumerate(SIDES):
        extreme, seen = on_side(np.array(t), side), on_side(observed, side) * (1 - 1e-12)
        single = p_of_counts(null.at_least[place], shuffles.n_shuffles, shuffles.exhaustive)
        np.testing.assert_allclose(single.p, (extreme >= on_side(observed, side) - 1e-9).mean(axis=0), rtol=1e-12)
        corrected = family_wise_p(on_side(observed, side), null.maxima[:, place], shuffles.exhaustive)
        np.testing.assert_allclose(corrected.p, [(extreme.max(axis=1) >= s - 1e-9).mean() for s in seen], rtol=1e-12)
        assert (corrected.monte_carlo_error == 0).all()


def test_all_sign_flips_of_one_sample_give_the_p_of_enumeration():
    values = np.random.default_rng(4).normal(0.4, 1, (8, 5))
    shuffles = plan_shuffles(Exchangeability("signs"), np.ones((8, 1)), 1000, seed=0)
    null = null_of_orders(values, np.ones((8, 1)), np.array([1.0]), shuffles)
    flips = np.array(list(itertools.product([1, -1], repeat=8)))
    t = np.array([stats.ttest_1samp(values * flip[:, None], 0).statistic for flip in flips])
    observed = stats.ttest_1samp(values, 0).statistic
    expected = (np.abs(t) >= np.abs(observed) - 1e-9).mean(axis=0)
    np.testing.assert_allclose(p_of_counts(null.at_least[0], 255, True).p, expected, rtol=1e-12)
    assert (p_of_counts(null.at_least[0], 255, True).p >= 2 / 256).all()  # all signs turned give the same |t|


def networks_of(n_nodes, values, thresholds=(1.5, 2.0)):
    pairs = network_pairs([f"n{node % 3}" for node in range(n_nodes)])
    return Collected(thresholds, Enhancement(), pairs)


@pytest.mark.parametrize("how", ["t", "F"])
def test_statistics_of_networks_are_those_of_the_shuffled_edges(how):
    values, design, _ = study(5, n_edges=66, missing=0.05)
    contrast = np.eye(5)[[1, 2]] if how == "F" else np.array([0, 1.0, 0, 0, 0])
    shuffles = plan_shuffles(KINDS["free"], design, 100, seed=2)
    wanted = networks_of(12, values)
    edges = null_of_orders(values, design, contrast, shuffles, collected=every_edge(66)).pair_means
    null = null_of_orders(values, design, contrast, shuffles, collected=wanted)
    for number, side in itertools.product(range(0, 100, 9), ["greater"] if how == "F" else SIDES):
        place = 0 if how == "F" else SIDES.index(side)
        for t, threshold in enumerate(wanted.thresholds):
            found = components(edges[number], threshold, side)
            assert null.extent[number, t, place] == found.extent.max(initial=0)
            np.testing.assert_allclose(
                null.intensity[number, t, place], found.intensity.max(initial=0), rtol=1e-10, atol=1e-12
            )
        np.testing.assert_allclose(null.enhanced[number, place], np.nanmax(enhanced(edges[number], side)), rtol=1e-10)
    np.testing.assert_allclose(null.pair_means, pair_means(edges, wanted.pairs), rtol=1e-9, atol=1e-12)


def equal(a, b):
    for name in ("maxima", "at_least", "extent", "intensity", "enhanced", "pair_means"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@pytest.mark.parametrize("variances", ["equal", "hc3"])
@pytest.mark.parametrize("kind", ["free", "signs"])
def test_no_bit_depends_on_how_the_work_is_split(kind, variances):
    values, design, _ = study(6, n_edges=1225, missing=0.002)
    contrast, shuffles = np.array([0, 1.0, 0, 0, 0]), plan_shuffles(KINDS[kind], design, 300, seed=9)
    options = {"collected": networks_of(50, values), "variances": variances}
    whole = null_of_orders(values, design, contrast, shuffles, **options)
    cuts = [1, 2, 64, 150, 151, 301]
    parts = [
        null_of_orders(values, design, contrast, shuffles, range(a, b), **options) for a, b in itertools.pairwise(cuts)
    ]
    assert joined(parts).numbers == whole.numbers
    equal(joined(parts), whole)
    equal(null_of_orders(values, design, contrast, shuffles, cores=3, **options), whole)
    with pytest.raises(ValueError, match="follow one another"):
        joined([parts[0], parts[2]])


def test_threads_of_the_matrix_product_change_rounding_and_no_result():
    values, design, _ = study(6, n_edges=1225, missing=0.002)
    contrast, shuffles = np.array([0, 1.0, 0, 0, 0]), plan_shuffles(KINDS["free"], design, 300, seed=9)
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            found.append(null_of_orders(values, design, contrast, shuffles, collected=networks_of(50, values)))
    for name in ("at_least", "extent"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name))
    for name in ("maxima", "intensity", "enhanced", "pair_means"):
        np.testing.assert_allclose(getattr(found[0], name), getattr(found[1], name), rtol=1e-10, atol=1e-12)


def test_statistics_and_p_are_those_of_nilearn():
    values, design, _ = study(7, n_edges=30)
    values += 0.4 * design[:, [1]] * (np.arange(30) < 4)
    contrast = np.array([0, 1.0, 0, 0, 0])
    theirs = permuted_ols(
        design[:, [1]], values, design[:, 2:], model_intercept=True, n_perm=4000, random_state=0, output_type="dict"
    )
    ours = edge_statistics(values, design, contrast).statistic
    np.testing.assert_allclose(ours, theirs["t"][0], rtol=1e-10)
    shuffles = plan_shuffles(Exchangeability("free"), design, 4000, seed=0)
    null = null_of_orders(values, design, contrast, shuffles)
    found = family_wise_p(np.abs(ours), null.maxima[:, 0], shuffles.exhaustive)
    p = 10 ** -theirs["logp_max_t"][0]
    expected = np.clip((found.p + p) / 2, 0.005, 0.995)  # near 0 and 1 counts are few
    assert (np.abs(found.p - p) <= 4 * np.sqrt(2 * expected * (1 - expected) / 4001)).all()
    assert found.p.min() < 0.05


def test_edges_of_too_few_runs_and_edges_that_do_not_vary_are_left_out():
    values, design, _ = study(8, n_edges=15)
    values[:13, 0] = np.nan
    values[:, 1] = 0.5
    values[design[:, 1] == 1, 2] = np.nan
    shuffles = plan_shuffles(KINDS["free"], design, 50, seed=0)
    null = null_of_orders(values, design, np.array([0, 1.0, 0, 0, 0]), shuffles, collected=every_edge(15))
    assert np.flatnonzero(np.isnan(null.pair_means).all(axis=0)).tolist() == [0, 1, 2]
    assert (null.at_least[:, :3] == 50).all()  # p = 1
    assert np.isfinite(null.maxima).all()


def test_a_shuffle_that_leaves_nothing_to_test_has_statistic_zero_and_lost_nuisance_costs_no_degree_of_freedom():
    rng = np.random.default_rng(11)
    values = rng.normal(size=(10, 6))
    values[[6, 7], 3] = np.nan
    group, site = np.isin(np.arange(10), [0, 1]).astype(float), np.isin(np.arange(10), [4, 5]).astype(float)
    design, contrast = np.column_stack([np.ones(10), group, site]), np.array([[0, 1.0, 0]])
    shuffles = plan_shuffles(Exchangeability("free"), design, 10_000, seed=0)
    null = null_of_orders(values, design, contrast, shuffles, collected=every_edge(6))
    places = shuffles.drawn(range(1, shuffles.n_shuffles + 1))[0][:, [6, 7]]
    lost = {
        name: (np.sort(places, axis=1) == pair).all(axis=1) for name, pair in {"group": [0, 1], "site": [4, 5]}.items()
    }
    assert lost["group"].sum() == lost["site"].sum() == 28
    assert (null.pair_means[lost["group"], 3] == 0).all()
    for number in [*np.flatnonzero(lost["site"])[:5], *np.flatnonzero(~lost["group"])[:5]]:
        expected = refitted(values, design, contrast, shuffles, number + 1, 3)
        np.testing.assert_allclose(null.pair_means[number, 3], expected, rtol=1e-8)


def test_a_stack_on_disk_gives_the_same_and_so_do_residuals_there(tmp_path, monkeypatch):
    values, design, _ = study(12, n_edges=45, missing=0.05)
    np.save(tmp_path / "stack.npy", values)
    stack = np.load(tmp_path / "stack.npy", mmap_mode="r")
    shuffles = plan_shuffles(KINDS["free"], design, 70, seed=0)
    options = {"collected": networks_of(10, values)}
    contrast = np.array([0, 1.0, 0, 0, 0])
    found = [null_of_orders(v, design, contrast, shuffles, **options) for v in (values, stack)]
    monkeypatch.setattr(files, "_LARGE_ARRAY", 0)
    equal(*found)
    equal(found[0], null_of_orders(values, design, contrast, shuffles, **options))


def test_what_cannot_be_tested_is_an_error():
    values, design, _ = study(9)
    shuffles = plan_shuffles(KINDS["free"], design, 50, seed=0)
    with pytest.raises(InputError, match="cannot be estimated"):
        null_of_orders(values, np.column_stack([design, design[:, 1]]), np.eye(6)[1], shuffles)
    with pytest.raises(InputError, match="No edge can be tested"):
        null_of_orders(np.where(np.arange(24)[:, None] < 14, np.nan, values), design, np.eye(5)[1], shuffles)
    with pytest.raises(ValueError, match="of 24 runs, the values of 23"):
        null_of_orders(values[1:], design[1:], np.eye(5)[1], shuffles)
    with pytest.raises(ValueError, match="numbers of shuffles"):
        null_of_orders(values, design, np.eye(5)[1], shuffles, range(40, 60))
    with pytest.raises(ValueError, match="thresholds are positive"):
        null_of_orders(values, design, np.eye(5)[1], shuffles, collected=Collected((0.0,)))
    with pytest.raises(ValueError, match="pairs of nodes"):
        null_of_orders(values[:, :14], design, np.eye(5)[1], shuffles, collected=Collected((2.0,)))
    with pytest.raises(ValueError, match="pairs of networks"):
        null_of_orders(values, design, np.eye(5)[1], shuffles, collected=every_edge(3))


def test_no_shuffles_give_an_empty_null():
    values, design, _ = study(10)
    shuffles = plan_shuffles(KINDS["free"], design, 50, seed=0)
    null = null_of_orders(values, design, np.eye(5)[1], shuffles, range(5, 5))
    assert null.maxima.shape == (0, 3)
    assert not null.at_least.any()


def test_examples():
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
