"""Figure of node strengths in outlines of the brain: matrix, sidecar and nodes in; figure out."""

from sphereconn.aggregate.strength import SIGNS, node_strength
from sphereconn.draw.frame import connectome_drawing
from sphereconn.draw.glassbrain import node_strength_figure
from sphereconn.draw.style import save_figure
from sphereconn.job import job


def draw(of):
    strengths = {sign: node_strength(of.matrix, sign) for sign in SIGNS}
    settings = {"title": of.title, "views": style["views"], "limits": of.limits}
    return node_strength_figure(strengths, of.nodes.coordinates, **settings)


with job(snakemake.log[0]):
    style = snakemake.params.style
    save_figure(connectome_drawing(draw, snakemake.input, snakemake.wildcards), snakemake.output[0], style["dpi"])
