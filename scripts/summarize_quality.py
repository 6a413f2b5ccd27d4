"""Quality of all runs: nodes tables and sidecars of single runs in; two tables with their sidecars out."""

from sphereconn import provenance
from sphereconn.aggregate.quality import (
    ESTIMATION_COLUMNS,
    QUALITY_COLUMNS,
    estimation_row,
    quality_row,
    regressors_of,
    software_of,
)
from sphereconn.files import write_json, write_rows
from sphereconn.job import job
from sphereconn.study.names import labels_of

with job(snakemake.log[0]):
    files, output = snakemake.input, snakemake.output
    quality = [
        quality_row(labels_of(cleaned), nodes, cleaned)
        for nodes, cleaned in zip(files.nodes, files.cleaned, strict=True)
    ]
    write_rows(output.quality, list(QUALITY_COLUMNS), quality)
    write_rows(
        output.estimation,
        list(ESTIMATION_COLUMNS),
        (estimation_row(labels_of(path), path) for path in files.connectomes),
    )
    stages = {"extract": sorted(set(files.extracted)), "clean": files.cleaned, "connect": files.connectomes}
    made_by = {"SoftwareOfRuns": software_of(stages), "Software": provenance.software()}
    regressors = regressors_of([(*labels_of(cleaned), cleaned) for cleaned in files.cleaned])
    write_json(output.quality_sidecar, QUALITY_COLUMNS | {"RegressorsOfRuns": regressors} | made_by)
    write_json(output.estimation_sidecar, ESTIMATION_COLUMNS | made_by)
