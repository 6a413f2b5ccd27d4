"""Tangent space of all runs: cleaned signals in; displacements, geometric mean, whitening, runs and sidecars out."""

from sphereconn import provenance
from sphereconn.connect.joint import RUN_COLUMNS, Members, described, rows_of_runs
from sphereconn.connect.measures import measure, measure_of_geometric_mean
from sphereconn.connect.tangent import tangent_space
from sphereconn.errors import about
from sphereconn.files import read_json, read_records, read_signals, write_array, write_json, write_matrix, write_rows
from sphereconn.log import logged

with logged(snakemake.log[0]):
    files, output, settings, labels = snakemake.input, snakemake.output, snakemake.params.settings, snakemake.wildcards
    tables = [read_signals(path) for path in files.signals]
    names, runs = tables[0][0], [signals for _, signals in tables]
    problems = [[row["problem"] for row in read_records(path)] for path in files.nodes]
    members = Members(snakemake.params.runs, names, problems)
    worth = [read_json(path)["EffectiveDegreesOfFreedom"] for path in files.sidecars]
    samples = worth if settings["samples"] == "effective" else None
    with about(f"{labels.seed_set}, {labels.estimator}, {labels.denoising}"):
        space = tangent_space(
            runs, settings["covariance"], min_nodes=settings["min_nodes"], samples=samples, members=members
        )

    write_array(output.displacements, space.displacements)
    write_matrix(output.mean, names, space.mean)
    write_matrix(output.whitening, names, space.whitening)
    rows = rows_of_runs(members, list(map(len, runs)), space.without_signal, space.left_out)
    shrunk = zip(rows, space.shrinkage, space.samples, strict=True)
    write_rows(output.runs, [*RUN_COLUMNS, "shrinkage", "samples"], ([*row, *weight] for row, *weight in shrunk))
    common = {
        **space.described(),
        "Combined": snakemake.params.combined,
        **described(members, space.unusable, space.without_signal, space.left_out),
        "Settings": settings,
    }
    every = "Displacement of every run from the geometric mean of all, in the order of the .tsv of the same name"
    mean = "Geometric mean of all runs; stat-whitening is its inverse square root"
    for path, words, measured in (
        (output.sidecar, every, measure(settings)),
        (output.mean_sidecar, mean, measure_of_geometric_mean(settings)),
    ):
        said = {"Description": words, **measured, **common}
        write_json(path, provenance.with_sources(said, list(files), path))
