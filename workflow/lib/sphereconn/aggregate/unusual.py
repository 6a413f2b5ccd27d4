"""What is unusual about single runs, by what is known of all runs of a study."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sphereconn.files import MISSING
from sphereconn.words import counted

FAR_BELOW = 3  # times fewer degrees of freedom than the median: correlations scatter 1.7 times as much
FAR_OUT = 2.5  # scaled median absolute deviations (Leys et al. 2013); docs/methods.md has what else was tried
WORTH_SAYING = 1.5  # times the median, where runs are so alike that little is far out
FEWEST = 10  # runs that tell what is usual
MUCH_MOTION = 0.5  # mm of mean framewise displacement, where fewer runs cannot tell what is usual
_SCALED = 1.4826  # makes the median absolute deviation of normal values their standard deviation

Row = Mapping[str, str]


@dataclass(frozen=True)
class Concern:
    """Something unusual about a run: of which kind, in words, and its size (1 where it begins to count, or more)."""

    kind: str
    words: str
    size: float = 1.0


@dataclass(frozen=True)
class _Far:
    """A measure that can lie far out: its column, its kind and its unit, and which end is bad (1: the high one)."""

    column: str
    kind: str
    unit: str
    form: str
    bad: int


_MOTION = _Far("mean_framewise_displacement", "head motion", " mm", ".2f", 1)
_SNR = _Far("median_temporal_snr", "temporal SNR", "", ".0f", -1)


def unusual_runs(quality: Sequence[Row], estimation: Sequence[Row]) -> dict[str, list[Concern]]:
    """Return what is unusual about each run, the runs with most that is unusual first.

    Effective degrees of freedom count where they are less than a third of the median of their denoising. The logarithms
    of motion and of temporal SNR, which are about normal, count beyond 2.5 scaled median absolute deviations from their
    median and by a factor of 1.5 or more, in studies of at least 10 runs; in smaller ones, mean framewise displacement
    counts above 0.5 mm, the usual limit beyond which a single frame is censored. Nodes without a signal count where a
    run has more than the median.

    Parameters
    ----------
    quality, estimation
        The rows of the tables of quality and of estimation, as text by column, ``n/a`` where a value is missing.

    Returns
    -------
    dict of str to list of Concern
        By run: first those with concerns of the most kinds, among these those whose largest is largest. Of each kind a
        run has one concern, the largest over seed sets and denoisings. Runs without any have an empty list.

    References
    ----------
    Leys C, Ley C, Klein O, Bernard P, Licata L (2013). Detecting outliers: do not use standard deviation around the
    mean, use absolute deviation around the median. Journal of Experimental Social Psychology 49:764-766.
    """
    concerns: dict[str, dict[str, Concern]] = {row["run"]: {} for row in quality}
    used = [row for row in quality if row["left_out"] == MISSING]
    connected = [row for row in estimation if row["left_out"] == MISSING and row["run"] in concerns]
    for several in (
        _left_out(quality),
        _few_degrees_of_freedom(used),
        _far_out(used, _MOTION),
        _without_signal(used),
        _far_out(used, _SNR),
        _without_data(used),
        _same_data(used),
        _of_estimates(connected),
        _overruled(used),
    ):
        for run, concern in several:
            known = concerns[run].get(concern.kind)
            if known is None or concern.size > known.size:
                concerns[run][concern.kind] = concern
    found = {run: list(of.values()) for run, of in concerns.items()}
    return dict(sorted(found.items(), key=lambda item: (*_severity(item[1]), item[0])))


def _severity(concerns: Sequence[Concern]) -> tuple[int, float]:
    return -len(concerns), -max((concern.size for concern in concerns), default=0.0)


def _left_out(quality: Sequence[Row]) -> Iterator[tuple[str, Concern]]:
    for row in quality:
        if row["left_out"] != MISSING:
            yield row["run"], Concern("left out", f"left out by {row['denoising']}")


def _few_degrees_of_freedom(used: Sequence[Row]) -> Iterator[tuple[str, Concern]]:
    for (denoising, seed_set), rows in _by(used, "denoising", "seed_set").items():
        worth = {row["run"]: float(row["effective_degrees_of_freedom"]) for row in rows}
        middle = median(worth.values())
        for run, value in worth.items():
            if FAR_BELOW * value < middle:
                words = f"{value:.1f} effective degrees of freedom ({denoising}, {seed_set}; median {middle:.1f})"
                yield run, Concern("degrees of freedom", words, middle / (FAR_BELOW * max(value, 1e-3)))


def _far_out(used: Sequence[Row], measure: _Far) -> Iterator[tuple[str, Concern]]:
    for (seed_set,), rows in _by(used, "seed_set").items():
        known = {row["run"]: value for row in rows if (value := _number(row[measure.column])) is not None}
        logarithms = {run: math.log(value) for run, value in known.items() if value > 0}
        if len(logarithms) < FEWEST:
            for run, value in known.items() if measure is _MOTION else ():
                if value > MUCH_MOTION:
                    words = f"{measure.kind} {value:{measure.form}}{measure.unit}"
                    yield run, Concern(measure.kind, words, value / MUCH_MOTION)
            continue
        middle = median(logarithms.values())
        spread = _SCALED * median(abs(value - middle) for value in logarithms.values())
        of = "" if measure is _MOTION else f"{seed_set}; "
        for run, value in logarithms.items():
            distance = measure.bad * (value - middle)
            if distance > max(FAR_OUT * spread, math.log(WORTH_SAYING)):
                shown, usual = (f"{number:{measure.form}}" for number in (known[run], math.exp(middle)))
                words = f"{measure.kind} {shown}{measure.unit} ({of}median {usual}{measure.unit})"
                yield run, Concern(measure.kind, words, distance / max(FAR_OUT * spread, math.log(WORTH_SAYING)))


def _without_signal(used: Sequence[Row]) -> Iterator[tuple[str, Concern]]:
    for (seed_set,), rows in _by(used, "seed_set").items():
        missing = {row["run"]: (int(row["nodes_unusable"]), int(row["nodes"])) for row in rows}
        usual = median(count for count, _ in missing.values())
        for run, (count, number) in missing.items():
            if count > usual:
                words = f"{count} of {counted(number, 'node')} without a signal ({seed_set}; median {usual:g})"
                yield run, Concern("coverage", words, 1 + 10 * (count - usual) / number)


def _without_data(used: Sequence[Row]) -> Iterator[tuple[str, Concern]]:
    for row in used:
        frames = int(row["frames_without_data"])
        if frames:
            yield row["run"], Concern("frames without data", f"{counted(frames, 'frame')} without data", 1 + frames)


def _same_data(used: Sequence[Row]) -> Iterator[tuple[str, Concern]]:
    """Find runs with the same temporal SNR to the last digit in each seed set: their images are the same."""
    marks: dict[str, set[tuple[str, str]]] = {}
    for row in used:
        if row["median_temporal_snr"] != MISSING:
            marks.setdefault(row["run"], set()).add((row["seed_set"], row["median_temporal_snr"]))
    alike: dict[frozenset[tuple[str, str]], list[str]] = {}
    for run, mark in marks.items():
        alike.setdefault(frozenset(mark), []).append(run)
    for runs in alike.values():
        for run in runs if len(runs) > 1 else []:
            other = next(each for each in runs if each != run)
            yield run, Concern("duplicate", f"the same signals as {other}", 10.0)


def _of_estimates(connected: Sequence[Row]) -> Iterator[tuple[str, Concern]]:
    for row in connected:
        of = f"({row['estimator']}, {row['seed_set']}, {row['denoising']})"
        if row["converged"] == "no":
            yield row["run"], Concern("convergence", f"an estimate did not converge {of}")
        if row["alpha_at_end_of_path"] != MISSING:
            words = f"the {row['alpha_at_end_of_path']} penalty tried was chosen {of}"
            yield row["run"], Concern("penalty", words)
        if row["same_signal"] not in ("0", MISSING):
            pairs = int(row["same_signal"])
            words = f"{counted(pairs, 'pair')} of nodes with the same signal ({row['seed_set']})"
            yield row["run"], Concern("nodes with the same signal", words, float(pairs))


def _overruled(used: Sequence[Row]) -> Iterator[tuple[str, Concern]]:
    for row in used:
        if row["repetition_time_overruled"] != MISSING:
            words = f"repetition time {float(row['repetition_time']):g} s ({row['repetition_time_overruled']})"
            yield row["run"], Concern("repetition time", words)


def _by(rows: Sequence[Row], *columns: str) -> dict[tuple[str, ...], list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups


def _number(cell: str) -> float | None:
    return None if cell == MISSING else float(cell)
