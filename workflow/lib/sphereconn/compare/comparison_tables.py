"""Tables of strategies compared: criteria with ranks, QC-FC over distance, similarity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.compare.denoising import CRITERIA, Compared, Criteria, Strategy
from sphereconn.compare.distance import edges_by_length
from sphereconn.compare.qcfc import LEVEL
from sphereconn.compare.similarity import Similarity

Array = NDArray[np.float64]

CRITERIA_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "criterion": {"Description": "Criterion of the comparison; described under the key Criteria"},
    "denoising": {"Description": "Label of the denoising"},
    "value_in_common": {"Description": "Its value on the common runs of all denoisings"},
    "rank": {
        "Description": "Rank of this value, 1 for the best; by the column better. Of runs_kept that of all runs."
        " A rank says nothing of how large, or how certain, a difference is"
    },
    "better": {"Description": "Which values are better: lower, higher, or nearer 0"},
    "value": {"Description": "Its value on all runs of this denoising"},
    "runs": {"Description": "Number of these runs"},
}
DISTANCE_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "denoising": {"Description": "Label of the denoising"},
    "distance": {"Description": "Distance between nodes", "Units": "mm"},
    "qcfc": {
        "Description": "Partial correlation of edges of this length with motion, on the common runs of all denoisings:"
        " lines fitted locally to the nearest 30 % of the edges, with tricube weights (Cleveland 1979)"
    },
    "difference": {
        "Description": "Difference between the mean edges of this length of the third of the subjects with most motion"
        " and the third with least, covariates taken out, fitted in the same way; Fisher's z for correlations"
    },
}
GROUP_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "denoising": {"Description": "Label of the denoising"},
    "shortest": {"Description": "Distance between the nodes of the shortest of these edges", "Units": "mm"},
    "longest": {"Description": "Distance between the nodes of the longest", "Units": "mm"},
    "edges": {
        "Description": "Number of edges; the first row of a denoising is of all, the others are classes by length"
    },
    "significant": {
        "Description": "Share of them that differ (p < .05) between the third of the subjects with most motion and the"
        " third with least, covariates taken out, on the runs that all denoisings have"
    },
    "mean_difference": {
        "Description": "Mean over the edges of the difference between the means of these two, most less least;"
        " Fisher's z for correlations"
    },
    "median_absolute_difference": {"Description": "Median of the magnitude of this difference"},
}
SIMILARITY_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "denoising": {"Description": "Label of a denoising"},
    "other": {"Description": "Label of another"},
    "correlation_of_runs": {
        "Description": "Correlation between the two connectomes of a run, averaged over the runs that both denoisings"
        " have"
    },
    "correlation_of_means": {"Description": "Correlation between the two mean connectomes of these runs"},
    "runs": {"Description": "Number of these runs"},
}


def criteria_rows(strategies: Sequence[Strategy], compared: Compared) -> Iterator[list[Any]]:
    """Return a row for each criterion and strategy, a value for each of ``CRITERIA_COLUMNS``."""
    for key, criterion in CRITERIA.items():
        each = zip(strategies, compared.common, compared.ranks[key], compared.own, strict=True)
        for strategy, common, rank, own in each:
            place = None if np.isnan(rank) else int(rank)
            yield [key, strategy.label, common.values[key], place, criterion.better, own.values[key], own.n_runs]


def distance_rows(strategies: Sequence[Strategy], compared: Compared) -> Iterator[list[Any]]:
    """Return a row for each strategy and point of its curve, a value for each of ``DISTANCE_COLUMNS``."""
    for strategy, common in zip(strategies, compared.common, strict=True):
        for distance, value, difference in zip(*common.curve, common.curve_of_groups[1], strict=True):
            yield [strategy.label, distance, value, difference]


def group_rows(strategies: Sequence[Strategy], compared: Compared, lengths: Array) -> Iterator[list[Any]]:
    """Return for each strategy a row of all edges and one a class of length, a value for each of ``GROUP_COLUMNS``."""
    classes = edges_by_length(lengths) if len(lengths) else []
    for strategy, common in zip(strategies, compared.common, strict=True):
        for places in [np.arange(len(lengths)), *(classes if len(classes) > 1 else [])]:
            known = places[~np.isnan(common.groups.r[places])]
            difference, p = common.groups.slope[known], common.groups.p[known]
            measured = [(p < LEVEL).mean(), difference.mean(), np.median(np.abs(difference))] if len(known) else []
            row = [strategy.label, lengths[places].min(), lengths[places].max(), len(known)]
            yield [*row, *map(float, measured), *[None] * (3 - len(measured))]


def similarity_rows(labels: Sequence[str], found: Similarity) -> Iterator[list[Any]]:
    """Return a row for each pair of strategies, a value for each of ``SIMILARITY_COLUMNS``."""
    for one in range(len(labels)):
        for other in range(one + 1, len(labels)):
            yield [
                labels[one], labels[other], found.of_runs[one, other], found.of_means[one, other], found.n_runs,
            ]  # fmt: skip


def described(strategies: Sequence[Strategy], compared: Compared) -> dict[str, Any]:
    """Return what a sidecar says of a comparison, as keys and plain values."""
    motion = compared.motion
    extent = (
        dict(zip(("Lowest", "Median", "Highest"), np.quantile(motion, (0, 0.5, 1)), strict=True)) if len(motion) else {}
    )
    basis = max(compared.common, key=lambda one: one.n_subjects)
    return {
        "RunsInCommon": len(compared.common_runs),
        "SubjectsInCommon": basis.n_subjects,
        "DegreesOfFreedom": _largest(compared.common),
        "MotionInCommon": {word: float(value) for word, value in extent.items()},
        "SubjectsPerMotionGroup": basis.group_size,
        "NotComparedWithMotion": compared.notice,
        "DenoisingWithTooFewRuns": dict(compared.alone),
        "QcFcByChance": basis.by_chance,
        "Denoising": {
            strategy.label: {
                "RunsAsked": strategy.n_asked,
                "Runs": own.n_runs,
                "Subjects": own.n_subjects,
                "QcFcByChance": own.by_chance,
            }
            for strategy, own in zip(strategies, compared.own, strict=True)
        },
        "RunsWithoutMotionOrCovariates": dict(compared.left_out),
        "Criteria": {
            key: {"Description": criterion.meaning, "Better": criterion.better} for key, criterion in CRITERIA.items()
        },
    }


def _largest(criteria: Sequence[Criteria]) -> int | None:
    freedom = np.concatenate([one.found.degrees_of_freedom for one in criteria])
    return None if np.isnan(freedom).all() else int(np.nanmax(freedom))
