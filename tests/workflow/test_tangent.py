"""A tangent space in a study: numbers, certificate, what an edit runs again, and what is missing."""

import json

import nibabel
import numpy as np
import pytest

from sphereconn.connect.edges import edge_vector
from sphereconn.connect.tangent import tangent_space
from sphereconn.files import read_json, read_matrix, read_records, read_signals
from sphereconn.study.names import group_result
from workflow.project import AFFINE, HALF_A_DIGIT, SHAPE, new_project, write_run, write_runs_table

SUBJECTS = ("01", "02", "03")
REPORT = {"summarize_quality": 1, "write_report": 1}
# The groups are all runs and two sites; each has a matrix, the runs have none.
GROUP_STEPS = {"stack": 1, "aggregate": 3, "measure_scale": 1, "draw_matrix": 3}
OF_THE_SPACE = {"fit_tangent": 1, "connect_from_tangent": 3} | GROUP_STEPS | REPORT


@pytest.fixture(scope="module")
def tangent_once(tmp_path_factory):
    """A small study with a tangent space that has run to its end; read it, never edit it."""
    project = new_project(tmp_path_factory.mktemp("tangent") / "project")

    def edit(config):
        config["seed_sets"].pop("dmn")
        config["estimators"] = {"tangent": {"kind": "tangent"}}
        config["figures"] = {"dpi": 60, "kinds": ["matrix"], "runs": "none"}

    project.configure(edit)
    project.run()
    return project


@pytest.fixture
def tangent(tangent_once, tmp_path):
    """A copy of the finished study for one test to edit."""
    return tangent_once.copy(tmp_path / "project")


def of_run(project, subject, suffix, meas="_meas-tangent"):
    return project.root / f"results/sub-{subject}/func/sub-{subject}_task-rest_atlas-mine{meas}_desc-bandpass_{suffix}"


def of_group(project, suffix, group="group-all"):
    return project.root / "results" / group_result(group, "mine", "bandpass", "tangent", suffix)


def fitted(project):
    """The tangent space of the cleaned signals by the library."""
    signals = [read_signals(of_run(project, subject, "timeseries.tsv", ""))[1] for subject in SUBJECTS]
    sidecars = [read_json(of_run(project, subject, "timeseries.json", "")) for subject in SUBJECTS]
    return tangent_space(signals, samples=[sidecar["EffectiveDegreesOfFreedom"] for sidecar in sidecars])


def test_the_displacements_are_those_of_the_library(tangent_once):
    space = fitted(tangent_once)
    for place, subject in enumerate(SUBJECTS):
        names, found = read_matrix(of_run(tangent_once, subject, "relmat.tsv"))
        assert names == ["front", "left", "right"]
        np.testing.assert_allclose(found, space.displacements[place], rtol=HALF_A_DIGIT)
        edges = np.load(of_run(tangent_once, subject, "edges.npy"))
        np.testing.assert_array_equal(edges, edge_vector(space.displacements[place], diagonal=True))
    np.testing.assert_array_equal(
        np.load(of_group(tangent_once, "stat-displacement_jointfit.npy")), space.displacements
    )
    for suffix, matrix in (("geometricmean", space.mean), ("whitening", space.whitening)):
        found = read_matrix(of_group(tangent_once, f"stat-{suffix}_relmat.tsv"))[1]
        np.testing.assert_allclose(found, matrix, rtol=HALF_A_DIGIT)


def test_the_diagonal_counts_and_no_fishers_z_is_taken(tangent_once):
    stack, sidecar = np.load(of_group(tangent_once, "stack.npy")), read_json(of_group(tangent_once, "stack.json"))
    assert stack.shape == (3, 6) and sidecar["ValidDiagonal"] is True
    _, mean = read_matrix(of_group(tangent_once, "stat-mean_relmat.tsv", "site-odd"))
    np.testing.assert_allclose(mean, fitted(tangent_once).displacements[::2].mean(axis=0), rtol=HALF_A_DIGIT)
    _, mean = read_matrix(of_group(tangent_once, "stat-mean_relmat.tsv"))
    np.testing.assert_allclose(mean, 0, atol=1e-7)


