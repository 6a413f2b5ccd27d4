"""Modularity of signed connectomes against bctpy and Newman's formula."""

import bct
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sphereconn.compare.modularity import louvain, modularity, modularity_of, quality_matrix


def connectome(seed, n_nodes=30, n_modules=4, strength=0.8, n_frames=60):
    rng = np.random.default_rng(seed)
    module = rng.integers(0, n_modules, n_nodes)
    signals = rng.normal(size=(n_frames, n_nodes)) + strength * rng.normal(size=(n_frames, n_modules))[:, module]
    matrix = np.corrcoef(signals.T)
    np.fill_diagonal(matrix, 0)
    return matrix


def edges_of(matrix):
    return matrix[np.triu_indices(len(matrix), 1)]


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=25)
def test_q_of_a_partition_equals_bctpys(seed, n_modules):
    matrix = connectome(seed)
    modules = np.random.default_rng(seed).integers(0, n_modules, len(matrix))
    expected = bct.modularity_und_sign(matrix, modules + 1, qtype="sta")[1]
    assert modularity_of(quality_matrix(matrix), modules) == pytest.approx(expected, abs=1e-12)


def test_q_of_positive_weights_is_newmans():
    matrix = np.abs(connectome(1))
    modules = np.arange(len(matrix)) % 3
    strength, total = matrix.sum(axis=0), matrix.sum()
    within = [np.ix_(modules == module, modules == module) for module in range(3)]
    expected = sum(matrix[part].sum() / total - (strength[part[0]].sum() / total) ** 2 for part in within)
    assert modularity_of(quality_matrix(matrix), modules) == pytest.approx(expected, abs=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_a_search_returns_the_q_of_its_partition_which_is_no_worse_than_one_module_or_none(seed):
    quality = quality_matrix(connectome(seed, n_nodes=20))
    modules, q = louvain(quality, seed)
    assert q == pytest.approx(modularity_of(quality, modules), abs=1e-12)
    assert sorted(set(modules.tolist())) == list(range(modules.max() + 1))
    assert q >= modularity_of(quality, np.arange(20)) and q >= modularity_of(quality, np.zeros(20, dtype=np.int64))


@pytest.mark.parametrize("strength", [0.0, 0.4, 0.8])
def test_searches_find_no_less_than_those_of_bctpy_on_average(strength):
    ours, theirs = [], []
    for seed in range(5):
        matrix = connectome(seed, n_nodes=60, n_modules=5, strength=strength, n_frames=120)
        ours.append(modularity(edges_of(matrix), 60))
        theirs.append(np.mean([bct.community_louvain(matrix, B="negative_asym", seed=k)[1] for k in range(10)]))
    # Ten of bctpy's searches scatter by 0.002 without modules.
    assert np.mean(ours) >= np.mean(theirs) - 0.002
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.006)


def test_the_mean_of_100_searches_is_that_of_100_by_bctpy():
    """As published benchmarks of denoising have it."""
    matrix = connectome(3, n_nodes=40, n_modules=4, strength=0.5, n_frames=120)
    theirs = [bct.modularity_louvain_und_sign(matrix, seed=k)[1] for k in range(100)]
    ours = [louvain(quality_matrix(matrix), k)[1] for k in range(100)]
    assert modularity(edges_of(matrix), 40) == pytest.approx(np.mean(ours))
    # Searches of either end in different partitions: the means differ by no more than their standard errors allow.
    error = np.hypot(np.std(theirs), np.std(ours)) / 10
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=max(4 * error, 1e-3))


def test_planted_modules_are_found():
    block = np.kron(np.eye(3), np.ones((5, 5))) - 0.2 * np.kron(1 - np.eye(3), np.ones((5, 5)))
    modules, q = louvain(quality_matrix(block), 0)
    assert modules.tolist() == np.repeat(np.arange(3), 5).tolist()
    assert q == pytest.approx(bct.modularity_und_sign(block - np.diag(np.diag(block)), modules + 1, qtype="sta")[1])


def test_nodes_without_signal_are_left_out_and_lone_missing_edges_are_zero():
    matrix = connectome(3)
    gone = np.full((32, 32), np.nan)
    gone[1:31, 1:31] = matrix
    assert modularity(edges_of(gone), 32, 20) == pytest.approx(modularity(edges_of(matrix), 30, 20), abs=1e-12)
    hole, zero = matrix.copy(), matrix.copy()
    hole[2, 5] = hole[5, 2] = np.nan
    zero[2, 5] = zero[5, 2] = 0
    assert modularity(edges_of(hole), 30, 5) == modularity(edges_of(zero), 30, 5)


def test_the_result_is_repeatable_and_the_scale_does_not_matter():
    edges = edges_of(connectome(4))
    assert modularity(edges, 30, 10) == modularity(edges, 30, 10)
    assert modularity(edges, 30, 10) == pytest.approx(modularity(3 * edges, 30, 10), abs=1e-12)


def test_without_positive_edges_there_is_no_modularity():
    assert np.isnan(modularity(np.full(6, np.nan), 4))
    assert np.isnan(modularity(np.full(6, -0.3), 4))
