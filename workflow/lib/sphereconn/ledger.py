"""The ledger of a folder of results: what each was made of, so that what lies there can be held against it.

It lies in the folder itself, and so goes with it when it is moved or copied. A process that runs jobs adds a line a job
to a log of its own; when a study ends, the disk is told to keep the results, and what the logs say is put into one
file. A result counts as made when its line is there, it is what was written then, and so is all that it was made of.

A power cut may leave results without content, and lines that are cut short. Such a line is none, and results of logs
that never came into the one file are read through once: so no result needs to wait for the disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from isal import isal_zlib

from sphereconn.files import written_whole
from sphereconn.provenance import installed

FOLDER = "records"  # of the ledger, in the folder of the results
SETTLED = "ledger.jsonl"
_NAME_OF_A_LOG = re.compile(r".+-[0-9]+-[0-9a-f]{12,}\.jsonl")  # computer, process, time
NEVER = -1  # a time that no file has
CHUNK = 1 << 20
SECONDS_BETWEEN_SYNCS = 5.0  # of a log: what is recorded for longer outlives a power cut, if its results do

# The name that an input has in its rule, None without one, and its path.
Inputs = Sequence[tuple[str | None, str]]


class State(NamedTuple):
    """What a file is: its size in bytes, when it was changed (ns), the checksum of its content."""

    size: int
    time: int
    checksum: str


class Record(NamedTuple):
    """How some results were made.

    ``settings`` is the digest of settings and code; ``inputs`` that of the names of all inputs, and of the content of
    those that are results in the same folder. ``sources`` are the others. ``written`` is a time in ns.
    """

    written: int
    settings: str
    inputs: str
    sources: Mapping[str, State]
    results: Mapping[str, State]


class Change(NamedTuple):
    """Why results are made again: ``kind`` is unrecorded, result, settings, inputs or source; ``file`` is which."""

    kind: str
    file: str = ""


def checksum(path: str | Path) -> str:
    """Sum up all bytes of a file in 16 digits: CRC-32 and Adler-32, against accidents, at 4 GB a second."""
    crc, adler = 0, 1
    with open(path, "rb", buffering=0) as file:
        while block := file.read(CHUNK):
            crc, adler = isal_zlib.crc32(block, crc), isal_zlib.adler32(block, adler)
    return f"{crc:08x}{adler:08x}"


def settings_digest(settings: Iterable[tuple[str | None, Any]]) -> str:
    """Digest the settings of a job, by name; the order of keys does not count."""
    return _digest(json.dumps(list(settings), sort_keys=True, default=str))


def made_here(folder: str | Path) -> dict[str, State]:
    """List the files that the ledger of a folder says were made there, by their paths in it."""
    return {path: record.results[path] for path, record in _read_records(Path(folder)).items()}


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _boot() -> str:
    """Name the time since this machine was started; nothing where it does not tell."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


# --- lines


def _line(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, separators=(",", ":"))
    return f"{zlib.crc32(text.encode()):08x} {text}\n"


