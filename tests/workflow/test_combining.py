"""Runs of a subject that are combined: the numbers, what groups are made of, what an edit runs again, what is bad.

The study has three subjects: 01 with two sessions of two runs each, 02 with one run in each of two sessions, 03 with a
single run. There is one seed set of three nodes, and an estimator of each kind. Signals, penalties and pages are drawn.
"""

import csv
import json
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from sphereconn.connect.connectivity import connectome
from sphereconn.connect.edges import edge_vector
from sphereconn.connect.group_sparse import group_sparse_inverse_covariance
from sphereconn.connect.sparse_selection import Grid, sparse_inverse_covariance
from sphereconn.files import read_matrix, read_signals
from sphereconn.plan.products import results
from sphereconn.study.study import resolve_study
from workflow.project import HALF_A_DIGIT, N_FRAMES, ROOT, new_project, write_run

# subject, session, run, site, age
RUNS = [
    ("01", "a", "1", "odd", "30"),
    ("01", "a", "2", "odd", "30"),
    ("01", "b", "1", "odd", "31"),
    ("01", "b", "2", "odd", "31"),
    ("02", "a", "1", "even", "40"),
    ("02", "b", "1", "even", "40"),
    ("03", "n/a", "n/a", "odd", "50"),
]
STEMS = [
    "sub-01_ses-a_task-rest_run-1",
    "sub-01_ses-a_task-rest_run-2",
    "sub-01_ses-b_task-rest_run-1",
    "sub-01_ses-b_task-rest_run-2",
    "sub-02_ses-a_task-rest_run-1",
    "sub-02_ses-b_task-rest_run-1",
    "sub-03_task-rest",
]
OF_SUBJECT = {"01": STEMS[:4], "02": STEMS[4:6], "03": STEMS[6:]}
COMBINED = [f"sub-{subject}_task-rest_run-all" for subject in OF_SUBJECT]
GAP = 1e-6
ESTIMATORS = {
    # Without shrinkage, which would leave next to nothing of the correlations of noise.
    "full": {"kind": "correlation", "covariance": "empirical"},
    "cov": {"kind": "covariance", "covariance": "empirical"},
    "sparse": {"kind": "sparse inverse covariance", "alpha": 0.1, "gap_per_node": GAP},
    "joint": {"kind": "group sparse inverse covariance", "alpha": 0.02, "gap_per_node": GAP},
}
REPORT = {"summarize_quality": 1, "write_report": 1}


def write_table(root, runs):
    """List some runs; the image of a run is the one with its place in RUNS."""
    rows = ["subject\tsession\ttask\trun\tbold\tconfounds\tsite\tage"]
    for run in runs:
        number = RUNS.index(run) + 1 if run in RUNS else len(RUNS) + 1
        subject, session, label, site, age = run
        files = f"sub-{number:02d}_bold.nii.gz\tsub-{number:02d}_confounds.tsv"
        rows.append(f"{subject}\t{session}\trest\t{label}\t{files}\t{site}\t{age}")
    (root / "data" / "runs.tsv").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """The study as it is before anything ran."""
    project = new_project(tmp_path_factory.mktemp("pristine") / "project", n_subjects=len(RUNS))
    write_table(project.root, RUNS)

    def edit(config):
        config["seed_sets"].pop("dmn")
        config["estimators"] = ESTIMATORS
        config["figures"] = {"dpi": 50, "kinds": ["signals", "path", "page"], "runs": {"run": "all"}}
        config["combine"] = {"how": "concatenate"}

    project.configure(edit)
    return project


@pytest.fixture(scope="module")
def joined(pristine, tmp_path_factory):
    """The study with runs joined in time, at its end; read it, never edit it."""
    project = pristine.copy(tmp_path_factory.mktemp("joined") / "project")
    project.run()
    return project


@pytest.fixture(scope="module")
def averaged(joined, tmp_path_factory):
    """The same study after its runs were averaged instead."""
    project = joined.copy(tmp_path_factory.mktemp("averaged") / "project")
    project.configure(lambda config: config["combine"].update(how="average"))
    pending = project.pending()
    assert not {"extract", "clean", "connect", "connect_sparse", "concatenate"} & set(pending)
    assert pending["average"] == len(COMBINED) * len(ESTIMATORS)
    project.run()
    project.run("remove_orphans", "--config", "remove=true")
    return project


def path_of(project, stem, suffix):
    parts = stem.split("_")
    folder = "/".join(part for part in parts[:2] if part.startswith(("sub-", "ses-")))
    return project.root / "results" / folder / "func" / f"{stem}_atlas-mine_{suffix}"


