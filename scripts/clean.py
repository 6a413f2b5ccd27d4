"""Cleaned signals of one run: sphere signals and confounds in; cleaned signals and sidecar out."""

from sphereconn import provenance
from sphereconn.clean.limits import clean_within_limits
from sphereconn.clean.recipe import limits_of, read_confounds_of, signal_settings
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json, write_signals
from sphereconn.job import job

with job(snakemake.log[0]):
    settings, files = snakemake.params.settings, snakemake.input
    names, signals = read_signals(files.signals)
    source = read_json(files.sidecar)
    run = read_confounds_of(settings, files, len(signals), source["VolumesWithoutData"])
    with about(", ".join(filter(None, [files.signals, files.get("confounds")]))):
        outcome = clean_within_limits(
            signals, source["RepetitionTime"], run, limits_of(settings), **signal_settings(settings)
        )

    write_signals(snakemake.output.signals, names, outcome.signals(len(names)))
    kept = ("SamplingFrequency", "RepetitionTime", "RepetitionTimeOverruled", "NumberOfVolumes", "NodeFiles")
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Cleaned mean signal of each sphere, one row per kept frame",
            **{key: source[key] for key in kept},
            **run.described(),
            **outcome.described(),
            "Settings": settings,
            "Sources": provenance.sources(list(snakemake.input), snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
