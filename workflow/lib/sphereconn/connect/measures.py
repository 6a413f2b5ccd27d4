"""What the numbers of a connectome are, in words and in the keys of its sidecar, for every kind of estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from sphereconn import provenance
from sphereconn.connect.connectivity import KINDS, choose, describe

SPARSE = "sparse inverse covariance"
GROUP_SPARSE = "group sparse inverse covariance"
TANGENT = "tangent"
SPARSE_WORDS = {
    SPARSE: "the graphical lasso (sparse inverse covariance)",
    GROUP_SPARSE: "the group graphical lasso (sparse inverse covariances of all runs, with the same edges)",
}
# What the sidecar of a connectome takes over from that of the cleaned signals.
TAKEN_OVER = (
    "LeftOut",
    "Combined",
    "RunsCombined",
    "RunsLeftOut",
    "NumberOfVolumes",
    "NumberOfVolumesKept",
    "NumberOfVolumesDiscardedByMotionScrubbing",
    "NumberOfVolumesDiscardedByNonsteadyStatesDetector",
    "NumberOfVolumesWithoutData",
    "MeanFramewiseDisplacement",
    "ConfoundRegressors",
    "DegreesOfFreedom",
    "EffectiveDegreesOfFreedom",
    "NodeFiles",
)


def measure(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a connectome in the keys of BIDS extension proposal 17.

    Parameters
    ----------
    settings
        Of the estimator: ``kind``, one of ``connectivity.KINDS``, ``SPARSE_WORDS`` or ``TANGENT``; with it, for the
        first and the last, the ``covariance`` behind it and its ``samples``, and for a sparse one which ``matrix`` of
        the fit it is, a kind as well.
    """
    if settings["kind"] == TANGENT:
        described = describe("covariance", settings["covariance"], settings["samples"])
        return {
            **described,
            "RelationshipMeasure": f"tangent displacement of the {described['RelationshipMeasure']}",
            "MeasureDescription": f"log(G^-1/2 {described['MeasureDescription'].replace(',', ' G^-1/2),', 1)}; G is the"
            " geometric mean of C over the runs, and log the logarithm of a matrix",
        }
    if settings["kind"] not in SPARSE_WORDS:
        return describe(settings["kind"], settings["covariance"], settings["samples"])
    matrix, words = settings["matrix"], SPARSE_WORDS[settings["kind"]]
    return {
        **describe(matrix, "empirical"),
        "RelationshipMeasure": f"{matrix} from {words}",
        "MeasureDescription": f"{choose(KINDS, matrix).formula}, where C is the inverse of the precision P that {words}"
        " finds for the z-scored signals",
    }


def measure_of_geometric_mean(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the matrix that the displacements of a tangent space start from, likewise."""
    described = describe("covariance", settings["covariance"], settings["samples"])
    return {
        **described,
        "RelationshipMeasure": f"geometric mean of the {described['RelationshipMeasure']}",
        "MeasureDescription": f"The matrix with the least mean squared distance to {described['MeasureDescription']};"
        " the distance is the norm of the tangent displacement",
    }


class Certified(Protocol):
    """A fit with the proof of its accuracy: ``SparseInverseCovariance``, ``GroupSparseInverseCovariance``."""

    @property
    def alpha(self) -> float:
        """The penalty."""

    @property
    def path(self) -> dict[str, np.ndarray]:
        """The penalties that were tried, empty when it was given."""

    @property
    def duality_gap(self) -> float:
        """Bound of the distance from the optimum."""

    @property
    def n_iterations(self) -> int:
        """Sweeps of the solver."""

    @property
    def unusable(self) -> tuple[int, ...]:
        """Positions of the nodes left out."""


def certificate(fit: Certified, n_nodes: int) -> dict[str, Any]:
    """Say which penalty a sparse inverse covariance has and how accurate it is; ``n_nodes`` counts all nodes."""
    n_used = n_nodes - len(fit.unusable)
    return {
        "Alpha": fit.alpha,
        "AlphaAtEndOfPath": end_of_path(fit.alpha, fit.path),
        "DualityGap": fit.duality_gap,
        "DualityGapPerNode": fit.duality_gap / max(n_used, 1),
        "Converged": True if n_used else None,  # what does not converge is an error, and writes nothing
        "Iterations": fit.n_iterations,
    }


def end_of_path(alpha: float, path: Mapping[str, np.ndarray]) -> str | None:
    """Tell whether a penalty is the "largest" or the "smallest" of those that could be fitted; None for neither."""
    if not path:
        return None
    fitted = path["alpha"][path["fitted"] == 1]
    if alpha == fitted.max():
        return "largest"
    return "smallest" if alpha == fitted.min() else None


def fewer_degrees_of_freedom_than_nodes(
    settings: Mapping[str, Any], cleaned: Mapping[str, Any], n_nodes: int
) -> bool | None:
    """Tell whether an estimate that inverts a covariance has fewer independent frames than nodes; None for others."""
    kind, worth = settings["kind"], cleaned.get("EffectiveDegreesOfFreedom")
    if worth is None or not (kind in SPARSE_WORDS or kind == TANGENT or KINDS[kind].inverts):
        return None
    return bool(worth < n_nodes)


def connectome_sidecar(
    settings: Mapping[str, Any],
    estimate: Mapping[str, Any],
    names: Sequence[str],
    unusable: Sequence[str],
    cleaned: Mapping[str, Any],
    inputs: Sequence[str],
    result: str,
) -> dict[str, Any]:
    """Give the sidecar of the connectome of a run.

    Parameters
    ----------
    settings
        Of the estimator.
    estimate
        What the estimate says of itself, such as its shrinkage.
    names, unusable
        Names of all nodes, and of those that the connectome has no value for.
    cleaned
        The sidecar of the cleaned signals.
    inputs, result
        Paths of the files that it was made from, and its own.
    """
    return {
        **measure(settings),
        **estimate,
        "NodesUnusable": list(unusable),
        "FewerDegreesOfFreedomThanNodes": fewer_degrees_of_freedom_than_nodes(
            settings, cleaned, len(names) - len(unusable)
        ),
        **{key: cleaned[key] for key in TAKEN_OVER if key in cleaned},
        "Settings": settings,
        "Sources": provenance.sources(inputs, result),
        "Software": provenance.software(),
    }
