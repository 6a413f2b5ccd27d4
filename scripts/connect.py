"""Connectome of one run: cleaned signals in; matrix and sidecar out."""

from sphereconn import provenance
from sphereconn.connect.connectivity import connectome
from sphereconn.connect.measures import measure
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json, write_matrix
from sphereconn.log import logged

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    names, signals = read_signals(snakemake.input.signals)
    source = read_json(snakemake.input.sidecar)
    with about(snakemake.input.signals):
        result = connectome(signals, settings["kind"], settings["covariance"], names)

    write_matrix(snakemake.output.matrix, names, result.matrix)
    write_json(
        snakemake.output.sidecar,
        {
            **measure(**settings),
            "Shrinkage": result.shrinkage,
            "NodesUnusable": [names[place] for place in result.unusable],
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
