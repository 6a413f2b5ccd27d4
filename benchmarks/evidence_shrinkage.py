"""Shrinkage for all frames or for those that signals are worth: the tables of docs/methods.md, in Markdown.

PYTHONPATH=workflow/lib .venv/bin/python benchmarks/evidence_shrinkage.py
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from sphereconn.clean.cleaning import clean_signals
from sphereconn.clean.degrees_of_freedom import effective_degrees_of_freedom
from sphereconn.connect.connectivity import connectome, partial_correlation, standardize
from sphereconn.connect.covariance import empirical, ledoit_wolf, oas

COHORT = Path(__file__).parents[1] / "resources" / "cohort"
BAND = {"high_pass": 0.01, "low_pass": 0.1}
WEIGHTS = np.linspace(0.01, 0.99, 99)


def noise(rng: np.random.Generator, n_frames: int, n_columns: int) -> np.ndarray:
    """Draw columns of an autoregressive process with the coefficient 0.4."""
    drawn: np.ndarray = lfilter([1], [1, -0.4], rng.standard_normal((n_frames + 100, n_columns)), axis=0)[100:]
    return drawn


def true_covariance(rng: np.random.Generator, n_nodes: int) -> np.ndarray:
    """Draw a covariance of unit variances: of common factors, an eighth as many as nodes, and of each node alone."""
    factors = rng.standard_normal((n_nodes, max(3, n_nodes // 8)))
    covariance = factors @ factors.T / factors.shape[1] + 0.7 * np.eye(n_nodes)
    deviation = np.sqrt(np.diag(covariance))
    drawn: np.ndarray = covariance / np.outer(deviation, deviation)
    return drawn


def shrunk(covariance: np.ndarray, weight: float) -> np.ndarray:
    """Mix a covariance of unit variances with the identity."""
    mixed: np.ndarray = (1 - weight) * covariance + weight * np.eye(len(covariance))
    return mixed


def simulated() -> None:
    """Print weights, and rms errors of partial correlations, where the truth is known."""
    columns = ("nodes", "frames, TR", "confounds", "effective frames", *("frames", "effective", "best") * 2)
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for n_nodes in (30, 100, 264):
        for n_frames, seconds, n_confounds in ((168, 2.0, 0), (168, 2.0, 24), (450, 0.8, 24)):
            rng = np.random.default_rng(0)
            true = true_covariance(rng, n_nodes)
            edges = np.triu_indices(n_nodes, k=1)
            found = []
            for _ in range(6):
                signals = noise(rng, n_frames, n_nodes) @ np.linalg.cholesky(true).T
                confounds = rng.standard_normal((n_frames, n_confounds))
                names = [str(number) for number in range(n_confounds)]
                result = clean_signals(signals, seconds, confounds=confounds, confound_names=names, **BAND)
                z, _ = standardize(result.signals)
                S = empirical(z).covariance
                off = S - np.eye(n_nodes)
                best = float(np.sum(off * (S - true)) / np.sum(off**2))  # of the least squared error of the covariance
                weights = [
                    ledoit_wolf(z).shrinkage,
                    ledoit_wolf(z, result.effective_degrees_of_freedom).shrinkage,
                    best,
                ]
                errors = [
                    np.sqrt(np.mean((partial_correlation(shrunk(S, weight)) - partial_correlation(true))[edges] ** 2))
                    for weight in weights
                ]
                found.append([result.effective_degrees_of_freedom, *weights, *errors])
            number, *rest = np.mean(found, axis=0)
            cells = [f"{n_nodes}", f"{n_frames}, {seconds:g} s", f"{n_confounds}", f"{number:.0f}"]
            print("|", " | ".join([*cells, *(f"{value:.3f}" for value in rest)]), "|", flush=True)


def held_out() -> None:
    """Print how well each half of the real runs predicts the other."""
    found = []
    for path in sorted(COHORT.glob("*_parcels.tsv.gz")):
        with gzip.open(path, "rt") as text:
            text.readline()
            signals = np.loadtxt(text)
        halves = [standardize(half)[0] for half in np.array_split(signals, 2)]
        for z, other in (halves, halves[::-1]):
            mean = np.full((len(z), 1), len(z) ** -0.5)
            number = effective_degrees_of_freedom(z, np.arange(len(z)), mean)
            S, of_the_other = empirical(z).covariance, empirical(other).covariance

            def score(weight: float, S: np.ndarray = S, of_the_other: np.ndarray = of_the_other) -> float:
                mixed = shrunk(S, weight)
                return float(-np.linalg.slogdet(mixed)[1] - np.trace(np.linalg.solve(mixed, of_the_other))) / 2

            best = float(WEIGHTS[np.argmax([score(weight) for weight in WEIGHTS])])
            weights = [
                *(estimate(z, samples).shrinkage for estimate in (ledoit_wolf, oas) for samples in (None, number)),
                best,
            ]
            found.append([number, *weights, *map(score, weights)])
    table = np.array(found)
    number, weights, scores = table[:, 0].mean(), table[:, 1:6], table[:, 6:]
    size = f"{len(z)} frames, {z.shape[1]} parcels"
    print(f"\n{len(table)} halves of {size}, {number:.1f} effective frames in the mean.\n")
    print("| weight by | mean weight | log-likelihood a frame | better than by frames |\n|---|---|---|---|")
    names = (
        "Ledoit-Wolf, frames",
        "Ledoit-Wolf, effective",
        "OAS, frames",
        "OAS, effective",
        "best for the other half",
    )
    for place, name in enumerate(names):
        rival = 2 if name.startswith("OAS") else 0
        better = f"{np.sum(scores[:, place] > scores[:, rival])} of {len(table)}" if place not in (0, 2) else ""
        print(f"| {name} | {weights[:, place].mean():.3f} | {scores[:, place].mean():.1f} | {better} |")


def correlations() -> None:
    """Print how a correlation depends on the frames that motion has left."""
    print("\n| frames kept | Pearson | Ledoit-Wolf, frames | Ledoit-Wolf, effective |\n|---|---|---|---|")
    rng = np.random.default_rng(0)
    true = true_covariance(rng, 200)
    edge = np.unravel_index(np.argmin(np.abs(true - 0.4)), true.shape)
    for n_kept in (200, 120, 80, 40):
        found = []
        for _ in range(40):
            signals = noise(rng, 200, 200) @ np.linalg.cholesky(true).T
            kept = np.zeros(200, dtype=bool)
            kept[rng.permutation(200)[:n_kept]] = True
            result = clean_signals(signals, 2.0, kept=kept)
            chosen = (("empirical", None), ("ledoit_wolf", None), ("ledoit_wolf", result.effective_degrees_of_freedom))
            found.append(
                [
                    connectome(result.signals, "correlation", name, samples=number).matrix[edge]
                    for name, number in chosen
                ]
            )
        print("|", " | ".join([str(n_kept), *(f"{value:.3f}" for value in np.mean(found, axis=0))]), "|")
    print(f"\nTrue correlation {true[edge]:.3f}, 200 nodes, mean of 40 runs of 200 frames, no filter.")


if __name__ == "__main__":
    simulated()
    held_out()
    correlations()
