"""Permutations of a contrast, some at a time: stack and its tables in; the statistics of the shuffles out."""

from sphereconn.errors import about
from sphereconn.files import written_whole
from sphereconn.infer.contrast import collected_of, shuffle, write_null
from sphereconn.infer.question import read_question
from sphereconn.job import job

with job(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    settings = params.settings
    with about(f"contrast {params.contrast}"):
        asked = read_question(files.stack, files.sidecar, files.runs, files.quality, files.nodes, settings)
        null = shuffle(
            asked.values.edges,
            asked.model,
            asked.shuffles,
            collected_of(asked.model, asked.pairs, settings),
            range(*params.numbers),
            settings,
            cores=snakemake.threads,
        )
    with written_whole(snakemake.output[0]) as temporary:
        write_null(temporary, null)
