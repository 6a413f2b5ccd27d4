"""Clusters of neighbouring voxels above a threshold, and threshold-free cluster enhancement (TFCE)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sphereconn.connect.compilation import compiled, inlined

# Neighbours of a voxel: those that share a face with it (6), also an edge (18), also a corner (26).
CONNECTIVITY = {6: 1, 18: 2, 26: 3}


@dataclass(frozen=True)
class Lattice:
    """Some voxels of a grid, and which of them are neighbours.

    Attributes
    ----------
    place
        Where each voxel is in a box with a margin of one voxel, shape (n_voxels,).
    box
        Shape of the box.
    neighbours
        6, 18 or 26.
    """

    place: NDArray[np.int64]
    box: tuple[int, ...]
    neighbours: int

    @property
    def steps(self) -> NDArray[np.int64]:
        """Return the way from a place to those of its neighbours, shape (neighbours,)."""
        away = np.argwhere(structure_of(self.neighbours)) - 1
        strides = np.array([self.box[1] * self.box[2], self.box[2], 1])
        steps: NDArray[np.int64] = away[away.any(axis=1)] @ strides
        return steps

    @property
    def size(self) -> int:
        """Return the number of places."""
        return int(np.prod(self.box))


@dataclass(frozen=True)
class Enhancement:
    """Exponents of TFCE: the integral over heights h of extent(h) ** ``extent`` * h ** ``height``.

    The defaults are those of Smith and Nichols 2009.
    """

    extent: float = 0.5
    height: float = 2.0


def structure_of(neighbours: int) -> NDArray[np.bool_]:
    """Return the neighbours of a voxel as `scipy.ndimage` takes them, shape (3, 3, 3).

    Raises
    ------
    ValueError
        When ``neighbours`` is not 6, 18 or 26.
    """
    if neighbours not in CONNECTIVITY:
        raise ValueError(f"a voxel has 6, 18 or 26 neighbours, not {neighbours}")
    structure: NDArray[np.bool_] = ndimage.generate_binary_structure(3, CONNECTIVITY[neighbours])
    return structure


def lattice_of(voxels: NDArray[np.intp], shape: tuple[int, ...], neighbours: int) -> Lattice:
    """Return which of some voxels are neighbours.

    Parameters
    ----------
    voxels
        Numbers of the voxels of a grid, the first axis fastest, shape (n_voxels,).
    shape
        Of the grid.
    neighbours
        6, 18 or 26.

    Raises
    ------
    ValueError
        When ``neighbours`` is another number.
    """
    structure_of(neighbours)
    at = np.stack(np.unravel_index(voxels, shape, order="F"))
    low, high = at.min(axis=1, initial=max(shape)), at.max(axis=1, initial=0)
    box = tuple((np.maximum(high - low + 1, 0) + 2).tolist())
    place = np.ravel_multi_index(tuple(at - low[:, None] + 1), box).astype(np.int64)
    return Lattice(place, box, neighbours)


def enhanced(
    statistic: NDArray[np.float64], lattice: Lattice, enhancement: Enhancement | None = None
) -> NDArray[np.float64]:
    """Return the TFCE score of each voxel, exactly: the integral over all heights, not a sum over steps.

    Voxels of opposite sign are in different clusters, and scores have the sign of the statistic.

    Parameters
    ----------
    statistic
        t or F, shape (n_voxels,); NaN for voxels that are not tested.
    lattice
        Of these voxels.
    enhancement
        Exponents.

    Returns
    -------
    ndarray of shape (n_voxels,)
        NaN where the statistic is NaN. In units of the statistic to the power ``height`` + 1, times voxels to the power
        ``extent``; FSL and nilearn leave out the width of their steps, so that their scores are larger by a factor.

    References
    ----------
    Smith SM, Nichols TE (2009). Threshold-free cluster enhancement: addressing problems of smoothing, threshold
    dependence and localisation in cluster inference. NeuroImage 44:83-98.
    """
    chosen = enhancement or Enhancement()
    order, score = _falling(np.abs(statistic), 0.0), np.where(np.isnan(statistic), np.nan, 0.0)
    score[order] = _scores(statistic, order, lattice, np.empty(0), np.empty(0, np.int64), chosen)
    return score * np.sign(statistic)


def largest(
    statistic: NDArray[np.float64],
    lattice: Lattice,
    thresholds: NDArray[np.float64],
    enhancement: Enhancement | None = None,
) -> tuple[NDArray[np.int64], float]:
    """Return the extent of the largest cluster at each threshold, and the largest magnitude of a TFCE score.

    Parameters
    ----------
    statistic, lattice
        As for `enhanced`.
    thresholds
        Magnitudes that the voxels of a cluster exceed, shape (n_thresholds,).
    enhancement
        None: without scores.

    Returns
    -------
    extents
        Numbers of voxels, shape (n_thresholds,); 0 where there is no cluster.
    score
        NaN without ``enhancement``.
    """
    falling = np.argsort(-thresholds, kind="stable")
    extents, found = np.zeros(len(thresholds), np.int64), np.zeros(len(thresholds), np.int64)
    lowest = 0.0 if enhancement is not None else float(thresholds.min(initial=np.inf))
    order = _falling(np.abs(statistic), lowest)
    scores = _scores(statistic, order, lattice, thresholds[falling], found, enhancement)
    extents[falling] = found
    return extents, float("nan") if enhancement is None else float(scores.max(initial=0))


def cluster_labels(
    statistic: NDArray[np.float64], threshold: float, lattice: Lattice
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the cluster that each voxel is in, and the number of voxels of each cluster, the largest first.

    Parameters
    ----------
    statistic, lattice
        As for `enhanced`.
    threshold
        Magnitude that the voxels of a cluster exceed; positive and negative ones are in different clusters.

    Returns
    -------
    labels
        Counted from 1, 0 outside of clusters; shape (n_voxels,).
    extents
        Shape (n_clusters,).
    """
    volume, structure = np.zeros(lattice.box), structure_of(lattice.neighbours)
    volume.ravel()[lattice.place] = np.nan_to_num(statistic, nan=0.0)
    positive, n_positive = ndimage.label(volume > threshold, structure)
    negative, n_negative = ndimage.label(volume < -threshold, structure)
    labels = (positive + np.where(negative > 0, negative + n_positive, 0)).ravel()[lattice.place]
    extents = np.bincount(labels, minlength=n_positive + n_negative + 1)[1:]
    order = np.argsort(-extents, kind="stable")
    number = np.zeros(len(extents) + 1, dtype=np.int64)
    number[order + 1] = np.arange(1, len(extents) + 1)
    return number[labels], extents[order]


