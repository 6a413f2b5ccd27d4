"""The columns of the runs table that models use, and what a person is told of them before any job."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sphereconn.errors import InputError
from sphereconn.files import is_number
from sphereconn.infer.formula import LABELS, columns_of
from sphereconn.study.groups import LevelsUsed
from sphereconn.study.runs import Recording, texts_of

Settings = Mapping[str, Any]

# Measures of a run that come with its results; the table beside a stack has them.
KNOWN_LATER = (
    "frames",
    "frames_kept",
    "regressors",
    "degrees_of_freedom",
    "effective_degrees_of_freedom",
    "mean_framewise_displacement",
)
_NO_COLUMN = ("equal", "hc3")  # of the key variances


@dataclass(frozen=True)
class ColumnsUsed:
    """The columns that a model uses.

    Attributes
    ----------
    key
        The key of the configuration that has the model.
    columns
        Names.
    factors
        Those of them that have levels even where these are numbers.
    runs
        The values that chosen runs have, by column.
    """

    key: str
    columns: frozenset[str]
    factors: frozenset[str]
    runs: Mapping[str, Sequence[str]]

    def levels(self, runs: Sequence[Recording]) -> LevelsUsed:
        """Return the columns of which the model uses levels, and these."""
        chosen = [run for run in runs if all(run.value(column) in values for column, values in self.runs.items())]
        found = {
            column: sorted({level for run in chosen if (level := run.value(column))}) for column in sorted(self.columns)
        }
        return LevelsUsed(
            self.key,
            {
                column: levels
                for column, levels in found.items()
                if column in self.factors or not all(map(is_number, levels))
            },
        )


def columns_used(settings: Settings) -> Iterator[ColumnsUsed]:
    """Yield the columns of each contrast, and of the comparison of denoising, of a complete configuration.

    Raises
    ------
    InputError
        When a formula is none.
    """
    for label, entry in settings["contrasts"].items():
        harmonized = entry["harmonize"] or {"column": None, "keep": ()}
        variances = None if entry["variances"] in _NO_COLUMN else entry["variances"]
        factors = {*entry["factors"], *LABELS, entry["groups"], variances, harmonized["column"]}
        of_model = columns_of(entry["model"], entry["test"], harmonized["keep"])
        columns = {*of_model, entry["paired"], entry["groups"], entry["weights"], variances, harmonized["column"]}
        yield ColumnsUsed(
            f"contrasts.{label}", frozenset(columns - {None}), frozenset(factors - {None}), texts_of(entry["runs"])
        )
    if compared := settings["comparison"]:
        yield ColumnsUsed("comparison", frozenset({compared["motion"], *compared["covariates"]}), frozenset(), {})


def check_participants_found(settings: Settings, runs: Sequence[Recording], problem: str, source: str) -> None:
    """Raise ``InputError`` for a column that groups or models need, if no table of participants was found.

    Parameters
    ----------
    settings
        The complete configuration.
    runs
        All runs.
    problem
        Where the table was looked for; empty where there is one, or none was wanted.
    source
        What to call the configuration in messages.
    """
    if not problem:
        return
    used = ((model.key, sorted({*model.columns, *model.runs} - {*KNOWN_LATER})) for model in columns_used(settings))
    for key, columns in (("groups", settings["groups"]), *used):
        for column in columns:
            if not any(run.value(column) for run in runs):
                raise InputError(
                    f"{source}: {key}: the runs have no column '{column}': {problem}"
                    " (bids.participants names a table elsewhere)."
                )


def own_measures(used: Collection[ColumnsUsed], runs: Sequence[Recording]) -> list[str]:
    """Return the columns of the runs table that models use in place of the measures that the study computes."""
    given = {column for run in runs for column in run.covariates}
    in_models = {column for model in used for column in model.columns}
    return sorted(given & in_models & set(KNOWN_LATER))
