"""The scale that the figures of groups share reaches as far as the farthest of them."""

import numpy as np
import pytest

from sphereconn.aggregate.scale import common_limits


def symmetric(upper):
    matrix = np.eye(3)
    matrix[np.triu_indices(3, 1)] = upper
    return matrix + np.triu(matrix, 1).T


def test_limits_are_those_of_the_farthest_connectome_of_each_kind_without_the_diagonal():
    groups = [symmetric([0.5, 0.1, np.nan]), symmetric([-0.7, 0.2, 0.1])]
    limits = common_limits((matrix, ["a", "a", "b"]) for matrix in groups)
    assert limits["edges"] == pytest.approx(0.7)
    assert limits["networks"] == pytest.approx(0.7)  # within a, of one edge
    assert limits["absolute"] == pytest.approx(0.9)
    assert limits["positive"] == pytest.approx(0.6)
    assert limits["negative"] == pytest.approx(0.7)


def test_nothing_above_0_gives_no_limit():
    assert set(common_limits([(np.eye(3), ["a", "a", "a"])]).values()) == {None}
    assert set(common_limits([]).values()) == {None}
