"""Compiling numeric loops to machine code, once a machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

# Sums may be reordered and multiplications fused, which lets loops use vector instructions. The flags that declare NaN
# and infinity impossible are left out: the kernels test for them.
REORDERING = {"reassoc", "contract", "arcp", "nsz"}


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, and keep the machine code for later processes.

    The code is kept in ``NUMBA_CACHE_DIR`` when that is set, else beside the module, else (the package is read-only) in
    the user's cache folder. Files appear there by renaming, so processes that compile at the same time do not disturb
    each other. Where no folder can be written, every process compiles for itself. The machine code holds no lock, so
    threads may run it side by side.
    """
    return _dispatcher(function)


def inlined(function: Function) -> Function:
    """Compile a function into each compiled function that calls it.

    Else both would hold a copy of it, compiled to sums in different orders, and which of the copies a process runs
    would depend on whether it has compiled them itself or found them in the cache: the first fits of a new installation
    would differ from all later ones in the last digits that the duality gap leaves open.
    """
    return _dispatcher(function, inline=True)


def _dispatcher(function: Function, inline: bool = False) -> Function:
    try:
        dispatcher = numba.njit(cache=True, nogil=True, fastmath=REORDERING, forceinline=inline)(function)
    except RuntimeError:  # numba found no folder to write to
        dispatcher = numba.njit(nogil=True, fastmath=REORDERING, forceinline=inline)(function)
    return cast(Function, dispatcher)
