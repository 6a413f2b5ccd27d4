"""Connectome of combined runs: edges, sidecars and the common nodes in; the mean, its edges and its sidecar out."""

import numpy as np

from sphereconn import provenance
from sphereconn.aggregate.subjects import average_connectomes, combined_degrees_of_freedom, combined_frames, weights_of
from sphereconn.connect.edges import matrix_from_edges, read_edges, write_connectome
from sphereconn.connect.measures import measure
from sphereconn.files import read_json, read_records, write_json
from sphereconn.job import job
from sphereconn.study.names import labels_of

with job(snakemake.log[0]):
    files, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
    described = measure(settings)
    diagonal = described["ValidDiagonal"]
    sidecars = [read_json(path) for path in files.sidecars]
    names = [node["name"] for node in read_records(files.nodes)]
    frames = combined_frames([labels_of(path)[0] for path in files.edges], sidecars)
    weights = weights_of(frames["RunsCombined"], snakemake.params.weights)
    kept = [path for path, sidecar in zip(files.edges, sidecars, strict=True) if "LeftOut" not in sidecar]
    edges = (read_edges(path, len(names), diagonal) for path in kept)
    matrices = [matrix_from_edges(of_run, len(names), diagonal, 1.0) for of_run in edges]
    nothing = np.full((len(names), len(names)), np.nan)
    mean = average_connectomes(matrices, diagonal=diagonal, weights=weights) if kept else nothing

    write_connectome(output.matrix, output.edges, names, mean, diagonal=diagonal)
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
