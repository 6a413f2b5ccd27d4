import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sphereconn.aggregate.strength import network_means, node_strength

SIGNS = ("absolute", "positive", "negative")
MATRICES = (
    st.integers(1, 7)
    .flatmap(lambda n: hnp.arrays(float, (n, n), elements=st.floats(-2, 2) | st.just(np.nan)))
    .map(lambda values: np.tril(values) + np.tril(values, -1).T)
)


def counted(value, sign):
    return {"absolute": abs(value), "positive": max(value, 0), "negative": max(-value, 0)}[sign]


@settings(deadline=None)
@given(MATRICES, st.sampled_from(SIGNS))
def test_a_strength_is_the_sum_over_the_edges_that_have_a_value(matrix, sign):
    strength = node_strength(matrix, sign)
    for node, row in enumerate(matrix):
        edges = [value for other, value in enumerate(row) if other != node and not np.isnan(value)]
        # A sum of at most six numbers of at most 2: rounding stays far below 1e-12.
        expected = sum(counted(value, sign) for value in edges) if edges else np.nan
        np.testing.assert_allclose(strength[node], expected, rtol=0, atol=1e-12)


@settings(deadline=None)
@given(MATRICES)
def test_the_absolute_strength_is_the_positive_and_the_negative_one_together(matrix):
    together = node_strength(matrix, "positive") + node_strength(matrix, "negative")
    np.testing.assert_allclose(node_strength(matrix, "absolute"), together, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sign", SIGNS)
def test_the_diagonal_adds_nothing(sign):
    matrix = np.random.default_rng(0).standard_normal((20, 20))
    matrix += matrix.T
    other = matrix + np.diag(np.arange(20.0) - 10)
    np.testing.assert_array_equal(node_strength(matrix, sign), node_strength(other, sign))


def test_the_caller_keeps_the_diagonal():
    matrix = np.eye(3)
    node_strength(matrix)
    network_means(matrix, ["a", "a", "b"])
    np.testing.assert_array_equal(matrix, np.eye(3))


def test_normalised_strengths_reach_one_and_keep_their_ratios():
    matrix = np.random.default_rng(0).standard_normal((20, 20))
    matrix += matrix.T
    strength = node_strength(matrix)
    np.testing.assert_allclose(node_strength(matrix, normalise=True), strength / strength.max(), rtol=1e-15)
    np.testing.assert_array_equal(node_strength(np.eye(4), normalise=True), np.zeros(4))


@settings(deadline=None)
@given(MATRICES, st.data())
def test_network_means_average_the_edges_between_the_members(matrix, data):
    n = len(matrix)
    networks = data.draw(st.lists(st.sampled_from("cab"), min_size=n, max_size=n))
    names, means = network_means(matrix, networks)
    assert names == sorted(set(networks))
    for i, one in enumerate(names):
        for j, two in enumerate(names):
            edges = [
                matrix[a, b]
                for a in range(n)
                for b in range(n)
                if networks[a] == one and networks[b] == two and a != b and not np.isnan(matrix[a, b])
            ]
            np.testing.assert_allclose(means[i, j], np.mean(edges) if edges else np.nan, rtol=0, atol=1e-12)


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="square"):
        node_strength(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="'both'"):
        node_strength(np.eye(2), "both")
    with pytest.raises(ValueError, match="1 networks for 2 nodes"):
        network_means(np.eye(2), ["a"])
