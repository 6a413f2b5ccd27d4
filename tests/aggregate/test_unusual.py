"""What is unusual about a run is found, and little is found where nothing is."""

import re

import numpy as np
import pytest

from sphereconn.aggregate.cohort import standings
from sphereconn.aggregate.quality import ESTIMATION_COLUMNS, QUALITY_COLUMNS
from sphereconn.aggregate.unusual import unusual_runs


def quality_of(n_runs, seed=0, tails=False):
    """Rows of a cohort; with tails, log-normal motion and temporal SNR, and without, none that is far out."""
    rng = np.random.default_rng(seed)
    scatter = rng.standard_normal if tails else lambda: rng.uniform(-1.2, 1.2)
    return [
        dict.fromkeys(QUALITY_COLUMNS, "n/a")
        | {
            "run": f"sub-{number:04d}",
            "seed_set": "power264",
            "denoising": "bandpass",
            "frames": "200",
            "frames_without_data": "0",
            "frames_kept": "190",
            "repetition_time": "2.0",
            "regressors": "8",
            "degrees_of_freedom": "60.0",
            "effective_degrees_of_freedom": repr(float(rng.normal(50, 5))),
            "mean_framewise_displacement": repr(float(0.2 * np.exp(0.5 * scatter()))),
            "nodes": "264",
            "nodes_unusable": "2",
            "lowest_coverage": "0.6",
            "median_coverage": "1.0",
            "median_temporal_snr": repr(float(60 * np.exp(0.2 * scatter()))),
        }
        for number in range(n_runs)
    ]


def estimate_of(run, **values):
    labels = {"run": run, "seed_set": "power264", "denoising": "bandpass", "estimator": "sparse", "same_signal": "0"}
    return dict.fromkeys(ESTIMATION_COLUMNS, "n/a") | labels | values


def kinds(concerns):
    return [concern.kind for concern in concerns]


@pytest.mark.parametrize("n_runs", [10, 20, 100, 1000])
def test_hardly_a_run_of_a_usual_cohort_is_called_unusual(n_runs):
    cohorts = max(2000 // n_runs, 3)
    named = sum(
        sum(map(bool, unusual_runs(quality_of(n_runs, seed, tails=True), []).values())) for seed in range(cohorts)
    )
    # Two measures, of which a normal one lies beyond 2.5 deviations on one side in 0.6 % of the runs.
    assert named / (n_runs * cohorts) < (0.05 if n_runs < 20 else 0.025)


@pytest.mark.parametrize(
    ("column", "value", "kind", "words"),
    [
        ("mean_framewise_displacement", "3.0", "head motion", r"head motion 3\.00 mm \(median 0\.\d\d mm\)"),
        ("median_temporal_snr", "12.0", "temporal SNR", r"temporal SNR 12 \(power264; median \d+\)"),
        ("effective_degrees_of_freedom", "9.0", "degrees of freedom", r"9\.0 effective .*bandpass, power264; median"),
        ("nodes_unusable", "40", "coverage", r"40 of 264 nodes without a signal \(power264; median 2\)"),
        ("frames_without_data", "1", "frames without data", "1 frame without data"),
        ("repetition_time_overruled", "header: 1.0", "repetition time", r"repetition time 2 s \(header: 1\.0\)"),
        ("left_out", "Too short.", "left out", "left out by bandpass"),
    ],
)
def test_a_run_that_stands_out_is_named_first_with_the_reason(column, value, kind, words):
    rows = quality_of(100)
    rows[37][column] = value
    run, (concern,) = next(iter(unusual_runs(rows, []).items()))
    assert run == "sub-0037" and concern.kind == kind
    assert re.fullmatch(words + ".*", concern.words)


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ({"converged": "no"}, "convergence", "an estimate did not converge (sparse, power264, bandpass)"),
        (
            {"alpha_at_end_of_path": "smallest"},
            "penalty",
            "the smallest penalty tried was chosen (sparse, power264, bandpass)",
        ),
        ({"same_signal": "3"}, "nodes with the same signal", "3 pairs of nodes with the same signal (power264)"),
    ],
)
def test_estimates_that_give_reason_for_doubt_are_named(values, kind, words):
    concerns = unusual_runs(quality_of(12), [estimate_of("sub-0005", **values), estimate_of("sub-0006")])
    assert [(concern.kind, concern.words) for concern in concerns["sub-0005"]] == [(kind, words)]
    assert concerns["sub-0006"] == []


