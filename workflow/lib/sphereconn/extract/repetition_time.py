"""How long a frame takes: what the runs table, the sidecar and the header say, and which of them counts."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sphereconn.errors import InputError

SHORTEST, LONGEST = 0.01, 100.0  # seconds: beyond lie mistaken units
TOLERANCE = 1e-3  # seconds, and relative: headers keep single precision, sidecars are rounded to milliseconds

TABLE, SIDECAR, HEADER = "the runs table", "the sidecar", "the image header"


@dataclass(frozen=True)
class RepetitionTime:
    """The repetition time of a run in seconds, who states it, and what others state instead, by their names."""

    seconds: float
    source: str
    overruled: Mapping[str, Any]


def repetition_time(
    bold: str, table: float | None, sidecar: Mapping[str, Any] | None, header: float | None
) -> RepetitionTime:
    """Return the repetition time of a run: the runs table counts before the sidecar, the sidecar before the header.

    Whole data sets have headers with a wrong one (fMRIPrep 23.2.0 wrote 1 s into all of them), so a header that
    contradicts is noted and overruled.

    Parameters
    ----------
    bold
        The image, for messages.
    table
        What the runs table says, in seconds.
    sidecar
        The BIDS sidecar of the image; its key ``RepetitionTime`` counts, in seconds.
    header
        What the header of the image says, in seconds.

    Raises
    ------
    InputError
        When nothing says it, the first that does says what no scanner does, or frames are not evenly spaced.
    """
    if sidecar and (problem := uneven(sidecar)):
        raise InputError(f"{bold}: the sidecar: {problem}.")
    said = {TABLE: table, SIDECAR: (sidecar or {}).get("RepetitionTime"), HEADER: header}
    stated = {source: value for source, value in said.items() if value is not None}
    if not stated:
        raise InputError(
            f"{bold}: the repetition time is missing; give it in the runs table (column repetition_time, seconds),"
            " in a sidecar (.json, RepetitionTime) or in the header."
        )
    source, seconds = next(iter(stated.items()))
    if not is_repetition_time(seconds):
        raise InputError(
            f"{bold}: {source} gives a repetition time of {reprlib.repr(seconds)} s; allowed: {SHORTEST:g} to"
            f" {LONGEST:g} s{unit_hint(seconds)}."
        )
    overruled = {
        other: value
        for other, value in stated.items()
        if not (is_repetition_time(value) and abs(value - seconds) <= TOLERANCE * max(1.0, seconds))
    }
    return RepetitionTime(float(seconds), source, overruled)


def uneven(sidecar: Mapping[str, Any]) -> str | None:
    """Return what to say of a BIDS sidecar with a time for each frame, which frames at uneven times have."""
    return "VolumeTiming: the frames are not evenly spaced" if "VolumeTiming" in sidecar else None


def is_repetition_time(value: object) -> bool:
    """Return whether a value is a number of seconds that a frame can take."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and SHORTEST <= value <= LONGEST


def unit_hint(value: object) -> str:
    """Return what to say of a repetition time that would be one in another unit, or ""."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e9:
        return ""
    if is_repetition_time(value / 1000):
        return f" (this looks like milliseconds: {value / 1000:g} s?)"
    if is_repetition_time(value * 1000):
        return f" (this looks like seconds marked as milliseconds: {value * 1000:g} s?)"
    return ""
