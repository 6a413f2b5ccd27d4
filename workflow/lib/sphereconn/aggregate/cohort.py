"""Where the numbers of a run stand among those of all runs of a study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sphereconn.files import MISSING

Row = Mapping[str, str]
# Column of the table of quality -> what it depends on besides the run.
OF_COHORT: dict[str, tuple[str, ...]] = {
    "mean_framewise_displacement": (),
    "frames": (),
    "frames_kept": ("denoising",),
    "regressors": ("denoising",),
    "effective_degrees_of_freedom": ("seed_set", "denoising"),
    "lowest_coverage": ("seed_set",),
    "nodes_unusable": ("seed_set",),
    "median_temporal_snr": ("seed_set",),
}
# Column -> which of several values is the worst.
WORST: dict[str, Callable[[Iterable[float]], float]] = {
    "mean_framewise_displacement": max,
    "frames_kept": min,
    "effective_degrees_of_freedom": min,
    "lowest_coverage": min,
    "nodes_unusable": max,
    "median_temporal_snr": min,
}


@dataclass(frozen=True)
class Standing:
    """A number of a run, with the median and the range of it over all runs that it is known of.

    Attributes
    ----------
    column : of the table of quality
    of : the labels of seed set and denoising that it depends on
    value, median, low, high : in the unit of the column
    n_runs : that it is known of
    """

    column: str
    of: tuple[str, ...]
    value: float
    median: float
    low: float
    high: float
    n_runs: int


def standings(quality: Sequence[Row]) -> dict[str, list[Standing]]:
    """Return where each run stands among all in each measure of ``OF_COHORT``; values that are missing are left out.

    Parameters
    ----------
    quality
        The rows of the table of quality, as text by column; runs that a denoising leaves out are no part of its cohort.
    """
    values: dict[tuple[str, tuple[str, ...]], dict[str, float]] = {}
    for column, depends_on in OF_COHORT.items():
        for row in quality:
            if row[column] != MISSING and row["left_out"] == MISSING:
                key = (column, tuple(row[name] for name in depends_on))
                values.setdefault(key, {})[row["run"]] = float(row[column])
    found: dict[str, list[Standing]] = {}
    for (column, of), by_run in values.items():
        of_all = (median(by_run.values()), min(by_run.values()), max(by_run.values()), len(by_run))
        for run, value in by_run.items():
            found.setdefault(run, []).append(Standing(column, of, value, *of_all))
    return found


def worst_values(quality: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return, by run, the worst value of each measure of ``WORST`` over seed sets and denoisings, where one is known.

    Parameters
    ----------
    quality
        The rows of the table of quality, as text by column.
    """
    known: dict[str, dict[str, list[float]]] = {row["run"]: {} for row in quality}
    for row in quality:
        for column in WORST:
            if row[column] != MISSING:
                known[row["run"]].setdefault(column, []).append(float(row[column]))
    return {
        run: {column: WORST[column](values) for column, values in columns.items()} for run, columns in known.items()
    }
