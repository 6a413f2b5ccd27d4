"""Connectomes of parts of runs, reliability by their length, and the tables of both."""

import doctest

import numpy as np
import pytest
from cohort import cohort_signals
from compare.repeated_runs import draw, reader

from sphereconn.aggregate.stack import write_edges
from sphereconn.compare import lengths, reliability
from sphereconn.compare.edges import edge_reader
from sphereconn.compare.halves import spearman_brown
from sphereconn.compare.icc import KINDS, one_way
from sphereconn.compare.lengths import Part, described, length_rows, reliability_by_length, whole_of
from sphereconn.compare.reliability import (
    EDGE_COLUMNS,
    IDENTIFICATION_COLUMNS,
    PAIR_COLUMNS,
    SUMMARY_COLUMNS,
    by_repeat,
    chosen_rows,
    edge_rows,
    identification_rows,
    measure_reliability,
    measured_if_any,
    pair_rows,
    summary_rows,
)
from sphereconn.compare.repeats import repeats_of
from sphereconn.connect.edges import edge_vector

NAMES = ["a", "b", "c", "d"]


def run_of(signals, **changes):
    cleaned = {"EffectiveDegreesOfFreedom": 50.0, "RepetitionTime": 2.0, "ConfoundRegressors": ["x", "y"]}
    return Part.of_run(signals, cleaned | changes, effective=True)


def test_examples_hold():
    assert doctest.testmod(lengths).failed == 0


def test_fewer_minutes_are_the_first_of_a_run_and_the_middle_of_a_half():
    signals = np.arange(40.0)[:, None] * np.ones((1, 4))
    run = run_of(signals)
    assert run.window(10)[:, 0].tolist() == list(range(10))
    first, last = run.halves()
    assert first.window(10)[:, 0].tolist() == list(range(5, 15))
    assert last.window(10)[:, 0].tolist() == list(range(25, 35))
    assert first.minutes == pytest.approx(20 * 2 / 60)


def test_shrinkage_of_a_part_takes_it_for_what_it_is_worth():
    """A quarter of the frames is worth a quarter of the run, less what its own mean takes."""
    signals = np.random.default_rng(0).normal(size=(80, 4))
    half = run_of(signals).halves()[0]
    matrix = lengths.connectome_of_part(half, 20, "partial correlation", "ledoit_wolf", NAMES)
    worth = lengths.degrees_of_freedom_of_part(50.0, 2, 0.25)
    assert 10 < worth < 12.5
    expected = lengths.connectome(half.window(20), "partial correlation", "ledoit_wolf", samples=worth).matrix
    np.testing.assert_array_equal(matrix, expected)


def test_reliability_by_length_equals_that_of_connectomes_made_one_by_one():
    rng = np.random.default_rng(1)
    mixing = np.eye(4) + 0.4 * rng.normal(size=(6, 4, 4))
    runs = [[run_of(rng.normal(size=(n, 4)) @ root) for n in (90, 100)] for root in mixing]
    found = reliability_by_length(runs, [1.0, 3.0], "correlation", "empirical", NAMES)
    for minutes, one in zip((1, 3), found, strict=True):
        edges = [
            np.arctanh(np.corrcoef(run.signals[: 30 * minutes].T)[np.triu_indices(4, 1)]) for two in runs for run in two
        ]
        expected = one_way(np.array(edges), np.repeat(np.arange(6), 2))
        np.testing.assert_allclose(one.icc, expected.icc, atol=1e-10)


def test_a_length_that_nothing_can_be_estimated_from_is_unknown_and_ends_nothing():
    rng = np.random.default_rng(0)
    runs = [[run_of(rng.normal(size=(60, 20))) for _ in range(2)] for _ in range(3)]
    names = [f"n{number}" for number in range(20)]
    found = reliability_by_length(runs, [0.2, 0.5, 2.0], "partial correlation", "empirical", names)
    assert np.isnan(found[0].icc).all()  # 6 frames are too few for anything
    assert np.isnan(found[1].icc).all()  # 15 for 20 nodes
    assert np.isfinite(found[2].icc).all()
    rows = list(length_rows([0.2, 0.5, 2.0], found, 6))
    assert [row[0] for row in rows] == [0.2, 0.5, 2.0, 3.0, 4.0, 6.0, 8.0]
    assert np.isnan(rows[0][3]) and rows[0][1] == 0 and rows[2][1] == 3
    assert list(length_rows([], [], 0)) == []
    assert described([], [])["WholeICC"] is None


