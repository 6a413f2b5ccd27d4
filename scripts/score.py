"""How far the correlations of a run are from zero: cleaned signals in; z, degrees of freedom and sidecar out."""

import numpy as np

from sphereconn import provenance
from sphereconn.connect.measures import TAKEN_OVER
from sphereconn.connect.xdf import CorrelationScore, correlation_score, describe_score, measured_frames
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json, write_matrix
from sphereconn.job import job

with job(snakemake.log[0]):
    inputs, output = snakemake.input, snakemake.output
    names, signals = read_signals(inputs.signals)
    cleaned = read_json(inputs.sidecar)
    runs = cleaned.get("RunsCombined", [cleaned])
    if "LeftOut" in cleaned:
        result = CorrelationScore(*np.full((2, len(names), len(names)), np.nan))
    else:
        censored = [frame for frames in cleaned["CensoredVolumes"].values() for frame in frames]
        frames = measured_frames([run["NumberOfVolumes"] for run in runs], censored)
        with about(inputs.signals):
            result = correlation_score(signals, frames, cleaned["EffectiveDegreesOfFreedom"])

    write_matrix(output.z, names, result.z)
    write_matrix(output.degrees_of_freedom, names, result.degrees_of_freedom)
    write_json(
        output.sidecar,
        {
            "Description": "The same edges as the correlation beside it; stat-degreesoffreedom contains their degrees"
            " of freedom",
            **describe_score(),
            **{key: cleaned[key] for key in TAKEN_OVER if key in cleaned},
            "Sources": provenance.sources(list(inputs), output.sidecar),
            "Software": provenance.software(),
        },
    )