def test_runs_with_the_same_signals_name_each_other():
    rows = quality_of(12)
    rows[7]["median_temporal_snr"] = rows[3]["median_temporal_snr"]
    concerns = unusual_runs(rows, [])
    assert [concern.words for concern in concerns["sub-0007"]] == ["the same signals as sub-0003"]
    assert list(concerns)[:2] == ["sub-0003", "sub-0007"]


def test_what_all_runs_have_is_not_unusual():
    rows = [row | {"nodes_unusable": "30"} for row in quality_of(12)]
    assert not any(unusual_runs(rows, []).values())


def test_runs_that_are_much_alike_need_a_difference_that_is_worth_saying():
    rows = [row | {"mean_framewise_displacement": "0.1"} for row in quality_of(30)]
    rows[0]["mean_framewise_displacement"], rows[1]["mean_framewise_displacement"] = "0.14", "0.16"
    unusual = unusual_runs(rows, [])
    assert unusual["sub-0000"] == [] and kinds(unusual["sub-0001"]) == ["head motion"]


def test_the_run_with_more_kinds_of_concerns_comes_before_the_one_that_goes_farther():
    rows = quality_of(30)
    rows[4] |= {"mean_framewise_displacement": "9.0"}
    rows[8] |= {"mean_framewise_displacement": "3.0", "nodes_unusable": "9"}
    rows[9] |= {"mean_framewise_displacement": "2.0"}
    assert list(unusual_runs(rows, []))[:3] == ["sub-0008", "sub-0004", "sub-0009"]


def test_of_several_seed_sets_the_worst_speaks():
    rows = quality_of(12)
    rows += [row | {"seed_set": "dmn", "nodes": "4", "nodes_unusable": "0"} for row in rows]
    rows[2]["nodes_unusable"], rows[14]["nodes_unusable"] = "3", "2"
    (concern,) = unusual_runs(rows, [])["sub-0002"]
    assert concern.words == "2 of 4 nodes without a signal (dmn; median 0)"


def test_few_runs_are_not_judged_by_each_other_but_by_a_limit_of_motion_and_without_numbers_nothing_is():
    rows = [row | {"mean_framewise_displacement": "0.05"} for row in quality_of(9)]
    rows[0] |= {"mean_framewise_displacement": "0.49", "median_temporal_snr": "1.0"}
    assert not any(unusual_runs(rows, []).values())
    rows[1]["mean_framewise_displacement"] = "0.89"
    assert [concern.words for concern in unusual_runs(rows, [])["sub-0001"]] == ["head motion 0.89 mm"]
    assert unusual_runs(rows, [])["sub-0000"] == []
    unknown = [row | {"mean_framewise_displacement": "n/a", "median_temporal_snr": "n/a"} for row in quality_of(12)]
    assert not any(unusual_runs(unknown, []).values())


def test_a_run_stands_among_the_runs_that_a_measure_is_known_of():
    rows = quality_of(21)
    rows[0]["mean_framewise_displacement"] = "n/a"
    rows[1]["left_out"] = "Too short."
    found = {(item.column, item.of): item for item in standings(rows)["sub-0002"]}
    motion = found["mean_framewise_displacement", ()]
    known = [float(row["mean_framewise_displacement"]) for row in rows[2:]]
    assert (motion.value, motion.median) == (known[0], np.median(known))
    assert (motion.low, motion.high, motion.n_runs) == (min(known), max(known), 19)
    assert found["effective_degrees_of_freedom", ("power264", "bandpass")].n_runs == 20
    assert "sub-0001" not in standings(rows)
