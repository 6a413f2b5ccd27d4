"""The runs of the development_fmri data set: the subjects that nilearn chooses, and its reduced confounds."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nilearn.datasets import func

from sphereconn.errors import InputError
from sphereconn.study.development_fmri import REDUCED, choose_subjects, development_runs, reduce_confounds

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "resources" / "development_fmri"
CONFOUNDS = ROOT / "tests" / "data" / "confounds"
FULL = CONFOUNDS / "sub-pixar123_task-pixar_desc-confounds_regressors.tsv"
REDUCED_ELSEWHERE = CONFOUNDS / "sub-pixar123_task-pixar_desc-reducedConfounds_regressors.tsv"
SETTINGS = {
    "n_subjects": 10,
    "age_group": "both",
    "reduce_confounds": True,
    "folder": "data/development_fmri",
    "base_url": "https://osf.io",
}


def runs_of(**settings):
    return development_runs({**SETTINGS, **settings}, TABLES, "study.yaml: development_fmri")


def chosen_by_nilearn(n_subjects, age_group, monkeypatch):
    """Let nilearn's own function choose, with the downloads taken out of it."""
    table = pd.read_table(TABLES / "participants.tsv")
    monkeypatch.setattr(func, "get_dataset_dir", lambda *arguments, **options: Path("."))
    monkeypatch.setattr(func, "_fetch_development_fmri_participants", lambda **options: table)
    monkeypatch.setattr(func, "_fetch_development_fmri_functional", lambda participants, **options: ([], []))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = func.fetch_development_fmri(n_subjects, reduce_confounds=False, age_group=age_group, verbose=0)
    return set(data.phenotypic["participant_id"])


@pytest.mark.parametrize(("age_group", "available"), [("both", 155), ("child", 122), ("adult", 33)])
def test_every_number_of_subjects_gives_the_subjects_that_nilearn_gives(age_group, available, monkeypatch):
    people = pd.read_table(TABLES / "participants.tsv", dtype=str).to_dict("records")
    for n in range(1, available + 1):
        ours = [person["participant_id"] for person in choose_subjects(people, n, age_group, "")]
        assert len(ours) == n
        assert set(ours) == chosen_by_nilearn(n, age_group, monkeypatch), n
    everyone = choose_subjects(people, "all", age_group, "")
    assert len(everyone) == available


@pytest.mark.parametrize(
    ("age_group", "n", "sentence"),
    [("adult", 34, "34 is not allowed; there are 33 adults."), ("child", 123, "there are 122 children.")],
)
def test_more_subjects_than_there_are_is_a_sentence(age_group, n, sentence):
    # nilearn takes as many as there are, with a warning.
    with pytest.raises(InputError, match=r"^study\.yaml: development_fmri\.n_subjects: ") as caught:
        runs_of(age_group=age_group, n_subjects=n)
    assert sentence in str(caught.value)


def test_ten_subjects_are_those_of_the_example():
    runs, _ = runs_of()
    assert [run.stem for run in runs] == sorted(run.stem for run in runs)
    assert {run.covariates["group"] for run in runs} == {"adult", "child"}
    by_stem = {run.stem: run for run in runs}
    first = by_stem["sub-pixar123_task-pixar_space-MNI152NLin2009cAsym"]  # the only one that the example looks at
    assert first.bold == (
        "data/development_fmri/sub-pixar123_task-pixar_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
    )
    assert first.confounds == "data/development_fmri/sub-pixar123_task-pixar_desc-reducedConfounds_regressors.tsv"
    assert first.repetition_time == 2
    assert first.covariates == {
        "age": "27.06",
        "agegroup": "Adult",
        "group": "adult",
        "gender": "F",
        "handedness": "R",
    }


def test_all_confounds_can_be_kept():
    runs, _ = runs_of(reduce_confounds=False)
    assert all(run.confounds.endswith("_desc-confounds_regressors.tsv") for run in runs)


def test_addresses_are_those_of_nilearn():
    package = Path(func.__file__).parent
    keys = pd.read_csv(package / "data" / "development_fmri.csv", names=["subject", "confounds", "bold"], header=0)
    runs, downloads = runs_of(n_subjects="all", base_url="https://osf.io/")
    assert len(runs) == len(keys) == 155
    for key in keys.itertuples():
        subject = key.subject.removeprefix("sub-")
        assert downloads.bold[subject] == f"https://osf.io/download/{key.bold}/"
        assert downloads.confounds[subject] == f"https://osf.io/download/{key.confounds}/"


@pytest.mark.parametrize("folder", ["data/there", "data/there/", "/data/there"])
def test_files_are_where_the_folder_says(folder):
    runs, downloads = runs_of(folder=folder)
    assert downloads.folder == folder.rstrip("/")
    assert runs[0].bold.startswith(f"{folder.rstrip('/')}/sub-")


def test_a_folder_may_lie_in_the_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert runs_of(folder="~/nilearn_data/development_fmri")[1].folder == "/home/someone/nilearn_data/development_fmri"


def test_reduced_confounds_are_byte_for_byte_what_nilearn_writes(tmp_path):
    reduce_confounds(FULL, tmp_path / "ours.tsv")
    copy = tmp_path / FULL.name
    shutil.copy(FULL, copy)
    (nilearns,) = func._reduce_confounds([str(copy)], list(REDUCED))
    assert (tmp_path / "ours.tsv").read_bytes() == Path(nilearns).read_bytes()


def test_reduced_confounds_are_those_that_others_have(tmp_path):
    reduce_confounds(FULL, tmp_path / "ours.tsv")
    ours, theirs = (pd.read_table(path) for path in (tmp_path / "ours.tsv", REDUCED_ELSEWHERE))
    assert list(ours) == list(theirs)
    assert ours.shape == (168, 15)
    # The other table was written with a version of pandas that read decimals to some twelve digits.
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)


def test_a_value_that_is_missing_stays_missing(tmp_path):
    lines = FULL.read_text().splitlines()
    cells = lines[1].split("\t")
    cells[lines[0].split("\t").index("framewise_displacement")] = "n/a"
    (tmp_path / "full.tsv").write_text("\n".join([lines[0], "\t".join(cells), *lines[2:]]) + "\n")
    reduce_confounds(tmp_path / "full.tsv", tmp_path / "ours.tsv")
    assert (tmp_path / "ours.tsv").read_text().splitlines()[1].split("\t")[6] == "n/a"


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda text: text.replace("rot_z", "rot_zz", 1), "the column 'rot_z' is missing"),
        (lambda text: text.replace("439.699409122925", "much", 1), "row 2, column csf: 'much' is not a number."),
    ],
)
def test_a_table_that_cannot_be_reduced_is_named(tmp_path, edit, sentence):
    (tmp_path / "full.tsv").write_text(edit(FULL.read_text()))
    with pytest.raises(InputError) as caught:
        reduce_confounds(tmp_path / "full.tsv", tmp_path / "ours.tsv")
    assert str(caught.value).startswith(str(tmp_path / "full.tsv"))
    assert sentence in str(caught.value)
    assert not (tmp_path / "ours.tsv").exists()
