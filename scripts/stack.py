"""One file of all edges of a combination: matrices of runs in; stack (a row a run), table of runs and sidecar out."""

from sphereconn import provenance
from sphereconn.aggregate.stack import write_stack
from sphereconn.connect.measures import measure
from sphereconn.files import MISSING, write_json, write_rows
from sphereconn.log import logged

with logged(snakemake.log[0]):
    estimator, runs = snakemake.params.estimator, snakemake.params.runs
    described = measure(estimator)
    diagonal = described["ValidDiagonal"]
    nodes = write_stack(snakemake.output.stack, snakemake.input.matrices, diagonal=diagonal)
    columns = list(dict.fromkeys(column for run in runs for column in run))
    write_rows(snakemake.output.runs, columns, ([run.get(column, MISSING) for column in columns] for run in runs))
    write_json(
        snakemake.output.sidecar,
        {
            "Description": "Edges of every run, one row a run; the runs are listed in the .tsv of the same name",
            **described,
            "StorageFormat": "UpperTriangular",
            "Serialization": "row by row, the diagonal " + ("included" if diagonal else "left out"),
            "Nodes": nodes,
            "Settings": estimator,
            "Sources": provenance.sources(list(snakemake.input), snakemake.output.sidecar),
            "Software": provenance.software(),
        },
    )
