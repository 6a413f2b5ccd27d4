"""Byte code that a full disk has cut short is removed before Python would read it."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BYTE_CODE = Path(__file__).parents[1] / "workflow" / "lib" / "sphereconn_runner" / "byte_code.py"


@pytest.mark.parametrize("kept", [0, 15, 17, 100])
def test_byte_code_cut_short_is_removed_and_other_stays(tmp_path, kept):
    lib = tmp_path / "lib"
    (lib / "runner").mkdir(parents=True)
    shutil.copy(BYTE_CODE, lib / "runner" / "byte_code.py")
    for name in ("whole", "cut"):
        (lib / f"{name}.py").write_text("text = 'x' * 1000\ndef function(argument):\n    return [argument]\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = [sys.executable, "-c", "import whole, cut"]
    subprocess.run(start, cwd=lib, env=environment, check=True)
    (cut,) = lib.glob("__pycache__/cut.*.pyc")
    cut.write_bytes(cut.read_bytes()[:kept])
    if kept > 16:  # Python itself sees that the header is missing
        assert subprocess.run(start, cwd=lib, env=environment, stderr=subprocess.DEVNULL, check=False).returncode
    runpy.run_path(str(lib / "runner" / "byte_code.py"))
    assert not cut.exists()
    assert len(list(lib.glob("__pycache__/whole.*.pyc"))) == 1
    subprocess.run(start, cwd=lib, env=environment, check=True)
