"""Tests keep their level where there is no effect, whatever makes that hard, and find a network that differs."""

import numpy as np
import pytest
from null_studies import BROKEN, HELD, TESTS, smallest_p, two_groups

N_STUDIES, N_NODES, N_SHUFFLES, THRESHOLD = 1000, 6, 39, 1.5


def rates(make, seed, n_studies=N_STUDIES):
    """Share of studies in which each kind of test finds something at p <= .05, and of edges."""
    found = [
        smallest_p(make(np.random.default_rng((seed, i)), N_NODES), N_NODES, N_SHUFFLES, i, THRESHOLD)
        for i in range(n_studies)
    ]
    shares = {name: np.mean([p[name] <= 0.05 for p in found]) for name in TESTS}
    return shares | {name: np.mean([p[name] for p in found]) for name in ("edges, t", "edges, permuted")}


@pytest.mark.parametrize("name", HELD)
def test_the_level_is_held(name):
    found = rates(HELD[name], seed=1)
    # 4 standard errors of a share of 1,000 studies: with 50 rates in all, none should be beyond by chance. Extents are
    # whole numbers whose ties make their test conservative.
    margin = 4 * np.sqrt(0.05 * 0.95 / N_STUDIES)
    for kind in TESTS:
        assert found[kind] <= 0.05 + margin, (kind, found)
        assert found[kind] >= (0 if kind == "extent" else 0.05 - margin), (kind, found)
    assert abs(found["edges, permuted"] - 0.05) < margin
