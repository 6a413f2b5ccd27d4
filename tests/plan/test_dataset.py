"""The folder of results is a data set of BIDS: it describes itself, and says what a validator is to pass over."""

import json

import pathspec

from sphereconn.plan.dataset import description, ignored, readme
from sphereconn.plan.products import DESCRIPTION, results

KNOWN_TO_BIDS = {"dataset_description.json", "README.md", ".bidsignore"}


def test_every_result_is_known_to_bids_or_passed_over(study):
    of_runs = study(figures={"runs": "all"}, tables=["networks"], maps={"pcc": {"seed_sets": ["dmn"]}})
    passed_over = pathspec.GitIgnoreSpec.from_lines(ignored().splitlines())
    there = {*results(of_runs), "logs/clean/a.log", "records/ledger.jsonl", "runs.tsv", "runs_left_out.tsv"}
    assert {path for path in there if not passed_over.match_file(path)} == KNOWN_TO_BIDS
    assert set(DESCRIPTION.values()) - KNOWN_TO_BIDS == {"study.json"}


def test_what_bids_knows_of_the_input_would_not_be_passed_over():
    passed_over = pathspec.GitIgnoreSpec.from_lines(ignored().splitlines())
    for path in ("sub-01/func/sub-01_task-rest_space-MNI152_desc-preproc_bold.nii.gz", "participants.tsv"):
        assert not passed_over.match_file(path)


def test_the_description_has_what_bids_asks_of_derivatives():
    described = description("Sleep and age")
    assert {"Name", "BIDSVersion", "DatasetType", "GeneratedBy"} <= set(described)
    assert described["Name"] == "Sleep and age"
    assert described["DatasetType"] == "derivative" and described["GeneratedBy"][0]["Name"] == "sphereconn"


def test_the_readme_names_what_the_study_asked_for(study):
    settings = json.loads(json.dumps(study(title="Sleep and age").settings))
    text = readme(settings)
    assert text.startswith("# Sleep and age\n")
    assert "- seed sets: dmn\n- denoisings: motion, none\n- estimators: full, sparse\n" in text
    assert "contrasts" not in text.split("| where")[0]
    assert f"BIDS {description('')['BIDSVersion']}" in text
