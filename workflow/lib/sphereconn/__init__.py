"""Connectomes of spheres around brain coordinates.

Data flows one way through the sub-packages: ``extract`` (sphere signals of an image), ``clean`` (confounds, filters),
``connect`` (one connectome a run), ``aggregate`` (runs into groups), ``draw`` (figures). ``study`` reads what the user
wrote: the configuration, the runs table, the seed tables. ``read`` reads the results back. Nothing here knows of
Snakemake.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Name -> module. They are imported when they are asked for: a job of the workflow needs neither pandas nor these.
_OFFERED = {
    "read_study": "sphereconn.read.results",
    "GraphicalLassoCV": "sphereconn.connect.scikit_learn",
    "InputError": "sphereconn.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module 'sphereconn' has no attribute '{name}'")
    return getattr(import_module(_OFFERED[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_OFFERED})