def signals_of(project, stem):
    return read_signals(path_of(project, stem, "desc-bandpass_timeseries.tsv"))[1]


def matrix_of(project, stem, estimator, suffix="relmat.tsv"):
    return read_matrix(path_of(project, stem, f"meas-{estimator}_desc-bandpass_{suffix}"))[1]


def edges_of(project, stem, estimator):
    return np.load(path_of(project, stem, f"meas-{estimator}_desc-bandpass_edges.npy"))


def json_of(path):
    return json.loads(path.read_text())


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines(), delimiter="\t"))


def of_group(project, estimator, suffix, group="group-all"):
    return project.root / "results/group" / f"{group}_atlas-mine_meas-{estimator}_desc-bandpass_{suffix}"


def z_scored(signals):
    return (signals - signals.mean(axis=0)) / signals.std(axis=0)


@pytest.mark.parametrize("study", ["joined", "averaged"])
def test_the_results_are_those_that_the_study_names(study, request):
    project = request.getfixturevalue(study)
    here = Path.cwd()
    os.chdir(project.root)
    try:
        read = resolve_study(project.config, ROOT / "workflow/schemas/config.schema.json", ROOT / "resources")
        assert set(project.results()) == results(read)
    finally:
        os.chdir(here)
    assert project.pending() == {}


# --- joined in time


def test_the_signals_of_runs_are_z_scored_one_by_one_and_joined_in_the_order_of_their_names(joined):
    for subject, stems in OF_SUBJECT.items():
        expected = np.concatenate([z_scored(signals_of(joined, stem)) for stem in stems])
        found = signals_of(joined, f"sub-{subject}_task-rest_run-all")
        np.testing.assert_allclose(found, expected, atol=1e-12)  # rounding of numbers around 1


def test_the_connectomes_are_estimated_from_the_joined_signals(joined):
    for stem in COMBINED:
        signals = signals_of(joined, stem)
        expected = connectome(signals, "correlation", "empirical").matrix
        np.testing.assert_array_equal(edges_of(joined, stem, "full"), edge_vector(expected, diagonal=False))
        fit = sparse_inverse_covariance(signals, selection=0.1, grid=Grid(gap_per_node=GAP))
        np.testing.assert_array_equal(
            edges_of(joined, stem, "sparse"), edge_vector(fit.partial_correlation, diagonal=False)
        )
    fit = group_sparse_inverse_covariance(
        [signals_of(joined, stem) for stem in COMBINED], selection=0.02, grid=Grid(gap_per_node=GAP)
    )
    for stem, precision in zip(COMBINED, fit.precisions, strict=True):
        found = matrix_of(joined, stem, "joint", "stat-precision_relmat.tsv")
        np.testing.assert_allclose(found, precision, rtol=HALF_A_DIGIT)


def test_single_runs_keep_their_connectomes_but_for_joint_fits(joined):
    for stem in STEMS:
        expected = connectome(signals_of(joined, stem), "correlation", "empirical").matrix
        np.testing.assert_array_equal(edges_of(joined, stem, "full"), edge_vector(expected, diagonal=False))
        assert not path_of(joined, stem, "meas-joint_desc-bandpass_relmat.tsv").exists()


def test_the_sidecars_name_the_runs_and_their_frames_and_sum_what_adds_up(joined):
    sidecar = json_of(path_of(joined, COMBINED[0], "meas-full_desc-bandpass_relmat.json"))
    alone = json_of(path_of(joined, STEMS[0], "meas-full_desc-bandpass_relmat.json"))
    assert sidecar["Combined"] == "concatenate"
    assert [run["Name"] for run in sidecar["RunsCombined"]] == STEMS[:4]
    assert sidecar["RunsCombined"][0]["NumberOfVolumesKept"] == N_FRAMES
    assert sidecar["NumberOfVolumes"] == sidecar["NumberOfVolumesKept"] == 4 * N_FRAMES
    assert np.isclose(sidecar["DegreesOfFreedom"], 4 * alone["DegreesOfFreedom"])
    assert sidecar["EffectiveDegreesOfFreedom"] > 3 * alone["EffectiveDegreesOfFreedom"]
    assert sidecar["NodeFiles"] == [f"bids::sub-01/func/{COMBINED[0]}_atlas-mine_desc-bandpass_nodes.tsv"]
    cleaned = json_of(path_of(joined, COMBINED[1], "desc-bandpass_timeseries.json"))
    assert f"bids::sub-02/ses-b/func/{STEMS[5]}_atlas-mine_desc-bandpass_timeseries.tsv" in cleaned["Sources"]


