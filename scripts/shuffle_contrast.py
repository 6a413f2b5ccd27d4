"""Permutations of a contrast, some at a time: stack and its tables in; the statistics of the shuffles out."""

from sphereconn.errors import about
from sphereconn.files import read_json, read_records, written_whole
from sphereconn.infer.contrast import (
    collected_of,
    contrast_model,
    pairs_of,
    shuffle,
    shuffles_of,
    values_of,
    with_quality,
    write_null,
)
from sphereconn.log import logged

with logged(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    settings = params.settings
    stacked = read_json(files.sidecar)
    networks = [node["network"] for node in read_records(files.nodes)]
    with about(f"contrast {params.contrast}"):
        model = contrast_model(with_quality(read_records(files.runs), read_records(files.quality)), settings)
        values = values_of(files.stack, stacked, model, settings)
        null = shuffle(
            values.edges,
            model,
            shuffles_of(model, settings),
            collected_of(model, pairs_of(networks, settings["tests"]), settings),
            range(*params.numbers),
            settings,
            cores=snakemake.threads,
        )
    with written_whole(snakemake.output[0]) as temporary:
        write_null(temporary, null)
