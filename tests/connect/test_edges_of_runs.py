"""Edges and matrices of connectomes, one from the other, in memory and in files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.connect.connectivity import KINDS, connectome
from sphereconn.connect.edges import edge_vector, matrix_from_edges, n_edges_of, read_edges, write_connectome
from sphereconn.errors import InputError
from sphereconn.files import read_matrix


def symmetric(n_nodes, seed=0):
    matrix = np.random.default_rng(seed).uniform(-1, 1, (n_nodes, n_nodes))
    return (matrix + matrix.T) / 2


def test_edges_are_the_upper_triangle_row_by_row():
    matrix = np.array([[0.0, 1, 2], [1, 3, 4], [2, 4, 5]])
    assert edge_vector(matrix, diagonal=False).tolist() == [1, 2, 4]
    assert edge_vector(matrix, diagonal=True).tolist() == [0, 1, 2, 3, 4, 5]


@given(st.integers(1, 12), st.booleans(), st.integers(0, 10_000))
def test_a_matrix_survives_the_way_through_its_edges(n_nodes, diagonal, seed):
    matrix = symmetric(n_nodes, seed)
    if not diagonal:
        np.fill_diagonal(matrix, 1)
    edges = edge_vector(matrix, diagonal)
    np.testing.assert_array_equal(matrix_from_edges(edges, n_nodes, diagonal, diagonal_value=1.0), matrix)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connectome_with_missing_nodes_survives_too(kind):
    signals = np.random.default_rng(0).standard_normal((50, 6))
    signals[:, [1, 4]] = np.nan
    matrix = connectome(signals, kind, "ledoit_wolf").matrix
    diagonal = not KINDS[kind].is_correlation
    restored = matrix_from_edges(edge_vector(matrix, diagonal), 6, diagonal, diagonal_value=1.0)
    np.testing.assert_array_equal(restored, matrix)


def test_the_diagonal_is_unknown_unless_it_is_given():
    matrix = matrix_from_edges(np.array([0.5]), 2, diagonal=False)
    np.testing.assert_array_equal(matrix, [[np.nan, 0.5], [0.5, np.nan]])


def test_each_node_may_have_a_diagonal_of_its_own():
    matrix = matrix_from_edges(np.array([3.0]), 2, diagonal=False, diagonal_value=np.array([5.0, 4.0]))
    np.testing.assert_array_equal(matrix, [[5, 3], [3, 4]])


@pytest.mark.parametrize(("n_edges", "diagonal"), [(5, False), (6, True), (7, False)])
def test_a_wrong_number_of_edges_is_refused(n_edges, diagonal):
    with pytest.raises(ValueError, match="4 nodes have"):
        matrix_from_edges(np.zeros(n_edges), 4, diagonal)


@pytest.mark.parametrize("matrix", [np.array([[1.0, 2], [3, 1]]), np.ones((2, 3)), np.ones(4)])
def test_a_matrix_that_would_lose_half_its_values_is_refused(matrix):
    with pytest.raises(ValueError, match="symmetric"):
        edge_vector(matrix, diagonal=True)


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("n_nodes", [1, 5])
def test_edges_are_read_to_the_last_bit_and_the_table_beside_them_to_seven_digits(tmp_path, n_nodes, diagonal):
    matrix, names = symmetric(n_nodes), [f"node {number}" for number in range(n_nodes)]
    matrix[-1] = matrix[:, -1] = np.nan
    write_connectome(tmp_path / "relmat.tsv", tmp_path / "edges.npy", names, matrix, diagonal=diagonal)
    found = read_edges(tmp_path / "edges.npy", n_nodes, diagonal)
    assert found.dtype == np.float64 and found.shape == (n_edges_of(n_nodes, diagonal),)
    np.testing.assert_array_equal(found, edge_vector(matrix, diagonal))
    assert read_matrix(tmp_path / "relmat.tsv")[0] == names
    np.testing.assert_allclose(read_matrix(tmp_path / "relmat.tsv")[1], matrix, rtol=5e-7)


def test_edges_of_other_nodes_are_refused_by_name(tmp_path):
    write_connectome(tmp_path / "relmat.tsv", tmp_path / "edges.npy", ["a", "b", "c"], np.eye(3), diagonal=False)
    with pytest.raises(InputError, match=r"edges\.npy: 6 edges of 4 nodes are expected, found 3; all runs"):
        read_edges(tmp_path / "edges.npy", 4, diagonal=False)


@pytest.mark.parametrize("content", [b"", b"node\ta\n", b"\x93NUMPY\x01\x00"])
def test_a_file_that_holds_no_edges_is_refused_by_name(tmp_path, content):
    (tmp_path / "edges.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"edges\.npy: not a readable NumPy file"):
        read_edges(tmp_path / "edges.npy", 4, diagonal=False)
    with pytest.raises(InputError, match=r"absent\.npy: not a readable NumPy file"):
        read_edges(tmp_path / "absent.npy", 4, diagonal=False)
