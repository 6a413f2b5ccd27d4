"""Strategies of denoising side by side: stacks and their tables in; criteria, QC-FC, similarity and a sidecar out."""

from sphereconn import provenance
from sphereconn.compare import comparison_tables as t
from sphereconn.compare.denoising import compare_strategies
from sphereconn.compare.distance import edge_lengths
from sphereconn.compare.strategies import read_strategy, similarity_of
from sphereconn.connect.edges import matrix_from_edges
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.files import write_json, write_matrix, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    read = zip(params.labels, files.stacks, files.runs, files.quality, files.organization, files.sidecars, strict=True)
    strategies = [read_strategy(*each) for each in read]
    nodes = read_nodes(files.nodes)
    lengths = edge_lengths(nodes.coordinates)
    compared = compare_strategies(strategies, lengths, params.motion, params.covariates)

    for qcfc, difference, one in zip(output.qcfc, output.difference, compared.common, strict=True):
        for path, edges in ((qcfc, one.found.r), (difference, one.groups.slope)):
            write_matrix(path, nodes.names, matrix_from_edges(edges, len(nodes.names), diagonal=False))
    write_rows(output.criteria, list(t.CRITERIA_COLUMNS), t.criteria_rows(strategies, compared))
    write_rows(output.distance, list(t.DISTANCE_COLUMNS), t.distance_rows(strategies, compared))
    write_rows(output.motion_groups, list(t.GROUP_COLUMNS), t.group_rows(strategies, compared, lengths))
    alike = similarity_of(strategies, compared.common_runs)
    write_rows(output.similarity, list(t.SIMILARITY_COLUMNS), t.similarity_rows(params.labels, alike))
    sidecar = {"Description": "Comparison of denoising strategies; files with the same name contain the results"}
    sidecar |= {"Motion": params.motion, "Covariates": params.covariates, **t.described(strategies, compared)}
    columns = {"Criteria": t.CRITERIA_COLUMNS, "Distance": t.DISTANCE_COLUMNS, "Similarity": t.SIMILARITY_COLUMNS}
    columns["MotionGroups"] = t.GROUP_COLUMNS
    sidecar |= {"Columns": columns, "Sources": provenance.sources(list(files), output.sidecar)}
    write_json(output.sidecar, sidecar | {"Software": provenance.software()})
