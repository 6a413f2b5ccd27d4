"""What is no file, or only stands for one, is named with its row before anything waits for it."""

import gzip
import os
import time

import nibabel
import numpy as np
import pytest

from sphereconn.errors import InputError
from sphereconn.extract.formats import other_format, sidecar_of
from sphereconn.extract.images import read_header
from sphereconn.files import read_json, read_rows
from sphereconn.study.inputs import check_files, missing_files
from sphereconn.study.runs import read_runs

ANNEX = "/annex/objects/MD5E-s18000000--0123456789abcdef0123456789abcdef.nii.gz\n"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 18000000\n"
MAKERS = {
    "a pipe, a socket or a device": os.mkfifo,
    "this is a folder, not a file": os.mkdir,
    "the pointer of git-annex, not the file; fetch its content (`datalad get`)": lambda path: path.write_text(ANNEX),
    "the pointer of Git LFS, not the file; fetch its content (`git lfs pull`)": lambda path: path.write_text(LFS),
    "this is a broken link; fetch its content (`datalad get`)": lambda path: path.symlink_to("../annex/objects/x"),
}
READERS = {"x.nii.gz": read_header, "x.nii": read_header, "x.tsv": read_rows, "x.json": read_json}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("sentence", MAKERS)
def test_what_is_no_file_is_not_waited_for_by_any_reader(tmp_path, name, sentence):
    path = tmp_path / name
    MAKERS[sentence](path)
    with pytest.raises(InputError) as caught:
        READERS[name](path)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", READERS)
def test_a_terabyte_is_not_read_to_its_end(tmp_path, name):
    path = tmp_path / name
    content = nibabel.Nifti1Image(np.ones((4, 4, 4, 5), "f4"), np.diag([4, 4, 4, 1])).to_bytes()
    path.write_bytes(content if name == "x.nii" else gzip.compress(content) if name == "x.nii.gz" else b"x\n")
    with open(path, "r+b") as file:
        file.truncate(1 << 40)
    started = time.monotonic()
    with pytest.raises(InputError, match=r"the file has 1,099,511,627,776 bytes"):
        READERS[name](path)
    assert time.monotonic() - started < 2


def test_a_name_in_the_gzip_header_that_never_ends_is_damage(tmp_path):
    (tmp_path / "x.nii.gz").write_bytes(b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 600_000)
    with pytest.raises(InputError, match="the file is damaged"):
        read_header(tmp_path / "x.nii.gz")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.img", "half of a pair of header and image; merge them into one .nii.gz file"),
        ("a.HDR", "half of a pair of header and image"),
        ("a.mgz", "a FreeSurfer volume; convert it with mri_convert"),
        ("a.func.gii", "a GIFTI surface"),
        ("sub-01_den-91k_bold.dtseries.nii", "a CIFTI file, of surfaces"),
        ("a.nii.bz2", "compressed by bzip2"),
        ("a+tlrc.BRIK.gz", "half of an AFNI data set"),
        ("a_bold.json", "a sidecar, not an image"),
        ("a", "images must be .nii or .nii.gz files"),
    ],
)
def test_another_format_is_named_with_what_is_read(tmp_path, name, said):
    table = tmp_path / "runs.tsv"
    for column, row in (("bold", f"{name}\tm.nii"), ("mask", f"b.nii\t{name}")):
        table.write_text(f"subject\tbold\tmask\n01\t{row}\n")
        with pytest.raises(InputError) as caught:
            read_runs(table)
        assert f"{table}, row 2, column {column}: '{name}': " in str(caught.value)
        assert said in str(caught.value)
        assert ".nii.gz" in str(caught.value)


@pytest.mark.parametrize("name", ["SUB01.NII.GZ", "sub02.NII", "a.nii.gz", "a.Nii"])
def test_capitals_are_as_good(name):
    assert other_format(name) is None
    assert sidecar_of(name) == name.partition(".")[0] + ".json"


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{number:02d}\t{number:02d}.nii.gz\tc{number:02d}.tsv" for number in range(1, 31)]
    (tmp_path / "runs.tsv").write_text("\n".join(["subject\tbold\tconfounds", *rows]) + "\n")
    for number in range(1, 31):
        (tmp_path / f"{number:02d}.nii.gz").touch()
        (tmp_path / f"c{number:02d}.tsv").touch()
    return read_runs("runs.tsv")


def test_all_missing_files_are_named_with_their_rows(study, tmp_path):
    assert missing_files(study, "runs.tsv") is None
    (tmp_path / "02.nii.gz").unlink()
    (tmp_path / "c04.tsv").unlink()
    (tmp_path / "c04.tsv").symlink_to("gone")
    assert missing_files(study, "runs.tsv").splitlines() == [
        "runs.tsv: 2 files are not there:",
        "    row 3, bold: 02.nii.gz",
        "    row 5, confounds: c04.tsv (this is a broken link; fetch its content (`datalad get`))",
    ]
    for number in range(1, 31):
        (tmp_path / f"{number:02d}.nii.gz").unlink(missing_ok=True)
    lines = missing_files(study, "runs.tsv").splitlines()
    assert (lines[0], len(lines), lines[-1]) == ("runs.tsv: 31 files are not there:", 22, "    and 11 more")


def test_what_cannot_be_read_is_named_with_its_row_and_what_is_missing_is_no_mistake_yet(study, tmp_path):
    (tmp_path / "05.nii.gz").unlink()
    check_files(study, "runs.tsv")
    os.mkfifo(tmp_path / "05.nii.gz")
    os.mkfifo(tmp_path / "06.json")
    (tmp_path / "c07.tsv").write_text(ANNEX)
    with pytest.raises(InputError) as caught:
        check_files(study, "runs.tsv")
    first, *lines = str(caught.value).splitlines()
    assert first == "runs.tsv: 3 files cannot be read:"
    assert [line.split(": ")[0].strip() for line in lines] == [
        "row 6, bold",
        "row 7, sidecar of the image",
        "row 8, confounds",
    ]
