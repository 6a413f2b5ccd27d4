"""Which edges of a connectome are drawn."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sphereconn.errors import InputError
from sphereconn.files import to_number


@dataclass(frozen=True)
class Edges:
    """Edges to draw, the strongest last.

    Attributes
    ----------
    first, second : (n_edges,) node numbers, first < second
    values : (n_edges,) what the matrix says of them
    cutoff : magnitude below which edges were left out; 0 when none was
    n_possible : number of pairs of nodes that have a value
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    values: NDArray[np.float64]
    cutoff: float
    n_possible: int

    def __len__(self) -> int:
        return len(self.values)


def edges_to_draw(matrix: ArrayLike, threshold: float | str | None = None) -> Edges:
    """Choose the edges of a symmetric matrix, each pair of nodes once and without the diagonal.

    Parameters
    ----------
    matrix : (n_nodes, n_nodes) array
        NaN where an edge has no value; such an edge is never drawn, nor is one of exactly 0.
    threshold : float, str or None
        A number t keeps the edges with a magnitude of at least t. ``"99.8%"`` keeps those of at least that percentile
        of the magnitudes of all edges that have a value. ``"top 100"`` keeps the 100 strongest. None keeps all.

    Raises
    ------
    InputError
        When the threshold is none of these.
    ValueError
        When the matrix is not square, not symmetric or holds infinities.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a connectome is a square matrix, not one of shape {matrix.shape}")
    if np.isinf(matrix).any():
        raise ValueError("the matrix holds infinities")
    if not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-12, equal_nan=True):
        raise ValueError("the matrix is not symmetric, so its edges have no single value")
    first, second = np.triu_indices(len(matrix), k=1)
    values = matrix[first, second]
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(np.abs(values[known]), kind="stable")]
    magnitudes = np.abs(values[order])

    kind, amount = parse_threshold(threshold)
    if kind == "top":
        start = max(len(order) - int(amount), 0)
        cutoff = float(magnitudes[start]) if start else 0.0
    else:
        cutoff = amount
        if kind == "percentile":
            cutoff = float(np.percentile(magnitudes, amount)) if len(order) else 0.0
        start = int(np.searchsorted(magnitudes, cutoff, side="left"))
    start = max(start, int(np.searchsorted(magnitudes, 0.0, side="right")))
    order = order[start:]
    return Edges(first[order], second[order], values[order], cutoff, len(known))


def parse_threshold(threshold: float | str | None) -> tuple[str, float]:
    """Return the kind of a threshold ("magnitude", "percentile" or "top") and its number; see `edges_to_draw`."""
    if threshold is None:
        return "magnitude", 0.0
    text = str(threshold).strip()
    number = r"(\d+(?:\.\d*)?|\.\d+)"
    if not isinstance(threshold, bool):
        if (found := re.fullmatch(number + r"\s*%", text)) and float(found[1]) <= 100:
            return "percentile", float(found[1])
        if (found := re.fullmatch(r"top\s+(\d+)", text)) and int(found[1]) > 0:
            return "top", float(found[1])
        try:
            amount = to_number(text)
        except ValueError:
            amount = math.nan
        if 0 <= amount < math.inf:
            return "magnitude", amount
    raise InputError(
        f"threshold: '{threshold}' is not understood; allowed: a magnitude of at least 0 such as 0.3, a percentile"
        " of the edges such as '99.8%', or a number of the strongest edges such as 'top 100'."
    )
