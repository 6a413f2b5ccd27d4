"""How often rules for unusual runs name a run of a cohort in which none is, and how often one that moved more.

Head motion of runs is log-normal (standard deviation 0.5 of the logarithm). In a second cohort of the same size one run
in ten has four times the motion that it had. The rules count scaled median absolute deviations from the median, of the
logarithm or of the motion itself.

Run it as

    .venv/bin/python benchmarks/evidence_unusual.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

import numpy as np  # noqa: E402

from sphereconn.aggregate.quality import QUALITY_COLUMNS  # noqa: E402
from sphereconn.aggregate.unusual import unusual_runs  # noqa: E402

SPREAD, HIGHER, N_VALUES = 0.5, 4.0, 60_000


def named(motion: np.ndarray) -> np.ndarray:
    """Return which runs of a cohort our rule names, by their motion."""
    known = {"frames_without_data": "0", "effective_degrees_of_freedom": "50", "nodes": "4", "nodes_unusable": "0"}
    rows = [
        dict.fromkeys(QUALITY_COLUMNS, "n/a") | known | {"run": str(run), "mean_framewise_displacement": repr(value)}
        for run, value in enumerate(motion.tolist())
    ]
    concerns = unusual_runs(rows, [])
    return np.array([bool(concerns[str(run)]) for run in range(len(motion))])


def far_out(values: np.ndarray, cutoff: float) -> np.ndarray:
    """Return which values are so many scaled deviations or more above the median."""
    distance = values - np.median(values)
    return distance > cutoff * 1.4826 * np.median(np.abs(distance))


RULES = {
    "ours": named,
    "logarithm, 3.5": lambda motion: far_out(np.log(motion), 3.5),
    "millimetres, 2.5": lambda motion: far_out(motion, 2.5),
    "millimetres, 3.5": lambda motion: far_out(motion, 3.5),
}


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    print("| runs | " + " | ".join(f"{rule}: usual | moved" for rule in RULES) + " |")
    print("|" + "---|" * (1 + 2 * len(RULES)))
    for n_runs in (10, 20, 50, 155, 1000):
        usual, moved = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0)
        n_cohorts, n_higher = N_VALUES // n_runs, n_runs // 10
        for _ in range(n_cohorts):
            motion = 0.15 * np.exp(SPREAD * rng.standard_normal(n_runs))
            higher = motion * np.where(np.arange(n_runs) < n_higher, HIGHER, 1.0)
            for rule, names in RULES.items():
                usual[rule] += int(names(motion).sum())
                moved[rule] += int(names(higher)[:n_higher].sum())
        shares = (
            f"{100 * usual[rule] / (n_cohorts * n_runs):.1f} % | {100 * moved[rule] / (n_cohorts * n_higher):.0f} %"
            for rule in RULES
        )
        print(f"| {n_runs:,} | " + " | ".join(shares) + " |")


if __name__ == "__main__":
    main()
