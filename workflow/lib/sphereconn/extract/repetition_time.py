"""How long a frame takes: what the runs table, the sidecar and the header say, and whether they agree."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from sphereconn.errors import InputError

SHORTEST, LONGEST = 0.001, 100.0  # seconds: beyond lie mistaken units
TOLERANCE = 1e-3  # seconds, and relative: headers keep single precision, sidecars are rounded to milliseconds


def repetition_time(bold: str, table: float | None, sidecar: Mapping[str, Any] | None, header: float | None) -> float:
    """Give the repetition time of a run in seconds.

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
        When nothing says it, one says what no scanner does, or two of the three contradict each other.
    """
    stated: dict[str, Any] = {}
    if table is not None:
        stated["the runs table"] = table
    if sidecar is not None and "RepetitionTime" in sidecar:
        stated["the sidecar"] = sidecar["RepetitionTime"]
    if header is not None:
        stated["the image header"] = header
    if not stated:
        raise InputError(
            f"{bold}: the repetition time is missing; give it in the runs table (column repetition_time, seconds),"
            " in a sidecar (.json, RepetitionTime) or in the header."
        )
    for source, value in stated.items():
        if not is_repetition_time(value):
            raise InputError(
                f"{bold}: {source} says a repetition time of {reprlib.repr(value)};"
                f" allowed are {SHORTEST:g} to {LONGEST:g} seconds."
            )
    first, seconds = next(iter(stated.items()))
    for other, value in stated.items():
        if abs(value - seconds) > TOLERANCE * max(1.0, seconds):
            raise InputError(
                f"{bold}: {first} says a repetition time of {seconds:g} s, {other} says {value:g} s; correct one."
            )
    return float(seconds)


def is_repetition_time(value: object) -> bool:
    """Whether a value is a number of seconds that a frame can take."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and SHORTEST <= value <= LONGEST
