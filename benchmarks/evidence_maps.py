"""Do corrected tests of maps keep their level, and what do 6, 18 and 26 neighbours find: simulated maps.

Smooth noise on a grid of 14 x 14 x 14 voxels, two groups of twelve runs, 99 permutations, cluster threshold p < .01.
Printed is the share of studies, in per cent, in which a family finds something at .05; with an effect (a ball of 2.5
voxels, 1.0 standard deviations) the mean share of its voxels that is found as well. Run it as

    .venv/bin/python benchmarks/evidence_maps.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "lib"))

from sphereconn.infer.contrast import Model
from sphereconn.infer.design import Design
from sphereconn.infer.shuffles import Exchangeability, plan_shuffles
from sphereconn.map.clusters import lattice_of
from sphereconn.map.inference import null_of_maps, results_of_maps

SHAPE, N_RUNS, N_SHUFFLES, CLUSTER_P, LEVEL = (14, 14, 14), 24, 99, 0.01, 0.05
STUDIES = {0.0: 600, 1.0: 200}
FAMILIES = ("maximum", "extent", "TFCE")


def maps_of(rng: np.random.Generator, group: np.ndarray, effect: float) -> np.ndarray:
    noise = np.array([gaussian_filter(rng.standard_normal(SHAPE), 1.0, mode="wrap") for _ in group])
    return (noise / noise.std()).reshape(len(group), -1) + effect * group[:, None] * ball().ravel()


def ball() -> np.ndarray:
    at = np.indices(SHAPE) - 6
    return (at**2).sum(axis=0) <= 2.5**2


def main() -> None:
    """Print the table."""
    group = np.repeat([0.0, 1.0], N_RUNS // 2)
    matrix = np.column_stack([np.ones(N_RUNS), group])
    contrast = np.array([[0.0, 1.0]])
    design = Design(matrix, ("intercept", "group"), ((), ("group",)), contrast, tuple(range(N_RUNS)), {}, {})
    exchangeability = Exchangeability("free")
    model, inside = Model(design, exchangeability, None, "equal", ()), ball().ravel()
    print(
        "| effect | neighbours | " + " | ".join(FAMILIES) + " | " + " | ".join(f"voxels, {f}" for f in FAMILIES) + " |"
    )
    for effect, n_studies in STUDIES.items():
        for neighbours in (6, 18, 26):
            lattice = lattice_of(np.ravel_multi_index(np.indices(SHAPE), SHAPE, order="F").ravel(), SHAPE, neighbours)
            found, voxels = np.zeros((n_studies, 3)), np.zeros((n_studies, 3))
            for study in range(n_studies):
                values = maps_of(np.random.default_rng(study), group, effect)
                shuffles = plan_shuffles(exchangeability, matrix, N_SHUFFLES, seed=study)
                null = null_of_maps(values, model, shuffles, lattice, cluster_p=CLUSTER_P)
                tested = results_of_maps(values, model, lattice, null, False, cluster_p=CLUSTER_P)
                for place, p in enumerate((tested.p_voxel.p, tested.p_cluster, tested.p_enhanced.p)):
                    found[study, place] = (p <= LEVEL).any()
                    voxels[study, place] = (p[inside] <= LEVEL).mean()
            shares = [*found.mean(axis=0), *(voxels.mean(axis=0) if effect else [])]
            print(
                f"| {effect:g} | {neighbours} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |",
                flush=True,
            )


if __name__ == "__main__":
    main()
