"""Figure of a connectome as a matrix, of a run or a group: matrix, sidecar and nodes in; figure out."""

from sphereconn.draw.matrix import matrix_figure
from sphereconn.draw.nodes_table import figure_title, read_nodes
from sphereconn.draw.notice import notice_figure
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix
from sphereconn.log import logged

with logged(snakemake.log[0]):
    wildcards, style = snakemake.wildcards, snakemake.params.style
    sidecar = read_json(snakemake.input.sidecar)
    names, matrix = read_matrix(snakemake.input.matrix)
    title = figure_title(wildcards.whose, sidecar, wildcards.seed_set, wildcards.estimator, wildcards.denoising)
    if "LeftOut" in sidecar:
        figure = notice_figure(sidecar["LeftOut"], title=title)
    else:
        figure = matrix_figure(
            matrix,
            names,
            read_nodes(snakemake.input.nodes).networks,
            title=title,
            label=sidecar["RelationshipMeasure"],
            vmax=style["limit"],
            order=style["order"],
        )
    save_figure(figure, snakemake.output[0], style["dpi"])
