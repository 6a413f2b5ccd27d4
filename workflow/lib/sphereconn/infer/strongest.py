"""The edges with the smallest p, run by run: what a plot of a contrast shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.files import MISSING
from sphereconn.infer.contrast import Model
from sphereconn.infer.formula import tested_columns
from sphereconn.infer.glm import EdgeStatistics

STRONGEST_COLUMNS = ("node1", "node2", "p", "run", "tested", "by", "value", "fitted")
N_SHOWN = 4


def strongest_rows(
    values: NDArray[np.float64],
    model: Model,
    statistics: EdgeStatistics,
    names: Sequence[str],
    settings: Mapping[str, Any],
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table of the edges with the smallest p, with the columns ``STRONGEST_COLUMNS``.

    What is tested is the first column of the test; of an interaction, ``by`` is the second. Values are adjusted to the
    mean of the columns that are not tested: fit of the tested columns, plus residual.

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
    is_interaction = isinstance(settings["test"], str) and len(columns_tested) == 2
    about_tested = np.array([not set(of).isdisjoint(columns_tested) for of in model.design.made_of])
    for edge in order[:N_SHOWN]:
        known = ~np.isnan(values[:, edge])
        if np.isnan(statistics.p[edge]):
            continue
        design, y = model.design.matrix[known], values[known, edge]
        scale = np.ones(len(y)) if model.weights is None else np.sqrt(model.weights[known])
        coefficients = np.linalg.lstsq(design * scale[:, None], y * scale, rcond=None)[0]
        others = design[:, ~about_tested] @ coefficients[~about_tested]
        fitted = design[:, about_tested] @ coefficients[about_tested] + others.mean()
        adjusted = y - others + others.mean()
        for place, value, fit in zip(np.flatnonzero(known), adjusted, fitted, strict=True):
            row = model.rows[place]
            tested = row[columns_tested[0]] if columns_tested else "mean"
            by = row[columns_tested[1]] if is_interaction else MISSING
            yield (names[rows[edge]], names[columns[edge]], statistics.p[edge], row[run], tested, by, value, fit)
