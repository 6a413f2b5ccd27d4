"""Denoisings with a strategy, censoring and a minimum: what a study makes of runs that move, and of those left out."""

import csv
import json

import nibabel
import numpy as np
import pytest

from sphereconn.connect.xdf import correlation_score
from sphereconn.files import read_matrix, read_signals
from workflow.project import HALF_A_DIGIT, N_FRAMES, new_project

MOTION = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
COLUMNS = ["csf", "white_matter", "global_signal", *MOTION, "framewise_displacement", "non_steady_state_outlier00"]
SPIKES = {1: [20, 21, 40], 2: [], 3: [frame for frame in range(N_FRAMES) if frame % 4]}  # by subject


def write_confounds(root, number):
    """Write a table as fMRIPrep does: no framewise displacement in the first frame, which is not in a steady state."""
    rng = np.random.default_rng(number)
    values = rng.standard_normal((N_FRAMES, len(COLUMNS))).round(6)
    values[:, -2] = 0.1
    values[SPIKES[number], -2] = 0.9
    values[:, -1] = 0
    values[0, -1] = 1
    rows = [[repr(float(value)) for value in row] for row in values]
    rows[0][-2] = "n/a"
    lines = ["\t".join(row) for row in [COLUMNS, *rows]]
    (root / "data" / f"sub-{number:02d}_confounds.tsv").write_text("\n".join(lines) + "\n")


def spoil(path):
    """Make frame 40, with a spike, NaN and frame 60 zero."""
    image = nibabel.load(path)
    frames = image.get_fdata(dtype=np.float32)
    frames[..., 40], frames[..., 60] = np.nan, 0
    nibabel.save(nibabel.Nifti1Image(frames, image.affine, image.header), path)


@pytest.fixture(scope="module")
def scrubbed(tmp_path_factory):
    """A finished study of three runs with a scrubbing denoising, for which the third keeps too few frames."""
    project = new_project(tmp_path_factory.mktemp("scrubbed") / "project")
    for number in SPIKES:
        write_confounds(project.root, number)
    spoil(project.root / "data" / "sub-01_bold.nii.gz")

    def edit(config):
        config["seed_sets"] = {"mine": {"seeds": "data/mine.tsv"}}
        config["denoising"] = {
            "scrub": {
                "strategy": "9parameters",
                "scrub": {"framewise_displacement": 0.5, "min_segment": 0},
                "low_pass": 0.1,
                "min_minutes": 1,
            }
        }
        config["figures"].update(runs={"subject": "03"})
        config["estimators"]["full"]["z"] = "xdf"
        config["estimators"]["sparse"] = {"kind": "sparse inverse covariance", "alpha": 0.2}
        config["contrasts"] = {"mean": {"test": "intercept", "permutations": 0}}

    project.configure(edit)
    project.run()
    return project


def func(number, suffix):
    return f"sub-0{number}/func/sub-0{number}_task-rest_atlas-mine_{suffix}"


def json_of(project, name):
    return json.loads(project.results()[name])


def rows_of(project, name):
    return list(csv.DictReader(project.results()[name].decode().splitlines(), delimiter="\t"))


def test_the_z_of_correlations_knows_which_frames_are_censored(scrubbed):
    results = scrubbed.root / "results"
    _, signals = read_signals(results / func(1, "desc-scrub_timeseries.tsv"))
    sidecar = json_of(scrubbed, func(1, "desc-scrub_timeseries.json"))
    censored = {frame for frames in sidecar["CensoredVolumes"].values() for frame in frames}
    frames = np.array([frame for frame in range(N_FRAMES) if frame not in censored])
    expected = correlation_score(signals, frames, sidecar["EffectiveDegreesOfFreedom"])
    for statistic, matrix in (("z", expected.z), ("degreesoffreedom", expected.degrees_of_freedom)):
        _, found = read_matrix(results / func(1, f"meas-full_desc-scrub_stat-{statistic}_relmat.tsv"))
        np.testing.assert_allclose(found, matrix, rtol=HALF_A_DIGIT)
    described = json_of(scrubbed, func(1, "meas-full_desc-scrub_stat-z_relmat.json"))
    assert described["RelationshipMeasure"] == "z of the correlation under autocorrelation (xDF)"
    assert described["EffectiveDegreesOfFreedom"] == sidecar["EffectiveDegreesOfFreedom"]


