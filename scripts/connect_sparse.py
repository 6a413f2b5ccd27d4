"""Sparse inverse covariance of one run: cleaned signals in; connectome, matrices of the fit, path and sidecar out."""

from sphereconn.connect.edges import write_connectome
from sphereconn.connect.measures import certificate, connectome_sidecar, measure
from sphereconn.connect.sparse_selection import Grid, no_fit, sparse_inverse_covariance
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json, write_matrix, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    inputs, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
    names, signals = read_signals(inputs.signals)
    cleaned = read_json(inputs.sidecar)
    if "LeftOut" in cleaned:
        fit = no_fit(len(names))
    else:
        with about(inputs.signals):
            fit = sparse_inverse_covariance(
                signals,
                selection=settings["alpha"],
                **{key: settings[key] for key in ("cv", "gap_frames", "gamma")},
                samples=cleaned["EffectiveDegreesOfFreedom"] if settings["samples"] == "effective" else None,
                grid=Grid(gap_per_node=settings["gap_per_node"]),
                names=names,
                cores=snakemake.threads,
            )

    for kind, matrix in fit.matrices.items():
        write_matrix(output[kind.replace(" ", "_")], names, matrix)
    chosen, diagonal = fit.matrices[settings["matrix"]], measure(settings)["ValidDiagonal"]
    write_connectome(output.matrix, output.edges, names, chosen, diagonal=diagonal)
    write_rows(output.path, list(fit.path) or ["alpha"], zip(*fit.path.values(), strict=True))
    identical = [[names[one], names[other]] for one, other in fit.identical]
    estimate = {**certificate(fit, len(names)), "NodesWithTheSameSignal": identical}
    unusable = [names[place] for place in fit.unusable]
    write_json(
        output.sidecar, connectome_sidecar(settings, estimate, names, unusable, cleaned, list(inputs), output.sidecar)
    )
