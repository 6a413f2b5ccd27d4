"""How well each run was measured, and how each estimate went: rows of tables, from the results of single runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sphereconn.aggregate.nodes import read_run_nodes
from sphereconn.files import MISSING, read_json

# Column -> what it says, as the sidecar of a table tells it.
QUALITY_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "run": {"Description": "Start of the names of the run's results"},
    "seed_set": {"Description": "Label of the seed set"},
    "denoising": {"Description": "Label of the denoising"},
    "frames": {"Description": "Frames of the run"},
    "frames_without_data": {
        "Description": "Frames in which the image has no data (0 everywhere, or not finite); they are censored"
    },
    "frames_kept": {"Description": "Frames that remain after censoring"},
    "repetition_time": {"Description": "From one frame to the next", "Units": "s"},
    "repetition_time_overruled": {
        "Description": "Sources that give a different repetition time (image header, sidecar), with its value; the runs"
        " table takes precedence over the sidecar, and the sidecar over the header"
    },
    "left_out": {
        "Description": "Why the run has no cleaned signals and belongs to no group: it does not meet a limit of the"
        " denoising; n/a for runs that are used"
    },
    "regressors": {"Description": "Number of confounds regressed out, not counting those with nothing to remove"},
    "degrees_of_freedom": {
        "Description": "Degrees of freedom of white noise after cleaning: the number of frames kept times the fraction"
        " of frequencies passed, minus one for each regressor and, unless removed by a high-pass filter, for the mean"
        " and the trend"
    },
    "effective_degrees_of_freedom": {
        "Description": "Number of independent frames that would yield correlations of the same precision as those of"
        " the cleaned signals, given their autocorrelation; its inverse is the variance of the correlation of unrelated"
        " signals"
    },
    "mean_framewise_displacement": {
        "Description": "Mean of the column framewise_displacement of the confounds table;"
        " n/a without that column, or if the denoising uses no confounds",
        "Units": "mm",
    },
    "nodes": {"Description": "Nodes of the seed set"},
    "nodes_unusable": {"Description": "Number of nodes without a usable signal"},
    "lowest_coverage": {
        "Description": "Lowest coverage of a sphere (fraction of its voxels that were used) over all nodes"
    },
    "median_coverage": {"Description": "Median coverage of the spheres over all nodes"},
    "median_temporal_snr": {
        "Description": "Median over the nodes of the mean of a sphere's signal divided by its standard deviation over"
        " time, before cleaning"
    },
}
ESTIMATION_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "run": {"Description": "Start of the names of the run's results"},
    "seed_set": {"Description": "Label of the seed set"},
    "denoising": {"Description": "Label of the denoising"},
    "estimator": {"Description": "Label of the estimator"},
    "left_out": {"Description": "Why the run has no connectome; n/a for runs that have one"},
    "nodes_unusable": {"Description": "Nodes without values in the connectome"},
    "same_signal": {
        "Description": "Number of pairs of nodes with identical signals: their edge is n/a and, in a sparse inverse"
        " covariance, the second node; the sidecar names them"
    },
    "shrinkage": {"Description": "Weight of the scaled identity in a shrunk covariance, 0 to 1"},
    "samples": {"Description": "Number of independent frames for which the shrinkage of a covariance was chosen"},
    "alpha": {"Description": "Penalty of a sparse inverse covariance"},
    "alpha_at_end_of_path": {
        "Description": "Whether the chosen penalty is the largest or the smallest that could be fitted, so that the"
        " best one may lie beyond; n/a if it is neither, or was given"
    },
    "duality_gap": {"Description": "The objective of the graphical lasso exceeds its minimum by no more than this"},
    "duality_gap_per_node": {"Description": "The duality gap divided by the number of nodes"},
    "gradient_norm": {
        "Description": "Upper bound of the distance between the geometric mean of a tangent space and the true one; the"
        " distance of a run from it is the norm of its displacement"
    },
    "converged": {"Description": "Whether the duality gap or the gradient norm is as small as required"},
    "fewer_degrees_of_freedom_than_nodes": {
        "Description": "For estimates that invert a covariance: whether the effective number of frames is smaller than"
        " the number of usable nodes, so that the estimate depends on shrinkage or penalty as much as on the data"
    },
}
# Key of the sidecar of a connectome -> column; an estimator has those that concern it.
ESTIMATION_KEYS = {
    "Shrinkage": "shrinkage",
    "Samples": "samples",
    "Alpha": "alpha",
    "AlphaAtEndOfPath": "alpha_at_end_of_path",
    "DualityGap": "duality_gap",
    "DualityGapPerNode": "duality_gap_per_node",
    "GradientNorm": "gradient_norm",
    "Converged": "converged",
    "FewerDegreesOfFreedomThanNodes": "fewer_degrees_of_freedom_than_nodes",
}


def quality_row(labels: Sequence[str], nodes: str | Path, cleaned: str | Path) -> list[Any]:
    """Say how well a run was measured at the nodes of a seed set, and what a denoising left of it.

    Parameters
    ----------
    labels : sequence of str
        The run, the seed set and the denoising.
    nodes : path
        The nodes table of the run and the seed set.
    cleaned : path
        The sidecar of the cleaned signals.

    Returns
    -------
    list
        One value for each of ``QUALITY_COLUMNS``, None where it is not known.

    Raises
    ------
    InputError
        When a file cannot be read.
    """
    table, sidecar = read_run_nodes(nodes), read_json(cleaned)
    coverage, temporal_snr = (_known(table[column]) for column in ("coverage", "temporal_snr"))
    return [
        *labels,
        sidecar["NumberOfVolumes"],
        sidecar["NumberOfVolumesWithoutData"],
        sidecar["NumberOfVolumesKept"],
        sidecar["RepetitionTime"],
        ", ".join(f"{source}: {value}" for source, value in sidecar["RepetitionTimeOverruled"].items()) or None,
        sidecar.get("LeftOut"),
        None if sidecar["DegreesOfFreedom"] is None else len(sidecar["ConfoundRegressors"]),
        sidecar["DegreesOfFreedom"],
        sidecar["EffectiveDegreesOfFreedom"],
        sidecar["MeanFramewiseDisplacement"],
        len(table["name"]),
        sum(problem != MISSING for problem in table["problem"]),
        float(coverage.min()) if coverage.size else None,
        float(np.median(coverage)) if coverage.size else None,
        float(np.median(temporal_snr)) if temporal_snr.size else None,
    ]


def _known(values: Sequence[float]) -> np.ndarray:
    return np.array([value for value in values if np.isfinite(value)])


def estimation_row(labels: Sequence[str], connectome: str | Path) -> list[Any]:
    """Say how the estimate of a connectome went.

    Parameters
    ----------
    labels : sequence of str
        The run, the seed set, the denoising and the estimator.
    connectome : path
        The sidecar of the connectome.

    Returns
    -------
    list
        One value for each of ``ESTIMATION_COLUMNS``, None where it does not concern the estimator; whether it converged
        is "yes" or "no".

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    sidecar = read_json(connectome)
    values = [sidecar.get(key) for key in ESTIMATION_KEYS]
    return [
        *labels,
        sidecar.get("LeftOut"),
        len(sidecar["NodesUnusable"]),
        len(sidecar.get("NodesWithTheSameSignal", [])),
        *("yes" if value is True else "no" if value is False else value for value in values),
    ]