def test_the_nodes_are_put_together_over_the_runs(joined):
    nodes = rows_of(path_of(joined, COMBINED[0], "desc-bandpass_nodes.tsv"))
    assert [node["name"] for node in nodes] == ["front", "left", "right"]
    assert {node["runs_used"] for node in nodes} == {"4"} and {node["problem"] for node in nodes} == {"n/a"}
    of_runs = [rows_of(path_of(joined, stem, "nodes.tsv")) for stem in STEMS[:4]]
    expected = np.mean([float(table[0]["temporal_snr"]) for table in of_runs])
    assert np.isclose(float(nodes[0]["temporal_snr"]), expected)


# --- averaged


@pytest.mark.parametrize(("estimator", "fisher_z"), [("full", True), ("cov", False), ("sparse", True), ("joint", True)])
def test_connectomes_of_runs_are_averaged(averaged, estimator, fisher_z):
    for subject, stems in OF_SUBJECT.items():
        edges = np.array([edges_of(averaged, stem, estimator) for stem in stems])
        weights = [
            json_of(path_of(averaged, stem, "desc-bandpass_timeseries.json"))["EffectiveDegreesOfFreedom"]
            for stem in stems
        ]
        values = np.average(np.arctanh(edges) if fisher_z else edges, axis=0, weights=weights)
        expected = np.tanh(values) if fisher_z else values
        found = edges_of(averaged, f"sub-{subject}_task-rest_run-all", estimator)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    sidecar = json_of(path_of(averaged, COMBINED[0], f"meas-{estimator}_desc-bandpass_relmat.json"))
    assert sidecar["Combined"] == "average" and sidecar["FisherZ"] is fisher_z
    assert [run["Name"] for run in sidecar["RunsCombined"]] == STEMS[:4]


def test_joint_fits_are_made_to_single_runs_when_connectomes_are_averaged(averaged):
    rows = rows_of(of_group(averaged, "joint", "jointfit.tsv"))
    assert [row["run"] for row in rows] == STEMS


# --- groups


@pytest.mark.parametrize("study", ["joined", "averaged"])
def test_groups_have_one_row_a_subject(study, request):
    project = request.getfixturevalue(study)
    rows = rows_of(of_group(project, "full", "stack.tsv"))
    assert [row["name"] for row in rows] == COMBINED
    # The age of the first subject differs from session to session.
    assert [(row["subject"], row["run"], row["site"], row["age"]) for row in rows] == [
        ("01", "all", "odd", "n/a"),
        ("02", "all", "even", "40"),
        ("03", "all", "odd", "50"),
    ]
    assert "session" not in rows[0]
    edges = np.array([edges_of(project, COMBINED[place], "full") for place in (0, 2)])
    mean = read_matrix(of_group(project, "full", "stat-mean_relmat.tsv", "site-odd"))[1]
    np.testing.assert_allclose(edge_vector(mean, False), np.tanh(np.arctanh(edges).mean(axis=0)), rtol=HALF_A_DIGIT)
    sidecar = json_of(of_group(project, "full", "stat-mean_relmat.json", "site-odd"))
    assert (sidecar["NumberOfRuns"], sidecar["Runs"]) == (2, [COMBINED[0], COMBINED[2]])


@pytest.mark.parametrize("study", ["joined", "averaged"])
def test_the_report_speaks_of_subjects_and_of_single_runs_apart(study, request):
    project = request.getfixturevalue(study)
    results = project.root / "results"
    assert {row["run"] for row in rows_of(results / "group/quality.tsv")} == set(STEMS)
    estimated = {row["run"] for row in rows_of(results / "group/estimation.tsv") if row["estimator"] == "full"}
    assert estimated == {*STEMS, *COMBINED}
    report = (results / "report.html").read_text()
    assert "7 runs of 3 subjects" in report
    assert "All runs, mean of n = 3 subjects" in report
    words = {
        "joined": "the cleaned signals were z-scored within each run and concatenated",
        "averaged": "the connectomes of the runs of a subject were averaged",
    }
    assert words[study] in report


def test_figures_can_be_kept_to_combined_runs(joined):
    figures = [name for name in joined.results() if name.startswith("sub-") and "/figures/" in name]
    assert all("_run-all_" in name for name in figures)
    assert sum(name.endswith("_timeseries.png") for name in figures) == 3
    assert sum(name.endswith("_connectomes.html") for name in figures) == 3
    assert sum(name.endswith("_path.png") for name in figures) == 3


# --- what an edit runs again


