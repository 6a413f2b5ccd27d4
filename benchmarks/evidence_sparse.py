"""Which folds, and which count of samples, choose the penalty of a sparse inverse covariance well.

Two tables, for docs/methods.md, and a count, for connect/sparse_selection.py:

1. Signals of a known sparse precision (60 nodes, three edges each, AR(1) with 0.3) are cleaned as a run would be, and
   the penalty is chosen in each way. A choice is judged by what its fit costs on new frames: the negative
   log-likelihood in excess of that at the best penalty of a fine grid, in nats a frame; a median over the data sets.
2. Four-minute runs (120 frames at TR 2, 264 nodes mixed of the real parcels of resources/cohort and noise) under three
   usual denoisings: how many have a result, the penalty that is chosen, its edges and CPU seconds; medians.
3. Real parcels, mixtures of them, generated networks and white noise: how often a search that leaves out penalties
   chooses that of the whole grid, and how much less the other one scores else.

Run it as

    .venv/bin/python benchmarks/evidence_sparse.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from whole_process import ONE_THREAD

os.environ.update(ONE_THREAD)  # before numpy reads them

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "lib"))

import numpy as np
from bench_sparse import cohort, generated, mixed, z_scored

from sphereconn.clean.cleaning import clean_signals
from sphereconn.connect.graphical_lasso import ConvergenceError, graphical_lasso
from sphereconn.connect.sparse_selection import Grid, cross_validate, ebic, sparse_inverse_covariance

N_NODES = 60
FINE = np.geomspace(0.9, 0.01, 14)
# frames, TR, regressors, high-pass, low-pass
DESIGNS = (
    (120, 2.0, 36, 0.01, 0.1),
    (120, 2.0, 24, None, 0.1),
    (240, 2.0, 24, 0.01, 0.1),
    (450, 0.8, 24, 0.01, 0.1),
    (168, 2.0, 0, None, None),
)
DENOISINGS = (("simple, low-pass", 12, None), ("24 parameters", 24, 0.01), ("36 parameters", 36, 0.01))
WAYS: dict[str, Callable[[np.ndarray, float], float]] = {
    "3 folds of frames": lambda z, worth: cross_validate(z, 3).alpha,
    "5 folds of frames": lambda z, worth: cross_validate(z, 5).alpha,
    "5 folds, 10 frames between": lambda z, worth: cross_validate(z, 5, 10).alpha,
    "3 folds of samples": lambda z, worth: cross_validate(z, 3, samples=worth).alpha,
    "5 folds of samples": lambda z, worth: cross_validate(z, 5, samples=worth).alpha,
    "EBIC, frames": lambda z, worth: ebic(z).alpha,
    "EBIC, samples": lambda z, worth: ebic(z, samples=worth).alpha,
    "EBIC, samples, gamma 0": lambda z, worth: ebic(z, 0.0, samples=worth).alpha,
}


def sparse_correlation(rng: np.random.Generator) -> np.ndarray:
    """Make the correlation of nodes whose precision has about three edges each."""
    P = np.zeros((N_NODES, N_NODES))
    for node in range(N_NODES):
        for other in rng.choice(N_NODES, 3, replace=False):
            if other != node:
                P[node, other] = P[other, node] = rng.uniform(0.15, 0.35) * rng.choice([1, -1], p=[0.2, 0.8])
    P[np.diag_indices(N_NODES)] = 0.6 * np.abs(P).sum(axis=0) + 0.1
    P += np.eye(N_NODES) * max(0.0, 0.1 - np.linalg.eigvalsh(P)[0])
    C = np.linalg.inv(P)
    scale = np.sqrt(np.diag(C))
    correlation: np.ndarray = C / np.outer(scale, scale)
    return correlation


def cleaned(
    raw: np.ndarray, rng: np.random.Generator, tr: float, n_regressors: int, high: float | None, low: float | None
) -> tuple[np.ndarray, float, float]:
    result = clean_signals(
        raw,
        tr,
        confounds=rng.standard_normal((len(raw), n_regressors)) if n_regressors else None,
        confound_names=[f"confound {number}" for number in range(n_regressors)],
        high_pass=high,
        low_pass=low,
    )
    return z_scored(result.signals), result.degrees_of_freedom, result.effective_degrees_of_freedom


def recover_a_known_truth(n_sets: int) -> None:
    columns = [f"{n} frames, TR {tr:g}, {regressors} regressors" for n, tr, regressors, _, _ in DESIGNS]
    excess: dict[tuple[str, str], list[float]] = {}
    worths: dict[str, list[float]] = {column: [] for column in columns}
    for column, (n_frames, tr, n_regressors, high, low) in zip(columns, DESIGNS, strict=True):
        for seed in range(n_sets):
            rng = np.random.default_rng(seed)
            C = sparse_correlation(rng)
            raw = rng.standard_normal((n_frames + 20, N_NODES)) @ np.linalg.cholesky(C).T
            for frame in range(1, len(raw)):
                raw[frame] = 0.3 * raw[frame - 1] + np.sqrt(1 - 0.3**2) * raw[frame]
            z, _, worth = cleaned(raw[20:], rng, tr, n_regressors, high, low)
            S = z.T @ z / len(z)

            def cost(alpha: float, S: np.ndarray = S, C: np.ndarray = C) -> float:
                fit = graphical_lasso(S, alpha)
                return float(np.sum(C * fit.precision) - fit.log_determinant) / 2

            best = min(map(cost, FINE))
            worths[column].append(worth)
            for way, choose in WAYS.items():
                excess.setdefault((way, column), []).append(cost(choose(z, worth)) - best)
    print("| how the penalty is chosen |", " | ".join(columns), "|")
    print("|---|" + "---|" * len(columns))
    print("| independent frames |", " | ".join(f"{np.mean(worths[column]):.0f}" for column in columns), "|")
    for way in WAYS:
        print(f"| {way} |", " | ".join(f"{np.median(excess[way, column]):.1f}" for column in columns), "|", flush=True)


def fit_four_minute_runs(n_subjects: int) -> None:
    print("\n| denoising | independent frames | penalty by | with a result | penalty | edges of 34,716 | s |")
    print("|---|---|---|---|---|---|---|")
    for label, n_regressors, high in DENOISINGS:
        runs = []
        for subject in range(1, n_subjects + 1):
            rng = np.random.default_rng(subject)
            runs.append(cleaned(mixed(subject, 264, 120), rng, 2.0, n_regressors, high, 0.1))
        worth = np.mean([run[2] for run in runs])
        for selection in ("cv", "ebic", 0.01):
            alphas, edges, seconds = [], [], []
            for z, _, samples in runs:
                start = time.process_time()
                try:
                    fit = sparse_inverse_covariance(z, selection=selection, cv=3, samples=samples)
                except ConvergenceError:
                    continue
                seconds.append(time.process_time() - start)
                alphas.append(fit.alpha)
                edges.append(np.count_nonzero(np.triu(fit.precision, k=1)))
            print(
                f"| {label} | {worth:.0f} | {selection} | {len(alphas)} of {n_subjects} | {np.median(alphas):.2g}"
                f" | {np.median(edges):,.0f} | {np.median(seconds):.2f} |",
                flush=True,
            )


def compare_with_the_whole_grid(n_sets: int) -> None:
    rng = np.random.default_rng(0)
    runs = [cohort(subject)[:, subject % 2 :: 2] for subject in range(1, n_sets + 1)]
    runs += [generated(60, 100 + seed, n_frames=100) for seed in range(n_sets)]
    runs += [mixed(subject, 80, 120) for subject in range(1, n_sets + 1)]
    runs += [z_scored(rng.standard_normal((80, 40))) for _ in range(n_sets)]
    losses, n_fits = [], np.zeros(2, dtype=int)
    for cv in (3, 5):
        for z in runs:
            early, whole = (
                cross_validate(z, cv, grid=Grid(stop_early=stop, gap_per_node=1e-7)).path for stop in (True, False)
            )
            losses.append(whole["score"].max() - early["score"].max())
            if early["alpha"][early["score"].argmax()] == whole["alpha"][whole["score"].argmax()]:
                losses[-1] = 0.0
            n_fits += len(early["alpha"]), len(whole["alpha"])
    print(
        f"\n{losses.count(0.0)} of {len(losses)} searches choose the penalty of the whole grid, with"
        f" {n_fits[0] / n_fits[1]:.0%} of its fits; the others score {max(losses):.0e} less at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a data set of each kind")
    quick = parser.parse_args().quick
    recover_a_known_truth(1 if quick else 6)
    fit_four_minute_runs(1 if quick else 3)
    compare_with_the_whole_grid(1 if quick else 16)


if __name__ == "__main__":
    main()
