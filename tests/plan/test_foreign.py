"""A file that a person wrote into the folder of the results is not replaced, and the study says so."""

import pytest

from sphereconn.errors import InputError
from sphereconn.ledger import Writer
from sphereconn.plan.dataset import ignored, readme
from sphereconn.plan.foreign import check_descriptions

SETTINGS = {"title": "A study", "seed_sets": {"dmn": {}}, "denoising": {}, "estimators": {}, "contrasts": {}}
OURS = {"README.md": readme(SETTINGS), ".bidsignore": ignored()}


@pytest.mark.parametrize("name", OURS)
def test_file_of_a_person_is_named_and_stays(tmp_path, name):
    (tmp_path / name).write_text("Ask Anna before you delete this.\n")
    with pytest.raises(InputError) as problem:
        check_descriptions(str(tmp_path), "study.yaml")
    assert str(problem.value) == (
        f"study.yaml: output_dir: '{tmp_path}' contains a {name} that was not written by sphereconn and would be"
        " replaced; rename it or move it elsewhere."
    )
    assert (tmp_path / name).read_text() == "Ask Anna before you delete this.\n"


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("of_target", [True, False])
def test_link_is_not_the_studys(tmp_path, name, of_target):
    folder = tmp_path / "results"
    folder.mkdir()
    if of_target:
        (tmp_path / "notes").write_text(OURS[name])
    (folder / name).symlink_to(tmp_path / "notes")
    with pytest.raises(InputError, match="was not written by sphereconn"):
        check_descriptions(str(folder), "study.yaml")


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("left", ["whole", "empty", "none"])
def test_what_an_interrupted_run_has_left_is_the_studys(tmp_path, name, left):
    if left != "none":
        (tmp_path / name).write_text(OURS[name] if left == "whole" else "")
    check_descriptions(str(tmp_path), "study.yaml")


@pytest.mark.parametrize("name", OURS)
def test_file_that_the_ledger_has_is_the_studys_whatever_it_says(tmp_path, name):
    (tmp_path / name).write_text("the words of another release\n")
    Writer(str(tmp_path)).add("settings", [], {}, [f"{tmp_path}/{name}"])
    check_descriptions(str(tmp_path), "study.yaml")
