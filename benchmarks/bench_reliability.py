"""CPU time and memory of all measures of reliability: 500 subjects with 2 runs of 264 nodes, read from a stack.

PYTHONPATH=workflow/lib python benchmarks/bench_reliability.py [subjects]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sphereconn.aggregate.stack import write_edges
from sphereconn.compare import reliability as r
from sphereconn.compare.edges import edge_reader
from sphereconn.compare.repeats import repeats_of
from sphereconn.files import write_rows

N_NODES = 264
N_EDGES = N_NODES * (N_NODES - 1) // 2


def rows(n_subjects):
    rng = np.random.default_rng(0)
    for _ in range(n_subjects):
        own = 0.2 * rng.normal(size=N_EDGES)
        for _ in range(2):
            yield np.tanh(own + 0.2 * rng.normal(size=N_EDGES))


def timed(words, work):
    start = time.process_time()
    result = work()
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{words:30s} {time.process_time() - start:6.1f} CPU s, at most {megabytes} MB", flush=True)
    return result


if __name__ == "__main__":
    n_subjects = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    subjects = [f"s{number:05d}" for number in range(n_subjects) for _ in range(2)]
    networks = [f"network {number % 14}" for number in range(N_NODES)]
    with tempfile.TemporaryDirectory() as folder:
        stack = Path(folder) / "stack.npy"
        write_edges(stack, rows(n_subjects), (2 * n_subjects, N_EDGES))
        edges, n_edges = edge_reader(stack, N_NODES, diagonal=False)
        repeats = repeats_of(subjects, ["1", "2"] * n_subjects)
        found = timed(
            f"{2 * n_subjects:,} runs, all measures",
            lambda: r.measure_reliability(edges, n_edges, repeats, networks, n_shuffles=1000, seed=1),
        )
        nodes = [f"node {number}" for number in range(N_NODES)]
        table = Path(folder) / "edges.tsv"
        timed("table of edges", lambda: write_rows(table, r.EDGE_COLUMNS, r.edge_rows(found, nodes, networks)))
