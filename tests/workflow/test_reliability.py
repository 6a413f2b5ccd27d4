"""Reliability in a study: the results are those of the library, and an edit runs again what depends on it."""

import nibabel
import numpy as np
import pytest

from sphereconn import read_study
from sphereconn.compare.discriminability import discriminability
from sphereconn.compare.halves import degrees_of_freedom_of_part
from sphereconn.compare.icc import one_way, two_way
from sphereconn.connect.connectivity import connectome
from sphereconn.files import read_json, read_matrix, read_records, read_signals
from workflow.project import HALF_A_DIGIT, N_FRAMES, new_project

N_SUBJECTS, N_SESSIONS = 4, 2
DESCRIPTION = {"describe_study": 1, "write_report": 1}
OF_MINE = "atlas-mine_meas-full_desc-bandpass"


def session_file(subject, session):
    return f"sub-{subject:02d}_ses-{session}"


def write_session(root, subject, session):
    """Write a run in which the nodes of a subject share more or less of their signal, as in its other session."""
    rng = np.random.default_rng(100 * subject + session)
    image = nibabel.load(root / "data" / f"sub-{subject:02d}_bold.nii.gz")
    shared = 6 * subject * rng.normal(size=N_FRAMES)
    noise = 10 * rng.normal(size=image.shape)
    data = (500 + noise + shared).astype(np.float32)
    nibabel.save(
        nibabel.Nifti1Image(data, image.affine, image.header),
        root / "data" / f"{session_file(subject, session)}_bold.nii.gz",
    )


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A finished study of four subjects with two sessions each, and a fifth with one."""
    project = new_project(tmp_path_factory.mktemp("reliability") / "project", n_subjects=N_SUBJECTS + 1)
    rows = ["subject\tsession\ttask\tbold\tconfounds"]
    for subject in range(1, N_SUBJECTS + 2):
        for session in range(1, N_SESSIONS + 1 if subject <= N_SUBJECTS else 2):
            write_session(project.root, subject, session)
            name = session_file(subject, session)
            rows.append(f"{subject:02d}\t{session}\trest\t{name}_bold.nii.gz\tsub-{subject:02d}_confounds.tsv")
    (project.root / "data" / "runs.tsv").write_text("\n".join(rows) + "\n")

    def edit(config):
        config["seed_sets"].pop("dmn")
        config["groups"] = []
        config["figures"].update(kinds=["reliability"], runs="none")
        config["reliability"] = {"over": ["session"], "estimators": ["full"]}

    project.configure(edit)
    project.run()
    return project


@pytest.fixture
def finished(finished_once, tmp_path):
    return finished_once.copy(tmp_path / "project")


def place(project, over, suffix):
    return project.root / "results" / f"group/reliability-{over}_{OF_MINE}_{suffix}"


def edges(project):
    """Fisher's z of the three edges, shape (n_subjects, n_sessions, 3)."""
    path = "sub-{0:02d}/ses-{1}/func/sub-{0:02d}_ses-{1}_task-rest_" + OF_MINE + "_edges.npy"
    paths = [path.format(subject, session) for subject in range(1, N_SUBJECTS + 1) for session in (1, 2)]
    r = [np.load(project.root / "results" / each) for each in paths]
    return np.arctanh(r).reshape(N_SUBJECTS, N_SESSIONS, 3)


def summary(project, over):
    return {row["measure"]: row for row in read_records(place(project, over, "summary.tsv"))}


def test_every_edge_has_the_intraclass_correlations_of_its_runs(finished_once):
    z = edges(finished_once)
    expected = (one_way(z.reshape(8, 3), np.repeat(np.arange(4), 2)), *two_way(z))
    for short, one in zip(("icc11", "icc21", "icc31"), expected, strict=True):
        matrix = read_matrix(place(finished_once, "session", f"stat-{short}_relmat.tsv"))[1]
        np.testing.assert_allclose(matrix[np.triu_indices(3, 1)], one.icc, rtol=HALF_A_DIGIT)
        rows = read_records(place(finished_once, "session", "edges.tsv"))
        np.testing.assert_allclose([float(row[f"{short}_lower"]) for row in rows], one.lower, rtol=1e-9)
        assert [row["subjects"] for row in rows] == ["4"] * 3


def test_pairs_of_networks_have_the_mean_over_edges_and_their_own(finished_once):
    z = edges(finished_once)  # front (A) with left and right (B), and left with right
    table = read_records(place(finished_once, "session", "networkpairs.tsv"))
    rows = {(row["network1"], row["network2"]): row for row in table}
    subject = np.repeat(np.arange(4), 2)
    icc = one_way(z.reshape(8, 3), subject).icc
    np.testing.assert_allclose(float(rows["A", "B"]["mean_icc11"]), icc[:2].mean())
    own = one_way(z.reshape(8, 3)[:, :2].mean(axis=1)[:, None], subject)
    np.testing.assert_allclose(float(rows["A", "B"]["pair_icc11"]), own.icc[0], rtol=1e-9)
    np.testing.assert_allclose(float(rows["B", "B"]["pair_icc11"]), icc[2], rtol=1e-9)


