"""The table of the nodes of a run: where each sphere lies, and how well the image covers it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sphereconn.extract.signals import SphereSignals

COLUMNS = ("index", "name", "x", "y", "z", "radius", "network", "voxels", "coverage", "temporal_snr", "problem")


def node_rows(
    names: Sequence[str],
    coordinates: np.ndarray,
    radii: Sequence[float] | np.ndarray,
    networks: Sequence[str],
    spheres: SphereSignals,
) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the nodes table, one a sphere, in the order of ``COLUMNS``; None stands for n/a.

    Parameters
    ----------
    names, networks
        Of the nodes; a network is "" where it is unknown.
    coordinates, radii
        Centres (n_nodes, 3) and radii (n_nodes,) of the spheres, in mm.
    spheres
        The signals that were taken from them.
    """
    return zip(
        range(1, len(names) + 1),
        names,
        *coordinates.T,
        radii,
        [network or None for network in networks],
        spheres.n_voxels,
        spheres.coverage,
        spheres.temporal_snr,
        [problem or None for problem in spheres.problem],
        strict=True,
    )
