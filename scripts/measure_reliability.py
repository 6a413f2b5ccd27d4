"""Reliability of connectomes: stack, its table and nodes in; intraclass correlations, tables and a sidecar out."""

from sphereconn import provenance
from sphereconn.compare import reliability as r
from sphereconn.compare.edges import edge_reader
from sphereconn.connect.edges import matrix_from_edges
from sphereconn.files import MISSING, read_json, read_records, write_json, write_matrix, write_rows
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    stacked, rows = read_json(files.stacked), read_records(files.runs)
    names = stacked["Nodes"]
    networks = [None if node["network"] in ("", MISSING) else node["network"] for node in read_records(files.nodes)]
    edges, n_edges = edge_reader(files.stack, len(names), diagonal=stacked["ValidDiagonal"])
    runs, subjects, repeats, places = r.chosen_rows(rows, params.over, params.runs)
    found, reason = r.measured_if_any(
        lambda chosen, start, stop: edges(places[chosen], start, stop),
        n_edges,
        subjects,
        repeats,
        networks,
        n_shuffles=params.settings["permutations"],
        seed=params.settings["seed"],
    )

    for kind, short in r.SHORT.items():
        write_matrix(output[short], names, matrix_from_edges(found.edges[kind].icc, len(names), diagonal=False))
    write_rows(output.edges, r.EDGE_COLUMNS, r.edge_rows(found, names, networks))
    write_rows(output.pairs, r.PAIR_COLUMNS, r.pair_rows(found))
    write_rows(output.summary, r.SUMMARY_COLUMNS, r.summary_rows(found))
    write_rows(output.identification, r.IDENTIFICATION_COLUMNS, r.identification_rows(found))
    write_matrix(output.similarity, *r.by_repeat(found, runs))
    sidecar = {"Description": "Reliability; files with the same name contain the results", **r.described(found)}
    sidecar |= {"Over": params.over or "halves", "FisherZ": not stacked["ValidDiagonal"], "Settings": params.settings}
    sidecar |= {"NotMeasured": reason, "RunsLeftOut": stacked["RunsLeftOut"]}
    sidecar |= {"Sources": provenance.sources(list(files), output.sidecar), "Software": provenance.software()}
    write_json(output.sidecar, sidecar)