def test_runs_of_a_subject_are_compared_with_those_of_others(finished_once):
    z = edges(finished_once).reshape(8, 3)
    distances = np.linalg.norm(z[:, None] - z, axis=2)
    expected = discriminability(distances, np.arange(8).reshape(1, 4, 2))[0]
    found = summary(finished_once, "session")
    assert float(found["discriminability"]["value"]) == pytest.approx(expected)
    assert expected > 0.7
    names, similarity = read_matrix(place(finished_once, "session", "similarity.tsv"))
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    np.testing.assert_allclose(similarity, np.corrcoef(z[order]), rtol=HALF_A_DIGIT)
    assert names[0] == "sub-01_ses-1_task-rest" and names[4] == "sub-01_ses-2_task-rest"


def test_the_sidecar_says_who_was_compared_and_by_which_shuffles(finished_once):
    sidecar = read_json(place(finished_once, "session", "reliability.json"))
    assert sidecar["Subjects"] == 4 and sidecar["Repeats"] == ["session 1", "session 2"]
    assert sidecar["SubjectsLeftOut"] == {"05": "one run only (session 1)"}
    assert sidecar["AllPermutations"] and sidecar["NumberOfPermutations"] == 24**2 - 1
    # The order of all subjects in both sessions changes nothing: 4! of the shuffles are as good.
    assert sidecar["Scores"]["discriminability"]["P"] >= 1 / 24


def test_reliability_by_length_is_that_of_the_first_minutes(finished_once):
    rows = read_records(place(finished_once, "session", "minutes.tsv"))
    measured = [row for row in rows if row["whole_icc"] != "n/a"]
    assert [float(row["minutes"]) for row in measured] == [0.5, 1.0, 1.5, 2.0, 2.5]  # of 80 frames of 2 s
    assert [float(row["minutes"]) for row in rows[5:]] == [3.75, 5.0, 7.5, 10.0]  # predicted
    path = "sub-{0:02d}/ses-{1}/func/sub-{0:02d}_ses-{1}_task-rest_atlas-mine_desc-bandpass_timeseries.tsv"
    z = []
    for subject in range(1, N_SUBJECTS + 1):
        for session in (1, 2):
            signals = read_signals(finished_once.root / "results" / path.format(subject, session))[1]
            z.append(np.arctanh(np.corrcoef(signals[:45].T)[np.triu_indices(3, 1)]))
    expected = one_way(np.array(z), np.repeat(np.arange(4), 2))
    assert float(measured[2]["median_icc"]) == pytest.approx(np.median(expected.icc))
    assert float(measured[2]["whole_icc"]) == pytest.approx(expected.between.sum() / expected.total.sum())
    longest = float(measured[4]["whole_icc"])
    assert float(rows[6]["predicted_icc"]) == pytest.approx(2 * longest / (1 + longest))
    assert measured[2]["runs"] == "8" and measured[2]["subjects"] == "4"


def test_the_report_and_the_methods_tell_of_it(finished_once):
    page = (finished_once.root / "results" / "report.html").read_text()
    assert "Measured in 4 subjects with 8 runs in total (session 1, session 2)." in page
    assert "1 subject with a single run was left out." in page
    assert "the runs of each subject that differ in session" in page
    assert "Shrout PE, Fleiss JL (1979)" in page


def test_a_finished_study_runs_nothing_and_has_nothing_left_over(finished_once):
    assert finished_once.pending() == {}
    assert finished_once.left_over() == []


def test_other_shuffles_measure_again_and_estimate_nothing(finished):
    finished.configure(lambda config: config["reliability"].update(seed=2, permutations=100))
    of = "session_mine_bandpass_full"
    assert finished.pending() == {f"reliability_{of}": 1, f"draw_reliability_{of}": 1} | DESCRIPTION


def test_a_figure_value_measures_nothing(finished):
    finished.configure(lambda config: config["figures"].update(dpi=70))
    assert not [rule for rule in finished.pending() if rule.startswith(("reliability_", "lengths_"))]


def test_another_estimator_runs_its_own_reliability_only(finished):
    finished.configure(lambda config: config["reliability"].update(estimators=["full", "partial"]))
    of = "session_mine_bandpass_partial"
    expected = {f"{rule}_{of}": 1 for rule in ("reliability", "lengths", "draw_reliability")}
    assert finished.pending() == expected | DESCRIPTION


