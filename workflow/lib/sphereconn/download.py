"""Downloading a file whole, over requests: nothing half-done or of another kind ever has the file's own name.

What arrives is checked, then renamed, and its SHA-256 is kept in ``<name>.sha256`` for ``sha256sum -c``; a file that is
downloaded again must have the same. What a server says is believed only where it can be checked, and shown shortened
and without control characters. Files are small (18 MB), so a dropped download begins anew: nothing is ever glued.
"""

from __future__ import annotations

import errno
import hashlib
import random
import re
import shutil
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sphereconn.errors import InputError
from sphereconn.files import CONTROL_CHARACTERS, written_whole

if TYPE_CHECKING:  # imported only where something is downloaded: it takes longer than most jobs
    import requests

BLOCK = 256 * 1024  # bytes read at once
SECONDS_BETWEEN_REPORTS = 5.0
LONGEST_PAUSE = 120.0  # seconds, whatever a server asks for
MOST_REDIRECTIONS = 10
PASSING = {408, 425, 429, *range(500, 600)}  # statuses that may be gone at the next attempt
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
WHOLE_NUMBER = re.compile("[0-9]{1,15}")  # int() would take underscores and the digits of other scripts as well


class _Dropped(Exception):
    """An attempt that failed in a way that another may not; ``pause`` is what the server asked for, in seconds."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


@dataclass(frozen=True)
class _Download:
    """What is to be downloaded, and whether anybody still waits for it."""

    url: str
    target: Path
    largest: int
    check: Callable[[Path], None]
    given_up: threading.Event = field(default_factory=threading.Event)

    @property
    def else_by_hand(self) -> str:
        """What a person can do when the server does not give the file."""
        return f"put the file into {self.target.parent} yourself"


def download(
    url: str,
    target: str | Path,
    largest: int,
    check: Callable[[Path], None],
    *,
    timeout: float = 60.0,
    total_time: float = 3600.0,
    attempts: int = 6,
    first_pause: float = 1.0,
) -> str:
    """Download a file, and say on standard output how far it is.

    Parameters
    ----------
    url
        Where the file is, http or https; certificates are verified, redirections followed, but none from https to http.
    target
        Where to put it.
    largest
        Bytes that the file can have at most; an answer that is larger is not read to its end.
    check
        Raises ``InputError`` when the file at the path it is given is not of the kind that is expected. The path has
        the suffixes of ``target``.
    timeout
        Seconds without a single byte after which a connection counts as dropped.
    total_time
        Seconds for everything, pauses included. A server that sends a byte now and then never exceeds ``timeout``.
    attempts
        How often to try.
    first_pause
        Seconds to wait after the first failure, about twice as long after each further one; a server that names
        seconds (Retry-After) is waited for, up to two minutes.

    Returns
    -------
    str
        The SHA-256 of the file, as recorded beside it.

    Raises
    ------
    InputError
        When the file cannot be had: the server's refusal, no network, a full disk, a content that is damaged, of
        another kind or not the one recorded at the first download.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"{url}: only addresses that start with https:// or http:// are downloaded.")
    job = _Download(url, Path(target), largest, check)
    started = time.monotonic()
    try:
        with written_whole(target) as temporary:
            _in_time(job, total_time, lambda: _fetch(job, temporary, timeout, attempts, first_pause))
            found = _recorded(job, temporary)
            size = temporary.stat().st_size
    except OSError as problem:
        if problem.errno in DISK_FULL:
            raise InputError(f"{target}: the disk is full; make room and run again.") from problem
        if isinstance(problem, FileNotFoundError) and job.target.exists():
            raise InputError(f"{target}: another process has downloaded this file meanwhile; run again.") from problem
        raise InputError(f"{target}: cannot be written ({problem.strerror or problem}).") from problem
    _say(f"{job.target.name}: complete, {_megabytes(size)} in {time.monotonic() - started:.0f} s, SHA-256 {found}")
    return found


def _in_time(job: _Download, seconds: float, work: Callable[[], None]) -> None:
    """Do the work in a thread and wait for it no longer than that: time-outs of sockets begin anew with each byte."""
    failure: list[BaseException] = []

    def attempt() -> None:
        try:
            work()
        except BaseException as problem:
            failure.append(problem)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        job.given_up.set()
    if thread.is_alive():
        raise InputError(
            f"{job.url}: {job.target.name} is not complete after {seconds:.0f} s; run again, or {job.else_by_hand}."
        )
    if failure:
        raise failure[0]


