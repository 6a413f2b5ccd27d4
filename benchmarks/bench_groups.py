"""What group steps cost with thousands of runs of 264 nodes: stack, mean, likeness of runs, a contrast; and the disk.

Each step runs in a process of its own, so that its peak of memory is known; ``own`` is the memory that the system
cannot take back, without the parts of files that are mapped.

    .venv/bin/python benchmarks/bench_groups.py [runs]

Only the full size is recorded. The connectomes take 0.3 MB a run on the disk, and so does the stack.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "lib"))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
from record import record  # noqa: E402

from sphereconn.aggregate.moments import group_moments  # noqa: E402
from sphereconn.aggregate.stack import write_stack  # noqa: E402
from sphereconn.connect.edges import matrix_from_edges, n_edges_of, write_connectome  # noqa: E402

N_NODES, FULL, SHUFFLES = 264, 10_000, 64
N_EDGES = n_edges_of(N_NODES, diagonal=False)
NODES = [f"node {number}" for number in range(N_NODES)]
CONTRAST: dict[str, Any] = {
    "model": "age",
    "test": "age",
    "paired": None,
    "groups": None,
    "variances": "equal",
    "weights": None,
    "runs": {},
    "factors": [],
    "harmonize": None,
    "tests": ["edges"],
    "component_p": [],
    "permutations": SHUFFLES,
    "seed": 1,
    "level": 0.05,
    "least_share": 0.5,
}


def edge_paths(folder: Path, n_runs: int) -> list[Path]:
    """Name the edges of the runs."""
    return [folder / f"{number:05d}_edges.npy" for number in range(n_runs)]


def stack(folder: Path, n_runs: int) -> None:
    """Stack the runs."""
    write_stack(folder / "stack.npy", edge_paths(folder, n_runs), N_NODES, diagonal=False)


def mean(folder: Path, n_runs: int) -> None:
    """Average the runs."""
    group_moments(folder / "stack.npy", range(n_runs), fisher_z=True)


def reliability(folder: Path, n_runs: int) -> None:
    """Compute intraclass correlations of pairs of runs."""
    from sphereconn.compare.edges import edge_reader
    from sphereconn.compare.icc import intraclass_correlations
    from sphereconn.compare.repeats import repeats_of

    edges, n_edges = edge_reader(folder / "stack.npy", N_NODES, diagonal=False)
    subjects = [f"s{number // 2:05d}" for number in range(n_runs)]
    intraclass_correlations(edges, n_edges, repeats_of(subjects, ["1", "2"] * (n_runs // 2)))


def tested(folder: Path, n_runs: int) -> None:
    """Test a slope, with some shuffles."""
    from sphereconn.infer import contrast

    rng = np.random.default_rng(1)
    rows = [
        {"name": f"sub-{number}", "subject": str(number), "age": repr(age)}
        for number, age in enumerate(rng.uniform(20, 60, n_runs).tolist())
    ]
    stacked = {"Nodes": NODES, "ValidDiagonal": False}
    model = contrast.contrast_model(rows, CONTRAST)
    values = contrast.values_of(folder / "stack.npy", stacked, model, CONTRAST).edges
    shuffles = contrast.shuffles_of(model, CONTRAST)
    assert shuffles is not None
    collected = contrast.collected_of(model, None, CONTRAST)
    null = contrast.shuffle(values, model, shuffles, collected, range(1, SHUFFLES + 1), CONTRAST)
    contrast.results_of(values, model, None, CONTRAST, null)


STEPS: dict[str, Callable[[Path, int], None]] = {
    "stack": stack,
    "mean and standard deviation": mean,
    "intraclass correlations": reliability,
    f"a slope, {SHUFFLES} shuffles": tested,
}


class Own:
    """The most memory of this process that is no part of a mapped file, in MB, looked at every 20 ms."""

    def __init__(self) -> None:
        self.most, self._stop = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Own:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
            own = next(line for line in lines if line.startswith("RssAnon"))
            self.most = max(self.most, int(own.split()[1]) / 1024)


def measure(step: str, folder: Path, n_runs: int) -> None:
    """Print what a step costs here, as JSON."""
    with Own() as own:
        wall, cpu = time.perf_counter(), time.process_time()
        STEPS[step](folder, n_runs)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"step": step, "runs": n_runs, "seconds": wall, "cpu": cpu, "peak_mb": peak, "own_mb": own.most}))


def write_runs(folder: Path, n_runs: int) -> None:
    """Write a connectome with its table and its edges, and the edges of all other runs."""
    rng = np.random.default_rng(0)
    own = 0.2 * rng.normal(size=N_EDGES)
    for number, path in enumerate(edge_paths(folder, n_runs)):
        edges = np.tanh(own + 0.2 * rng.standard_normal(N_EDGES))
        if number == 0:
            matrix = matrix_from_edges(edges, N_NODES, False, 1.0)
            write_connectome(folder / "relmat.tsv", path, NODES, matrix, diagonal=False)
        else:
            np.save(path, edges)


def main(n_runs: int = FULL) -> None:
    """Measure every step in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_runs(folder, n_runs)
        for path in (folder / "relmat.tsv", edge_paths(folder, 1)[0]):
            print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)
        found = []
        for step in STEPS:
            command = [sys.executable, __file__, "--step", step, name, str(n_runs)]
            done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
            print(done.stdout, end="", flush=True)
            found.append(json.loads(done.stdout))
    if n_runs == FULL:
        record("groups", found)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        measure(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
    else:
        main(*map(int, sys.argv[1:]))
