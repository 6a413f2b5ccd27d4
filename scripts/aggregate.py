"""A group of runs: stack and nodes tables in; mean, standard deviation and count of each edge, nodes, sidecar out."""

import numpy as np

from sphereconn import provenance
from sphereconn.aggregate.moments import group_moments
from sphereconn.aggregate.nodes import GROUP_COLUMNS, group_nodes
from sphereconn.aggregate.stack import matrix_from_edges
from sphereconn.files import read_json, read_records, write_json, write_matrix, write_rows
from sphereconn.log import logged
from sphereconn.study.groups import members_of, name_of
from sphereconn.study.names import labels_of

with logged(snakemake.log[0]):
    stacked = read_json(snakemake.input.sidecar)
    runs = read_records(snakemake.input.runs)
    rows = members_of(snakemake.params.group, runs)
    left_out = stacked["RunsLeftOut"]
    places = members_of(snakemake.params.group, [item["Run"] for item in left_out])
    left_out = {name_of(left_out[place]["Run"]): left_out[place]["Reason"] for place in places}
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
    for output, edges, on_diagonal in statistics:
        matrix = matrix_from_edges(edges, len(names), diagonal, on_diagonal)
        write_matrix(snakemake.output[output], names, matrix.astype(int) if output == "n" else matrix)
    write_rows(snakemake.output.nodes, GROUP_COLUMNS, nodes)
    kept = ("RelationshipMeasure", "MeasureDescription", "Directed", "Weighted", "ValidDiagonal", "NonNegative")
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Mean over the runs of a group"
            + ("" if diagonal else "; the mean is that of Fisher's z, transformed back; stat-std is in units of z"),
            **{key: stacked[key] for key in kept},
            "FisherZ": not diagonal,
            "Combined": stacked["Combined"],
            "Group": snakemake.params.group["words"],
            "NumberOfRuns": len(rows),
            "Runs": members,
            "RunsLeftOut": left_out,
            **({} if members else {"LeftOut": "Every run of this group is left out by a limit of the denoising."}),
            "Settings": stacked["Settings"],
            "NodeFiles": provenance.sources([snakemake.output.nodes], snakemake.output.sidecar),
            "Sources": provenance.sources([snakemake.input.stack, snakemake.input.runs], snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