def _logs(place: Path) -> list[Path]:
    """List the logs by the names that ``Writer`` gives them: other files there are a person's, and stay."""
    return sorted(path for path in place.glob("*.jsonl") if _NAME_OF_A_LOG.fullmatch(path.name) and path.is_file())


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read the lines of a log that are whole; none of what is no file, since a pipe in its place would never end."""
    if not path.is_file():
        return
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            crc, _, text = line.rstrip("\n").partition(" ")
            if crc == f"{zlib.crc32(text.encode()):08x}":
                yield json.loads(text)


def _record(content: Mapping[str, Any], sure: bool) -> Record:
    results = {path: State(*state) for path, state in content["results"].items()}
    if not sure:
        results = {path: state._replace(time=NEVER) for path, state in results.items()}
    sources = {path: State(*state) for path, state in content["sources"].items()}
    return Record(content["written"], content["settings"], content["inputs"], sources, results)


def _read_records(folder: Path, since: int | None = None) -> dict[str, Record]:
    """Find the last record of each result; of those written after ``since``, it is known that no power was cut.

    The logs are read before the file that they are put into: one that vanishes meanwhile has come into it.
    """
    records: dict[str, Record] = {}
    place, boot = folder / FOLDER, _boot()
    for path in [*_logs(place), place / SETTLED]:
        sure = path.name == SETTLED
        for content in _lines(path):
            if "boot" in content:
                sure = content["boot"] == boot != ""
                continue
            record = _record(content, sure or (since is not None and content["written"] > since))
            for result in record.results:
                if result not in records or records[result].written < record.written:
                    records[result] = record
    return records


# --- writing


@dataclass
class Writer:
    """Adds to the ledger of a folder what a process makes there."""

    folder: str
    _known: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    _log: Path | None = None
    _synced: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, inputs: Inputs) -> dict[str, tuple[int, ...]]:
        """Note what the inputs of a job are before it starts."""
        return {path: _present(path) for _, path in inputs}

    def add(self, settings: str, inputs: Inputs, before: Mapping[str, tuple[int, ...]], results: Iterable[str]) -> None:
        """Add a record of a job that has ended well; none if an input is not what it was before."""
        try:
            states = {path: self._state(path) for path in (*before, *results)}
        except OSError:
            return
        if any(_present(path) != seen for path, seen in before.items()):
            return
        sources = {path: state for path, state in states.items() if path in before and not self._inside(path)}
        content = {
            "written": time.time_ns(),
            "settings": settings,
            "inputs": inputs_digest(self.folder, inputs, {path: state.checksum for path, state in states.items()}),
            "sources": {installed(path): state for path, state in sources.items()},
            "results": {path.removeprefix(f"{self.folder}/"): states[path] for path in results},
        }
        with self._lock:
            try:
                self._append(_line(content))
            except OSError:  # a full disk: the job will run again
                self._log = None  # half a line may be at the end of this one

    def _inside(self, path: str) -> bool:
        return path.startswith(f"{self.folder}/")

    def _state(self, path: str) -> State:
        seen = _present(path)
        known = self._known.get(path)
        if known is None or known[0] != seen:
            known = self._known[path] = (seen, checksum(path))
        return State(seen[0], seen[1], known[1])

    def _append(self, line: str) -> None:
        if self._log is None or not self._log.exists():
            place = Path(self.folder, FOLDER)
            place.mkdir(parents=True, exist_ok=True)
            self._log = place / f"{socket.gethostname()}-{os.getpid()}-{time.time_ns():x}.jsonl"
            line = _line({"boot": _boot()}) + line
        with open(self._log, "a", encoding="utf-8") as log:
            log.write(line)
            log.flush()
            if time.monotonic() - self._synced > SECONDS_BETWEEN_SYNCS:
                os.fsync(log.fileno())
                self._synced = time.monotonic()


def _present(path: str) -> tuple[int, ...]:
    """Give what tells that a file has changed; nothing of one that is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ino


def inputs_digest(folder: str, inputs: Inputs, checksums: Mapping[str, str]) -> str:
    """Digest what the inputs of a job are called, and what those in the folder hold."""
    inside = f"{folder}/"
    words = sorted(
        f"{name}\t{path.removeprefix(inside)}\t{checksums.get(path)}"
        if path.startswith(inside)
        else f"{name}\t{installed(path)}"
        for name, path in inputs
    )
    return _digest("\n".join(words))


# --- reading


