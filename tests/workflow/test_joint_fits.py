"""Group sparse inverse covariances in a study: the numbers, what an edit runs again, and runs and nodes that are bad.

The study has 3 runs (2 and 1 of two sites), one seed set of three nodes in two networks, a correlation and two joint
fits: one with a given penalty, one with a cross-validated one. Only matrices and penalties are drawn.
"""

import json

import nibabel
import numpy as np
import pytest

from sphereconn.connect.edges import matrix_from_edges
from sphereconn.connect.group_sparse import group_sparse_inverse_covariance
from sphereconn.connect.sparse_selection import Grid
from sphereconn.files import read_matrix, read_records, read_rows, read_signals
from workflow.project import AFFINE, HALF_A_DIGIT, SHAPE, new_project, write_run, write_runs_table

SUBJECTS = ("01", "02", "03")
GIVEN = {"kind": "group sparse inverse covariance", "alpha": 0.02, "gap_per_node": 1e-5}
CHOSEN = {"kind": "group sparse inverse covariance", "cv": 3, "matrix": "precision"}
REPORT = {"summarize_quality": 1, "write_report": 1}
# Of one joint fit; the groups are all runs and two sites.
AFTER_A_FIT = {"connect_from_group": 3, "stack": 1, "aggregate": 3, "measure_scale": 1, "draw_matrix": 3 + 3}
OF_A_FIT = {"fit_group": 1, "draw_path": 1} | AFTER_A_FIT | REPORT


@pytest.fixture(scope="module")
def joint_once(tmp_path_factory):
    """A small study with joint fits that has run to its end; read it, never edit it."""
    project = new_project(tmp_path_factory.mktemp("joint") / "project")

    def edit(config):
        config["seed_sets"].pop("dmn")
        config["estimators"] = {"full": {"kind": "correlation"}, "given": GIVEN, "chosen": CHOSEN}
        config["figures"] = {"dpi": 60, "kinds": ["matrix", "path"], "runs": "all"}

    project.configure(edit)
    project.run()
    return project


@pytest.fixture
def joint(joint_once, tmp_path):
    """A copy of the finished study for one test to edit."""
    return joint_once.copy(tmp_path / "project")


def of_run(project, subject, estimator, suffix):
    func = project.root / "results" / f"sub-{subject}" / "func"
    return func / f"sub-{subject}_task-rest_atlas-mine_meas-{estimator}_desc-bandpass_{suffix}"


def of_group(project, estimator, suffix, group="group-all"):
    return project.root / "results/group" / f"{group}_atlas-mine_meas-{estimator}_desc-bandpass_{suffix}"


def cleaned(project):
    func = "results/sub-{0}/func/sub-{0}_task-rest_atlas-mine_desc-bandpass_timeseries.tsv"
    return [read_signals(project.root / func.format(subject))[1] for subject in SUBJECTS]


def json_of(path):
    return json.loads(path.read_text())


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "matrix", "options"),
    [
        ("given", "partial_correlations", {"selection": 0.02, "grid": Grid(gap_per_node=1e-5)}),
        ("chosen", "precisions", {"cv": 3}),
    ],
)
def test_the_connectomes_of_runs_are_those_of_the_library(joint_once, estimator, matrix, options):
    fit = group_sparse_inverse_covariance(cleaned(joint_once), **options)
    expected = {
        "relmat": getattr(fit, matrix),
        "stat-partialcorrelation_relmat": fit.partial_correlations,
        "stat-precision_relmat": fit.precisions,
        "stat-covariance_relmat": fit.covariances,
    }
    for place, subject in enumerate(SUBJECTS):
        for name, matrices in expected.items():
            _, found = read_matrix(of_run(joint_once, subject, estimator, f"{name}.tsv"))
            np.testing.assert_allclose(found, matrices[place], rtol=HALF_A_DIGIT)
    np.testing.assert_array_equal(
        np.load(of_group(joint_once, estimator, "stat-precision_jointfit.npy")), fit.precisions
    )
    columns, values = read_signals(of_group(joint_once, estimator, "path.tsv"))
    assert columns == (list(fit.path) or ["alpha"])
    np.testing.assert_array_equal(values.T if fit.path else [], list(fit.path.values()))


