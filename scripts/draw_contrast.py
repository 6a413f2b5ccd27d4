"""Figures of a contrast: its matrices, tables and sidecar in; effects, brain, network pairs and strongest edges out."""

from sphereconn.draw.contrast import effects_figure, pairs_figure, significant_figure, strongest_figure
from sphereconn.draw.contrast_words import effect_unit
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix, read_records
from sphereconn.infer.tables import components_drawn, edges_by_run, pair_matrices
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    sidecar, nodes = read_json(files.sidecar), read_nodes(files.nodes)
    statistic, level = sidecar["Statistic"], sidecar["Settings"]["level"]
    names, effects = read_matrix(files.statistic if statistic == "F" else files.effect)
    significant = read_matrix(files.significant)[1]
    title = f"{params.title}, n = {sidecar['NumberOfRuns']}"
    signed = statistic != "F"
    of_edges = {"label": f"effect ({effect_unit(sidecar)})" if signed else "F", "signed": signed}
    of_edges |= {"title": title, "level": level}
    drawn = components_drawn(read_records(files.components), level)
    of_edges["threshold_p"] = float(drawn[0]["threshold_p"]) if drawn else None

    figure = effects_figure(effects, significant, names, nodes.networks, **of_edges)
    save_figure(figure, output.matrix, params.dpi)
    save_figure(significant_figure(effects, significant, nodes, **of_edges), output.glass_brain, params.dpi)
    pairs = pair_matrices(read_records(files.pairs), level)
    save_figure(pairs_figure(*pairs, title=title, statistic=statistic, level=level), output.pairs, params.dpi)
    edges = edges_by_run(read_records(files.strongest))
    figure = strongest_figure(edges, title=title, tested=params.tested, label=sidecar["Unit"])
    save_figure(figure, output.strongest, params.dpi)
