"""Whether what a contrast tests goes together with head motion."""

from __future__ import annotations

from typing import Any

import numpy as np

from sphereconn.files import MISSING, is_number, to_number
from sphereconn.infer.contrast import Model
from sphereconn.infer.formula import INTERCEPT, Test, tested_columns
from sphereconn.infer.glm import edge_statistics

MOTION = "mean_framewise_displacement"


def with_motion(model: Model, test: Test) -> dict[str, Any] | None:
    """Return what a contrast finds of head motion, put in the place of an edge.

    The model is that of the contrast without the columns that are made of motion.

    Parameters
    ----------
    model, test
        Of the contrast.

    Returns
    -------
    dict or None
        ``Effect`` in mm and ``StandardizedEffect``, the same in residual standard deviations (both None for F; of two
        groups the second is Cohen's d), ``PartialR``, ``P``, and ``InModel``: whether the contrast adjusts for motion.
        None where motion itself or a mean is tested, motion is not known of enough runs, or it does not vary.
    """
    columns, design = tested_columns(test), model.design
    of_others = [place for place, made_of in enumerate(design.made_of) if MOTION not in made_of]
    if not columns or MOTION in columns or INTERCEPT in test:
        return None
    cells = [row.get(MOTION, MISSING) for row in model.rows]
    motion = np.array([[to_number(cell) if is_number(cell) else np.nan] for cell in cells])
    found = edge_statistics(
        motion,
        design.matrix[:, of_others],
        design.contrast[:, of_others],
        weights=model.weights,
        variances=model.variances,
    )
    if not np.isfinite(found.p[0]):
        return None
    return {
        "Effect": float(found.effect[0]) if np.isfinite(found.effect[0]) else None,
        "StandardizedEffect": float(found.cohens_d[0]) if np.isfinite(found.cohens_d[0]) else None,
        "PartialR": float(found.partial_r[0]),
        "P": float(found.p[0]),
        "InModel": len(of_others) < len(design.columns),
    }
