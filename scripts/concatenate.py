"""Signals of combined runs: cleaned signals, sidecars and common nodes in; signals joined in time and sidecar out."""

import numpy as np

from sphereconn import provenance
from sphereconn.aggregate.described import joined_signals
from sphereconn.aggregate.subjects import combined_frames, common_repetition_time, concatenate_signals
from sphereconn.files import read_json, read_signals, write_json, write_signals
from sphereconn.job import job
from sphereconn.study.names import labels_of

with job(snakemake.log[0]):
    files, output = snakemake.input, snakemake.output
    runs = [labels_of(path)[0] for path in files.signals]
    sidecars = [read_json(path) for path in files.sidecars]
    tables = [read_signals(path) for path in files.signals]
    names = tables[0][0]
    kept = [place for place, sidecar in enumerate(sidecars) if "LeftOut" not in sidecar]
    counted = [sidecars[place] for place in kept] or sidecars
    seconds = common_repetition_time([runs[place] for place in kept] or runs, counted)
    joined = concatenate_signals([tables[place][1] for place in kept]) if kept else np.empty((0, len(names)))
    frames = combined_frames(runs, sidecars)

    write_signals(output.signals, names, joined)
    described = joined_signals(frames, [sidecars[place] for place in kept], joined, names, seconds)
    write_json(output.sidecar, provenance.with_sources(described, list(files), output.sidecar, files.nodes))