def test_a_run_that_is_left_out_has_no_z(scrubbed):
    _, found = read_matrix(scrubbed.root / "results" / func(3, "meas-full_desc-scrub_stat-z_relmat.tsv"))
    assert np.isnan(found).all()
    assert "LeftOut" in json_of(scrubbed, func(3, "meas-full_desc-scrub_stat-z_relmat.json"))
    assert not [name for name in scrubbed.results() if "meas-partial" in name and "stat-z" in name]


def test_the_cleaned_signals_have_a_row_for_each_kept_frame_and_the_sidecar_lists_the_others(scrubbed):
    sidecar = json_of(scrubbed, func(1, "desc-scrub_timeseries.json"))
    assert sidecar["CensoredVolumes"] == {
        "NonSteadyState": [0],
        "FramewiseDisplacement": [20, 21, 40],
        "ShortSegment": [],
        "NoData": [40, 60],
    }
    assert sidecar["NumberOfVolumesDiscardedByMotionScrubbing"] == 2
    assert sidecar["NumberOfVolumesWithoutData"] == 2
    assert sidecar["NumberOfVolumesDiscardedByNonsteadyStatesDetector"] == 1
    assert (sidecar["NumberOfVolumes"], sidecar["NumberOfVolumesKept"]) == (80, 75)
    assert np.isclose(sidecar["MeanFramewiseDisplacement"], (76 * 0.1 + 3 * 0.9) / 79)
    assert np.isclose(sidecar["MeanFramewiseDisplacementKept"], 0.1)
    assert sidecar["ConfoundRegressors"] == [*MOTION, "csf", "white_matter", "global_signal"]
    assert "LeftOut" not in sidecar
    _, signals = read_signals(scrubbed.root / "results" / func(1, "desc-scrub_timeseries.tsv"))
    assert signals.shape == (75, 3) and np.isfinite(signals).all()


def test_what_the_sidecar_of_a_connectome_says_of_the_run_is_what_quality_control_reads(scrubbed):
    sidecar = json_of(scrubbed, func(1, "meas-full_desc-scrub_relmat.json"))
    assert sidecar["NumberOfVolumesDiscardedByMotionScrubbing"] == 2
    assert sidecar["NumberOfVolumesDiscardedByNonsteadyStatesDetector"] == 1
    assert (sidecar["NumberOfVolumes"], len(sidecar["ConfoundRegressors"])) == (80, 9)
    assert np.isclose(sidecar["DegreesOfFreedom"], 75 * 0.1 / 0.25 - 9 - 2)


def test_a_run_below_the_minimum_is_left_out_of_everything_that_follows_and_is_no_error(scrubbed):
    reason = json_of(scrubbed, func(3, "desc-scrub_timeseries.json"))["LeftOut"]
    # Every fourth frame is still, but for the first, which is not in a steady state.
    assert reason == "19 of 80 frames (0.63 minutes) are left after censoring, less than min_minutes requires (1)."
    names, signals = read_signals(scrubbed.root / "results" / func(3, "desc-scrub_timeseries.tsv"))
    assert names == ["front", "left", "right"] and signals.shape == (0, 3)
    for estimator in ("full", "partial", "sparse"):
        names, matrix = read_matrix(scrubbed.root / "results" / func(3, f"meas-{estimator}_desc-scrub_relmat.tsv"))
        assert names == ["front", "left", "right"] and np.isnan(matrix).all()
        sidecar = json_of(scrubbed, func(3, f"meas-{estimator}_desc-scrub_relmat.json"))
        assert sidecar["LeftOut"] == reason and sidecar["NodesUnusable"] == names


