"""Connectome of combined runs: matrices, sidecars and the common nodes in; the mean and its sidecar out."""

import numpy as np

from sphereconn import provenance
from sphereconn.aggregate.subjects import average_connectomes, combined_degrees_of_freedom, combined_frames, weights_of
from sphereconn.connect.measures import measure
from sphereconn.files import read_json, read_matrix, write_json, write_matrix
from sphereconn.log import logged
from sphereconn.study.names import labels_of

with logged(snakemake.log[0]):
    files, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
    described = measure(settings)
    diagonal = described["ValidDiagonal"]
    sidecars = [read_json(path) for path in files.sidecars]
    names, first = read_matrix(files.matrices[0])
    frames = combined_frames([labels_of(path)[0] for path in files.matrices], sidecars)
    weights = weights_of(frames["RunsCombined"], snakemake.params.weights)
    kept = [path for path, sidecar in zip(files.matrices, sidecars, strict=True) if "LeftOut" not in sidecar]
    matrices = [read_matrix(path)[1] for path in kept]
    mean = average_connectomes(matrices, diagonal=diagonal, weights=weights) if kept else np.full_like(first, np.nan)

    write_matrix(output.matrix, names, mean)
    described = {
        "Description": "Mean over several runs" + ("" if diagonal else ", of Fisher's z, transformed back"),
        **described,
        "Combined": "average",
        "Weights": snakemake.params.weights,
        **frames,
        "EffectiveDegreesOfFreedom": combined_degrees_of_freedom(frames["RunsCombined"], weights),
        "FisherZ": not diagonal,
        "NodesUnusable": [names[place] for place in np.flatnonzero(np.isnan(mean).all(axis=1))],
        "Settings": settings,
    }
    write_json(output.sidecar, provenance.with_sources(described, list(files), output.sidecar, files.nodes))
