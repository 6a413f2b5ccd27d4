"""Long table of the runs of a combination: stack, its tables and the nodes in; table and sidecar out."""

from sphereconn import provenance
from sphereconn.aggregate.long_tables import COLUMNS, DESCRIPTIONS, long_table
from sphereconn.files import MISSING, read_json, read_records, write_json, write_rows
from sphereconn.job import job
from sphereconn.study.groups import name_of

with job(snakemake.log[0]):
    files, output, kind = snakemake.input, snakemake.output, snakemake.params.kind
    stacked, nodes = read_json(files.sidecar), read_records(files.nodes)
    networks = ["" if node["network"] == MISSING else node["network"] for node in nodes]
    runs = [name_of(run) for run in read_records(files.runs)]
    rows = long_table(kind, files.stack, runs, stacked["Nodes"], networks, stacked["ValidDiagonal"])
    write_rows(output.table, COLUMNS[kind], rows)
    write_json(
        output.sidecar,
        {
            "Description": DESCRIPTIONS[kind],
            "RelationshipMeasure": stacked["RelationshipMeasure"],
            "Sources": provenance.sources([files.stack, files.runs, files.nodes], output.sidecar),
            "Software": provenance.software(),
        },
    )
