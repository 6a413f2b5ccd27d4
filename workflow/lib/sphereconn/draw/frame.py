"""What all figures of a connectome share: its files are read, its title is made, and what was left out is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from sphereconn.draw.nodes_table import Nodes, figure_title, read_nodes
from sphereconn.draw.notice import notice_figure
from sphereconn.files import read_json, read_matrix


@dataclass(frozen=True)
class Connectome:
    """A connectome to be drawn.

    Attributes
    ----------
    matrix : (n_nodes, n_nodes)
    nodes : its nodes
    measure : what the values are
    title : of the figure
    limits : how far the connectomes that share a scale with it reach, as ``aggregate.scale.common_limits`` gives it
    """

    matrix: np.ndarray
    nodes: Nodes
    measure: str
    title: str
    limits: Mapping[str, float]


def connectome_drawing(
    draw: Callable[[Connectome], Figure], files: Mapping[str, Any], labels: Mapping[str, str]
) -> Figure:
    """Return the figure of a connectome, or a notice that says why there is none.

    Parameters
    ----------
    draw
        Draws a connectome.
    files
        Paths of its ``matrix``, ``sidecar`` and ``nodes`` and, where it shares a scale with others, of this ``scale``.
    labels
        ``whose`` it is, and its ``seed_set``, ``estimator`` and ``denoising``.
    """
    sidecar = read_json(files["sidecar"])
    title = title_of(sidecar, labels)
    if "LeftOut" in sidecar:
        return notice_figure(sidecar["LeftOut"], title=title)
    _, matrix = read_matrix(files["matrix"])
    scale = read_json(files["scale"]) if files.get("scale") else {}
    limits = {kind: limit for kind, limit in scale.items() if limit is not None}
    return draw(Connectome(matrix, read_nodes(files["nodes"]), sidecar["RelationshipMeasure"], title, limits))


def title_of(sidecar: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Return the title of a figure, from a sidecar and the labels of ``connectome_drawing``."""
    return figure_title(labels["whose"], sidecar, labels["seed_set"], labels["estimator"], labels["denoising"])
