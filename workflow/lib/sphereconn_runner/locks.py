"""Let several studies run in one folder: each one's locks of its files are its own."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from itertools import count
from typing import Any

from snakemake.persistence.file import FilePersistence


def keep_locks_of_others() -> None:
    """Remove, when a study ends, the locks that it has set, not those of other studies that still run in the folder.

    Snakemake removes the folder of all locks: the others go on without, and two studies that end together both remove
    it, whereupon one of them fails although it is complete. Upstream: not reported. Until `_delete_locks` removes only
    what `_write_locks` has written. `snakemake --unlock` removes all, as before.
    """
    FilePersistence.cleanup_locks = _delete_all_locks
    FilePersistence._delete_locks = _delete_own_locks
    FilePersistence._write_locks = _write_locks


def _delete_all_locks(self: Any) -> None:
    shutil.rmtree(self._lockdir, ignore_errors=True)


def _delete_own_locks(self: Any) -> None:
    for file in self._lockfile.values():
        with contextlib.suppress(FileNotFoundError):
            os.remove(file)
    self._lockfile.clear()


def _write_locks(self: Any, lock_type: str, keys: Iterable[str]) -> None:
    keys = list(keys)
    if not keys:
        return
    for number in count():
        file = os.path.join(self._lockdir, f"{number}.{lock_type}.lock")
        os.makedirs(self._lockdir, exist_ok=True)  # an `--unlock` may have removed it
        with contextlib.suppress(FileExistsError), open(file, "x") as lock:
            self._lockfile[lock_type] = file
            print(*keys, sep="\n", file=lock)
            return
