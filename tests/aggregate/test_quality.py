import json

import pytest

from sphereconn.aggregate.quality import (
    ESTIMATION_COLUMNS,
    QUALITY_COLUMNS,
    estimation_row,
    quality_row,
    regressors_of,
    software_of,
)
from sphereconn.files import write_rows

NODES = ["index", "name", "x", "y", "z", "radius", "network", "voxels", "coverage", "temporal_snr", "problem"]
CLEANED = {
    "NumberOfVolumes": 200,
    "NumberOfVolumesWithoutData": 4,
    "NumberOfVolumesKept": 190,
    "RepetitionTime": 2.5,
    "RepetitionTimeOverruled": {"the image header": 1.0},
    "ConfoundRegressors": ["csf", "trans_x"],
    "MeanFramewiseDisplacement": 0.125,
    "DegreesOfFreedom": 83.25,
    "EffectiveDegreesOfFreedom": 61.5,
}


@pytest.fixture
def quality(tmp_path):
    def row_of(nodes, **changes):
        rows = [[number, f"node {number}", 0.0, 0.0, number, 5.0, "n/a", 9, *node] for number, node in enumerate(nodes)]
        write_rows(tmp_path / "nodes.tsv", NODES, rows)
        (tmp_path / "cleaned.json").write_text(json.dumps({**CLEANED, **changes}))
        row = quality_row(("sub-1", "dmn", "bandpass"), tmp_path / "nodes.tsv", tmp_path / "cleaned.json")
        return dict(zip(QUALITY_COLUMNS, row, strict=True))

    return row_of


@pytest.fixture
def estimation(tmp_path):
    def row_of(**sidecar):
        (tmp_path / "relmat.json").write_text(json.dumps(sidecar))
        row = estimation_row(("sub-1", "dmn", "bandpass", "sparse"), tmp_path / "relmat.json")
        return dict(zip(ESTIMATION_COLUMNS, row, strict=True))

    return row_of


def test_quality_comes_from_the_nodes_and_from_what_cleaning_left(quality):
    assert quality([(1.0, 40.0, "n/a"), (0.75, 80.0, "n/a"), (0.5, 50.0, "n/a")]) == {
        "run": "sub-1",
        "seed_set": "dmn",
        "denoising": "bandpass",
        "frames": 200,
        "frames_without_data": 4,
        "frames_kept": 190,
        "repetition_time": 2.5,
        "repetition_time_overruled": "the image header: 1.0",
        "left_out": None,
        "regressors": 2,
        "degrees_of_freedom": 83.25,
        "effective_degrees_of_freedom": 61.5,
        "mean_framewise_displacement": 0.125,
        "nodes": 3,
        "nodes_unusable": 0,
        "lowest_coverage": 0.5,
        "median_coverage": 0.75,
        "median_temporal_snr": 50.0,
    }


def test_an_unusable_node_counts_in_the_coverage_and_not_in_the_temporal_snr(quality):
    row = quality([(1.0, 40.0, "n/a"), (0.0, "n/a", "outside the field of view")])
    assert (row["nodes"], row["nodes_unusable"]) == (2, 1)
    assert (row["lowest_coverage"], row["median_coverage"], row["median_temporal_snr"]) == (0.0, 0.5, 40.0)


def test_what_is_not_known_is_missing(quality):
    row = quality([("n/a", "n/a", "outside the mask")], MeanFramewiseDisplacement=None)
    unknown = ("mean_framewise_displacement", "lowest_coverage", "median_coverage", "median_temporal_snr")
    assert [row[column] for column in unknown] == [None] * 4


def test_an_estimate_shows_what_concerns_its_estimator(estimation):
    row = estimation(NodesUnusable=["a", "b"], Shrinkage=0.25, RelationshipMeasure="correlation")
    assert (row["nodes_unusable"], row["shrinkage"]) == (2, 0.25)
    assert [row[key] for key in ("alpha", "duality_gap", "duality_gap_per_node", "converged")] == [None] * 4


@pytest.mark.parametrize(("converged", "word"), [(True, "yes"), (False, "no")])
def test_a_sparse_estimate_shows_its_penalty_its_gap_and_whether_it_converged(estimation, converged, word):
    row = estimation(NodesUnusable=[], Alpha=0.1, DualityGap=2e-5, DualityGapPerNode=1e-6, Converged=converged)
    assert [row[key] for key in ("alpha", "duality_gap", "duality_gap_per_node", "converged")] == [
        0.1,
        2e-5,
        1e-6,
        word,
    ]


def test_an_estimate_says_when_its_penalty_is_at_an_end_of_the_path_or_its_signals_are_worth_little(estimation):
    row = estimation(NodesUnusable=[], AlphaAtEndOfPath="largest", FewerDegreesOfFreedomThanNodes=True)
    assert (row["alpha_at_end_of_path"], row["fewer_degrees_of_freedom_than_nodes"]) == ("largest", "yes")


def test_versions_are_listed_once_and_all_of_them(tmp_path):
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for path, numpy in zip(paths, ("2.4.1", "2.3.0", "2.4.1"), strict=True):
        path.write_text(json.dumps({"Software": {"numpy": numpy, "python": "3.11.7"}}))
    assert software_of({"clean": paths, "connect": []}) == {
        "clean": {"numpy": ["2.3.0", "2.4.1"], "python": ["3.11.7"]},
        "connect": {},
    }


def test_a_run_that_is_left_out_says_why_in_both_tables(quality, estimation):
    reason = "3 of 200 frames (0.12 minutes) are left after censoring, fewer than min_frames requires (50)."
    row = quality([(1.0, 40.0, "n/a")], LeftOut=reason, DegreesOfFreedom=None, ConfoundRegressors=[])
    assert (row["left_out"], row["degrees_of_freedom"], row["regressors"]) == (reason, None, None)
    row = estimation(NodesUnusable=["a"], Shrinkage=None, Converged=None, LeftOut=reason)
    assert (row["left_out"], row["converged"]) == (reason, None)


def test_a_confound_is_counted_in_each_run_once_however_many_seed_sets_there_are(tmp_path):
    cleaned = []
    for run, seed_set, denoising, columns in (
        ("sub-1", "dmn", "hard", ["csf", "cosine00"]),
        ("sub-1", "power264", "hard", ["csf", "cosine00"]),
        ("sub-2", "dmn", "hard", ["csf"]),
        ("sub-2", "dmn", "soft", []),
    ):
        path = tmp_path / f"{run}_{seed_set}_{denoising}.json"
        path.write_text(json.dumps({"ConfoundRegressors": columns}))
        cleaned.append((run, seed_set, denoising, path))
    assert regressors_of(cleaned) == {"hard": {"csf": 2, "cosine00": 1}, "soft": {}}
