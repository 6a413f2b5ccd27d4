"""Downloading a file whole: dropped connections are resumed, nothing half-done ever has the file's own name.

What has arrived lies beside the target as ``<name>.part`` (and ``<name>.part.etag``, the server's name of that version
of the file), so a later attempt, or a later process, goes on where the last one ended. A complete file is checked and
renamed, and its SHA-256 is kept in ``<name>.sha256`` for ``sha256sum -c``; a file downloaded again must have the same.
"""

from __future__ import annotations

import errno
import fcntl
import gzip
import hashlib
import http.client
import os
import random
import re
import shutil
import ssl
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from sphereconn.errors import InputError

BLOCK = 256 * 1024  # bytes read at once
SECONDS_BETWEEN_REPORTS = 5.0
LONGEST_PAUSE = 120.0  # seconds, whatever a server asks for
PASSING = {408, 425, 429, *range(500, 600)}  # statuses that may be gone at the next attempt
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class _Dropped(Exception):
    """An attempt that failed in a way that another may not; ``pause`` is what the server asked for, in seconds."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True)
class _Download:
    """Where a file comes from and where its pieces lie."""

    url: str
    target: Path

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def etag(self) -> Path:
        return self.target.with_name(self.target.name + ".part.etag")

    @property
    def checksum(self) -> Path:
        return self.target.with_name(self.target.name + ".sha256")

    @property
    def arrived(self) -> int:
        """Bytes that are there already, of a part that may be gone on with."""
        # Of a file without a checksum of its own, the pieces of two versions could not be told apart afterwards.
        resumable = self.etag.exists() or self.target.suffix == ".gz"
        return self.part.stat().st_size if resumable else 0

    def start_anew(self) -> None:
        """Empty the part; it is not removed, since the lock is on it."""
        os.truncate(self.part, 0)
        self.etag.unlink(missing_ok=True)


def download(url: str, target: str | Path, timeout: float = 60.0, attempts: int = 6, first_pause: float = 1.0) -> str:
    """Download a file, and say on standard output how far it is.

    Parameters
    ----------
    url
        Where the file is, http or https; certificates are verified, redirections followed.
    target
        Where to put it. A ``.gz`` file is decompressed to its end as a check.
    timeout
        Seconds without a single byte after which a connection counts as dropped.
    attempts
        How often in a row an attempt may bring nothing new before giving up.
    first_pause
        Seconds to wait after the first failure, about twice as long after each further one; a server that names a
        time (Retry-After) is waited for up to two minutes.

    Returns
    -------
    str
        The SHA-256 of the file, as recorded beside it.

    Raises
    ------
    InputError
        When the file cannot be had: the server's refusal, no network, a full disk, a content that is damaged or not the
        one recorded at the first download.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"{url}: only addresses that start with https:// or http:// are downloaded.")
    job = _Download(url, Path(target))
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(job):
            started = time.monotonic()
            _fetch(job, timeout, attempts, first_pause)
            found = _recorded(job)
            job.part.replace(job.target)
            job.etag.unlink(missing_ok=True)
    except OSError as problem:
        if problem.errno in DISK_FULL:
            raise InputError(
                f"{job.target}: the disk is full; make room and run again, the download goes on where it ended."
            ) from problem
        raise InputError(f"{job.target}: cannot be written ({problem.strerror or problem}).") from problem
    size = job.target.stat().st_size
    _say(f"{job.target.name}: complete, {_megabytes(size)} in {time.monotonic() - started:.0f} s, SHA-256 {found}")
    return found


@contextmanager
def _alone(job: _Download) -> Iterator[None]:
    """Keep two processes from writing the same part; the lock ends with the process, however that ends."""
    with open(job.part, "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{job.target}: another process is downloading this file; wait for it to end.") from None
        except OSError:
            pass  # a file system without locks
        try:
            yield
        finally:
            if job.part.exists() and job.part.stat().st_size == 0:
                job.part.unlink()


def _fetch(job: _Download, timeout: float, attempts: int, first_pause: float) -> None:
    """Attempt until the part is complete and sound."""
    failures, most = 0, job.arrived
    while True:
        try:
            _attempt(job, timeout)
            _check_content(job)
            return
        except _Dropped as problem:
            have = job.arrived
            # Bytes that no attempt had before are progress; else a server that always drops would be asked for ever.
            failures = 0 if have > most else failures + 1
            most = max(most, have)
            if failures >= attempts:
                raise InputError(
                    f"{job.url}: {job.target.name} could not be downloaded, {attempts} attempts in a row failed"
                    f" ({problem}); run again to go on, or put the file into {job.target.parent} yourself."
                ) from problem
            pause = first_pause * 2 ** max(failures - 1, 0) * random.uniform(0.5, 1.5)
            pause = min(LONGEST_PAUSE, max(pause, problem.pause or 0.0))
            _say(f"{job.target.name}: {problem}; next attempt in {pause:.0f} s, from {_megabytes(have)} on")
            time.sleep(pause)


