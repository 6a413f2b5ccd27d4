"""Figures of reliability: matrix of ICCs, tables and sidecar in; ICCs, networks, likeness of runs, lengths out."""

from sphereconn.draw.matrix import matrix_figure, network_matrix_figure
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.draw.notice import notice_figure
from sphereconn.draw.reliability import lengths_figure, pair_matrix, similarity_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix, read_records
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    sidecar, nodes = read_json(files.sidecar), read_nodes(files.nodes)
    title = f"{params.title}, n = {sidecar['Subjects']}"

    reason = sidecar["NotMeasured"]
    names, icc = read_matrix(files.icc11)
    known = nodes.networks if any(nodes.networks) else None
    figure = notice_figure(reason, title=title) if reason else matrix_figure(
        icc, names, known, title=title, label="ICC(1,1)", vmax=1.0
    )  # fmt: skip
    save_figure(figure, output.icc, params.dpi)
    networks, means = pair_matrix(read_records(files.pairs), "mean_icc11")
    unknown = reason or (None if networks else "The nodes have no networks.")
    figure = notice_figure(unknown, title=title) if unknown else network_matrix_figure(
        means, networks, title=title, label="mean ICC(1,1) of the edges", vmax=1.0
    )  # fmt: skip
    save_figure(figure, output.networks, params.dpi)
    repeats = list(zip(sidecar["Repeats"], sidecar["RunsOfRepeats"], strict=True))
    figure = notice_figure(reason, title=title) if reason else similarity_figure(
        read_matrix(files.similarity)[1], repeats, title=title
    )  # fmt: skip
    save_figure(figure, output.similarity, params.dpi)
    if files.get("lengths"):
        rows = read_records(files.lengths)
        nothing = "Too few runs are long enough for a curve of reliability by length."
        figure = notice_figure(nothing, title=title) if not rows else lengths_figure(
            rows, title=params.title, minutes=params.minutes
        )  # fmt: skip
        save_figure(figure, output.lengths, params.dpi)
