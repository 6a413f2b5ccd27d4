"""A denoising as the configuration has it, taken apart into what each function of the cleaning needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sphereconn.clean.limits import Limits
from sphereconn.clean.strategies import RunConfounds, Scrubbing, Strategy, read_run_confounds

Settings = Mapping[str, Any]

_OF_CONFOUNDS = ("confounds", "confounds_if_any", "strategy", "scrub", "non_steady_state", "missing_confounds")
_OF_LIMITS = tuple(field.name for field in fields(Limits))


def read_confounds_of(
    denoising: Settings, files: Mapping[str, str], n_frames: int, without_data: Sequence[int]
) -> RunConfounds:
    """Return the confounds of a run and the frames that are kept, as a denoising wants them.

    Parameters
    ----------
    denoising
        Its settings, complete.
    files
        ``confounds``, ``components`` and ``aroma``, as far as the denoising needs them.
    n_frames
        Number of frames of the run.
    without_data
        Frames without data.

    Raises
    ------
    InputError
        When a file cannot be read or does not have what the denoising needs.
    """
    strategy, scrub = denoising["strategy"], denoising["scrub"]
    return read_run_confounds(
        files.get("confounds"),
        n_frames,
        patterns=denoising["confounds"],
        if_any=denoising["confounds_if_any"],
        strategy=Strategy(**strategy) if strategy else None,
        scrubbing=Scrubbing(**scrub) if scrub else None,
        non_steady_state=denoising["non_steady_state"],
        missing=denoising["missing_confounds"],
        components=files.get("components"),
        aroma=files.get("aroma"),
        without_data=without_data,
    )


def limits_of(denoising: Settings) -> Limits:
    """Return what a run must have to be cleaned."""
    return Limits(**{key: denoising[key] for key in _OF_LIMITS})


def signal_settings(denoising: Settings) -> dict[str, Any]:
    """Return the settings of `clean.cleaning.clean_signals` that stand in a denoising."""
    return {key: value for key, value in denoising.items() if key not in (*_OF_CONFOUNDS, *_OF_LIMITS)}
