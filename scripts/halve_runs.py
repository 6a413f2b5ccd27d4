"""Halves of runs: cleaned signals in; a stack of the connectomes of the halves, its table and sidecar out."""

from sphereconn import provenance
from sphereconn.aggregate.stack import write_edges
from sphereconn.compare.halves import HALVES, too_short_for_halves
from sphereconn.compare.lengths import Part, connectome_of_part
from sphereconn.connect.edges import edge_vector, n_edges_of
from sphereconn.connect.measures import measure
from sphereconn.errors import about
from sphereconn.files import read_json, read_records, read_signals, write_json, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    settings, described = params.settings, measure(params.settings)
    nodes = [node["name"] for node in read_records(files.nodes)]
    sidecars = [read_json(path) for path in files.sidecars]
    reasons = [sidecar.get("LeftOut") or too_short_for_halves(sidecar["NumberOfVolumesKept"]) for sidecar in sidecars]
    kept = [place for place, reason in enumerate(reasons) if reason is None]

    def edges():
        for place in kept:
            with about(files.signals[place]):
                signals = read_signals(files.signals[place])[1]
                for half in Part.of_run(
                    signals, sidecars[place], effective=settings["samples"] == "effective"
                ).halves():
                    estimate = (len(half.signals), settings["kind"], settings["covariance"], nodes)
                    yield edge_vector(connectome_of_part(half, *estimate), described["ValidDiagonal"])

    n_edges = n_edges_of(len(nodes), described["ValidDiagonal"])
    write_edges(output.stack, edges(), (2 * len(kept), n_edges))
    rows = ([params.runs[place], params.subjects[place], half] for place in kept for half in HALVES)
    write_rows(output.runs, ["name", "subject", "repeat"], rows)
    left_out = [{"Run": run, "Reason": reason} for run, reason in zip(params.runs, reasons, strict=True) if reason]
    sidecar = {"Description": "Edges of the halves of each run, one row per half; the .tsv of the same name lists them"}
    sidecar |= {**described, "Nodes": nodes, "RunsLeftOut": left_out, "Settings": settings}
    sidecar |= {"Sources": provenance.sources(list(files), output.stacked), "Software": provenance.software()}
    write_json(output.stacked, sidecar)
