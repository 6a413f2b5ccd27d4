"""Discriminability and identification against their definitions, worked examples and exact null distributions."""

import itertools

import numpy as np
import pytest
from compare.repeated_runs import draw, reader
from hypothesis import given, settings
from hypothesis import strategies as st

from sphereconn.compare.discriminability import discriminability, observed_table
from sphereconn.compare.identification import assignments, identification
from sphereconn.compare.likeness import likeness
from sphereconn.compare.repeats import repeats_of
from sphereconn.errors import InputError


def design(rng, n_subjects, n_repeats, missing=0.0):
    """Return repeats with each subject having at least two of them."""
    has = rng.random((n_subjects, n_repeats)) >= missing
    has[:, :2] = True
    return repeats_of(
        [f"s{row:02d}" for row, column in zip(*np.nonzero(has), strict=True)],
        [str(column) for row, column in zip(*np.nonzero(has), strict=True)],
    )


def discriminability_by_definition(distances, subject):
    """Follow Bridgeford 2021, run by run."""
    shares = []
    for i, j in itertools.permutations(range(len(subject)), 2):
        if subject[i] == subject[j]:
            others = [distances[i, other] for other in range(len(subject)) if subject[other] != subject[i]]
            shares.append(np.mean([(d > distances[i, j]) + 0.5 * (d == distances[i, j]) for d in others]))
    return np.mean(shares)


def test_the_worked_example_of_discriminability():
    # Runs on a line: a at 0 and 1, b at 3 and 1.5. From a's first run, b's are further: 1; from a's second (own at 1),
    # b's are at 2 and 0.5: 1/2. From b's first (own at 1.5), a's are at 3 and 2: 1; from b's second (own at 1.5), a's
    # are at 1.5, a tie, and 0.5: 1/4.
    place = np.array([0, 1, 3, 1.5])
    distances = np.abs(place[:, None] - place)
    assert discriminability(distances, np.array([[[0, 1], [2, 3]]])).tolist() == [(1 + 0.5 + 1 + 0.25) / 4]


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_discriminability_is_its_definition_for_every_assignment(seed):
    rng = np.random.default_rng(seed)
    repeats = design(rng, 4, 3, missing=0.4)
    place = np.round(rng.normal(size=(len(repeats.runs), 2)), 0)  # with many ties
    distances = np.abs(place[:, None] - place).sum(axis=2)
    drawn = assignments(repeats, observed_table(repeats), 20, seed)
    found = discriminability(distances, drawn.tables)
    for table, value in zip(drawn.tables, found, strict=True):
        subject = np.empty(len(repeats.runs), dtype=int)
        subject[table[table >= 0]] = np.nonzero(table >= 0)[0]
        assert value == pytest.approx(discriminability_by_definition(distances, subject))


def test_runs_that_repeat_are_discriminated_perfectly_and_noise_by_chance():
    rng = np.random.default_rng(0)
    repeats = design(rng, 20, 2)
    table = observed_table(repeats)[None]
    noise = rng.normal(size=(40, 500))
    assert discriminability(likeness(reader(noise), 500, repeats.runs).distances, table)[0] == pytest.approx(
        0.5, abs=0.1
    )
    alike = np.repeat(noise[:20], 2, axis=0) + 0.01 * noise
    assert discriminability(likeness(reader(alike), 500, repeats.runs).distances, table)[0] == 1


def test_the_worked_example_of_identification():
    # Three subjects, test in rows, retest in columns: the second is taken for the third; back, all are recognised.
    test_retest = np.array([[0.9, 0.1, 0.2], [0.3, 0.5, 0.6], [0.2, 0.4, 0.8]])
    correlations = np.eye(6)
    correlations[:3, 3:], correlations[3:, :3] = test_retest, test_retest.T
    found = identification(correlations, np.array([[[0, 3], [1, 4], [2, 5]]]))
    assert found.pairs == ((0, 1), (1, 0))
    np.testing.assert_allclose(found.rate[0], [2 / 3, 1])
    np.testing.assert_allclose(found.overall_rate, [5 / 6])
    own, others = np.mean([0.9, 0.5, 0.8]), np.mean([0.1, 0.2, 0.3, 0.6, 0.2, 0.4])
    np.testing.assert_allclose(found.differential_identifiability, [100 * (own - others)])  # Amico and Goñi 2018
    np.testing.assert_allclose(found.chance, [1 / 3, 1 / 3])


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_identification_is_its_definition_for_every_assignment(seed):
    rng = np.random.default_rng(seed)
    repeats = design(rng, 5, 3, missing=0.4)
    values = rng.normal(size=(len(repeats.runs), 12)) + rng.normal(size=(5, 12))[repeats.subject]
    correlations = np.corrcoef(values)
    drawn = assignments(repeats, observed_table(repeats), 20, seed)
    found = identification(correlations, drawn.tables)
    for number, table in enumerate(drawn.tables):
        for place, (first, second) in enumerate(found.pairs):
            own, others, hits = [], [], []
            for row in range(5):
                target, partner = table[row, first], table[row, second]
                if target >= 0 and partner >= 0:
                    database = [run for run in table[:, second] if run >= 0]
                    hits.append(max(database, key=lambda run: correlations[target, run]) == partner)
                    own.append(correlations[target, partner])
                    others.append(np.mean([correlations[target, run] for run in database if run != partner]))
            assert found.n_targets[place] == len(hits)
            assert found.rate[number, place] == pytest.approx(np.mean(hits))
            assert found.own[number, place] == pytest.approx(np.mean(own))
            assert found.others[number, place] == pytest.approx(np.mean(others))


