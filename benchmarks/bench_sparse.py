"""Sparse inverse covariance with a cross-validated penalty, beside scikit-learn's; and groups, beside nilearn's.

Data sets are the real series of the demo cohort (122 parcels, 200 frames), mixtures of them with noise (264 spheres
that overlap parcels, 168 frames), and generated band-passed series with networks (160 and 264 nodes, 168 frames). Both
run the same search (3 folds, 4 penalties, 4 refinements) in one process with one thread, in turns; seconds are those of
the processor, ours the median of four turns. Columns of the table:

    ours, theirs   seconds for the search and the final fit
    times          theirs / ours
    all            the same when ours has to fit every penalty that theirs tried, those included at which theirs fails
    gap            duality gap of the final fit, from a dual point within its bounds. Ours carries one; for theirs the
                   best of three is taken: the two that its matrices give, and that of a converged fit at its penalty
    claim          what scikit-learn calls the duality gap of its final fit (tolerance 1e-4, at most 100 sweeps)
    no score       penalties at which scikit-learn's fits fail, of 16
    score          mean log-likelihood of test frames at the chosen penalty, with converged fits

Run it as

    .venv/bin/python benchmarks/bench_sparse.py [--quick]
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from whole_process import ONE_THREAD

os.environ.update(ONE_THREAD)  # before numpy reads them

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "workflow" / "lib"
sys.path.insert(0, str(LIBRARY))

import numpy as np  # noqa: E402
from record import record  # noqa: E402

from sphereconn.connect.graphical_lasso import duality_gap, graphical_lasso  # noqa: E402
from sphereconn.connect.group_sparse import group_sparse_covariance, group_sparse_inverse_covariance  # noqa: E402
from sphereconn.connect.sparse_selection import Grid, cross_validate, sparse_inverse_covariance  # noqa: E402

FOLDS = 3
FIRST_JOB = """
import time
import numpy as np
start = time.process_time()
from sphereconn.connect.sparse_selection import sparse_inverse_covariance
imported = time.process_time()
sparse_inverse_covariance(np.random.default_rng(0).standard_normal((50, 10)))
print(imported - start, time.process_time() - imported)
"""


def z_scored(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(axis=0)) / x.std(axis=0)


def band_passed(x: np.ndarray, repetition_time: float = 2.0, low: float = 0.01, high: float = 0.1) -> np.ndarray:
    """Filter with the gain of a Butterworth band-pass of order 5, by Fourier transform."""
    frequency = np.fft.rfftfreq(len(x), repetition_time)
    gain = np.zeros_like(frequency)
    passed = frequency > 0
    gain[passed] = 1 / np.sqrt((1 + (frequency[passed] / high) ** 10) * (1 + (low / frequency[passed]) ** 10))
    return np.fft.irfft(np.fft.rfft(x, axis=0) * gain[:, None], len(x), axis=0)


def cohort(subject: int) -> np.ndarray:
    with gzip.open(ROOT / "resources" / "cohort" / f"sub-{subject:02d}_parcels.tsv.gz", "rt") as file:
        return z_scored(np.loadtxt(file, skiprows=1))


def generated(n_nodes: int, seed: int, n_frames: int = 168, n_networks: int = 10) -> np.ndarray:
    """Make series of correlated networks, a global signal, noise that neighbours share, and noise that they do not."""
    rng = np.random.default_rng(seed)
    network = rng.integers(n_networks, size=n_nodes)
    mixing = np.eye(n_networks) + 0.3 * rng.standard_normal((n_networks, n_networks))
    x = (rng.standard_normal((n_frames, n_networks)) @ mixing)[:, network] * rng.uniform(0.5, 1.2, n_nodes)
    x += 0.6 * rng.standard_normal((n_frames, 1))
    position = rng.uniform(size=(n_nodes, 3))
    distance = np.sum((position[:, None] - position) ** 2, axis=-1)
    shared = np.linalg.cholesky(np.exp(-distance / (2 * 0.1**2)) + 1e-6 * np.eye(n_nodes))
    x += rng.standard_normal((n_frames, n_nodes)) @ shared.T + 0.3 * rng.standard_normal((n_frames, n_nodes))
    return z_scored(band_passed(x))


def mixed(subject: int, n_nodes: int = 264, n_frames: int = 168) -> np.ndarray:
    """Make each node of three parcels of a real run, as a sphere overlaps parcels, and band-passed noise."""
    rng = np.random.default_rng(subject)
    parcels = cohort(subject)[:n_frames]
    weights = np.zeros((parcels.shape[1], n_nodes))
    for node in range(n_nodes):
        weights[rng.choice(len(weights), 3, replace=False), node] = rng.dirichlet([2, 1, 0.5])
    noise = z_scored(band_passed(rng.standard_normal((n_frames, n_nodes))))
    return z_scored(z_scored(parcels @ weights) + 0.3 * noise)


def data_sets(n_each: int) -> Iterator[tuple[str, np.ndarray]]:
    for number in range(1, n_each + 1):
        yield f"cohort {number}", cohort(number)
    for number in range(1, n_each + 1):
        yield f"generated {number}", generated(160, seed=number)
    for number in range(1, n_each + 1):
        yield f"generated {number}", generated(264, seed=number)
    for number in range(1, n_each + 1):
        yield f"mixed {number}", mixed(number)


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def compare(z: np.ndarray) -> dict[str, Any]:
    from sklearn.covariance import GraphicalLassoCV

    def everything_theirs_fitted() -> None:
        chosen = cross_validate(z, FOLDS, grid=Grid(theirs.cv_results_["alphas"][fitted], stop_early=False))
        graphical_lasso(S, chosen.alpha, gap_per_node=1e-6, start=chosen.start)

    S = z.T @ z / len(z)
    turns = [seconds(lambda: sparse_inverse_covariance(z, cv=FOLDS)) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        time_of_theirs, theirs = seconds(lambda: GraphicalLassoCV(cv=FOLDS).fit(z))
    turns += [seconds(lambda: sparse_inverse_covariance(z, cv=FOLDS)) for _ in range(2)]
    ours = turns[0][1]
    time_of_ours = statistics.median(turn for turn, _ in turns)
    fitted = theirs.cv_results_["alphas"] > 0
    time_of_all, _ = seconds(everything_theirs_fitted)

    converged = graphical_lasso(S, theirs.alpha_, gap_per_node=1e-8)
    dual_points = [converged.covariance, theirs.covariance_, np.linalg.inv(theirs.precision_)]
    claim = float(theirs.costs_[-1][1])
    fair = cross_validate(z, FOLDS, grid=Grid([theirs.alpha_]))
    return {
        "ours": time_of_ours,
        "theirs": time_of_theirs,
        "times": time_of_theirs / time_of_ours,
        "all": time_of_theirs / time_of_all,
        "alpha of ours": ours.alpha,
        "alpha of theirs": theirs.alpha_,
        "gap of ours": ours.duality_gap,
        "gap of theirs": min(duality_gap(S, theirs.alpha_, theirs.precision_, W) for W in dual_points),
        "claim": claim,
        "says converged": abs(claim) <= 1e-4,
        "no score": int(np.sum(~np.isfinite(theirs.cv_results_["mean_test_score"][fitted]))),
        "score of ours": float(ours.path["score"].max()),
        "score of theirs": float(fair.path["score"][0]),
    }


def compare_groups() -> None:
    from nilearn.connectome import GroupSparseCovarianceCV

    print(
        "\nGroups of real runs: seconds of ours and of nilearn's GroupSparseCovarianceCV with its own settings; the gap"
        "\nof its final fit is taken to the optimum at its penalty, the scores are both of converged fits, in our folds"
        "\nruns x nodes, frames            ours  theirs  times |  alpha: ours theirs |  gap: ours  theirs |"
        "  score: ours  theirs"
    )
    group_sparse_inverse_covariance([cohort(subject)[:, :4] for subject in (1, 2)], cv=FOLDS)  # compiles
    for n_nodes, lengths in ((30, [200] * 6), (60, [200, 160, 120, 80])):
        runs = [z_scored(cohort(subject)[:length, :n_nodes]) for subject, length in enumerate(lengths, start=1)]
        turns = [seconds(lambda runs=runs: group_sparse_inverse_covariance(runs, cv=FOLDS)) for _ in range(3)]
        ours, time_of_ours = turns[0][1], statistics.median(turn for turn, _ in turns)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            time_of_theirs, theirs = seconds(lambda runs=runs: GroupSparseCovarianceCV(cv=FOLDS).fit(runs))
        S, alpha = np.array([run.T @ run / len(run) for run in runs]), theirs.alpha_
        excess = group_objective(S, lengths, alpha, np.moveaxis(theirs.precisions_, 2, 0))
        excess -= group_sparse_covariance(S, lengths, alpha, gap_per_node=1e-9).objective
        scores = group_sparse_inverse_covariance(runs, cv=FOLDS, grid=Grid([ours.alpha, alpha], stop_early=False)).path
        score = dict(zip(scores["alpha"], scores["score"], strict=True))
        frames = f"{lengths[0]}" if len(set(lengths)) == 1 else f"{max(lengths)} to {min(lengths)}"
        print(
            f"{len(runs):4d} x {n_nodes:<5d}, {frames:16s}{time_of_ours:8.2f}{time_of_theirs:8.2f}"
            f"{time_of_theirs / time_of_ours:7.0f} |{ours.alpha:13.4f}{alpha:7.4f} |{ours.duality_gap:11.1e}"
            f"{excess:8.1e} |{score[ours.alpha]:13.3f}{score[alpha]:8.3f}",
            flush=True,
        )


def group_objective(S: np.ndarray, n_frames: list[int], alpha: float, P: np.ndarray) -> float:
    edges = np.sqrt(np.sum(P**2, axis=0))
    likelihoods = np.linalg.slogdet(P)[1] - np.sum(S * P, axis=(1, 2))
    return float(alpha * (edges.sum() - np.trace(edges)) - np.average(likelihoods, weights=n_frames))


def folds_at_once() -> None:
    """Measure the same fit with its folds one after the other, and at once on all cores: seconds of the clock."""
    print("\nFive folds one after the other, and at once: seconds of the clock, medians of three turns")
    rows, cores = [], len(os.sched_getaffinity(0))
    for n_nodes in (264, 600):
        z = generated(n_nodes, seed=1)
        turns: dict[int, list[float]] = {1: [], cores: []}
        for _ in range(3):
            for number, measured in turns.items():
                start = time.perf_counter()
                sparse_inverse_covariance(z, cv=5, cores=number)
                measured.append(time.perf_counter() - start)
        alone, together = (statistics.median(measured) for measured in turns.values())
        rows.append({"nodes": n_nodes, "cores": cores, "alone": alone, "together": together})
        print(f"{n_nodes:4d} nodes {alone:8.2f}{together:8.2f}", flush=True)
    record("folds", rows)


def first_job() -> None:
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(LIBRARY)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        print(
            "\nA small fit in a fresh process: processor seconds to import (numba), and for the fit with its compiling"
        )
        for label in ("first job on a machine", "any later job"):
            command = [sys.executable, "-c", FIRST_JOB]
            output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            imported, fitted = map(float, output.split())
            print(f"  {label:24s}{imported:6.2f} s {fitted:6.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one data set of each kind instead of three; no groups")
    quick = parser.parse_args().quick
    sparse_inverse_covariance(np.random.default_rng(0).standard_normal((50, 5)))  # compiles
    print(
        "data set      nodes x frames    ours  theirs  times   all |  alpha: ours theirs |  gap: ours  theirs   claim |"
        " no score |  score: ours  theirs"
    )
    rows = []
    for name, z in data_sets(1 if quick else 3):
        row = compare(z)
        rows.append((z.shape[1], row))
        print(
            f"{name:14s}{z.shape[1]:5d} x {z.shape[0]:<6d}{row['ours']:8.2f}{row['theirs']:8.2f}{row['times']:7.1f}"
            f"{row['all']:6.1f} |{row['alpha of ours']:13.4f}{row['alpha of theirs']:7.4f} |{row['gap of ours']:11.1e}"
            f"{row['gap of theirs']:8.1e}{row['claim']:8.0e} |{row['no score']:9d} |{row['score of ours']:13.2f}"
            f"{row['score of theirs']:8.2f}",
            flush=True,
        )
    record("sparse", [{"nodes": n_nodes, **row} for n_nodes, row in rows])
    print()
    for n_nodes in sorted({n for n, _ in rows}):
        ratios = [row["times"] for n, row in rows if n == n_nodes]
        print(
            f"{n_nodes} nodes: {statistics.median(ratios):.1f} times scikit-learn (median of {len(ratios)} data sets)"
        )
    says = sum(row["says converged"] for _, row in rows)
    reached = sum(row["gap of theirs"] <= 1e-4 for _, row in rows)
    print(
        f"final fits with the gap asked for: ours {len(rows)} of {len(rows)} (1e-6 per node); scikit-learn"
        f" {reached} of {len(rows)} (1e-4 in total), and says so of {says}"
    )
    first_job()
    folds_at_once()
    if not quick:
        compare_groups()


if __name__ == "__main__":
    main()
