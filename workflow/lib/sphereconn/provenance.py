"""What the sidecars say of where a result comes from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sphereconn import __version__

RECORDED = ("numpy", "scipy", "nibabel", "numba", "matplotlib")


def software() -> dict[str, str]:
    """Give the versions of this library, of Python and of the libraries that the running job has loaded."""
    loaded = {name: sys.modules[name].__version__ for name in RECORDED if name in sys.modules}
    return {"sphereconn": __version__, "python": ".".join(map(str, sys.version_info[:3])), **loaded}


def sources(paths: Sequence[str], output_dir: str) -> list[str]:
    """Name source files: results of this study as BIDS URIs, other files as the study names them."""
    named = []
    for path in paths:
        inside = Path(path).is_relative_to(output_dir)
        named.append(f"bids::{Path(path).relative_to(output_dir).as_posix()}" if inside else Path(path).as_posix())
    return named
