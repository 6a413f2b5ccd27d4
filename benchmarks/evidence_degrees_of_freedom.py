"""Effective degrees of freedom against the truth: the tables of docs/methods.md, in Markdown.

    PYTHONPATH=workflow/lib .venv/bin/python benchmarks/evidence_degrees_of_freedom.py [--summary]

The truth of a case is the inverse variance of the correlations of 200 independent nodes. The estimate comes from the
first 60, made to depend on each other by a signal that they share (correlation 0.3), as those of real runs do. Both are
averaged, as inverses, over draws of the noise, of the censored frames and of the confounds, which have the
autocorrelation of the noise.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import lfilter

from sphereconn.clean.cleaning import clean_signals
from sphereconn.clean.degrees_of_freedom import effective_degrees_of_freedom
from sphereconn.errors import InputError

COHORT = Path(__file__).parents[1] / "resources" / "cohort"
FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "below 0.1 Hz": {"low_pass": 0.1},
    "0.01–0.1 Hz": {"high_pass": 0.01, "low_pass": 0.1},
    "cosines": {"filter": "cosine", "high_pass": 0.008},
}
CENSORED = ("none", "30 % scattered", "30 % in blocks")
COLOURS = {"white": 0.0, "AR(1)": 0.6}  # autocorrelation after 2 s
N_TRUE, N_ESTIMATED, SHARED = 200, 60, 0.3


def noise(
    rng: np.random.Generator, n_frames: int, n_columns: int, after_two_seconds: float, seconds: float
) -> np.ndarray:
    """Draw columns of an autoregressive process of order 1."""
    coefficient = after_two_seconds ** (seconds / 2)
    innovations = rng.standard_normal((n_frames + 200, n_columns))
    drawn: np.ndarray = lfilter([1], [1, -coefficient], innovations, axis=0)[200:]
    return drawn


def frames_kept(rng: np.random.Generator, n_frames: int, censored: str) -> np.ndarray:
    """Draw which frames are kept; blocks are of 4 to 15 frames."""
    kept = np.ones(n_frames, dtype=bool)
    if censored == "30 % scattered":
        kept[rng.permutation(n_frames)[: int(0.3 * n_frames)]] = False
    while censored == "30 % in blocks" and kept.mean() > 0.7:
        start = rng.integers(n_frames)
        kept[start : start + rng.integers(4, 16)] = False
    return kept


def case(
    seconds: float, minutes: float, colour: str, filtered: str, censored: str, n_confounds: int
) -> tuple[float, float, float]:
    """Give the count, the truth and the estimate of one case."""
    rng = np.random.default_rng(0)
    n_frames = round(60 * minutes / seconds)
    after = COLOURS[colour]
    options = FILTERS[filtered] | {"confound_names": [str(number) for number in range(n_confounds)]}
    counts, true, estimates = [], [], []
    for _ in range(8 if n_frames < 1000 else 3):
        options |= {
            "confounds": noise(rng, n_frames, n_confounds, after, seconds),
            "kept": frames_kept(rng, n_frames, censored),
        }
        independent = noise(rng, n_frames, N_TRUE, after, seconds)
        shared = np.sqrt(SHARED) * noise(rng, n_frames, 1, after, seconds)
        result = clean_signals(independent, seconds, **options)
        counts.append(result.degrees_of_freedom)
        true.append(np.mean(np.corrcoef(result.signals, rowvar=False)[np.triu_indices(N_TRUE, k=1)] ** 2))
        dependent = np.sqrt(1 - SHARED) * independent[:, :N_ESTIMATED] + shared
        estimates.append(1 / clean_signals(dependent, seconds, **options).effective_degrees_of_freedom)
    return float(np.mean(counts)), float(1 / np.mean(true)), float(1 / np.mean(estimates))


def grid(summary: bool) -> None:
    """Print how far count and effective number are off, by filter, censoring and confounds, and the worst cases."""
    off: dict[tuple[Any, ...], list[tuple[float, float]]] = {}
    rows = []
    for seconds, minutes, colour, filtered, censored, n_confounds in itertools.product(
        (2.0, 0.8), (4, 10, 30), COLOURS, FILTERS, CENSORED, (0, 24)
    ):
        try:
            count, true, estimate = case(seconds, minutes, colour, filtered, censored, n_confounds)
        except InputError:
            continue
        off.setdefault((colour, filtered, censored), []).append((count / true, estimate / true))
        cells = [f"{seconds:g}", str(minutes), colour, filtered, censored, str(n_confounds)]
        cells += [f"{value:.1f}" for value in (count, true, estimate)]
        rows.append((abs(estimate / true - 1), f"| {' | '.join(cells)} | {count / true:.2f} | {estimate / true:.2f} |"))
    print("| noise | filter | censored | count / true | effective / true |\n|---|---|---|---|---|")
    for labels, ratios in off.items():
        spans = [f"{min(column):.2f} to {max(column):.2f}" for column in zip(*ratios, strict=True)]
        print("|", " | ".join([*labels, *spans]), "|")
    everything = np.concatenate([np.array(ratios) for ratios in off.values()])
    within = np.mean(np.abs(everything - 1) <= 0.1, axis=0)
    print(f"\nWithin 10 %: count {within[0]:.0%}, effective {within[1]:.0%} of {len(everything)} cases.\n")
    print("| TR (s) | min | noise | filter | censored | confounds | count | true | effective | ratio | ratio |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for _, row in sorted(rows, reverse=True)[:6] if summary else rows:
        print(row)


def single_edges() -> None:
    """Print what one number for all edges hides: nodes of three autocorrelations in one run, and real networks."""
    print("\n| filter | edges between nodes of | true | of the run |\n|---|---|---|---|")
    for filtered in ("none", "0.01–0.1 Hz"):
        rng = np.random.default_rng(0)
        chance: dict[str, list[float]] = {}
        numbers = []
        for _ in range(10):
            parts = [noise(rng, 300, 60, after, 2.0) for after in (0.0, 0.5, 0.8)]
            result = clean_signals(np.hstack(parts), 2.0, **FILTERS[filtered])
            numbers.append(1 / result.effective_degrees_of_freedom)
            squared = np.corrcoef(result.signals, rowvar=False) ** 2
            for name, one, other in (("0.0 and 0.0", 0, 0), ("0.5 and 0.5", 1, 1), ("0.8 and 0.8", 2, 2)):
                block = squared[60 * one : 60 * one + 60, 60 * other : 60 * other + 60]
                chance.setdefault(name, []).append(float(np.mean(block[np.triu_indices(60, k=1)])))
            chance.setdefault("any", []).append(float(np.mean(squared[np.triu_indices(180, k=1)])))
        for name, values in chance.items():
            print(f"| {filtered} | {name} | {1 / np.mean(values):.1f} | {1 / np.mean(numbers):.1f} |")

    with (COHORT / "parcels.tsv").open(encoding="utf-8") as file:
        network = {row["parcel"]: row["module"] for row in csv.DictReader(file, delimiter="\t")}
    ratios: dict[str, list[float]] = {}
    for path in sorted(COHORT.glob("*_parcels.tsv.gz")):
        with gzip.open(path, "rt") as text:
            names = text.readline().rstrip("\n").split("\t")
            signals = np.loadtxt(text)
        frames, mean = np.arange(len(signals)), np.full((len(signals), 1), len(signals) ** -0.5)
        whole = effective_degrees_of_freedom(signals, frames, mean)
        for label in sorted(set(network.values())):
            nodes = [place for place, name in enumerate(names) if network[name] == label]
            if len(nodes) >= 5:
                part = effective_degrees_of_freedom(signals[:, nodes], frames, mean)
                ratios.setdefault(label, []).append(part / whole)
    medians = {label: float(np.median(values)) for label, values in ratios.items()}
    print("\nReal series, number of a network / of the run, median of 16 runs:", end=" ")
    print(", ".join(f"{label} {value:.2f}" for label, value in medians.items()))


if __name__ == "__main__":
    grid("--summary" in sys.argv)
    single_edges()
