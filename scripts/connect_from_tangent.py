"""Displacement of one run in a tangent space: displacements, runs and sidecar in; connectome and its sidecar out."""

import numpy as np

from sphereconn.connect.edges import write_connectome
from sphereconn.connect.measures import connectome_sidecar
from sphereconn.files import MISSING, read_json, read_records, write_json
from sphereconn.job import job

with job(snakemake.log[0]):
    inputs, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
    fit = read_json(inputs.sidecar)
    rows = read_records(inputs.runs)
    place = [row["run"] for row in rows].index(snakemake.wildcards.stem)
    row, names = rows[place], fit["Nodes"]
    reason = row["left_out"]
    displacement = np.array(np.load(inputs.displacements, mmap_mode="r")[place])
    write_connectome(output.matrix, output.edges, names, displacement, diagonal=True)

    # A run that was left out has no estimate, so nothing can be said of its convergence.
    estimate = {key: fit[key] if reason == MISSING else None for key in ("GradientNorm", "Converged", "Iterations")}
    for key in ("Shrinkage", "Samples"):
        value = row[key.lower()]
        estimate[key] = None if value == MISSING else float(value)
    if reason != MISSING:
        estimate["LeftOut"] = reason
    unusable = fit["NodesUnusable"] if reason == MISSING else names
    cleaned = read_json(inputs.cleaned)
    write_json(
        output.sidecar, connectome_sidecar(settings, estimate, names, unusable, cleaned, list(inputs), output.sidecar)
    )