def test_the_sidecars_say_what_it_is_and_how_accurate(tangent_once):
    space, fit = fitted(tangent_once), read_json(of_group(tangent_once, "jointfit.json"))
    assert fit["GradientNorm"] == space.gradient_norm <= fit["GradientNormAskedFor"] == 1e-7
    assert fit["Converged"] is True and fit["Iterations"] == space.n_iterations and fit["NumberOfRunsFitted"] == 3
    sidecar = read_json(of_run(tangent_once, "02", "relmat.json"))
    assert sidecar["RelationshipMeasure"] == (
        "tangent displacement of the Ledoit-Wolf shrunk covariance (samples: effective)"
    )
    assert sidecar["MeasureDescription"].startswith(
        "log(G^-1/2 C G^-1/2), where C is the Ledoit-Wolf shrunk covariance"
    )
    assert (sidecar["Shrinkage"], sidecar["Samples"]) == (space.shrinkage[1], space.samples[1])
    assert sidecar["GradientNorm"] == fit["GradientNorm"] and "LeftOut" not in sidecar
    mean = read_json(of_group(tangent_once, "stat-geometricmean_relmat.json"))
    assert mean["RelationshipMeasure"].startswith("geometric mean of the Ledoit-Wolf shrunk covariance")
    rows = read_records(of_group(tangent_once, "jointfit.tsv"))
    assert [row["run"] for row in rows] == [f"sub-{subject}_task-rest" for subject in SUBJECTS]
    assert [float(row["shrinkage"]) for row in rows] == list(space.shrinkage)
    table = read_records(tangent_once.root / "results/group/estimation.tsv")
    assert {(row["converged"], float(row["gradient_norm"])) for row in table} == {("yes", space.gradient_norm)}


def test_the_report_names_the_method_and_nothing_is_left_over(tangent_once):
    assert "Varoquaux, Baronnet et al., 2010" in (tangent_once.root / "results/report.html").read_text()
    assert tangent_once.pending() == {}
    assert tangent_once.left_over() == []


def test_another_covariance_runs_the_space_and_what_follows(tangent):
    tangent.configure(lambda config: config["estimators"]["tangent"].update(covariance="oas"))
    assert tangent.pending() == OF_THE_SPACE | {"describe_study": 1}


def test_edited_code_runs_the_space_and_what_follows(tangent):
    path = tangent.root / "workflow/lib/sphereconn/connect/tangent.py"
    path.write_text(path.read_text() + "\n\nEDITED = True\n")
    assert tangent.pending() == OF_THE_SPACE


def test_a_run_added_is_cleaned_alone_and_changes_the_displacement_of_all(tangent):
    write_run(tangent.root, 4)
    write_runs_table(tangent.root, [1, 2, 3, 4])
    expected = OF_THE_SPACE | {"extract": 1, "clean": 1, "connect_from_tangent": 4}
    assert tangent.pending() == expected


def test_a_run_that_changes_its_site_finds_no_other_space(tangent):
    tangent.replace("data/runs.tsv", "sub-03_confounds.tsv\todd", "sub-03_confounds.tsv\teven")
    assert tangent.pending() == GROUP_STEPS | {"write_report": 1}


def test_a_node_missing_in_one_run_is_missing_in_all(tangent):
    path = tangent.root / "data/sub-02_bold.nii.gz"
    image = nibabel.load(path)
    data = np.asanyarray(image.dataobj).copy()
    places = np.moveaxis(np.indices(SHAPE), 0, -1) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    data[np.linalg.norm(places - (0, 50, 0), axis=-1) < 20] = 500  # constant around the node in front
    nibabel.save(nibabel.Nifti1Image(data, image.affine, image.header), path)
    tangent.configure(lambda config: config["denoising"].update(bandpass={"high_pass": 0.01, "low_pass": 0.1}))
    tangent.run()
    assert json.loads(of_group(tangent, "jointfit.json").read_text())["NodesUnusable"] == ["front"]
    assert [row["nodes_without_signal"] for row in read_records(of_group(tangent, "jointfit.tsv"))] == [
        "n/a",
        "front: constant signal",
        "n/a",
    ]
    for subject in SUBJECTS:
        _, matrix = read_matrix(of_run(tangent, subject, "relmat.tsv"))
        assert np.isnan(matrix[0]).all() and np.isfinite(matrix[1:, 1:]).all()


def test_a_penalty_is_no_setting_of_a_tangent_space(tangent):
    tangent.configure(lambda config: config["estimators"]["tangent"].update(alpha=0.1))
    output = tangent.fail()
    assert "estimators.tangent.alpha: unknown key (allowed here: covariance, kind, min_nodes, samples)." in output