def _attempt(job: _Download, timeout: float) -> None:
    """Ask for what is missing and append it to the part."""
    have = job.arrived
    headers = {"User-Agent": "sphereconn"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if job.etag.exists():
            headers["If-Range"] = job.etag.read_text(encoding="latin-1")
    try:
        answer = _opener().open(Request(job.url, headers=headers), timeout=timeout)
    except HTTPError as problem:
        with problem:
            _judge_refusal(job, problem, have)
    except (OSError, http.client.HTTPException) as problem:
        reason = problem.reason if isinstance(problem, URLError) else problem
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise InputError(
                f"{job.url}: the server's certificate does not verify ({reason.verify_message})."
            ) from problem
        raise _Dropped(_described(reason)) from problem
    else:
        with answer:
            _receive(job, answer, have)


def _described(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "the server does not answer in time"
    if isinstance(reason, OSError) and not isinstance(reason, http.client.RemoteDisconnected):
        return f"no connection: {reason.strerror or reason}"
    return f"the connection was dropped: {reason or type(reason).__name__}"


def _judge_refusal(job: _Download, problem: HTTPError, have: int) -> None:
    """Tell a refusal that may pass from one that will not."""
    if problem.code == 416 and have:
        total = re.fullmatch(r"bytes \*/(\d+)", problem.headers.get("Content-Range", ""))
        if total and int(total[1]) == have:
            return  # nothing is missing: the process ended between the last byte and the new name
        job.start_anew()
        raise _Dropped("the server has another version of the file")
    said = f"the server says {problem.code} {problem.reason}".rstrip()
    if problem.code in PASSING:
        raise _Dropped(said, _retry_after(problem.headers))
    raise InputError(
        f"{job.url}: {job.target.name} cannot be downloaded, {said}; if the address has moved, put the file into"
        f" {job.target.parent} yourself."
    )


def _retry_after(headers: Message) -> float | None:
    """Read the seconds that a server asks to wait for, given as such or as a date."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdigit():
        return float(asked)
    try:
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _receive(job: _Download, answer: Any, have: int) -> None:
    """Write an answer to the part, after what is there if the server goes on from it, else from the start."""
    headers = answer.headers
    if headers.get_content_type() == "text/html":
        raise InputError(f"{job.url}: the answer is a web page, not a file; does the network ask for a login?")
    if answer.status == 206:
        place = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
        if not place or int(place[1]) != have:
            job.start_anew()
            raise _Dropped(f"the server sent another part of the file ({headers.get('Content-Range')})")
        total = int(place[2]) if place[2] != "*" else None
    else:
        if have:
            _say(f"{job.target.name}: the server starts from the beginning")
        have = 0
        length = headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        # Kept for a later attempt; a weak tag does not promise the same bytes.
        etag = headers.get("ETag", "")
        if etag.startswith('"'):
            job.etag.write_text(etag, encoding="latin-1")
        else:
            job.etag.unlink(missing_ok=True)
    free = shutil.disk_usage(job.target.parent).free
    if total is not None and total - have > free:
        raise OSError(errno.ENOSPC, "too little space")
    _say(f"{job.target.name}: {_megabytes(total) if total else 'a file'} from {urlsplit(answer.url).netloc}")
    with open(job.part, "r+b") as part:
        part.seek(have)
        part.truncate()
        arrived = have + _copy(answer, part, job.target.name, have, total)
    if total is not None and arrived != total:
        raise _Dropped(f"the connection was dropped after {_megabytes(arrived)} of {_megabytes(total)}")


def _copy(answer: Any, part: IO[bytes], name: str, have: int, total: int | None) -> int:
    """Copy an answer block by block and report now and then; give the number of bytes."""
    started = reported = time.monotonic()
    copied = 0
    while True:
        try:
            block = answer.read1(BLOCK)
        except (OSError, http.client.HTTPException) as problem:  # of the connection; the disk's come from write
            raise _Dropped(_described(problem)) from problem
        if not block:
            return copied
        part.write(block)
        copied += len(block)
        now = time.monotonic()
        if now - reported >= SECONDS_BETWEEN_REPORTS:
            reported = now
            of_total = f" of {_megabytes(total)}, {(have + copied) / total:.0%}" if total else ""
            _say(f"{name}: {_megabytes(have + copied)}{of_total}, {copied / 1e6 / (now - started):.1f} MB/s")


def _check_content(job: _Download) -> None:
    """Begin anew with a content that is empty or, of a compressed file, damaged."""
    problem = "the file is empty" if job.part.stat().st_size == 0 else None
    if problem is None and job.target.suffix == ".gz":
        try:
            with gzip.open(job.part) as content:
                while content.read(BLOCK * 4):
                    pass
        except (gzip.BadGzipFile, EOFError, zlib.error) as found:
            problem = f"what arrived is no sound gzip file: {found}"
    if problem:
        job.start_anew()
        raise _Dropped(problem)


def _recorded(job: _Download) -> str:
    """Compare a complete part with the checksum of the first download, or record its own."""
    with open(job.part, "rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if job.checksum.exists():
        expected = job.checksum.read_text(encoding="utf-8").split()[:1]
        if expected != [found]:
            job.start_anew()
            raise InputError(
                f"{job.url}: {job.target.name} is not the file of the first download: its SHA-256 is {found}, but"
                f" {job.checksum} says {' '.join(expected)}; remove that file if the new version is wanted."
            )
    else:
        temporary = job.checksum.with_name(job.checksum.name + ".part")
        temporary.write_text(f"{found}  {job.target.name}\n", encoding="utf-8")
        temporary.replace(job.checksum)
    return found


class _Redirections(HTTPRedirectHandler):
    """Follows redirections, but never to another kind of address or from https to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in ("http", "https") or (old == "https" and new == "http"):
            raise HTTPError(req.full_url, code, f"{msg}, to {newurl}, which is not followed", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    """Make what opens addresses: http and https only; urllib's own would open local files as well."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(context=ssl.create_default_context()),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        _Redirections(),
    ):
        opener.add_handler(handler)
    return opener


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"


def _say(line: str) -> None:
    print(line, flush=True)  # a person may be following the log
