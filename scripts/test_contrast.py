"""Results of a contrast: stack, its tables and the permutations in; matrices, tables, design and a sidecar out."""

from sphereconn.connect.edges import matrix_from_edges
from sphereconn.errors import about
from sphereconn.files import write_json, write_matrix, write_rows
from sphereconn.infer import contrast as c
from sphereconn.infer.permutation import joined
from sphereconn.infer.question import read_question
from sphereconn.infer.results import described, design_table, matrices_of
from sphereconn.infer.strongest import STRONGEST_COLUMNS, strongest_rows
from sphereconn.job import job
from sphereconn.provenance import with_sources

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    settings, level = params.settings, params.settings["level"]
    with about(f"contrast {params.contrast}"):
        asked = read_question(files.stack, files.sidecar, files.runs, files.quality, files.nodes, settings)
        model, values, pairs, shuffles = asked.model, asked.values.edges, asked.pairs, asked.shuffles
        null = joined([c.read_null(path) for path in files.shuffles]) if files.shuffles else None
        tested = c.results_of(values, model, pairs, settings, null, bool(shuffles and shuffles.exhaustive))

    names, networks = asked.names, asked.networks
    marks = c.marks_of(tested, model, settings, null, shuffles)
    for statistic, edges in {**matrices_of(tested), "significant": marks}.items():
        write_matrix(output[statistic], names, matrix_from_edges(edges, len(names), diagonal=False))
    write_rows(output.edges, c.EDGE_COLUMNS, c.edge_rows(tested, names, networks, level, asked.correlations))
    write_rows(output.components, c.COMPONENT_COLUMNS, c.component_rows(tested, names, model, settings, null, shuffles))
    write_rows(output.pairs, c.PAIR_COLUMNS, c.pair_rows(tested, pairs))
    strongest = strongest_rows(values, model, tested.statistics, names, settings)
    write_rows(output.strongest, STRONGEST_COLUMNS, strongest)
    write_rows(output.design, *design_table(model))
    said = described(tested, asked, params.words, settings)
    write_json(output.sidecar, with_sources(said, [files.stack, files.runs, files.quality], output.sidecar))
