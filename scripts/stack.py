"""One file of all edges of a combination: edges of runs in; stack (a row a run), table of runs and sidecar out."""

from sphereconn import provenance
from sphereconn.aggregate.stack import OF_STACK, stack_quality, write_stack
from sphereconn.connect.measures import measure
from sphereconn.files import MISSING, read_json, read_records, write_json, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    estimator, runs = snakemake.params.estimator, snakemake.params.runs
    described = measure(estimator)
    diagonal = described["ValidDiagonal"]
    left_out, quality = [], []  # the sidecars themselves would fill the memory
    for sidecar in map(read_json, snakemake.input.sidecars):
        left_out.append(sidecar.get("LeftOut"))
        quality.append(stack_quality(sidecar))
    kept = [place for place, reason in enumerate(left_out) if reason is None]
    nodes = [node["name"] for node in read_records(snakemake.input.nodes[0])]
    write_stack(snakemake.output.stack, snakemake.input.edges, len(nodes), kept, diagonal=diagonal)
    columns = list(dict.fromkeys(column for run in runs for column in run))
    rows = ([runs[place].get(column, MISSING) for column in columns] for place in kept)
    write_rows(snakemake.output.runs, columns, rows)
    write_rows(snakemake.output.quality, list(OF_STACK), (quality[place] for place in kept))
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Edges of each run, one row per run; the runs are listed in the .tsv of the same name",
            **described,
            "Combined": snakemake.params.combined,
            "StorageFormat": "UpperTriangular",
            "Serialization": "row by row, the diagonal " + ("included" if diagonal else "left out"),
            "Nodes": nodes,
            "RunsLeftOut": [
                {"Run": run, "Reason": reason} for run, reason in zip(runs, left_out, strict=True) if reason
            ],
            "Settings": estimator,
            "Sources": provenance.sources(list(snakemake.input), snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
