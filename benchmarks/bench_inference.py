"""Permutation tests of a group difference, beside nilearn's permuted_ols and bctpy's nbs_bct.

Generated connectomes of 264 nodes (34,716 edges) of two groups, with four nuisance columns. Ours does the maximum
statistic, components at three thresholds (extent and intensity, each direction and both) and 105 pairs of networks
together, on two cores. permuted_ols does the maximum statistic alone; nbs_bct the extent at one threshold, without
nuisance columns; both on one core, and fewer permutations: what counts is the processor time at which 10,000 would be
done. Each contender is a process of its own, with one thread for the products of matrices. Run it as

    .venv/bin/python benchmarks/bench_inference.py [--quick]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from record import record
from whole_process import cost_of

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

N_NODES, N_NETWORKS, THRESHOLDS = 264, 14, (2.5, 3.0, 3.5)
# Contender, runs, nodes, permutations, and those of --quick.
WORK = (
    ("ours", 155, 264, 10_000, 500),
    ("nilearn permuted_ols (max-T)", 155, 264, 40, 20),
    ("bctpy nbs_bct (extent)", 155, 264, 4, 1),
    ("ours", 155, 74, 10_000, 500),
    ("bctpy nbs_bct (extent)", 155, 74, 20, 4),
    ("ours, 20 nodes missing in some runs", 155, 264, 2_000, 500),
    ("ours, with TFNBS", 155, 264, 2_000, 500),
    ("ours, variances by group", 155, 264, 2_000, 500),
    ("ours", 1000, 264, 5_000, 200),
)


def data(n_runs: int, n_nodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give values, group and nuisance columns."""
    rng = np.random.default_rng(0)
    group = (np.arange(n_runs) % 2).astype(float)
    values = rng.standard_normal((n_runs, n_nodes * (n_nodes - 1) // 2))
    values[:, : n_nodes // 4] += 0.5 * group[:, None]
    return values, group, rng.standard_normal((n_runs, 4))


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> tuple[float, float]:
    """Give seconds of the clock and of the processor."""
    return time.perf_counter() - start[0], time.process_time() - start[1]


def ours(contender: str, n_runs: int, n_nodes: int, n_permutations: int) -> tuple[float, float]:
    from sphereconn.infer.components import Enhancement
    from sphereconn.infer.network_pairs import network_pairs
    from sphereconn.infer.permutation import Collected, null_of_orders
    from sphereconn.infer.shuffles import Exchangeability, plan_shuffles

    values, group, nuisance = data(n_runs, n_nodes)
    design, contrast = np.column_stack([np.ones(n_runs), group, nuisance]), np.eye(6)[1]
    if "missing" in contender:
        rows, columns = np.triu_indices(n_nodes, 1)
        lost = np.random.default_rng(1).random((n_runs, 20)) < 0.1
        lost = np.pad(lost, ((0, 0), (0, n_nodes - 20)))
        values[lost[:, rows] | lost[:, columns]] = np.nan
    enhancement = Enhancement() if "TFNBS" in contender else None
    wanted = Collected(
        THRESHOLDS, enhancement, network_pairs([f"network {node % N_NETWORKS}" for node in range(n_nodes)])
    )
    variances = group.astype(int) if "variances" in contender else "equal"
    shuffles = plan_shuffles(Exchangeability("free"), design, n_permutations, seed=0)

    def run(numbers: range) -> None:
        null_of_orders(values, design, contrast, shuffles, numbers, collected=wanted, variances=variances, cores=2)

    run(range(1, 2))  # compiled, or read from the cache
    start = now()
    run(range(1, n_permutations + 1))
    return since(start)


def nilearn(contender: str, n_runs: int, n_nodes: int, n_permutations: int) -> tuple[float, float]:
    from nilearn.mass_univariate import permuted_ols

    values, group, nuisance = data(n_runs, n_nodes)
    start = now()
    permuted_ols(
        group[:, None], values, nuisance, n_perm=n_permutations, random_state=0, n_jobs=1, output_type="dict", verbose=0
    )
    return since(start)


def bctpy(contender: str, n_runs: int, n_nodes: int, n_permutations: int) -> tuple[float, float]:
    import bct

    values, group, _ = data(n_runs, n_nodes)
    rows, columns = np.triu_indices(n_nodes, 1)
    matrices = np.zeros((n_nodes, n_nodes, n_runs))
    matrices[rows, columns] = matrices[columns, rows] = values.T
    start = now()
    with contextlib.redirect_stdout(io.StringIO()):
        bct.nbs_bct(matrices[..., group == 1], matrices[..., group == 0], THRESHOLDS[1], k=n_permutations)
    return since(start)


def main() -> None:
    """Measure all contenders, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer permutations, nothing is recorded")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        contender, *numbers = arguments.one
        way: Callable[..., tuple[float, float]] = {"ours": ours, "nilearn": nilearn, "bctpy": bctpy}[
            contender.split(",")[0].split()[0]
        ]
        print(json.dumps(way(contender, *map(int, numbers))))
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        for contender, n_runs, n_nodes, n_permutations, n_quick in WORK:
            n = n_quick if arguments.quick else n_permutations
            cost = cost_of([sys.executable, __file__, "--one", contender, n_runs, n_nodes, n], ROOT, log)
            seconds, cpu = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
            rows.append(
                {
                    "contender": contender,
                    "runs": n_runs,
                    "nodes": n_nodes,
                    "permutations": n,
                    "seconds": seconds,
                    "cpu_of_10000": cpu / n * 10_000,
                    "peak_mb": cost.peak_mb,
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    if not arguments.quick:
        record("inference", rows)


if __name__ == "__main__":
    main()
