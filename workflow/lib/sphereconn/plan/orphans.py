"""Results in the folder of a study that its configuration does not ask for any more, and their removal on request.

Only files count of which the ledger says that they were made there, and only as long as they are what was made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import join, realpath

from sphereconn.ledger import State, checksum, made_here
from sphereconn.plan.products import results
from sphereconn.study.study import Study

_SHOWN = 3


@dataclass(frozen=True)
class Orphan:
    """A result that is not asked for any more: its path in the output folder, and what was written there."""

    path: str
    size: int
    checksum: str


def orphans(study: Study) -> list[Orphan]:
    """List the results that the study does not ask for, sorted by path.

    A file that is not of the size that was written, a link, and a file behind a link are not the workflow's.
    """
    wanted = results(study)
    return [
        Orphan(path, state.size, state.checksum)
        for path, state in sorted(made_here(study.output_dir).items())
        if path not in wanted and _is_there(study.output_dir, path, state)
    ]


def _is_there(folder: str, path: str, state: State) -> bool:
    root = realpath(folder)
    place = join(root, path)
    # A link on the way, ``..``, a path from the root of the disk, a folder, nothing.
    if realpath(place) != place or not place.startswith(root + os.sep) or not os.path.isfile(place):
        return False
    return os.stat(place).st_size == state.size


def remove(folder: str, unwanted: Sequence[Orphan]) -> Iterator[str]:
    """Remove results, and the folders that this leaves empty; say of each file what became of it.

    Each is compared with what was written first: a file that a person has changed since stays.
    """
    root = realpath(folder)
    for orphan in unwanted:
        place = join(root, orphan.path)
        if not _is_there(root, orphan.path, State(orphan.size, 0, orphan.checksum)):
            yield f"kept {place}: this is not the file that was made"
        elif checksum(place) != orphan.checksum:
            yield f"kept {place}: it was changed after it was made"
        else:
            os.unlink(place)
            yield f"removed {place}"
            _remove_empty_folders(root, os.path.dirname(place))


def _remove_empty_folders(root: str, folder: str) -> None:
    while folder.startswith(root + os.sep) and not os.listdir(folder):
        os.rmdir(folder)
        folder = os.path.dirname(folder)


def left_over(study: Study, unwanted: Sequence[Orphan], command: str) -> list[str]:
    """Say in lines that there are such results, what room they take, and which command lists or removes them."""
    if not unwanted:
        return []
    size = sum(orphan.size for orphan in unwanted)
    shown = [f"    {orphan.path}  ({in_words(orphan.size)})" for orphan in unwanted[:_SHOWN]]
    more = [f"    and {len(unwanted) - _SHOWN:,} more"] if len(unwanted) > _SHOWN else []
    return [
        f"{study.output_dir} has {_files(unwanted)} ({in_words(size)}) that the configuration no longer requests:",
        *shown,
        *more,
        f"To list them all: {command}",
    ]


def listed(study: Study, unwanted: Sequence[Orphan], command: str, removed: bool) -> list[str]:
    """Say in lines which results `remove_orphans` has found, or what has become of them."""
    size = sum(orphan.size for orphan in unwanted)
    if not unwanted:
        return [f"{study.output_dir} has no results other than those that the configuration requests."]
    if removed:
        kept = [orphan for orphan in unwanted if os.path.lexists(join(study.output_dir, orphan.path))]
        gone = size - sum(orphan.size for orphan in kept)
        return [
            f"{_files(unwanted[len(kept) :])} removed from {study.output_dir} ({in_words(gone)}).",
            *(f"    kept, because it was changed after it was made: {orphan.path}" for orphan in kept),
        ]
    return [
        *(f"    {orphan.path}  ({in_words(orphan.size)})" for orphan in unwanted),
        f"{study.output_dir} has {_files(unwanted)} ({in_words(size)}) that the configuration no longer requests."
        " Nothing was removed.",
        f"To remove them: {command}",
    ]


def _files(some: Sequence[Orphan]) -> str:
    return f"{len(some):,} result{'' if len(some) == 1 else 's'}"


def in_words(size: float) -> str:
    """Give a number of bytes as a person reads it."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