def test_a_contrast_lists_the_run_that_a_limit_left_out_with_the_reason(scrubbed):
    sidecar = json_of(scrubbed, "group/contrast-mean_atlas-mine_meas-full_desc-scrub_contrast.json")
    assert sidecar["NumberOfRuns"] == 2
    assert sidecar["RunsLeftOut"] == {
        "sub-03_task-rest": json_of(scrubbed, func(3, "desc-scrub_timeseries.json"))["LeftOut"]
    }


def test_groups_count_the_other_runs_and_name_the_one_that_is_left_out(scrubbed):
    group = "group/{}_atlas-mine_meas-full_desc-scrub_{}"
    rows = rows_of(scrubbed, group.format("group-all", "stack.tsv"))
    assert [row["name"] for row in rows] == ["sub-01_task-rest", "sub-02_task-rest"]
    results = scrubbed.root / "results"
    assert np.load(results / group.format("group-all", "stack.npy")).shape == (2, 3)
    for name, runs, left_out in (
        ("group-all", ["sub-01_task-rest", "sub-02_task-rest"], ["sub-03_task-rest"]),
        ("site-odd", ["sub-01_task-rest"], ["sub-03_task-rest"]),
        ("site-even", ["sub-02_task-rest"], []),
    ):
        sidecar = json_of(scrubbed, group.format(name, "stat-mean_relmat.json"))
        assert (sidecar["Runs"], list(sidecar["RunsLeftOut"])) == (runs, left_out)
        assert sidecar["NumberOfRuns"] == len(runs)
        assert (read_matrix(results / group.format(name, "stat-n_relmat.tsv"))[1] == len(runs)).all()
        assert {row["runs_used"] for row in rows_of(scrubbed, group.format(name, "nodes.tsv"))} == {str(len(runs))}
    odd = read_matrix(results / group.format("site-odd", "stat-mean_relmat.tsv"))[1]
    np.testing.assert_array_equal(odd, read_matrix(results / func(1, "meas-full_desc-scrub_relmat.tsv"))[1])


def test_the_table_of_quality_and_the_report_name_the_run_that_is_left_out(scrubbed):
    table = {row["run"]: row for row in rows_of(scrubbed, "group/quality.tsv")}
    assert [row["frames_without_data"] for row in table.values()] == ["2", "0", "0"]
    assert table["sub-01_task-rest"]["left_out"] == "n/a"
    assert table["sub-03_task-rest"]["left_out"].startswith("19 of 80 frames")
    assert table["sub-03_task-rest"]["degrees_of_freedom"] == "n/a"
    report = scrubbed.results()["report.html"].decode()
    assert "19 of 80 frames (0.63 minutes) are left after censoring" in report
    assert "All runs, mean of n = 2 subjects" in report
    assert "(image 0 everywhere, or not finite; 2 frames in 1 run)" in report
    assert "Runs with less than 1 min of data after censoring were excluded (n = 1)." in report


def test_a_group_of_which_no_run_is_left_ends_no_study(scrubbed, tmp_path):
    project = scrubbed.copy(tmp_path / "project")
    project.configure(lambda config: (config["estimators"].pop("partial"), config["estimators"].pop("sparse")))
    project.configure(lambda config: (config["denoising"]["scrub"].update(min_frames=78), config.pop("contrasts")))
    project.run()
    sidecar = json_of(project, "group/site-odd_atlas-mine_meas-full_desc-scrub_stat-mean_relmat.json")
    assert sidecar["NumberOfRuns"] == 0 and "All runs of this group were left out" in sidecar["LeftOut"]
    matrix = read_matrix(project.root / "results/group/site-odd_atlas-mine_meas-full_desc-scrub_stat-n_relmat.tsv")[1]
    assert (matrix == 0).all()
    project.configure(lambda config: config["denoising"]["scrub"].update(min_frames=80))
    project.run()
    assert "All runs were left out, so there is nothing to describe." in project.results()["report.html"].decode()


