"""A study of a tree of fMRIPrep derivatives: it is searched once, and what changes in it runs what depends on it."""

import json
import shutil

import nibabel
import numpy as np
import pytest
from bids_tree import SPACE, add_run

from sphereconn.files import read_rows
from workflow.project import AFFINE, SHAPE, new_project, write_run

RUNS = [
    ("01", {"ses": "a", "acq": "fast"}),
    ("01", {"ses": "a", "acq": "slow"}),
    ("01", {"ses": "b", "acq": "fast"}),
    ("02", {"ses": "a", "acq": "fast"}),
]
N_GROUPS = 3  # all runs and two sites
GROUP_STEPS = {"stack": 1, "aggregate": N_GROUPS}
REPORT = {"summarize_quality": 1, "write_report": 1}


def add_real_run(root, number, sub, **entities):
    """Add a run to the tree, with the image and confounds of a generated subject and a mask of the whole image."""
    func = add_run(root / "data" / "fmriprep", sub, ["", SPACE], task="rest", **entities)
    start = func / "_".join([f"sub-{sub}", f"ses-{entities['ses']}", "task-rest", f"acq-{entities['acq']}"])
    write_run(root, number)
    shutil.move(root / "data" / f"sub-{number:02d}_bold.nii.gz", f"{start}_space-{SPACE}_desc-preproc_bold.nii.gz")
    shutil.move(root / "data" / f"sub-{number:02d}_confounds.tsv", f"{start}_desc-confounds_timeseries.tsv")
    mask = nibabel.Nifti1Image(np.ones(SHAPE, dtype=np.uint8), AFFINE)
    nibabel.save(mask, f"{start}_space-{SPACE}_desc-brain_mask.nii.gz")


@pytest.fixture(scope="module")
def finished_tree(tmp_path_factory):
    """A study of four runs of two subjects that has run to its end, and what it said; read it, never edit it."""
    project = new_project(tmp_path_factory.mktemp("bids") / "project", n_subjects=0)
    for number, (sub, entities) in enumerate(RUNS, start=1):
        add_real_run(project.root, number, sub, **entities)
    (project.root / "data" / "participants.tsv").write_text(
        "participant_id\tsite\tage\nsub-01\todd\t30\nsub-02\teven\t31\nsub-03\teven\t32\n"
    )

    def of_the_tree(config):
        del config["runs"], config["seed_sets"]["mine"], config["estimators"]["partial"]
        config.update(bids={"derivatives": "data/fmriprep"}, figures={"kinds": []})

    project.configure(of_the_tree)
    return project, project.run()


@pytest.fixture
def study(finished_tree, tmp_path):
    return finished_tree[0].copy(tmp_path / "project")


def test_every_run_of_the_tree_gets_its_connectome(finished_tree):
    project, said = finished_tree
    results = project.results()
    for sub, entities in RUNS:
        start = f"sub-{sub}/ses-{entities['ses']}/func/sub-{sub}_ses-{entities['ses']}_task-rest_acq-{entities['acq']}"
        name = f"{start}_space-{SPACE}_atlas-dmn"
        assert f"{name}_meas-full_desc-bandpass_relmat.tsv" in results
        sources = json.loads(results[f"{name}_desc-bandpass_timeseries.json"])["Sources"]
        assert any(f"data/fmriprep/{start}_desc-confounds_timeseries.tsv" in source for source in sources)
        extracted = json.loads(results[f"{name}_timeseries.json"])
        assert (extracted["SpaceOfImage"], extracted["SpaceOfSeeds"]) == (SPACE, "MNI152")
        assert any("_desc-brain_mask.nii.gz" in source for source in extracted["Sources"])
    assert "4 runs of 2 subjects found in data/fmriprep, none left out." in said
    assert "\nThe study lists them, when it runs, in results/runs.tsv and results/runs_left_out.tsv." in said
    assert b"in the runs table results/runs.tsv" in results["report.html"]


def test_a_second_run_does_nothing_and_its_tables_stay_as_they_are(study):
    tables = [study.root / "results" / name for name in ("runs.tsv", "runs_left_out.tsv")]
    before = [table.stat().st_mtime_ns for table in tables]
    assert "Nothing to be done" in study.run()
    assert [table.stat().st_mtime_ns for table in tables] == before
    assert study.left_over() == []


def test_a_new_subject_runs_its_chain_and_the_group_steps(study):
    add_real_run(study.root, 9, "03", ses="a", acq="fast")
    chain = {"extract": 1, "clean": 1, "connect": 1}
    before = study.results()
    assert study.pending() == chain | GROUP_STEPS | REPORT
    assert study.results() == before  # a dry run writes nothing
    study.run("--until", "describe_study", "extract")
    columns, rows = read_rows(study.root / "results" / "runs.tsv")
    assert rows[-1][columns.index("age")] == "32"


