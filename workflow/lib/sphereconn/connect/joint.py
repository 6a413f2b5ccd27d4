"""Which runs and nodes take part in an estimate that all runs of a combination have jointly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sphereconn.connect.connectivity import same_signal, standardize
from sphereconn.errors import InputError
from sphereconn.files import MISSING, read_json, read_records, read_signals
from sphereconn.words import counted, listed

Folds = Callable[[int], Sequence[tuple[np.ndarray, np.ndarray]]]
Causes = Mapping[int, str]

MOST_RUNS = 3  # that a message names


@dataclass(frozen=True)
class Members:
    """What the runs and nodes of a joint estimate are called, and what is known of nodes without a signal.

    Attributes
    ----------
    runs, nodes : sequence of str
        Their names.
    problems : sequence of sequence of str
        Why a node has no signal in a run, in the order of runs, then nodes; n/a for one that has a signal.
    """

    runs: Sequence[str]
    nodes: Sequence[str]
    problems: Sequence[Sequence[str]]

    @classmethod
    def numbered(cls, n_runs: int, n_nodes: int) -> Members:
        """Return members that are called by their numbers, counted from 1, and of which nothing else is known."""
        runs, nodes = (list(map(str, range(1, n + 1))) for n in (n_runs, n_nodes))
        return cls([f"run {number}" for number in runs], nodes, [[MISSING] * n_nodes] * n_runs)


@dataclass(frozen=True)
class Participants:
    """The runs and nodes of a joint estimate.

    Attributes
    ----------
    without_signal : tuple of dict of int to str
        For each run the positions of nodes without a signal, and why: one that is missing, constant, constant in the
        training or test frames of a fold, or that of an earlier node. None are listed of a run with too few frames.
    left_out : dict of int to str
        Positions of the runs that the estimate does without, and why.
    fitted : tuple of int
        Positions of the others, at least one.
    usable : ndarray of bool, shape (n_nodes,)
        Nodes with a signal in all fitted runs, at least two.
    """

    without_signal: tuple[Causes, ...]
    left_out: dict[int, str]
    fitted: tuple[int, ...]
    usable: np.ndarray


def participants(
    runs: Sequence[np.ndarray],
    min_nodes: float,
    folds: Folds = lambda n_frames: (),
    members: Members | None = None,
) -> Participants:
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
    members : Members, optional
        Names of runs and nodes and what is known of these, for the reasons; counted by default.

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
    members = members or Members.numbered(len(runs), n_nodes)
    without_signal: list[Causes] = []
    left_out: dict[int, str] = {}
    for place, run in enumerate(runs):
        try:
            parts = [run[frames] for fold in folds(len(run)) for frames in fold]
            without_signal.append(_without_signal(run, parts, members.nodes, members.problems[place]))
        except InputError as problem:  # too few frames
            without_signal.append({})
            left_out[place] = str(problem)
            continue
        found = n_nodes - len(without_signal[place])
        if found < max(2, min_nodes * n_nodes):
            verb, needed = "has" if found == 1 else "have", max(2, math.ceil(min_nodes * n_nodes))
            left_out[place] = (
                f"{found} of {counted(n_nodes, 'node')} {verb} a signal; a joint fit needs {needed} (min_nodes is"
                f" {min_nodes:g})."
            )
    fitted = tuple(place for place in range(len(runs)) if place not in left_out)
    if not fitted:
        raise none_takes_part(left_out, members.runs)
    usable = np.ones(n_nodes, dtype=bool)
    for place in fitted:
        usable[list(without_signal[place])] = False
    if usable.sum() < 2:
        lacking = {members.runs[place]: without_signal[place] for place in fitted if without_signal[place]}
        raise InputError(
            f"A joint fit needs at least 2 nodes that have a signal in all of its runs, and {usable.sum()} of"
            f" {counted(n_nodes, 'node')} {'has' if usable.sum() == 1 else 'have'} one:"
            f" {_by_run(lacking, members.nodes)}. Exclude runs that lack many nodes, or raise min_nodes, so that they"
            " are left out of the fit."
        )
    return Participants(tuple(without_signal), left_out, fitted, usable)


def none_takes_part(left_out: Mapping[int, str], runs: Sequence[str]) -> InputError:
    """Return the error that no run is left, with the reason of the first one."""
    first = min(left_out)
    return InputError(f"No run can take part in the fit; {runs[first]}: {left_out[first]}")


def _without_signal(run: np.ndarray, parts: Sequence[np.ndarray], nodes: Sequence[str], known: Sequence[str]) -> Causes:
    """Tell why nodes of a run have no signal, by position; ``parts`` are the frames of its folds."""
    z, usable = standardize(run)
    in_parts: np.ndarray = np.all([usable, *(standardize(part)[1] for part in parts)], axis=0)
    missing = np.isnan(run).all(axis=0)
    causes = {}
    for node in np.flatnonzero(~in_parts).tolist():
        if missing[node]:
            causes[node] = "no signal" if known[node] == MISSING else known[node]
        else:
            causes[node] = "constant in the frames of a fold" if usable[node] else "constant signal"
    for one, copy in same_signal(z, usable):
        causes.setdefault(copy, f"the same signal as {nodes[one]}")
    return dict(sorted(causes.items()))


def _by_run(lacking: Mapping[str, Causes], nodes: Sequence[str]) -> str:
    """Say which nodes runs lack and why, the run that lacks most first."""
    said = []
    for run, causes in sorted(lacking.items(), key=lambda item: -len(item[1])):
        of_cause: dict[str, list[str]] = {}
        for node, cause in causes.items():
            of_cause.setdefault(cause, []).append(nodes[node])
        said.append(f"{run} lacks " + ", ".join(f"{listed(names)} ({cause})" for cause, names in of_cause.items()))
    others = [f"and {counted(len(said) - MOST_RUNS, 'more run')}"] if len(said) > MOST_RUNS else []
    return "; ".join([*said[:MOST_RUNS], *others])


def read_runs(
    stems: Sequence[str], signals: Sequence[str], nodes: Sequence[str], sidecars: Sequence[str]
) -> tuple[Members, list[np.ndarray], list[float]]:
    """Return what a joint estimate is made from, in the order of the runs.

    Parameters
    ----------
    stems
        What the runs are called.
    signals, nodes, sidecars
        Paths, one a run: cleaned signals, nodes tables, and sidecars of the signals.

    Returns
    -------
    members : Members
    runs : list of ndarray of shape (n_frames, n_nodes)
        The cleaned signals.
    worth : list of float
        How many independent frames the signals of each run are worth.
    """
    tables = [read_signals(path) for path in signals]
    problems = [[row["problem"] for row in read_records(path)] for path in nodes]
    worth = [read_json(path)["EffectiveDegreesOfFreedom"] for path in sidecars]
    return Members(stems, tables[0][0], problems), [of_run for _, of_run in tables], worth


RUN_COLUMNS = ("run", "frames", "nodes_without_signal", "left_out")


def rows_of_runs(
    members: Members, runs: Sequence[np.ndarray], without_signal: Sequence[Causes], left_out: Mapping[int, str]
) -> list[list[str | int]]:
    """Return a row for each run of a joint estimate, of the columns ``RUN_COLUMNS``; n/a where there is nothing to say.

    Parameters
    ----------
    members
        Names of runs and nodes.
    runs
        The signals of each, shape (n_frames, n_nodes).
    without_signal, left_out
        See ``Participants``.
    """
    missing = ["; ".join(f"{members.nodes[node]}: {cause}" for node, cause in of.items()) for of in without_signal]
    return [
        [run, len(runs[place]), missing[place] or MISSING, left_out.get(place, MISSING)]
        for place, run in enumerate(members.runs)
    ]


def why_unusable(
    members: Members, unusable: Sequence[int], without_signal: Sequence[Causes], left_out: Mapping[int, str]
) -> dict[str, str]:
    """Return for each node that a joint estimate leaves out in which of its runs it has no signal, and why.

    Parameters
    ----------
    members
        Names of runs and nodes.
    unusable
        Positions of the nodes.
    without_signal, left_out
        See ``Participants``.
    """
    fitted = [place for place in range(len(members.runs)) if place not in left_out]
    reasons = {
        node: [
            f"{members.runs[place]}: {without_signal[place][node]}" for place in fitted if node in without_signal[place]
        ]
        for node in unusable
    }
    return {members.nodes[node]: listed(of_node) for node, of_node in reasons.items()}


def described(
    members: Members, unusable: Sequence[int], without_signal: Sequence[Causes], left_out: Mapping[int, str]
) -> dict[str, Any]:
    """Return what the sidecar of a joint estimate says of its nodes: their names, the unusable ones, and why."""
    return {
        "Nodes": list(members.nodes),
        "NodesUnusable": [members.nodes[place] for place in unusable],
        "NodesUnusableBecause": why_unusable(members, unusable, without_signal, left_out),
    }
