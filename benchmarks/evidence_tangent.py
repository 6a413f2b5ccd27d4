"""Which covariance the tangent space should start from: the tables of docs/methods.md, in Markdown.

PYTHONPATH=workflow/lib python benchmarks/evidence_tangent.py
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from scipy.signal import lfilter
from scipy.special import stdtr

from sphereconn.clean.cleaning import clean_signals
from sphereconn.clean.degrees_of_freedom import effective_degrees_of_freedom
from sphereconn.connect.connectivity import connectome
from sphereconn.connect.tangent import displacement, geometric_mean, of_eigenvalues, tangent_space
from sphereconn.errors import InputError

COHORT = Path(__file__).parents[1] / "resources" / "cohort"
BAND = {"high_pass": 0.01, "low_pass": 0.1}
N_RUNS = 24
WAYS = (
    ("empirical", "empirical", False),
    ("Ledoit-Wolf, frames", "ledoit_wolf", False),
    ("Ledoit-Wolf, effective", "ledoit_wolf", True),
    ("OAS, effective", "oas", True),
)


def spaces(runs, worth):
    """The displacements of runs by every way that can be computed."""
    for words, covariance, effective in WAYS:
        try:
            space = tangent_space(runs, covariance, samples=worth if effective else None)
        except InputError:  # covariances with no inverse, or hardly one
            continue
        if not space.left_out:
            yield words, space


def unit(covariance):
    deviation = np.sqrt(np.diag(covariance))
    return covariance / np.outer(deviation, deviation)


def simulated_cohort(rng, n_nodes, spread):
    """Correlations of runs scattered around a common one, in all directions of the tangent space."""
    factors = rng.standard_normal((n_nodes, max(3, n_nodes // 8)))
    root = of_eigenvalues(unit(factors @ factors.T / factors.shape[1] + 0.7 * np.eye(n_nodes)), np.sqrt)
    for _ in range(N_RUNS):
        direction = rng.standard_normal((n_nodes, n_nodes)) * spread
        yield unit(root @ of_eigenvalues((direction + direction.T) / 2, np.exp) @ root)


def cleaned(rng, true, n_frames, seconds, share_kept):
    signals = lfilter([1], [1, -0.4], rng.standard_normal((n_frames + 100, len(true))), axis=0)[100:]
    kept = None
    if share_kept < 1:
        kept = np.zeros(n_frames, dtype=bool)
        kept[rng.permutation(n_frames)[: round(share_kept * n_frames)]] = True
    return clean_signals(signals @ np.linalg.cholesky(true).T, seconds, kept=kept, **BAND)


def errors():
    """How far displacements are from the true ones, and whether censored runs look different from the others."""
    print(
        "| nodes | frames, TR | covariance | similarity to the true displacement | edges that tell censored runs, % |"
    )
    print("|---|---|---|---|---|")
    for n_nodes, n_frames, seconds in (
        (15, 450, 0.8),
        (40, 450, 0.8),
        (40, 168, 2.0),
        (100, 450, 0.8),
        (100, 168, 2.0),
    ):
        rng = np.random.default_rng(0)
        similarity, told = {}, {}
        for _ in range(3):
            truth = list(simulated_cohort(rng, n_nodes, 0.25 / np.sqrt(n_nodes / 15)))
            whitening = of_eigenvalues(geometric_mean(truth).matrix, lambda values: 1 / np.sqrt(values))
            edges = np.triu_indices(n_nodes)
            expected = np.array([displacement(true, whitening)[edges] for true in truth])
            whole = [cleaned(rng, true, n_frames, seconds, 1.0) for true in truth]
            half = [
                cleaned(rng, true, n_frames, seconds, 0.5 if place % 2 else 1.0) for place, true in enumerate(truth)
            ]
            for results, measured in ((whole, similarity), (half, told)):
                worth = [result.effective_degrees_of_freedom for result in results]
                for words, space in spaces([result.signals for result in results], worth):
                    found = space.displacements[:, edges[0], edges[1]]
                    if measured is similarity:
                        mean = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(found, expected, strict=True)])
                        measured.setdefault(words, []).append(mean)
                    else:
                        measured.setdefault(words, []).append(100 * share_different(found[::2], found[1::2]))
        for words, _, _ in WAYS:
            if words in similarity:
                other = f"{np.mean(told[words]):.0f}" if words in told else ""
                print(
                    f"| {n_nodes} | {n_frames}, {seconds:g} s | {words} | {np.mean(similarity[words]):.3f} | {other} |"
                )


def share_different(one, other):
    """Share of edges that differ between two sets of runs with p < .05."""
    error = np.sqrt(one.var(axis=0, ddof=1) / len(one) + other.var(axis=0, ddof=1) / len(other))
    t = (one.mean(axis=0) - other.mean(axis=0)) / error
    return float(np.mean(2 * stdtr(len(one) + len(other) - 2, -np.abs(t)) < 0.05))


def halves():
    """How well the halves of real runs agree, and tell their subjects."""
    runs, worth = [], []
    mean = np.full((100, 1), 0.1)
    for path in sorted(COHORT.glob("sub-*_parcels.tsv.gz")):
        if path.name.startswith("sub-05"):  # the same series as sub-04
            continue
        with gzip.open(path, "rt") as file:
            signals = np.loadtxt(file, skiprows=1)
        for half in np.split(signals[: len(signals) // 2 * 2], 2):
            runs.append(half)
            worth.append(effective_degrees_of_freedom(half, np.arange(len(half)), mean))
    print("\n| nodes | measure | same subject | other subjects | halves told apart | reliability of edges |")
    print("|---|---|---|---|---|---|")
    for n_nodes in (30, 60, runs[0].shape[1]):
        chosen = [run[:, :: runs[0].shape[1] // n_nodes][:, :n_nodes] for run in runs]
        edges = np.triu_indices(n_nodes, k=1)
        measures = {words: space.displacements[:, edges[0], edges[1]] for words, space in spaces(chosen, worth)}
        for kind, covariance in (("correlation", "empirical"), ("partial correlation", "ledoit_wolf")):
            matrices = [
                connectome(run, kind, covariance, samples=n).matrix[edges] for run, n in zip(chosen, worth, strict=True)
            ]
            measures[kind] = np.arctanh(np.array(matrices))
        for words, vectors in measures.items():
            like = np.corrcoef(vectors)[::2, 1::2]
            same = np.eye(len(like), dtype=bool)
            told = np.mean(
                np.r_[like.argmax(axis=0) == np.arange(len(like)), like.argmax(axis=1) == np.arange(len(like))]
            )
            print(
                f"| {n_nodes} | {words} | {like[same].mean():.3f} | {like[~same].mean():.3f} | {100 * told:.0f} % |"
                f" {np.median(reliability(vectors[::2], vectors[1::2])):.3f} |"
            )


def reliability(one, other):
    """The intraclass correlation ICC(1,1) of every edge."""
    mean = (one + other) / 2
    between = 2 * mean.var(axis=0, ddof=1)
    within = np.mean((one - other) ** 2, axis=0) / 2
    return (between - within) / (between + within)


if __name__ == "__main__":
    errors()
    halves()
