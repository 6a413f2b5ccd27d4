"""Connectome of one run from a joint fit: matrices, runs and sidecar of the fit in; connectome and its sidecar out."""

import numpy as np

from sphereconn.connect.connectivity import partial_correlation_of_precision
from sphereconn.connect.edges import write_connectome
from sphereconn.connect.measures import connectome_sidecar, measure
from sphereconn.files import MISSING, read_json, read_rows, write_json, write_matrix
from sphereconn.job import job

OF_THE_FIT = ("Alpha", "AlphaAtEndOfPath", "DualityGap", "DualityGapPerNode", "Converged", "Iterations")

with job(snakemake.log[0]):
    inputs, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
    fit = read_json(inputs.sidecar)
    columns, rows = read_rows(inputs.runs)
    place = [row[columns.index("run")] for row in rows].index(snakemake.wildcards.stem)
    reason = rows[place][columns.index("left_out")]
    precision, covariance = (
        np.array(np.load(path, mmap_mode="r")[place]) for path in (inputs.precisions, inputs.covariances)
    )
    names, diagonal = fit["Nodes"], measure(settings)["ValidDiagonal"]
    fitted = {
        "partial correlation": partial_correlation_of_precision(precision),
        "precision": precision,
        "covariance": covariance,
    }
    write_connectome(output.matrix, output.edges, names, fitted[settings["matrix"]], diagonal=diagonal)
    for kind, matrix in fitted.items():
        write_matrix(output[kind.replace(" ", "_")], names, matrix)

    # A run that was left out has no estimate, so nothing can be said of its convergence.
    estimate = {key: fit[key] if reason == MISSING else None for key in OF_THE_FIT}
    if reason != MISSING:
        estimate["LeftOut"] = reason
    unusable = fit["NodesUnusable"] if reason == MISSING else names
    cleaned = read_json(inputs.cleaned)
    write_json(
        output.sidecar, connectome_sidecar(settings, estimate, names, unusable, cleaned, list(inputs), output.sidecar)
    )