def test_the_runs_of_a_joint_fit_have_the_same_edges(joint_once):
    precisions = np.load(of_group(joint_once, "given", "stat-precision_jointfit.npy"))
    assert ((precisions == 0).all(axis=0) == (precisions == 0).any(axis=0)).all()
    assert np.count_nonzero(precisions[0]) > 3


def test_the_sidecars_carry_the_certificate(joint_once):
    joint = json_of(of_group(joint_once, "given", "jointfit.json"))
    assert joint["Alpha"] == 0.02 and joint["Converged"] is True and joint["NumberOfRunsFitted"] == 3
    assert joint["DualityGapPerNode"] == joint["DualityGap"] / 3 <= 1e-6
    assert "numba" in joint["Software"]
    relmat = json_of(of_run(joint_once, "02", "given", "relmat.json"))
    for key in ("Alpha", "DualityGap", "DualityGapPerNode", "Converged", "Iterations", "Settings", "Software"):
        assert relmat[key] == joint[key]
    assert relmat["RelationshipMeasure"].startswith("partial correlation from the group graphical lasso")
    assert "LeftOut" not in relmat and relmat["NodesUnusable"] == []
    assert "bids::group/group-all_atlas-mine_meas-given_desc-bandpass_jointfit.json" in relmat["Sources"]
    columns, rows = read_rows(of_group(joint_once, "given", "jointfit.tsv"))
    assert columns == ["run", "frames", "nodes_without_signal", "left_out"]
    assert rows == [[f"sub-{subject}_task-rest", "80", "n/a", "n/a"] for subject in SUBJECTS]


def test_everything_that_follows_takes_them_for_any_other_connectome(joint_once):
    _, mean = read_matrix(of_group(joint_once, "chosen", "stat-mean_relmat.tsv", group="site-odd"))
    edges = (np.load(of_run(joint_once, subject, "chosen", "edges.npy")) for subject in ("01", "03"))
    members = [matrix_from_edges(of_one, 3, diagonal=True) for of_one in edges]
    np.testing.assert_allclose(mean, np.mean(members, axis=0), rtol=HALF_A_DIGIT)
    table = read_records(joint_once.root / "results/group/estimation.tsv")
    assert [row["converged"] for row in table if row["estimator"] == "given"] == ["yes"] * 3
    report = (joint_once.root / "results/report.html").read_text()
    assert "Varoquaux et al., 2010" in report
    assert report.count("penalties tried") >= 2


def test_nothing_is_left_over_or_missing(joint_once):
    assert joint_once.left_over() == []
    assert joint_once.pending() == {}


# --- what an edit runs again ----------------------------------------------------------------------------------------


def test_editing_a_joint_fit_runs_it_and_what_follows(joint):
    joint.configure(lambda config: config["estimators"]["given"].update(alpha=0.03))
    pending, messages = joint.pending_with_messages()
    assert pending == OF_A_FIT | {"describe_study": 1}
    assert messages and not [message for message in messages if "(chosen" in message]


def test_a_new_joint_fit_opens_no_image_and_cleans_nothing(joint):
    joint.configure(lambda config: config["estimators"].update(other=GIVEN | {"alpha": 0.1}))
    assert joint.pending() == OF_A_FIT | {"describe_study": 1}


def test_a_run_added_is_extracted_and_cleaned_alone_and_all_are_fitted_anew(joint):
    write_run(joint.root, 4)
    write_runs_table(joint.root, [1, 2, 3, 4])
    assert (
        joint.pending()
        == {
            "extract": 1,
            "clean": 1,
            "connect": 1,
            "fit_group": 2,
            "connect_from_group": 8,
            "stack": 3,
            "aggregate": 9,
            "measure_scale": 3,
            "draw_matrix": 3 * 3 + 1 + 2 * 4,
            "draw_path": 2,
        }
        | REPORT
    )
    joint.run("--until", "fit_group")
    assert np.load(of_group(joint, "given", "stat-precision_jointfit.npy")).shape == (4, 3, 3)


def test_a_run_removed_fits_the_others_anew_from_signals_that_are_there(joint):
    write_runs_table(joint.root, [1, 2])
    assert (
        joint.pending()
        == {
            "fit_group": 2,
            "connect_from_group": 4,
            "stack": 3,
            "aggregate": 9,
            "measure_scale": 3,
            "draw_matrix": 3 * 3 + 2 * 2,
            "draw_path": 2,
        }
        | REPORT
    )


