"""Remove byte code of this library that a full disk has cut short: Python would end at every start, and blame no file.

Run as a file, before anything is imported from here.
"""

import contextlib
import marshal
import sys
from pathlib import Path

HEADER = 16  # bytes

for path in Path(__file__).parents[1].glob(f"**/__pycache__/*.{sys.implementation.cache_tag}.pyc"):
    with contextlib.suppress(OSError):
        try:
            marshal.loads(path.read_bytes()[HEADER:])
        except (EOFError, ValueError, TypeError):
            path.unlink()
