"""Sparse inverse covariance of one run: cleaned signals in; connectome, matrices of the fit, path and sidecar out."""

from sphereconn import provenance
from sphereconn.connect.measures import measure
from sphereconn.connect.sparse_selection import Grid, sparse_inverse_covariance
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json, write_matrix, write_rows
from sphereconn.log import logged

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    names, signals = read_signals(snakemake.input.signals)
    source = read_json(snakemake.input.sidecar)
    with about(snakemake.input.signals):
        fit = sparse_inverse_covariance(
            signals,
            selection=settings["alpha"],
            cv=settings["cv"],
            gap_frames=settings["gap_frames"],
            gamma=settings["gamma"],
            grid=Grid(gap_per_node=settings["gap_per_node"]),
            names=names,
        )

    matrices = {
        "partial correlation": fit.partial_correlation,
        "precision": fit.precision,
        "covariance": fit.covariance,
    }
    write_matrix(snakemake.output.matrix, names, matrices[settings["matrix"]])
    write_matrix(snakemake.output.partial_correlation, names, fit.partial_correlation)
    write_matrix(snakemake.output.precision, names, fit.precision)
    write_matrix(snakemake.output.covariance, names, fit.covariance)
    write_rows(snakemake.output.path, list(fit.path) or ["alpha"], zip(*fit.path.values(), strict=True))
    n_used = len(names) - len(fit.unusable)
    write_json(
        snakemake.output.sidecar,
        {
            **measure(settings["kind"], matrix=settings["matrix"]),
            "Alpha": fit.alpha,
            "DualityGap": fit.duality_gap,
            "DualityGapPerNode": fit.duality_gap / n_used,
            "Converged": True,  # what does not converge is an error, and writes nothing
            "Iterations": fit.n_iterations,
            "NodesUnusable": [names[place] for place in fit.unusable],
            "NumberOfVolumes": source["NumberOfVolumes"],
            "NumberOfVolumesKept": source["NumberOfVolumesKept"],
            "ConfoundRegressors": source["ConfoundRegressors"],
            "DegreesOfFreedom": source["DegreesOfFreedom"],
            "Settings": settings,
            "NodeFiles": source["NodeFiles"],
            "Sources": provenance.sources(list(snakemake.input), snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
