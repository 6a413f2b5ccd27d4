"""Connectome of one run: cleaned signals in; matrix, its edges and sidecar out."""

import numpy as np

from sphereconn.connect.connectivity import Connectome, connectome
from sphereconn.connect.edges import write_connectome
from sphereconn.connect.measures import connectome_sidecar, measure
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json
from sphereconn.job import job

with job(snakemake.log[0]):
    inputs, output, settings = snakemake.input, snakemake.output, snakemake.params.settings
    names, signals = read_signals(inputs.signals)
    cleaned = read_json(inputs.sidecar)
    if "LeftOut" in cleaned:
        nothing = np.full((len(names), len(names)), np.nan)
        result = Connectome(nothing, shrinkage=None, unusable=tuple(range(len(names))), n_frames=0)
    else:
        with about(inputs.signals):
            samples = cleaned["EffectiveDegreesOfFreedom"] if settings["samples"] == "effective" else len(signals)
            result = connectome(signals, settings["kind"], settings["covariance"], names, samples=samples)

    diagonal = measure(settings)["ValidDiagonal"]
    write_connectome(output.matrix, output.edges, names, result.matrix, diagonal=diagonal)
    estimate = {
        "Shrinkage": result.shrinkage,
        "Samples": result.samples,
        "NodesWithTheSameSignal": [[names[one], names[other]] for one, other in result.identical],
    }
    unusable = [names[place] for place in result.unusable]
    write_json(
        output.sidecar, connectome_sidecar(settings, estimate, names, unusable, cleaned, list(inputs), output.sidecar)
    )
