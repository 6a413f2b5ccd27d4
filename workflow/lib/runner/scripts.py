"""Run the Python scripts of rules in forks of one interpreter that has the modules already, not in a new one each.

A fresh interpreter with numpy and what Snakemake puts before a script costs 0.3 s of CPU, one that draws 0.8 s. That is
more than most jobs here need for their work. A fork costs some milliseconds. The interpreter that is forked
(`runner.server`) starts with the first script of a Snakemake process and ends with that process, so it never has the
code of yesterday.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from typing import Any

from snakemake.script import PythonScript

SINGLE_THREADED = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")} | {
    "VECLIB_MAXIMUM_THREADS": "1"
}

# glibc gives the memory of a large array back at once, and the next array comes zeroed, page by page: a tenth of the
# time of a sparse fit. Arrays of up to 32 MB, the most that it allows, come from memory that stays.
MEMORY_STAYS = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}


class ScriptServer:
    """The interpreter that runs scripts in forks of itself, as seen from Snakemake."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._running: dict[int, Future[int]] = {}
        self._process: subprocess.Popen[str] | None = None

    def run(self, script: str, environment: dict[str, str]) -> int:
        """Run a script as the main module and give its exit status, negative for the signal that ended it."""
        done: Future[int] = Future()
        with self._lock:
            process = self._started()
            number = next(self._numbers)
            self._running[number] = done
            order = {"number": number, "script": script, "directory": os.getcwd(), "environment": environment}
            assert process.stdin is not None
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        return done.result()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "runner.server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **SINGLE_THREADED, **MEMORY_STAYS, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
            threading.Thread(target=self._listen, args=[self._process], daemon=True).start()
            atexit.register(_end, self._process)
        return self._process

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            number, status = json.loads(line)
            with self._lock:
                done = self._running.pop(number)
            done.set_result(status)
        # The server has ended, and with it whatever it still ran.
        with self._lock:
            lost, self._running = self._running, {}
        for done in lost.values():
            done.set_result(-9)


def _end(process: subprocess.Popen[str]) -> None:
    """End a server by taking its input away, and wait, so that what it cost is counted as Snakemake's."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.wait()


def run_scripts_warm() -> None:
    """Let Snakemake run the Python scripts of this workflow in forks, where a script needs no other environment."""
    cold = PythonScript.execute_script
    if getattr(cold, "is_warm", False):
        return
    server = ScriptServer()

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:
        elsewhere = self.container_img or self.conda_env or self.env_modules or self.shadow_dir or self.bench_record
        if elsewhere or self.threads != 1:
            cold(self, fname, edit)
            return
        folder = self.resources.get("tmpdir")
        status = server.run(fname, dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), folder) if folder else {})
        if status:
            raise subprocess.CalledProcessError(status, [sys.executable, fname])

    execute_script.is_warm = True  # type: ignore[attr-defined]
    PythonScript.execute_script = execute_script
