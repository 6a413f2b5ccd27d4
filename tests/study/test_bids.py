"""Runs in a tree of BIDS derivatives: each is found with its own files, or left out with the reason."""

import json
import os
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from bids_tree import SPACE, add_clutter, add_run, stem
from hypothesis import given, settings
from hypothesis import strategies as st

from sphereconn.errors import InputError
from sphereconn.files import read_rows
from sphereconn.study import names
from sphereconn.study.bids import entities_of
from sphereconn.study.denoising import needs_components
from sphereconn.study.discovery import find_runs, runs_found, runs_left_out
from sphereconn.study.runs import read_runs
from sphereconn.study.settings import checked_settings
from sphereconn.study.study import resolve_study

ROOT = Path(__file__).parents[2]
SCHEMA, RESOURCES = ROOT / "workflow" / "schemas" / "config.schema.json", ROOT / "resources"


def search(root, confounds_needed=True, **asked):
    config = {
        "bids": {"derivatives": str(root), **asked},
        "seed_sets": {"dmn": {"seeds": "dmn"}},
        "denoising": {"none": {}},
        "estimators": {"full": {"kind": "correlation"}},
    }
    return find_runs(checked_settings(config, SCHEMA, "study.yaml")["bids"], confounds_needed, "study.yaml: bids")


def found(root, **asked):
    return [names.stem(row) for row in search(root, **asked).rows]


def left_out(root, **asked):
    return [(Path(item.image).name, item.reason) for item in search(root, **asked).left_out]


def message_of(root, **asked):
    with pytest.raises(InputError) as caught:
        search(root, **asked)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is found


def test_a_run_is_found_with_its_files_and_its_repetition_time(tmp_path):
    func = add_run(tmp_path, "01", ses="a", task="rest", run="1")
    add_clutter(tmp_path, "01")
    (row,) = search(tmp_path).rows
    start = f"sub-01_ses-a_task-rest_run-1_space-{SPACE}_desc"
    assert row == {
        "subject": "01",
        "session": "a",
        "task": "rest",
        "run": "1",
        "space": SPACE,
        "bold": f"{func}/{start}-preproc_bold.nii.gz",
        "confounds": f"{func}/sub-01_ses-a_task-rest_run-1_desc-confounds_timeseries.tsv",
        "mask": f"{func}/{start}-brain_mask.nii.gz",
        "repetition_time": 2.0,
    }


def test_every_entity_of_a_source_is_carried_into_the_name(tmp_path):
    add_run(tmp_path, "01", [f"{SPACE}:res-2"], task="rest", acq="mb", ce="x", rec="n", dir="AP", run="02", part="mag")
    assert found(tmp_path) == [f"sub-01_task-rest_acq-mb_ce-x_rec-n_dir-AP_run-02_part-mag_space-{SPACE}_res-2"]


@pytest.mark.parametrize("suffix", ["timeseries", "regressors"])
@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_names_of_older_and_newer_versions_are_known(tmp_path, suffix, extension):
    add_run(tmp_path, "01", confounds=suffix, extension=extension, task="rest")
    (row,) = search(tmp_path).rows
    assert row["confounds"].endswith(f"_desc-confounds_{suffix}.tsv")
    assert row["bold"].endswith(f"_bold{extension}")
    assert row["mask"].endswith(f"_mask{extension}")


def test_the_subjects_may_be_nested_in_fmriprep(tmp_path):
    add_run(tmp_path / "fmriprep", "01", task="rest")
    (tmp_path / "freesurfer").mkdir()
    assert found(tmp_path) == found(tmp_path / "fmriprep")


def test_subjects_with_and_without_sessions_and_linked_folders_are_found(tmp_path):
    add_run(tmp_path / "out", "01", task="rest")
    add_run(tmp_path / "out", "02", task="rest", ses="a")
    add_run(tmp_path / "elsewhere", "03", task="rest")
    (tmp_path / "out" / "sub-03").symlink_to(tmp_path / "elsewhere" / "sub-03")
    (tmp_path / "out" / "sub-04.html").touch()
    assert len(found(tmp_path / "out")) == 3


