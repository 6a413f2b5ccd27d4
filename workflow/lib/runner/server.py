"""An interpreter that runs scripts in forks of itself: orders come in by standard input, exit statuses go out.

It imports what the scripts before have imported, so the next fork has it; a module that has more to load than its
import does, such as machine code, defines a function `warm_up`. The interpreter must never have a second thread.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any, NoReturn, TextIO


@dataclass
class Server:
    """The forks that run, by process and by the pipe on which each names its modules."""

    answers: TextIO
    numbers: dict[int, int] = field(default_factory=dict)  # process -> number of the order
    reports: dict[int, int] = field(default_factory=dict)  # pipe -> process

    def start(self, order: dict[str, Any]) -> None:
        """Fork, and run the script of an order in the fork."""
        ours, theirs = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(ours)
            _run(order, theirs)
        os.close(theirs)
        self.numbers[process] = order["number"]
        self.reports[ours] = process

    def finish(self, pipe: int) -> None:
        """Wait for a fork that has closed its pipe, pass on its status, and import the modules that it needed."""
        process = self.reports.pop(pipe)
        with open(pipe, encoding="utf-8") as report:
            modules = report.read().split()
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        print(json.dumps([self.numbers.pop(process), status]), file=self.answers, flush=True)
        for module in modules:
            with contextlib.suppress(Exception):  # a script will meet it again, and say so in its log
                imported = importlib.import_module(module)
                if hasattr(imported, "warm_up"):
                    imported.warm_up()

    def stop(self) -> None:
        """End all forks."""
        for process in self.numbers:
            os.kill(process, signal.SIGKILL)


def _run(order: dict[str, Any], report: int) -> NoReturn:
    """Run a script as the main module of this process, as `python script` would, and exit."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(order["directory"])
        os.environ.update(order["environment"])
        known = set(sys.modules)
        sys.argv = [order["script"]]
        sys.path[0] = os.path.dirname(os.path.abspath(order["script"]))
        status = _status_of(order["script"])
        sys.stdout.flush()
        modules = [name for name in sys.modules if name not in known]
        os.write(report, "\n".join(modules).encode()[:60000])
    finally:
        os._exit(status)


def _status_of(script: str) -> int:
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def serve() -> None:
    """Carry out orders until standard input ends: then Snakemake is gone, and the forks go with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the forks; Snakemake decides when this ends
    orders, answers = os.dup(0), os.fdopen(os.dup(1), "w")
    # A script that reads gets nothing, what it prints goes where errors go.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    server = Server(answers)
    unfinished = b""
    while True:
        ready, _, _ = select.select([orders, *server.reports], [], [])
        for source in ready:
            if source != orders:
                server.finish(source)
                continue
            received = os.read(orders, 1 << 20)
            if not received:
                server.stop()
                return
            *lines, unfinished = (unfinished + received).split(b"\n")
            for line in lines:
                server.start(json.loads(line))


if __name__ == "__main__":
    serve()
