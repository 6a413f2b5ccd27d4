"""The ledger: results count as made when they, and all that they were made of, are what they were then."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from sphereconn import ledger
from sphereconn.ledger import FOLDER, Change, Ledger, Writer, made_here, settings_digest

SETTINGS = settings_digest([("radius", 8.0)])
INPUTS = [("bold", "data/bold.nii.gz"), ("signals", "out/signals.tsv")]
RESULTS = ["out/matrix.tsv", "out/matrix.json"]
SIGNALS = ["out/signals.tsv"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Two jobs have run: signals of an image, and a matrix of the signals (and, to have both kinds, the image)."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/bold.nii.gz").write_bytes(b"image")
    writer = Writer("out")
    make(writer, INPUTS[:1], {SIGNALS[0]: "signals"})
    make(writer, INPUTS, {RESULTS[0]: "matrix", RESULTS[1]: "{}"})
    return writer


def make(writer, inputs, contents):
    before = writer.look(inputs)
    for path, content in contents.items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(content)
    writer.add(SETTINGS, inputs, before, list(contents))


def change(settings=SETTINGS, inputs=None, results=RESULTS):
    return Ledger("out").change(results, lambda: (settings, INPUTS if inputs is None else inputs))


def change_of_signals():
    return change(inputs=INPUTS[:1], results=SIGNALS)


def replaced_by(content, time):
    def edit():
        Path("data/bold.nii.gz").write_bytes(content)
        os.utime("data/bold.nii.gz", ns=(time, time))

    return edit


def test_what_is_as_it_was_made_needs_nothing(study):
    assert change() is None
    Ledger("out").settle()
    assert [path.name for path in Path("out", FOLDER).iterdir()] == [ledger.SETTLED]
    assert change() is None


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda: os.utime("data/bold.nii.gz"), None),
        (lambda: os.utime("out/matrix.tsv"), None),
        (lambda: Path("out/matrix.tsv").unlink(), None),  # whether it is needed is not the ledger's to say
        (lambda: [Path(path).unlink() for path in RESULTS], None),
        (lambda: Path("data/bold.nii.gz").unlink(), None),
        (replaced_by(b"IMAGE", 10**18), Change("source", "data/bold.nii.gz")),
        (replaced_by(b"older image", 10**18), Change("source", "data/bold.nii.gz")),
        (replaced_by(b"image", 10**18), None),
        (lambda: Path("out/matrix.json").write_text(""), Change("result", "out/matrix.json")),
        (lambda: Path("out/matrix.tsv").write_text("mAtrix"), Change("result", "out/matrix.tsv")),
        (lambda: shutil.rmtree(Path("out", FOLDER)), Change("unrecorded", "out/matrix.tsv")),
    ],
)
def test_a_change_is_noticed_whatever_the_times_and_a_new_time_is_none(study, edit, found, settled):
    if settled:
        Ledger("out").settle()
    edit()
    assert change() == found


def test_other_settings_or_inputs_are_noticed(study):
    assert change(settings=settings_digest([("radius", 9.0)])) == Change("settings")
    assert change(inputs=INPUTS[1:]) == Change("inputs")
    assert change(inputs=[("mask", path) for _, path in INPUTS]) == Change("inputs")
    assert change(inputs=INPUTS[::-1]) is None


def test_the_order_of_keys_is_no_other_setting():
    assert settings_digest([("a", {"b": 1, "c": [2]})]) == settings_digest([("a", {"c": [2], "b": 1})])
    assert settings_digest([("low", 1), ("high", 2)]) != settings_digest([("low", 2), ("high", 1)])


def test_a_result_made_anew_reaches_what_is_made_of_it_only_if_it_is_another(study):
    make(study, INPUTS[:1], {SIGNALS[0]: "signals"})
    assert change() is None
    make(study, INPUTS[:1], {SIGNALS[0]: "others"})
    assert change_of_signals() is None
    assert change() == Change("inputs")


def test_an_input_that_changes_while_it_is_read_leaves_no_record(study):
    before = study.look(INPUTS)
    os.utime("data/bold.nii.gz", ns=(1, 1))
    Path("out/new.tsv").write_text("new")
    study.add(SETTINGS, INPUTS, before, ["out/new.tsv"])
    assert change(results=["out/new.tsv"]) == Change("unrecorded", "out/new.tsv")


def test_a_folder_that_is_moved_or_copied_keeps_its_ledger(study):
    Path("data/other").mkdir()
    shutil.copytree("out", "data/other/out", copy_function=shutil.copyfile)
    moved = [path.replace("out/", "data/other/out/") for path in RESULTS]
    inputs = [(name, path.replace("out/", "data/other/out/")) for name, path in INPUTS]
    copy = Ledger("data/other/out")
    assert copy.change(moved, lambda: (SETTINGS, inputs)) is None
    copy.settle()
    assert Ledger("data/other/out")._is(moved[0], made_here("data/other/out")["matrix.tsv"])
    Path(moved[0]).write_text("mAtrix")
    assert Ledger("data/other/out").change(moved, lambda: (SETTINGS, inputs)) == Change("result", moved[0])


def test_once_read_through_a_touched_file_is_known_by_its_new_time(study, monkeypatch):
    os.utime("data/bold.nii.gz", ns=(1, 1))
    first = Ledger("out")
    assert first.change(RESULTS, lambda: (SETTINGS, INPUTS)) is None
    first.settle()
    monkeypatch.setattr(ledger, "checksum", lambda path: pytest.fail(f"{path} was read"))
    assert change() is None


@pytest.mark.parametrize("put", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
@pytest.mark.parametrize("name", [ledger.SETTLED, "computer-1-18a2b3c4d5e6f7a8.jsonl"])
def test_what_is_no_file_in_the_place_of_a_log_is_no_record_and_nothing_waits_for_it(study, put, name):
    put(Path("out", FOLDER, name))
    reading = threading.Thread(target=made_here, args=("out",), daemon=True)
    reading.start()
    reading.join(10)
    assert not reading.is_alive(), "still waiting for the pipe"
    assert change() is None
    Ledger("out").settle()
    assert change() is None


def test_a_file_of_a_persons_beside_the_logs_stays(study):
    notes = Path("out", FOLDER, "notes-2026.jsonl")
    notes.write_text('{"note": "mine"}\n')
    Ledger("out").settle()
    assert sorted(path.name for path in Path("out", FOLDER).iterdir()) == [ledger.SETTLED, notes.name]
    assert notes.read_text() == '{"note": "mine"}\n'


@pytest.mark.parametrize("length", [0, 1, 40, -2])
def test_a_log_that_is_cut_short_loses_no_other_line(study, length):
    (log,) = Path("out", FOLDER).iterdir()
    whole = log.read_bytes()
    lines = whole.splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]) + lines[-1][:length])
    assert change_of_signals() is None
    assert change() == Change("unrecorded", "out/matrix.tsv")
    log.write_bytes(b"".join(lines[:-1]) + bytes(len(lines[-1])))  # as XFS and ext4 leave the end of a file
    assert change_of_signals() is None
    assert change() == Change("unrecorded", "out/matrix.tsv")


def test_after_a_power_cut_results_are_read_through_unless_the_disk_had_them(study, monkeypatch):
    # The size and the time of a file may be on the disk, and its content not.
    there = os.stat("out/matrix.tsv")
    Path("out/matrix.tsv").write_bytes(bytes(there.st_size))
    os.utime("out/matrix.tsv", ns=(there.st_atime_ns, there.st_mtime_ns))
    assert change() is None
    monkeypatch.setattr(ledger, "_boot", lambda: "another")
    assert change() == Change("result", "out/matrix.tsv")
    assert change_of_signals() is None
    # What was settled was on the disk before: then size and time tell.
    Ledger("out").settle()
    assert change_of_signals() is None
    assert change() == Change("result", "out/matrix.tsv")


def test_two_processes_that_write_at_once_lose_no_record(study):
    make(Writer("out"), INPUTS[:1], {SIGNALS[0]: "others"})
    make(study, INPUTS, {RESULTS[0]: "other", RESULTS[1]: "{}"})
    assert len(list(Path("out", FOLDER).iterdir())) == 2
    assert change() is None
    Ledger("out").settle()
    assert change() is None and change_of_signals() is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_without_room_for_a_record_a_job_runs_again_and_the_next_is_recorded(study):
    study._log = Path("/dev/full")
    make(study, INPUTS[:1], {"out/more.tsv": "more"})
    make(study, INPUTS[:1], {"out/last.tsv": "last"})
    assert change(inputs=INPUTS[:1], results=["out/more.tsv"]) == Change("unrecorded", "out/more.tsv")
    assert change(inputs=INPUTS[:1], results=["out/last.tsv"]) is None


def test_what_other_machines_have_made_meanwhile_is_not_read_through(study, monkeypatch):
    before = Ledger("out")
    monkeypatch.setattr(ledger, "_boot", lambda: "of a node of the cluster")
    make(Writer("out"), INPUTS[:1], {SIGNALS[0]: "signals"})
    monkeypatch.undo()
    monkeypatch.chdir(Path("data").resolve().parent)
    before.settle()
    monkeypatch.setattr(ledger, "checksum", lambda path: pytest.fail(f"{path} was read"))
    assert change_of_signals() is None and change() is None


def test_results_that_snakemake_touches_after_they_were_made_are_not_read_through(study, monkeypatch):
    before = Ledger("out")
    make(study, INPUTS, {RESULTS[0]: "matrix", RESULTS[1]: "{}"})
    for path in RESULTS:
        os.utime(path)
    before.settle()
    monkeypatch.setattr(ledger, "checksum", lambda path: pytest.fail(f"{path} was read"))
    assert change() is None


def test_what_was_made_here_is_listed_with_size_and_checksum(study):
    Path("out/notes.txt").write_text("a person's")
    made = made_here("out")
    assert set(made) == {"signals.tsv", "matrix.tsv", "matrix.json"}
    assert made["matrix.json"][::2] == (2, ledger.checksum("out/matrix.json"))
    assert made_here("data") == {}


def test_the_checksum_is_of_all_bytes(tmp_path):
    path = tmp_path / "large"
    content = bytearray(os.urandom(3 << 20))
    path.write_bytes(content)
    before = ledger.checksum(path)
    for place in (0, 1 << 20, (3 << 20) - 1):
        content[place] ^= 1
        path.write_bytes(content)
        assert ledger.checksum(path) != before
        content[place] ^= 1