def test_a_tie_identifies_nobody():
    correlations = np.ones((4, 4))
    found = identification(correlations, np.array([[[0, 2], [1, 3]]]))
    assert found.overall_rate.tolist() == [0.0]


def test_repeats_that_no_two_subjects_share_identify_nobody():
    repeats = repeats_of(["a", "a", "b", "b"], ["1", "2", "3", "4"])
    found = identification(np.eye(4), observed_table(repeats)[None])
    assert found.pairs == ()
    assert np.isnan(found.overall_rate).all()
    assert np.isnan(found.differential_identifiability).all()


@given(st.integers(0, 10_000))
def test_shuffles_move_runs_between_subjects_within_a_repeat_only(seed):
    rng = np.random.default_rng(seed)
    repeats = design(rng, 5, 3, missing=0.4)
    table = observed_table(repeats)
    drawn = assignments(repeats, table, 30, seed)
    np.testing.assert_array_equal(drawn.tables[0], table)
    for shuffled in drawn.tables:
        np.testing.assert_array_equal(shuffled >= 0, table >= 0)  # nobody gains or loses a run
        np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(table, axis=0))  # runs stay in their repeat


def test_few_runs_have_all_their_shuffles():
    repeats = design(np.random.default_rng(0), 3, 2)
    drawn = assignments(repeats, observed_table(repeats), 1000, 0)
    assert drawn.exhaustive
    assert len(np.unique(drawn.tables.reshape(-1, 6), axis=0)) == 36  # 3! orders of each of two repeats


def test_the_null_is_exact_where_repeats_differ_for_everyone():
    """A shift of a session that all subjects share is no sign of subjects, and p stays uniform."""
    rng = np.random.default_rng(1)
    repeats = design(rng, 8, 2)
    p = []
    for _ in range(300):
        values = draw(rng, 8, 2, 15, between=0.0, of_repeats=4.0).reshape(16, 15)
        alike = likeness(reader(values), 15, repeats.runs)
        drawn = assignments(repeats, observed_table(repeats), 99, int(rng.integers(1 << 30)))
        scores = identification(alike.correlations, drawn.tables).differential_identifiability
        p.append((scores >= scores[0] - 1e-12).mean())
    # 300 draws: the standard error at 0.05 is 0.0126.
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.038)
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.087)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.2]))
def test_likeness_is_that_of_common_edges(seed, missing):
    rng = np.random.default_rng(seed)
    values = rng.normal(3, 1, size=(6, 40))
    values[rng.random(values.shape) < missing] = np.nan
    found = likeness(reader(values), 40, np.arange(6))
    for i, j in itertools.combinations(range(6), 2):
        both = ~np.isnan(values[i] + values[j])
        squared = ((values[i] - values[j])[both] ** 2).sum() * 40 / both.sum()
        assert found.distances[i, j] == pytest.approx(np.sqrt(squared), rel=1e-9)
        assert found.correlations[i, j] == pytest.approx(np.corrcoef(values[i][both], values[j][both])[0, 1], abs=1e-11)


def test_runs_that_share_no_edge_are_named():
    values = np.random.default_rng(0).normal(size=(3, 10))
    values[0, :5], values[2, 5:] = np.nan, np.nan
    with pytest.raises(InputError, match="Runs 1 and 3 share no edge"):
        likeness(reader(values), 10, np.arange(3))


def test_runs_without_a_correlation_are_identified_as_nobody_and_end_nothing():
    rng = np.random.default_rng(1)
    repeats = design(rng, 3, 2)
    values = np.repeat(rng.normal(size=(3, 12)), 2, axis=0) + 0.1 * rng.normal(size=(6, 12))
    values[0] = 0.3  # an empty graph, for instance
    alike = likeness(reader(values), 12, repeats.runs)
    assert np.isnan(alike.correlations[0, 1:]).all() and np.isfinite(alike.correlations[1:, 1:]).all()
    found = identification(alike.correlations, observed_table(repeats)[None])
    assert found.overall_rate[0] == pytest.approx(4 / 6)
    assert found.own[0].tolist() == pytest.approx([np.mean([alike.correlations[2, 3], alike.correlations[4, 5]])] * 2)
    nothing = likeness(reader(rng.normal(size=(6, 2))), 2, repeats.runs)  # two edges always lie on a line
    assert np.isfinite(nothing.distances).all()
    found = identification(nothing.correlations, observed_table(repeats)[None])
    assert found.overall_rate.tolist() == [0.0] and np.isnan(found.differential_identifiability).all()
