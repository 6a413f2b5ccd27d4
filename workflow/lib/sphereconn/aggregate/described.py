"""What the sidecars of combined runs and of groups say, from plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sphereconn.aggregate.subjects import combined_degrees_of_freedom, joined_censoring

_OF_ESTIMATOR = (
    "RelationshipMeasure",
    "MeasureDescription",
    "Directed",
    "Weighted",
    "ValidDiagonal",
    "NonNegative",
)


def joined_signals(
    frames: Mapping[str, Any],
    kept: Sequence[dict[str, Any]],
    joined: np.ndarray,
    names: Sequence[str],
    seconds: float,
) -> dict[str, Any]:
    """Return what the sidecar of signals joined in time says.

    Parameters
    ----------
    frames
        Of ``combined_frames``: what each run brings.
    kept
        The sidecars of the runs that are joined.
    joined
        The signals, shape (n_frames, n_nodes).
    names
        Of the nodes.
    seconds
        The repetition time.
    """
    runs = frames["RunsCombined"]
    return {
        "Description": "Cleaned signals of several runs, z-scored within each run and concatenated",
        "Combined": "concatenate",
        **frames,
        # The runs are independent, so what is left of each adds up.
        "DegreesOfFreedom": sum(run["DegreesOfFreedom"] for run in runs) if kept else None,
        "EffectiveDegreesOfFreedom": combined_degrees_of_freedom(runs, [run["NumberOfVolumesKept"] for run in runs]),
        "NodesMissingInSomeRun": [names[place] for place in np.flatnonzero(np.isnan(joined).any(axis=0)).tolist()],
        "CensoredVolumes": joined_censoring(kept),
        "SamplingFrequency": 1 / seconds,
        "RepetitionTime": seconds,
    }


def group_mean(
    stacked: Mapping[str, Any], words: str, members: Sequence[str], left_out: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the sidecar of the mean of a group says.

    Parameters
    ----------
    stacked
        The sidecar of the stack that the group is taken from.
    words
        What the group is called.
    members
        The runs of the group.
    left_out
        Those that are left out, with the reason.
    """
    diagonal = stacked["ValidDiagonal"]
    return {
        "Description": "Mean over the runs of a group"
        + ("" if diagonal else "; the mean is that of Fisher's z, transformed back; stat-std is in units of z"),
        **{key: stacked[key] for key in _OF_ESTIMATOR},
        "FisherZ": not diagonal,
        "Combined": stacked["Combined"],
        "Group": words,
        "NumberOfRuns": len(members),
        "NumberOfSubjects": len({name.partition("_")[0] for name in members}),
        "Runs": list(members),
        "RunsLeftOut": dict(left_out),
        **({} if members else {"LeftOut": "All runs of this group were left out by a limit of the denoising."}),
        "Settings": stacked["Settings"],
    }
