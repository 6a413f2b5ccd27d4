"""The frame of every job: its log, what a person reads when it fails, and linear algebra on one core."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from threadpoolctl import threadpool_limits

from sphereconn.errors import InputError

SYSTEM_PROBLEMS = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than the system allows",
    errno.EACCES: "access is denied",
    errno.EPERM: "access is denied",
    errno.EROFS: "the file system is read-only",
    errno.EIO: "the disk reports an input or output error",
    None: "not everything could be written, perhaps for lack of space",  # numpy does not pass on why
}


# What libraries of linear algebra ask when they are loaded: how many threads they may have.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@contextmanager
def job(log: str) -> Iterator[None]:
    """Be the frame of a job, of whose process it takes hold: its log, and one core for linear algebra.

    See ``logged`` and ``take_one_core``.
    """
    take_one_core()
    with logged(log):
        yield


def take_one_core() -> None:
    """Give linear algebra one thread in this process, whatever number Snakemake allows the job and so the libraries.

    With more, large products differ in their last digits: results would depend on the number of cores.
    """
    if all(os.environ.get(variable) == "1" for variable in THREADS):
        return  # as in a fork of the interpreter for scripts, where to look through all libraries would take longest
    os.environ.update(dict.fromkeys(THREADS, "1"))  # for what is loaded later, such as scipy.linalg by compiled code
    threadpool_limits(1, "blas")


@contextmanager
def logged(path: str) -> Iterator[None]:
    """Send what a job prints to its log; end the job with one sentence there when the input is at fault.

    An ``InputError``, a full disk, a file that may not be read or written and too little memory are the user's to mend
    and come without a traceback, any other exception with one. Where not even the log can be written, the sentence goes
    to standard error.
    """
    failure: Exception | None = None
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if os.path.islink(path) or os.path.isfile(path):  # a device is none of ours
            os.unlink(path)  # a link, or another name of a file elsewhere, would be written through
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as log:
            with redirect_stdout(log), redirect_stderr(log):
                warnings.simplefilter("default")
                try:
                    yield
                except Exception as problem:
                    failure = problem
            print(_told(failure) if failure else "", end="", file=log)
    except OSError as problem:
        problem.filename = problem.filename or path
        sys.exit((_told(failure) if failure else "") + _told(problem).rstrip())
    if failure:
        sys.exit(1)


def _told(problem: Exception) -> str:
    """Say what has ended a job: one sentence for what a person can mend, the traceback of a defect."""
    if isinstance(problem, InputError):
        return f"error: {problem}\n"
    if isinstance(problem, MemoryError):
        return "error: not enough memory; run fewer jobs at once, or use a larger machine.\n"
    if isinstance(problem, OSError) and problem.errno in SYSTEM_PROBLEMS:
        where = f"{problem.filename}: " if problem.filename else ""
        return f"error: {where}{SYSTEM_PROBLEMS[problem.errno]}.\n"
    return "".join(traceback.format_exception(problem))
