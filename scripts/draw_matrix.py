"""Figure of a connectome as a matrix, of a run or a group: matrix, sidecar and nodes in; figure out."""

from sphereconn.draw.frame import connectome_drawing
from sphereconn.draw.matrix import matrix_figure
from sphereconn.draw.style import save_figure
from sphereconn.job import job


def draw(of):
    return matrix_figure(
        of.matrix,
        of.nodes.names,
        of.nodes.networks,
        title=of.title,
        label=of.measure,
        vmax=style["limit"] or of.limits.get("edges"),
        order=style["order"],
    )


with job(snakemake.log[0]):
    style = snakemake.params.style
    save_figure(connectome_drawing(draw, snakemake.input, snakemake.wildcards), snakemake.output[0], style["dpi"])
