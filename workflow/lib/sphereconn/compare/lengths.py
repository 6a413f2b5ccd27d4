"""How reliability grows with the length of a scan: connectomes of the first minutes of runs, or amid their halves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.aggregate.moments import fisher_z_of
from sphereconn.compare.halves import (
    FEWEST_FRAMES,
    degrees_of_freedom_of_part,
    factor_for,
    frames_of_minutes,
    halves_of,
    spearman_brown,
)
from sphereconn.compare.icc import Icc, RunningOneWay
from sphereconn.connect.connectivity import KINDS, connectome
from sphereconn.connect.edges import edge_vector
from sphereconn.errors import InputError

Array = NDArray[np.float64]

LENGTH_COLUMNS = ("minutes", "subjects", "runs", "whole_icc", "mean_icc", "quartile1", "median_icc", "quartile3",
                  "predicted_icc")  # fmt: skip
# Beyond what was scanned, lengths up to so many times as long are predicted.
PREDICTED = (1.5, 2.0, 3.0, 4.0)
WANTED = (0.4, 0.5, 0.6, 0.75)


@dataclass(frozen=True)
class Part:
    """Cleaned signals of a run or of a part of it.

    Attributes
    ----------
    signals : ndarray of shape (n_frames, n_nodes)
    repetition_time : float
        Seconds.
    run_frames : int
        Frames of the whole run that are kept.
    worth : float or None
        Effective degrees of freedom of the whole run; None where frames are taken for independent.
    n_regressors : int
        That the run was cleaned of.
    central : bool
        Whether fewer minutes are those in the middle, not the first.
    """

    signals: Array
    repetition_time: float
    run_frames: int
    worth: float | None
    n_regressors: int
    central: bool = False

    @property
    def minutes(self) -> float:
        """How long it lasts, censored frames not counted."""
        return len(self.signals) * self.repetition_time / 60

    @classmethod
    def of_run(cls, signals: Array, cleaned: Mapping[str, Any], *, effective: bool) -> Part:
        """Return a whole run, from its cleaned signals and their sidecar.

        Parameters
        ----------
        signals
            Shape (n_frames, n_nodes).
        cleaned
            The sidecar.
        effective
            Whether estimates take frames for as many independent ones as they are worth.
        """
        worth = cleaned["EffectiveDegreesOfFreedom"] if effective else None
        n_regressors = len(cleaned.get("ConfoundRegressors", ()))  # of runs joined in time each has its own
        return cls(signals, cleaned["RepetitionTime"], len(signals), worth, n_regressors)

    def halves(self) -> tuple[Part, Part]:
        """Return its halves, of which fewer minutes are those in the middle.

        So lengths of all halves are as far from each other in time: neighbouring minutes are more alike.
        """
        first, last = (replace(self, signals=self.signals[half], central=True) for half in halves_of(len(self.signals)))
        return first, last

    def window(self, n_frames: int) -> Array:
        """Return so many of its frames, contiguous, shape (n_frames, n_nodes)."""
        start = (len(self.signals) - n_frames) // 2 if self.central else 0
        return self.signals[start : start + n_frames]


def connectome_of_part(part: Part, n_frames: int, kind: str, covariance: str, names: Sequence[str]) -> Array:
    """Return the connectome of some frames of a part, shape (n_nodes, n_nodes).

    Raises
    ------
    InputError
        As `connect.connectivity.connectome` does.
    """
    share = n_frames / part.run_frames
    samples = None if part.worth is None else degrees_of_freedom_of_part(part.worth, part.n_regressors, share)
    return connectome(part.window(n_frames), kind, covariance, names, samples=samples).matrix


def long_enough(subjects: Sequence[str], minutes: Sequence[float], *, n_parts: int = 1) -> list[list[int]]:
    """Return for each subject the positions of the runs that a curve over the length uses.

    All lengths have the same subjects, so the shortest run ends the curve: runs shorter than half of the median are
    left out, and then subjects with a single part.

    Parameters
    ----------
    subjects, minutes
        Of each run, and how long it lasts.
    n_parts
        Number of parts that each run makes: 2 where runs are halved.

    Examples
    --------
    >>> long_enough(["a", "a", "b", "b", "c", "c"], [5.0, 5.0, 6.0, 5.0, 1.0, 5.0])
    [[0, 1], [2, 3]]
    """
    shortest = float(np.median(minutes)) / 2 if len(minutes) else 0.0
    places: dict[str, list[int]] = {}
    for place, (subject, length) in enumerate(zip(subjects, minutes, strict=True)):
        if length >= shortest:
            places.setdefault(subject, []).append(place)
    return [of_subject for of_subject in places.values() if len(of_subject) * n_parts > 1]


def reliability_by_length(
    subjects: Iterable[Sequence[Part]], minutes: Sequence[float], kind: str, covariance: str, names: Sequence[str]
) -> list[Icc]:
    """Return the ICC(1,1) of every edge for connectomes of some minutes of each part, one for each length.

    Parameters
    ----------
    subjects
        The parts of one subject after the other, two or more of each, at least as long as the longest length.
    minutes
        The lengths.
    kind, covariance, names
        As for `connect.connectivity.connectome`. Correlations enter as Fisher's z.
    """
    n_edges = len(names) * (len(names) - 1) // 2
    running = [RunningOneWay(n_edges) for _ in minutes]
    for parts in subjects:
        for length, of_length in zip(minutes, running, strict=True):
            rows = np.empty((len(parts), n_edges))
            for row, part in zip(rows, parts, strict=True):
                n_frames = min(frames_of_minutes(length, part.repetition_time), len(part.signals))
                row[:] = _edges(part, n_frames, kind, covariance, names)
            of_length.add(rows)
    return [of_length.result() for of_length in running]


def _edges(part: Part, n_frames: int, kind: str, covariance: str, names: Sequence[str]) -> Array:
    if n_frames < FEWEST_FRAMES:
        return np.full(len(names) * (len(names) - 1) // 2, np.nan)
    try:
        matrix = connectome_of_part(part, n_frames, kind, covariance, names)
    except InputError:  # more nodes than so few frames tell apart: this length has no estimate
        return np.full(len(names) * (len(names) - 1) // 2, np.nan)
    edges = edge_vector(matrix, diagonal=False)
    return fisher_z_of(edges) if KINDS[kind].is_correlation else edges


def length_rows(minutes: Sequence[float], found: Sequence[Icc], n_runs: int) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table of lengths, with the columns ``LENGTH_COLUMNS``.

    The ICC of the whole connectome adds up the variances of all edges; by Spearman's and Brown's formula that of the
    longest length predicts all others, and longer scans than there are.
    """
    if not len(minutes):
        return
    whole = [whole_of(one) for one in found]
    longest, last = minutes[-1], whole[-1]
    for length, one, value in zip(minutes, found, whole, strict=True):
        known = one.icc[np.isfinite(one.icc)]
        quartiles = np.quantile(known, (0.25, 0.5, 0.75)) if known.size else np.full(3, np.nan)
        mean = float(known.mean()) if known.size else float("nan")
        n_subjects = int(one.n_subjects.max(initial=0))
        yield length, n_subjects, n_runs, value, mean, *quartiles.tolist(), _predicted(last, length / longest)
    for factor in PREDICTED:
        yield factor * longest, *[None] * 7, _predicted(last, factor)