def test_a_run_that_changes_its_site_is_not_fitted_anew(joint):
    joint.replace("data/runs.tsv", "sub-03_confounds.tsv\todd", "sub-03_confounds.tsv\teven")
    assert joint.pending() == {"stack": 3, "aggregate": 9, "measure_scale": 3, "draw_matrix": 9, "write_report": 1}


def test_the_order_of_rows_runs_nothing(joint):
    write_runs_table(joint.root, [3, 1, 2])
    assert joint.pending() == {}


def test_edited_code_of_joint_fits_runs_those_alone(joint):
    path = joint.root / "workflow/lib/sphereconn/connect/group_sparse.py"
    path.write_text(path.read_text() + "\n\nEDITED = True\n")
    assert joint.pending() == {rule: 2 * count for rule, count in OF_A_FIT.items()} | REPORT


# --- what is bad ----------------------------------------------------------------------------------------------------


def test_a_penalty_that_a_joint_fit_cannot_choose_is_named_before_any_job(joint):
    joint.configure(lambda config: config["estimators"]["given"].update(alpha="ebic"))
    output = joint.fail()
    assert 'estimators.given.alpha: "ebic" is not allowed; allowed: cv, or a number above 0.' in output
    assert "Traceback" not in output


def test_folds_that_no_run_has_frames_for_end_the_fit_with_a_sentence(joint):
    joint.configure(lambda config: config["estimators"]["chosen"].update(cv=50))
    output = joint.fail("--until", "fit_group")
    assert "error: mine, chosen, bandpass: No run can take part in the fit; sub-01_task-rest: cv is 50;" in output
    assert "Traceback" not in output


def silence(project, subject, *centres):
    """Make the image of a subject constant around some places."""
    path = project.root / "data" / f"sub-{subject}_bold.nii.gz"
    image = nibabel.load(path)
    data = np.asanyarray(image.dataobj).copy()
    places = np.moveaxis(np.indices(SHAPE), 0, -1) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    for centre in centres:
        data[np.linalg.norm(places - centre, axis=-1) < 20] = 500
    nibabel.save(nibabel.Nifti1Image(data, image.affine, image.header), path)


def test_a_node_missing_in_one_run_and_a_run_missing_most_nodes_end_no_fit(joint):
    front, left, right = (0, 50, 0), (-40, 0, 20), (40, 0, 20)
    joint.configure(lambda config: config["denoising"].update(bandpass={"high_pass": 0.01, "low_pass": 0.1}))
    joint.configure(lambda config: config["estimators"].pop("full"))
    silence(joint, "01", left, right)  # 1 of 3 nodes is left, less than half: the run is left out
    silence(joint, "02", front)  # the node is missing here, and so in all runs
    joint.run()
    fit = json_of(of_group(joint, "given", "jointfit.json"))
    assert fit["NodesUnusable"] == ["front"] and fit["NumberOfRunsFitted"] == 2
    _, rows = read_rows(of_group(joint, "given", "jointfit.tsv"))
    reason = "1 of 3 nodes has a signal; a joint fit needs 2 (min_nodes is 0.5)."
    assert [row[2:] for row in rows] == [
        ["left: constant signal; right: constant signal", reason],
        ["front: constant signal", "n/a"],
        ["n/a", "n/a"],
    ]
    assert fit["NodesUnusableBecause"] == {"front": "sub-02_task-rest: constant signal"}
    assert np.isnan(read_matrix(of_run(joint, "01", "given", "relmat.tsv"))[1]).all()
    left_out = json_of(of_run(joint, "01", "given", "relmat.json"))
    assert left_out["LeftOut"] == reason and left_out["Converged"] is None
    assert left_out["NodesUnusable"] == ["front", "left", "right"]
    _, n = read_matrix(of_group(joint, "given", "stat-n_relmat.tsv"))
    np.testing.assert_array_equal(n[:, 1:], [[0, 0], [2, 2], [2, 2]])
    # The others are what they are without the run that is left out.
    alone = group_sparse_inverse_covariance(cleaned(joint)[1:], selection=0.02, grid=Grid(gap_per_node=1e-5))
    np.testing.assert_allclose(
        read_matrix(of_run(joint, "03", "given", "stat-precision_relmat.tsv"))[1],
        alone.precisions[1],
        rtol=HALF_A_DIGIT,
    )
