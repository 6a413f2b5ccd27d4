"""Figures of a difference: two mean connectomes, their sidecars, nodes and scale in; matrices and brains out."""

from sphereconn.draw.difference import difference_figure
from sphereconn.draw.glassbrain import difference_brain_figure
from sphereconn.draw.nodes_table import mean_of, read_nodes
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix
from sphereconn.job import job

with job(snakemake.log[0]):
    files, words, style = snakemake.input, snakemake.params.words, snakemake.params.style
    one, two = (read_matrix(path)[1] for path in files.matrices)
    sidecars, nodes = [read_json(path) for path in files.sidecars], read_nodes(files.nodes[0])
    said = [f"{name}: {mean_of(sidecar)}" for name, sidecar in zip(words["captions"], sidecars, strict=True)]
    settings = {
        "title": words["title"],
        "label": sidecars[0]["RelationshipMeasure"],
        "note": f"{'; '.join(said)}. Nothing is tested.",
        "captions": tuple(words["captions"]),
        "vmax": style["limit"] or read_json(files.scale[0])["edges"],
    }
    save_figure(difference_figure(one, two, nodes.networks, **settings), snakemake.output.matrix, style["dpi"])
    figure = difference_brain_figure(
        one,
        two,
        nodes.coordinates,
        networks=nodes.networks,
        threshold=style["threshold"],
        radiological=style["radiological"],
        **settings,
    )
    save_figure(figure, snakemake.output.brain, style["dpi"])
