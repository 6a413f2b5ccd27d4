"""Figure of the mean connectivity within and between networks: matrix, sidecar and nodes in; figure out."""

from sphereconn.aggregate.strength import network_means
from sphereconn.draw.matrix import network_matrix_figure
from sphereconn.draw.nodes_table import figure_title, read_nodes
from sphereconn.draw.notice import notice_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix
from sphereconn.log import logged

with logged(snakemake.log[0]):
    wildcards, style = snakemake.wildcards, snakemake.params.style
    sidecar = read_json(snakemake.input.sidecar)
    _, matrix = read_matrix(snakemake.input.matrix)
    title = figure_title(wildcards.whose, sidecar, wildcards.seed_set, wildcards.estimator, wildcards.denoising)
    if "LeftOut" in sidecar:
        figure = notice_figure(sidecar["LeftOut"], title=title)
    else:
        networks, means = network_means(matrix, read_nodes(snakemake.input.nodes).networks)
        figure = network_matrix_figure(
            means,
            networks,
            title=title,
            label=f"{sidecar['RelationshipMeasure']}, mean over edges",
        )
    save_figure(figure, snakemake.output[0], style["dpi"])
