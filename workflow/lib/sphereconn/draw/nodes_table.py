"""The nodes table beside a result: what the nodes of a connectome are called, where they stand, and their networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sphereconn.files import MISSING, read_rows, to_number
from sphereconn.study.groups import ALL_RUNS
from sphereconn.words import counted

COMBINED_WORDS = {"concatenate": "joined in time", "average": "averaged"}


@dataclass(frozen=True)
class Nodes:
    """Names, coordinates (n_nodes, 3) in mm and networks ("" where unknown) of the nodes of a connectome."""

    names: list[str]
    coordinates: np.ndarray
    networks: list[str]


def read_nodes(path: str | Path) -> Nodes:
    """Read the nodes table of a run or of a group."""
    columns, rows = read_rows(path)
    table = {column: [row[place] for row in rows] for place, column in enumerate(columns)}
    coordinates = np.array([[to_number(cell) for cell in table[axis]] for axis in "xyz"]).T
    return Nodes(table["name"], coordinates, [cell if cell != MISSING else "" for cell in table["network"]])


def figure_title(whose: str, sidecar: Mapping[str, Any], seed_set: str, estimator: str, denoising: str) -> str:
    """Say in two lines what a figure of a connectome shows: whose it is, and which settings made it."""
    group = sidecar.get("Group", "all runs" if whose == ALL_RUNS else whose)
    first = whose
    if "RunsCombined" in sidecar:
        first = f"{whose}, {len(sidecar['RunsCombined'])} runs {COMBINED_WORDS[sidecar['Combined']]}"
    if "NumberOfRunsFitted" in sidecar:
        noun = "combined run" if sidecar.get("Combined") else "run"
        first = f"{group}, joint fit to {counted(sidecar['NumberOfRunsFitted'], noun)}"
    elif "NumberOfRuns" in sidecar:
        first = f"{group}, {mean_of(sidecar)}"
    return f"{first}\n{seed_set}, {estimator}, {denoising}"


def mean_of(sidecar: Mapping[str, Any]) -> str:
    """Say what the mean of a group is taken over: subjects where each counts once, else runs of so many subjects."""
    runs, subjects = sidecar["NumberOfRuns"], sidecar["NumberOfSubjects"]
    if runs == 1:
        return "n = 1 subject"
    if runs == subjects:
        return f"mean of n = {counted(subjects, 'subject')}"
    noun = "combined run" if sidecar.get("Combined") else "run"
    return f"mean of n = {counted(runs, noun)} of {counted(subjects, 'subject')}"
