"""One product of a study: what one job makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


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


class Shown(NamedTuple):
    """A figure: how its name ends, and what it shows."""

    ending: str
    shows: str


def named(name: Callable[..., str], labels: Sequence[str], suffixes: Mapping[str, str]) -> dict[str, str]:
    """Return the names of files that differ in their ends, by what the rule that makes them calls them."""
    return {key: name(*labels, suffix) for key, suffix in suffixes.items()}


def ending(name: Callable[..., str], labels: Sequence[str], suffixes: Mapping[str, str]) -> tuple[str, ...]:
    """Return the same names alone."""
    return tuple(named(name, labels, suffixes).values())


def endings(figures: Mapping[str, Shown], extension: str) -> dict[str, str]:
    """Return how the names of figures end, with the extension of their format."""
    return {kind: f"{figure.ending}.{extension}" for kind, figure in figures.items()}
