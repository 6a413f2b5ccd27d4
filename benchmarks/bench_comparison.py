"""CPU seconds and memory of a comparison of denoising: 1,000 runs of 264 nodes after 6 strategies.

PYTHONPATH=workflow/lib python benchmarks/bench_comparison.py [runs] [strategies]
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from sphereconn.aggregate.stack import write_edges
from sphereconn.compare.denoising import compare_strategies
from sphereconn.compare.distance import edge_lengths
from sphereconn.compare.edges import edge_reader
from sphereconn.compare.organization import ORGANIZATION_COLUMNS, organization_rows
from sphereconn.compare.strategies import read_strategy, similarity_of
from sphereconn.files import read_records, write_json, write_rows

SEEDS = Path(__file__).parents[1] / "resources" / "coordinates" / "power264.tsv"


def make_stack(folder: Path, n_runs: int, networks: list[str], seed: int) -> list[Path]:
    """Write the stack of a strategy and its tables: correlations of signals with a factor for each network."""
    rng = np.random.default_rng(seed)
    n_nodes = len(networks)
    member = np.unique(networks, return_inverse=True)[1]

    def rows():
        for _ in range(n_runs):
            signals = rng.normal(size=(100, n_nodes)) + 0.8 * rng.normal(size=(100, member.max() + 1))[:, member]
            yield np.corrcoef(signals.T)[np.triu_indices(n_nodes, 1)]

    paths = [
        folder / f"{seed}_{name}" for name in ("stack.npy", "stack.tsv", "quality.tsv", "organization.tsv", "s.json")
    ]
    write_edges(paths[0], rows(), (n_runs, n_nodes * (n_nodes - 1) // 2))
    write_rows(paths[1], ["name", "subject", "age"], ([f"r{run}", f"{run}", 20 + run % 50] for run in range(n_runs)))
    motion = np.random.default_rng(0).gamma(2, 0.1, n_runs)
    quality = ["frames", "frames_kept", "degrees_of_freedom", "effective_degrees_of_freedom", "regressors"]
    write_rows(paths[2], [*quality, "mean_framewise_displacement"], ([200, 180, 50, 40, 8, fd] for fd in motion))
    write_json(paths[4], {"Nodes": [f"n{node}" for node in range(n_nodes)], "ValidDiagonal": False, "RunsLeftOut": []})
    return paths


def main(n_runs: int = 1000, n_strategies: int = 6) -> None:
    """Measure both jobs of a comparison."""
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
            rows = organization_rows([row["name"] for row in read_records(runs)], each, networks, fisher_z=True)
            write_rows(organization, list(ORGANIZATION_COLUMNS), rows)
        seconds["organization"] = time.process_time() - start
        start = time.process_time()
        strategies = [read_strategy(str(number), *paths) for number, paths in enumerate(files)]
        compared = compare_strategies(strategies, lengths, "mean_framewise_displacement", ["age"])
        seconds["criteria"] = time.process_time() - start
        start = time.process_time()
        similarity_of(strategies, compared.common_runs)
        seconds["similarity"] = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**{key: round(value, 1) for key, value in seconds.items()}, "MB": round(memory)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
