"""Figures of denoising compared: tables, QC-FC matrices, nodes and sidecar in; criteria and distance figures out."""

from sphereconn.compare.denoising import CRITERIA
from sphereconn.compare.distance import edge_lengths
from sphereconn.connect.edges import edge_vector
from sphereconn.draw import comparison_words as say
from sphereconn.draw.comparison import criteria_figure, distance_figure
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix, read_records
from sphereconn.job import job

with job(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    rows, labels, sidecar = read_records(files.criteria), list(params.labels), read_json(files.sidecar)
    title = f"{params.title}, n = {sidecar['SubjectsInCommon']}"
    figure = criteria_figure(
        [(key, say.figure_words(key)) for key in CRITERIA],
        labels,
        *(say.by_criterion(rows, labels, column) for column in ("value_in_common", "value", "rank")),
        say.without_dependence(sidecar),
        title=title,
        note="Dots: common runs, with ranks. Rings: all runs of a denoising. Dashed: no dependence on motion.",
    )
    save_figure(figure, output.criteria, params.dpi)
    lengths, points = edge_lengths(read_nodes(files.nodes).coordinates), read_records(files.distance)
    for kind, column, matrices, words in (
        ("distance", "qcfc", files.qcfc, say.correlations_with_distance(rows)),
        ("motion_groups", "difference", files.difference, say.differences_by_motion(rows)),
    ):
        edges = {label: edge_vector(read_matrix(path)[1], False) for label, path in zip(labels, matrices, strict=True)}
        panels = {label: f"{label}: {said}" for label, said in words.items()}
        curves, (axis, note) = say.curves_of(points, labels, column), say.over_distance(column, sidecar)
        figure = distance_figure(lengths, edges, curves, panels, axis=axis, title=title, note=note)
        save_figure(figure, output[kind], params.dpi)
