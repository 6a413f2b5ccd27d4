"""Strategies side by side: runs in common, gaps in what is known, ranks, planted artefacts, mistakes."""

import numpy as np
import pytest

from sphereconn.compare.comparison_tables import (
    CRITERIA_COLUMNS,
    GROUP_COLUMNS,
    criteria_rows,
    described,
    distance_rows,
    group_rows,
    similarity_rows,
)
from sphereconn.compare.denoising import CRITERIA, Strategy, check_columns, compare_strategies, motion_design, ranked
from sphereconn.compare.distance import edge_lengths
from sphereconn.compare.organization import organization_rows
from sphereconn.compare.strategies import similarity_of
from sphereconn.errors import InputError

N_NODES, N_RUNS = 14, 40
COORDINATES = np.random.default_rng(0).uniform(-60, 60, (N_NODES, 3))
LENGTHS = edge_lengths(COORDINATES)
NETWORKS = ["a"] * 7 + ["b"] * 7
NAMES = [f"sub-{number:02d}" for number in range(N_RUNS)]
MOTION = np.random.default_rng(1).gamma(2, 0.1, N_RUNS)
AGE = np.random.default_rng(2).integers(20, 70, N_RUNS)


def strategy(label, values, names=NAMES, n_asked=N_RUNS, **cells):
    """A strategy with the given edges (Fisher's z) of the named runs."""
    organized = organization_rows(names, values, NETWORKS, fisher_z=True)
    at = [NAMES.index(name) for name in names]
    rows = [
        {"name": NAMES[i], "subject": NAMES[i], "age": str(AGE[i]), "fd": repr(float(MOTION[i])), **cells} for i in at
    ]
    measured = [
        {
            "modularity": repr(row[1]),
            "network_separation": repr(row[4]),
            "frames": "200",
            "frames_kept": "150",
            "degrees_of_freedom": "60",
            "effective_degrees_of_freedom": "50",
        }
        for row in organized
    ]
    read = lambda runs, start, stop: np.asarray(values)[runs, start:stop]  # noqa: E731
    return Strategy(label, tuple(names), tuple(rows), tuple(measured), read, len(LENGTHS), n_asked)


def connectomes(artefact, seed=3):
    """Edges of all runs: networks, and an artefact of motion that is stronger where nodes are close."""
    rng = np.random.default_rng(seed)
    within = np.array([a == b for i, a in enumerate(NETWORKS) for b in NETWORKS[i + 1 :]])
    clean = 0.1 + 0.4 * within + rng.normal(0, 0.1, (N_RUNS, len(LENGTHS)))
    return clean + artefact * MOTION[:, None] * np.exp(-LENGTHS / 60)


@pytest.fixture(scope="module")
def three():
    return [strategy(label, connectomes(size)) for label, size in (("none", 3.0), ("some", 1.0), ("clean", 0.0))]


def test_the_strategy_without_the_planted_artefact_ranks_first_in_each_criterion_of_motion(three):
    compared = compare_strategies(three, LENGTHS, "fd", ["age"])
    for key in ("qcfc_median_absolute", "qcfc_significant", "high_low_significant"):
        assert compared.ranks[key] == (3, 2, 1), key
    assert compared.common[0].values["qcfc_by_distance"] < -0.6
    assert abs(compared.common[2].values["qcfc_by_distance"]) < 0.4
    assert compared.common[2].values["qcfc_significant"] < 0.2
    assert compared.ranks["frames_kept"] == (1, 1, 1)


def test_what_one_strategy_leaves_out_is_left_out_of_the_comparison_and_beside_it_each_has_its_own():
    kept = NAMES[:25]
    values = connectomes(0.0)
    compared = compare_strategies(
        [strategy("all", values), strategy("some", values[:25], kept)], LENGTHS, "fd", ["age"]
    )
    assert compared.common_runs == tuple(kept)
    for key in ("qcfc_median_absolute", "modularity", "high_low_significant"):
        assert compared.common[0].values[key] == compared.common[1].values[key]
        assert compared.own[0].values[key] != compared.common[0].values[key]
    assert (compared.own[0].n_runs, compared.own[1].n_runs) == (40, 25)
    assert compared.common[0].found.degrees_of_freedom.max() == 25 - 3
    assert compared.own[1].values["runs_kept"] == 25 / 40 and compared.ranks["runs_kept"] == (1, 2)
    assert compared.own[1] is compared.common[1]


