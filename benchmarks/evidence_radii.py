"""Tables for docs/methods.md: what spheres share at several radii, and what one pass for all radii saves.

    .venv/bin/python benchmarks/evidence_radii.py

In an image of independent voxels, the correlation between two spheres is the cosine of their weights: whatever is above
0 comes from voxels that they share, or that smoothing carries from one to the other. About a minute.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import nibabel
import numpy as np
from scipy.sparse import csr_array

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

from sphereconn.compare.radii import overlapping_share  # noqa: E402
from sphereconn.extract.images import iter_frames, read_header  # noqa: E402
from sphereconn.extract.signals import extract_sphere_signals, extract_together  # noqa: E402
from sphereconn.extract.spheres import find_spheres, settle_overlap, sphere_weights  # noqa: E402
from sphereconn.study.seeds import SeedTable, read_seeds  # noqa: E402

RADII, WIDTHS = (4.0, 5.0, 6.0, 8.0, 10.0), (0.0, 6.0)
SHAPE, AFFINE = (91, 109, 91), np.diag([2.0, 2.0, 2.0, 1.0])
AFFINE[:3, 3] = (-90, -126, -72)
N_FRAMES = 200


def shared(seeds: SeedTable, radius: float, width: float, overlap: str) -> np.ndarray:
    """Give the correlations between the spheres of independent voxels, one a pair."""
    radii = np.full(len(seeds.names), radius)
    found = settle_overlap(find_spheres(seeds.coordinates, radii, SHAPE, AFFINE), seeds.names, overlap)  # type: ignore[arg-type]
    weights = sphere_weights(found, SHAPE, AFFINE, width)
    matrix = csr_array((weights.weight, (weights.sphere, weights.voxel)), shape=(len(radii), np.prod(SHAPE)))
    product = (matrix @ matrix.T).toarray()
    norms = np.sqrt(np.diag(product))
    cosines: np.ndarray = (product / norms / norms[:, None])[np.triu_indices(len(radii), 1)]
    return cosines


def tissue(seeds: SeedTable) -> None:
    print("| radius, mm | spheres that overlap | pairs | mean r of these, `allow` | largest | 6 mm smoothing: r > .1 |")
    print("|---|---|---|---|---|---|")
    for radius in RADII:
        share = overlapping_share(seeds.coordinates, np.full(len(seeds.names), radius))
        r, smoothed, nearest = (
            shared(seeds, radius, width, overlap) for width, overlap in ((0, "allow"), (6, "allow"), (6, "nearest"))
        )
        known = r[r > 0]
        print(
            f"| {radius:g} | {100 * share:.0f} % | {len(known)} | {known.mean() if len(known) else 0:.2f} |"
            f" {r.max():.2f} | {(smoothed > 0.1).sum()} (`nearest` {(nearest > 0.1).sum()}) |"
        )


def reading(seeds: SeedTable) -> None:
    print("\n| smoothing, mm | a pass for each radius, CPU s | of which decompression | one pass for all radii |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.nii.gz"
        rng = np.random.default_rng(0)
        rest = nibabel.Nifti1Image.from_filename(
            ROOT / "resources/rest_bold/sub-001_task-rest_space-MNI152_res-4_bold.nii.gz"
        )
        mean = np.asarray(rest.dataobj).mean(axis=3).repeat(2, 0).repeat(2, 1).repeat(2, 2)
        frames = [np.where(mean > 0, mean + rng.normal(0, 20, mean.shape), 0).astype(np.int16) for _ in range(N_FRAMES)]
        affine = rest.affine @ np.diag([0.5, 0.5, 0.5, 1])
        nibabel.save(nibabel.Nifti1Image(np.stack(frames, axis=3), affine), path)
        del frames
        header = read_header(path)
        start = time.process_time()
        for _ in iter_frames(header):
            pass
        once = time.process_time() - start
        for width in WIDTHS:
            told = {"names": seeds.names, "seeds": seeds.coordinates, "smoothing_fwhm": width, "overlap": "allow"}
            sets = [told | {"radii": np.full(len(seeds.names), radius), "min_coverage": 0.0} for radius in RADII]
            start = time.process_time()
            for one in sets:
                extract_sphere_signals(path, **one)
            each = time.process_time() - start
            start = time.process_time()
            extract_together(path, sets)
            together = time.process_time() - start
            print(f"| {width:g} | {each:.1f} | {len(RADII) * once:.1f} | {together:.1f} |")


if __name__ == "__main__":
    power = read_seeds(ROOT / "resources" / "coordinates" / "power264.tsv", 5.0)
    tissue(power)
    reading(power)
