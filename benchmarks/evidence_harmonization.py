"""Does harmonisation bring values closer to what a single site would have measured, and what does it do to tests?

Sites differ in the mean and the variance of every edge, by a known amount. Two tables (docs/methods.md): the error of
values after harmonisation, and how often a test finds a group difference, where there is none and where there is one,
with groups balanced and unbalanced over sites.

    PYTHONPATH=workflow/lib python benchmarks/evidence_harmonization.py
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr

from sphereconn.infer.combat import harmonize

N_EDGES = 500
N_STUDIES = 40
# Between-site standard deviations of an edge's mean that are found between scanners: about half of that within a site.
SHIFT, WITHIN = 0.08, 0.18


def study(n_runs, shares, effect, rng, heterogeneity=1.0):
    """Values, sites, group (1 or 0 a run), and the values without site differences."""
    place = np.repeat(np.arange(len(n_runs)), n_runs)
    group = np.concatenate(
        [(np.arange(n) < round(share * n)).astype(float) for n, share in zip(n_runs, shares, strict=True)]
    )
    noise = rng.normal(0, WITHIN, (len(place), N_EDGES))
    common = rng.normal(0, WITHIN / 2, (len(place), 1))
    shift = rng.normal(rng.normal(0, SHIFT / 2, (len(n_runs), 1)), SHIFT * heterogeneity, (len(n_runs), N_EDGES))
    scale = rng.uniform(0.8, 1.3, (len(n_runs), 1)) * rng.lognormal(0, 0.05 * heterogeneity, (len(n_runs), N_EDGES))
    truth = rng.normal(0.2, 0.2, N_EDGES) + effect * group[:, None] + noise + common
    values = truth + shift[place] + (scale[place] - 1) * (noise + common)
    return values, [f"site{number}" for number in place], group, truth


def rms_without_offset(difference):
    """Root mean square over runs and edges; an offset that all runs share is no error."""
    return float(np.sqrt(np.mean((difference - difference.mean(axis=0)) ** 2)))


def share_significant(values, columns):
    """Share of edges whose first column has p < .05 in a linear model with an intercept."""
    design = np.column_stack([columns, np.ones(len(values))])
    inverse = np.linalg.inv(design.T @ design)
    solution = inverse @ design.T @ values
    left = len(values) - design.shape[1]
    variance = np.sum((values - design @ solution) ** 2, axis=0) / left
    t = solution[0] / np.sqrt(variance * inverse[0, 0])
    return float(np.mean(2 * stdtr(left, -np.abs(t)) < 0.05))


def errors():
    ways = {
        "nothing": None,
        "means": {"mean_only": True, "empirical_bayes": False},
        "means, empirical Bayes": {"mean_only": True},
        "means and variances": {"empirical_bayes": False},
        "means and variances, empirical Bayes": {},
    }
    print("| runs a site | site differences | " + " | ".join(ways) + " |")
    print("|---|---|" + "---|" * len(ways))
    for n in (3, 5, 10, 20, 50):
        for words, heterogeneity in (("alike in all edges", 0.25), ("of each edge its own", 1.0)):
            rng = np.random.default_rng(n)
            found = {way: [] for way in ways}
            for _ in range(N_STUDIES):
                values, sites, _, truth = study((n,) * 4, (0.5,) * 4, 0.0, rng, heterogeneity)
                for way, options in ways.items():
                    result = values if options is None else harmonize(values, sites, **options).values
                    found[way].append(rms_without_offset(result - truth))
            print(f"| {n} | {words} | " + " | ".join(f"{np.mean(found[way]):.3f}" for way in ways) + " |")


def tests():
    print("\n| groups | sites (runs) | true effect | how | significant at .05, % |")
    print("|---|---|---|---|---|")
    for words, n_runs, shares in (
        ("balanced", (20, 20), (0.5, 0.5)),
        ("unbalanced", (20, 20), (0.8, 0.2)),
        ("unbalanced", (8,) * 6, (0.875, 0.75, 0.625, 0.375, 0.25, 0.125)),
        ("nearly confounded", (20, 20), (0.95, 0.05)),
    ):
        for effect in (0.0, 0.12):
            rng = np.random.default_rng(7)
            found: dict[str, list[float]] = {}
            for _ in range(N_STUDIES):
                values, sites, group, _ = study(n_runs, shares, effect, rng)
                column = group[:, None]
                dummies = np.array([[site == label for label in sorted(set(sites))[1:]] for site in sites], dtype=float)
                keeping, losing = harmonize(values, sites, column).values, harmonize(values, sites).values
                covbat = harmonize(values, sites, column, covariance_share=0.95).values
                for way, result, columns in (
                    ("nothing", values, column),
                    ("site in the model", values, np.hstack([column, dummies])),
                    ("ComBat, group not kept", losing, column),
                    ("ComBat, group kept", keeping, column),
                    ("ComBat, group kept, site in the model", keeping, np.hstack([column, dummies])),
                    ("CovBat, group kept", covbat, column),
                    ("CovBat, group kept, site in the model", covbat, np.hstack([column, dummies])),
                ):
                    found.setdefault(way, []).append(share_significant(result, columns))
            for way, shares_found in found.items():
                error = np.std(shares_found) / np.sqrt(N_STUDIES)
                runs = f"{len(n_runs)} ({n_runs[0]} each)"
                mean = 100 * np.mean(shares_found)
                print(f"| {words} | {runs} | {effect:g} | {way} | {mean:.1f} ± {100 * error:.1f} |")


if __name__ == "__main__":
    errors()
    tests()
