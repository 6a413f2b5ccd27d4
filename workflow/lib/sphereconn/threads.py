"""Calls that are made at once, in threads of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any


def map_at_once(cores: int, function: Callable[..., Any], *values: Iterable[Any]) -> list[Any]:
    """Return what ``map`` gives, of as many calls at once; compiled code and linear algebra let the others go on.

    It ends when all calls have, also where one fails: none may go on beside what comes next. One that is interrupted
    waits for none, nor does Python when it ends then, as it would for the threads of an executor.
    """
    calls = list(zip(*values, strict=True))
    if cores == 1:
        return [function(*each) for each in calls]
    outcomes: list[Future[Any]] = [Future() for _ in calls]
    left: SimpleQueue[tuple[Future[Any], tuple[Any, ...]]] = SimpleQueue()
    for call in zip(outcomes, calls, strict=True):
        left.put(call)

    def work() -> None:
        with suppress(Empty):
            while True:
                outcome, each = left.get_nowait()
                try:
                    outcome.set_result(function(*each))
                except BaseException as problem:
                    outcome.set_exception(problem)

    for _ in range(min(cores, len(calls))):
        Thread(target=work, daemon=True).start()
    wait(outcomes)
    return [outcome.result() for outcome in outcomes]
