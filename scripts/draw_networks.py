"""Mean connectivity within and between networks: matrix, sidecar and nodes in; figure and table out."""

import numpy as np

from sphereconn.aggregate.strength import network_means
from sphereconn.draw.frame import connectome_drawing
from sphereconn.draw.matrix import network_matrix_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import write_matrix
from sphereconn.job import job


def draw(of):
    networks, means = network_means(of.matrix, of.nodes.networks)
    write_matrix(snakemake.output.table, [name or "no network" for name in networks], means)
    label = f"{of.measure}, mean over edges"
    return network_matrix_figure(means, networks, title=of.title, label=label, vmax=of.limits.get("networks"))


with job(snakemake.log[0]):
    write_matrix(snakemake.output.table, [], np.zeros((0, 0)))  # stays empty where there is nothing to draw
    figure = connectome_drawing(draw, snakemake.input, snakemake.wildcards)
    save_figure(figure, snakemake.output.figure, snakemake.params.style["dpi"])
