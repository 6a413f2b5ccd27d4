"""Studies without an effect, each with something that makes tests go wrong, and one with a planted network effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sphereconn.infer.components import SIDES, Enhancement, components, enhanced, on_side
from sphereconn.infer.corrections import family_wise_p, p_of_counts, pair_tests
from sphereconn.infer.glm import edge_statistics
from sphereconn.infer.network_pairs import NetworkPairs, network_pairs
from sphereconn.infer.permutation import Collected, null_of_orders
from sphereconn.infer.shuffles import Exchangeability, plan_shuffles

TESTS = ("max-T", "extent", "intensity", "TFNBS", "network pairs")


@dataclass(frozen=True)
class Study:
    values: np.ndarray
    design: np.ndarray
    contrast: np.ndarray
    exchangeability: Exchangeability = field(default_factory=lambda: Exchangeability("free"))
    options: dict[str, Any] = field(default_factory=dict)


def noise(rng: np.random.Generator, n_runs: int, n_nodes: int) -> np.ndarray:
    """Fisher z that share a factor of their node and one of the run, as edges do, with tails heavier than normal."""
    rows, columns = np.triu_indices(n_nodes, 1)
    node = rng.normal(size=(n_runs, n_nodes))
    own = rng.standard_t(6, size=(n_runs, len(rows)))
    return 0.3 + 0.2 * (own + 0.5 * (node[:, rows] + node[:, columns]) + 0.5 * rng.normal(size=(n_runs, 1)))


def two_groups(rng: np.random.Generator, n_nodes: int, sizes: tuple[int, int] = (12, 12)) -> Study:
    group = np.repeat([0.0, 1.0], sizes)
    return Study(noise(rng, len(group), n_nodes), np.column_stack([np.ones(len(group)), group]), np.array([0.0, 1.0]))


def unequal_groups(rng: np.random.Generator, n_nodes: int) -> Study:
    return two_groups(rng, n_nodes, (6, 18))


def covariates(rng: np.random.Generator, n_nodes: int) -> Study:
    """Age, skewed motion and sex, which differ between the groups and move every edge."""
    group = np.repeat([0.0, 1.0], 12)
    age, motion = rng.normal(35 + 8 * group, 9), rng.gamma(1.5, 0.1 + 0.05 * group)
    sex = (rng.random(24) < 0.3 + 0.4 * group).astype(float)
    values = noise(rng, 24, n_nodes) + 0.02 * age[:, None] + 2 * motion[:, None] - 0.2 * sex[:, None]
    return Study(values, np.column_stack([np.ones(24), group, age, motion, sex]), np.eye(5)[1])


def missing_nodes(rng: np.random.Generator, n_nodes: int) -> Study:
    """As with covariates; nodes are missing in one of eight runs, more often where there is much motion."""
    study = covariates(rng, n_nodes)
    rank = np.argsort(np.argsort(study.design[:, 3])) / 23
    lost = rng.random((24, n_nodes)) < 0.25 * rank[:, None]
    rows, columns = np.triu_indices(n_nodes, 1)
    values = np.where(lost[:, rows] | lost[:, columns], np.nan, study.values)
    return Study(values, study.design, study.contrast)


def sessions(rng: np.random.Generator, n_nodes: int) -> Study:
    """Two sessions of twelve subjects who differ, runs exchanged within subjects; motion differs between sessions."""
    subject, session = np.repeat(np.arange(12), 2), np.tile([0.0, 1.0], 12)
    motion = rng.gamma(2, 0.1 + 0.03 * session)
    values = noise(rng, 24, n_nodes) + 2 * noise(rng, 12, n_nodes)[subject] + motion[:, None]
    design = np.column_stack([np.eye(12)[subject], motion, session])
    return Study(values, design, np.eye(14)[13], Exchangeability("within", subject))


def repeated_runs(rng: np.random.Generator, n_nodes: int, kind: str = "whole") -> Study:
    """Two runs of each of sixteen subjects, in two groups of subjects; age as covariate."""
    subject = np.repeat(np.arange(16), 2)
    group, age = (subject < 8).astype(float), rng.normal(40, 10, 16)[subject]
    values = noise(rng, 32, n_nodes) + 2 * noise(rng, 16, n_nodes)[subject] + 0.01 * age[:, None]
    exchanged = Exchangeability("whole", subject) if kind == "whole" else Exchangeability("free")
    return Study(values, np.column_stack([np.ones(32), group, age]), np.eye(3)[1], exchanged)


def repeated_runs_missing(rng: np.random.Generator, n_nodes: int) -> Study:
    study = repeated_runs(rng, n_nodes)
    rows, columns = np.triu_indices(n_nodes, 1)
    lost = rng.random((32, n_nodes)) < 0.05
    values = np.where(lost[:, rows] | lost[:, columns], np.nan, study.values)
    return Study(values, study.design, study.contrast, study.exchangeability)


def repeated_runs_as_if_independent(rng: np.random.Generator, n_nodes: int) -> Study:
    return repeated_runs(rng, n_nodes, "free")


def one_sample(rng: np.random.Generator, n_nodes: int) -> Study:
    """Changes of sixteen subjects around zero, signs flipped; motion as covariate."""
    motion = rng.normal(size=16)
    values = noise(rng, 16, n_nodes) - 0.3 + 0.1 * motion[:, None]
    return Study(values, np.column_stack([np.ones(16), motion]), np.array([1.0, 0.0]), Exchangeability("signs"))


def autocorrelated_series(rng: np.random.Generator, n_nodes: int) -> Study:
    """Correlations of autoregressive series, whose autocorrelation differs between runs and groups of equal size."""
    group = np.repeat([0.0, 1.0], 12)
    rows, columns = np.triu_indices(n_nodes, 1)
    values = []
    for member in group:
        coefficient = rng.uniform(0.3, 0.6) + 0.2 * member
        innovations = rng.normal(size=(160, n_nodes)) + 0.6 * rng.normal(size=(160, 1))
        series = np.zeros((160, n_nodes))
        for frame in range(1, 160):
            series[frame] = coefficient * series[frame - 1] + innovations[frame]
        values.append(np.arctanh(np.corrcoef(series[40:].T)[rows, columns]))
    return Study(np.array(values), np.column_stack([np.ones(24), group]), np.array([0.0, 1.0]))


def run_lengths(rng: np.random.Generator, n_nodes: int) -> Study:
    """Runs that are worth 20 to 200 degrees of freedom, weighted by these."""
    study, worth = two_groups(rng, n_nodes), rng.uniform(20, 200, 24)
    values = 0.3 + (study.values - 0.3) * np.sqrt(100 / worth)[:, None]
    return Study(values, study.design, study.contrast, options={"weights": worth})


def unequal_variances(rng: np.random.Generator, n_nodes: int, variances: str = "equal") -> Study:
    """Eight patients who scatter three times as much as twenty-four controls."""
    study = two_groups(rng, n_nodes, (24, 8))
    group = study.design[:, 1]
    values = 0.3 + (study.values - 0.3) * np.where(group == 1, 3, 1)[:, None]
    chosen = {"equal": "equal", "groups": group.astype(int), "hc3": "hc3"}[variances]
    return Study(values, study.design, study.contrast, options={"variances": chosen})


def unequal_variances_by_group(rng: np.random.Generator, n_nodes: int) -> Study:
    return unequal_variances(rng, n_nodes, "groups")


def unequal_variances_hc3(rng: np.random.Generator, n_nodes: int) -> Study:
    return unequal_variances(rng, n_nodes, "hc3")


# What a test is expected to hold its level in, with what is said about it in docs/methods.md.
HELD: dict[str, Callable[[np.random.Generator, int], Study]] = {
    "two groups": two_groups,
    "unequal groups, 6 and 18 runs": unequal_groups,
    "covariates that differ between groups": covariates,
    "the same, nodes missing with motion": missing_nodes,
    "two sessions, subjects as blocks": sessions,
    "two runs per subject, whole blocks": repeated_runs,
    "the same, nodes missing": repeated_runs_missing,
    "one sample, sign flips": one_sample,
    "autocorrelated series": autocorrelated_series,
    "weighted runs": run_lengths,
}
# Those in which it is known to go wrong, and what helps.
BROKEN: dict[str, Callable[[np.random.Generator, int], Study]] = {
    "two runs per subject, permuted freely": repeated_runs_as_if_independent,
    "unequal variances, ignored": unequal_variances,
    "unequal variances, by group": unequal_variances_by_group,
    "unequal variances, HC3": unequal_variances_hc3,
}


def one_network(rng: np.random.Generator, n_nodes: int) -> Study:
    """A network whose inner edges differ between the groups by half a standard deviation."""
    study = two_groups(rng, n_nodes, (20, 20))
    inside = networks(n_nodes).of_edge == 0
    study.values[:, inside] += 0.13 * study.design[:, [1]]
    return study


def whole_brain(rng: np.random.Generator, n_nodes: int) -> Study:
    """All edges differ by a third of a standard deviation."""
    study = two_groups(rng, n_nodes, (20, 20))
    return Study(study.values + 0.09 * study.design[:, [1]], study.design, study.contrast)


def one_edge(rng: np.random.Generator, n_nodes: int) -> Study:
    """A single edge differs by one and a half standard deviations."""
    study = two_groups(rng, n_nodes, (20, 20))
    study.values[:, 0] += 0.4 * study.design[:, 1]
    return study


PLANTED: dict[str, Callable[[np.random.Generator, int], Study]] = {
    "one network differs": one_network,
    "all edges differ a little": whole_brain,
    "one edge differs much": one_edge,
}


def networks(n_nodes: int) -> NetworkPairs:
    return network_pairs([f"network {node * 3 // n_nodes}" for node in range(n_nodes)])


def smallest_p(study: Study, n_nodes: int, n_shuffles: int, seed: int, threshold: float) -> dict[str, float]:
    """Smallest FWE-corrected p of every kind of test, and shares of edges with p <= .05, two-sided."""
    v, x, c, options = study.values, study.design, study.contrast, study.options
    pairs = networks(n_nodes)
    labels = options["variances"] if isinstance(options.get("variances"), np.ndarray) else None
    scaled = x * np.sqrt(options["weights"])[:, None] if "weights" in options else x
    shuffles = plan_shuffles(study.exchangeability, scaled, n_shuffles, seed, labels=labels)
    wanted = Collected((threshold,), Enhancement(), pairs)
    null = null_of_orders(v, x, c, shuffles, range(shuffles.n_shuffles + 1), collected=wanted, **options)
    found = edge_statistics(v, x, c, least_share=0.5, **options)
    side, every = SIDES.index("two-sided"), shuffles.exhaustive
    largest = components(found.statistic, threshold)
    tested = ~np.isnan(found.statistic)

    def smallest(observed: np.ndarray, maxima: np.ndarray) -> float:
        return float(np.nanmin(family_wise_p(observed, maxima, every).p)) if len(observed) else 1.0

    pair = pair_tests(null.pair_means[0], null.pair_means[1:], every)
    single = p_of_counts(null.at_least[side], shuffles.n_shuffles, every).p
    return {
        "max-T": smallest(on_side(found.statistic, "two-sided"), null.maxima[1:, side]),
        "extent": smallest(largest.extent, null.extent[1:, 0, side]),
        "intensity": smallest(largest.intensity, null.intensity[1:, 0, side]),
        "TFNBS": smallest(enhanced(found.statistic), null.enhanced[1:, side]),
        "network pairs": float(np.nanmin(pair.family_wise["two-sided"].p)),
        "edges, t": float((found.p[tested] <= 0.05).mean()),
        "edges, permuted": float((single[tested] <= 0.05).mean()),
    }
