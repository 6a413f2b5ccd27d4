"""What a contrast asks of the runs of a stack, read from its files: the same for its permutations and its tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sphereconn.files import read_json, read_records
from sphereconn.infer.contrast import (
    Model,
    Values,
    contrast_model,
    naming_runs_left_out,
    pairs_of,
    shuffles_of,
    values_of,
    with_quality,
)
from sphereconn.infer.network_pairs import NetworkPairs
from sphereconn.infer.shuffles import Shuffles


@dataclass(frozen=True)
class Question:
    """A contrast and what it is asked of.

    Attributes
    ----------
    stacked
        The sidecar of the stack.
    runs
        The table of runs of the stack.
    networks
        Of the nodes.
    model
        What is tested, and on which runs.
    values
        The edges of these runs.
    pairs
        Of networks that are tested; None for none.
    shuffles
        Of the runs; None without permutations.
    """

    stacked: Mapping[str, Any]
    runs: Sequence[Mapping[str, str]]
    networks: Sequence[str]
    model: Model
    values: Values
    pairs: NetworkPairs | None
    shuffles: Shuffles | None

    @property
    def names(self) -> list[str]:
        """Of the nodes."""
        return list(self.stacked["Nodes"])

    @property
    def correlations(self) -> bool:
        """Whether the values are Fisher's z of correlations."""
        return not self.stacked["ValidDiagonal"]


def read_question(
    stack: str, sidecar: str, runs: str, quality: str, nodes: str, settings: Mapping[str, Any]
) -> Question:
    """Return what a contrast asks.

    Parameters
    ----------
    stack, sidecar, runs, quality, nodes
        Paths of the stack, of its sidecar, of its tables of runs and of their quality, and of the nodes table.
    settings
        Of the contrast.

    Raises
    ------
    InputError
        When the model cannot be made from the runs; it says which were left out before.
    """
    stacked, rows = read_json(sidecar), read_records(runs)
    networks = [node["network"] for node in read_records(nodes)]
    with naming_runs_left_out(stacked["RunsLeftOut"], settings["runs"]):
        model = contrast_model(with_quality(rows, read_records(quality)), settings)
        values = values_of(stack, stacked, model, settings)
        pairs, shuffles = pairs_of(networks, settings["tests"]), shuffles_of(model, settings)
    return Question(stacked, rows, networks, model, values, pairs, shuffles)