def test_of_several_spaces_one_is_taken_and_the_others_are_no_loss(tmp_path):
    add_run(tmp_path, "01", ["", "T1w", SPACE, "MNI152NLin6Asym"], task="rest")
    assert found(tmp_path) == [f"sub-01_task-rest_space-{SPACE}"]
    assert found(tmp_path, space="T1w") == ["sub-01_task-rest_space-T1w"]
    assert left_out(tmp_path) == []


def test_a_run_in_other_spaces_only_is_left_out(tmp_path):
    add_run(tmp_path, "01", task="rest")
    add_run(tmp_path, "02", ["", "T1w"], task="rest")
    reasons = {item.detail: item.reason for item in search(tmp_path).left_out}
    assert reasons == {
        f"no space- in its name, not in {SPACE}": "in another space",
        f"space-T1w, not in {SPACE}": "in another space",
    }


def test_a_resolution_is_chosen_and_one_run_in_two_is_an_error(tmp_path):
    add_run(tmp_path, "01", [SPACE, f"{SPACE}:res-2"], task="rest")
    assert found(tmp_path, resolution="2") == [f"sub-01_task-rest_space-{SPACE}_res-2"]
    assert found(tmp_path, resolution=2) == [f"sub-01_task-rest_space-{SPACE}_res-2"]
    assert found(tmp_path, resolution="none") == [f"sub-01_task-rest_space-{SPACE}"]
    message = message_of(tmp_path)
    assert message.startswith("study.yaml: bids.resolution: ")
    assert "are the same run in two forms; choose one of 2, none." in message


def test_a_cohort_belongs_to_the_space_and_one_run_in_two_is_an_error(tmp_path):
    add_run(tmp_path, "01", ["MNIInfant:cohort-1", "MNIInfant:cohort-2"], task="rest")
    (row,) = search(tmp_path, space="MNIInfant", filters={"cohort": "2"}).rows
    assert row["confounds"].endswith("/sub-01_task-rest_desc-confounds_timeseries.tsv")
    assert "_cohort-2_" in row["mask"]
    assert message_of(tmp_path, space="MNIInfant").startswith("study.yaml: bids.filters.cohort: ")


def test_echoes_are_taken_combined_unless_asked_for(tmp_path):
    add_run(tmp_path, "01", task="rest")
    for echo in "123":
        add_run(tmp_path, "01", task="rest", echo=echo)
    assert found(tmp_path) == [f"sub-01_task-rest_space-{SPACE}"]
    assert left_out(tmp_path) == []
    assert found(tmp_path, filters={"echo": "2"}) == [f"sub-01_task-rest_echo-2_space-{SPACE}"]


def test_single_echoes_without_a_combined_image_are_left_out(tmp_path):
    add_run(tmp_path, "01", task="rest")
    add_run(tmp_path, "02", task="rest", echo="1")
    assert [reason for _, reason in left_out(tmp_path)] == ["single echoes"]


def test_runs_are_chosen_by_labels(tmp_path):
    for sub in ("01", "02", "10"):
        for task in ("rest", "movie"):
            add_run(tmp_path, sub, task=task, run="01", acq="mb" if sub == "10" else "sb")
    assert len(found(tmp_path, tasks="rest")) == 3
    assert len(found(tmp_path, subjects=["sub-01", 10])) == 4
    assert len(found(tmp_path, runs=[1])) == 6  # indices are numbers
    assert len(found(tmp_path, filters={"acquisition": "mb"})) == 2
    assert len(found(tmp_path, filters={"acq": ["mb", "sb"], "direction": "none"})) == 6
    assert {reason for _, reason in left_out(tmp_path, filters={"acq": "mb"})} == {"not chosen by filters.acq"}


# --- what is left out


@pytest.mark.parametrize(
    ("missing", "reason"), [({"confounds": None}, "without confounds"), ({"mask": False}, "without a mask")]
)
def test_a_run_without_a_file_it_needs_is_left_out(tmp_path, missing, reason):
    add_run(tmp_path, "01", task="rest")
    add_run(tmp_path, "02", task="rest", **missing)
    assert left_out(tmp_path) == [(f"sub-02_task-rest_space-{SPACE}_desc-preproc_bold.nii.gz", reason)]
    assert len(found(tmp_path, confounds_needed=False, require_mask=False)) == 2