def _fetch(job: _Download, temporary: Path, timeout: float, attempts: int, first_pause: float) -> None:
    """Attempt until the file is complete and of the right kind."""
    with _session() as session:
        for attempt in range(attempts):
            try:
                _attempt(job, session, temporary, timeout)
                return
            except _Dropped as problem:
                if attempt == attempts - 1:
                    raise InputError(
                        f"{job.url}: {job.target.name} could not be downloaded: {attempts} attempts failed, the last"
                        f" because {problem}; run again later, or {job.else_by_hand}."
                    ) from problem
                pause = min(LONGEST_PAUSE, max(first_pause * 2**attempt * random.uniform(0.5, 1.5), problem.pause))
                _say(f"{job.target.name}: {problem}; next attempt in {pause:.0f} s")
                if job.given_up.wait(pause):
                    return


def _session() -> requests.Session:
    """Make what asks: it shows no password of a .netrc file, and asks for files as they are, not packed again."""
    import requests

    session = requests.Session()
    session.headers.update({"User-Agent": "sphereconn", "Accept-Encoding": "identity"})
    session.auth = lambda request: request
    session.max_redirects = MOST_REDIRECTIONS
    session.hooks["response"].append(_judge_redirection)
    return session


def _judge_redirection(answer: requests.Response, **_: Any) -> None:
    """Refuse the way from https to http, and leave the body of a redirection unread: requests would read all of it."""
    from requests.exceptions import InvalidSchema

    if answer.is_redirect:
        place = answer.headers["Location"]
        if urlsplit(answer.url).scheme == "https" and urlsplit(place).scheme == "http":
            raise InvalidSchema(place)
        answer.raw.close()
        answer.raw = BytesIO()


def _attempt(job: _Download, session: requests.Session, temporary: Path, timeout: float) -> None:
    """Ask for the file, write the answer and check it."""
    import requests
    import urllib3

    try:
        answer = session.get(job.url, stream=True, timeout=timeout)
    except (requests.ConnectionError, requests.Timeout) as problem:  # of which a failing certificate is one
        reason = _root(problem)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise InputError(
                f"{job.url}: the server's certificate cannot be verified ({reason.verify_message})."
            ) from None
        raise _Dropped(_described(reason)) from problem
    except requests.TooManyRedirects as problem:
        raise InputError(f"{job.url}: the server redirects more than {MOST_REDIRECTIONS} times.") from problem
    except requests.exceptions.InvalidSchema as problem:
        raise InputError(
            f"{job.url}: the server redirects to another kind of address, which is not followed ({_said(problem)})."
        ) from problem
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as problem:
        raise InputError(f"{job.url}: the server's answer cannot be understood ({_said(problem)}).") from problem
    with answer:
        if answer.status_code != 200:
            raise _refusal(job, answer)
        length = _announced_length(job, answer)
        with open(temporary, "wb") as file:
            arrived = _copy(job, answer.raw, file, length)
    if length is not None and arrived != length:
        raise _Dropped(f"the connection was dropped after {_megabytes(arrived)} of {_megabytes(length)}")
    if not job.given_up.is_set():
        _check_content(job, temporary)


def _root(problem: BaseException) -> BaseException:
    """Give the first of a chain of exceptions: it knows best what happened."""
    wrapped = problem.args[0] if problem.args and isinstance(problem.args[0], BaseException) else None
    cause = problem.__cause__ or problem.__context__ or wrapped
    return _root(cause) if cause else problem


def _described(reason: BaseException) -> str:
    if isinstance(reason, TimeoutError):
        return "the server does not answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return f"there is no connection: {_said(reason.strerror)}"
    return f"the connection was dropped: {_said(reason) or type(reason).__name__}"


def _said(words: object) -> str:
    """Give what a server said, short and without anything that a terminal would obey."""
    text = CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", str(words))
    return text if len(text) <= 120 else text[:120] + "…"


