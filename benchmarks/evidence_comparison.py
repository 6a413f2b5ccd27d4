"""What QC-FC can show with how many subjects: the tables of docs/methods.md, in Markdown.

PYTHONPATH=workflow/lib python benchmarks/evidence_comparison.py
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from scipy.special import stdtr

from sphereconn.compare.distance import edge_lengths, rank_correlation
from sphereconn.compare.modularity import modularity
from sphereconn.compare.networks import network_contrast, same_network
from sphereconn.compare.qcfc import qcfc, spread_of
from sphereconn.files import read_records

COHORT = Path(__file__).parents[1] / "resources" / "cohort"
N_STUDIES, N_EDGES = 20, 2000


def found(values, motion, nuisance):
    return qcfc(
        lambda runs, start, stop: values[runs, start:stop], values.shape[1], np.arange(len(values)), motion, nuisance
    )


def null_studies(rng):
    """Shares of significant edges in 30 unrelated runs with two covariates, by the degrees of freedom counted."""
    shares = {"n - 2 - k": [], "n - 2": []}
    for _ in range(N_STUDIES):
        nuisance = np.column_stack([rng.normal(40, 10, 30), rng.integers(0, 2, 30)])
        one = found(rng.normal(size=(30, N_EDGES)), rng.gamma(2, 0.1, 30), nuisance)
        shares["n - 2 - k"].append(np.mean(one.p < 0.05))
        t = one.r * np.sqrt(28 / (1 - one.r**2))
        shares["n - 2"].append(np.mean(2 * stdtr(28, -np.abs(t)) < 0.05))
    for words, share in shares.items():
        print(f"| {words} | {100 * np.mean(share):.1f} % |")


def power(rng):
    """How often a strategy that halves every edge's dependence on motion has the lower median |QC-FC|."""
    for n in (16, 30, 60, 150):
        medians, first = {0.2: [], 0.1: []}, []
        for _ in range(100):
            motion, common = rng.gamma(2, 0.1, n), rng.normal(size=(n, 5))
            weights = rng.normal(size=(5, 500)) / np.sqrt(5)
            sign = rng.choice([-1.0, 1.0], 500)
            rest = 0.7 * common @ weights + 0.7 * rng.normal(size=(n, 500))  # edges share what varies between runs
            standard = (motion - motion.mean()) / motion.std()
            both = {}
            for true in medians:
                own = rest + 0.3 * rng.normal(size=rest.shape)  # what another denoising changes at random
                values = np.sqrt(1 - true**2) * own / own.std() + true * sign * standard[:, None]
                both[true] = spread_of(found(values, motion, np.empty((n, 0)))).median_absolute
                medians[true].append(both[true])
            first.append(both[0.1] < both[0.2])
        chance = spread_of(found(rng.normal(size=(n, 500)), rng.normal(size=n), np.empty((n, 0))))
        row = [f"{np.mean(medians[true]):.3f} ± {np.std(medians[true]):.3f}" for true in (0.2, 0.1)]
        print(f"| {n} | {chance.median_absolute_by_chance:.3f} | {row[0]} | {row[1]} | {np.mean(first):.0%} |")


def motion_groups_of(rng):
    """Shares of edges found to differ between parts of the subjects, by how motion acts and how large the parts are."""
    parts = {"halves": 2, "thirds": 3, "quarters": 4}
    for n in (30, 90):
        for words in ("in proportion to motion", "above the 80th percentile only", "nowhere"):
            shares = {part: [] for part in parts}
            for _ in range(100):
                motion = rng.gamma(2, 0.1, n)
                acts = {"in proportion to motion": motion, "nowhere": 0 * motion}.get(
                    words, np.maximum(motion - np.quantile(motion, 0.8), 0)
                )
                standard = (acts - acts.mean()) / (acts.std() or 1)
                values = rng.normal(size=(n, 500)) + 0.4 * standard[:, None]
                order = np.argsort(motion)
                for part, number in parts.items():
                    size = n // number
                    places = np.concatenate([order[:size], order[-size:]])
                    high = np.repeat([0.0, 1.0], size)
                    shares[part].append(np.mean(found(values[places], high, np.empty((2 * size, 0))).p < 0.05))
            cells = " | ".join(f"{100 * np.mean(share):.0f} %" for share in shares.values())
            print(f"| {n} | {words} | {cells} |")


def global_signal(n_subjects=16):
    """The shipped cohort with and without its global signal; subjects 4 and 5 have the same series: 5 is left out."""
    points = read_records(COHORT / "parcels.tsv")
    people = read_records(COHORT / "participants.tsv")
    chosen = [number for number in range(n_subjects) if number != 4]
    connectomes = {"as shipped": [], "global signal regressed": []}
    for number in chosen:
        with gzip.open(COHORT / f"sub-{number + 1:02d}_parcels.tsv.gz", "rt") as file:
            names = file.readline().split()
            signals = np.loadtxt(file)
        signals = signals - signals.mean(axis=0)
        mean = signals.mean(axis=1)
        for words, cleaned in zip(
            connectomes, (signals, signals - np.outer(mean, mean @ signals / (mean @ mean))), strict=True
        ):
            connectomes[words].append(np.arctanh(np.corrcoef(cleaned.T)[np.triu_indices(len(names), 1)]))
    of_parcel = {name: [point for point in points if point["parcel"] == name] for name in names}
    centres = np.array([[np.mean([float(point[axis]) for point in of]) for axis in "xyz"] for of in of_parcel.values()])
    within, between = same_network([of[0]["module"] for of in of_parcel.values()])
    motion = np.array([float(people[number]["mean_fd"]) for number in chosen])
    site = np.array([[float(people[number]["site"] == "essen")] for number in chosen])
    for words, runs in connectomes.items():
        values = np.array(runs)
        one = found(values, motion, site)
        spread = spread_of(one)
        q = np.mean([modularity(np.tanh(edges), len(names), 20) for edges in values])
        d = np.mean([network_contrast(edges, within, between).separation for edges in values])
        rho = rank_correlation(edge_lengths(centres), one.r)
        print(
            f"| {words} | {spread.median_absolute:.3f} ({spread.median_absolute_by_chance:.3f}) |"
            f" {100 * spread.significant:.1f} % | {rho:.2f} | {q:.2f} | {d:.2f} |"
        )


if __name__ == "__main__":
    print("| degrees of freedom | significant edges of a null |\n|---|---|")
    null_studies(np.random.default_rng(1))
    print("\n| subjects | by chance | r = 0.2 with motion | r = 0.1 | the second ranks first |\n|---|---|---|---|---|")
    power(np.random.default_rng(2))
    print("\n| subjects | motion acts | halves | thirds | quarters |\n|---|---|---|---|---|")
    motion_groups_of(np.random.default_rng(3))
    print("\n| shipped cohort | median QC-FC (by chance) | p < .05 | with distance | modularity | separation |")
    print("|---|---|---|---|---|---|")
    global_signal()
