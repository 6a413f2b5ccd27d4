"""How the connectomes of a combination are organized: stack, sidecar and nodes in; a table, a row a run, out."""

import numpy as np

from sphereconn import provenance
from sphereconn.compare.edges import edge_reader
from sphereconn.compare.organization import ORGANIZATION_COLUMNS, organization_rows
from sphereconn.files import MISSING, read_json, read_records, write_json, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output = snakemake.input, snakemake.output
    stacked = read_json(files.sidecar)
    networks = [None if node["network"] in ("", MISSING) else node["network"] for node in read_records(files.nodes)]
    names = [next(iter(run.values())) for run in read_records(files.runs)]
    edges, n_edges = edge_reader(files.stack, len(networks), diagonal=stacked["ValidDiagonal"])
    each = (edges(np.array([run]), 0, n_edges)[0] for run in range(len(names)))
    rows = organization_rows(names, each, networks, fisher_z=not stacked["ValidDiagonal"])
    write_rows(output.organization, list(ORGANIZATION_COLUMNS), rows)
    write_json(
        output.organization_sidecar,
        {
            **ORGANIZATION_COLUMNS,
            "Sources": provenance.sources(list(files), output.organization_sidecar),
            "Software": provenance.software(),
        },
    )
