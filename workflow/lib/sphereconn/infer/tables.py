"""Tables of a contrast read back, as figures and the report need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sphereconn.files import MISSING, is_number, to_number


def edges_by_run(rows: Sequence[Mapping[str, str]]) -> list[dict[str, object]]:
    """Return the edges of the table of strongest edges, each with its runs.

    What is tested is a list of numbers where each run has one, else of texts. Of an interaction, ``by`` is the level of
    the other column, or the half of its values; the column of levels where only one of the two is of numbers, so
    ``swapped`` says whether ``by`` is the first of the two that the test names. Else ``by`` is empty.
    """
    edges: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for row in rows:
        edges.setdefault((row["node1"], row["node2"]), []).append(row)
    found: list[dict[str, object]] = []
    for (first, second), of_edge in edges.items():
        tested = [row["tested"] for row in of_edge]
        by = [row["by"] for row in of_edge] if of_edge[0]["by"] != MISSING else []
        swapped = bool(by) and _are_numbers(by) and not _are_numbers(tested)
        if swapped:
            tested, by = by, tested
        numbers = _are_numbers(tested)
        found.append(
            {
                "name": f"{first} – {second}",
                "p": to_number(of_edge[0]["p"]),
                "tested": [to_number(item) for item in tested] if numbers else tested,
                "by": _halves(by) if _are_numbers(by) else by,
                "swapped": swapped,
                "value": [to_number(row["value"]) for row in of_edge],
                "fitted": [to_number(row["fitted"]) for row in of_edge],
            }
        )
    return found


def _are_numbers(cells: Sequence[str]) -> bool:
    return len(set(cells)) > 2 and all(map(is_number, cells))


def _halves(cells: Sequence[str]) -> list[str]:
    middle = float(np.median([to_number(cell) for cell in cells]))
    return [f"{'at most' if to_number(cell) <= middle else 'above'} {middle:.3g}" for cell in cells]


def components_drawn(rows: Sequence[Mapping[str, str]], level: float) -> list[Mapping[str, str]]:
    """Return the rows of a table of components that figures and ``stat-significant`` show, smallest p first.

    These are the components that are significant by their extent at the strictest threshold at which any is, of both
    signs together; of F there is one side only.
    """
    whole = "two-sided" if any(row["side"] != "greater" for row in rows) else "greater"
    there = [row for row in rows if row["side"] == whole and to_number(row["p_extent"]) <= level]
    strictest = min((to_number(row["threshold_p"]) for row in there), default=0.0)
    drawn = [row for row in there if to_number(row["threshold_p"]) == strictest]
    return sorted(drawn, key=lambda row: (to_number(row["p_extent"]), -to_number(row["edges"])))


def pair_matrices(
    rows: Sequence[Mapping[str, str]], level: float
) -> tuple[list[str], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the networks of a table of pairs, the mean statistic of each pair, and which pairs are significant."""
    networks = sorted({row[key] for row in rows for key in ("network1", "network2")})
    means = np.full((len(networks), len(networks)), np.nan)
    marked = np.zeros(means.shape, dtype=bool)
    for row in rows:
        one, other = networks.index(row["network1"]), networks.index(row["network2"])
        if row["statistic"] != MISSING:
            means[one, other] = means[other, one] = to_number(row["statistic"])
        if row["fwe"] != MISSING:
            marked[one, other] = marked[other, one] = to_number(row["fwe"]) <= level
    return networks, means, marked
