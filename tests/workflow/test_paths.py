"""Every character that may stand in a path works in every place where one stands; others: test_hostile_input.py."""

import shutil

import nibabel
import numpy as np
import pytest
from bids_tree import SPACE, add_run

from workflow.project import AFFINE, SHAPE, new_project, write_run

ODD = "-o d'd\"%s$HOME`*?[x]&;|#!~=+@,^()\\n üж😀 <Logs> <a b> >x<"


@pytest.fixture
def project(tmp_path):
    project = new_project(tmp_path / "project", n_subjects=1)
    project.configure(lambda config: config.update(estimators={"full": {"kind": "correlation"}}))
    project.configure(lambda config: config.update(groups=[], figures={"kinds": []}))
    return project


def test_odd_names_work_wherever_a_path_stands(project):
    data, odd = project.root / "data", project.root / ODD
    (odd / ODD).mkdir(parents=True)
    (project.root / "logs").mkdir()  # what Snakemake would make of <logs>
    shutil.move(data / "sub-01_bold.nii.gz", odd / ODD / f"{ODD}.nii.gz")
    (odd / ODD / f"{ODD}.json").write_text('{"RepetitionTime": 2}')
    shutil.move(data / "sub-01_confounds.tsv", odd / ODD / f"{ODD}.tsv")
    nibabel.save(nibabel.Nifti1Image(np.ones(SHAPE, np.uint8), AFFINE), odd / f"mask {ODD}.nii.gz")
    regions = np.zeros(SHAPE, np.uint8)
    regions[8:11, 10:13, 10:13], regions[14:17, 10:13, 10:13] = 1, 2
    nibabel.save(nibabel.Nifti1Image(regions, AFFINE), odd / f"atlas {ODD}.nii.gz")
    (odd / f"labels {ODD}.tsv").write_text("index\tname\n1\tone\n2\ttwo\n")
    shutil.move(data / "mine.tsv", odd / f"seeds {ODD}.tsv")
    row = ["01", f"{ODD}/{ODD}.nii.gz", f"{ODD}/{ODD}.tsv", f"mask {ODD}.nii.gz"]
    (odd / f"runs {ODD}.tsv").write_text("subject\tbold\tconfounds\tmask\n" + "\t".join(row) + "\n")

    def odd_paths(config):
        config.update(runs=f"{ODD}/runs {ODD}.tsv", output_dir=f"{ODD}/results {ODD}")
        config["seed_sets"] = {
            "mine": {"seeds": f"{ODD}/seeds {ODD}.tsv"},
            "atlas": {"seeds": f"{ODD}/atlas {ODD}.nii.gz", "labels": f"{ODD}/labels {ODD}.tsv", "radius": 12},
        }

    project.configure(odd_paths)
    project.run()
    made = odd / f"results {ODD}" / "sub-01" / "func"
    assert len(list(made.glob("*_meas-full_*_relmat.tsv"))) == 2
    assert ODD in (made / "sub-01_atlas-mine_timeseries.json").read_text().replace('\\"', '"').replace("\\\\", "\\")
    assert {path.name for path in project.root.iterdir()} >= {ODD, "logs"}
    assert list((project.root / "logs").iterdir()) == []
    assert "Nothing to be done" in project.run()


def test_odd_names_work_for_a_tree_of_derivatives(project):
    tree = project.root / ODD
    func = add_run(tree, "01", ["", SPACE], task="rest")
    write_run(project.root, 1)
    shutil.move(
        project.root / "data" / "sub-01_bold.nii.gz",
        func / f"sub-01_task-rest_space-{SPACE}_desc-preproc_bold.nii.gz",
    )
    shutil.move(project.root / "data" / "sub-01_confounds.tsv", func / "sub-01_task-rest_desc-confounds_timeseries.tsv")
    (tree / "participants.tsv").write_text("participant_id\tsite\nsub-01\there\n")

    def of_the_tree(config):
        del config["runs"], config["seed_sets"]["mine"]
        config.update(bids={"derivatives": ODD}, groups=["site"])

    project.configure(of_the_tree)
    assert project.pending()["extract"] == 1
