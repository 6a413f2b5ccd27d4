"""The brain around the nodes: outlines for flat views and a surface mesh, in millimetres of MNI152."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sphereconn.extract.images import iter_frames, read_volume_header
from sphereconn.shipped import shipped

BRAIN_FILES = shipped("resources/brain")

VIEWS = ("right", "left", "back", "front", "top")


class Outline(NamedTuple):
    """A brain as seen from one side: closed contours, each of shape (n_points, 2), in mm.

    Horizontal and vertical axis are those of the figure: y and z from the right, -y and z from the left, x and z from
    the back, -x and z from the front, x and y from the top. A hole in a sulcus runs the other way round.
    """

    silhouette: tuple[NDArray[np.float64], ...]
    sulci: tuple[NDArray[np.float64], ...]


class BrainMesh(NamedTuple):
    """A brain surface: vertices (n, 3) in mm, outward-facing triangles (m, 3) as vertex numbers, left half first."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    is_left: NDArray[np.bool_]


def outline(view: str) -> Outline:
    """Return the outline of the brain from one of `VIEWS`."""
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r}: one of {', '.join(VIEWS)}")
    stored = json.loads((BRAIN_FILES / "outlines.json").read_text(encoding="utf-8"))
    lines = stored["views"]["right" if view == "left" else view]
    scale = stored["unit_mm"] * np.array([-1.0 if view == "left" else 1.0, 1.0])
    silhouette, sulci = (
        tuple(np.array(flat, dtype=np.float64).reshape(-1, 2) * scale for flat in lines[kind])
        for kind in ("silhouette", "sulci")
    )
    return Outline(silhouette, sulci)


def template() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the head of MNI152 in grey, 0 to 255, shape (n_x, n_y, n_z), and its affine to mm, shape (4, 4)."""
    header = read_volume_header(BRAIN_FILES / "template.nii.gz")
    (values,) = iter_frames(header)
    return values.astype(np.float64).reshape(header.shape, order="F"), header.affine


def brain_mesh() -> BrainMesh:
    """Return the surface of both halves of the brain; the two are closed and do not touch."""
    with np.load(BRAIN_FILES / "surface.npz") as stored:
        right = (stored["vertices"] * float(stored["unit_mm"])).astype(np.float32)
        faces = stored["faces"].astype(np.int32)
    left = right * np.array([-1, 1, 1], dtype=np.float32)
    return BrainMesh(
        vertices=np.concatenate([left, right]),
        faces=np.concatenate([faces[:, ::-1], faces + len(left)]),  # a mirror turns triangles inside out
        is_left=np.arange(2 * len(right)) < len(left),
    )