@pytest.mark.parametrize(
    ("sidecar", "reason"),
    [
        ({"VolumeTiming": [0, 2, 7]}, "without one repetition time"),
        ({"RepetitionTime": 0}, "without one repetition time"),
        ({"RepetitionTime": "2"}, "without one repetition time"),
        (None, "that cannot be read"),  # an empty file: the header would have to say it
    ],
)
def test_a_run_without_one_repetition_time_is_left_out(tmp_path, sidecar, reason):
    add_run(tmp_path, "01", task="rest", sidecar=sidecar)
    assert [found for _, found in left_out(tmp_path)] == [reason]


def test_a_sidecar_that_is_no_json_leaves_its_run_out_only(tmp_path):
    func = add_run(tmp_path, "01", task="rest")
    add_run(tmp_path, "02", task="rest")
    (func / f"sub-01_task-rest_space-{SPACE}_desc-preproc_bold.json").write_text("{")
    assert len(found(tmp_path)) == 1
    assert "is no readable JSON file" in search(tmp_path).left_out[0].detail


def test_sidecars_are_inherited_from_the_folders_above(tmp_path):
    add_run(tmp_path, "01", task="rest", run="1", sidecar=None)
    add_run(tmp_path, "01", task="rest", run="2", sidecar={})
    add_run(tmp_path, "02", task="rest", sidecar=None)
    add_run(tmp_path, "03", task="rest", sidecar={"RepetitionTime": 0.8})
    (tmp_path / "task-rest_bold.json").write_text(json.dumps({"RepetitionTime": 3}))
    (tmp_path / "task-movie_bold.json").write_text(json.dumps({"RepetitionTime": 7}))
    (tmp_path / "sub-01" / "sub-01_task-rest_bold.json").write_text(json.dumps({"RepetitionTime": 1.5}))
    (tmp_path / "sub-01" / "sub-01_task-rest_run-2_bold.json").write_text(json.dumps({"RepetitionTime": 1.2}))
    assert [row["repetition_time"] for row in search(tmp_path).rows] == [1.5, 1.2, 3.0, 0.8]


def write_image(path, n_frames, seconds):
    image = nibabel.Nifti1Image(np.zeros((2, 2, 2, n_frames), dtype=np.int16), np.eye(4))
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((1, 1, 1, seconds))
    nibabel.save(image, path)


def test_the_header_says_the_repetition_time_where_no_sidecar_does(tmp_path):
    for sub, seconds in (("01", 2), ("02", 0)):
        func = add_run(tmp_path, sub, task="rest", sidecar=None)
        write_image(func / f"sub-{sub}_task-rest_space-{SPACE}_desc-preproc_bold.nii.gz", 5, seconds)
    assert found(tmp_path) == [f"sub-01_task-rest_space-{SPACE}"]
    assert [reason for _, reason in left_out(tmp_path)] == ["without one repetition time"]


def test_short_runs_are_left_out_on_request(tmp_path):
    for sub, n_frames in (("01", 50), ("02", 49)):
        func = add_run(tmp_path, sub, task="rest")
        write_image(func / f"sub-{sub}_task-rest_space-{SPACE}_desc-preproc_bold.nii.gz", n_frames, 2)
    assert len(found(tmp_path)) == 2
    assert found(tmp_path, min_frames=50) == [f"sub-01_task-rest_space-{SPACE}"]
    assert search(tmp_path, min_frames=50).left_out[0].detail == "49 frames, fewer than 50"


