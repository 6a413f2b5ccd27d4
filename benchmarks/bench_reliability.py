"""CPU time and memory of all measures of reliability: 500 subjects with 2 runs of 264 nodes, read from a stack.

    .venv/bin/python benchmarks/bench_reliability.py [subjects]

Only the full size is recorded. The rival for intraclass correlations is pingouin, which takes one edge at a time.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "lib"))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
from record import record  # noqa: E402

from sphereconn.aggregate.stack import write_edges  # noqa: E402
from sphereconn.compare import reliability as r  # noqa: E402
from sphereconn.compare.edges import Edges, edge_reader  # noqa: E402
from sphereconn.compare.halves import lengths_of  # noqa: E402
from sphereconn.compare.icc import intraclass_correlations  # noqa: E402
from sphereconn.compare.lengths import Part, reliability_by_length  # noqa: E402
from sphereconn.compare.repeats import repeats_of  # noqa: E402
from sphereconn.files import read_signals, write_rows, write_signals  # noqa: E402

N_NODES, N_FRAMES = 264, 300
N_EDGES = N_NODES * (N_NODES - 1) // 2
FULL = 500
EDGES_OF_RIVAL = 5
CLEANED = {"EffectiveDegreesOfFreedom": 90.0, "RepetitionTime": 2.0, "ConfoundRegressors": ["csf"]}
Result = TypeVar("Result")


def rows(n_subjects: int) -> Iterator[np.ndarray]:
    """Give correlations of two runs a subject, which share half of their variance."""
    rng = np.random.default_rng(0)
    for _ in range(n_subjects):
        own = 0.2 * rng.normal(size=N_EDGES)
        for _ in range(2):
            yield np.tanh(own + 0.2 * rng.normal(size=N_EDGES))


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Give what a piece of work gives, and its CPU seconds."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def pingouin_edges(edges: Edges, subjects: list[str]) -> float:
    """Seconds of the intraclass correlations of one edge by pingouin."""
    import pandas as pd
    import pingouin

    values = edges(np.arange(len(subjects)), 0, EDGES_OF_RIVAL)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for edge in values.T:
            table = pd.DataFrame({"subject": subjects, "run": ["1", "2"] * (len(subjects) // 2), "edge": edge})
            pingouin.intraclass_corr(table, "subject", "run", "edge")
    return (time.process_time() - start) / EDGES_OF_RIVAL


def subjects_from(path: Path, n_subjects: int) -> Iterator[list[Part]]:
    """Read the same signals for each run."""
    for _ in range(n_subjects):
        yield [Part.of_run(read_signals(path)[1], CLEANED, effective=True) for _ in range(2)]


def main(n_subjects: int = FULL) -> None:
    """Measure everything, and the rival."""
    subjects = [f"s{number:05d}" for number in range(n_subjects) for _ in range(2)]
    networks = [f"network {number % 14}" for number in range(N_NODES)]
    nodes = [f"node {number}" for number in range(N_NODES)]
    measured: list[dict[str, Any]] = []

    def add(work: str, cpu: float, contender: str = "ours") -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 if contender == "ours" else None
        measured.append(
            {"work": work, "contender": contender, "cpu": cpu, "runs": 2 * n_subjects, "strategies": 1, "peak_mb": peak}
        )
        print(json.dumps(measured[-1]), flush=True)

    with tempfile.TemporaryDirectory() as folder:
        stack = Path(folder) / "stack.npy"
        write_edges(stack, rows(n_subjects), (2 * n_subjects, N_EDGES))
        edges, n_edges = edge_reader(stack, N_NODES, diagonal=False)
        repeats = repeats_of(subjects, ["1", "2"] * n_subjects)
        icc = f"ICC(1,1), (2,1), (3,1) of {N_EDGES:,} edges"
        add(icc, timed(lambda: intraclass_correlations(edges, n_edges, repeats))[1])
        found, cpu = timed(lambda: r.measure_reliability(edges, n_edges, repeats, networks, n_shuffles=1000, seed=1))
        add("all measures of reliability, 1,000 shuffles", cpu)
        table = Path(folder) / "edges.tsv"
        add(
            "their table of edges",
            timed(lambda: write_rows(table, r.EDGE_COLUMNS, r.edge_rows(found, nodes, networks)))[1],
        )
        signals = Path(folder) / "signals.tsv"
        write_signals(signals, nodes, np.random.default_rng(0).normal(size=(N_FRAMES, N_NODES)))
        steps = lengths_of([N_FRAMES * CLEANED["RepetitionTime"] / 60] * 2 * n_subjects)
        _, cpu = timed(
            lambda: reliability_by_length(subjects_from(signals, n_subjects), steps, "correlation", "empirical", nodes)
        )
        add(f"reliability by the length of runs, {len(steps)} lengths", cpu)
        add(icc, pingouin_edges(edges, subjects) * N_EDGES, "pingouin *")
    if n_subjects == FULL:
        record("reliability", measured)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
