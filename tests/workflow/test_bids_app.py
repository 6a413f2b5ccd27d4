"""The command line of a BIDS App: folders and a level, in either order; Snakemake does the rest."""

import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest
import yaml
from bids_tree import SPACE, add_run

from sphereconn.errors import InputError
from sphereconn.plan.bids_app import is_bids_app, options_of, read_arguments
from workflow.project import AFFINE, ROOT, SHAPE, counts_of_jobs, environment_of_a_person, write_run

STUDY = {
    "seed_sets": {"dmn": {"seeds": "dmn", "radius": 12}},
    "denoising": {"bandpass": {"confounds": ["csf"], "high_pass": 0.01, "low_pass": 0.1}},
    "estimators": {"full": {"kind": "correlation"}},
    "bids": {"tasks": ["rest"]},
    "figures": {"kinds": []},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a tree of two subjects and a study that names no folder."""
    root = tmp_path_factory.mktemp("app")
    (root / "data").mkdir()
    mask = nibabel.Nifti1Image(np.ones(SHAPE, dtype=np.uint8), AFFINE)
    for number in (1, 2):
        sub = f"{number:02d}"
        start = add_run(root / "my data", sub, ["", SPACE], task="rest") / f"sub-{sub}_task-rest"
        write_run(root, number)
        shutil.move(root / "data" / f"sub-{sub}_bold.nii.gz", f"{start}_space-{SPACE}_desc-preproc_bold.nii.gz")
        shutil.move(root / "data" / f"sub-{sub}_confounds.tsv", f"{start}_desc-confounds_timeseries.tsv")
        nibabel.save(mask, f"{start}_space-{SPACE}_desc-brain_mask.nii.gz")
    (root / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return root


def call(place, *arguments):
    command = [ROOT / "sphereconn", *arguments]
    return subprocess.run(
        command, cwd=place, env=environment_of_a_person(), text=True, capture_output=True, check=False
    )


def test_a_participant_is_made_alone_and_the_group_makes_the_rest(place):
    labels = ("--participant-label", "sub-01", "--cores", "2")
    done = call(place, "my data", "out", "participant", "--config", "study.yaml", *labels)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.relative_to(place / "out").as_posix() for path in (place / "out").rglob("*_relmat.tsv")}
    assert made == {f"sub-01/func/sub-01_task-rest_space-{SPACE}_atlas-dmn_meas-full_desc-bandpass_relmat.tsv"}
    planned = call(place, "group", "my data", "out", "--config", "study.yaml", "-n")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    jobs = counts_of_jobs(planned.stdout + planned.stderr)
    assert (jobs["extract"], jobs["clean"], jobs["connect"]) == (1, 1, 1)  # of the other subject
    assert (jobs["stack"], jobs["write_report"]) == (1, 1)


def test_all_participants_are_made_where_none_is_named(place):
    planned = call(place, "participant", "my data", "other", "--config", "study.yaml", "-n")
    jobs = counts_of_jobs(planned.stdout + planned.stderr)
    assert (jobs["extract"], jobs["connect"]) == (2, 2) and "stack" not in jobs


def test_what_is_missing_is_said_with_how_to_call(place):
    done = call(place, "group", "my data", "out")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the following arguments are required: --config.\n\nusage: ./sphereconn part")


def test_the_level_stands_first_or_behind_the_folders():
    first = read_arguments(["group", "in", "out", "--config", "study.yaml", "-n"])
    assert first == read_arguments(["in", "out", "group", "--config", "study.yaml", "-n"])
    assert first.settings == {"output_dir": "out", "bids": {"derivatives": "in"}} and first.options == ("-n",)
    assert not is_bids_app(["study.yaml", "--cores", "4"]) and not is_bids_app([])


@pytest.mark.parametrize(
    ("edit", "more", "said"),
    [
        ({"output_dir": "x"}, [], "edited.yaml: output_dir: the command line gives the folders; leave this key out."),
        ({"runs": "runs.tsv"}, [], "runs: the command line gives the folders"),
        ({"bids": {"derivatives": "x"}}, [], "bids.derivatives: the command line gives"),
        ({}, ["--participant-label", "03"], "label 03: the study has no such subject (found: 01 and 02)."),
    ],
)
def test_what_does_not_go_together_is_one_sentence(place, monkeypatch, edit, more, said):
    monkeypatch.chdir(place)
    Path("edited.yaml").write_text(yaml.safe_dump(STUDY | edit))
    asked = read_arguments(["participant", "my data", "out", "--config", "edited.yaml", *more])
    with pytest.raises(InputError) as problem:
        options_of(asked, ROOT)
    assert said in str(problem.value)


def test_a_group_has_all_subjects():
    with pytest.raises(InputError, match="a group has all subjects"):
        read_arguments(["group", "in", "out", "--config", "study.yaml", "--participant-label", "01"])
