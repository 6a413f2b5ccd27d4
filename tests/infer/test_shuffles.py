"""Shuffles: what each kind may exchange, all of them when there are few, and each known by its number."""

import doctest
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.errors import InputError
from sphereconn.infer import shuffles as module
from sphereconn.infer.shuffles import Exchangeability, plan_shuffles


def moved_runs(shuffles, numbers):
    """The run whose data come to each run's place, by number."""
    places, signs = shuffles.drawn(numbers)
    return np.argsort(places, axis=1), signs


BLOCKS = np.array([3, 3, 1, 1, 2, 2, 2, 5, 5])


@pytest.mark.parametrize(
    ("exchangeability", "allowed"),
    [
        (Exchangeability("free"), lambda order: True),
        (Exchangeability("within", BLOCKS), lambda order: (BLOCKS[order] == BLOCKS).all()),
        (
            Exchangeability("whole", BLOCKS),
            lambda order: all(order[first + 1] == order[first] + 1 for first in (0, 2, 4, 5, 7)) and order[4] == 4,
        ),
    ],
)
def test_permutations_do_what_exchangeability_allows(exchangeability, allowed):
    design = np.column_stack([np.ones(9), np.random.default_rng(0).normal(size=9)])
    shuffles = plan_shuffles(exchangeability, design, 300 if exchangeability.kind == "free" else 5, seed=3)
    runs, signs = moved_runs(shuffles, range(shuffles.n_shuffles + 1))
    assert runs[0].tolist() == list(range(9))
    assert (np.sort(runs, axis=1) == np.arange(9)).all()
    assert all(allowed(order) for order in runs)
    assert (signs == 1).all()
    assert len({tuple(order) for order in runs}) > 3


def test_blocks_need_not_be_neighbours():
    blocks = np.array([1, 2, 1, 2, 1, 2])
    design = np.column_stack([np.ones(6), np.arange(6) ** 2])
    shuffles = plan_shuffles(Exchangeability("within", blocks), design, 1000, seed=0)
    runs, _ = moved_runs(shuffles, range(shuffles.n_shuffles + 1))
    assert (blocks[runs] == blocks).all()
    assert len({tuple(order) for order in runs}) == 36 == len(runs)


def test_blocks_flip_as_wholes():
    design = np.ones((9, 1))
    shuffles = plan_shuffles(Exchangeability("signs", BLOCKS), design, 100, seed=0)
    places, signs = shuffles.drawn(range(shuffles.n_shuffles + 1))
    assert shuffles.exhaustive
    assert signs.shape == (16, 9)
    assert len({tuple(flips) for flips in signs}) == 16
    assert all(len(set(flips[block == BLOCKS])) == 1 for flips in signs for block in BLOCKS)
    assert (signs[0] == 1).all()
    assert (places == np.arange(9)).all()


@pytest.mark.parametrize("group", [[0, 0, 0, 1, 1, 1, 1], [0, 1, 2, 0, 1, 2], [1, 0, 0, 2, 0, 1]])
def test_enumeration_gives_every_distinct_design_once(group):
    design = np.eye(3)[group]
    shuffles = plan_shuffles(Exchangeability("free"), design, 100_000, seed=0)
    runs, _ = moved_runs(shuffles, range(shuffles.n_shuffles + 1))
    places = np.argsort(runs, axis=1)  # where each run's data go
    found = [tuple(np.array(group)[place]) for place in places]
    assert shuffles.exhaustive
    assert len(found) == len(set(found))
    assert set(found) == set(itertools.permutations(group))


def test_enumeration_within_blocks_and_of_whole_blocks():
    condition, blocks = np.tile([0.0, 1.0], 4), np.repeat(np.arange(4), 2)
    within = plan_shuffles(Exchangeability("within", blocks), condition[:, None], 100, seed=0)
    runs, _ = moved_runs(within, range(within.n_shuffles + 1))
    assert len({tuple(condition[np.argsort(order)]) for order in runs}) == 16 == len(runs)
    arm = np.repeat([0.0, 0.0, 1.0, 1.0], 2)
    whole = plan_shuffles(Exchangeability("whole", blocks), np.column_stack([condition, arm]), 100, seed=0)
    runs, _ = moved_runs(whole, range(whole.n_shuffles + 1))
    assert len({tuple(arm[np.argsort(order)]) for order in runs}) == 6 == len(runs)


def test_random_permutations_are_uniform():
    design = np.arange(4.0)[:, None]
    plan = plan_shuffles(Exchangeability("free"), design, 20, seed=5)
    assert not plan.exhaustive
    many = [tuple(plan_shuffles(Exchangeability("free"), design, 22, s).drawn(range(7, 8))[0][0]) for s in range(4800)]
    counts = np.array([many.count(order) for order in itertools.permutations(range(4))])
    assert ((counts - 200) ** 2 / 200).sum() < 49.7  # chi², 23 degrees of freedom, p = .001


@given(st.integers(0, 2**40), st.integers(1, 60))
def test_a_shuffle_depends_on_its_number_alone(seed, cut):
    design = np.arange(12.0)[:, None]
    plan = plan_shuffles(Exchangeability("free"), design, 60, seed)
    whole, parts = plan.drawn(range(61))[0], [plan.drawn(r)[0] for r in (range(cut), range(cut, 61))]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    again = plan_shuffles(Exchangeability("free"), design, 1000, seed)
    np.testing.assert_array_equal(whole, again.drawn(range(61))[0])  # more shuffles leave the first as they are


def test_nothing_to_shuffle_is_an_error():
    with pytest.raises(InputError, match="No other order"):
        plan_shuffles(Exchangeability("free"), np.ones((6, 1)), 100, 0)
    with pytest.raises(InputError, match="No other order"):
        plan_shuffles(Exchangeability("within", np.arange(6)), np.arange(6.0)[:, None], 100, 0)


def test_options_that_do_not_fit_are_errors():
    with pytest.raises(ValueError, match="'free', 'within'"):
        Exchangeability("blocks")
    with pytest.raises(ValueError, match="blocks are for"):
        Exchangeability("within")
    with pytest.raises(ValueError, match="one block per run"):
        plan_shuffles(Exchangeability("within", np.arange(3)), np.ones((6, 1)), 100, 0)
    with pytest.raises(ValueError, match="seed"):
        plan_shuffles(Exchangeability("free"), np.arange(6.0)[:, None], 100, -1)
    with pytest.raises(ValueError, match="numbered"):
        plan_shuffles(Exchangeability("free"), np.arange(6.0)[:, None], 100, 1).drawn(range(100, 102))


def test_examples():
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
