"""Snakemake in forks of one interpreter that has imported it: a start without the second that the imports cost.

Each call is a process of its own, which parses, plans and runs as ever. Only the imports of others' packages, and so
the seed of the hashes of strings, are shared by the calls of one worker; `Project.anew` starts an interpreter.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

# What Snakemake and our Snakefile import from others, beside what snakemake.cli itself imports.
IMPORTED = (
    *("snakemake.cli", "snakemake.report.html_reporter", "snakemake.storage", "smart_open", "requests", "jsonschema"),
    *("nibabel", "isal.igzip_threaded", "yte", "docutils.core", "pygments", "jinja2"),
)
LONGEST = 1 << 20  # bytes of an order


class Starter:
    """The interpreter that is forked, as seen from the tests."""

    def __init__(self) -> None:
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
                env={**environment, "OPENBLAS_NUM_THREADS": "1"},  # a fork would have none of its threads
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


if __name__ == "__main__":
    import gc
    from importlib import import_module

    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    with socket.socket(fileno=os.dup(0)) as orders:
        serve(orders)
    from snakemake.cli import main

    sys.exit(main())
