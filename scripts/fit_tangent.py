"""Tangent space of all runs: cleaned signals in; displacements, geometric mean, whitening, runs and sidecars out."""

from sphereconn import provenance
from sphereconn.connect.joint import RUN_COLUMNS, described, read_runs, rows_of_runs
from sphereconn.connect.measures import measure, measure_of_geometric_mean
from sphereconn.connect.tangent import tangent_space
from sphereconn.errors import about
from sphereconn.files import write_array, write_json, write_matrix, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, settings, labels = snakemake.input, snakemake.output, snakemake.params.settings, snakemake.wildcards
    members, runs, worth = read_runs(snakemake.params.runs, files.signals, files.nodes, files.sidecars)
    samples = worth if settings["samples"] == "effective" else None
    with about(f"{labels.seed_set}, {labels.estimator}, {labels.denoising}"):
        space = tangent_space(
            runs, settings["covariance"], min_nodes=settings["min_nodes"], samples=samples, members=members
        )

    write_array(output.displacements, space.displacements)
    write_matrix(output.mean, members.nodes, space.mean)
    write_matrix(output.whitening, members.nodes, space.whitening)
    rows = rows_of_runs(members, runs, space.without_signal, space.left_out)
    shrunk = zip(rows, space.shrinkage, space.samples, strict=True)
    write_rows(output.runs, [*RUN_COLUMNS, "shrinkage", "samples"], ([*row, *weight] for row, *weight in shrunk))
    common = {
        **space.described(),
        "Combined": snakemake.params.combined,
        **described(members, space.unusable, space.without_signal, space.left_out),
        "Settings": settings,
    }
    every = "Displacement of each run from the geometric mean of all runs, in the order of the .tsv of the same name"
    mean = "Geometric mean of all runs; stat-whitening is its inverse square root"
    for path, words, measured in (
        (output.sidecar, every, measure(settings)),
        (output.mean_sidecar, mean, measure_of_geometric_mean(settings)),
    ):
        said = {"Description": words, **measured, **common}
        write_json(path, provenance.with_sources(said, list(files), path))
