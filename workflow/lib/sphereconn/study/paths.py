"""Paths that a user gives: what Snakemake or a file system would not understand is named before any job starts."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sphereconn.errors import InputError

LONGEST_NAME = 255  # bytes of a file name, on the file systems in use
# Snakemake puts another folder in the place of `<logs>`, and an error in that of most others.
VARIABLE = re.compile("<[a-z][a-z0-9_]*>")


def checked_path(path: str, where: str) -> str:
    """Give a path back that can be an input or a folder of results; ``where`` names the key or cell for messages."""
    if "{" in path or "}" in path:
        raise InputError(
            f"{where}: the path '{path}' contains a brace, which Snakemake interprets as a wildcard; rename it."
        )
    if variable := VARIABLE.search(path):
        raise InputError(
            f"{where}: the path '{path}' has {variable[0]}, which Snakemake would replace with another folder; rename"
            " it."
        )
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in Path(path).parts):
        raise InputError(f"{where}: '{path[:40]}...' has a name of more than {LONGEST_NAME} bytes.")
    return path
