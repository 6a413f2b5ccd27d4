"""The edges with the smallest p, run by run: what a plot of a contrast shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.infer.contrast import Model
from sphereconn.infer.design import tested_columns
from sphereconn.infer.glm import EdgeStatistics, projection, whitened

STRONGEST_COLUMNS = ("node1", "node2", "p", "run", "tested", "value", "fitted")
N_SHOWN = 4


def strongest_rows(
    values: NDArray[np.float64],
    model: Model,
    statistics: EdgeStatistics,
    names: Sequence[str],
    settings: Mapping[str, Any],
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table of the edges with the smallest p, with the columns ``STRONGEST_COLUMNS``.

    Values are adjusted: what the columns that are not tested explain is taken out, and the mean of the edge put back.

    Parameters
    ----------
    values
        Shape (n_runs, n_edges).
    model, statistics, settings
        Of the contrast.
    names
        Of the nodes.
    """
    rows, columns = np.triu_indices(len(names), 1)
    order = np.argsort(np.where(np.isnan(statistics.p), np.inf, statistics.p), kind="stable")
    columns_tested = tested_columns(settings["test"])
    run = next(iter(model.rows[0]))
    for edge in order[:N_SHOWN]:
        known = ~np.isnan(values[:, edge])
        design, scale = whitened(values, model.design.matrix, np.atleast_2d(model.design.contrast), model.weights)
        part = projection(design[known], model.design.contrast)
        if part is None or np.isnan(statistics.p[edge]):
            continue
        y = values[known, edge] * scale[known]
        mean = np.average(values[known, edge], weights=scale[known] ** 2)
        adjusted = (y - part.nuisance @ (part.nuisance.T @ y)) / scale[known] + mean
        fitted = (part.tested @ (part.tested.T @ y)) / scale[known] + mean
        for place, value, fit in zip(np.flatnonzero(known), adjusted, fitted, strict=True):
            row = model.rows[place]
            tested = row[columns_tested[0]] if columns_tested else "mean"
            yield (names[rows[edge]], names[columns[edge]], statistics.p[edge], row[run], tested, value, fit)
