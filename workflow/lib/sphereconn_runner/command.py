"""The command line: what it orders beside the study, and how to call Snakemake again for the same study."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError

SNAKEFILES = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")  # that Snakemake finds by itself


def orders(workflow: Any, config: dict[str, Any], known: Iterable[str]) -> dict[str, bool]:
    """Take out of the configuration what `--config` orders once: it is no part of the study.

    What a file says stays, and is no key of a study.
    """
    given = workflow.config_settings.config
    ordered = {}
    for key in known:
        value = str(config.pop(key) if key in given and key in config else given.get(key, False)).lower()
        if value not in ("true", "false"):
            raise WorkflowError(f"--config {key}={value}: allowed are true and false.")
        ordered[key] = value == "true"
    return ordered


def command_line(workflow: Any, target: str, **more: str) -> str:
    """Give the command that makes a target of the same study, to be copied into a shell.

    The target stands first: after `--configfile` Snakemake would take it for another file.
    """
    settings = workflow.config_settings
    words = [*_snakemake(), "--cores", "1", target]
    folder = workflow.overwrite_workdir
    snakefile = str(workflow.main_snakefile)
    if folder or next((name for name in SNAKEFILES if os.path.exists(name)), None) is None or not _found(snakefile):
        words += ["--snakefile", snakefile if folder else os.path.relpath(snakefile)]
    if folder:
        words += ["--directory", str(folder)]
    if settings.configfiles:
        words += ["--configfile", *(str(path) if folder else os.path.relpath(path) for path in settings.configfiles)]
    values = {key: value for key, value in settings.config.items() if key not in ("remove", "take_over")}
    if values or more:
        words += ["--config", *(f"{key}={_text(value)}" for key, value in {**values, **more}.items())]
    return shlex.join(words)


def _found(snakefile: str) -> bool:
    first = next(name for name in SNAKEFILES if os.path.exists(name))
    return os.path.samefile(first, snakefile)


def _snakemake() -> list[str]:
    called = Path(sys.argv[0])
    if called.name == "__main__.py":  # python -m snakemake
        return [sys.executable, *(["-P"] if sys.flags.safe_path else []), "-m", "snakemake"]
    by_name = shutil.which(called.name)
    if by_name and os.path.realpath(by_name) == os.path.realpath(called):
        return [called.name]
    near = os.path.relpath(called)
    return [str(called) if near.startswith("..") else near]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
