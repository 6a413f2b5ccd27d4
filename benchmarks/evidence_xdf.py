"""Which z of a single run's correlations holds its error rate: the table of docs/methods.md, in Markdown.

Signals of independent nodes, so every correlation is 0 in truth; the share of pairs beyond 1.96 should be 5 %.

PYTHONPATH=workflow/lib python benchmarks/evidence_xdf.py
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from sphereconn.clean.cleaning import clean_signals
from sphereconn.connect.xdf import correlation_score

N_NODES, N_RUNS = 40, 25
BAND = {"high_pass": 0.01, "low_pass": 0.1}
MIXED = np.linspace(0, 0.9, N_NODES)
CASES = (
    ("200 frames, TR 2 s, AR .4", 200, 2.0, 0.4, 0, 1.0, {}),
    ("200 frames, TR 2 s, AR .8", 200, 2.0, 0.8, 0, 1.0, {}),
    ("200 frames, TR 2 s, AR 0 to .9", 200, 2.0, MIXED, 0, 1.0, {}),
    ("1000 frames, TR .8 s, AR 0 to .9", 1000, 0.8, MIXED, 0, 1.0, {}),
    ("the same, 24 regressors, 40 % censored", 1000, 0.8, MIXED, 24, 0.6, {}),
    ("168 frames, TR 2 s, AR .4, band-pass", 168, 2.0, 0.4, 0, 1.0, BAND),
    ("168 frames, TR 2 s, AR .4, 24 regressors, band-pass", 168, 2.0, 0.4, 24, 1.0, BAND),
    ("450 frames, TR .8 s, AR 0 to .9, 24 regressors, band-pass", 450, 0.8, MIXED, 24, 1.0, BAND),
    ("the same, 30 % censored", 450, 0.8, MIXED, 24, 0.7, BAND),
    ("1000 frames, TR .8 s, AR 0 to .9, 24 regressors, band-pass", 1000, 0.8, MIXED, 24, 1.0, BAND),
)


def cleaned(rng, n_frames, seconds, coefficients, n_confounds, share_kept, settings):
    drawn = rng.standard_normal((n_frames + 200, N_NODES))
    signals = [
        lfilter([1], [1, -one], column)[200:]
        for one, column in zip(np.broadcast_to(coefficients, N_NODES), drawn.T, strict=True)
    ]
    kept = np.zeros(n_frames, dtype=bool)
    kept[rng.permutation(n_frames)[: round(share_kept * n_frames)]] = True
    confounds, names = rng.standard_normal((n_frames, n_confounds)), [str(number) for number in range(n_confounds)]
    result = clean_signals(
        np.column_stack(signals), seconds, confounds=confounds, confound_names=names, kept=kept, **settings
    )
    return result.signals, np.flatnonzero(kept), result.effective_degrees_of_freedom


def scores(signals, frames, worth):
    fisher = np.arctanh(np.corrcoef(signals.T) - np.eye(N_NODES))
    yield fisher * np.sqrt(len(signals) - 3)
    yield fisher * np.sqrt(max(worth - 3, 1))
    yield correlation_score(signals, frames).z
    yield correlation_score(signals, frames, worth).z


def main() -> None:
    print("| signals | frames | degrees of freedom of the run | xDF as published | xDF, scaled to the run |")
    print("|---|---|---|---|---|")
    half = np.arange(N_NODES) < N_NODES // 2
    pairs = np.triu(np.ones((N_NODES, N_NODES), dtype=bool), k=1)
    groups = pairs, pairs & half & half[:, None], pairs & ~half & ~half[:, None]
    for words, *settings in CASES:
        rng, found = np.random.default_rng(0), []
        for _ in range(N_RUNS):
            found.append(
                [[np.mean(np.abs(z[group]) > 1.96) for group in groups] for z in scores(*cleaned(rng, *settings))]
            )
        shares = 100 * np.mean(found, axis=0)
        cells = [f"{every:.1f} ({fast:.1f}, {slow:.1f})" for every, fast, slow in shares]
        print(f"| {words} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
