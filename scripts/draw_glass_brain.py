"""Figure of a connectome in outlines of the brain: matrix, sidecar and nodes in; figure out."""

from sphereconn.draw.frame import connectome_drawing
from sphereconn.draw.glassbrain import connectome_figure
from sphereconn.draw.style import save_figure
from sphereconn.job import job


def draw(of):
    return connectome_figure(
        of.matrix,
        of.nodes.coordinates,
        title=of.title,
        label=of.measure,
        names=of.nodes.names,
        networks=of.nodes.networks,
        views=snakemake.wildcards.views,
        threshold=style["threshold"],
        vmax=style["limit"] or of.limits.get("edges"),
        node_size=style["node_size"],
        radiological=style["radiological"],
    )


with job(snakemake.log[0]):
    style = snakemake.params.style
    save_figure(connectome_drawing(draw, snakemake.input, snakemake.wildcards), snakemake.output[0], style["dpi"])
