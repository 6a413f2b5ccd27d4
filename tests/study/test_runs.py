"""The runs table: what it may say, and what a mistake in it is called."""

import re

import pytest

from sphereconn.errors import InputError
from sphereconn.study.runs import check_values, matching, read_runs, rows_of


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "runs.tsv"
        path.write_text("\n".join(line.replace(" ", "\t") for line in lines) + "\n")
        return path

    return write


def message_of(path):
    with pytest.raises(InputError) as caught:
        read_runs(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_entity_of_the_source_is_part_of_the_name(table):
    path = table(
        "subject session task acquisition run space resolution bold",
        "01 a rest mb 2 MNI152 2 x.nii.gz",
    )
    (run,) = read_runs(path)
    assert run.stem == "sub-01_ses-a_task-rest_acq-mb_run-2_space-MNI152_res-2"
    assert run.folder == "sub-01/ses-a"


def test_paths_are_relative_to_the_table(table):
    path = table("subject bold confounds mask", "01 data/x.nii.gz ../c.tsv n/a")
    (run,) = read_runs(path)
    assert run.bold == str(path.parent / "data" / "x.nii.gz")
    assert run.confounds == str(path.parent.parent / "c.tsv")
    assert run.mask is None


def test_an_absolute_path_stays_as_it_is(table):
    (run,) = read_runs(table("subject bold", "01 /data/x.nii.gz"))
    assert run.bold == "/data/x.nii.gz"


def test_the_order_of_rows_does_not_matter(table):
    rows = ["02 b.nii.gz", "01 a.nii.gz", "10 c.nii.gz"]
    assert read_runs(table("subject bold", *rows)) == read_runs(table("subject bold", *sorted(rows)))


def test_other_columns_are_kept_for_grouping(table):
    (run,) = read_runs(table("subject bold site age repetition_time", "01 x.nii.gz essen n/a 2"))
    assert run.covariates == {"site": "essen"}
    assert run.repetition_time == 2.0
    assert (run.value("site"), run.value("age"), run.value("subject")) == ("essen", None, "01")


def test_a_run_listed_twice_is_named_with_both_rows(table):
    message = message_of(table("subject task bold", "01 rest a.nii.gz", "02 rest b.nii.gz", "01 rest c.nii.gz"))
    assert "row 4 is the same run as row 2 (sub-01_task-rest)" in message


def test_runs_that_differ_in_capitals_only_are_named(table):
    message = message_of(table("subject task bold", "a1 rest a.nii.gz", "A1 rest b.nii.gz"))
    assert "row 3 (sub-A1_task-rest) differs from row 2 only in capitalization" in message


def test_two_runs_that_differ_in_one_entity_only_are_two_runs(table):
    assert len(read_runs(table("subject acquisition bold", "01 a x.nii.gz", "01 b x.nii.gz"))) == 2


def test_a_label_with_a_slash_is_named(table):
    message = message_of(table("subject task bold", "01 rest/eyes a.nii.gz"))
    assert "row 2, column task: the label 'rest/eyes' is not allowed" in message


@pytest.mark.parametrize("cell", ["zero", "0", "-2", "inf", "2000", "0.002"])
def test_a_repetition_time_that_is_no_positive_number_is_named(table, cell):
    message = message_of(table("subject bold repetition_time", f"01 a.nii.gz {cell}"))
    assert f"row 2, column repetition_time: '{cell}' is not allowed" in message


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["subject task", "01 rest"], "the column 'bold' is missing"),
        (["subject bold", "n/a x.nii.gz"], "row 2: the column 'subject' is empty"),
        (["subject bold confound", "01 x.nii.gz c.tsv"], "'confound' is not known; did you mean 'confounds'?"),
        (["subject bold"], "the table lists no run"),
        (["subject bold bold", "01 x y"], "the column 'bold' appears more than once"),
        (["subject bold", "01"], "line 2 has 1 cell, the first line names 2 columns"),
    ],
)
def test_a_mistake_in_the_table_is_named(table, lines, expected):
    path = table(*lines)
    message = message_of(path)
    assert expected in message
    assert str(path) in message