def software_of(stages: Mapping[str, Sequence[str | Path]]) -> dict[str, dict[str, list[str]]]:
    """List the versions that made the results of each stage: more than one where a study was computed in parts.

    Parameters
    ----------
    stages : mapping of str to sequence of paths
        Sidecars by stage.

    Returns
    -------
    dict of str to dict of str to list of str
        The sorted versions, by stage and by the name of the software.
    """
    versions: dict[str, dict[str, set[str]]] = {stage: {} for stage in stages}
    for stage, sidecars in stages.items():
        for sidecar in sidecars:
            for name, version in read_json(sidecar)["Software"].items():
                versions[stage].setdefault(name, set()).add(version)
    return {stage: {name: sorted(found) for name, found in software.items()} for stage, software in versions.items()}


def regressors_of(cleaned: Sequence[tuple[str, str, str, str | Path]]) -> dict[str, dict[str, int]]:
    """Count the runs in which each confound was regressed out.

    Parameters
    ----------
    cleaned : sequence of (str, str, str, path)
        Sidecars of cleaned signals, each with its run, seed set and denoising.

    Returns
    -------
    dict of str to dict of str to int
        The number of runs by denoising and by column of the confounds tables, in the order of the regressors.
    """
    runs: dict[str, dict[str, set[str]]] = {}
    for run, _, denoising, sidecar in cleaned:
        of_denoising = runs.setdefault(denoising, {})
        for column in read_json(sidecar)["ConfoundRegressors"]:
            of_denoising.setdefault(column, set()).add(run)
    return {label: {column: len(found) for column, found in columns.items()} for label, columns in runs.items()}
