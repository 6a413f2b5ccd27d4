"""Which runs are repeats of which."""

import doctest

import numpy as np
import pytest

from sphereconn.compare import halves, repeats
from sphereconn.compare.repeats import repeats_of
from sphereconn.errors import InputError


@pytest.mark.parametrize("module", [repeats, halves])
def test_examples_hold(module):
    assert doctest.testmod(module).failed == 0


def test_runs_are_grouped_by_subject_whatever_their_order():
    found = repeats_of(list("cabbca"), list("112122"))
    assert found.subjects == ("a", "b", "c")
    assert found.table.tolist() == [[1, 5], [3, 2], [0, 4]]
    assert found.runs.tolist() == [1, 5, 3, 2, 0, 4]
    assert found.subject.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.repeat.tolist() == [0, 1, 0, 1, 0, 1]


def test_a_subject_with_one_run_is_left_out_and_named():
    found = repeats_of(["a", "a", "b", "c", "c"], ["1", "2", "1", "1", "3"])
    assert found.left_out == {"b": "1"}
    assert found.repeats == ("1", "2", "3")
    assert found.table.tolist() == [[0, 1, -1], [3, -1, 4]]
    assert found.crossed.shape == (0, 2)  # no two share two repeats


def test_crossed_repeats_leave_most_degrees_of_freedom():
    # Ten subjects with two repeats (9 degrees of freedom), of these three with four: (3 - 1) (4 - 1) = 6 are fewer.
    runs = [(f"s{number}", str(repeat)) for number in range(10) for repeat in range(4 if number < 3 else 2)]
    few = repeats_of(*zip(*runs, strict=True))
    assert few.crossed.shape == (10, 2)
    # With six of them (5 · 3 = 15) they are more.
    runs = [(f"s{number}", str(repeat)) for number in range(10) for repeat in range(4 if number < 6 else 2)]
    many = repeats_of(*zip(*runs, strict=True))
    assert many.crossed.shape == (6, 4)
    assert (np.sort(many.crossed.ravel()) == np.arange(24)).all()


@pytest.mark.parametrize(
    ("subjects", "labels", "said"),
    [
        (["a", "a", "b"], ["1", "1", "1"], "Subject a has 2 runs that are all repeat '1'; name in `over` what tells"),
        (["a", "b"], ["1", "1"], "needs at least two subjects with repeated runs, and none of 2 have them"),
        (["a", "a", "b"], ["1", "2", "1"], "and 1 of 2 has them; `over: halves` compares"),
    ],
)
def test_too_few_repeats_are_named(subjects, labels, said):
    with pytest.raises(InputError, match=said):
        repeats_of(subjects, labels)