def test_a_table_that_is_not_there_or_no_text_is_named(tmp_path):
    assert "runs.tsv: not a readable tab-separated table" in message_of(tmp_path / "runs.tsv")
    (tmp_path / "runs.tsv").write_bytes(b"subject\tbold\n\xff")
    assert "runs.tsv: not a readable tab-separated table" in message_of(tmp_path / "runs.tsv")


def test_matching_keeps_runs_by_value(table):
    runs = read_runs(table("subject bold site", "01 a.nii essen", "02 b.nii bochum", "03 c.nii essen", "04 d.nii n/a"))
    assert [run.entities["subject"] for run in matching(runs, {"site": "essen"}, "")] == ["01", "03"]
    assert [run.entities["subject"] for run in matching(runs, {"site": ["bochum"], "subject": "02"}, "")] == ["02"]


def test_matching_names_a_column_or_value_that_matches_nothing(table):
    runs = read_runs(table("subject bold site", "01 a.nii essen"))
    with pytest.raises(InputError, match=r"key: the runs table has no column 'sites' .*found: site, subject"):
        matching(runs, {"sites": "essen"}, "key")
    with pytest.raises(InputError, match=r"key: runs cannot be chosen by 'bold' \(found: site, subject\)"):
        matching(runs, {"bold": "a.nii"}, "key")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"site": "Essen"}, "(site is Essen); did you mean 'essen'?"),
        ({"site": "essn"}, "(site is essn); did you mean 'essen'?"),
        ({"site": "kiel"}, "(site is kiel); site has bochum and essen."),
        ({"subject": 1}, '(subject is 1); write "01", in quotes, for 01.'),
        ({"subject": "sub-02"}, "(subject is sub-02); did you mean '02'?"),
        ({"subject": 3}, "(subject is 3); subject has 01 and 02."),
        ({"subject": "02", "site": "essen"}, "(subject is 02; site is essen); each of these has runs, but none"),
    ],
)
def test_a_choice_that_matches_no_run_is_told_what_there_is(table, wanted, sentence):
    runs = read_runs(table("subject bold site", "01 a.nii essen", "02 b.nii bochum"))
    with pytest.raises(InputError) as caught:
        matching(runs, wanted, "key")
    assert f"key: no run of the runs table matches {sentence}" in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "key"),
    [(["site"], "name"), (["name"], "run_name"), (["name", "run_name", "reason"], "run_run_name"), ([], "name")],
)
def test_a_column_of_the_runs_table_may_be_called_anything(table, columns, key):
    words = " ".join(["Ann", "Bob", "Cleo"][: len(columns)])
    runs = read_runs(table(" ".join(["subject bold", *columns]), f"01 x.nii {words}".rstrip()))
    (row,) = rows_of(runs, runs)
    assert next(iter(row)) == key
    assert row[key] == "sub-01"
    assert [row[column] for column in columns] == words.split()


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"site": ["essen", "Bochum"]}, "key: no run has site 'Bochum'; did you mean 'bochum'?"),
        ({"subject": ["01", 2]}, "key: no run has subject '2'; write \"02\", in quotes, for 02."),
        ({"subject": ["01", "03"]}, "key: no run has subject '03'; subject has 01 and 02."),
    ],
)
def test_a_value_that_no_run_has_is_no_way_to_leave_runs_out(table, wanted, sentence):
    """Also where others of the list have runs, so that something is left."""
    runs = read_runs(table("subject bold site", "01 a.nii essen", "02 b.nii bochum"))
    assert matching(runs, wanted, "key")
    with pytest.raises(InputError, match=re.escape(sentence)):
        check_values(runs, wanted, "key")


def test_values_that_some_run_has_pass(table):
    runs = read_runs(table("subject bold site", "01 a.nii essen", "02 b.nii bochum"))
    check_values(runs, {"site": ["essen", "bochum"], "subject": "01"}, "key")
    check_values(runs, {}, "key")
