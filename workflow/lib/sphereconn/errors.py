"""The one exception that users are meant to read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """A mistake in what the user gave: one sentence with the file, key or column, what is wrong and what is allowed.

    Scripts print it without a traceback; any other exception is a defect of ours.
    """


@contextmanager
def about(source: str) -> Iterator[None]:
    """Name the source in front of what an ``InputError`` from the block says: a function of arrays knows no file."""
    try:
        yield
    except InputError as problem:
        raise InputError(f"{source}: {problem}") from problem
