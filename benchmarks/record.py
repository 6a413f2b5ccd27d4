"""Keep what a benchmark measured, so that docs/performance.md can be written from all of them."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("numpy", "numba", "isal", "snakemake", "matplotlib", "nilearn", "scikit-learn", "plotly")


def record(name: str, rows: list[dict[str, Any]]) -> None:
    """Write the rows of a benchmark's table, with the machine and the versions."""
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine(), "python": platform.python_version(), "versions": versions(), "rows": rows}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def recorded(name: str) -> dict[str, Any] | None:
    """Read what a benchmark measured, None when it has not been run."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def machine() -> str:
    """Name the processor, the cores and the memory of this machine."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()} {platform.release().split('-')[0]}"


def versions() -> dict[str, str]:
    """Give the versions of the packages that matter for speed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except ModuleNotFoundError:
            continue
    return found
