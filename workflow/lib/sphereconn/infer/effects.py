"""Effects in Fisher's z, told as correlations."""

from __future__ import annotations

import numpy as np


def difference_in_r(effect: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return an effect in Fisher z as a difference of correlations around the mean of the edge.

    tanh(mean + effect / 2) - tanh(mean - effect / 2): what two runs half an effect above and below the mean differ by.
    It grows with the effect, so confidence limits in z may be passed as well and remain limits.

    Parameters
    ----------
    effect : ndarray
        In Fisher z.
    mean : ndarray
        Mean Fisher z of the edge, as ``EdgeStatistics.mean``.

    Examples
    --------
    >>> difference_in_r(np.array([0.2, 0.2]), np.array([0.0, 1.0])).round(3).tolist()
    [0.199, 0.084]
    """
    difference: np.ndarray = np.tanh(mean + effect / 2) - np.tanh(mean - effect / 2)
    return difference
