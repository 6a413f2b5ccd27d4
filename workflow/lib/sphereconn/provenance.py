"""What the sidecars say of where a result comes from."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from os.path import abspath
from pathlib import Path
from typing import Any

from sphereconn import __version__

NAME = "sphereconn"  # of this library, in all that it writes
_INSTALLATION = Path(__file__).resolve().parents[3]
_SHIPPED = tuple(f"{_INSTALLATION / folder}/" for folder in ("resources", "workflow"))
RECORDED = ("numpy", "scipy", "numba", "isal")
# Looked up once, before processes are forked: it takes as long as reading a table.
_VERSIONS = {name: version(name) for name in RECORDED}


def software() -> dict[str, str]:
    """Give the versions of this library, of Python and of the libraries that have a part in numbers.

    All of them stand in every sidecar: which of them a process has loaded depends on what it ran before.
    """
    return {NAME: __version__, "python": ".".join(map(str, sys.version_info[:3])), **_VERSIONS}


def with_sources(
    described: Mapping[str, Any], inputs: Sequence[str], result: str, nodes: str | None = None
) -> dict[str, Any]:
    """Return a sidecar with its nodes table, its sources and the versions of the software at the end.

    Parameters
    ----------
    described
        What the sidecar says of its result.
    inputs, result
        Paths of the files that the result was made from, and of the sidecar.
    nodes
        Path of the nodes table, where it has one.
    """
    return {
        **described,
        **({"NodeFiles": sources([nodes], result)} if nodes else {}),
        "Sources": sources(inputs, result),
        "Software": software(),
    }


def sources(paths: Sequence[str], result: str) -> list[str]:
    """Name the source files of a result: those of the same data set as BIDS URIs, others as the study names them.

    What is shipped with this library is named by its place in there, wherever that is installed.
    """
    root = _dataset(Path(result))
    return [
        f"bids::{path.relative_to(root).as_posix()}" if path.is_relative_to(root) else installed(path.as_posix())
        for path in map(Path, paths)
    ]


@lru_cache(maxsize=1 << 16)
def installed(path: str) -> str:
    """Name a file that is shipped with this library by its place in there; leave the path of any other as it is."""
    place = abspath(path)
    return f"{NAME}:{place[len(str(_INSTALLATION)) + 1 :]}" if place.startswith(_SHIPPED) else str(path)


def _dataset(result: Path) -> Path:
    """Find the folder of the data set: the one with the folders of subjects and of groups."""
    return next(folder.parent for folder in result.parents if folder.name.startswith("sub-") or folder.name == "group")