def described(minutes: Sequence[float], found: Sequence[Icc]) -> dict[str, Any]:
    """Return what the sidecar says: the lengths, the ICC of the longest, and the minutes that give the ICCs ``WANTED``.

    These are predicted from the longest length; null where no length gives them.
    """
    if not len(minutes):
        return {"Minutes": [], "WholeICC": None, "Subjects": 0, "MinutesFor": {}}
    last = whole_of(found[-1])
    return {
        "Minutes": list(minutes),
        "WholeICC": last,
        "Subjects": int(found[-1].n_subjects.max(initial=0)),
        "MinutesFor": {f"{wanted:g}": minutes[-1] * factor_for(last, wanted) for wanted in WANTED},
    }


def minutes_kept(cleaned: Mapping[str, Any]) -> float:
    """Return how long a run lasts, censored frames not counted, from the sidecar of its cleaned signals."""
    return float(cleaned["NumberOfVolumesKept"] * cleaned["RepetitionTime"] / 60)


def whole_of(found: Icc) -> float:
    """Return the ICC of the whole connectome: the variances of all edges, added up; NaN without any edge."""
    known = np.isfinite(found.icc)
    return float(found.between[known].sum() / found.total[known].sum()) if known.any() else float("nan")


def _predicted(reliability: float, factor: float) -> float:
    return spearman_brown(reliability, factor) if 0 < reliability <= 1 else float("nan")
