"""The programs that preprocessed the runs are those that the data sets of the images name."""

import json

import pytest

from sphereconn.study.preprocessing import preprocessed_by


def described(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset_description.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return f"{folder}/sub-01/ses-1/func/sub-01_ses-1_bold.nii.gz"


def test_the_description_above_the_subjects_names_programs_with_their_versions(tmp_path):
    image = described(tmp_path / "fmriprep", {"GeneratedBy": [{"Name": "fMRIPrep", "Version": "23.2.0"}]})
    other = described(tmp_path / "xcpd", {"GeneratedBy": [{"Name": "XCP-D", "Version": "0.7"}, {"Name": "fMRIPrep"}]})
    assert preprocessed_by([image, image.replace("01", "02")]) == [["fMRIPrep", "23.2.0"]]
    assert preprocessed_by([image, other]) == [["XCP-D", "0.7"], ["fMRIPrep", ""], ["fMRIPrep", "23.2.0"]]


def test_older_descriptions_have_one_pipeline(tmp_path):
    image = described(tmp_path, {"PipelineDescription": {"Name": "fMRIPrep", "Version": "20.1.1"}})
    assert preprocessed_by([image]) == [["fMRIPrep", "20.1.1"]]


def test_an_image_outside_of_a_tree_of_subjects_is_described_in_its_folder(tmp_path):
    described(tmp_path, {"GeneratedBy": [{"Name": "C-PAC", "Version": "1.8"}]})
    assert preprocessed_by([f"{tmp_path}/one.nii.gz"]) == [["C-PAC", "1.8"]]


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"GeneratedBy": 3}', '{"GeneratedBy": [null, {"Name": 4}, {"Version": "1"}]}',
     json.dumps({"GeneratedBy": [{"Name": "x" * 1000}]})],
)  # fmt: skip
def test_a_description_that_names_no_program_is_no_error(tmp_path, content):
    assert preprocessed_by([described(tmp_path, content)]) == []


def test_without_a_description_nothing_is_known(tmp_path):
    assert preprocessed_by([f"{tmp_path}/sub-01/func/sub-01_bold.nii.gz"]) == []
