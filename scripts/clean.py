"""Cleaned signals of one run: sphere signals and confounds in; cleaned signals and sidecar out."""

from dataclasses import fields

from sphereconn import provenance
from sphereconn.clean.limits import Limits, clean_within_limits
from sphereconn.clean.strategies import Scrubbing, Strategy, read_run_confounds
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json, write_signals
from sphereconn.log import logged

with logged(snakemake.log[0]):
    settings, files = dict(snakemake.params.settings), snakemake.input
    names, signals = read_signals(files.signals)
    source = read_json(files.sidecar)
    strategy, scrub = settings.pop("strategy"), settings.pop("scrub")
    limits = Limits(**{field.name: settings.pop(field.name) for field in fields(Limits)})
    run = read_run_confounds(
        files.get("confounds"),
        len(signals),
        patterns=settings.pop("confounds"),
        if_any=settings.pop("confounds_if_any"),
        strategy=Strategy(**strategy) if strategy else None,
        scrubbing=Scrubbing(**scrub) if scrub else None,
        non_steady_state=settings.pop("non_steady_state"),
        missing=settings.pop("missing_confounds"),
        components=files.get("components"),
        aroma=files.get("aroma"),
        without_data=source["VolumesWithoutData"],
    )
    with about(", ".join(filter(None, [files.signals, files.get("confounds")]))):
        outcome = clean_within_limits(signals, source["RepetitionTime"], run, limits, **settings)

    write_signals(snakemake.output.signals, names, outcome.signals(len(names)))
    kept = ("SamplingFrequency", "RepetitionTime", "RepetitionTimeOverruled", "NumberOfVolumes", "NodeFiles")
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Cleaned mean signal of each sphere, a row for each frame that is kept",
            **{key: source[key] for key in kept},
            **run.described(),
            **outcome.described(),
            "Settings": snakemake.params.settings,
            "Sources": provenance.sources(list(snakemake.input), snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
