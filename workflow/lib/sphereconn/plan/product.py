"""One product of a study: what one job makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """What one job makes.

    Attributes
    ----------
    files
        The files, relative to the output folder. Who asks for the first gets all.
    whose
        The recording, group, contrast or map that it is of; "" for a product of the whole study.
    seed_set, denoising, estimator
        The labels that it is of, "" where it is of all.
    shows
        What a figure or a page shows, "" for other products.
    """

    files: tuple[str, ...]
    whose: str = ""
    seed_set: str = ""
    denoising: str = ""
    estimator: str = ""
    shows: str = ""


def ending(name: Callable[..., str], labels: tuple[str, ...], suffixes: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of files that differ in their ends."""
    return tuple(name(*labels, suffix) for suffix in suffixes.values())
