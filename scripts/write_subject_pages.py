"""Pages of all subjects: quality sheets of their runs and the tables of quality in; a HTML file each out."""

from pathlib import Path

from sphereconn.aggregate.cohort import standings
from sphereconn.aggregate.unusual import unusual_runs
from sphereconn.draw.subject_page import by_run, subject_page
from sphereconn.files import read_records, write_text
from sphereconn.job import job

with job(snakemake.log[0]):
    files, params = snakemake.input, snakemake.params
    quality = read_records(files.quality)
    concerns, standing = unusual_runs(quality, read_records(files.estimation)), standings(quality)
    figures = by_run(params.figures)
    sheets = dict(zip(params.runs, files.sheets, strict=True))
    for (subject, runs), page in zip(params.subjects.items(), snakemake.output, strict=True):
        text = subject_page(
            subject=subject,
            study=params.title,
            sheets={run: Path(sheets[run]).read_text(encoding="utf-8") for run in runs},
            concerns=concerns,
            standings=standing,
            figures=figures,
        )
        write_text(page, text)