class Ledger:
    """What the ledger of a folder says, held against the files, one stat a file; content where that differs.

    Parameters
    ----------
    folder
        The folder of the results, as the paths of results begin.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._read_at = time.time_ns()
        self._records = _read_records(Path(self.folder))
        self._found: dict[str, State | None] = {}  # files as they are, checksums as far as they were needed
        self._renewed: dict[str, State] = {}  # the same content at another time
        self._same: dict[tuple[str, State], bool] = {}

    def change(self, results: Sequence[str], made_of: Callable[[], tuple[str, Inputs]]) -> Change | None:
        """Say why a job must run again although its results are there; None: they are what the job would make.

        ``made_of`` gives the digest of the settings, and the inputs. Results that are missing are no reason: whether
        they are needed is not known here.
        """
        inside = [path.removeprefix(f"{self.folder}/") for path in results]
        records = {id(self._records.get(path)) for path in inside}
        record = self._records.get(inside[0])
        if record is None or len(records) > 1:
            there = [path for path in results if self._state(path) is not None]
            return Change("unrecorded", there[0]) if there else None
        for path, name in zip(results, inside, strict=True):
            if self._state(path) is not None and not self._is(path, record.results[name]):
                return Change("result", path)
        settings, inputs = made_of()
        if record.settings != settings:
            return Change("settings")
        checksums = {path: self._content(path) for _, path in inputs if path.startswith(f"{self.folder}/")}
        if record.inputs != inputs_digest(self.folder, inputs, checksums):
            return Change("inputs")
        for _, path in inputs:
            source = record.sources.get(installed(path))
            if source is not None and self._state(path) is not None and not self._is(path, source):
                return Change("source", path)
        return None

    def has(self, path: str) -> bool:
        """Say whether a file is there."""
        return self._state(path) is not None

    def _content(self, path: str) -> str:
        """Give the checksum of a file in the folder: as recorded of a result, which is compared where it is made."""
        name = path.removeprefix(f"{self.folder}/")
        if name in self._records:
            return self._records[name].results[name].checksum
        return checksum(path) if self._state(path) is not None else ""

    def _state(self, path: str) -> State | None:
        if path not in self._found:
            try:
                found = os.stat(path)
                self._found[path] = State(found.st_size, found.st_mtime_ns, "")
            except OSError:
                self._found[path] = None
        return self._found[path]

    def _is(self, path: str, recorded: State) -> bool:
        """Whether a file is what was recorded: size and time tell, and where the time differs, the content."""
        found = self._state(path)
        if found is None or found.size != recorded.size:
            return False
        if found.time == recorded.time:
            return True
        key = (path, recorded)
        if key not in self._same:
            try:
                self._same[key] = checksum(path) == recorded.checksum
            except OSError:
                self._same[key] = False
            if self._same[key]:
                self._renewed[installed(path)] = recorded._replace(time=found.time)
        return self._same[key]

    def settle(self) -> None:
        """Tell the disk to keep the results, then put what all logs say into one file, and remove the logs.

        Where that cannot be done, the logs stay, which say the same.
        """
        with contextlib.suppress(OSError):
            self._settle()

    def _settle(self) -> None:
        place = Path(self.folder, FOLDER)
        logs = {path: path.stat().st_size for path in _logs(place)}
        if not logs and not self._renewed:
            return
        _sync(place)
        records = {id(record): record for record in _read_records(Path(self.folder), self._read_at).values()}
        with written_whole(place / SETTLED, synced=True) as temporary, open(temporary, "w", encoding="utf-8") as file:
            for record in records.values():
                file.write(_line(self._settled(record)))
        for log, size in logs.items():
            if log.stat().st_size == size:  # nobody else writes there
                log.unlink()

    def _settled(self, record: Record) -> dict[str, Any]:
        """Give the content of a record, with the times of now where the content was found the same."""

        def now(path: str, state: State) -> State:
            renewed = self._renewed.get(installed(path))
            return renewed if renewed and renewed.checksum == state.checksum else state

        if record.written > self._read_at:
            # Snakemake has touched the results since they were recorded.
            results = {name: self._touched(name, state) for name, state in record.results.items()}
            return record._asdict() | {"results": results}
        sources = {path: now(path, state) for path, state in record.sources.items()}
        results = {name: now(f"{self.folder}/{name}", state) for name, state in record.results.items()}
        return record._asdict() | {"sources": sources, "results": results}

    def _touched(self, name: str, state: State) -> State:
        with contextlib.suppress(OSError):
            found = os.stat(Path(self.folder, name))
            if found.st_size == state.size:
                return state._replace(time=found.st_mtime_ns)
        return state


def _sync(folder: Path) -> None:
    """Wait until the file system of a folder has everything on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            os.sync()
    except AttributeError:  # a system without that call
        os.sync()
    finally:
        os.close(descriptor)
