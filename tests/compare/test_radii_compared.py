"""Radii of the same seeds compared: measures against their definitions, and what is said where one is not known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.aggregate.strength import node_strength
from sphereconn.compare.radii import (
    MEASURES,
    AtRadius,
    Spheres,
    contrast_points,
    edges_by_run,
    mean_strengths,
    motion_by_radius,
    overlapping_share,
    runs_in_common,
    sphere_points,
)
from sphereconn.compare.radius_tables import described, point_rows, similarity_rows
from sphereconn.compare.similarity import similarity
from sphereconn.connect.edges import matrix_from_edges
from sphereconn.errors import InputError

N_NODES = 6
N_EDGES = N_NODES * (N_NODES - 1) // 2


def spheres(radius, **changes):
    rng = np.random.default_rng(0)
    values = {
        "coordinates": rng.uniform(-60, 60, (N_NODES, 3)),
        "radii": np.full(N_NODES, float(radius)),
        "coverage": np.ones(N_NODES),
        "temporal_snr": np.arange(N_NODES) * 10.0,
        "runs_used": np.full(N_NODES, 20.0),
    }
    return Spheres(**values | changes)


def at_radius(radius, values, rows, names=None):
    names = names or [row["name"] for row in rows]
    return AtRadius(
        f"dmnr{radius}",
        radius,
        tuple(names),
        tuple(rows),
        lambda some, low, high: values[some, low:high],
        N_EDGES,
        spheres(radius),
    )


def runs(n, seed=1, **columns):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "name": f"run-{place:02d}",
            "subject": f"{place:02d}",
            "age": repr(rng.uniform(20, 60)),
            "fd": repr(rng.uniform()),
        }
        for place in range(n)
    ]
    for column, cells in columns.items():
        for row, cell in zip(rows, cells, strict=True):
            row[column] = cell
    return rows


@given(st.floats(0.5, 60), st.integers(0, 100))
def test_a_sphere_overlaps_when_a_centre_is_nearer_than_the_two_radii(radius, seed):
    rng = np.random.default_rng(seed)
    centres, radii = rng.uniform(-60, 60, (7, 3)), radius * rng.uniform(0.5, 1, 7)
    reach = [
        any(np.linalg.norm(centres[i] - centres[j]) < radii[i] + radii[j] for j in range(7) if j != i) for i in range(7)
    ]
    assert overlapping_share(centres, radii) == pytest.approx(np.mean(reach))
    assert overlapping_share(centres, 1.5 * radii) >= overlapping_share(centres, radii)


def test_the_mean_strength_is_that_of_nodes_on_edges_which_all_radii_have():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(2, 5, N_EDGES))
    of_nodes = [
        [node_strength(matrix_from_edges(edges, N_NODES, diagonal=False)).mean() for edges in of_radius]
        for of_radius in values
    ]
    found = mean_strengths(([values[0, run], values[1, run]] for run in range(5)), N_NODES)
    np.testing.assert_allclose(found, np.mean(of_nodes, axis=1), rtol=1e-12)

    first = np.triu_indices(N_NODES, 1)[0] == 0
    lost = values.copy()
    lost[1, :, first] = np.nan  # the first node has no signal at the second radius
    found = mean_strengths(([lost[0, run], lost[1, run]] for run in range(5)), N_NODES)
    expected = 2 * np.abs(values[:, :, ~first]).sum(axis=2).mean(axis=1) / (N_NODES - 1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert np.isnan(mean_strengths([[lost[1, 0] * np.nan, lost[0, 0]]], N_NODES)).all()


def test_dependence_on_motion_is_the_partial_correlation_at_each_radius():
    rows = runs(30)
    rng = np.random.default_rng(3)
    age, fd = (np.array([float(row[key]) for row in rows]) for key in ("age", "fd"))
    plain = rng.normal(size=(30, N_EDGES)) + 0.02 * age[:, None]
    moved = plain + 6 * fd[:, None]
    found = motion_by_radius([at_radius(4, plain, rows), at_radius(8, moved, rows)], "fd", ["age"])
    assert found.n_subjects == 30 and not found.problem
    design = np.column_stack([np.ones(30), age])
    left = [each - design @ np.linalg.lstsq(design, each, rcond=None)[0] for each in (plain, moved, fd)]
    for points, edges in zip(found.points, left[:2], strict=True):
        r = np.abs([np.corrcoef(edge, left[2])[0, 1] for edge in edges.T])
        of = {point.measure: point for point in points}
        assert of["qcfc_median_absolute"].value == pytest.approx(np.median(r), abs=1e-10)
        assert of["qcfc_median_absolute"].lower == pytest.approx(np.quantile(r, 0.25), abs=1e-10)
    significant = [of_radius[1].value for of_radius in found.points]
    assert significant[0] < 0.5 < significant[1]


def test_runs_of_a_subject_are_averaged_before_they_are_correlated_with_motion():
    rows = runs(20, subject=[f"{place // 2:02d}" for place in range(20)])
    values = np.random.default_rng(4).normal(size=(20, N_EDGES))
    twice = motion_by_radius([at_radius(4, values, rows)], "fd", [])
    means = values.reshape(10, 2, N_EDGES).mean(axis=1)
    averaged = [
        {**rows[2 * place], "fd": repr((float(rows[2 * place]["fd"]) + float(rows[2 * place + 1]["fd"])) / 2)}
        for place in range(10)
    ]
    once = motion_by_radius([at_radius(4, means, averaged)], "fd", [])
    assert twice.n_subjects == 10
    assert twice.points[0][0].value == pytest.approx(once.points[0][0].value, abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (runs(20, fd=["n/a"] * 20), "fd"),
        (runs(20, fd=["0.1"] * 20), "fd"),
        (runs(6, subject=["01"] * 3 + ["02"] * 3), "subjects"),
    ],
)
def test_where_motion_cannot_be_used_the_reason_is_said_and_nothing_is_measured(rows, words):
    values = np.random.default_rng(5).normal(size=(len(rows), N_EDGES))
    found = motion_by_radius([at_radius(4, values, rows)], "fd", [])
    assert found.points == () and words in found.problem and found.problem.endswith(".")


def test_spheres_are_described_by_coverage_losses_and_temporal_snr():
    measured = spheres(5, coverage=np.array([1, 1, 0.5, 0.5, np.nan, 0]), runs_used=np.array([20, 20, 20, 20, 0, 10.0]))
    of = {point.measure: point for point in sphere_points(measured, 20)}
    assert of["coverage"].value == pytest.approx(0.6)
    assert of["nodes_lost"].value == pytest.approx(1 - 90 / 120)
    assert (of["temporal_snr"].lower, of["temporal_snr"].value, of["temporal_snr"].upper) == (12.5, 25, 37.5)
    nothing = spheres(5, coverage=np.full(N_NODES, np.nan), temporal_snr=np.full(N_NODES, np.nan))
    assert np.isnan([point.value for point in sphere_points(nothing, 20)[:3:2]]).all()


def test_a_contrast_is_described_by_its_significant_edges_and_the_size_of_its_statistics():
    share, size = contrast_points("age", np.array([1.0, -2, 3, np.nan]), np.array([0, 1, 2, np.nan]))
    assert share.value == pytest.approx(1 / 3) and share.contrast == size.contrast == "age"
    assert size.value == 2
    assert np.isnan([point.value for point in contrast_points("age", np.full(3, np.nan), np.full(3, np.nan))]).all()


def test_radii_are_compared_on_the_runs_that_all_have_whatever_their_order():
    rows = runs(4)
    values = np.random.default_rng(6).normal(size=(4, N_EDGES))
    some = at_radius(8, values[[3, 1, 0]], [rows[place] for place in (3, 1, 0)])
    radii = [at_radius(4, values, rows), some]
    common = runs_in_common(radii)
    assert common == ["run-00", "run-01", "run-03"]
    shared = [one.of(common) for one in radii]
    for one, other in edges_by_run(shared):
        np.testing.assert_array_equal(one, other)
    assert [row["name"] for row in shared[1].rows] == common
    assert described(radii, common, None)["Runs"] == {"dmnr4": 4, "dmnr8": 3}
    np.testing.assert_allclose(similarity(edges_by_run(shared)).of_runs, 1)


def test_radii_without_a_run_in_common_are_not_compared():
    rows = runs(4)
    radii = [at_radius(4, np.zeros((2, N_EDGES)), rows[:2]), at_radius(8, np.zeros((2, N_EDGES)), rows[2:])]
    with pytest.raises(InputError, match=r"no run has a connectome at every radius.*dmnr4 2, dmnr8 2"):
        runs_in_common(radii)


def test_tables_have_a_row_for_each_measure_and_radius_and_for_each_pair_of_radii():
    radii = [at_radius(radius, np.zeros((2, N_EDGES)), runs(2)) for radius in (4, 6, 8.5)]
    contrasts = [contrast_points("age", np.ones(N_EDGES), np.zeros(N_EDGES)) for _ in radii]
    rows = list(point_rows(radii, [contrasts, [sphere_points(one.spheres, 2) for one in radii]]))
    assert [row[0] for row in rows] == [
        measure for measure in MEASURES if measure in {row[0] for row in rows} for _ in radii
    ]
    assert [row[3] for row in rows[:3]] == [4, 6, 8.5]
    alike = similarity([list(np.random.default_rng(7).normal(size=(3, N_EDGES)))])
    rows = list(similarity_rows(radii, alike, {"age": np.eye(3)}))
    assert [(row[0], row[3], row[4]) for row in rows] == [
        (of, one, other) for of in (None, "age") for one, other in ((4, 6), (4, 8.5), (6, 8.5))
    ]
