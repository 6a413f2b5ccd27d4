"""The results of a contrast as files say them: matrices, the table of the design, and what its sidecar tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.infer.contrast import Model, Tested, is_significant
from sphereconn.infer.design import diagnostics
from sphereconn.infer.question import Question
from sphereconn.infer.shuffles import Shuffles

EXCHANGED = {
    "free": "permutations of runs",
    "within": "permutations of runs within subjects",
    "whole": "permutations of subjects with all their runs",
    "signs": "sign flips",
}


def matrices_of(tested: Tested) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of every edge, by statistic; of an F test the effect is n/a."""
    found = {
        "effect": tested.statistics.effect,
        "statistic": tested.statistics.statistic,
        "p": tested.statistics.p,
        "fdr": tested.fdr,
    }
    if tested.family_wise is not None:
        found["fwe"] = tested.family_wise.p
    if tested.enhanced is not None:
        found["tfnbs"] = tested.enhanced.p
    return found


def design_table(model: Model) -> tuple[list[str], Iterator[list[Any]]]:
    """Return the columns and rows of the table of a design: run, leverage, and the columns of the model."""
    leverage = diagnostics(model.design).leverage
    name = next(iter(model.rows[0]))
    rows = (
        [row[name], float(lever), *map(float, values)]
        for row, lever, values in zip(model.rows, leverage, model.design.matrix, strict=True)
    )
    return ["run", "leverage", *model.design.columns], rows


def described_model(
    model: Model, shuffles: Shuffles | None, runs: Sequence[Mapping[str, str]], level: float
) -> dict[str, Any]:
    """Return what the sidecar of a contrast says of the model, its runs and its shuffles.

    Parameters
    ----------
    model, shuffles
        Of the contrast.
    runs
        The table of runs that the model was made from.
    level
        Of significance.
    """
    name, found = next(iter(runs[0])), diagnostics(model.design)
    return {
        "Statistic": "F" if len(model.design.contrast) > 1 else "t",
        "Columns": list(model.design.columns),
        "Contrast": model.design.contrast,
        "NumberOfRuns": len(model.rows),
        "NumberOfSubjects": len({row["subject"] for row in model.rows}),
        "Levels": model.design.levels,
        "RunsLeftOut": {runs[place][name]: reason for place, reason in sorted(model.design.left_out.items())},
        "VarianceInflation": found.variance_inflation,
        "LargestLeverage": float(found.leverage.max()),
        "Shuffled": EXCHANGED[model.exchangeability.kind] if shuffles else None,
        "NumberOfPermutations": shuffles.n_shuffles if shuffles else 0,
        "AllPermutations": shuffles.exhaustive if shuffles else False,
        "MonteCarloErrorAtLevel": float(np.sqrt(level * (1 - level) / (1 + shuffles.n_shuffles)))
        if shuffles and not shuffles.exhaustive
        else 0.0,
    }


def described(tested: Tested, asked: Question, words: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the sidecar of a contrast says of the model, its runs, and what was found.

    Parameters
    ----------
    tested, asked, settings
        The results, what was asked, and the settings of the contrast.
    words
        What the contrast is called and tests.
    """
    s, level, fwe = tested.statistics, settings["level"], tested.family_wise
    test = np.isfinite(s.p)
    return {
        "Description": "A linear model of each edge across runs; files with the same name contain the results",
        "Unit": "Fisher's z" if asked.correlations else "the connectomes' unit",
        **described_model(asked.model, asked.shuffles, asked.runs, level),
        "DegreesOfFreedom": [float(np.nanmin(s.degrees_of_freedom)), float(np.nanmax(s.degrees_of_freedom))]
        if test.any()
        else None,
        "EdgesTested": int(test.sum()),
        "EdgesNotTested": int((~test).sum()),
        "EdgesSignificant": int(is_significant(tested, level).sum()),
        "EdgesSignificantFDR": int((tested.fdr <= level).sum()),
        "SmallestP": float(np.nanmin(s.p)) if test.any() else None,
        "SmallestFWE": float(np.nanmin(fwe.p)) if fwe is not None and test.any() else None,
        "NetworkPairs": len(asked.pairs.names) if asked.pairs else 0,
        "SiteMedianF": asked.values.site_f,
        "Contrasted": words,
        "RelationshipMeasure": asked.stacked["RelationshipMeasure"],
        "Settings": settings,
    }
