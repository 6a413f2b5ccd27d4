import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.aggregate.stack import edge_vector, matrix_from_edges, open_stack, stack_rows, write_stack
from sphereconn.connect.connectivity import KINDS, connectome
from sphereconn.errors import InputError
from sphereconn.files import write_matrix

NAMES = ["a", "b", "c", "d"]


def symmetric(n_nodes, seed=0):
    matrix = np.random.default_rng(seed).uniform(-1, 1, (n_nodes, n_nodes))
    return (matrix + matrix.T) / 2


def written(folder, matrices, names=NAMES):
    paths = [folder / f"run-{number}_relmat.tsv" for number in range(len(matrices))]
    for path, matrix in zip(paths, matrices, strict=True):
        write_matrix(path, names, matrix)
    return paths


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
def test_a_stack_holds_the_edges_of_each_run_to_the_last_bit(tmp_path, diagonal):
    matrices = [symmetric(4, seed) for seed in range(3)]
    matrices[1][2] = matrices[1][:, 2] = np.nan
    names = write_stack(tmp_path / "stack.npy", written(tmp_path, matrices), diagonal=diagonal)
    expected = np.array([edge_vector(matrix, diagonal) for matrix in matrices])
    assert names == NAMES
    stack = np.load(tmp_path / "stack.npy")
    assert stack.dtype == np.float64
    np.testing.assert_array_equal(stack, expected)
    np.testing.assert_array_equal(open_stack(tmp_path / "stack.npy")[:, 1], expected[:, 1])


def test_rows_are_read_one_by_one_in_the_order_asked_for(tmp_path):
    stack = np.random.default_rng(0).standard_normal((5, 7))
    np.save(tmp_path / "stack.npy", stack)
    np.testing.assert_array_equal(list(stack_rows(tmp_path / "stack.npy", [4, 0, 3])), stack[[4, 0, 3]])


def test_a_single_node_has_no_edge_and_still_makes_a_stack(tmp_path):
    write_stack(tmp_path / "stack.npy", written(tmp_path, [np.eye(1)] * 2, names=["a"]), diagonal=False)
    assert np.load(tmp_path / "stack.npy").shape == (2, 0)
    assert [row.size for row in stack_rows(tmp_path / "stack.npy", [0, 1])] == [0, 0]


@pytest.mark.parametrize(
    ("other", "difference"),
    [(["a", "c", "b", "d"], "node 2 is 'c' instead of 'b'"), (["a", "b", "c"], "3 instead of 4")],
)
def test_runs_with_other_nodes_are_refused_by_name_and_leave_no_file(tmp_path, other, difference):
    paths = written(tmp_path, [np.eye(4)])
    write_matrix(tmp_path / "odd.tsv", other, np.eye(len(other)))
    with pytest.raises(InputError) as caught:
        write_stack(tmp_path / "out" / "stack.npy", [*paths, tmp_path / "odd.tsv"], diagonal=False)
    for part in (str(paths[0]), str(tmp_path / "odd.tsv"), difference):
        assert part in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_an_asymmetric_matrix_is_refused_by_name(tmp_path):
    paths = written(tmp_path, [np.eye(4), np.arange(16.0).reshape(4, 4)])
    with pytest.raises(InputError, match=r"run-1_relmat\.tsv: the matrix is not symmetric"):
        write_stack(tmp_path / "stack.npy", paths, diagonal=False)


def test_an_empty_list_of_runs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no matrix"):
        write_stack(tmp_path / "stack.npy", [], diagonal=False)


def test_runs_that_are_left_out_have_no_row(tmp_path):
    matrices = [symmetric(4, seed) for seed in range(3)]
    paths = written(tmp_path, matrices)
    for kept in ([0, 2], [1], []):
        write_stack(tmp_path / "stack.npy", paths, kept, diagonal=False)
        expected = [edge_vector(matrices[place], diagonal=False) for place in kept]
        np.testing.assert_array_equal(open_stack(tmp_path / "stack.npy"), np.array(expected).reshape(len(kept), 6))