def _refusal(job: _Download, answer: requests.Response) -> Exception:
    """Tell a refusal that may pass from one that will not."""
    said = f"the server says {answer.status_code} {_said(answer.reason or '')}".rstrip()
    if answer.status_code in PASSING:
        asked = WHOLE_NUMBER.fullmatch(answer.headers.get("Retry-After", ""))
        return _Dropped(said, float(asked[0]) if asked else 0.0)
    return InputError(
        f"{job.url}: {job.target.name} cannot be downloaded, {said}; if the address has moved, {job.else_by_hand}."
    )


def _announced_length(job: _Download, answer: requests.Response) -> int | None:
    """Refuse by its headers an answer that cannot be the file; give the length that they announce."""
    headers = answer.headers
    if headers.get("Content-Type", "").strip().lower().startswith("text/html"):
        raise _web_page(job)
    packed = headers.get("Content-Encoding", "").strip().lower()
    if packed not in ("identity", ""):
        raise InputError(
            f"{job.url}: the server sends the file in a form that was not requested (Content-Encoding"
            f" {_said(packed)}); {job.else_by_hand}."
        )
    length = headers.get("Content-Length")
    if length is not None and not WHOLE_NUMBER.fullmatch(length):
        raise InputError(f"{job.url}: the server's answer cannot be understood (its length is {_said(length)}).")
    n_bytes = None if length is None else int(length)
    if n_bytes is not None:
        _judge_size(job, n_bytes)
        if n_bytes > shutil.disk_usage(job.target.parent).free:
            raise OSError(errno.ENOSPC, "too little space")
    size = "a file" if n_bytes is None else _megabytes(n_bytes)
    _say(f"{job.target.name}: {size} from {_said(urlsplit(answer.url).netloc)}")
    return n_bytes


def _web_page(job: _Download) -> InputError:
    return InputError(f"{job.url}: the answer is a web page, not a file; does the network ask for a login?")


def _judge_size(job: _Download, n_bytes: int) -> None:
    if n_bytes > job.largest:
        raise InputError(
            f"{job.url}: the answer is larger than {job.target.name} can be ({_megabytes(job.largest)}); is this the"
            " server of the data set?"
        )


def _copy(job: _Download, answer: Any, file: IO[bytes], length: int | None) -> int:
    """Copy an answer block by block and report now and then; give the number of bytes."""
    import urllib3

    answer.enforce_content_length = False  # what is missing is told in our own words
    started = reported = time.monotonic()
    copied = 0
    while not job.given_up.is_set():
        try:
            block = answer.read1(BLOCK, decode_content=False)
        except (
            OSError,
            ValueError,
            urllib3.exceptions.HTTPError,
        ) as problem:  # of the connection
            raise _Dropped(_described(_root(problem))) from problem
        if not block:
            break
        copied += len(block)
        _judge_size(job, copied)
        file.write(block)
        now = time.monotonic()
        if now - reported >= SECONDS_BETWEEN_REPORTS:
            reported = now
            share = f" of {_megabytes(length)}, {copied / length:.0%}" if length else ""
            _say(f"{job.target.name}: {_megabytes(copied)}{share}, {copied / 1e6 / (now - started):.1f} MB/s")
    return copied


def _check_content(job: _Download, temporary: Path) -> None:
    with open(temporary, "rb") as content:
        start = content.read(1024).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise _web_page(job)
    if not start:
        raise _Dropped("the file is empty")
    try:
        job.check(temporary)
    except InputError as problem:
        reason = str(problem).removeprefix(f"{temporary}: ").rstrip(".")
        raise _Dropped(f"what arrived is not the file: {_said(reason)}") from problem


def _recorded(job: _Download, temporary: Path) -> str:
    """Compare a complete file with the checksum of the first download, or record its own."""
    with open(temporary, "rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    record = job.target.with_name(job.target.name + ".sha256")
    expected = record.read_text(encoding="utf-8", errors="replace").split()[:1] if record.exists() else []
    if not expected:
        with written_whole(record) as unnamed:
            unnamed.write_text(f"{found}  {job.target.name}\n", encoding="utf-8")
    elif expected != [found]:
        raise InputError(
            f"{job.url}: {job.target.name} is not the file of the first download: its SHA-256 is {found}, but"
            f" {record} says {' '.join(expected)}; remove that file if the new version is wanted."
        )
    return found


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"


def _say(line: str) -> None:
    print(line, flush=True)  # a person may be following the log
