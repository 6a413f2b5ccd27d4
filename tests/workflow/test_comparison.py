"""Denoising compared in a study whose runs have a planted motion artefact: what is found, ranked, and run again."""

import nibabel
import numpy as np
import pytest

from sphereconn import read_study
from sphereconn.files import read_json, read_matrix, read_records
from workflow.project import AFFINE, HALF_A_DIGIT, SHAPE, new_project

N_RUNS, N_FRAMES = 18, 60
START = "group/comparison-denoising_atlas-nodes"
DESCRIPTION = {"describe_study": 1, "write_report": 1}
# Strategies: nothing, all motion parameters, and these with frames censored, which leaves some runs out.
DENOISING = {
    "none": {"detrend": True},
    "motion": {"confounds": ["trans_*"], "detrend": True},
    "scrubbed": {
        "confounds": ["trans_*"],
        "detrend": True,
        "scrub": {"framewise_displacement": 1.2},
        "min_frames": 40,
    },
}


def write_moving_run(root, number):
    """Write a run whose frames shift in brightness with motion, the more so the more it moves."""
    rng = np.random.default_rng(100 + number)
    moved = 0.1 + 0.4 * number / N_RUNS
    trans = np.cumsum(rng.normal(0, moved, (N_FRAMES, 3)), axis=0)
    displacement = np.abs(np.diff(trans, axis=0, prepend=trans[:1])).sum(axis=1)
    x, y, z = (np.indices(SHAPE)[axis] / SHAPE[axis] for axis in range(3))
    network = np.where(x > 0.5, 0, 1)
    signal = rng.normal(0, 6, (2, N_FRAMES))
    data = 500 + rng.normal(0, 12, (*SHAPE, N_FRAMES)) + signal[network]
    # Neighbours share an artefact: the product of the parameters with smooth fields.
    data += 8 * sum(field[..., None] * series for field, series in zip((1 + x, 1 + y, 1 + z), trans.T, strict=True))
    image = nibabel.Nifti1Image(data.astype(np.float32), AFFINE)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((8, 8, 8, 2))
    nibabel.save(image, root / "data" / f"sub-{number:02d}_bold.nii")
    np.savetxt(
        root / "data" / f"sub-{number:02d}_confounds.tsv",
        np.column_stack([displacement, trans]),
        delimiter="\t",
        header="framewise_displacement\ttrans_x\ttrans_y\ttrans_z",
        comments="",
    )


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A finished study that compares three denoisings of 18 runs, 12 nodes in two networks."""
    project = new_project(tmp_path_factory.mktemp("comparison") / "project", n_subjects=0)
    rng = np.random.default_rng(1)
    ages = rng.integers(20, 60, N_RUNS)
    rows = ["subject\ttask\tbold\tconfounds\tage"]
    for number in range(1, N_RUNS + 1):
        write_moving_run(project.root, number)
        files = f"sub-{number:02d}_bold.nii\tsub-{number:02d}_confounds.tsv"
        rows.append(f"{number:02d}\trest\t{files}\t{ages[number - 1]}")
    (project.root / "data" / "runs.tsv").write_text("\n".join(rows) + "\n")
    nodes = ["name\tx\ty\tz\tnetwork"]
    for place, (x, y, z) in enumerate((x, y, z) for x in (-50, 50) for y in (-70, 0, 50) for z in (0, 40)):
        nodes.append(f"n{place}\t{x}\t{y}\t{z}\t{'left' if x < 0 else 'right'}")
    (project.root / "data" / "nodes.tsv").write_text("\n".join(nodes) + "\n")

    def edit(config):
        config["groups"] = []
        config["seed_sets"] = {"nodes": {"seeds": "data/nodes.tsv", "radius": 10}}
        config["denoising"] = DENOISING
        config["estimators"] = {"full": {"kind": "correlation"}}
        config["figures"].update(kinds=["comparison"], runs="none")
        config["comparison"] = {"denoising": "all", "covariates": ["age"]}

    project.configure(edit)
    project.run()
    return project


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


@pytest.fixture(scope="module")
def criteria(finished_once):
    rows = read_records(finished_once.root / "results" / f"{START}_meas-full_criteria.tsv")
    return {(row["criterion"], row["denoising"]): row for row in rows}


def test_no_step_compiles_what_was_not_compiled_at_set_up(finished_once):
    assert finished_once.compiled_anew() == set()


def test_the_planted_dependence_on_motion_is_found_and_its_removal_ranks_first(criteria):
    for key in ("qcfc_median_absolute", "qcfc_significant", "qcfc_significant_fdr", "high_low_significant"):
        value = {label: float(criteria[key, label]["value_in_common"]) for label in DENOISING}
        assert min(value["motion"], value["scrubbed"]) < 0.5 * value["none"], key
        assert int(criteria[key, "none"]["rank"]) == 3, key
    assert float(criteria["qcfc_significant_fdr", "none"]["value_in_common"]) > 0.5
    assert float(criteria["network_separation", "motion"]["value_in_common"]) > float(
        criteria["network_separation", "none"]["value_in_common"]
    )


def test_qcfc_of_each_edge_is_the_partial_correlation_over_the_runs_in_common(finished_once):
    results = finished_once.root / "results"
    sidecar = read_json(results / f"{START}_meas-full_comparison.json")
    stacks, runs, quality = {}, {}, {}
    for label in DENOISING:
        of = f"group/group-all_atlas-nodes_meas-full_desc-{label}"
        stacks[label] = np.load(results / f"{of}_stack.npy")
        runs[label] = read_records(results / f"{of}_stack.tsv")
        quality[label] = read_records(results / f"{of}_quality.tsv")
    common = [row["name"] for row in runs["scrubbed"]]
    assert 6 < len(common) < N_RUNS and sidecar["RunsInCommon"] == len(common)
    assert sidecar["DegreesOfFreedom"] == len(common) - 3
    motion = np.array([float(row["mean_framewise_displacement"]) for row in quality["scrubbed"]])
    age = np.array([float(row["age"]) for row in runs["scrubbed"]])
    assert sidecar["MotionInCommon"]["Highest"] == motion.max()
    at = [place for place, row in enumerate(runs["motion"]) if row["name"] in common]
    z = np.arctanh(stacks["motion"][at])
    matrix = read_matrix(results / f"{START}_meas-full_desc-motion_stat-qcfc_relmat.tsv")[1]
    design = np.column_stack([np.ones(len(age)), age])
    residuals = [values - design @ np.linalg.lstsq(design, values, rcond=None)[0] for values in (z, motion)]
    expected = [np.corrcoef(edge, residuals[1])[0, 1] for edge in residuals[0].T]
    np.testing.assert_allclose(matrix[np.triu_indices(12, 1)], expected, rtol=HALF_A_DIGIT, atol=1e-10)


def test_most_and_least_motion_are_told_apart_by_distance_and_drawn(finished_once, criteria):
    results = finished_once.root / "results"
    rows = read_records(results / f"{START}_meas-full_motiongroups.tsv")
    whole = {row["denoising"]: row for row in rows if row["edges"] == "66"}
    assert set(whole) == set(DENOISING)
    for label, row in whole.items():
        assert row["median_absolute_difference"] == criteria["high_low_difference", label]["value_in_common"]
        matrix = read_matrix(results / f"{START}_meas-full_desc-{label}_stat-motiondifference_relmat.tsv")[1]
        edges = matrix[np.triu_indices(12, 1)]
        assert np.median(np.abs(edges)) == pytest.approx(float(row["median_absolute_difference"]))
    # The artefact adds to every edge of those who move.
    assert float(whole["none"]["mean_difference"]) > 2 * abs(float(whole["motion"]["mean_difference"]))
    assert (results / "group" / "figures" / f"{START.partition('/')[2]}_meas-full_motiongroups.png").is_file()


def test_a_strategy_that_leaves_too_few_runs_fails_no_job_and_is_named(finished):
    finished.configure(lambda config: config["denoising"]["scrubbed"].update(max_mean_framewise_displacement=0.01))
    finished.run()
    results = finished.root / "results"
    rows = read_records(results / f"{START}_meas-full_criteria.tsv")
    value = {(row["criterion"], row["denoising"]): row["value_in_common"] for row in rows}
    assert value["qcfc_median_absolute", "scrubbed"] == "n/a" != value["qcfc_median_absolute", "motion"]
    sidecar = read_json(results / f"{START}_meas-full_comparison.json")
    assert list(sidecar["DenoisingWithTooFewRuns"]) == ["scrubbed"] and sidecar["RunsInCommon"] == N_RUNS
    assert "scrubbed is not compared with the others on runs in common" in (results / "report.html").read_text()


def test_losses_are_those_of_each_strategy(criteria, finished_once):
    sidecar = read_json(finished_once.root / "results" / f"{START}_meas-full_comparison.json")
    kept = {label: float(criteria["runs_kept", label]["value"]) for label in DENOISING}
    assert kept["none"] == kept["motion"] == 1 > kept["scrubbed"]
    assert sidecar["Denoising"]["scrubbed"]["RunsAsked"] == N_RUNS
    assert float(criteria["frames_kept", "none"]["value_in_common"]) == 1
    assert float(criteria["frames_kept", "scrubbed"]["value_in_common"]) < 1
    freedom = {label: float(criteria["degrees_of_freedom", label]["value_in_common"]) for label in DENOISING}
    assert freedom["none"] == pytest.approx((N_FRAMES - 2) / N_FRAMES)
    assert freedom["motion"] == pytest.approx((N_FRAMES - 5) / N_FRAMES)
    assert freedom["scrubbed"] < freedom["motion"]


def test_the_report_has_the_numbers_and_says_what_they_cannot_tell(finished_once, criteria):
    page = (finished_once.root / "results" / "report.html").read_text()
    assert "<h2" in page and "Choices" in page
    value = float(criteria["qcfc_median_absolute", "motion"]["value_in_common"])
    assert f"{value:.3f} (" in page
    assert "There is no overall score" in page and "Rubinov and Sporns" in page


def test_a_finished_study_runs_nothing_and_has_nothing_left_over(finished_once):
    assert finished_once.pending() == {}
    assert finished_once.left_over() == []


def test_other_covariates_compare_again_and_measure_nothing_again(finished):
    finished.configure(lambda config: config["comparison"].update(covariates=[]))
    assert finished.pending() == {"compare_denoising_nodes_full": 1, "draw_comparison_nodes_full": 1} | DESCRIPTION


def test_another_denoising_measures_the_organization_of_its_own_connectomes_only(finished):
    finished.configure(lambda config: config["denoising"].update(slow={"detrend": True, "low_pass": 0.1}))
    pending = finished.pending()
    assert {pending[rule] for rule in ("measure_organization", "stack", "compare_denoising_nodes_full")} == {1}
    assert pending["clean"] == pending["connect"] == N_RUNS and "extract" not in pending


def test_another_estimator_is_compared_by_itself(finished):
    finished.configure(lambda config: config["estimators"].update(partial={"kind": "partial correlation"}))
    pending = finished.pending()
    assert pending["measure_organization"] == len(DENOISING) and pending["compare_denoising_nodes_partial"] == 1
    assert not {"compare_denoising_nodes_full", "draw_comparison_nodes_full", "clean"} & set(pending)


def test_a_figure_value_draws_again_and_computes_nothing(finished):
    finished.configure(lambda config: config["figures"].update(dpi=70))
    assert finished.pending() == {"draw_comparison_nodes_full": 1} | DESCRIPTION


def test_the_order_of_labels_changes_nothing(finished):
    finished.configure(lambda config: config["comparison"].update(denoising=["scrubbed", "none", "motion"]))
    assert finished.pending() == {"describe_study": 1, "write_report": 1}


def test_without_a_comparison_nothing_of_it_is_wanted_any_more(finished):
    finished.configure(lambda config: config.pop("comparison"))
    assert finished.pending() == DESCRIPTION
    assert "remove_orphans" in finished.run()


def test_mistakes_are_told_before_any_job(finished):
    for change, words in (
        ({"denoising": ["none", "aroma"]}, "'aroma' is not used by any connectome of the study"),
        ({"covariates": ["agee"]}, "there is no column 'agee'"),
        ({"motion": "age", "covariates": ["age"]}, "is the motion itself"),
        ({"denoising": ["none"]}, "a list of two labels or more"),
    ):
        finished.configure(lambda config, change=change: config.update(comparison=change))
        assert words in finished.fail("--dry-run")


def test_a_comparison_is_read_back(finished_once):
    study = read_study(finished_once.root / "results")
    found = study.comparison()
    assert set(found.criteria["denoising"]) == set(DENOISING)
    for read, statistic in ((found.qcfc, "qcfc"), (found.motion_difference, "motiondifference")):
        path = finished_once.root / "results" / f"{START}_meas-full_desc-motion_stat-{statistic}_relmat.tsv"
        np.testing.assert_array_equal(read("motion").to_numpy(), read_matrix(path)[1])
    assert set(found.motion_groups["denoising"]) == set(DENOISING)
    assert len(found.similarity) == 3 and "Criteria" in found.described
    left_out = study.connectomes("nodes", "scrubbed").left_out
    assert left_out and not set(left_out) & set(study.connectomes("nodes", "scrubbed").runs.index)
    frames = study.signals("sub-01", "nodes", "scrubbed").index
    assert (
        len(frames)
        == study.quality.query("run == 'sub-01_task-rest' and denoising == 'scrubbed'")["frames_kept"].item()
    )
