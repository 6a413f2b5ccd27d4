"""Figure of the mean connectivity within and between networks: matrix, sidecar and nodes in; figure out."""

from sphereconn.aggregate.strength import network_means
from sphereconn.draw.frame import connectome_drawing
from sphereconn.draw.matrix import network_matrix_figure
from sphereconn.draw.style import save_figure
from sphereconn.log import logged


def draw(of):
    networks, means = network_means(of.matrix, of.nodes.networks)
    return network_matrix_figure(means, networks, title=of.title, label=f"{of.measure}, mean over edges")


with logged(snakemake.log[0]):
    figure = connectome_drawing(draw, snakemake.input, snakemake.wildcards)
    save_figure(figure, snakemake.output[0], snakemake.params.style["dpi"])
