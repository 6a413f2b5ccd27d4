"""Cleaning as one matrix: what it does to a signal, whichever signal it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sphereconn.clean.cleaning import clean_signals


def cleaning_operator(n_frames: int, repetition_time: float, **settings: Any) -> NDArray[np.float64]:
    """Return the matrix whose product with a signal is the cleaned signal, shape (n_frames_kept, n_frames).

    Detrending, interpolation, filter, censoring and regression of confounds are linear in the signal, so that what
    they make of the unit impulses is all that there is to know. Standardization is not linear, and is left out.

    Parameters
    ----------
    n_frames
        Number of frames of the run.
    repetition_time
        Seconds from one frame to the next.
    settings
        Further settings of `clean_signals`, but for ``standardize``.

    Raises
    ------
    InputError
        As `clean_signals` does.

    Examples
    --------
    >>> operator = cleaning_operator(100, 2.0, detrend=True)
    >>> line = np.arange(100.0)
    >>> bool(np.abs(operator @ line).max() < 1e-10)
    True
    """
    return clean_signals(np.eye(n_frames), repetition_time, standardize="none", **settings).signals
