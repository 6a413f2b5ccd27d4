"""Realistic matrices to draw, and ways to look at figures.

The reference images of ``test_references.py`` are written anew, instead of compared, by

    SPHERECONN_NEW_REFERENCES=1 python -m pytest tests/draw/test_references.py

Look at every one of them before committing it.
"""

import csv
import io
import os
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from unittest.mock import patch

import matplotlib.image
import numpy as np
from cohort import FOLDER as COHORT
from cohort import cohort_signals
from matplotlib.collections import LineCollection
from matplotlib.text import Text

from sphereconn.draw.style import figure_style, save_figure

COORDINATES = Path(__file__).parents[2] / "resources" / "coordinates"
REFERENCES = Path(__file__).parent / "references"


@dataclass(frozen=True)
class Example:
    """Seeds with signals, of real parcels nearest to them, and their correlation."""

    names: list
    networks: list
    coordinates: np.ndarray
    signals: np.ndarray
    matrix: np.ndarray


def rows(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@cache
def example(seed_set):
    seeds = rows(COORDINATES / f"{seed_set}.tsv")
    coordinates = np.array([[float(seed[axis]) for axis in "xyz"] for seed in seeds])
    parcels = rows(COHORT / "parcels.tsv")
    points = np.array([[float(parcel[axis]) for axis in "xyz"] for parcel in parcels])
    nearest = ((coordinates[:, None] - points) ** 2).sum(axis=2).argmin(axis=1)
    names, series = cohort_signals(2)
    columns = [names.index(parcels[point]["parcel"]) for point in nearest]
    # Two seeds may share a parcel: noise of their own keeps them from being one node twice.
    signals = series[:, columns] + 0.4 * np.random.default_rng(0).standard_normal((len(series), len(seeds)))
    signals = (signals - signals.mean(axis=0)) / signals.std(axis=0, ddof=1)
    labels = [seed.get("name") or seed["index"] for seed in seeds]
    labels = [label if labels.count(label) == 1 else f"{label} {number}" for number, label in enumerate(labels, 1)]
    networks = [seed.get("network", "") for seed in seeds]
    return Example(labels, networks, coordinates, signals, np.corrcoef(signals.T))


def partial_correlation(matrix):
    precision = np.linalg.inv(matrix + 0.3 * np.eye(len(matrix)))
    scale = np.sqrt(np.diag(precision))
    return -precision / np.outer(scale, scale) + 2 * np.eye(len(matrix))


def drawn_texts(figure):
    """Return what is really drawn as text: the artists and their boxes in dots."""
    drawn = []
    draw = Text.draw

    def noted(artist, renderer, *arguments, **settings):
        if artist.get_visible() and artist.get_text().strip():
            drawn.append((artist, artist.get_window_extent(renderer)))
        return draw(artist, renderer, *arguments, **settings)

    with patch.object(Text, "draw", noted), figure_style():
        figure.canvas.draw()
    return drawn


def texts(figure):
    return [artist.get_text() for artist, _ in drawn_texts(figure)]


def clipped_texts(figure):
    """Return the texts that reach out of the figure."""
    page = figure.bbox
    return [
        artist.get_text()
        for artist, box in drawn_texts(figure)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > page.width or box.y1 > page.height
    ]


def overlapping_texts(figure, slack=1.0):
    """Return pairs of texts of which one covers the other by more than ``slack`` dots both ways."""
    return [
        (one.get_text(), two.get_text())
        for (one, a), (two, b) in combinations(drawn_texts(figure), 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack
    ]


def edge_collections(figure):
    """Return the edges of each view, in the order of the views."""
    found = [[item for item in axes.collections if isinstance(item, LineCollection)] for axes in figure.axes]
    assert all(len(items) <= 1 for items in found)
    return [items[0] for items in found if items]


def pixels(figure, dpi):
    """Return a figure as an array (rows, columns, 3) of colours from 0 to 1."""
    buffer = io.BytesIO()
    with figure_style():
        figure.savefig(buffer, format="png", dpi=dpi)
    buffer.seek(0)
    return matplotlib.image.imread(buffer)[..., :3].astype(np.float64)


def difference(one, two):
    """Return the largest root mean square difference, over squares of 20 pixels, of two images of one shape."""
    squared = ((one - two) ** 2).mean(axis=2)
    squared = np.pad(squared, [(0, -size % 20) for size in squared.shape])
    tiles = squared.reshape(squared.shape[0] // 20, 20, squared.shape[1] // 20, 20)
    return float(np.sqrt(tiles.mean(axis=(1, 3)).max()))


def assert_looks_as_before(figure, name, folder, dpi=45, tolerance=0.08):
    """Compare a figure with the committed image of that name.

    The tolerance lets other versions of the font rasteriser shift the edges of letters by part of a pixel; a line
    or a node that has gone, moved or changed its colour is beyond it (see test_a_reference_tells_small_changes).
    """
    reference = REFERENCES / f"{name}.png"
    if os.environ.get("SPHERECONN_NEW_REFERENCES"):
        save_figure(figure, reference, dpi)
        return
    now, before = pixels(figure, dpi), matplotlib.image.imread(reference)[..., :3].astype(np.float64)
    assert now.shape == before.shape, f"{name}: {now.shape} now, {before.shape} in the reference"
    distance = difference(now, before)
    if distance > tolerance:
        save_figure(figure, folder / f"{name}.png", dpi)
        raise AssertionError(f"{name}: {distance:.3f} from its reference; compare {folder / name}.png with {reference}")
