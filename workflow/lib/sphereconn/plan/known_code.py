"""What modules contain, remembered from one start of Snakemake to the next.

To parse the library and write it out anew was half of the time of a start, and each job of a cluster starts Snakemake
twice. What is remembered is found by the text of a module alone, so it cannot be out of date; the file may be lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from sphereconn.files import write_json
from sphereconn.plan import fingerprint


class KnownCode:
    """Codes of modules and what they import, by the hash of their text.

    Parameters
    ----------
    file
        Where they are kept. What cannot be read there is computed, and what cannot be written is not kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept = _read(file)
        self._used: dict[str, tuple[str, list[str]]] = {}
        self._read: dict[tuple[Path, str], tuple[str, list[str]]] = {}
        self._how = Path(fingerprint.__file__).read_text(encoding="utf-8")

    def of(self, path: Path, package: str) -> tuple[str, list[str]]:
        """Return what ``fingerprint.code_and_imports`` returns for the text of a file, which is read once."""
        if (path, package) not in self._read:
            self._read[path, package] = self._of_text(path.read_text(encoding="utf-8"), package)
        return self._read[path, package]

    def _of_text(self, source: str, package: str) -> tuple[str, list[str]]:
        key = hashlib.sha256("\0".join((self._how, package, source)).encode()).hexdigest()
        if key not in self._used:
            self._used[key] = self._kept.get(key) or fingerprint.code_and_imports(source, package)
        return self._used[key]

    def keep(self) -> None:
        """Keep what was used this time, and nothing else."""
        if self._used.keys() != self._kept.keys():
            with contextlib.suppress(OSError):
                write_json(self._file, self._used)


def _read(file: Path) -> dict[str, tuple[str, list[str]]]:
    try:
        kept = json.loads(file.read_bytes())
        return {str(key): (str(code), [str(module) for module in imported]) for key, (code, imported) in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
