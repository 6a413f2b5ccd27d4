"""A power cut: what the disk had at some moment, mounted again. No result that counts as made lacks its content."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from sphereconn import ledger
from sphereconn.files import write_if_changed, write_json
from sphereconn.ledger import Ledger, Writer, made_here

MEGABYTE = 1 << 20
SIZES = {"ext4": 32, "xfs": 320, "btrfs": 128}  # MB, the least that each takes
SETTINGS = "settings"
N_RESULTS = 60
CONTENT = {"Numbers": list(range(3000))}


@contextmanager
def mounted(image, folder):
    folder.mkdir()
    done = subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a loop device cannot be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        os.chdir(folder.parent)
        subprocess.run(["umount", folder], check=True)


def make(writer, name):
    before = writer.look([])
    write_json(f"out/{name}.json", CONTENT)
    writer.add(SETTINGS, [], before, [f"out/{name}.json"])


@pytest.mark.parametrize("kind", SIZES)
def test_after_a_power_cut_a_result_is_whole_or_made_again(tmp_path, monkeypatch, kind):
    if os.geteuid() or not shutil.which(f"mkfs.{kind}"):
        pytest.skip(f"needs root and mkfs.{kind}")
    image, cut = tmp_path / "image", tmp_path / "cut"
    with open(image, "wb") as file:
        file.truncate(SIZES[kind] * MEGABYTE)
    subprocess.run([f"mkfs.{kind}", "-q", image], check=True)
    with mounted(image, tmp_path / "disk"):
        monkeypatch.chdir(tmp_path / "disk")
        os.sync()
        writer = Writer("out")
        for number in range(N_RESULTS):
            make(writer, f"settled{number}")
        Ledger("out").settle()
        writer = Writer("out")
        write_if_changed("mark", b"of the study", synced=True)
        for number in range(N_RESULTS):
            make(writer, f"late{number}")
        # The worst moment: the records are on the disk, and with them the names of the results, but not their content.
        (log,) = (path for path in Path("out", ledger.FOLDER).iterdir() if path.name != ledger.SETTLED)
        with open(log, "ab") as file:
            os.fsync(file.fileno())
        shutil.copy(image, cut)  # the moment of the cut
        monkeypatch.chdir(tmp_path)
    with mounted(cut, tmp_path / "again"):
        monkeypatch.chdir(tmp_path / "again")
        monkeypatch.setattr(ledger, "_boot", lambda: "after the cut")
        whole = (tmp_path / "whole.json", CONTENT)
        write_json(*whole)
        expected = whole[0].read_bytes()
        held = Ledger("out")
        assert Path("mark").read_bytes() == b"of the study"
        for name in (f"{kind}{number}" for kind in ("settled", "late") for number in range(N_RESULTS)):
            path = Path(f"out/{name}.json")
            made = path.exists() and held.change([str(path)], lambda: (SETTINGS, [])) is None
            assert not made or path.read_bytes() == expected
            assert made or name.startswith("late")
        assert {f"settled{number}.json" for number in range(N_RESULTS)} <= set(made_here("out"))
        assert f"late{N_RESULTS - 1}.json" in made_here("out")
        monkeypatch.chdir(tmp_path)