def _falling(magnitude: NDArray[np.float64], above: float) -> NDArray[np.int64]:
    """Give the voxels whose magnitude exceeds a number, from the largest down."""
    chosen = np.flatnonzero(magnitude > above)
    return chosen[np.argsort(-magnitude[chosen])]


def _scores(
    statistic: NDArray[np.float64],
    order: NDArray[np.int64],
    lattice: Lattice,
    thresholds: NDArray[np.float64],
    extents: NDArray[np.int64],
    enhancement: Enhancement | None,
) -> NDArray[np.float64]:
    """Give the scores of voxels in their order, none without enhancement; write the largest extents."""
    heights, integral, power = np.abs(statistic[order]), np.empty(0), np.empty(0)
    if enhancement is not None:
        integral = heights ** (enhancement.height + 1) / (enhancement.height + 1)
        power = np.arange(len(order) + 1.0) ** enhancement.extent
    score = np.empty(len(integral))
    _grow(
        lattice.place[order], statistic[order] > 0, heights, lattice.steps, lattice.size,
        thresholds, extents, integral, power, score,
    )  # fmt: skip
    return score


@inlined
def _root(parent: np.ndarray, offset: np.ndarray, node: int) -> int:
    """Find the root of a tree, and shorten the way to it; offsets stay right."""
    while parent[node] != node:
        up = parent[node]
        if parent[up] != up:
            if len(offset):
                offset[node] += offset[up]
            parent[node] = parent[up]
        node = int(parent[node])
    return node


@compiled
def _grow(
    place: np.ndarray,
    positive: np.ndarray,
    heights: np.ndarray,
    steps: np.ndarray,
    size: int,
    thresholds: np.ndarray,
    extents: np.ndarray,
    integral: np.ndarray,
    power: np.ndarray,
    score: np.ndarray,
) -> None:
    """Let clusters grow while the height falls; write the largest extent at falling thresholds, and scores if wanted.

    Each cluster is a tree of voxels, numbered as they come. A member's score is the sum of ``offset`` on the way to the
    root, so that what a cluster gains between two heights, extent ** E times the integral of h ** H, is added to its
    root alone.
    """
    number = np.full(size, -1, np.int32)
    parent = np.empty(len(place), np.int32)
    extent = np.ones(len(place), np.int32)
    offset = np.zeros(len(score))
    since = integral.copy()
    scored = len(score) > 0
    top, reached = 0, 0
    for here in range(len(place)):
        while reached < len(thresholds) and heights[here] <= thresholds[reached]:
            extents[reached] = top
            reached += 1
        number[place[here]] = here
        parent[here] = here
        root = here
        for step in steps:
            beside = number[place[here] + step]
            # Most neighbours are in the cluster already, and most of these hang on its root.
            if beside < 0 or parent[beside] == root or positive[beside] != positive[here]:
                continue
            other = _root(parent, offset, beside)
            if other == root:
                continue
            if scored:
                offset[other] += power[extent[other]] * (since[other] - integral[here])
                since[other] = integral[here]
            if extent[other] > extent[root]:
                root, other = other, root
            if scored:
                offset[other] -= offset[root]
            parent[other] = root
            extent[root] += extent[other]
        top = max(top, extent[root])
    while reached < len(thresholds):
        extents[reached] = top
        reached += 1
    if not scored:
        return
    for here in range(len(place)):
        if parent[here] == here:
            offset[here] += power[extent[here]] * since[here]
    for here in range(len(place)):
        node, score[here] = here, offset[here]
        while parent[node] != node:
            node = parent[node]
            score[here] += offset[node]


def warm_up() -> None:
    """Load the machine code, by the scores of a few voxels."""
    enhanced(np.array([3.0, -2.0]), lattice_of(np.arange(2), (2, 1, 1), 6))