@pytest.mark.parametrize(("min_frames", "left", "problem"), [(78, 2, "only one run"), (80, 3, "there is no run")])
def test_a_contrast_that_censoring_leaves_too_few_runs_says_so(scrubbed, tmp_path, min_frames, left, problem):
    project = scrubbed.copy(tmp_path / "project")
    project.configure(lambda config: config["denoising"]["scrub"].update(min_frames=min_frames))
    said = " ".join(project.fail().split())
    assert f"error: contrast mean: {problem}" in said
    assert f"{left} runs were left out before. The reason for sub-0" in said
    assert f"are left after censoring, fewer than min_frames requires ({min_frames})." in said
    assert "group/site-odd_atlas-mine_meas-full_desc-scrub_stat-mean_relmat.json" in project.results()


def test_runs_that_move_or_are_worth_too_little_are_left_out_with_the_reason(scrubbed, tmp_path):
    project = scrubbed.copy(tmp_path / "project")
    # Of the third run less than nothing is left by count: without a least number that would be an error.
    limits = {"min_minutes": None, "min_degrees_of_freedom": 1, "max_mean_framewise_displacement": 0.12}
    project.configure(lambda config: config["denoising"]["scrub"].update(limits))
    project.run("--until", "clean")
    left_out = [json_of(project, func(number, "desc-scrub_timeseries.json")).get("LeftOut") for number in SPIKES]
    assert left_out[0].startswith("The mean framewise displacement is 0.130 mm, more than max_mean")
    assert left_out[1] is None and left_out[2].startswith("The mean framewise displacement is 0.")
    project.configure(lambda config: config["denoising"]["scrub"].update(max_mean_framewise_displacement=None))
    project.run("--until", "clean")
    left_out = [json_of(project, func(number, "desc-scrub_timeseries.json")).get("LeftOut") for number in SPIKES]
    assert left_out[:2] == [None, None] and "leave less than one degree of freedom in the 19 frames kept" in left_out[2]


def test_another_threshold_opens_no_image(scrubbed, tmp_path):
    project = scrubbed.copy(tmp_path / "project")
    project.configure(lambda config: config["denoising"]["scrub"]["scrub"].update(framewise_displacement=0.4))
    pending = project.pending()
    assert "extract" not in pending
    assert (pending["clean"], pending["connect"], pending["connect_sparse"]) == (3, 6, 3)


def test_a_preset_written_out_runs_nothing_again(scrubbed, tmp_path):
    project = scrubbed.copy(tmp_path / "project")
    choices = {"motion": "basic", "wm_csf": "basic", "global_signal": "basic"}
    project.configure(lambda config: config["denoising"]["scrub"].update(strategy=choices))
    assert project.pending() == {}


def test_compcor_needs_the_sidecar_of_the_table_and_names_the_run_without_one(scrubbed, tmp_path):
    project = scrubbed.copy(tmp_path / "project")
    project.configure(
        lambda config: config["denoising"].update(
            scrub={"strategy": {"preset": "compcor", "high_pass": False}, "high_pass": 0.01}
        )
    )
    output = project.fail()
    assert "run sub-01_task-rest has no data/sub-01_confounds.json" in output and "denoising.scrub needs" in output
    for number in SPIKES:
        component = {"Method": "aCompCor", "Mask": "combined", "Retained": True, "CumulativeVarianceExplained": 0.6}
        (project.root / f"data/sub-0{number}_confounds.json").write_text(json.dumps({"csf": component}))
    project.run("--until", "clean")
    sidecar = json_of(project, func(1, "desc-scrub_timeseries.json"))
    assert "csf" in sidecar["ConfoundRegressors"]
    assert "data/sub-01_confounds.json" in sidecar["Sources"]
    (project.root / "data/sub-02_confounds.json").write_text(json.dumps({"white_matter": component}))
    assert project.pending()["clean"] == 1
