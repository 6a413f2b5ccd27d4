"""Results of a contrast: stack, its tables and the permutations in; matrices, tables, design and a sidecar out."""

from sphereconn import provenance
from sphereconn.aggregate.stack import matrix_from_edges
from sphereconn.errors import about
from sphereconn.files import read_json, read_records, write_json, write_matrix, write_rows
from sphereconn.infer import contrast as c
from sphereconn.infer.permutation import joined
from sphereconn.infer.results import described, design_table, matrices_of
from sphereconn.infer.strongest import STRONGEST_COLUMNS, strongest_rows
from sphereconn.log import logged

with logged(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    settings, level = params.settings, params.settings["level"]
    stacked, nodes = read_json(files.sidecar), read_records(files.nodes)
    names, networks = stacked["Nodes"], [node["network"] for node in nodes]
    runs = read_records(files.runs)
    with about(f"contrast {params.contrast}"):
        model = c.contrast_model(c.with_quality(runs, read_records(files.quality)), settings)
        values = c.values_of(files.stack, stacked, model, settings)
        pairs = c.pairs_of(networks, settings["tests"])
        shuffles = c.shuffles_of(model, settings)
        null = joined([c.read_null(path) for path in files.shuffles]) if files.shuffles else None
        tested = c.results_of(values.edges, model, pairs, settings, null, bool(shuffles and shuffles.exhaustive))

    marks = c.marks_of(tested, model, settings, null, shuffles)
    for statistic, edges in {**matrices_of(tested), "significant": marks}.items():
        write_matrix(output[statistic], names, matrix_from_edges(edges, len(names), diagonal=False))
    correlations = not stacked["ValidDiagonal"]
    write_rows(output.edges, c.EDGE_COLUMNS, c.edge_rows(tested, names, networks, level, correlations))
    write_rows(output.components, c.COMPONENT_COLUMNS, c.component_rows(tested, names, model, settings, null, shuffles))
    write_rows(output.pairs, c.PAIR_COLUMNS, c.pair_rows(tested, pairs))
    write_rows(
        output.strongest, STRONGEST_COLUMNS, strongest_rows(values.edges, model, tested.statistics, names, settings)
    )
    write_rows(output.design, *design_table(model))
    write_json(
        output.sidecar,
        {
            "Description": "A linear model of every edge over the runs; files of the same name have its results",
            **described(tested, model, values, shuffles, pairs, runs, settings, correlations),
            "Contrasted": params.words,
            "RelationshipMeasure": stacked["RelationshipMeasure"],
            "Settings": settings,
            "Sources": provenance.sources([files.stack, files.runs, files.quality], output.sidecar),
            "Software": provenance.software(),
        },
    )
