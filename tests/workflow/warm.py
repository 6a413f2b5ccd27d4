"""Snakemake, and its server of scripts, in forks of one interpreter that has imported what they import from others.

So a start lacks the seconds that imports cost. Each call is a process of its own, which parses, plans and runs as ever,
and so is the server that it starts. Only the imports of others' packages, and so the seed of the hashes of strings, are
shared by the calls of one worker; `Project.anew` starts interpreters.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from threading import Lock

# What Snakemake and our Snakefile import from others, beside what snakemake.cli itself imports.
IMPORTED = (
    *("snakemake.cli", "snakemake.report.html_reporter", "snakemake.storage", "smart_open", "requests", "jsonschema"),
    *("nibabel", "isal.igzip_threaded", "yte", "docutils.core", "pygments", "jinja2"),
)
# What the scripts import.
IMPORTED_BY_SCRIPTS = (
    *("scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.signal", "scipy.spatial", "scipy.stats"),
    *("pandas", "formulaic", "numba", "matplotlib.figure", "matplotlib.backends.backend_agg"),
)
SERVER = "sphereconn_runner/server.py"
LONGEST = 1 << 20  # bytes of an order


class Starter:
    """The interpreter that is forked, as seen from the tests.

    ``environment`` is what has to be set when the packages are imported.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = Lock()
        self._orders: socket.socket | None = None

    def run(
        self, arguments: Sequence[str], directory: Path, environment: dict[str, str]
    ) -> subprocess.CompletedProcess:
        """Run Snakemake, output and errors together in stdout."""
        order = {"arguments": list(arguments), "directory": str(directory), "environment": environment}
        with self._lock, tempfile.TemporaryFile() as said:
            if self._orders is None:
                self._start()
            socket.send_fds(self._orders, [json.dumps(order).encode()], [said.fileno()])
            status = int(self._orders.recv(LONGEST))
            said.seek(0)
            return subprocess.CompletedProcess(["snakemake", *arguments], status, said.read().decode())

    def _start(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", __file__],
                stdin=theirs.fileno(),
                env={**environment, **self._environment},
            )
        atexit.register(process.wait)
        atexit.register(self._orders.close)


def serve(orders: socket.socket) -> None:
    """Fork for each order; return in the fork, and end when nobody is left to order."""
    while True:
        order, descriptors, *_ = socket.recv_fds(orders, LONGEST, 1)
        if not order:
            sys.exit()
        fork = os.fork()
        if fork == 0:
            become(json.loads(order), *descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(fork, 0)
        orders.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(order: dict, output: int) -> None:
    """Become the process that was ordered, as if a person had started Snakemake there."""
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    program = str(Path(sys.executable).with_name("snakemake"))
    sys.argv = [program, *order["arguments"]]
    sys.path.insert(0, str(Path(program).parent))


class Fork:
    """A fork of this process, as much of it as is asked for of a `subprocess.Popen`."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                act()
            finally:
                os._exit(1)

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def wait(self, timeout: float = float("inf")) -> int:
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(SERVER, timeout)
            time.sleep(0.002)
        return self.returncode

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def fork_servers() -> None:
    """Let Snakemake fork its server of scripts where it would start an interpreter for it."""
    start, modules, path = subprocess.Popen, set(sys.modules), list(sys.path)

    def popen(command: Sequence[str], *arguments: object, **options: object) -> subprocess.Popen | Fork:
        if not (isinstance(command, list) and len(command) == 4 and command[2].endswith(SERVER)):
            return start(command, *arguments, **options)

        def become_server() -> None:
            gc.freeze()  # what Snakemake has opened is closed here, and must not be closed again
            os.dup2(options["stdin"], 0)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.environ.clear()
            os.environ.update(options["env"])
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            for name in set(sys.modules) - modules:
                del sys.modules[name]
            sys.argv, sys.path = command[2:], path
            runpy.run_path(command[2], run_name="__main__")
            os._exit(0)

        return Fork(become_server)

    subprocess.Popen = popen


if __name__ == "__main__":
    for name in IMPORTED + IMPORTED_BY_SCRIPTS:
        import_module(name)
    import_module("snakemake.cli").get_argument_parser()  # which looks for plugins among all packages
    fork_servers()
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as orders:
        serve(orders)
    from snakemake.cli import main

    sys.exit(main())
