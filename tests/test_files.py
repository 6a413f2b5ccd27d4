"""Tables of numbers come back as they were written."""

import errno
import gzip
import io
import os
import re
import stat
import tempfile
import zipfile

import numpy as np
import pytest

from sphereconn import files
from sphereconn.errors import InputError
from sphereconn.files import number_hint, read_columns, read_matrix, read_rows, to_number, write_matrix

RANDOM = np.random.default_rng(0).standard_normal((5, 5))
SYMMETRIC = RANDOM + RANDOM.T
MATRICES = {
    "symmetric": SYMMETRIC,
    "not symmetric": RANDOM,
    "with a missing node": np.where(np.eye(5)[2] + np.eye(5)[:, [2]] > 0, np.nan, SYMMETRIC),
    "not symmetric, with a missing edge": np.where(np.eye(5, k=1) > 0, np.nan, RANDOM),
    "of one node": np.array([[2.0]]),
    "of no node": np.empty((0, 0)),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_a_matrix_is_read_as_it_was_to_seven_digits(tmp_path, kind):
    matrix = MATRICES[kind]
    names = [f"node {number}" for number in range(len(matrix))]
    write_matrix(tmp_path / "matrix.tsv", names, matrix)
    found_names, found = read_matrix(tmp_path / "matrix.tsv")
    assert found_names == names
    np.testing.assert_allclose(found, matrix, rtol=5e-7)  # half of the seventh digit of 1.000000
    written = (tmp_path / "matrix.tsv").read_bytes()
    write_matrix(tmp_path / "again.tsv", names, found)
    assert (tmp_path / "again.tsv").read_bytes() == written


@pytest.mark.parametrize(
    ("number", "cell"),
    [(0.0, "0"), (1.0, "1"), (-1 / 3, "-0.3333333"), (1e-9 / 3, "3.333333e-10"), (np.nan, "n/a"), (np.inf, "n/a")],
)
def test_a_cell_of_a_matrix_has_seven_digits_or_says_that_it_is_missing(tmp_path, number, cell):
    for matrix in (np.full((2, 2), number), np.array([[1, number], [2, number]])):
        write_matrix(tmp_path / "matrix.tsv", ["a", "b"], matrix)
        assert (tmp_path / "matrix.tsv").read_text().splitlines()[1].split("\t")[2] == cell


def test_counts_are_written_as_whole_numbers(tmp_path):
    write_matrix(tmp_path / "n.tsv", ["a", "b"], np.array([[3, 12345678], [12345678, 3]]))
    assert (tmp_path / "n.tsv").read_text() == "node\ta\tb\na\t3\t12345678\nb\t12345678\t3\n"


def test_a_large_scratch_array_lies_in_a_file_that_nobody_sees_and_in_memory_where_the_disk_is_full(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(files, "_LARGE_ARRAY", 1000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def mapped(array):
        return isinstance(array.base, np.memmap)

    large, small = files.scratch((20, 30)), files.scratch((2, 3))
    assert type(large) is type(small) is np.ndarray and mapped(large) and not mapped(small)
    large[:] = np.arange(600).reshape(20, 30)
    assert large.sum() == 600 * 599 / 2 and list(tmp_path.iterdir()) == []

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    in_memory = files.scratch((20, 30))
    assert in_memory.shape == (20, 30) and not mapped(in_memory)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_result_is_as_readable_as_the_umask_of_the_user_allows(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_matrix(tmp_path / "matrix.tsv", ["a"], np.eye(1))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "matrix.tsv").stat().st_mode) == mode


def workbook():
    with io.BytesIO() as content:
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("xl/workbook.xml", "<workbook/>")
        return content.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (workbook(), "a workbook of a spreadsheet program or a zip archive; save the table as tab-separated text"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "a workbook of an old spreadsheet program"),
        (gzip.compress(b"subject\tbold\n01\tb.nii\n"), "compressed (gzip); unpack it first"),
        ("subject\tbold\n".encode("utf-16"), "UTF-16 text; save it as UTF-8"),
        (b"\xfe\xff" + "subject\tbold\n".encode("utf-16-be"), "UTF-16 text; save it as UTF-8"),
    ],
    ids=["xlsx", "xls", "gzip", "UTF-16, little end first", "UTF-16, big end first"],
)
def test_a_file_that_is_no_plain_text_is_named_for_what_it_is(tmp_path, content, kind):
    path = tmp_path / "runs.tsv"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=re.escape(f"runs.tsv: a tab-separated table is expected, and this file is {kind}")
    ):
        read_rows(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("subject,task,bold\n01,rest,b.nii\n", "this one looks like commas"),
        ("subject;task;bold\n01;rest;b.nii\n", "this one looks like semicolons"),
        ("subject  task  bold\n01       rest  b.nii\n", "this one looks like spaces"),
        (" 1.1e-02  3.0e+00 -1\n 2.0 3 -1\n", "the first line holds numbers; it must name the columns"),
        ("0.5\t-1.25\n0.25\t1.0\n", "the first line holds numbers"),
        ("0.5,1\n0.25,1.5\n", "the first line holds numbers"),
        ("# my runs\nsubject\tbold\n", "the first line is a comment"),
        ('"subject"\t"bold"\n"01"\t"b.nii"\n', "in quotes; write the table without quotes (in R: quote = FALSE)"),
        ("subject\n01\tb\n", "line 2 has 2 cells, the first line names 1 column ("),
    ],
)
def test_a_table_as_another_program_writes_it_is_recognized(tmp_path, text, sentence):
    (tmp_path / "a.tsv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_rows(tmp_path / "a.tsv")
    assert sentence in str(caught.value)
    if "line 2" not in sentence:  # the columns alone are read with the same words
        with pytest.raises(InputError) as of_columns:
            read_columns(tmp_path / "a.tsv")
        assert str(of_columns.value) == str(caught.value)


@pytest.mark.parametrize("text", ["csf\n1\n", "0\t1\t2\n0.5\t1\t2\n", "a, b\nc\n", "the name\nof one\n1\n"])
def test_what_only_resembles_it_is_read(tmp_path, text):
    (tmp_path / "a.tsv").write_text(text)
    assert read_rows(tmp_path / "a.tsv")[0] == read_columns(tmp_path / "a.tsv")


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("\u221246", " (its minus sign is another character; type -)"),
        ("\u20134.5", " (its minus sign is another character; type -)"),
        ("-46,5", " (decimals are written with a point)"),
        ("1_000", " (digits are not grouped)"),
        ("left", ""),
        ("inf", ""),
        ("-2", ""),
    ],
)
def test_what_looks_like_a_number_and_is_none_gets_a_hint(cell, hint):
    assert number_hint(cell) == hint


@pytest.mark.parametrize("cell", ["1_0", "_1", "1__0", "٣", "１", "0x10", "1,5", "", "one"])
def test_what_people_do_not_read_as_a_number_is_none(cell):
    with pytest.raises(ValueError, match=r".*"):
        to_number(cell)


@pytest.mark.parametrize(("cell", "number"), [("-1.5e-3", -0.0015), ("+2", 2), (".5", 0.5), ("7.", 7)])
def test_a_number_is_read_in_every_common_form(cell, number):
    assert to_number(cell) == number