def test_motion_is_taken_from_the_strategies_that_know_it():
    values = connectomes(1.0)
    ignorant = strategy("none", values, fd="n/a")
    found = compare_strategies([ignorant, strategy("known", values)], LENGTHS, "fd", [])
    assert np.array_equal(found.common[0].found.r, found.common[1].found.r)


def test_runs_without_motion_or_a_covariate_are_left_out_and_named():
    values = connectomes(1.0)
    both = [strategy("one", values), strategy("two", values)]
    for one in both:
        one.rows[3]["age"] = "n/a"
    compared = compare_strategies(both, LENGTHS, "fd", ["age"])
    assert compared.left_out == {NAMES[3]: "no value in age"}
    assert NAMES[3] not in compared.common_runs and len(compared.motion) == N_RUNS - 1


def test_the_runs_of_a_subject_count_once():
    values = connectomes(1.0)
    both = [strategy("one", values), strategy("two", values)]
    for one in both:
        for place, row in enumerate(one.rows):
            row["subject"] = f"{place // 2}"
    compared = compare_strategies(both, LENGTHS, "fd", ["age"])
    assert (compared.common[0].n_runs, compared.common[0].n_subjects) == (40, 20)
    assert compared.common[0].found.degrees_of_freedom.max() == 20 - 3


def test_with_too_few_runs_in_common_each_has_its_own_values_and_the_reason_is_told():
    values = connectomes(1.0)
    pair = [strategy("first", values[:22], NAMES[:22]), strategy("last", values[20:], NAMES[20:])]
    compared = compare_strategies(pair, LENGTHS, "fd", ["age"])
    assert compared.notice == (
        "2 subjects have runs after every denoising, with fd and age known, and at least 4 are needed"
    )
    assert len(compared.common_runs) == 2 and compared.alone == {}
    for common, own in zip(compared.common, compared.own, strict=True):
        assert np.isnan([common.values[key] for key in ("qcfc_median_absolute", "high_low_difference")]).all()
        assert own.values["qcfc_median_absolute"] > 0 and common.values["modularity"] > 0
    assert np.isnan(compared.ranks["qcfc_median_absolute"]).all() and compared.ranks["runs_kept"] == (1, 2)
    assert described(pair, compared)["NotComparedWithMotion"] == compared.notice
    assert list(distance_rows(pair, compared)) == []
    assert next(row[3:] for row in group_rows(pair, compared, LENGTHS)) == [0, None, None, None]


def test_a_strategy_that_leaves_hardly_a_run_does_not_end_the_comparison_of_the_others():
    values = connectomes(1.0)
    three = [strategy("one", values), strategy("two", values[:30], NAMES[:30]), strategy("few", values[:3], NAMES[:3])]
    compared = compare_strategies(three, LENGTHS, "fd", ["age"])
    assert compared.alone == {"few": "3 subjects with motion and covariates, and 4 are needed"}
    assert compared.notice is None and len(compared.common_runs) == 30
    assert compared.ranks["qcfc_median_absolute"][2:] != compared.ranks["qcfc_median_absolute"][:1]
    assert np.isnan(compared.ranks["qcfc_median_absolute"][2])
    assert compared.own[2].values["frames_kept"] == 0.75 and np.isnan(compared.common[2].values["frames_kept"])
    alike = similarity_of(three, compared.common_runs)
    assert alike.of_runs[0, 1] == pytest.approx(1) and np.isnan(alike.of_runs[2]).all()


@pytest.mark.parametrize("n_left", [0, 1])
def test_a_strategy_without_a_run_is_blank(n_left):
    values = connectomes(1.0)
    both = [strategy("one", values), strategy("none", values[:n_left], NAMES[:n_left])]
    compared = compare_strategies(both, LENGTHS, "fd", [])
    assert list(compared.alone) == ["none"] and len(compared.common_runs) == N_RUNS
    assert compared.own[1].values["runs_kept"] == n_left / N_RUNS
    assert len(list(criteria_rows(both, compared))) == 2 * len(CRITERIA)


def test_runs_without_motion_have_the_other_criteria_and_the_reason():
    values = connectomes(1.0)
    both = [strategy("one", values, fd="n/a"), strategy("two", values[:30], NAMES[:30], fd="n/a")]
    compared = compare_strategies(both, LENGTHS, "fd", [])
    assert "fd" in compared.notice and len(compared.common_runs) == 30
    assert np.isnan(compared.common[0].values["qcfc_median_absolute"])
    assert compared.common[0].values["modularity"] > 0 and compared.own[0].values["frames_kept"] == 0.75
    said = described(both, compared)
    assert said["DegreesOfFreedom"] is None and said["MotionInCommon"] == {} and said["RunsInCommon"] == 30
    assert similarity_of(both, []).n_runs == 0


