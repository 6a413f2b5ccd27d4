"""Networks, similarity and losses: the criteria of a denoising that need no motion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sphereconn.compare.losses import losses_of
from sphereconn.compare.networks import network_contrast, same_network
from sphereconn.compare.similarity import correlations, similarity


@given(st.integers(0, 10_000), st.integers(4, 12))
@settings(max_examples=20)
def test_within_and_between_are_means_over_pairs_of_nodes(seed, n_nodes):
    rng = np.random.default_rng(seed)
    networks = [None if label == 3 else "abc"[label] for label in rng.integers(0, 4, n_nodes)]
    edges = rng.normal(size=n_nodes * (n_nodes - 1) // 2)
    edges[rng.random(len(edges)) < 0.1] = np.nan
    pairs = [(a, b) for i, a in enumerate(networks) for b in networks[i + 1 :]]
    inside = [e for (a, b), e in zip(pairs, edges, strict=True) if a and a == b and not np.isnan(e)]
    outside = [e for (a, b), e in zip(pairs, edges, strict=True) if a and b and a != b and not np.isnan(e)]
    found = network_contrast(edges, *same_network(networks))
    if inside and outside:
        assert found.within == pytest.approx(np.mean(inside)) and found.between == pytest.approx(np.mean(outside))
    else:
        assert np.isnan([found.within, found.between, found.separation]).all()


def test_separation_is_cohens_d_and_does_not_depend_on_scale():
    rng = np.random.default_rng(0)
    networks = ["a"] * 15 + ["b"] * 15
    within, between = same_network(networks)
    edges = np.where(within, 0.5, 0.1) + rng.normal(0, 0.2, len(within))
    inside, outside = edges[within], edges[between]
    pooled = np.sqrt(
        ((len(inside) - 1) * inside.var(ddof=1) + (len(outside) - 1) * outside.var(ddof=1))
        / (len(inside) + len(outside) - 2)
    )
    found = network_contrast(edges, within, between)
    assert found.separation == pytest.approx((inside.mean() - outside.mean()) / pooled)
    assert network_contrast(0.3 * edges, within, between).separation == pytest.approx(found.separation)


def test_nodes_without_networks_have_no_contrast():
    assert np.isnan(network_contrast(np.ones(3), *same_network(["", None, "a"])).separation)


def test_similarity_is_the_mean_correlation_of_the_same_run():
    rng = np.random.default_rng(1)
    runs = [[(edges := rng.normal(size=50)), edges + rng.normal(size=50), -edges] for _ in range(6)]
    found = similarity(runs)
    of_each = [np.corrcoef(run) for run in runs]
    assert np.allclose(found.of_runs[0, 1], np.mean([r[0, 1] for r in of_each]))
    assert np.allclose(found.of_means, np.corrcoef(np.mean(runs, axis=0)))
    assert found.of_runs[0, 2] == pytest.approx(-1) and np.diag(found.of_runs) == pytest.approx(1)
    assert found.n_runs == 6 and np.array_equal(found.of_runs, found.of_runs.T)


def test_runs_that_two_strategies_leave_the_same_count_like_others():
    rng = np.random.default_rng(3)
    first = rng.normal(size=(2, 40))
    other = [first[0], first[1] + rng.normal(size=40)]
    found = similarity(list(zip(first, other, strict=True)))
    assert found.of_runs[0, 1] == pytest.approx((1 + np.corrcoef(first[1], other[1])[0, 1]) / 2)


def test_missing_edges_are_left_out_of_each_pair_and_strategies_without_values_have_none():
    first, second = np.array([1.0, 2, 3, 4, np.nan]), np.array([1.0, 3, 2, np.nan, 7])
    nothing = np.full(5, np.nan)
    found = correlations(np.array([first, second, nothing]))
    assert found[0, 1] == pytest.approx(np.corrcoef(first[:3], second[:3])[0, 1])
    assert np.isnan(found[2]).all()
    assert np.isnan(similarity([[first, second, nothing]]).of_runs[2]).all()


def test_similarity_of_no_run_is_an_error():
    with pytest.raises(ValueError, match="no run"):
        similarity([])


def test_losses_are_means_over_the_runs_that_know_them():
    rows = [
        {"frames": "100", "frames_kept": "90", "degrees_of_freedom": "30", "effective_degrees_of_freedom": "20"},
        {"frames": "200", "frames_kept": "200", "degrees_of_freedom": "n/a", "regressors": "8"},
    ]
    found = losses_of(rows)
    assert (found.frames, found.frames_kept, found.degrees_of_freedom) == (150, 0.95, 0.3)
    assert (found.effective_degrees_of_freedom, found.regressors) == (20, 8)
    assert np.isnan(losses_of([]).frames)
