"""Keep Snakemake's scheduler calm: what it starts at once, and how often it looks for more."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

DEFAULT_LIMIT = (100, 1)  # jobs, seconds
INTERRUPTED = threading.Event()


def notice_interruption(pass_on: Callable[[int], Any]) -> None:
    """Note that Ctrl-C was pressed or SIGTERM came, so that the jobs that these end are not told as failures.

    Whoever sends them to this process alone wants the jobs to end as well, which ``pass_on`` tells: Snakemake waits for
    them, and makes what they have made again.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        act = signal.getsignal(number)
        if callable(act):  # neither ignored nor left to the system
            with contextlib.suppress(ValueError):  # not the main thread, which is the one to be interrupted
                signal.signal(number, _noting(act, pass_on))


def _noting(
    act: Callable[[int, FrameType | None], Any], pass_on: Callable[[int], Any]
) -> Callable[[int, FrameType | None], Any]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        INTERRUPTED.set()
        pass_on(number)
        act(number, frame)

    return interrupt


def calm_scheduler(workflow: Any) -> None:
    """Lift Snakemake's default limit of 100 job starts a second; a limit that the user has set stays.

    With a limit, each look at the ready jobs orders another one a second later, which orders the next: after a thousand
    jobs the scheduler looks a thousand times a second, and costs as much as the jobs. Upstream: #3744, open; until it
    is merged. No value of a profile helps: a long span keeps Snakemake from ending, a short one looks as often.
    """
    limiter = getattr(getattr(workflow, "scheduler", None), "job_rate_limiter", None)
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == DEFAULT_LIMIT:
        workflow.scheduler.job_rate_limiter = None
        workflow.scheduler.resources["_job_count"] = sys.maxsize


def let_terminate(workflow: Any) -> None:
    """Let SIGTERM reach the scheduler at any moment.

    Snakemake's handler runs in the main thread and takes locks that this thread may hold just then: it waited for ever
    in one of some hundred kills. Locks that a thread may take twice have no such moment.
    """
    scheduler = getattr(workflow, "scheduler", None)
    if scheduler is not None:
        scheduler._lock = threading.RLock()
        scheduler._open_jobs._cond = threading.Condition(threading.RLock())


class Workers(ThreadPoolExecutor):
    """Threads that wait for one job each. Where the system allows no further one, those that are there do the work."""

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            if not self._threads:
                raise


def fit_into_limits(workflow: Any) -> None:
    """Run fewer jobs at once where the system allows fewer processes (`ulimit -u`, a container's limit).

    Snakemake alone takes all that it may have for its own threads, each of which then waits for a process of its job.
    """
    executor = workflow.scheduler._local_executor or workflow.scheduler._executor
    wanted = getattr(executor, "workers", 0)
    if not wanted or not isinstance(getattr(executor, "pool", None), ThreadPoolExecutor):
        return
    allowed = (processes_allowed(2 * wanted + 1) - 1) // 2  # a thread and a fork for each job, and some other thread
    if allowed < 1:
        raise WorkflowError("The system allows no further processes (see `ulimit -u`), so no job can run.")
    if allowed < wanted:
        logger.warning(f"The system allows few further processes (see `ulimit -u`); jobs at once: {allowed}.")
    executor.pool = Workers(max_workers=min(allowed, wanted))


def processes_allowed(most: int) -> int:
    """Count how many processes can be started now, up to some number; a thread is one as well."""
    end, threads = threading.Event(), []
    try:
        for _ in range(most):
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            threads.append(thread)
    except RuntimeError:
        pass
    finally:
        end.set()
        for thread in threads:
            thread.join()
    return len(threads)