def test_a_link_to_nothing_is_not_taken_for_a_file(tmp_path):
    for sub, ending in (("01", "_desc-preproc_bold.nii.gz"), ("02", "_desc-brain_mask.nii.gz")):
        path = add_run(tmp_path, sub, task="rest") / f"sub-{sub}_task-rest_space-{SPACE}{ending}"
        path.unlink()
        path.symlink_to(tmp_path / "annex")
    path = add_run(tmp_path, "03", task="rest") / "sub-03_task-rest_desc-confounds_timeseries.tsv"
    path.unlink()
    path.symlink_to(tmp_path / "annex")
    assert [reason for _, reason in left_out(tmp_path)] == ["not there", "without a mask", "without confounds"]
    (row,) = (row for row in search(tmp_path, confounds_needed=False).rows)
    assert row["confounds"] is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sub-01_task-rest_recording-x_space-{}_desc-preproc_bold.nii.gz", "with an entity that results cannot carry"),
        ("sub-01_task-rest_den-91k_space-{}_desc-preproc_bold.nii.gz", "with an entity that results cannot carry"),
        ("sub-01_task-a-b_space-{}_desc-preproc_bold.nii.gz", "with a name that is not BIDS"),
        ("sub-01_rest_space-{}_desc-preproc_bold.nii.gz", "with a name that is not BIDS"),
        ("sub-01_run-1_run-2_space-{}_desc-preproc_bold.nii.gz", "with a name that is not BIDS"),
        ("sub-02_task-rest_space-{}_desc-preproc_bold.nii.gz", "in the folder of another subject or session"),
        ("sub-01_ses-a_task-rest_space-{}_desc-preproc_bold.nii.gz", "in the folder of another subject or session"),
        ("sub-01_space-{}_task-rest_desc-preproc_bold.nii.gz", "twice there"),
        ("sub-01_task-rest_space-{}_desc-preproc_bold.nii", "twice there"),
        ("sub-01_task-movie_space-{}_desc-smoothed_bold.nii.gz", "of another description"),
    ],
)
def test_an_image_that_could_be_taken_for_another_is_left_out(tmp_path, name, reason):
    func = add_run(tmp_path, "01", task="rest")
    (func / name.format(SPACE)).touch()
    assert len(found(tmp_path)) == 1
    assert [because for _, because in left_out(tmp_path)] == [reason]


# --- property: no file of one run is used for another

LABEL = st.sampled_from(["1", "01", "2", "a", "A"])
ENTITY = st.sampled_from(["ses", "task", "acq", "ce", "rec", "dir", "run", "part", "recording", "echo"])
RUN = st.fixed_dictionaries(
    {
        "entities": st.dictionaries(ENTITY, LABEL, max_size=4).map(lambda chosen: {"task": "rest"} | chosen),
        "confounds": st.sampled_from([None, "timeseries", "regressors"]),
        "mask": st.booleans(),
    }
)


@given(st.lists(RUN, min_size=1, max_size=8, unique_by=lambda run: tuple(sorted(run["entities"].items()))))
@settings(max_examples=60, deadline=None)
def test_each_run_has_its_own_files_or_none_and_a_name_of_its_own(runs):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for run in runs:
            add_run(root, "01", confounds=run["confounds"], mask=run["mask"], **run["entities"])
        result = search(root, confounds_needed=False, require_mask=False, filters={"echo": all_echoes(runs)})
        stems = [names.stem(row) for row in result.rows]
        images = [row["bold"] for row in result.rows] + [item.image for item in result.left_out]
        assert len(set(stems)) == len(stems)
        assert sorted(images) == sorted(map(str, root.rglob("*_bold.nii.gz")))
        for row in result.rows:
            of_image = entities_without_suffix(row["bold"])
            for kind, form in (("confounds", ("desc", "space")), ("mask", ("desc",))):
                of_run = [run for run in runs if {"sub": "01", **run["entities"]} == without(of_image, "desc", "space")]
                assert (row[kind] is not None) == bool(of_run[0][kind])
                if row[kind]:
                    assert without(entities_without_suffix(row[kind]), "desc") == without(of_image, *form)


def all_echoes(runs):
    return sorted({run["entities"].get("echo", "none") for run in runs})


def entities_without_suffix(path):
    return entities_of(os.path.basename(path).rpartition("_")[0])


def without(entities, *left_out):
    return {entity: label for entity, label in entities.items() if entity not in left_out}


