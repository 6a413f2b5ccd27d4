"""Nodes of combined runs: nodes tables and sidecars of the cleaned signals of these runs in; one nodes table out."""

from sphereconn.aggregate.nodes import SUBJECT_COLUMNS, subject_nodes
from sphereconn.files import read_json, write_rows
from sphereconn.job import job
from sphereconn.study.names import labels_of

with job(snakemake.log[0]):
    files = snakemake.input
    runs = [labels_of(path)[0] for path in files.nodes]
    kept = [place for place, path in enumerate(files.sidecars) if "LeftOut" not in read_json(path)]
    nodes = subject_nodes(files.nodes, runs, kept, in_all=snakemake.params.in_all)
    write_rows(snakemake.output.nodes, SUBJECT_COLUMNS, nodes)
