"""Tables of numbers come back as they were written."""

import numpy as np
import pytest

from sphereconn.files import read_matrix, to_number, write_matrix

RANDOM = np.random.default_rng(0).standard_normal((5, 5))
SYMMETRIC = RANDOM + RANDOM.T
MATRICES = {
    "symmetric": SYMMETRIC,
    "not symmetric": RANDOM,
    "with a missing node": np.where(np.eye(5)[2] + np.eye(5)[:, [2]] > 0, np.nan, SYMMETRIC),
    "not symmetric, with a missing edge": np.where(np.eye(5, k=1) > 0, np.nan, RANDOM),
    "of one node": np.array([[2.0]]),
    "of no node": np.empty((0, 0)),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_a_matrix_is_read_as_it_was_written_to_the_last_bit(tmp_path, kind):
    matrix = MATRICES[kind]
    names = [f"node {number}" for number in range(len(matrix))]
    write_matrix(tmp_path / "matrix.tsv", names, matrix)
    found_names, found = read_matrix(tmp_path / "matrix.tsv")
    assert found_names == names
    np.testing.assert_array_equal(found, matrix)


def test_counts_are_written_as_whole_numbers(tmp_path):
    write_matrix(tmp_path / "n.tsv", ["a", "b"], np.array([[3, 2], [2, 3]]))
    assert (tmp_path / "n.tsv").read_text() == "node\ta\tb\na\t3\t2\nb\t2\t3\n"


@pytest.mark.parametrize("cell", ["1_0", "_1", "1__0", "٣", "１", "0x10", "1,5", "", "one"])
def test_what_people_do_not_read_as_a_number_is_none(cell):
    with pytest.raises(ValueError, match=r".*"):
        to_number(cell)


@pytest.mark.parametrize(("cell", "number"), [("-1.5e-3", -0.0015), ("+2", 2), (".5", 0.5), ("7.", 7)])
def test_a_number_is_read_in_every_common_form(cell, number):
    assert to_number(cell) == number
