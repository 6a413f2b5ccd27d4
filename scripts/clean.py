"""Cleaned signals of one run: sphere signals and confounds in; cleaned signals and sidecar out."""

import numpy as np

from sphereconn import provenance
from sphereconn.clean.censoring import too_short
from sphereconn.clean.cleaning import clean_signals
from sphereconn.clean.strategies import Scrubbing, Strategy, read_run_confounds
from sphereconn.errors import about
from sphereconn.files import read_json, read_signals, write_json, write_signals
from sphereconn.log import logged

with logged(snakemake.log[0]):
    settings, files = dict(snakemake.params.settings), snakemake.input
    names, signals = read_signals(files.signals)
    source = read_json(files.sidecar)
    patterns, if_any = settings.pop("confounds"), settings.pop("confounds_if_any")
    missing = settings.pop("missing_confounds")
    strategy, scrub = settings.pop("strategy"), settings.pop("scrub")
    least = settings.pop("min_frames"), settings.pop("min_minutes")
    run = read_run_confounds(
        files.get("confounds"),
        len(signals),
        patterns=patterns,
        if_any=if_any,
        strategy=Strategy(**strategy) if strategy else None,
        scrubbing=Scrubbing(**scrub) if scrub else None,
        non_steady_state=settings.pop("non_steady_state"),
        missing=missing,
        components=files.get("components"),
        aroma=files.get("aroma"),
        without_data=source["VolumesWithoutData"],
    )
    n_kept = int(run.censoring.kept.sum())
    left_out = too_short(n_kept, len(signals), source["RepetitionTime"], *least)
    if left_out:
        cleaned = np.empty((0, len(names)))
        outcome = {
            "LeftOut": left_out,
            "ConfoundRegressors": [],
            "DegreesOfFreedom": None,
            "EffectiveDegreesOfFreedom": None,
        }
    else:
        with about(files.signals):
            result = clean_signals(
                signals,
                source["RepetitionTime"],
                confounds=run.values,
                confound_names=run.names,
                kept=run.censoring.kept,
                **settings,
            )
        cleaned = result.signals
        outcome = {
            "ConfoundRegressors": result.regressors_used,
            "ConfoundRegressorsDropped": result.regressors_dropped,
            "DegreesOfFreedom": result.degrees_of_freedom,
            "EffectiveDegreesOfFreedom": result.effective_degrees_of_freedom,
        }

    write_signals(snakemake.output.signals, names, cleaned)
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Cleaned mean signal of each sphere, a row for each frame that is kept",
            "SamplingFrequency": source["SamplingFrequency"],
            "RepetitionTime": source["RepetitionTime"],
            "NumberOfVolumes": len(signals),
            "NumberOfVolumesKept": n_kept,
            "NumberOfVolumesDiscardedByMotionScrubbing": run.censoring.n_scrubbed,
            "NumberOfVolumesDiscardedByNonsteadyStatesDetector": run.censoring.n_non_steady_state,
            "NumberOfVolumesWithoutData": run.censoring.n_without_data,
            "CensoredVolumes": run.censoring.reasons,
            "MeanFramewiseDisplacement": run.mean_framewise_displacement(),
            "MeanFramewiseDisplacementKept": run.mean_framewise_displacement(kept_only=True),
            **outcome,
            "Settings": snakemake.params.settings,
            "NodeFiles": source["NodeFiles"],
            "Sources": provenance.sources(list(snakemake.input), snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
