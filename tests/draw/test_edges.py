import numpy as np
import pytest
from figures import example
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sphereconn.draw.edges import edges_to_draw, parse_threshold
from sphereconn.errors import InputError


def symmetric(values):
    lower = np.tril(values, k=-1)
    return lower + lower.T + np.diag(np.diag(values))


# Few distinct values make ties and zeros likely; NaN stands for an edge without a value.
MATRICES = (
    st.integers(1, 9)
    .flatmap(
        lambda n: hnp.arrays(float, (n, n), elements=st.sampled_from([0.0, 0.1, -0.1, 0.25, -0.5, 0.5, 1.0, np.nan]))
    )
    .map(symmetric)
)


def pairs(edges):
    return set(zip(edges.first.tolist(), edges.second.tolist(), strict=True))


def known_edges(matrix):
    """Return {(i, j): magnitude} of every pair i < j with a value, one by one."""
    n = len(matrix)
    return {(i, j): abs(matrix[i, j]) for i in range(n) for j in range(i + 1, n) if not np.isnan(matrix[i, j])}


@settings(deadline=None)
@given(MATRICES, st.sampled_from([None, 0, 0.1, 0.2, 0.5, 3]))
def test_a_number_keeps_the_edges_of_at_least_that_magnitude(matrix, threshold):
    edges = edges_to_draw(matrix, threshold)
    known = known_edges(matrix)
    assert pairs(edges) == {pair for pair, value in known.items() if value >= (threshold or 0) and value > 0}
    assert edges.n_possible == len(known)


@settings(deadline=None)
@given(MATRICES, st.sampled_from([0, 12.5, 50, 90, 100]))
def test_a_percentile_is_that_of_the_edges_counted_once_without_the_diagonal(matrix, percent):
    edges = edges_to_draw(matrix, f"{percent}%")
    known = known_edges(matrix)
    cut = np.percentile(list(known.values()), percent) if known else 0
    assert pairs(edges) == {pair for pair, value in known.items() if value >= cut and value > 0}


@settings(deadline=None)
@given(MATRICES, st.integers(1, 40))
def test_top_n_keeps_n_edges_and_none_is_weaker_than_one_left_out(matrix, number):
    edges = edges_to_draw(matrix, f"top {number}")
    known = {pair: value for pair, value in known_edges(matrix).items() if value > 0}
    assert len(edges) == min(number, len(known))
    left_out = [value for pair, value in known.items() if pair not in pairs(edges)]
    assert max(left_out, default=0) <= min(np.abs(edges.values), default=np.inf)


@settings(max_examples=30, deadline=None)
@given(MATRICES)
def test_edges_carry_the_values_of_the_matrix_and_the_strongest_comes_last(matrix):
    edges = edges_to_draw(matrix)
    np.testing.assert_array_equal(edges.values, matrix[edges.first, edges.second])
    assert (np.diff(np.abs(edges.values)) >= 0).all()


def test_the_last_fifth_of_a_percent_of_power264_is_70_edges():
    # nilearn's plot_connectome draws 70; its view_connectome, which counts the diagonal in, draws none.
    assert len(edges_to_draw(example("power264").matrix, "99.8%")) == 70


def test_a_percentile_of_tiny_values_leaves_edges():
    # nilearn adds 1e-5 to the percentile, so that covariances of 1e-6 lose all their edges.
    matrix = 1e-6 * example("dosenbach160").matrix
    assert len(edges_to_draw(matrix, "99%")) == len(edges_to_draw(matrix * 1e6, "99%")) == 128


@pytest.mark.parametrize("matrix", [np.zeros((4, 4)), np.eye(4), np.ones((1, 1)), np.full((3, 3), np.nan)])
@pytest.mark.parametrize("threshold", [None, 0.5, "90%", "100%", "top 3"])
def test_a_matrix_without_edges_has_none_to_draw(matrix, threshold):
    assert len(edges_to_draw(matrix, threshold)) == 0


@pytest.mark.parametrize(
    ("threshold", "meaning"),
    [
        (None, ("magnitude", 0)),
        (0.3, ("magnitude", 0.3)),
        (2, ("magnitude", 2)),
        ("0.3", ("magnitude", 0.3)),
        ("1e-3", ("magnitude", 0.001)),
        ("99.8%", ("percentile", 99.8)),
        (" 50 % ", ("percentile", 50)),
        ("100%", ("percentile", 100)),
        ("top 100", ("top", 100)),
    ],
)
def test_a_threshold_is_a_magnitude_a_percentile_or_a_number_of_edges(threshold, meaning):
    assert parse_threshold(threshold) == meaning


@pytest.mark.parametrize(
    "threshold",
    [-0.1, np.nan, np.inf, True, "", "many", "101%", "-5%", "%", "top", "top 0", "top 1.5", "top -3", "nan"],
)
def test_any_other_threshold_is_an_error_that_says_what_is_allowed(threshold):
    with pytest.raises(InputError, match=r"^threshold: '.*' is not understood; allowed: .*'99\.8%'.*'top 100'\.$"):
        edges_to_draw(np.eye(3), threshold)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.zeros((3, 4)), "square"),
        (np.zeros(3), "square"),
        (np.array([[1, 0.5], [0.2, 1]]), "symmetric"),
        (np.array([[1, np.nan], [0.2, 1]]), "symmetric"),
        (np.array([[1, np.inf], [np.inf, 1]]), "infinities"),
    ],
)
def test_a_matrix_that_is_no_undirected_connectome_is_refused(matrix, words):
    with pytest.raises(ValueError, match=words):
        edges_to_draw(matrix)