def test_differences_between_most_and_least_motion_are_tabled_by_length(three):
    compared = compare_strategies(three, LENGTHS, "fd", [])
    rows = [dict(zip(GROUP_COLUMNS, row, strict=True)) for row in group_rows(three, compared, LENGTHS)]
    of_none = [row for row in rows if row["denoising"] == "none"]
    order = np.argsort(MOTION)
    low, high = order[: N_RUNS // 3], order[-(N_RUNS // 3) :]
    values = connectomes(3.0)
    difference = values[high].mean(axis=0) - values[low].mean(axis=0)
    whole = of_none[0]
    assert (whole["edges"], whole["shortest"], whole["longest"]) == (len(LENGTHS), LENGTHS.min(), LENGTHS.max())
    assert whole["mean_difference"] == pytest.approx(difference.mean())
    assert whole["median_absolute_difference"] == pytest.approx(np.median(np.abs(difference)))
    assert compared.common[0].values["high_low_difference"] == whole["median_absolute_difference"]
    assert whole["significant"] == compared.common[0].values["high_low_significant"]
    classes = of_none[1:]
    assert sum(row["edges"] for row in classes) == len(LENGTHS) and len(classes) == 3
    short = classes[0]["longest"] >= LENGTHS
    assert classes[0]["mean_difference"] == pytest.approx(difference[short].mean())
    assert classes[0]["mean_difference"] > classes[-1]["mean_difference"]
    assert compared.ranks["high_low_difference"] == (3, 2, 1)


def test_columns_are_checked_before_there_are_results():
    rows = [{"subject": name, "age": str(age), "site": "x"} for name, age in zip(NAMES, AGE, strict=True)]
    check_columns(rows, "fd", ["age"], ["fd"])
    check_columns([row | {"Age (years)": row["age"]} for row in rows], "fd", ["Age (years)"], ["fd"])
    with pytest.raises(InputError, match="no column 'sex'"):
        check_columns(rows, "fd", ["sex"], ["fd"])
    with pytest.raises(InputError, match="site is 'x' in all runs"):
        check_columns(rows, "fd", ["site"], ["fd"])
    mistyped = [row | {"age": "23y"} if place == 3 else row for place, row in enumerate(rows)]
    with pytest.raises(InputError, match=r"'age' has numbers, but also '23y' \(sub-03\);.* or give its levels names"):
        check_columns(mistyped, "fd", ["age"], ["fd"])
    with pytest.raises(InputError, match="must have numbers"):
        check_columns([row | {"moved": "much" if int(row["age"]) > 40 else "little"} for row in rows], "moved", [], [])


def test_equal_values_share_the_better_rank_also_after_rounding_of_sums():
    assert ranked([0.1 + 0.2, 0.3, 0.5], "lower") == (1, 1, 3)
    assert ranked([0.4, 0.5, 0.5], "higher") == (3, 1, 1)


def test_tables_have_a_row_for_each_criterion_and_strategy_in_one_order(three):
    compared = compare_strategies(three, LENGTHS, "fd", [])
    rows = list(criteria_rows(three, compared))
    assert [tuple(row[:2]) for row in rows] == [(key, one) for key in CRITERIA for one in ("none", "some", "clean")]
    assert all(len(row) == len(CRITERIA_COLUMNS) for row in rows)
    assert len(list(distance_rows(three, compared))) == 3 * 50
    alike = similarity_of(three, compared.common_runs)
    assert [row[:2] for row in similarity_rows(["none", "some", "clean"], alike)] == [
        ["none", "some"],
        ["none", "clean"],
        ["some", "clean"],
    ]
    assert alike.of_runs[0, 1] > alike.of_runs[0, 2]
    said = described(three, compared)
    assert said["RunsInCommon"] == N_RUNS and said["DegreesOfFreedom"] == N_RUNS - 2
    assert said["MotionInCommon"]["Median"] == np.median(MOTION)


def test_labels_are_levels_among_the_covariates_even_where_they_are_numbers():
    rows = [{"motion": str(0.1 * (row % 7) + 0.01 * row), "session": str(1 + row % 3)} for row in range(30)]
    design = motion_design(rows, "motion", ["session"])
    assert design.columns[0] == "intercept" and "motion" in design.columns
    assert len(design.columns) == 2 + 2  # two of the three sessions have a column of their own