def test_the_generator_of_trees_writes_names_in_the_order_of_bids():
    assert stem({"run": "1", "sub": "01", "space": "T1w", "acq": "x"}) == "sub-01_acq-x_run-1_space-T1w"


# --- what a mistake is called


def test_what_matches_nothing_is_named_with_what_there_is(tmp_path):
    for sub in ("01", "02"):
        add_run(tmp_path, sub, ["T1w", SPACE], task="rest")
    add_run(tmp_path, "01", task="movie")
    assert "bids.tasks: no preprocessed image in" in message_of(tmp_path, tasks=["rest", "rset"])
    assert "has task-rset (found: movie, rest); did you mean 'rest'?" in message_of(tmp_path, tasks=["rset"])
    assert "has ses-a (found: none)." in message_of(tmp_path, sessions="a")
    assert f"has space-MNI152 (found: {SPACE}, T1w)" in message_of(tmp_path, space="MNI152")
    assert 'has sub-1 (found: 01, 02); write "01", in quotes, for 01.' in message_of(tmp_path, subjects=[1])
    assert "has res-2 (found: none)" in message_of(tmp_path, resolution="2")
    assert "bids.filters.acquistion: no such entity, did you mean 'acquisition'?" in message_of(
        tmp_path, filters={"acquistion": "mb"}
    )


def test_a_folder_that_is_not_there_or_has_no_run_is_named_with_what_there_is(tmp_path):
    (tmp_path / "fmriprep").mkdir()
    assert "there is no folder" in message_of(tmp_path / "fmriperp")
    assert "has the folders fmriprep)" in message_of(tmp_path / "fmriperp")
    assert "has no folder sub-* (found: fmriprep)" in message_of(tmp_path)
    (tmp_path / "sub-01" / "func").mkdir(parents=True)
    assert "has no preprocessed image sub-*/func/*_desc-preproc_bold.nii.gz (it has no image)" in message_of(tmp_path)
    (tmp_path / "sub-01" / "func" / "sub-01_task-rest_bold.nii.gz").touch()
    assert "(its images have other names, such as sub-01_task-rest_bold.nii.gz)" in message_of(tmp_path)


# --- participants


@pytest.mark.parametrize("place", [".", "..", "../.."])
def test_the_columns_of_the_participants_become_covariates(tmp_path, place):
    root = tmp_path / "derivatives" / "fmriprep"
    add_run(root, "01", task="rest")
    add_run(root, "02", task="rest")
    (root / place / "participants.tsv").write_text(
        "participant_id\tage\tsession\tAge at scan\nsub-01\t30\tx\t30.5\n03\t9\ty\t9.5\n"
    )
    first, second = search(root).rows
    assert (first["age"], first["participants_session"], first["Age at scan"]) == ("30", "x", "30.5")
    assert "session" not in first
    assert "age" not in second
    assert "participants_session" not in search(root, covariates=["age"]).rows[0]


@pytest.mark.parametrize(
    ("written", "matches"), [("sub-01", True), ("01", True), ("1", True), ("sub-001", True), ("10", False), ("", False)]
)
def test_an_id_matches_where_only_its_prefix_or_its_zeros_differ(tmp_path, written, matches):
    add_run(tmp_path, "01", task="rest")
    add_run(tmp_path, "99", task="rest")
    (tmp_path / "participants.tsv").write_text(f"participant_id\tage\n{written}\t30\nsub-99\t1\n")
    row, _ = search(tmp_path).rows
    assert row.get("age") == ("30" if matches else None)


def test_a_run_without_the_sidecar_that_compcor_needs_is_left_out_alone(tmp_path):
    add_run(tmp_path, "01", task="rest")
    func = add_run(tmp_path, "02", task="rest")
    (func / "sub-02_task-rest_desc-confounds_timeseries.json").unlink()
    checked = checked_settings(
        {
            "bids": {"derivatives": str(tmp_path)},
            "seed_sets": {"dmn": {"seeds": "dmn"}},
            "denoising": {"compcor": {"strategy": "compcor"}},
            "estimators": {"full": {"kind": "correlation"}},
        },
        SCHEMA,
        "study.yaml",
    )
    runs = find_runs(checked["bids"], True, "bids", components_needed=needs_components(checked["denoising"]["compcor"]))
    assert [row["subject"] for row in runs.rows] == ["01"]
    assert [item.reason for item in runs.left_out] == ["without the sidecar of its confounds"]
    assert len(search(tmp_path).rows) == 2


