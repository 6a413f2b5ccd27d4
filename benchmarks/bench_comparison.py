"""CPU seconds and memory of a comparison of denoising: 1,000 runs of 264 nodes after 6 strategies, after imports.

    .venv/bin/python benchmarks/bench_comparison.py [runs] [strategies]

Only the full size is recorded. The rival for modularity is bctpy, which searches some times in one connectome.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "lib"))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
from record import record  # noqa: E402

from sphereconn.aggregate.stack import write_edges  # noqa: E402
from sphereconn.compare.denoising import compare_strategies  # noqa: E402
from sphereconn.compare.distance import edge_lengths  # noqa: E402
from sphereconn.compare.edges import edge_reader  # noqa: E402
from sphereconn.compare.modularity import REPEATS  # noqa: E402
from sphereconn.compare.organization import ORGANIZATION_COLUMNS, organization_rows  # noqa: E402
from sphereconn.compare.strategies import read_strategy, similarity_of  # noqa: E402
from sphereconn.files import read_records, write_json, write_rows  # noqa: E402

SEEDS = ROOT / "resources" / "coordinates" / "power264.tsv"
FULL = 1000, 6
SEARCHES_OF_RIVAL = 2


def correlations(networks: list[str], rng: np.random.Generator) -> np.ndarray:
    """Correlate signals that the nodes of a network share in part."""
    member = np.unique(networks, return_inverse=True)[1]
    signals = rng.normal(size=(100, len(member))) + 0.8 * rng.normal(size=(100, member.max() + 1))[:, member]
    return np.corrcoef(signals.T)


def make_stack(folder: Path, n_runs: int, networks: list[str], seed: int) -> list[Path]:
    """Write the stack of a strategy and its tables: correlations of signals with a factor for each network."""
    rng = np.random.default_rng(seed)
    n_nodes = len(networks)
    paths = [
        folder / f"{seed}_{name}" for name in ("stack.npy", "stack.tsv", "quality.tsv", "organization.tsv", "s.json")
    ]
    rows = (correlations(networks, rng)[np.triu_indices(n_nodes, 1)] for _ in range(n_runs))
    write_edges(paths[0], rows, (n_runs, n_nodes * (n_nodes - 1) // 2))
    write_rows(paths[1], ["name", "subject", "age"], ([f"r{run}", f"{run}", 20 + run % 50] for run in range(n_runs)))
    motion = np.random.default_rng(0).gamma(2, 0.1, n_runs)
    quality = ["frames", "frames_kept", "degrees_of_freedom", "effective_degrees_of_freedom", "regressors"]
    write_rows(paths[2], [*quality, "mean_framewise_displacement"], ([200, 180, 50, 40, 8, fd] for fd in motion))
    write_json(paths[4], {"Nodes": [f"n{node}" for node in range(n_nodes)], "ValidDiagonal": False, "RunsLeftOut": []})
    return paths


def bctpy_search(networks: list[str]) -> float:
    """Seconds of a search for modules by bctpy."""
    import bct

    matrix = correlations(networks, np.random.default_rng(0))
    np.fill_diagonal(matrix, 0)
    start = time.process_time()
    for seed in range(SEARCHES_OF_RIVAL):
        bct.modularity_louvain_und_sign(matrix, seed=seed)
    return (time.process_time() - start) / SEARCHES_OF_RIVAL


def main(n_runs: int = FULL[0], n_strategies: int = FULL[1]) -> None:
    """Measure the jobs of a comparison."""
    nodes = read_records(SEEDS)
    networks = [node["network"] for node in nodes]
    lengths = edge_lengths(np.array([[float(node[axis]) for axis in "xyz"] for node in nodes]))
    with tempfile.TemporaryDirectory() as folder:
        files = [make_stack(Path(folder), n_runs, networks, seed) for seed in range(n_strategies)]
        seconds = {}
        start = time.process_time()
        for stack, runs, _, organization, _ in files:
            edges, n_edges = edge_reader(stack, len(nodes), diagonal=False)
            each = (edges(np.array([run]), 0, n_edges)[0] for run in range(n_runs))
            tested = organization_rows([row["name"] for row in read_records(runs)], each, networks, fisher_z=True)
            write_rows(organization, list(ORGANIZATION_COLUMNS), tested)
        seconds["organization"] = time.process_time() - start
        start = time.process_time()
        strategies = [read_strategy(str(number), *paths) for number, paths in enumerate(files)]
        compared = compare_strategies(strategies, lengths, "mean_framewise_displacement", ["age"])
        seconds["criteria"] = time.process_time() - start
        start = time.process_time()
        similarity_of(strategies, compared.common_runs)
        seconds["similarity"] = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    searches = n_runs * n_strategies * REPEATS
    work = {
        "organization": f"modularity ({searches:,} searches) and networks",
        "criteria": "QC-FC, groups by motion, distance, losses",
        "similarity": "similarity of strategies",
    }
    rows: list[dict[str, Any]] = [{"work": work[key], "contender": "ours", "cpu": seconds[key]} for key in work]
    rival = bctpy_search(networks) * searches
    rows.insert(1, {"work": work["organization"], "contender": "bctpy, modularity alone *", "cpu": rival})
    for row in rows:
        row |= {"runs": n_runs, "strategies": n_strategies, "peak_mb": memory if row["contender"] == "ours" else None}
        print(json.dumps(row), flush=True)
    if (n_runs, n_strategies) == FULL:
        record("comparison", rows)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
