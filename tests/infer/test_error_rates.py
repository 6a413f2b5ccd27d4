"""Tests keep their level where there is no effect, whatever makes that hard, and find a network that differs."""

import numpy as np
import pytest
from null_studies import BROKEN, HELD, PLANTED, TESTS, smallest_p

# docs/methods.md has the rates of 1,000 studies of each kind; these are enough to see a fault.
N_STUDIES, N_NODES, N_SHUFFLES, THRESHOLD = 300, 6, 39, 1.5


def rates(make, seed, n_studies=N_STUDIES, n_nodes=N_NODES):
    """Share of studies in which each kind of test finds something at p <= .05, and of edges."""
    found = [
        smallest_p(make(np.random.default_rng((seed, i)), n_nodes), n_nodes, N_SHUFFLES, i, THRESHOLD)
        for i in range(n_studies)
    ]
    shares = {name: np.mean([p[name] <= 0.05 for p in found]) for name in TESTS}
    return shares | {name: np.mean([p[name] for p in found]) for name in ("edges, t", "edges, permuted")}


@pytest.mark.parametrize(
    "name",
    [
        "unequal groups, 6 and 18 runs",
        "the same, nodes missing with motion",
        "two sessions, subjects as blocks",
        "the same, nodes missing",
        "one sample, sign flips",
        "autocorrelated series",
        "weighted runs",
    ],
)
def test_the_level_is_held(name):
    found = rates(HELD[name], seed=1)
    # 4 standard errors of a share: with 42 rates in all, none should be beyond by chance. Extents are
    # whole numbers whose ties make their test conservative.
    margin = 4 * np.sqrt(0.05 * 0.95 / N_STUDIES)
    for kind in TESTS:
        assert found[kind] <= 0.05 + margin, (kind, found)
        assert found[kind] >= (0 if kind == "extent" else 0.05 - margin), (kind, found)
    assert abs(found["edges, permuted"] - 0.05) < margin


def test_what_breaks_a_test_is_seen_and_blocks_or_variances_by_group_mend_it():
    assert rates(BROKEN["two runs per subject, permuted freely"], 2, 200)["max-T"] > 0.2
    ignored = rates(BROKEN["unequal variances, ignored"], 2, 200)
    by_group = rates(BROKEN["unequal variances, by group"], 2, 200)
    assert ignored["edges, permuted"] > 0.12
    assert abs(by_group["edges, permuted"] - 0.05) < 0.025
    assert abs(by_group["edges, t"] - 0.05) < 0.02


def test_a_network_that_differs_is_found_by_what_is_made_for_it():
    found = rates(PLANTED["one network differs"], 3, 200, n_nodes=12)
    assert found["network pairs"] > 0.25
    assert found["network pairs"] > found["max-T"] + 0.1
    alone = rates(PLANTED["one edge differs much"], 3, 200, n_nodes=12)
    assert alone["max-T"] > 0.5
    assert alone["max-T"] > alone["network pairs"] + 0.1