def test_a_run_added_to_a_subject_runs_its_chain_that_subject_and_the_groups(joined, tmp_path):
    project = joined.copy(tmp_path / "project")
    write_run(project.root, len(RUNS) + 1)
    write_table(project.root, [*RUNS, ("02", "b", "2", "even", "40")])
    pending = project.pending()
    assert pending == {
        "extract": 1,
        "clean": 1,
        "connect": 2 + 2,  # two estimators, of the run and of its subject
        "connect_sparse": 2,
        "concatenate": 1,
        "combine_nodes": 1,
        "fit_group": 1,
        "connect_from_group": 3,
        "stack": 4,
        "aggregate": 4 * 3,
        "draw_signals": 1,
        "draw_path": 2,
        "draw_page": 3 + 1,  # the joint fit is on the pages of all subjects
        **REPORT,
    }


def test_a_run_removed_from_a_subject_runs_that_subject_and_the_groups(averaged, tmp_path):
    project = averaged.copy(tmp_path / "project")
    project.configure(lambda config: config["estimators"].pop("joint"))
    write_table(project.root, [run for run in RUNS if run[:3] != ("01", "b", "2")])
    assert project.pending() == {
        "average": 3,
        "combine_nodes": 1,
        "stack": 3,
        "aggregate": 3 * 3,
        "draw_page": 1 + 3,
        "describe_study": 1,
        **REPORT,
    }


def test_combining_leaves_single_runs_as_they_are(joined, tmp_path):
    project = joined.copy(tmp_path / "project")
    project.configure(lambda config: config.update(combine=None))
    project.configure(lambda config: config["figures"].update(runs="none"))
    pending = project.pending()
    assert not {"extract", "clean", "connect", "connect_sparse", "concatenate", "average"} & set(pending)
    project.run()
    project.run("remove_orphans", "--config", "remove=true")
    assert not [name for name in project.results() if "_run-all_" in name]
    assert len(rows_of(of_group(project, "full", "stack.tsv"))) == len(STEMS)
    project.configure(lambda config: config.update(combine={"how": "average", "over": ["run", "session"]}))
    pending = project.pending()
    assert (pending["average"], pending["combine_nodes"]) == (len(ESTIMATORS) * 3, 3)
    assert not {"extract", "clean", "connect", "connect_sparse", "fit_group"} & set(pending)


# --- combining over less, and runs that are left out


def test_sessions_stay_apart_when_runs_are_combined_over_run_alone(pristine, tmp_path):
    project = pristine.copy(tmp_path / "project")
    project.configure(lambda config: config.update(combine={"how": "concatenate", "over": ["run"]}))
    project.configure(lambda config: config.update(estimators={"full": {"kind": "correlation"}}, groups=["session"]))
    project.configure(lambda config: config["figures"].update(kinds=[]))
    project.run()
    rows = rows_of(of_group(project, "full", "stack.tsv"))
    expected = ["sub-01_ses-a", "sub-01_ses-b", "sub-02_ses-a", "sub-02_ses-b", "sub-03"]
    assert [row["name"] for row in rows] == [f"{start}_task-rest_run-all" for start in expected]
    assert signals_of(project, "sub-01_ses-b_task-rest_run-all").shape == (2 * N_FRAMES, 3)
    assert json_of(of_group(project, "full", "stat-mean_relmat.json", "session-b"))["NumberOfRuns"] == 2


