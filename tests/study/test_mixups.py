"""A file that two runs share, or that is called after another run, is noticed before anything is computed from it."""

import pytest

from sphereconn.errors import InputError
from sphereconn.study.mixups import check_images_differ, mixups
from sphereconn.study.runs import Run


def run(subject, bold, confounds=None, **entities):
    return Run({"subject": subject, **entities}, bold, confounds=confounds)


def test_an_image_that_two_runs_have_is_an_error_by_way_of_a_link_too(tmp_path):
    (tmp_path / "a.nii").touch()
    (tmp_path / "b.nii").symlink_to("a.nii")
    runs = [run("01", str(tmp_path / "a.nii")), run("02", str(tmp_path / "b.nii"))]
    with pytest.raises(InputError, match=r"runs.tsv: sub-01 and sub-02 have the same image, .*b.nii; each run needs"):
        check_images_differ(runs, "runs.tsv")
    check_images_differ(runs[:1], "runs.tsv")


def test_confounds_of_another_run_are_asked_about_once_for_all_runs():
    runs = [run(f"{number}", f"{number}.nii", "same.tsv") for number in range(1, 5)]
    assert list(mixups(runs, "runs.tsv")) == [
        "runs.tsv: 3 runs have the confounds of another run, such as sub-2, whose table same.tsv is also that of sub-1;"
        " is this intended?"
    ]


def test_forms_of_one_run_share_their_confounds():
    runs = [run("1", f"{echo}{space}.nii", "c.tsv", echo=echo, space=space) for echo in "12" for space in "ab"]
    assert list(mixups(runs, "runs.tsv")) == []


@pytest.mark.parametrize(
    ("file", "noticed"),
    [
        ("sub-02_task-rest_desc-confounds_timeseries.tsv", True),
        ("sub-01_task-film_desc-confounds_timeseries.tsv", True),
        ("sub-01_ses-b_task-rest_desc-confounds_timeseries.tsv", False),  # the table may leave entities out
        ("sub-1_task-rest_desc-confounds_timeseries.tsv", False),
        ("confounds.tsv", False),
        ("sub-03.tsv", False),
    ],
)
def test_a_file_that_is_called_after_another_run_is_asked_about(file, noticed):
    found = list(mixups([run("01", "x.nii", file, task="rest")], "runs.tsv"))
    assert bool(found) == noticed
    if noticed:
        assert f"such as sub-01_task-rest with {file}; is this intended?" in found[0]
