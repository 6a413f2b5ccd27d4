"""What the sidecars say of where a result comes from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from sphereconn import __version__

NAME = "sphereconn"  # of this library, in all that it writes
RECORDED = ("numpy", "numba", "isal")


def software() -> dict[str, str]:
    """Give the versions of this library, of Python and of the libraries that have a part in numbers.

    All of them stand in every sidecar: which of them a process has loaded depends on what it ran before.
    """
    versions = {name: version(name) for name in RECORDED}
    return {NAME: __version__, "python": ".".join(map(str, sys.version_info[:3])), **versions}


def sources(paths: Sequence[str], result: str) -> list[str]:
    """Name the source files of a result: those of the same data set as BIDS URIs, others as the study names them."""
    root = _dataset(Path(result))
    return [
        f"bids::{path.relative_to(root).as_posix()}" if path.is_relative_to(root) else path.as_posix()
        for path in map(Path, paths)
    ]


def _dataset(result: Path) -> Path:
    """Find the folder of the data set: the one with the folders of subjects and of groups."""
    return next(folder.parent for folder in result.parents if folder.name.startswith("sub-") or folder.name == "group")
