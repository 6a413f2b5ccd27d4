"""The contents of the report: what the study lists, with the results that are shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sphereconn.draw.nodes_table import mean_of
from sphereconn.files import read_json, read_records, read_rows


def with_results(contents: Mapping[str, Any], files: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the contents of the report with the results of groups, contrasts, maps, reliability and comparisons.

    Parameters
    ----------
    contents
        What ``plan.reported.reported`` collects.
    files
        Paths in the order of the contents: sidecars of ``groups``, and their tables of means by ``networks``; of
        ``contrasts``, with their tables of ``components`` and ``pairs``; of ``map_contrasts``; of ``reliability`` and,
        where there are any, of its ``lengths``; of ``comparisons``, with the tables of criteria as ``compared``; of
        ``radii``, with their tables as ``measured_radii`` and ``alike_radii``.
    """

    def read(key: str, reader: Any = read_json) -> list[Any]:
        return [reader(path) for path in files.get(key, [])]

    means = iter(read("networks", read_rows))
    groups = [
        item
        | {"mean_of": mean_of(sidecar), "means": next(means) if item["networks"] else None}
        | {"n_runs": sidecar["NumberOfRuns"], "n_left_out": len(sidecar["RunsLeftOut"])}
        for item, sidecar in zip(contents["groups"], read("groups"), strict=True)
    ]
    contrasts = zip(
        contents["contrasts"],
        read("contrasts"),
        read("components", read_records),
        read("pairs", read_records),
        strict=True,
    )
    map_contrasts = zip(contents["map_contrasts"], read("map_contrasts"), strict=True)
    lengths = iter(read("lengths"))
    reliability = zip(contents["reliability"], read("reliability"), strict=True)
    comparisons = zip(contents["comparisons"], read("comparisons"), read("compared", read_records), strict=True)
    radii = zip(
        contents["radii"],
        read("radii"),
        read("measured_radii", read_records),
        read("alike_radii", read_records),
        strict=True,
    )
    return {
        **contents,
        "groups": groups,
        "contrasts": [
            item | {"result": result, "component_rows": components, "pair_rows": pairs}
            for item, result, components, pairs in contrasts
        ],
        "map_contrasts": [item | {"result": result} for item, result in map_contrasts],
        "reliability": [
            item | {"result": result, "lengths": next(lengths) if item["lengths_sidecar"] else None}
            for item, result in reliability
        ],
        "comparisons": [item | {"result": result, "criteria_rows": rows} for item, result, rows in comparisons],
        "radii": [
            item | {"result": result, "radii_rows": measured, "similarity_rows": alike}
            for item, result, measured, alike in radii
        ],
    }


def extent_of_spheres(nodes: str) -> tuple[int, tuple[float, float]]:
    """Return the number of spheres in a nodes table, and their smallest and largest radius in mm."""
    radii = [float(node["radius"]) for node in read_records(nodes)]
    return len(radii), (min(radii), max(radii))
