"""One HTML page to look at connectomes in the brain: rotate, threshold, filter, point at nodes, edges and matrix cells.

The page is one file that opens offline. Its script, style and data stand in it, and its content security policy
forbids every request. The brain is drawn by a renderer of our own on a plain canvas, without WebGL: see
``page_assets/renderer.js``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sphereconn.draw.brain import BrainMesh, brain_mesh
from sphereconn.draw.edges import edges_to_draw, parse_threshold
from sphereconn.draw.one_file import base64_of, one_file_page
from sphereconn.draw.style import diverging_map, listed_looks, network_looks, symmetric_limit

ASSETS = Path(__file__).with_name("page_assets")
SCRIPTS = ("data.js", "renderer.js", "brain.js", "matrix.js", "panels.js", "picture.js", "page.js")  # in this order
MESH_UNIT_MM = 0.01
SHOWN_DIGITS = 4  # of the largest value of a connectome


@dataclass(frozen=True)
class PageConnectome:
    """One of the connectomes that a page switches between.

    Attributes
    ----------
    estimator : label of the estimator
    group : label of the group, or of the run
    measure : what the values are, in words, such as "partial correlation"
    matrix : (n_nodes, n_nodes) symmetric, NaN where an edge has no value; the diagonal is not used
    """

    estimator: str
    group: str
    measure: str
    matrix: NDArray[np.float64]


def connectome_page(
    names: Sequence[str],
    coordinates: ArrayLike,
    networks: Sequence[str] | None,
    connectomes: Sequence[PageConnectome],
    *,
    title: str,
    description: str = "",
    threshold: float | str | None = None,
) -> str:
    """Return an interactive page of connectomes of the same nodes, as HTML.

    The same input gives the same text. Every label is shown as it is written, also one that holds HTML.

    Parameters
    ----------
    names
        Name of each node.
    coordinates : (n_nodes, 3) array
        Millimetres of MNI152.
    networks
        Network of each node, or None when the nodes have none.
    connectomes
        At least one; the first is shown when the page opens. Connectomes of one estimator share their colour limits,
        so that groups can be compared.
    title, description
        Heading of the page, and a sentence below it.
    threshold
        Which edges are shown when the page opens, as in `sphereconn.draw.edges.edges_to_draw`; by default the strongest
        two edges per node.

    Raises
    ------
    InputError
        When the threshold is not understood.
    ValueError
        When shapes disagree, a coordinate is not finite, a matrix is not symmetric or holds infinities, or two
        connectomes have the same estimator and group.
    """
    positions = np.asarray(coordinates, dtype=np.float64)
    _check(names, positions, networks, connectomes)
    given = list(networks) if networks is not None else [""] * len(names)
    looks = network_looks(given)
    listed = listed_looks(looks)
    numbers = {look.label: number for number, look in enumerate(listed)}
    data = {
        "title": title,
        "description": description,
        "nodes": [
            {"name": name, "network": numbers[looks[network].label], "position": position}
            for name, network, position in zip(names, given, positions.tolist(), strict=True)
        ],
        "networks": [{"label": look.label, "colour": look.colour} for look in listed],
        "connectomes": _encoded_connectomes(connectomes),
        "opening": _opening(threshold, connectomes[0].matrix),
        "colours": base64_of(np.round(diverging_map()(np.arange(256))[:, :3] * 255).astype(np.uint8)),
        "mesh": _encoded_mesh(brain_mesh()),
    }
    return one_file_page(ASSETS, "template.html", ("page.css",), SCRIPTS, title, data)


def _check(
    names: Sequence[str],
    positions: NDArray[np.float64],
    networks: Sequence[str] | None,
    connectomes: Sequence[PageConnectome],
) -> None:
    number = len(names)
    if positions.shape != (number, 3):
        raise ValueError(f"{number} names need coordinates of shape ({number}, 3), not {positions.shape}")
    if not np.isfinite(positions).all():
        raise ValueError("every node needs finite coordinates")
    if networks is not None and len(networks) != number:
        raise ValueError(f"{len(networks)} networks for {number} nodes")
    if not connectomes:
        raise ValueError("a page needs at least one connectome")
    for connectome in connectomes:
        if connectome.matrix.shape != (number, number):
            raise ValueError(f"{number} names do not fit a matrix of shape {connectome.matrix.shape}")
    labels = [(connectome.estimator, connectome.group) for connectome in connectomes]
    if len(set(labels)) < len(labels):
        raise ValueError("two connectomes have the same estimator and group")


def _encoded_connectomes(connectomes: Sequence[PageConnectome]) -> list[dict[str, Any]]:
    limits: dict[str, float] = {}
    for connectome in connectomes:
        edges = edges_to_draw(connectome.matrix)  # refuses a matrix that has no single value for an edge
        limits[connectome.estimator] = max(limits.get(connectome.estimator, 0.0), symmetric_limit(edges.values))
    encoded = []
    for connectome in connectomes:
        limit = limits[connectome.estimator]
        decimals = max(0, SHOWN_DIGITS - 1 - int(np.floor(np.log10(limit))))
        upper = connectome.matrix[np.triu_indices(len(connectome.matrix), k=1)]
        encoded.append(
            {
                "estimator": connectome.estimator,
                "group": connectome.group,
                "measure": connectome.measure,
                "limit": limit,
                "signed": connectome.measure != "F",
                "decimals": decimals,
                "values": base64_of(_single_precision(upper, decimals)),
            }
        )
    return encoded


def _single_precision(values: NDArray[np.float64], decimals: int) -> NDArray[np.float32]:
    """Return float32 numbers that read the same as ``values`` when both are written with so many decimals.

    Of thousands of values, a few lie so close to halfway between two decimals that their nearest float32 is on the
    other side; they take the float32 on their own side.
    """
    single = values.astype(np.float32)
    wanted = np.floor(values * 10.0**decimals + 0.5)
    written = np.floor(single.astype(np.float64) * 10.0**decimals + 0.5)
    towards = np.where(written < wanted, np.inf, -np.inf).astype(np.float32)
    return np.where(np.isnan(values) | (written == wanted), single, np.nextafter(single, towards))


def _opening(threshold: float | str | None, matrix: NDArray[np.float64]) -> dict[str, Any]:
    """Say which edges are shown at first: the strongest so many, or those of at least a magnitude."""
    if threshold is None:
        return {"by": "strongest", "strongest": 2 * len(matrix)}
    kind, amount = parse_threshold(threshold)
    if kind == "top":
        return {"by": "strongest", "strongest": int(amount)}
    return {"by": "magnitude", "magnitude": edges_to_draw(matrix, threshold).cutoff}


def _encoded_mesh(mesh: BrainMesh) -> dict[str, Any]:
    """Encode the right half of the brain; the page mirrors it, as `brain_mesh` does."""
    n_left = int(mesh.is_left.sum())
    right = mesh.faces[(mesh.faces >= n_left).all(axis=1)] - n_left
    return {
        "unit": MESH_UNIT_MM,
        "vertices": base64_of(np.round(mesh.vertices[n_left:] / MESH_UNIT_MM).astype(np.int16)),
        "faces": base64_of(right.astype(np.uint16)),
    }
