"""Strategies of denoising side by side: stacks and their tables in; criteria, QC-FC, similarity and a sidecar out."""

from sphereconn import provenance
from sphereconn.aggregate.stack import matrix_from_edges
from sphereconn.compare import comparison_tables as t
from sphereconn.compare.denoising import compare_strategies
from sphereconn.compare.distance import edge_lengths
from sphereconn.compare.strategies import read_strategy, similarity_of
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.errors import about
from sphereconn.files import write_json, write_matrix, write_rows
from sphereconn.log import logged

with logged(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    read = zip(params.labels, files.stacks, files.runs, files.quality, files.organization, files.sidecars, strict=True)
    strategies = [read_strategy(*each) for each in read]
    nodes = read_nodes(files.nodes)
    with about(params.title):
        compared = compare_strategies(strategies, edge_lengths(nodes.coordinates), params.motion, params.covariates)

    for path, one in zip(output.qcfc, compared.common, strict=True):
        write_matrix(path, nodes.names, matrix_from_edges(one.found.r, len(nodes.names), diagonal=False))
    write_rows(output.criteria, list(t.CRITERIA_COLUMNS), t.criteria_rows(strategies, compared))
    write_rows(output.distance, list(t.DISTANCE_COLUMNS), t.distance_rows(strategies, compared))
    alike = similarity_of(strategies, compared.common_runs)
    write_rows(output.similarity, list(t.SIMILARITY_COLUMNS), t.similarity_rows(params.labels, alike))
    sidecar = {"Description": "Denoising compared; files of the same name have the results"}
    sidecar |= {"Motion": params.motion, "Covariates": params.covariates, **t.described(strategies, compared)}
    columns = {"Criteria": t.CRITERIA_COLUMNS, "Distance": t.DISTANCE_COLUMNS, "Similarity": t.SIMILARITY_COLUMNS}
    sidecar |= {"Columns": columns, "Sources": provenance.sources(list(files), output.sidecar)}
    write_json(output.sidecar, sidecar | {"Software": provenance.software()})