def test_halves_of_one_run_of_each_subject_are_compared_as_they_are(finished):
    finished.configure(
        lambda config: config.update(reliability={"over": "halves", "estimators": ["partial"], "runs": {"session": 1}})
    )
    of = "halves_mine_bandpass_partial"
    expected = {f"{rule}_{of}": 1 for rule in ("halve", "reliability", "lengths", "draw_reliability")}
    assert finished.pending() == expected | DESCRIPTION
    finished.run()
    start = finished.root / "results" / f"group/reliability-halves_{OF_MINE.replace('full', 'partial')}"
    stack, rows = np.load(f"{start}_stack.npy"), read_records(f"{start}_stack.tsv")
    assert [row["repeat"] for row in rows] == ["first half", "last half"] * 5
    path = finished.root / "results/sub-02/ses-1/func/sub-02_ses-1_task-rest_atlas-mine_desc-bandpass_timeseries"
    signals, cleaned = read_signals(f"{path}.tsv")[1], read_json(f"{path}.json")
    worth = degrees_of_freedom_of_part(cleaned["EffectiveDegreesOfFreedom"], len(cleaned["ConfoundRegressors"]), 0.5)
    expected = connectome(signals[40:], "partial correlation", "ledoit_wolf", samples=worth).matrix
    np.testing.assert_allclose(stack[3], expected[np.triu_indices(3, 1)], rtol=1e-12)
    subject, z = np.repeat(np.arange(5), 2), np.arctanh(stack)
    matrix = read_matrix(f"{start}_stat-icc11_relmat.tsv")[1]
    np.testing.assert_allclose(matrix[np.triu_indices(3, 1)], one_way(z, subject).icc, rtol=HALF_A_DIGIT)
    assert "first and the second half of each run" in (finished.root / "results" / "report.html").read_text()
    assert finished.pending() == {}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"over": ["run"]}, "reliability: over: the runs have no column 'run' with values"),
        ({"over": ["task"]}, "reliability: Subject 01 has 2 runs that are all repeat 'task rest'"),
        ({"over": "halves"}, "reliability: runs: subject 01 has 2 runs; choose one run per subject"),
        ({"over": "thirds"}, 'reliability.over: "thirds" is not allowed'),
        ({"over": ["session"], "runs": {"session": 1}}, "reliability: Reliability needs at least two subjects"),
        ({"over": ["session"], "seed_sets": ["dmn"]}, "reliability.seed_sets: 'dmn' is not used by any connectome"),
        ({"seed_sets": ["mine"]}, "reliability.over: this key is required"),
        ({"over": ["session"], "minutes": 5}, "reliability.minutes: unknown key"),
    ],
)
def test_a_mistake_is_named_before_any_job(finished, entry, sentence):
    finished.configure(lambda config: config.update(reliability=entry))
    assert sentence in finished.fail("-n")


def test_halves_of_estimates_without_closed_form_are_refused(finished):
    def edit(config):
        config["estimators"]["sparse"] = {"kind": "sparse inverse covariance", "alpha": 0.1}
        config["reliability"] = {"over": "halves", "runs": {"session": 1}, "estimators": ["sparse"]}

    finished.configure(edit)
    assert "reliability: 'sparse' is fitted iteratively or to all runs at once" in finished.fail("-n")


def test_reliability_can_be_planned_for_a_cluster(finished):
    """Jobs of a cluster are groups of steps, and no group may need itself by way of another."""
    finished.configure(lambda config: config.update(reliability={"over": "halves", "runs": {"session": 1}}))
    assert finished.pending("--executor", "slurm", "--jobs", "2")["halve_halves_mine_bandpass_full"] == 1


def test_reliability_is_read_back(finished_once):
    study = read_study(finished_once.root / "results")
    found = study.reliability("session", "mine")
    names, expected = read_matrix(place(finished_once, "session", "stat-icc11_relmat.tsv"))
    assert found.icc.index.tolist() == names
    np.testing.assert_array_equal(found.icc.to_numpy(), expected)
    assert set(found.summary["measure"]) == set(summary(finished_once, "session"))


def test_runs_without_repeats_fail_no_job_and_the_reason_is_told(finished):
    finished.configure(lambda config: config["denoising"]["bandpass"].update(min_frames=N_FRAMES + 1))
    finished.run()
    sidecar = read_json(place(finished, "session", "reliability.json"))
    assert sidecar["NotMeasured"].startswith("Reliability needs at least two subjects with repeated runs, and none")
    assert summary(finished, "session")["discriminability"]["value"] == "n/a"
    assert [row["icc11"] for row in read_records(place(finished, "session", "edges.tsv"))] == ["n/a"] * 3
    assert "Reliability could not be measured. " in (finished.root / "results" / "report.html").read_text()
