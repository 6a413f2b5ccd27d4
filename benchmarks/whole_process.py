"""What a command costs as a whole process: its start, its imports and all that it starts in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

# Set for a command, numpy takes one thread in each of its processes.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock, seconds of the processors, and the most memory that one of the processes had."""

    seconds: float
    cpu: float
    peak_mb: float


def cost_of(command: Sequence[str | Path], folder: Path, log: Path) -> Cost:
    """Run a command in a folder, with one thread a process, and measure it with all processes that it waits for."""
    # By way of a small process: what a parent has in memory counts as its child's peak.
    done = subprocess.run(
        [sys.executable, __file__, str(log), *map(str, command)],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Cost(**json.loads(done.stdout))


def main(log: str, *command: str) -> None:
    """Run a command in this folder, and print what it cost."""
    environment = os.environ | ONE_THREAD
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{Path(log).read_text(encoding='utf-8')[-3000:]}")
    peak = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    print(json.dumps(asdict(Cost(seconds, used.ru_utime + used.ru_stime, peak))))


if __name__ == "__main__":
    main(*sys.argv[1:])
