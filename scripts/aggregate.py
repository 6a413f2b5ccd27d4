"""A group of runs: stack and nodes tables in; mean, standard deviation and count of each edge, nodes, sidecar out."""

import numpy as np

from sphereconn import provenance
from sphereconn.aggregate.described import group_mean
from sphereconn.aggregate.moments import group_moments
from sphereconn.aggregate.nodes import GROUP_COLUMNS, group_nodes
from sphereconn.connect.edges import matrix_from_edges
from sphereconn.files import read_json, read_records, write_json, write_matrix, write_rows
from sphereconn.job import job
from sphereconn.study.groups import left_out_of, members_of, name_of
from sphereconn.study.names import labels_of

with job(snakemake.log[0]):
    output, stacked = snakemake.output, read_json(snakemake.input.sidecar)
    runs = read_records(snakemake.input.runs)
    rows = members_of(snakemake.params.group, runs)
    left_out = left_out_of(snakemake.params.group, stacked["RunsLeftOut"])
    names, diagonal = stacked["Nodes"], stacked["ValidDiagonal"]
    moments = group_moments(snakemake.input.stack, rows, fisher_z=not diagonal)

    position = {labels_of(path)[0]: place for place, path in enumerate(snakemake.input.nodes)}
    members = [name_of(runs[row]) for row in rows]
    nodes = group_nodes(snakemake.input.nodes, [position[name] for name in members])
    runs_used = np.array([node[GROUP_COLUMNS.index("runs_used")] for node in nodes])
    # The diagonal of a correlation is 1 in every run, so it does not vary.
    statistics = [
        ("mean", moments.mean, 1.0),
        ("std", moments.standard_deviation, 0.0),
        ("n", moments.n_runs, runs_used),
    ]
    for statistic, edges, on_diagonal in statistics:
        matrix = matrix_from_edges(edges, len(names), diagonal, on_diagonal)
        write_matrix(output[statistic], names, matrix.astype(int) if statistic == "n" else matrix)
    write_rows(output.nodes, GROUP_COLUMNS, nodes)
    described = group_mean(stacked, snakemake.params.group["words"], members, left_out)
    sources = [snakemake.input.stack, snakemake.input.runs]
    write_json(output.sidecar, provenance.with_sources(described, sources, output.sidecar, output.nodes))