def test_ids_that_could_be_either_match_neither(tmp_path):
    add_run(tmp_path, "1", task="rest")
    add_run(tmp_path, "2", task="rest")
    (tmp_path / "participants.tsv").write_text("participant_id\tage\n01\t30\n001\t40\n2\t50\n")
    row, _ = search(tmp_path).rows
    assert "age" not in row


def test_who_has_no_row_is_named_with_the_rows_that_match_nobody(tmp_path):
    add_run(tmp_path, "01", task="rest")
    add_run(tmp_path, "02", task="rest")
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-01\t30\nsub-2x\t1\n")
    summary = search(tmp_path).summary()
    assert "1 subject without a row in" in summary
    assert "participants.tsv, and therefore in no group: 02; 1 id of the table matches no run: 2x." in summary


def test_a_row_a_session_belongs_to_that_session(tmp_path):
    for session in "ab":
        add_run(tmp_path, "01", task="rest", ses=session)
    (tmp_path / "participants.tsv").write_text("participant_id\tsession_id\tage\n01\tses-b\t31\n01\ta\t30\n")
    assert [(row["session"], row["age"]) for row in search(tmp_path).rows] == [("a", "30"), ("b", "31")]


def test_sessions_match_by_number_where_zeros_alone_differ(tmp_path):
    for session in "12":
        add_run(tmp_path, "01", task="rest", ses=session)
    (tmp_path / "participants.tsv").write_text("participant_id\tsession_id\tage\n1\t01\t30\n1\tses-02\t31\n")
    assert [(row["session"], row["age"]) for row in search(tmp_path).rows] == [("1", "30"), ("2", "31")]


def test_a_session_without_a_row_is_named(tmp_path):
    for session in "ab":
        add_run(tmp_path, "01", task="rest", ses=session)
    (tmp_path / "participants.tsv").write_text("participant_id\tsession_id\tage\n01\ta\t30\n01\tc\t31\n")
    summary = search(tmp_path).summary()
    assert (
        summary.endswith("participants.tsv, and therefore in no group: sub-01_ses-b.")
        and "1 session without a row in" in summary
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("w\t1\nx\t2\ny\t3\nz\t4\n", "the table has sub-w, sub-x, sub-y and 1 more, the images are those of sub-01"),
        ("", "participants.tsv has no row below its first line; add the subjects"),
    ],
)
def test_a_table_about_nobody_is_a_mistake_unless_none_of_its_columns_is_wanted(tmp_path, rows, sentence):
    add_run(tmp_path, "01", task="rest")
    add_run(tmp_path, "02", task="rest")
    (tmp_path / "participants.tsv").write_text(f"participant_id\tage\n{rows}")
    message = message_of(tmp_path)
    assert message.startswith("study.yaml: bids.participants: ") and sentence in message
    assert message.endswith("or set covariates to [] to do without the table.")
    assert "age" not in search(tmp_path, covariates=[]).rows[0]


def test_a_table_without_sessions_about_nobody_is_told_the_subjects_once(tmp_path):
    for session in "ab":
        add_run(tmp_path, "01", task="rest", ses=session)
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nx\t30\n")
    assert "the table has sub-x, the images are those of sub-01;" in message_of(tmp_path)


def test_a_table_of_sessions_that_the_images_do_not_have_is_a_mistake(tmp_path):
    add_run(tmp_path, "01", task="rest")
    (tmp_path / "participants.tsv").write_text("participant_id\tsession_id\tage\n01\ta\t30\n01\tb\t31\n")
    assert "the table has sub-01_ses-a and sub-01_ses-b, the images are those of sub-01;" in message_of(tmp_path)


