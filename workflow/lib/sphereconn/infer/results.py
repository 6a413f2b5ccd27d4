"""The results of a contrast as files say them: matrices, the table of the design, and what its sidecar tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.files import MISSING
from sphereconn.infer.contrast import Model, Tested, is_significant, is_wanted
from sphereconn.infer.design import diagnostics
from sphereconn.infer.motion import with_motion
from sphereconn.infer.question import Question
from sphereconn.infer.shuffles import Shuffles
from sphereconn.words import NOT_CHOSEN

# A run of leverage h keeps the share 1 - h of its own variance in its residual: from here on a tenth.
HIGH_LEVERAGE = 0.9

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
    leverage = diagnostics(model.design, model.weights).leverage
    name = next(iter(model.rows[0]))
    rows = (
        [row[name], float(lever), *map(float, values)]
        for row, lever, values in zip(model.rows, leverage, model.design.matrix, strict=True)
    )
    return ["run", "leverage", *model.design.columns], rows


def described_model(
    model: Model,
    shuffles: Shuffles | None,
    runs: Sequence[Mapping[str, str]],
    left_out: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the sidecar of a contrast says of the model, its runs and its shuffles.

    Parameters
    ----------
    model, shuffles
        Of the contrast.
    runs
        The table of runs that the model was made from.
    left_out
        The runs that a limit of the denoising left out before, each as its row, ``Run``, and the ``Reason``.
    settings
        Of the contrast.
    """
    name, found, level = next(iter(runs[0])), diagnostics(model.design, model.weights), settings["level"]
    before = {
        item["Run"][name]: item["Reason"] if is_wanted(item["Run"], settings["runs"]) else NOT_CHOSEN
        for item in left_out
    }
    of_model = {runs[place][name]: reason for place, reason in sorted(model.design.left_out.items())}
    return {
        "Statistic": "F" if len(model.design.contrast) > 1 else "t",
        "Columns": list(model.design.columns),
        "Contrast": model.design.contrast,
        "NumberOfRuns": len(model.rows),
        "NumberOfSubjects": len({row["subject"] for row in model.rows}),
        "Levels": model.design.levels,
        "RunsLeftOut": before | of_model,
        "LevelsLeftOut": levels_left_out([item["Run"] for item in left_out], model.design.levels, settings["runs"]),
        "VarianceInflation": found.variance_inflation,
        "LargestLeverage": float(found.leverage.max()),
        "HighLeverage": {
            model.rows[run][name]: {
                "Leverage": float(found.leverage[run]),
                "ShareOfTest": float(found.tested_leverage[run] / len(model.design.contrast)),
            }
            for run in np.argsort(-found.leverage, kind="stable")
            if found.leverage[run] >= HIGH_LEVERAGE
        },
        "WithMotion": with_motion(model, settings["test"]),
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
    significant = is_significant(tested, level)
    effects = s.effect[significant & np.isfinite(s.effect)]  # none of F
    return {
        "Description": "A linear model of each edge across runs; files with the same name contain the results",
        "Unit": "Fisher's z" if asked.correlations else "the connectomes' unit",
        **described_model(asked.model, asked.shuffles, asked.runs, asked.stacked["RunsLeftOut"], settings),
        "DegreesOfFreedom": [float(np.nanmin(s.degrees_of_freedom)), float(np.nanmax(s.degrees_of_freedom))]
        if test.any()
        else None,
        "EdgesTested": int(test.sum()),
        "EdgesNotTested": int((~test).sum()),
        "EdgesSignificant": int(significant.sum()),
        "EdgesSignificantPositive": int((effects > 0).sum()),
        "EdgesSignificantNegative": int((effects < 0).sum()),
        "SignificantEffects": [float(effects.min()), float(effects.max())] if effects.size else None,
        "EdgesSignificantFDR": int((tested.fdr <= level).sum()),
        "SmallestP": float(np.nanmin(s.p)) if test.any() else None,
        "SmallestFWE": float(np.nanmin(fwe.p)) if fwe is not None and test.any() else None,
        "NetworkPairs": len(asked.pairs.names) if asked.pairs else 0,
        "SiteMedianF": asked.values.site_f,
        "Contrasted": words,
        "RelationshipMeasure": asked.stacked["RelationshipMeasure"],
        "Settings": settings,
    }


def levels_left_out(
    left_out: Sequence[Mapping[str, str]], factors: Collection[str], wanted: Mapping[str, Collection[str]]
) -> dict[str, dict[str, int]]:
    """Return how many runs at each level of each factor a limit of the denoising left out before a contrast.

    Parameters
    ----------
    left_out
        These runs, from column to text.
    factors
        Columns of the model that have levels.
    wanted
        The values that the runs of the contrast have, by column.
    """
    chosen = [row for row in left_out if is_wanted(row, wanted)]
    return {
        factor: dict(sorted(Counter(row[factor] for row in chosen if row.get(factor, MISSING) != MISSING).items()))
        for factor in factors
    }
