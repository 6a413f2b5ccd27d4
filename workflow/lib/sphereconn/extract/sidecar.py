"""What the sidecar of sphere signals says, from plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sphereconn.extract.repetition_time import RepetitionTime


def sphere_signals(
    settings: Mapping[str, Any],
    time: RepetitionTime,
    n_volumes: int,
    without_data: Sequence[int],
    n_unusable: int,
) -> dict[str, Any]:
    """Return what the sidecar of the sphere signals of a run says, before any cleaning.

    Parameters
    ----------
    settings
        Of the extraction: ``space_of_image``, ``space``, ``smoothing_fwhm`` (mm), ``overlap`` and ``min_coverage``.
    time
        The repetition time.
    n_volumes, without_data
        The number of volumes, and the positions of those without data.
    n_unusable
        The number of nodes without a signal.
    """
    return {
        "Description": "Mean signal of each sphere, before any cleaning",
        "SamplingFrequency": 1 / time.seconds,
        "RepetitionTime": time.seconds,
        "RepetitionTimeSource": time.source,
        "RepetitionTimeOverruled": time.overruled,
        "NumberOfVolumes": n_volumes,
        "VolumesWithoutData": without_data,
        "SpaceOfImage": settings["space_of_image"],
        "SpaceOfSeeds": settings["space"],
        "SmoothingFWHM": settings["smoothing_fwhm"],
        "Overlap": settings["overlap"],
        "MinimumCoverage": settings["min_coverage"],
        "NodesUnusable": n_unusable,
    }