@pytest.mark.parametrize("how", ["concatenate", "average"])
def test_a_run_that_is_left_out_counts_for_no_subject_and_a_subject_without_runs_for_no_group(pristine, tmp_path, how):
    project = pristine.copy(tmp_path / "project")
    moved = {3: 60, 7: 60}  # number of the run -> frames with motion
    for number in range(1, len(RUNS) + 1):
        path = project.root / "data" / f"sub-{number:02d}_confounds.tsv"
        lines = path.read_text().splitlines()
        displacement = [0.9 if frame < moved.get(number, 4) else 0.1 for frame in range(N_FRAMES)]
        rows = [f"{line}\t{value}" for line, value in zip(lines[1:], displacement, strict=True)]
        path.write_text("\n".join([f"{lines[0]}\tframewise_displacement", *rows]) + "\n")
    denoising = {"confounds": ["csf"], "scrub": {"framewise_displacement": 0.5}, "min_frames": 40}
    project.configure(
        lambda config: config.update(
            denoising={"bandpass": denoising}, combine={"how": how, "weights": "equal"}, figures={"kinds": []}
        )
    )
    project.run()
    kept = [STEMS[0], STEMS[1], STEMS[3]]
    sidecar = json_of(path_of(project, COMBINED[0], "meas-full_desc-bandpass_relmat.json"))
    assert [run["Name"] for run in sidecar["RunsCombined"]] == kept
    assert list(sidecar["RunsLeftOut"]) == [STEMS[2]] and "LeftOut" not in sidecar
    assert sidecar["NumberOfVolumesKept"] == 3 * (N_FRAMES - 4)
    if how == "concatenate":
        assert len(signals_of(project, COMBINED[0])) == 3 * (N_FRAMES - 4)
        censored = json_of(path_of(project, COMBINED[0], "desc-bandpass_timeseries.json"))["CensoredVolumes"]
        starts = [0, N_FRAMES, 2 * N_FRAMES]
        assert censored["FramewiseDisplacement"] == [start + frame for start in starts for frame in range(4)]
    else:
        edges = np.array([edges_of(project, stem, "full") for stem in kept])
        found = edges_of(project, COMBINED[0], "full")
        np.testing.assert_allclose(found, np.tanh(np.arctanh(edges).mean(axis=0)), rtol=1e-12)
    for estimator in ESTIMATORS:
        assert np.isnan(matrix_of(project, COMBINED[2], estimator)).all()
        reason = json_of(path_of(project, COMBINED[2], f"meas-{estimator}_desc-bandpass_relmat.json"))["LeftOut"]
        assert reason.startswith(f"Every run is left out. {STEMS[6]}: 20 of 80 frames"), reason
        group = json_of(of_group(project, estimator, "stat-mean_relmat.json", "site-odd"))
        assert group["Runs"] == [COMBINED[0]] and list(group["RunsLeftOut"]) == [COMBINED[2]]
    nodes = rows_of(path_of(project, COMBINED[2], "desc-bandpass_nodes.tsv"))
    assert {(node["runs_used"], node["problem"]) for node in nodes} == {("0", "every run is left out")}


# --- what is bad


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (
            {"combine": {"how": "join"}},
            'combine.how: "join" is not allowed; allowed: concatenate or average.',
        ),
        (
            {"combine": {"how": "average", "over": ["space"]}},
            'combine.over.0: "space" is not allowed; allowed: session, sample, task,',
        ),
        (
            {"combine": "average"},
            'combine: "average" is not allowed; allowed: settings such as {how: concatenate, over: [session, run]}',
        ),
        (
            {"combine": {"how": "average", "over": ["session"]}},
            "combine.over: runs of data/runs.tsv have labels in the column 'run', so it must be in the list;",
        ),
        (
            {"groups": ["session"]},
            "groups: no subject has a single value in the column 'session' when its runs are combined over run,"
            " session; allowed: columns in which the runs of a subject agree.",
        ),
        (
            {
                "connectomes": [
                    {"estimators": ["full"]},
                    {"estimators": ["cov"], "runs": {"session": "a"}},
                ]
            },
            "connectomes: for mine and bandpass, the estimators cov and full use different runs of"
            " sub-01_task-rest_run-all;",
        ),
    ],
)
def test_a_mistake_is_named_before_any_job(pristine, tmp_path, edit, sentence):
    project = pristine.copy(tmp_path / "project")
    project.configure(lambda config: config.update(edit))
    output = project.fail()
    assert sentence in output and "Traceback" not in output
    assert not (project.root / "results").exists()


def test_a_run_called_all_is_named_when_runs_are_combined_and_a_run_like_any_other_when_not(pristine, tmp_path):
    project = pristine.copy(tmp_path / "project")
    write_table(project.root, [*RUNS[:-1], ("03", "n/a", "all", "odd", "50")])
    (project.root / "data/sub-08_bold.nii.gz").symlink_to("sub-07_bold.nii.gz")
    (project.root / "data/sub-08_confounds.tsv").symlink_to("sub-07_confounds.tsv")
    output = project.fail()
    assert (
        "data/runs.tsv: the label 'all' in the column 'run' (sub-03_task-rest_run-all) is not allowed when runs are"
        " combined" in output
    )
    project.configure(lambda config: config.pop("combine"))
    assert project.pending()["extract"] == len(RUNS)


def test_runs_with_other_repetition_times_are_averaged_but_not_joined(pristine, tmp_path):
    project = pristine.copy(tmp_path / "project")
    path = project.root / "data/sub-06_bold.nii.gz"
    image = nibabel.load(path)
    image.header.set_zooms((8, 8, 8, 2.5))
    nibabel.save(nibabel.Nifti1Image(np.asanyarray(image.dataobj), image.affine, image.header), path)
    project.configure(lambda config: config["estimators"].pop("joint"))
    output = project.fail("--until", "concatenate")
    assert "sub-02_ses-b_task-rest_run-1: its repetition time is 2.5 s, and that of sub-02_ses-a" in output
    assert "use combine.how: average" in output and "Traceback" not in output
