"""The interpreter that runs the scripts, noting what each has cost: a line of script, job number and CPU seconds.

bench_steps.py puts it in the place of sphereconn_runner/server.py. The file is that of $SPHERECONN_STEPS.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent / "workflow" / "lib"
sys.path.insert(0, str(LIBRARY))

from sphereconn_runner import server  # noqa: E402


class Timed(server.Server):
    """A server that asks the system what each fork has used."""

    def __init__(self, orders: socket.socket, woken: int) -> None:
        super().__init__(orders, woken)
        self.script: dict[int, str] = {}

    def start(self) -> None:
        """Remember which fork runs which script."""
        asked = {id(job): order["script"] for job, order in self.waiting}
        super().start()
        for process, job in self.running.items():
            if id(job) in asked:
                self.script.setdefault(process, asked[id(job)])

    def finish(self) -> None:
        """Pass on the statuses of the forks that have ended, and note what they have used."""
        while self.running:
            process, status, used = os.wait4(-1, os.WNOHANG)
            if process == 0:
                return
            if process in self.running:
                line = {"script": self.script.pop(process), "seconds": used.ru_utime + used.ru_stime}
                with open(os.environ["SPHERECONN_STEPS"], "a", encoding="utf-8") as notes:
                    print(json.dumps(line), file=notes)
                server.answer(self.running.pop(process), status=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    server.Server = Timed  # type: ignore[misc]
    server.serve()
