"""Strategies of denoising as results have them: from a stack and the tables beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sphereconn.compare.denoising import Strategy
from sphereconn.compare.edges import edge_reader
from sphereconn.compare.similarity import Similarity, similarity
from sphereconn.files import read_json, read_records
from sphereconn.infer.contrast import with_quality


def read_strategy(
    label: str, stack: str | Path, runs: str | Path, quality: str | Path, organization: str | Path, sidecar: str | Path
) -> Strategy:
    """Return a strategy to compare.

    Parameters
    ----------
    label
        Of the denoising.
    stack, runs, quality, sidecar
        The edges of all runs, their table, the table of their quality, and what is said of them.
    organization
        The table with the rows of `organization.organization_rows`.
    """
    stacked, rows, of_quality = read_json(sidecar), read_records(runs), read_records(quality)
    edges, n_edges = edge_reader(stack, len(stacked["Nodes"]), diagonal=stacked["ValidDiagonal"])
    pairs = zip(of_quality, read_records(organization), strict=True)
    return Strategy(
        label=label,
        names=tuple(next(iter(row.values())) for row in rows),
        rows=tuple(with_quality(rows, of_quality)),
        measured=tuple({**one, **other} for one, other in pairs),
        edges=edges,
        n_edges=n_edges,
        n_asked=len(rows) + len(stacked["RunsLeftOut"]),
    )


def similarity_of(strategies: Sequence[Strategy], runs: Sequence[str]) -> Similarity:
    """Return how similar strategies are on some runs, named; NaN for those that miss them, and without any run."""
    if not runs:
        nothing = np.full((len(strategies), len(strategies)), np.nan)
        return Similarity(nothing, nothing, 0)
    places = [{name: place for place, name in enumerate(strategy.names)} for strategy in strategies]
    complete = [set(runs) <= set(at) for at in places]
    return similarity(
        [
            strategy.edges(np.array([at[name]]), 0, strategy.n_edges)[0]
            if has_all
            else np.full(strategy.n_edges, np.nan)
            for strategy, at, has_all in zip(strategies, places, complete, strict=True)
        ]
        for name in runs
    )
