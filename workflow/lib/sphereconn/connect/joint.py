"""Which runs and nodes take part in an estimate that all runs of a combination have jointly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sphereconn.connect.connectivity import same_signal, standardize, without_copies
from sphereconn.errors import InputError
from sphereconn.files import MISSING
from sphereconn.words import counted

Folds = Callable[[int], Sequence[tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class Participants:
    """The runs and nodes of a joint estimate.

    Attributes
    ----------
    has_signal : ndarray of bool, shape (n_runs, n_nodes)
        Which node has a signal in which run: one that is not missing, not constant, not constant in the training or
        test frames of a fold, and not that of an earlier node.
    left_out : dict of int to str
        Positions of the runs that the estimate does without, and why.
    fitted : tuple of int
        Positions of the others, at least one.
    usable : ndarray of bool, shape (n_nodes,)
        Nodes with a signal in all fitted runs, at least two.
    """

    has_signal: np.ndarray
    left_out: dict[int, str]
    fitted: tuple[int, ...]
    usable: np.ndarray


def participants(runs: Sequence[np.ndarray], min_nodes: float, folds: Folds = lambda n_frames: ()) -> Participants:
    """Return which runs and nodes take part: a node that has no signal in one run is left out of all.

    Parameters
    ----------
    runs : sequence of ndarray of shape (n_frames, n_nodes)
        Cleaned signals in any unit; the runs may differ in length. A node without a signal is a column of NaN.
    min_nodes : float
        The least share of nodes with a signal that a run must have, 0 to 1. A run that has fewer, or fewer than two, or
        too few frames is left out, so that it does not take its nodes from all the others.
    folds : callable, optional
        The training and test frames of cross-validation, from the number of frames.

    Raises
    ------
    InputError
        When there is no run, the runs differ in their nodes, all are left out, or fewer than two nodes are left.
    ValueError
        When a column is NaN or infinite in some frames only.
    """
    if not runs:
        raise InputError("A group needs at least one run.")
    counts = sorted({run.shape[1] for run in runs})
    if len(counts) > 1:
        raise InputError(
            f"The runs of a group must have the same nodes, found from {counts[0]} to {counts[-1]} of them."
        )
    n_nodes = counts[0]
    has_signal, left_out = np.zeros((len(runs), n_nodes), dtype=bool), {}
    for place, run in enumerate(runs):
        try:
            parts = [run, *(run[frames] for fold in folds(len(run)) for frames in fold)]
            varying: np.ndarray = np.all([standardize(part)[1] for part in parts], axis=0)
            z, usable = standardize(run)
            has_signal[place] = without_copies(varying, same_signal(z, usable))
        except InputError as problem:  # too few frames
            left_out[place] = str(problem)
            continue
        found = int(has_signal[place].sum())
        if found < max(2, min_nodes * n_nodes):
            verb, needed = "has" if found == 1 else "have", max(2, math.ceil(min_nodes * n_nodes))
            left_out[place] = (
                f"{found} of {counted(n_nodes, 'node')} {verb} a signal; a joint fit needs {needed} (min_nodes is"
                f" {min_nodes:g})."
            )
    fitted = tuple(place for place in range(len(runs)) if place not in left_out)
    if not fitted:
        raise InputError(f"No run can take part in the fit; of the first one: {left_out[0]}")
    usable_in_all: np.ndarray = np.all(has_signal[list(fitted)], axis=0)
    if usable_in_all.sum() < 2:
        raise InputError(f"A group needs at least 2 nodes with a signal in all runs, found {usable_in_all.sum()}.")
    return Participants(has_signal, left_out, fitted, usable_in_all)


RUN_COLUMNS = ("run", "frames", "nodes_without_signal", "left_out")


def rows_of_runs(
    runs: Sequence[str],
    frames: Sequence[int],
    names: Sequence[str],
    has_signal: np.ndarray,
    left_out: Mapping[int, str],
) -> list[list[str | int]]:
    """Return a row for each run of a joint estimate, of the columns ``RUN_COLUMNS``; n/a where there is nothing to say.

    Parameters
    ----------
    runs, frames
        Names and numbers of frames of the runs.
    names : sequence of str
        Of the nodes.
    has_signal, left_out
        See ``Participants``.
    """
    missing = [", ".join(names[place] for place in (~row).nonzero()[0]) for row in has_signal]
    return [
        [run, frames[place], missing[place] or MISSING, left_out.get(place, MISSING)] for place, run in enumerate(runs)
    ]
