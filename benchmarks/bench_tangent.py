"""CPU time and accuracy of the tangent space of many runs, beside pyriemann's and nilearn's.

    .venv/bin/python benchmarks/bench_tangent.py [--quick]

From z-scored signals to displacements, in one process with one thread, shrunk covariances included, which pyriemann
takes from scikit-learn. The distance of a geometric mean from the true one is bounded by the norm of the mean
displacement from it; it is computed here for all in the same way.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from whole_process import ONE_THREAD

os.environ.update(ONE_THREAD)  # before numpy reads them

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

import numpy as np  # noqa: E402
from bench_sparse import mixed, z_scored  # noqa: E402
from record import record  # noqa: E402

from sphereconn.connect.tangent import displacement, of_eigenvalues, tangent_space  # noqa: E402

TURNS = 3
N_REAL = len(list((ROOT / "resources" / "cohort").glob("sub-*_parcels.tsv.gz")))


def made(n_runs: int, n_nodes: int) -> list[np.ndarray]:
    """Make runs of 168 frames of mixtures of the parcels of real runs with noise of their own."""
    rng = np.random.default_rng(0)
    subjects = [1 + number % N_REAL for number in range(n_runs)]
    return [z_scored(mixed(subject, n_nodes) + 0.3 * rng.standard_normal((168, n_nodes))) for subject in subjects]


def ours(runs: Sequence[np.ndarray]) -> np.ndarray:
    return tangent_space(runs).mean


def of_nilearn(runs: Sequence[np.ndarray]) -> np.ndarray:
    from nilearn.connectome import ConnectivityMeasure
    from sklearn.covariance import LedoitWolf

    measure = ConnectivityMeasure(LedoitWolf(store_precision=False), kind="tangent", standardize=False)
    measure.fit_transform(list(runs))
    return measure.mean_


def of_pyriemann(runs: Sequence[np.ndarray]) -> np.ndarray:
    from pyriemann.tangentspace import TangentSpace
    from sklearn.covariance import LedoitWolf

    covariances = np.array([LedoitWolf(store_precision=False).fit(run).covariance_ for run in runs])
    space = TangentSpace(metric="riemann")
    space.fit_transform(covariances)
    return space.reference_


CONTENDERS: dict[str, Callable[[Sequence[np.ndarray]], np.ndarray]] = {
    "ours": ours,
    "pyriemann": of_pyriemann,
    "nilearn": of_nilearn,
}


def distance(mean: np.ndarray, covariances: Sequence[np.ndarray]) -> float:
    """Give the largest distance that the true mean can have from this one."""
    whitening = of_eigenvalues(mean, lambda values: 1 / np.sqrt(values))
    return float(np.linalg.norm(np.mean([displacement(matrix, whitening) for matrix in covariances], axis=0)))


def compare(n_runs: int, n_nodes: int) -> list[dict[str, Any]]:
    """Measure all contenders in turns."""
    from sklearn.covariance import LedoitWolf

    runs = made(n_runs, n_nodes)
    covariances = [LedoitWolf(store_precision=False).fit(run).covariance_ for run in runs]
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    means = {}
    for _ in range(TURNS):
        for name, work in CONTENDERS.items():
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                means[name] = work(runs)
            seconds[name].append(time.process_time() - start)
    return [
        {
            "runs": n_runs,
            "nodes": n_nodes,
            "contender": name,
            "cpu": statistics.median(seconds[name]),
            "distance": distance(means[name], covariances),
        }
        for name in CONTENDERS
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few runs")
    quick = parser.parse_args().quick
    for work in CONTENDERS.values():
        work(made(3, 10))  # imports
    rows = [row for n_nodes in (40, 264) for row in compare(6 if quick else 100, n_nodes)]
    for row in rows:
        print(f"{row['runs']} x {row['nodes']} {row['contender']:10s}{row['cpu']:8.2f} s, off by {row['distance']:.0e}")
    if not quick:
        record("tangent", rows)


if __name__ == "__main__":
    main()
