"""Joint fit of a group sparse inverse covariance: cleaned signals of all runs in; matrices, runs, path, sidecar out."""

from sphereconn import provenance
from sphereconn.connect.group_sparse import group_sparse_inverse_covariance
from sphereconn.connect.joint import RUN_COLUMNS, described, read_runs, rows_of_runs
from sphereconn.connect.measures import certificate, measure
from sphereconn.connect.sparse_selection import Grid
from sphereconn.errors import about
from sphereconn.files import write_array, write_json, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, settings, labels = snakemake.input, snakemake.output, snakemake.params.settings, snakemake.wildcards
    members, runs, worth = read_runs(snakemake.params.runs, files.signals, files.nodes, files.sidecars)
    with about(f"{labels.seed_set}, {labels.estimator}, {labels.denoising}"):
        fit = group_sparse_inverse_covariance(
            runs,
            selection=settings["alpha"],
            grid=Grid(gap_per_node=settings["gap_per_node"]),
            **{key: settings[key] for key in ("cv", "gap_frames", "min_nodes")},
            samples=worth if settings["samples"] == "effective" else None,
            members=members,
            cores=snakemake.threads,
        )

    write_array(output.precisions, fit.precisions)
    write_array(output.covariances, fit.covariances)
    write_rows(output.path, list(fit.path) or ["alpha"], zip(*fit.path.values(), strict=True))
    write_rows(output.runs, RUN_COLUMNS, rows_of_runs(members, runs, fit.without_signal, fit.left_out))
    said = {
        "Description": "Joint fit to all runs: one matrix per run, in the order of the .tsv of the same name",
        **measure(settings),
        **certificate(fit, len(members.nodes)),
        "Combined": snakemake.params.combined,
        "NumberOfRunsFitted": len(runs) - len(fit.left_out),
        **described(members, fit.unusable, fit.without_signal, fit.left_out),
        "Settings": settings,
    }
    write_json(output.sidecar, provenance.with_sources(said, list(files), output.sidecar))
