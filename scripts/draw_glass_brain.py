"""Figure of a connectome in outlines of the brain: matrix, sidecar and nodes in; figure out."""

from sphereconn.draw.glassbrain import connectome_figure
from sphereconn.draw.nodes_table import figure_title, read_nodes
from sphereconn.draw.notice import notice_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix
from sphereconn.log import logged

with logged(snakemake.log[0]):
    wildcards, style = snakemake.wildcards, snakemake.params.style
    sidecar = read_json(snakemake.input.sidecar)
    _, matrix = read_matrix(snakemake.input.matrix)
    nodes = read_nodes(snakemake.input.nodes)
    title = figure_title(wildcards.whose, sidecar, wildcards.seed_set, wildcards.estimator, wildcards.denoising)
    if "LeftOut" in sidecar:
        figure = notice_figure(sidecar["LeftOut"], title=title)
    else:
        figure = connectome_figure(
            matrix,
            nodes.coordinates,
            title=title,
            label=sidecar["RelationshipMeasure"],
            names=nodes.names,
            networks=nodes.networks,
            views=wildcards.views,
            threshold=style["threshold"],
            vmax=style["limit"],
            node_size=style["node_size"],
            radiological=style["radiological"],
        )
    save_figure(figure, snakemake.output[0], style["dpi"])
