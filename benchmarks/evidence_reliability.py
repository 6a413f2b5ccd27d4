"""Choices behind the stage of reliability, against simulated truth and on real series: tables of docs/methods.md.

PYTHONPATH=workflow/lib:tests python benchmarks/evidence_reliability.py
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from cohort import cohort_signals
from compare.repeated_runs import draw, reader

from sphereconn.clean.cleaning import clean_signals
from sphereconn.compare.discriminability import discriminability, observed_table
from sphereconn.compare.halves import halves_of, spearman_brown
from sphereconn.compare.icc import one_way, whole_icc
from sphereconn.compare.identification import assignments, identification
from sphereconn.compare.lengths import Part, reliability_by_length, whole_of
from sphereconn.compare.likeness import likeness
from sphereconn.compare.repeats import repeats_of

SUBJECTS = [number for number in range(1, 17) if number != 5]  # the series of 5 are those of 4
SECONDS = 2.0
SECONDS_OF_COHORT = 2.5  # and 2.52


def edges_of(signals):
    rows, columns = np.triu_indices(signals.shape[1], 1)
    return np.arctanh(np.corrcoef(signals.T)[rows, columns])


def whole(values, subject):
    return whole_icc(likeness(reader(values), values.shape[1], np.arange(len(values))).distances, subject).icc


def alternating(n_frames):
    return slice(0, None, 2), slice(1, None, 2)


def reliability_of_halves(runs, how):
    values = np.array([edges_of(run[half]) for run in runs for half in how(len(run))])
    return whole(values, np.repeat(np.arange(len(runs)), 2))


def simulated_run(rng, root, n_frames):
    signals = rng.normal(size=(n_frames, len(root))) @ root.T
    return clean_signals(signals, SECONDS, high_pass=0.01, low_pass=0.1).signals


def which_halves():
    print("\n| | two runs of this length | contiguous halves | every other frame |\n|---|---|---|---|")
    for n_frames in (200, 400):
        found = []
        for number in range(20):
            rng = np.random.default_rng((1, number))
            common = rng.normal(size=(20, 20))
            roots = [np.eye(20) + 0.15 * common + 0.12 * rng.normal(size=(20, 20)) for _ in range(20)]
            runs = [simulated_run(rng, root, n_frames) for root in roots]
            pairs = [edges_of(simulated_run(rng, root, n_frames // 2)) for root in roots for _ in range(2)]
            own = whole(np.array(pairs), np.repeat(np.arange(20), 2))
            found.append([own, *(reliability_of_halves(runs, how) for how in (halves_of, alternating))])
        numbers = " | ".join(f"{value:.3f}" for value in np.mean(found, axis=0))
        print(f"| simulated, halves of {n_frames // 2} frames | {numbers} |", flush=True)
    runs = [cohort_signals(number)[1] for number in SUBJECTS]
    numbers = " | ".join(f"{reliability_of_halves(runs, how):.3f}" for how in (halves_of, alternating))
    print(f"| demo cohort, halves of 100 frames | – | {numbers} |", flush=True)


def intervals():
    print("\n| runs of a subject | ICC | coverage of edges | of whole connectomes |\n|---|---|---|---|")
    for words, sizes in (("2", [2] * 20), ("2 to 6", [2, 2, 3, 6] * 5)):
        subject = np.repeat(np.arange(20), sizes)
        for truth in (0.2, 0.5, 0.8):
            rng = np.random.default_rng(2)

            def values(n_edges, rng=rng, subject=subject, truth=truth):
                between = np.sqrt(truth) * rng.normal(size=(20, n_edges))[subject]
                return between + np.sqrt(1 - truth) * rng.normal(size=(len(subject), n_edges))

            edges = one_way(values(20_000), subject)
            covered = ((edges.lower <= truth) & (truth <= edges.upper)).mean()
            hits = 0
            for _ in range(1000):
                some = values(8)
                mixed = some @ np.vstack([np.eye(8)[:2]] * 10 + [np.eye(8)]).T  # 28 edges, of which 22 go together
                alike = likeness(reader(mixed), mixed.shape[1], np.arange(len(subject)))
                found = whole_icc(alike.distances, subject)
                hits += found.lower <= truth <= found.upper
            print(f"| {words} | {truth} | {100 * covered:.1f} % | {hits / 10:.1f} % |", flush=True)


def which_shuffles():
    print("\n| | shuffled within repeats | shuffled freely |\n|---|---|---|")
    labels = [f"{row:02d}" for row in range(12) for _ in range(2)]
    within = repeats_of(labels, ["1", "2"] * 12)
    for words, between, of_repeats in (
        ("no subjects, no sessions", 0.0, 0.0),
        ("no subjects, sessions differ", 0.0, 3.0),
        ("subjects, no sessions", 0.25, 0.0),
        ("subjects, sessions differ", 0.25, 3.0),
    ):
        p = []
        for number in range(1000):
            rng = np.random.default_rng((3, number))
            values = draw(rng, 12, 2, 20, between, of_repeats).reshape(24, 20)
            alike = likeness(reader(values), 20, within.runs)
            table = observed_table(within)
            free = np.array([table, *(rng.permutation(24)[table] for _ in range(199))])
            chosen = (assignments(within, table, 199, number).tables, free)
            scores = [discriminability(alike.distances, tables) for tables in chosen]
            p.append([(score >= score[0] - 1e-12).mean() for score in scores])
        print(
            f"| {words} | {' | '.join(f'{100 * share:.1f} %' for share in (np.array(p) <= 0.05).mean(axis=0))} |",
            flush=True,
        )


def lengths():
    print(
        "\n| minutes of each half | those in the middle | the first | predicted from the longest |\n|---|---|---|---|"
    )
    runs, names = [cohort_signals(number)[1] for number in SUBJECTS], cohort_signals(1)[0]
    middle = [Part(run, SECONDS_OF_COHORT, len(run), None, 0).halves() for run in runs]
    first = [[replace(half, central=False) for half in halves] for halves in middle]
    minutes = [100 * SECONDS_OF_COHORT / 60 * share for share in (0.25, 0.5, 0.75, 1.0)]
    found = [
        [whole_of(one) for one in reliability_by_length(parts, minutes, "correlation", "empirical", names)]
        for parts in (middle, first)
    ]
    for length, *values in zip(minutes, *found, strict=True):
        numbers = [*values, spearman_brown(found[0][-1], length / minutes[-1])]
        print(f"| {length:.1f} | {' | '.join(f'{number:.3f}' for number in numbers)} |", flush=True)


def global_signal():
    print("\n| demo cohort, halves | ICC(1,1) of whole connectomes | discriminability | differential identifiability |")
    print("|---|---|---|---|")
    subject = np.repeat(np.arange(len(SUBJECTS)), 2)
    for words, removed in (("as it is", False), ("global signal regressed out", True)):
        values = []
        for number in SUBJECTS:
            signals = cohort_signals(number)[1]
            if removed:
                signal = signals.mean(axis=1, keepdims=True)
                signals = signals - signal @ np.linalg.lstsq(signal, signals, rcond=None)[0]
            values += [edges_of(signals[half]) for half in halves_of(len(signals))]
        alike = likeness(reader(np.array(values)), len(values[0]), np.arange(len(values)))
        found, table = whole_icc(alike.distances, subject), np.arange(len(values)).reshape(1, -1, 2)
        icc = f"{found.icc:.3f} ({found.lower:.3f} to {found.upper:.3f})"
        known = identification(alike.correlations, table).differential_identifiability[0]
        print(f"| {words} | {icc} | {discriminability(alike.distances, table)[0]:.3f} | {known:.1f} |", flush=True)


if __name__ == "__main__":
    which_halves()
    intervals()
    which_shuffles()
    lengths()
    global_signal()
