"""The log of a job, and what a person reads when the job fails."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from sphereconn.errors import InputError


@contextmanager
def logged(path: str) -> Iterator[None]:
    """Send what a job prints to its log; end the job with one sentence there when the input is at fault.

    An ``InputError`` is the user's to mend and comes without a traceback, any other exception with one.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        warnings.simplefilter("default")
        try:
            yield
        except InputError as problem:
            print(f"error: {problem}", file=log)
        except Exception:
            traceback.print_exc(file=log)
        else:
            return
    sys.exit(1)
