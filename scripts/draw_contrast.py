"""Figures of a contrast: its matrices, tables and sidecar in; effects, brain, network pairs and strongest edges out."""

import numpy as np

from sphereconn.draw.contrast import effects_figure, strongest_figure
from sphereconn.draw.glassbrain import connectome_figure
from sphereconn.draw.matrix import network_matrix_figure
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.draw.notice import notice_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix, read_records
from sphereconn.infer.tables import edges_by_run, pair_matrices
from sphereconn.log import logged

with logged(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    sidecar, nodes = read_json(files.sidecar), read_nodes(files.nodes)
    f_test, level = sidecar["Statistic"] == "F", sidecar["Settings"]["level"]
    names, effects = read_matrix(files.statistic if f_test else files.effect)
    significant = read_matrix(files.significant)[1]
    label = "F" if f_test else f"effect ({sidecar['Unit']})"
    title = f"{params.title}, n = {sidecar['NumberOfRuns']}"

    figure = effects_figure(effects, significant, names, nodes.networks, title=title, label=label, level=level)
    save_figure(figure, output.matrix, params.dpi)
    shown = np.where(significant > 0, effects, 0.0)
    nothing = f"No edge and no component is significant (corrected p ≤ {level:g})."
    figure = notice_figure(nothing, title=title) if not shown.any() else connectome_figure(
        shown, nodes.coordinates, title=title, label=label, names=nodes.names, networks=nodes.networks, threshold=1e-12,
        selected=f"corrected p ≤ {level:g}",
    )  # fmt: skip
    save_figure(figure, output.glass_brain, params.dpi)
    networks, means, marked = pair_matrices(read_records(files.pairs), level)
    note = f"Mean {sidecar['Statistic']} over the edges of each pair; * corrected p ≤ {level:g} over all pairs."
    nothing = "Pairs of networks are not tested: there are no networks, no permutations, or no test of them."
    figure = notice_figure(nothing, title=title) if not networks else network_matrix_figure(
        means, networks, title=title, label=f"mean {sidecar['Statistic']}", marked=marked, note=note
    )  # fmt: skip
    save_figure(figure, output.pairs, params.dpi)
    edges = edges_by_run(read_records(files.strongest))
    figure = notice_figure("No edge could be tested.", title=title) if not edges else strongest_figure(
        edges, title=title, tested=params.tested, label=sidecar["Unit"]
    )  # fmt: skip
    save_figure(figure, output.strongest, params.dpi)
