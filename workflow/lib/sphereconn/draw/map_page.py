"""One HTML page to look at seed maps: three slices through a place that is chosen by pointing, over a template.

The page is one file that opens offline, with a viewer of our own on plain canvases. NiiVue, which the field knows, is
2.3 MB of script before any map (0.69.0, minified) and needs WebGL 2; the viewer here is 13 kB.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.draw.brain import template
from sphereconn.draw.one_file import base64_of, one_file_page
from sphereconn.draw.style import diverging_map

ASSETS = Path(__file__).with_name("map_assets")
MEASURES = {"z": "mean Fisher z", "psc": "mean percent signal change per standard deviation of the seed"}
STEPS = 127  # of a colour scale from 0 to its limit
NO_VALUE = -128


@dataclass(frozen=True)
class PageMap:
    """One of the maps that a page switches between.

    Attributes
    ----------
    seed
        Name of the seed.
    whose
        The group, or what is tested.
    measure
        What the values are, such as "mean Fisher z".
    values
        Shape (n_x, n_y, n_z), the same for all maps of a page; NaN where there is no value.
    threshold
        Magnitude from which values are shown at first.
    centre
        Of the seed, mm.
    """

    seed: str
    whose: str
    measure: str
    values: NDArray[np.float64]
    threshold: float
    centre: tuple[float, float, float]


def map_page(maps: Sequence[PageMap], affine: NDArray[np.float64], *, title: str, description: str = "") -> str:
    """Return a page of maps on one grid, as HTML; the same input gives the same text.

    Values are kept in steps of 1/127 of the largest magnitude of each map, within the box of voxels with a value.

    Parameters
    ----------
    maps
        At least one; the first is shown when the page opens.
    affine
        From voxel indices to mm of MNI152, shape (4, 4).
    title, description
        Heading of the page, and a sentence below it.

    Raises
    ------
    ValueError
        When there is no map, or shapes differ.
    """
    if len({one.values.shape for one in maps}) != 1:
        raise ValueError("a page needs maps of one shape")
    known = np.any([np.isfinite(one.values) for one in maps], axis=0)
    box = _box(known)
    brain, to_mm = template()
    of_brain = _box(brain > 20)
    data = {
        "title": title,
        "description": description,
        "grid": _grid(known.shape, box, affine),
        "maps": [_encoded(one, box) for one in maps],
        "template": {
            **_grid(brain.shape, of_brain, to_mm),
            "values": _compressed(brain[of_brain].astype(np.uint8)),
        },
        "colours": base64_of(np.round(diverging_map()(np.arange(256))[:, :3] * 255).astype(np.uint8)),
    }
    return one_file_page(ASSETS, "maps.html", ("maps.css",), ("maps.js",), title, data)


def _box(inside: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Give the smallest box around some voxels, one voxel where there are none."""
    spans = []
    for axis in range(3):
        some = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
        spans.append(slice(int(some[0]), int(some[-1]) + 1) if len(some) else slice(0, 1))
    return tuple(spans)


def _grid(shape: tuple[int, ...], box: tuple[slice, ...], affine: NDArray[np.float64]) -> dict[str, Any]:
    """Say where the voxels of a box are: their numbers along the axes, and from mm to indices in the box."""
    inverse = np.linalg.inv(affine)
    inverse[:3, 3] -= [span.start for span in box]
    return {
        "shape": [len(range(*span.indices(n))) for span, n in zip(box, shape, strict=True)],
        "toVoxel": inverse[:3].tolist(),
    }


def _encoded(one: PageMap, box: tuple[slice, ...]) -> dict[str, Any]:
    magnitude = np.abs(one.values[np.isfinite(one.values)])
    limit = float(magnitude.max(initial=0.0)) or 1.0
    shown = float(np.quantile(magnitude, 0.999)) if len(magnitude) else 1.0
    steps = np.where(np.isfinite(one.values), np.round(np.nan_to_num(one.values) / limit * STEPS), NO_VALUE)
    return {
        "seed": one.seed,
        "whose": one.whose,
        "measure": one.measure,
        "limit": limit,
        "signed": one.measure != "F",
        "shown": shown or limit,
        "threshold": min(one.threshold, limit),
        "centre": list(one.centre),
        "values": _compressed(steps[box].astype(np.int8)),
    }


def _compressed(values: NDArray[Any]) -> str:
    """Compress a volume, the first axis fastest."""
    return base64_of(zlib.compress(values.tobytes(order="F"), 9))