def test_real_halves_follow_the_formula_of_spearman_and_brown():
    """The demo cohort without the subject whose series stand twice; minutes in the middle of halves of 100 frames."""
    runs = [run_of(cohort_signals(number)[1], RepetitionTime=2.5).halves() for number in range(1, 17) if number != 5]
    names = cohort_signals(1)[0]
    minutes = [100 * 2.5 / 60 * share for share in (0.25, 0.5, 1.0)]
    found = [whole_of(one) for one in reliability_by_length(runs, minutes, "correlation", "empirical", names)]
    assert 0.35 < found[2] < 0.45
    assert found[0] == pytest.approx(spearman_brown(found[2], 0.25), abs=0.02)
    assert found[1] == pytest.approx(spearman_brown(found[2], 0.5), abs=0.02)
    wanted = described(minutes, reliability_by_length(runs, minutes, "correlation", "empirical", names))["MinutesFor"]
    assert spearman_brown(found[2], wanted["0.6"] / minutes[2]) == pytest.approx(0.6)


@pytest.mark.parametrize("diagonal", [False, True])
def test_edges_are_read_from_a_stack_without_its_diagonal(tmp_path, diagonal):
    matrices = np.random.default_rng(2).uniform(-0.9, 0.9, size=(5, 6, 6))
    matrices = (matrices + matrices.transpose(0, 2, 1)) / 2
    rows = [edge_vector(matrix, diagonal) for matrix in matrices]
    write_edges(tmp_path / "stack.npy", rows, (5, rows[0].size))
    read, n_edges = edge_reader(tmp_path / "stack.npy", 6, diagonal=diagonal)
    assert n_edges == 15
    values = np.array([matrix[np.triu_indices(6, 1)] for matrix in matrices])
    expected = values if diagonal else np.arctanh(values)
    np.testing.assert_allclose(read(np.array([3, 1]), 4, 11), expected[[3, 1], 4:11])


def test_a_stack_has_the_shape_that_it_says(tmp_path):
    with pytest.raises(ValueError, match="2 rows in a stack of 3"):
        write_edges(tmp_path / "stack.npy", [np.zeros(4)] * 2, (3, 4))
    with pytest.raises(ValueError, match="a row of 4 edges in a stack of 5"):
        write_edges(tmp_path / "stack.npy", [np.zeros(4)], (1, 5))
    assert not list(tmp_path.iterdir())


