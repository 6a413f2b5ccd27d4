"""Figures of denoising compared: tables, QC-FC matrices, nodes and sidecar in; criteria and distance figures out."""

from sphereconn.aggregate.stack import edge_vector
from sphereconn.compare.denoising import CRITERIA
from sphereconn.compare.distance import edge_lengths
from sphereconn.draw.comparison import criteria_figure, distance_figure
from sphereconn.draw.comparison_words import by_criterion, correlations_with_distance, curves_of, figure_words
from sphereconn.draw.nodes_table import read_nodes
from sphereconn.draw.style import save_figure
from sphereconn.files import read_json, read_matrix, read_records
from sphereconn.log import logged

with logged(snakemake.log[0]):
    files, output, params = snakemake.input, snakemake.output, snakemake.params
    rows, labels, sidecar = read_records(files.criteria), list(params.labels), read_json(files.sidecar)
    title = f"{params.title}, n = {sidecar['SubjectsInCommon']}"
    chance = {"qcfc_significant": 0.05, "high_low_significant": 0.05, "qcfc_by_distance": 0.0}
    chance |= {"qcfc_median_absolute": sidecar["QcFcByChance"], "modularity_by_motion": 0.0}
    figure = criteria_figure(
        [(key, figure_words(key)) for key in CRITERIA],
        labels,
        *(by_criterion(rows, labels, column) for column in ("value_in_common", "value", "rank")),
        {key: value for key, value in chance.items() if value is not None},
        title=title,
        note="Dots: runs in common, with ranks. Rings: all runs of a denoising. Dashed: no dependence on motion.",
    )
    save_figure(figure, output.criteria, params.dpi)
    curves = curves_of(read_records(files.distance), labels)
    qcfc = {label: edge_vector(read_matrix(path)[1], False) for label, path in zip(labels, files.qcfc, strict=True)}
    words = {label: f"{label}: {said}" for label, said in correlations_with_distance(rows).items()}
    note = "Partial correlation of each edge with motion, on the runs in common; the curve is a local fit."
    lengths = edge_lengths(read_nodes(files.nodes).coordinates)
    save_figure(distance_figure(lengths, qcfc, curves, words, title=title, note=note), output.distance, params.dpi)
