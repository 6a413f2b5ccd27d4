"""Cleaned signals of one run: sphere signals and confounds in; cleaned signals and sidecar out."""

from sphereconn import provenance
from sphereconn.clean.cleaning import clean_signals
from sphereconn.clean.confounds import mean_framewise_displacement, read_confounds
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json, write_signals
from sphereconn.log import logged

with logged(snakemake.log[0]):
    settings = dict(snakemake.params.settings)
    names, signals = read_signals(snakemake.input.signals)
    source = read_json(snakemake.input.sidecar)
    patterns, missing = settings.pop("confounds"), settings.pop("missing_confounds")
    columns, confounds, displacement = [], None, None
    if patterns:
        columns, confounds = read_confounds(snakemake.input.confounds, patterns, len(signals), missing)
        displacement = mean_framewise_displacement(snakemake.input.confounds)
    with about(snakemake.input.signals):
        cleaned = clean_signals(
            signals, source["RepetitionTime"], confounds=confounds, confound_names=columns, **settings
        )

    write_signals(snakemake.output.signals, names, cleaned.signals)
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Cleaned mean signal of each sphere",
            "SamplingFrequency": source["SamplingFrequency"],
            "RepetitionTime": source["RepetitionTime"],
            "NumberOfVolumes": len(signals),
            "NumberOfVolumesKept": cleaned.n_frames_kept,
            "ConfoundRegressors": list(cleaned.regressors_used),
            "ConfoundRegressorsDropped": cleaned.regressors_dropped,
            "MeanFramewiseDisplacement": displacement,
            "DegreesOfFreedom": cleaned.degrees_of_freedom,
            "Settings": snakemake.params.settings,
            "NodeFiles": source["NodeFiles"],
            "Sources": provenance.sources(list(snakemake.input), snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
