"""Run the Python scripts of rules in forks of one interpreter that has the modules already, not in a new one each.

A fresh interpreter with numpy and what Snakemake puts before a script costs 0.3 s of CPU, one that draws 0.8 s. That is
more than most jobs here need for their work. A fork costs some milliseconds. The interpreter that is forked
(`server.py`) starts with the jobs of a Snakemake process and ends with that process, so it never has the code of
yesterday. Upstream: #3143 and #3635, open. Until Snakemake reuses interpreters itself.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from snakemake.exceptions import WorkflowError
from snakemake.script import PythonScript
from snakemake.sourcecache import LocalSourceFile

from sphereconn_runner.scheduler import INTERRUPTED

SINGLE_THREADED = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")} | {
    "VECLIB_MAXIMUM_THREADS": "1"
}

# glibc gives the memory of a large array back at once, and the next array comes zeroed, page by page: a tenth of the
# time of a sparse fit. Arrays of up to 32 MB, the most that it allows, come from memory that stays.
MEMORY_STAYS = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}

# What the server is sent for a signal that the scripts are to get; it turns them back.
PASSED_ON: dict[int, int] = {signal.SIGINT: signal.SIGUSR1, signal.SIGTERM: signal.SIGUSR2}

T = TypeVar("T")
SERVER = Path(__file__).with_name("server.py")
LIMITS = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
PATIENCE = 60.0  # seconds to wait for a process or a file that the limits of the system do not allow now
ON_ITS_WAY = 1.0  # seconds until a signal that has ended a job has reached Snakemake, too
LAST_WAIT = 10.0  # seconds that the server has to end when it is idle


class NotRunError(Exception):
    """Why a script has not been run to its end, in a person's words."""


class ScriptServer:
    """The interpreter that runs scripts in forks of itself, as seen from Snakemake.

    Parameters
    ----------
    library
        The folder whose modules the scripts import. No other folder of this workflow or of the user's is on the path of
        the interpreter, and no `PYTHONPATH`.
    """

    def __init__(self, library: str) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._known: dict[str, str] = {}  # modules that scripts have imported, and their files
        self._untold: dict[str, str] = {}  # of these, what the present interpreter has not heard of
        atexit.register(self._end)

    def run(self, script: str, environment: dict[str, str]) -> int:
        """Run a script as the main module and give its exit status, negative for the signal that ended it."""
        ours, theirs = patiently(socket.socketpair)
        with ours:
            with theirs:
                modules = self._hand_over(theirs)
            order = {"script": script, "directory": os.getcwd(), "environment": environment, "modules": modules}
            # Where the far end is gone, so are the server and the fork, which alone have it.
            with contextlib.suppress(OSError), ours.makefile() as answers:
                ours.sendall(json.dumps(order).encode())
                ours.shutdown(socket.SHUT_WR)
                for line in answers:
                    with contextlib.suppress(json.JSONDecodeError):  # a fork ended amid its words
                        said = json.loads(line)
                        if "status" in said:
                            return int(said["status"])
                        if "refused" in said:
                            raise NotRunError(
                                f"no further process could be started ({said['refused']}); use fewer --cores"
                            )
                        self._remember(said["modules"])
        raise NotRunError("the interpreter that runs the scripts was ended from outside, and this job with it")

    def _hand_over(self, job: socket.socket) -> list[tuple[str, str]]:
        """Give the server the socket of a job; the modules that it shall import."""
        with self._lock:
            self._be_there()
            assert self._orders is not None
            with contextlib.suppress(OSError):  # it has ended just now, which is noticed by the socket of the job
                socket.send_fds(self._orders, [b"."], [job.fileno()])
            modules, self._untold = list(self._untold.items()), {}
        return modules

    def start(self) -> None:
        """Start the interpreter now, before other processes take the place that it needs."""
        with self._lock:
            self._be_there()

    def pass_on(self, number: int) -> None:
        """Tell the running scripts of Ctrl-C or SIGTERM, which may have come to Snakemake alone.

        A signal handler calls this, so it waits for no lock.
        """
        if self._process is not None:
            self._process.send_signal(PASSED_ON[number])

    def _be_there(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        if self._orders is not None:
            self._orders.close()
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self._orders, theirs = patiently(socket.socketpair)
        with theirs:
            self._process = patiently(
                lambda: subprocess.Popen(
                    [sys.executable, "-P", str(SERVER), self._library],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={**environment, **SINGLE_THREADED, **MEMORY_STAYS},
                )
            )
        self._untold = dict(self._known)

    def _remember(self, modules: list[tuple[str, str]]) -> None:
        with self._lock:
            new = {name: origin for name, origin in modules if name not in self._known}
            self._known |= new
            self._untold |= new

    def _end(self) -> None:
        """End the server by taking its orders away, and wait, so that what it cost is counted as Snakemake's."""
        if self._process is not None and self._orders is not None:
            self._orders.close()
            try:
                self._process.wait(LAST_WAIT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def patiently(act: Callable[[], T]) -> T:
    """Do what may fail because a limit of the system is reached, again and again for a while."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except OSError as problem:
            if problem.errno not in LIMITS or time.monotonic() > end:
                raise
        time.sleep(0.5)


def run_scripts_warm(server: ScriptServer, scripts: Path) -> None:
    """Let Snakemake run the scripts of a folder in forks, where a script needs no other environment."""
    cold = PythonScript.execute_script
    if getattr(cold, "is_warm", False):
        return
    folder = scripts.resolve()

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:
        path = self.path.get_path_or_uri(secret_free=True) if isinstance(self.path, LocalSourceFile) else ""
        elsewhere = self.container_img or self.conda_env or self.env_modules or self.shadow_dir or self.bench_record
        if elsewhere or Path(path).resolve().parent != folder:
            cold(self, fname, edit)
            return
        temporary = self.resources.get("tmpdir")
        variables = dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), temporary) if temporary else {}
        try:
            status = server.run(fname, variables)
        except NotRunError as problem:
            INTERRUPTED.wait(ON_ITS_WAY)
            tell(self.log, str(problem))
            raise WorkflowError(str(problem)) from None
        told_to_end = -status in (signal.SIGINT, signal.SIGTERM) and INTERRUPTED.wait(ON_ITS_WAY)
        if told_to_end and status == -signal.SIGINT:
            raise KeyboardInterrupt
        if status < 0:
            tell(self.log, ended_by(-status))
        if status:
            raise subprocess.CalledProcessError(status, [sys.executable, fname])

    execute_script.is_warm = True  # type: ignore[attr-defined]
    PythonScript.execute_script = execute_script


def ended_by(number: int) -> str:
    """Say what a signal means to whoever finds that it has ended a job."""
    names = {known.value: known.name for known in signal.Signals}
    reasons = {"SIGKILL": ", perhaps because memory ran out", "SIGTERM": ", perhaps because its time limit was reached"}
    name = names.get(number, f"signal {number}")
    return f"the job was ended by {name}{reasons.get(name, '')}"


def tell(logs: Any, reason: str) -> None:
    """Write the reason why a job ended at the end of its log, where the job could not."""
    for path in list(logs)[:1]:
        with contextlib.suppress(OSError):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a", encoding="utf-8") as log:
                print(f"error: {reason}.", file=log)
