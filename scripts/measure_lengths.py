"""Reliability by the length of a scan: cleaned signals in; a table with a row for each length, and a sidecar, out."""

from sphereconn import provenance
from sphereconn.compare import lengths as of
from sphereconn.compare.halves import lengths_of
from sphereconn.errors import about
from sphereconn.files import read_json, read_records, read_signals, write_json, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, params, settings = snakemake.input, snakemake.output, snakemake.params, snakemake.params.settings
    nodes = [node["name"] for node in read_records(files.nodes)]
    cleaned = dict(zip(files.signals, map(read_json, files.sidecars), strict=True))
    there = [path for path, sidecar in cleaned.items() if "LeftOut" not in sidecar]
    subjects = [subject for subject, path in zip(params.subjects, files.signals, strict=True) if path in there]
    n_parts = 2 if params.halves else 1
    minutes = [of.minutes_kept(cleaned[path]) / n_parts for path in there]
    used = of.long_enough(subjects, minutes, n_parts=n_parts)
    steps = lengths_of([minutes[place] for places in used for place in places]) if len(used) > 1 else []

    def parts():
        for places in used:
            paths = [there[place] for place in places]
            signals = [(read_signals(path)[1], cleaned[path]) for path in paths]
            runs = [of.Part.of_run(*one, effective=settings["samples"] == "effective") for one in signals]
            yield [half for run in runs for half in run.halves()] if params.halves else runs

    with about(params.title):
        found = of.reliability_by_length(parts(), steps, settings["kind"], settings["covariance"], nodes)
    write_rows(output.lengths, of.LENGTH_COLUMNS, of.length_rows(steps, found, n_parts * sum(map(len, used))))
    write_json(
        output.lengths_sidecar,
        {
            "Description": f"Reliability of the connectomes of {params.minutes}",
            **of.described(steps, found),
            "Settings": settings,
            "Sources": provenance.sources(list(files), output.lengths_sidecar),
            "Software": provenance.software(),
        },
    )
