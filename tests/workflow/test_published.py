"""Published strategies in a study: nobody writes them down, and they are compared where the confounds allow it."""

import numpy as np
import pandas as pd
import pytest

from sphereconn.files import read_json, read_records
from workflow.project import new_project
from workflow.test_comparison import N_FRAMES, write_moving_run

N_RUNS = 8
START = "group/comparison-denoising_atlas-nodes_meas-full"
FED = ["baseline", "scrubbing5", "simple", "simplegsr"]


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    """A finished study of eight runs with motion parameters, tissue signals and cosines, and one without the latter."""
    project = new_project(tmp_path_factory.mktemp("published") / "project", n_subjects=0)
    rows = ["subject\ttask\tbold\tconfounds"]
    rng = np.random.default_rng(0)
    for number in range(1, N_RUNS + 1):
        write_moving_run(project.root, number)
        path = project.root / "data" / f"sub-{number:02d}_confounds.tsv"
        confounds = pd.read_csv(path, sep="\t")
        for name in ("rot_x", "rot_y", "rot_z", "csf", "white_matter", "global_signal"):
            confounds[name] = rng.normal(size=N_FRAMES)
        if number > 1:
            confounds["cosine00"] = np.cos(np.pi * (np.arange(N_FRAMES) + 0.5) / N_FRAMES)
        confounds["framewise_displacement"] *= 0.3
        confounds.to_csv(path, sep="\t", index=False)
        rows.append(f"{number:02d}\trest\tsub-{number:02d}_bold.nii\tsub-{number:02d}_confounds.tsv")
    (project.root / "data" / "runs.tsv").write_text("\n".join(rows) + "\n")
    nodes = ["name\tx\ty\tz\tnetwork", *(f"n{x}{y}\t{x}\t{y}\t0\t{x}" for x in (-50, 50) for y in (-70, 0, 50))]
    (project.root / "data" / "nodes.tsv").write_text("\n".join(nodes) + "\n")

    def edit(config):
        config["groups"] = []
        config["seed_sets"] = {"nodes": {"seeds": "data/nodes.tsv", "radius": 10}}
        config["denoising"] = {"mine": {"confounds": ["trans_*"]}}
        config["estimators"] = {"full": {"kind": "correlation"}}
        config["figures"].update(kinds=["comparison", "matrix", "page"], runs="none")
        config["comparison"] = {"preset": "published", "denoising": ["mine", *FED, "compcor"]}

    project.configure(edit)
    return project, project.run()


def test_strategies_are_compared_as_far_as_confounds_go(finished_once):
    project, said = finished_once
    rows = read_records(project.root / "results" / f"{START}_criteria.tsv")
    assert {row["denoising"] for row in rows} == {"mine", *FED}
    sidecar = read_json(project.root / "results" / f"{START}_comparison.json")
    assert sidecar["Denoising"]["mine"]["RunsAsked"] == N_RUNS
    assert sidecar["Denoising"]["simple"]["RunsAsked"] == sidecar["RunsInCommon"] == N_RUNS - 1
    assert "the published strategy compcor is left out: the confounds table has no sidecar" in said
    assert "simplegsr and scrubbing5 are left out: the table has no cosines (cosine00 and so on) (1 of 8 runs: " in said
    left_out = read_records(project.root / "results" / "published_left_out.tsv")
    assert {(row["denoising"], row["run"]) for row in left_out} == {
        ("compcor", "all"),
        *((label, "sub-01_task-rest") for label in FED),
    }


def test_the_report_says_what_was_left_out_and_describes_what_was_done(finished_once):
    report = (finished_once[0].root / "results" / "report.html").read_text()
    assert "Published strategies not used, or not for all runs: " in report and "compcor (all runs: " in report


def test_nothing_but_the_comparison_is_drawn_of_them(finished_once):
    figures = [path.name for path in (finished_once[0].root / "results" / "group" / "figures").iterdir()]
    assert any("desc-mine" in name for name in figures)
    assert not any(f"desc-{label}_" in name for name in figures for label in FED)


def test_a_finished_study_runs_nothing_and_without_the_preset_its_strategies_are_left_over(finished_once, tmp_path):
    project = finished_once[0].copy(tmp_path / "project")
    assert project.pending() == {}
    project.configure(lambda config: config.pop("comparison"))
    assert "extract" not in project.pending() and "clean" not in project.pending()
    assert "remove_orphans" in project.run()