def test_a_table_that_is_asked_for_and_not_there_is_named_by_its_key(tmp_path):
    add_run(tmp_path, "01", task="rest")
    assert (
        message_of(tmp_path, participants="nope.tsv") == "study.yaml: bids.participants: there is no file 'nope.tsv'."
    )


def test_images_of_another_description_are_taken_on_request(tmp_path):
    func = add_run(tmp_path, "01", task="rest")
    (func / f"sub-01_task-rest_space-{SPACE}_desc-smoothAROMAnonaggr_bold.nii.gz").touch()
    (func / f"sub-01_task-rest_space-{SPACE}_desc-smoothAROMAnonaggr_bold.json").write_text('{"RepetitionTime": 2}')
    with pytest.raises(InputError, match=r"other images are chosen by filters, as in \{desc: smoothAROMAnonaggr\}\.$"):
        search(tmp_path, filters={"desc": "smoothed"})
    (row,) = search(tmp_path, filters={"desc": "smoothAROMAnonaggr"}).rows
    assert row["bold"].endswith("desc-smoothAROMAnonaggr_bold.nii.gz")
    assert row["mask"].endswith("desc-brain_mask.nii.gz")
    assert "has no preprocessed image sub-*/func/*_desc-other_bold.nii.gz (its images have other names" in message_of(
        tmp_path, filters={"desc": "other"}
    )


@pytest.mark.parametrize("name", ["space-template_desc-preproc-1_bold", "setting-a_desc-preproc_bold"])
def test_images_with_other_names_than_those_of_bids_go_into_a_runs_table(tmp_path, name):
    func = tmp_path / "sub-01" / "func"
    func.mkdir(parents=True)
    (func / f"sub-01_task-rest_{name}.nii.gz").touch()
    with pytest.raises(InputError, match=r"go into a runs table\.$"):
        search(tmp_path, filters={"desc": "other"})


@pytest.mark.parametrize(
    ("table", "asked", "sentence"),
    [
        ("id\tage\n01\t3\n", {}, "the column 'participant_id' is missing (found: id, age)"),
        (
            "participant_id\tage\n01\t3\nsub-01\t4\n",
            {},
            "the participant_id 'sub-01' appears more than once; a column session_id would tell sessions apart",
        ),
        (
            "participant_id\tsession_id\n01\ta\n01\tses-a\n",
            {},
            "the participant_id '01' appears more than once with the session_id 'ses-a'",
        ),
        ("participant_id\tage\n01\t3\n", {"covariates": ["sex"]}, "has no column 'sex' (found: participant_id, age)"),
        (None, {"covariates": ["sex"]}, "bids.covariates: there is no participants.tsv in"),
    ],
)
def test_a_mistake_in_the_participants_is_named(tmp_path, table, asked, sentence):
    root = tmp_path / "a" / "b" / "out"
    add_run(root, "01", task="rest")
    if table:
        (root / "participants.tsv").write_text(table)
    assert sentence in message_of(root, **asked)


@pytest.mark.parametrize(
    ("asked", "key", "column"),
    [
        ({"groups": ["task", "group"]}, "groups", "group"),
        ({"contrasts": {"c": {"model": "frames_kept + age", "test": "age"}}}, "contrasts.c", "age"),
        ({"contrasts": {"c": {"test": "intercept", "runs": {"arm": "a"}}}}, "contrasts.c", "arm"),
        ({"comparison": {"covariates": ["sex"]}}, "comparison", "sex"),
    ],
)
def test_a_column_that_only_participants_can_have_is_missed_with_the_place_of_their_table(
    tmp_path, monkeypatch, asked, key, column
):
    monkeypatch.chdir(tmp_path)
    for subject in ("01", "02"):
        add_run(Path("fmriprep"), subject, task="rest")
    config = {
        "bids": {"derivatives": "fmriprep"},
        "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}},
        "denoising": {"none": {}},
        "estimators": {"full": {"kind": "correlation"}},
        **asked,
    }
    with pytest.raises(InputError) as caught:
        resolve_study(config, SCHEMA, RESOURCES, "study.yaml")
    assert str(caught.value) == (
        f"study.yaml: {key}: the runs have no column '{column}': there is no participants.tsv in fmriprep or the two"
        " folders above it (bids.participants names a table elsewhere)."
    )


