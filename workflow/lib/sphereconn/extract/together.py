"""What one pass over an image has found for several seed sets, kept until each of them has its own result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from sphereconn.extract.signals import SphereSignals
from sphereconn.files import written_whole
from sphereconn.study.seeds import SeedTable

_LISTS = ("problem", "frames_without_data")


def of_spheres(seeds: SeedTable, mask: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``extract_sphere_signals`` takes beside the image, from a seed table and the settings of its set."""
    told = {key: settings[key] for key in ("smoothing_fwhm", "overlap", "min_coverage")}
    return {"names": seeds.names, "seeds": seeds.coordinates, "radii": seeds.radii, "mask": mask, **told}


def write_found(path: str | Path, found: Mapping[str, SphereSignals]) -> None:
    """Write what was found for seed sets as an .npz file."""
    arrays = {
        f"{seed_set}.{field.name}": getattr(spheres, field.name)
        for seed_set, spheres in found.items()
        for field in fields(SphereSignals)
    }
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def read_found(path: str | Path, seed_set: str) -> SphereSignals | None:
    """Return what ``write_found`` wrote of a seed set, to the last bit; None where it is not in the file."""
    with np.load(path, allow_pickle=False) as stored:
        if f"{seed_set}.signals" not in stored:
            return None
        values = {field.name: stored[f"{seed_set}.{field.name}"] for field in fields(SphereSignals)}
    return SphereSignals(**values | {name: values[name].tolist() for name in _LISTS})
