"""Do tests of edges, components and network pairs keep their level, and which of them finds a network that differs?

Studies of ten nodes in three networks, 99 shuffles each (tests/infer/null_studies.py makes them). Two tables
(docs/methods.md): how often something is found at .05 where nothing is to be found, and where one network differs.

    PYTHONPATH=workflow/lib:tests/infer python benchmarks/evidence_inference.py [studies]
"""

from __future__ import annotations

import sys

import numpy as np
from null_studies import BROKEN, HELD, PLANTED, TESTS, smallest_p

N_NODES, N_SHUFFLES, THRESHOLD = 10, 99, 2.0


def rates(make, n_studies):
    found = [
        smallest_p(make(np.random.default_rng((5, i)), N_NODES), N_NODES, N_SHUFFLES, i, THRESHOLD)
        for i in range(n_studies)
    ]
    families = [np.mean([p[kind] <= 0.05 for p in found]) for kind in TESTS]
    return [*families, *(np.mean([p[kind] for p in found]) for kind in ("edges, t", "edges, permuted"))]


def table(studies, n_studies):
    print("\n| study | " + " | ".join(TESTS) + " | single edges, t | single edges, permuted |\n|---|" + "---|" * 7)
    for name, make in studies.items():
        print(f"| {name} | " + " | ".join(f"{100 * rate:.1f}" for rate in rates(make, n_studies)) + " |", flush=True)


if __name__ == "__main__":
    n_studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    table(PLANTED, n_studies // 4)
    table(HELD | BROKEN, n_studies)