def test_tables_hold_every_edge_pair_and_measure_and_say_what_is_missing():
    rng = np.random.default_rng(3)
    values = draw(rng, 6, 2, 6).reshape(12, 6)
    values[:, 0] = 0.0  # does not vary, as edges of a sparse graph
    values[0, 1] = np.nan  # one run lacks it
    repeats = repeats_of([str(number // 2) for number in range(12)], [str(number % 2) for number in range(12)])
    found = measure_reliability(reader(values), 6, repeats, ["A", "A", "B", None], n_shuffles=50, seed=1)
    edges = [dict(zip(EDGE_COLUMNS, row, strict=True)) for row in edge_rows(found, NAMES, ["A", "A", "B", None])]
    assert [row["node1"] + row["node2"] for row in edges] == ["ab", "ac", "ad", "bc", "bd", "cd"]
    assert np.isnan(edges[0]["icc11"]) and edges[0]["network2"] == "A"
    assert [row["subjects"] for row in edges] == [6, 5, 6, 6, 6, 6]
    pairs = [dict(zip(PAIR_COLUMNS, row, strict=True)) for row in pair_rows(found)]
    assert [(row["network1"], row["network2"], row["edges"]) for row in pairs] == [("A", "A", 1), ("A", "B", 2)]
    assert pairs[1]["mean_icc11"] == pytest.approx((edges[1]["icc11"] + edges[3]["icc11"]) / 2)
    summary = {row[0]: dict(zip(SUMMARY_COLUMNS, row, strict=True)) for row in summary_rows(found)}
    known = found.edges[KINDS[0]].icc[1:]
    assert summary["ICC(1,1) of edges, median"]["value"] == pytest.approx(np.median(known))
    assert summary["ICC(1,1) of edges, share below 0.4"]["value"] == pytest.approx((known < 0.4).mean())
    assert summary["discriminability"]["p"] <= 0.5 and summary["identification rate"]["chance"] == pytest.approx(1 / 6)
    rows = [dict(zip(IDENTIFICATION_COLUMNS, row, strict=True)) for row in identification_rows(found)]
    assert [(row["target"], row["database"], row["subjects"]) for row in rows] == [("0", "1", 6), ("1", "0", 6)]


def test_without_permutations_or_networks_there_is_the_rest():
    values = draw(np.random.default_rng(4), 6, 2, 6).reshape(12, 6)
    repeats = repeats_of([str(number // 2) for number in range(12)], [str(number % 2) for number in range(12)])
    found = measure_reliability(reader(values), 6, repeats, [None] * 4, n_shuffles=0, seed=1)
    assert found.n_shuffles == 0 and np.isnan(found.scores["discriminability"].p)
    assert list(pair_rows(found)) == [] and found.of_pairs == {}


@pytest.mark.parametrize("networks", [[None] * 4, ["A", "A", "B", None]])
def test_what_cannot_be_measured_is_blank_in_every_table_and_has_a_reason(networks):
    values = draw(np.random.default_rng(5), 4, 1, 6).reshape(4, 6)
    found, reason = measured_if_any(reader(values), 6, list("abcd"), ["1"] * 4, networks, n_shuffles=9, seed=1)
    assert reason.startswith("Reliability needs at least two subjects with repeated runs, and none of 4")
    edges = [dict(zip(EDGE_COLUMNS, row, strict=True)) for row in edge_rows(found, NAMES, networks)]
    assert len(edges) == 6 and np.isnan([row["icc11"] for row in edges]).all()
    assert all(np.isnan(row[3:]).all() for row in pair_rows(found))
    measures = [row[0] for row in summary_rows(found)]
    both = draw(np.random.default_rng(5), 4, 2, 6).reshape(8, 6)
    subjects, repeats = list("aabbccdd"), ["1", "2"] * 4
    other, none = measured_if_any(reader(both), 6, subjects, repeats, networks, n_shuffles=9, seed=1)
    assert none is None and measures == [row[0] for row in summary_rows(other)]
    assert all(row[1] is None or np.isnan(row[1]) for row in summary_rows(found))
    assert list(identification_rows(found)) == [] and by_repeat(found, [])[0] == []
    said = reliability.described(found)
    assert said["Subjects"] == 0 and said["MedianICC"] is None


def test_runs_that_share_no_edge_are_the_reason_that_nothing_is_measured():
    values = draw(np.random.default_rng(6), 4, 2, 6).reshape(8, 6)
    values[0, :3], values[1, 3:] = np.nan, np.nan
    found, reason = measured_if_any(
        reader(values), 6, list("aabbccdd"), ["1", "2"] * 4, [None] * 4, n_shuffles=0, seed=1
    )
    assert "no edge" in reason and found.n_shuffles == 0


def test_rows_of_a_stack_are_chosen_by_the_names_of_runs():
    rows = [{"name": "x1", "subject": "x", "session": "1"}, {"name": "y1", "subject": "y", "session": "1"}]
    names, subjects, repeats, places = chosen_rows(rows, ["session"], ["y1"])
    assert (names, subjects, repeats, places.tolist()) == (["y1"], ["y"], ["session 1"], [1])
    halves = [{"name": "x1", "subject": "x", "repeat": half} for half in ("first half", "last half")]
    assert chosen_rows(halves, [], ["x1"])[0] == ["x1, first half", "x1, last half"]
