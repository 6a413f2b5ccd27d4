import doctest

import numpy as np
import pytest

import sphereconn.aggregate.stack as stack_module
from sphereconn.aggregate.stack import blocks, open_stack, stack_rows, write_stack
from sphereconn.connect.edges import edge_vector, write_connectome
from sphereconn.errors import InputError


def symmetric(n_nodes, seed=0):
    matrix = np.random.default_rng(seed).uniform(-1, 1, (n_nodes, n_nodes))
    return (matrix + matrix.T) / 2


def written(folder, matrices, diagonal=False):
    paths = [folder / f"run-{number}_edges.npy" for number in range(len(matrices))]
    for path, matrix in zip(paths, matrices, strict=True):
        names = [f"node {number}" for number in range(len(matrix))]
        write_connectome(folder / "relmat.tsv", path, names, matrix, diagonal=diagonal)
    return paths


@pytest.mark.parametrize("diagonal", [False, True])
def test_a_stack_holds_the_edges_of_each_run_to_the_last_bit(tmp_path, diagonal):
    matrices = [symmetric(4, seed) for seed in range(3)]
    matrices[1][2] = matrices[1][:, 2] = np.nan
    write_stack(tmp_path / "stack.npy", written(tmp_path, matrices, diagonal), 4, diagonal=diagonal)
    expected = np.array([edge_vector(matrix, diagonal) for matrix in matrices])
    stack = np.load(tmp_path / "stack.npy")
    assert stack.dtype == np.float64
    np.testing.assert_array_equal(stack, expected)
    np.testing.assert_array_equal(open_stack(tmp_path / "stack.npy")[:, 1], expected[:, 1])


def test_rows_are_read_one_by_one_in_the_order_asked_for(tmp_path):
    stack = np.random.default_rng(0).standard_normal((5, 7))
    np.save(tmp_path / "stack.npy", stack)
    np.testing.assert_array_equal(list(stack_rows(tmp_path / "stack.npy", [4, 0, 3])), stack[[4, 0, 3]])
    found = list(stack_rows(tmp_path / "stack.npy", [4, 0, 3], 2, 5))
    np.testing.assert_array_equal(found, stack[[4, 0, 3], 2:5])


def test_a_single_node_has_no_edge_and_still_makes_a_stack(tmp_path):
    write_stack(tmp_path / "stack.npy", written(tmp_path, [np.eye(1)] * 2), 1, diagonal=False)
    assert np.load(tmp_path / "stack.npy").shape == (2, 0)
    assert [row.size for row in stack_rows(tmp_path / "stack.npy", [0, 1])] == [0, 0]


def test_a_run_with_other_nodes_is_refused_by_name_and_leaves_no_file(tmp_path):
    paths = written(tmp_path, [np.eye(4), np.eye(3)])
    with pytest.raises(InputError, match=r"run-1_edges\.npy: 6 edges of 4 nodes are expected, found 3"):
        write_stack(tmp_path / "out" / "stack.npy", paths, 4, diagonal=False)
    assert list((tmp_path / "out").iterdir()) == []


def test_runs_that_are_left_out_have_no_row(tmp_path):
    matrices = [symmetric(4, seed) for seed in range(3)]
    paths = written(tmp_path, matrices)
    for kept in ([0, 2], [1], []):
        write_stack(tmp_path / "stack.npy", paths, 4, kept, diagonal=False)
        expected = [edge_vector(matrices[place], diagonal=False) for place in kept]
        np.testing.assert_array_equal(open_stack(tmp_path / "stack.npy"), np.array(expected).reshape(len(kept), 6))


def test_blocks_hold_every_edge_once_and_take_the_same_memory_for_any_number_of_runs():
    for n_runs in (0, 1, 3_000, 10_000, 10**8):
        found = list(blocks(n_runs, 5_000))
        assert [place for start, stop in found for place in range(start, stop)] == list(range(5_000))
        assert max(stop - start for start, stop in found) <= max(2**22 // max(n_runs, 1), 1)
    assert list(blocks(10, 0)) == []


def test_examples():
    found = doctest.testmod(stack_module)
    assert found.attempted > 0
    assert found.failed == 0
