"""Cleaned signals of one run: sphere signals and confounds in; cleaned signals and sidecar out."""

import numpy as np

from sphereconn import provenance
from sphereconn.clean.censoring import too_few_degrees_of_freedom, too_much_motion, too_short
from sphereconn.clean.cleaning import TooLittleLeftError, clean_signals
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
    least_worth, most_motion = settings.pop("min_degrees_of_freedom"), settings.pop("max_mean_framewise_displacement")
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
    with about(str(files.get("confounds", files.signals))):
        left_out = left_out or too_much_motion(run.mean_framewise_displacement(), most_motion)
    result = None
    if not left_out:
        with about(files.signals):
            try:
                result = clean_signals(
                    signals,
                    source["RepetitionTime"],
                    confounds=run.values,
                    confound_names=run.names,
                    kept=run.censoring.kept,
                    **settings,
                )
                left_out = too_few_degrees_of_freedom(result.effective_degrees_of_freedom, least_worth)
            except TooLittleLeftError as problem:
                if least_worth is None:
                    raise
                left_out = str(problem)
    cleaned = np.empty((0, len(names))) if left_out or not result else result.signals
    outcome = {
        **({"LeftOut": left_out} if left_out else {}),
        "ConfoundRegressors": result.regressors_used if result else [],
        "ConfoundRegressorsDropped": result.regressors_dropped if result else {},
        "DegreesOfFreedom": result.degrees_of_freedom if result else None,
        "EffectiveDegreesOfFreedom": result.effective_degrees_of_freedom if result else None,
    }

    write_signals(snakemake.output.signals, names, cleaned)
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Cleaned mean signal of each sphere, a row for each frame that is kept",
            "SamplingFrequency": source["SamplingFrequency"],
            "RepetitionTime": source["RepetitionTime"],
            "RepetitionTimeOverruled": source["RepetitionTimeOverruled"],
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
