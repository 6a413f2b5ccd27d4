"""What the numbers of a connectome are, in words and in the keys of its sidecar, for every kind of estimator."""

from __future__ import annotations

from typing import Any

from sphereconn.connect.connectivity import KINDS, choose, describe

SPARSE = "sparse inverse covariance"
SPARSE_WORDS = "the graphical lasso (sparse inverse covariance)"


def measure(kind: str, *, covariance: str = "ledoit_wolf", matrix: str = "partial correlation") -> dict[str, Any]:
    """Describe a connectome in the keys of BIDS extension proposal 17.

    Parameters
    ----------
    kind
        A kind of ``connectivity.KINDS``, or "sparse inverse covariance".
    covariance
        The covariance estimator behind a kind of ``connectivity.KINDS``.
    matrix
        Which matrix of a sparse inverse covariance the connectome is: a kind as well.
    """
    if kind != SPARSE:
        return describe(kind, covariance)
    chosen = choose(KINDS, matrix)
    return {
        **describe(matrix, "empirical"),
        "RelationshipMeasure": f"{matrix} from {SPARSE_WORDS}",
        "MeasureDescription": f"{chosen.formula}, where C is the inverse of the precision P that {SPARSE_WORDS} finds"
        " for the z-scored signals",
    }