# --- the tables


def test_the_runs_table_is_one_like_a_users_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    add_run(Path("data"), "01", ses="a", task="rest", confounds=None)
    add_run(Path("data"), "02", task="rest")
    Path("data/participants.tsv").write_text("participant_id\tspaces\n01\tmany\n")
    result = search("data", confounds_needed=False)
    path = Path("results/runs.tsv")
    table = runs_found(result, path)
    first, second = read_runs(path, table)
    assert first.bold == f"data/sub-01/ses-a/func/sub-01_ses-a_task-rest_space-{SPACE}_desc-preproc_bold.nii.gz"
    assert (first.confounds, first.covariates) == (None, {"participants_spaces": "many"})
    assert second.confounds == "data/sub-02/func/sub-02_task-rest_desc-confounds_timeseries.tsv"
    columns, rows = read_rows(path, table)
    assert rows[0][columns.index("bold")].startswith("../data/sub-01/")
    assert not path.exists()


def test_full_paths_stay_full(tmp_path):
    add_run(tmp_path / "data", "01", task="rest")
    path = tmp_path / "runs.tsv"
    columns, rows = read_rows(path, runs_found(search(tmp_path / "data"), path))
    assert rows[0][columns.index("mask")].startswith(str(tmp_path / "data"))


def test_a_new_run_changes_the_table_of_runs_alone(tmp_path):
    def tables():
        found = search(tmp_path / "data")
        return runs_found(found, tmp_path / "runs.tsv"), runs_left_out(found, tmp_path / "left.tsv")

    add_run(tmp_path / "data", "01", task="rest")
    before = tables()
    assert tables() == before
    add_run(tmp_path / "data", "02", task="rest")
    after = tables()
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_the_summary_counts_by_reason_with_an_example(tmp_path):
    for sub in ("01", "02", "03", "04"):
        add_run(tmp_path, sub, task="rest", confounds=None if sub in ("03", "04") else "timeseries", mask=sub != "02")
    lines = search(tmp_path).summary().splitlines()
    assert lines[0] == f"1 run of 1 subject found in {tmp_path}, 3 images left out:"
    assert lines[1].startswith(
        f"    2 without confounds, such as sub-03_task-rest_space-{SPACE}_desc-preproc_bold.nii.gz: "
    )
    assert lines[2].startswith("    1 without a mask, such as sub-02_")


def test_subject_folders_without_an_image_are_counted(tmp_path):
    for sub in ("01", "02"):
        add_run(tmp_path, sub, task="rest")
    (tmp_path / "sub-03" / "anat").mkdir(parents=True)
    (tmp_path / "sub-04").symlink_to("nowhere")
    (tmp_path / "sub-05.html").touch()
    (tmp_path / "sub-06.html").symlink_to(tmp_path / "sub-05.html")
    (notice,) = search(tmp_path).notices
    assert notice == "2 subject folders without a preprocessed image: 03, 04; not fetched, or not finished?"
    assert search(tmp_path, subjects=["01"]).notices == ()


def test_the_pointer_of_a_file_that_was_not_fetched_is_no_image(tmp_path):
    for sub, ending in (("01", "_desc-preproc_bold.nii.gz"), ("02", "_desc-brain_mask.nii.gz")):
        path = add_run(tmp_path, sub, task="rest") / f"sub-{sub}_task-rest_space-{SPACE}{ending}"
        path.write_text("/annex/objects/MD5E-s1--0.nii.gz\n")
    add_run(tmp_path, "03", task="rest")
    assert [reason for _, reason in left_out(tmp_path)] == ["that cannot be read"] * 2


def test_the_names_of_the_first_versions_of_fmriprep_are_recognized(tmp_path):
    func = tmp_path / "sub-10159" / "func"
    func.mkdir(parents=True)
    (func / "sub-10159_task-rest_bold_space-MNI152NLin2009cAsym_preproc.nii.gz").touch()
    assert "are those of fMRIPrep 1.1 and older; list the images in a runs table" in message_of(tmp_path)
