"""Long tables hold what the matrices of the runs hold."""

import numpy as np
import pytest

from sphereconn.aggregate.long_tables import COLUMNS, long_table
from sphereconn.connect.edges import edge_vector

NODES, NETWORKS = ["a", "b", "c", "d"], ["one", "two", "", "two"]


@pytest.fixture(params=[False, True])
def stacked(request, tmp_path):
    rng = np.random.default_rng(0)
    matrices = []
    for _ in range(3):
        matrix = rng.normal(size=(4, 4))
        matrix = matrix + matrix.T
        matrices.append(matrix)
    matrices[1][0, 1] = matrices[1][1, 0] = np.nan
    stack = tmp_path / "stack.npy"
    np.save(stack, [edge_vector(matrix, request.param) for matrix in matrices])
    return matrices, lambda kind: list(long_table(kind, stack, ["x", "y", "z"], NODES, NETWORKS, request.param))


def test_every_edge_of_every_run_has_a_row(stacked):
    matrices, table = stacked
    rows = table("edges")
    assert len(rows) == 3 * 6 and all(len(row) == len(COLUMNS["edges"]) for row in rows)
    for run, one, other, value in rows:
        np.testing.assert_equal(value, matrices["xyz".index(run)][NODES.index(one), NODES.index(other)])


def test_networks_are_means_over_the_edges_that_are_known(stacked):
    matrices, table = stacked
    rows = {(run, one, other): value for run, one, other, value in table("networks")}
    assert sorted({key[1:] for key in rows}) == [("one", "one"), ("one", "two"), ("two", "two")]
    assert rows["x", "one", "two"] == pytest.approx((matrices[0][0, 1] + matrices[0][0, 3]) / 2)
    assert rows["y", "one", "two"] == pytest.approx(matrices[1][0, 3])
    assert np.isnan(rows["x", "one", "one"]) and rows["z", "two", "two"] == pytest.approx(matrices[2][1, 3])


def test_strengths_add_up(stacked):
    matrices, table = stacked
    for run, node, network, absolute, positive, negative in table("strengths"):
        edges = np.delete(matrices["xyz".index(run)][NODES.index(node)], NODES.index(node))
        assert absolute == pytest.approx(np.nansum(np.abs(edges))) == pytest.approx(positive + negative)
        assert network == (NETWORKS[NODES.index(node)] or None)
