"""Files that come with the library: the brain of the figures, seed tables, the schema of a configuration."""

from __future__ import annotations

from pathlib import Path

from sphereconn.errors import InputError

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "with_library", _PACKAGE.parents[2])  # where a wheel has them, and a checkout


def shipped(path: str) -> Path:
    """Return the place of a file or folder that comes with the library.

    Parameters
    ----------
    path
        As in a checkout: ``resources/coordinates/power264.tsv``, ``workflow/schemas/config.schema.json``.

    Raises
    ------
    InputError
        When there is no such file.
    """
    found = next((place / path for place in _PLACES if (place / path).exists()), None)
    if found is None:
        raise InputError(f"{path}: no such file comes with the library.")
    return found