def test_a_run_that_loses_its_confounds_is_left_out_and_only_the_group_steps_run(study):
    (path,) = study.root.glob("data/fmriprep/sub-01/ses-a/func/*acq-slow_desc-confounds_timeseries.tsv")
    path.unlink()
    said = study.snakemake("--dry-run").stdout
    assert "3 runs of 2 subjects found in data/fmriprep, 1 image left out" in said
    assert "1 without confounds, such as sub-01_ses-a_task-rest_acq-slow_" in said
    assert study.pending() == GROUP_STEPS | REPORT
    study.run("--until", "stack")
    _, rows = read_rows(study.root / "results" / "runs_left_out.tsv")
    assert [(row[0].startswith("../data/fmriprep/"), row[1]) for row in rows] == [(True, "without confounds")]


def test_a_run_of_which_nothing_can_be_used_touches_no_other_and_the_report_names_it(study):
    add_run(study.root / "data" / "fmriprep", "03", [SPACE], ses="a", task="rest", sidecar={"VolumeTiming": [0, 3]})
    assert study.pending() == {"write_report": 1}
    study.run()
    report = (study.root / "results" / "report.html").read_text()
    assert "Images that were found but not used, with the reason" in report
    assert "sub-03_ses-a_task-rest" in report


@pytest.mark.parametrize("mode", ["subprocess", "remote"])
def test_jobs_read_the_table_and_do_not_search_the_tree(study, mode):
    # How Snakemake calls itself for a job. A search would find the new subject.
    add_real_run(study.root, 9, "03", ses="a", acq="fast")
    done = study.snakemake("--dry-run", "--mode", mode)
    assert done.returncode == 0
    assert "found in" not in done.stdout
    assert "sub-03" not in done.stdout
    assert "sub-03" not in (study.root / "results" / "runs.tsv").read_text()
    assert study.pending()["extract"] == 1


def test_the_table_that_was_found_can_be_frozen(study):
    shutil.copy(study.root / "results" / "runs.tsv", study.root / "data" / "frozen.tsv")

    def frozen(config):
        del config["bids"]
        config["runs"] = "data/frozen.tsv"

    study.configure(frozen)
    # The settings have changed, and the report names the table; nothing is computed again.
    assert study.pending() == {"describe_study": 1, "write_report": 1}


def test_what_matches_nothing_ends_before_any_job_with_what_there_is(study):
    study.configure(lambda config: config["bids"].update(space="MNI152NLin6Asym"))
    said = study.fail()
    assert (
        f"study.yaml: bids.space: no preprocessed image in data/fmriprep has space-MNI152NLin6Asym (found: {SPACE}"
        in said
    )
    assert "Traceback" not in said


def test_a_tree_of_which_no_run_can_be_used_ends_with_the_reasons(study):
    for path in study.root.glob("data/fmriprep/**/*_desc-confounds_timeseries.tsv"):
        path.unlink()
    said = study.fail()
    assert "study.yaml: bids: no run can be used" in said
    assert "4 without confounds" in said
    assert "Traceback" not in said


def test_seeds_in_another_space_than_the_runs_end_before_any_job(study):
    study.configure(lambda config: config["seed_sets"]["dmn"].update(space="Talairach"))
    assert f"is in the space {SPACE}, but the seeds of seed_sets.dmn are in Talairach" in study.fail()
    study.configure(lambda config: config.update(equivalent_spaces=[["Talairach", SPACE]]))
    assert study.pending()["extract"] == len(RUNS)


@pytest.mark.parametrize("output_dir", ["data", "data/fmriprep", "workflow"])
def test_the_search_writes_nothing_into_a_folder_that_may_not_hold_the_results(study, output_dir):
    table = study.root / "data" / "runs.tsv"
    table.write_text("precious")
    study.configure(lambda config: config.update(output_dir=output_dir))
    for arguments in (["--dry-run"], ["remove_orphans"], []):
        assert "choose a" in study.fail(*arguments)
    assert table.read_text() == "precious"
    assert not list(study.root.glob("data/fmriprep/runs*.tsv"))


def test_a_folder_of_results_may_be_written_in_several_ways(study):
    study.configure(lambda config: config.update(output_dir="./results/"))
    assert study.pending() == {"describe_study": 1, "write_report": 1}


def test_two_sources_of_runs_are_one_too_many(study):
    study.configure(lambda config: config.update(runs="data/runs.tsv"))
    assert "must say where the runs are (found: runs, bids)" in study.fail()
