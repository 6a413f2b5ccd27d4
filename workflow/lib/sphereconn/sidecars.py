"""What the sidecars of results say, from plain values: nothing here reads or writes a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sphereconn import provenance


def with_provenance(described: Mapping[str, Any], nodes: str, inputs: Sequence[str], result: str) -> dict[str, Any]:
    """Return a sidecar with its nodes table, its sources and the versions of the software at the end.

    Parameters
    ----------
    described
        What the sidecar says of its result.
    nodes
        Path of the nodes table.
    inputs, result
        Paths of the files that the result was made from, and of the sidecar.
    """
    return {
        **described,
        "NodeFiles": provenance.sources([nodes], result),
        "Sources": provenance.sources(inputs, result),
        "Software": provenance.software(),
    }


def of_sphere_signals(
    settings: Mapping[str, Any],
    seconds: float,
    source: str,
    overruled: Mapping[str, Any],
    n_volumes: int,
    without_data: Sequence[int],
    n_unusable: int,
) -> dict[str, Any]:
    """Return what the sidecar of the sphere signals of a run says, before any cleaning.

    Parameters
    ----------
    settings
        Of the extraction: ``space_of_image``, ``space``, ``smoothing_fwhm`` (mm), ``overlap`` and ``min_coverage``.
    seconds, source, overruled
        The repetition time, who states it, and what others state instead.
    n_volumes, without_data
        The number of volumes, and the positions of those without data.
    n_unusable
        The number of nodes without a signal.
    """
    return {
        "Description": "Mean signal of each sphere, before any cleaning",
        "SamplingFrequency": 1 / seconds,
        "RepetitionTime": seconds,
        "RepetitionTimeSource": source,
        "RepetitionTimeOverruled": overruled,
        "NumberOfVolumes": n_volumes,
        "VolumesWithoutData": without_data,
        "SpaceOfImage": settings["space_of_image"],
        "SpaceOfSeeds": settings["space"],
        "SmoothingFWHM": settings["smoothing_fwhm"],
        "Overlap": settings["overlap"],
        "MinimumCoverage": settings["min_coverage"],
        "NodesUnusable": n_unusable,
    }
