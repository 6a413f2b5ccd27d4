"""Compile all that is compiled, once an installation: otherwise the first jobs would, each for itself."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "compare.modularity",
    "connect.graphical_lasso",
    "connect.group_sparse",
    "infer.components",
    "infer.permutation",
    "infer.shuffled",
    "map.clusters",
)


def compile_all() -> None:
    """Compile the functions of all ``MODULES``, or load those that have been compiled before."""
    for name in MODULES:
        import_module(f"sphereconn.{name}").warm_up()


if __name__ == "__main__":
    compile_all()
