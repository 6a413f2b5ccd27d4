"""Seed maps of one run beside nilearn's maskers, and permutation of maps beside nilearn's permuted_ols.

Maps: four spheres of 8 mm and every voxel of the head, eight confounds, 0.01 to 0.1 Hz. The rival cleans spheres by a
NiftiSpheresMasker, voxels by a NiftiMasker, and multiplies. Both are compared with a float64 reference at some voxels.

Permutation: 100 maps of 2 mm, a slope with three nuisance columns; maximum statistic, clusters and threshold-free
enhancement. nilearn does few permutations: what counts is the processor time at which 1,000 would be done.

Every measurement is a process of its own with one thread. Run it as

    .venv/bin/python benchmarks/bench_maps.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from images import write_image
from record import record
from whole_process import cost_of

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

IMAGES: dict[str, tuple[tuple[int, int, int], int, float, float]] = {
    "4 mm": ((50, 59, 50), 200, 4.0, 45.0),
    "2 mm": ((91, 109, 91), 200, 2.0, 90.0),
}
SEEDS = np.array([(0, -52, 18), (-46, -68, 32), (46, -68, 32), (1, 50, -5)], dtype=float)
RADIUS, TIME = 8.0, 2.0
BAND: dict[str, Any] = {"high_pass": 0.01, "low_pass": 0.1}
PADDING: dict[str, Any] = {"padtype": "odd"}  # nilearn's, so that both compute the same
N_MAPS, GRID = 100, (91, 109, 91)
PERMUTATIONS = {"ours": (256, 64), "nilearn": (2, 1)}


def confounds_of(n_frames: int) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((n_frames, 8))


def ours(folder: Path) -> np.ndarray:
    from sphereconn.clean.cleaning import clean_signals
    from sphereconn.clean.operator import cleaning_operator
    from sphereconn.extract.images import read_header, read_mask
    from sphereconn.extract.signals import extract_sphere_signals
    from sphereconn.map.projection import project
    from sphereconn.map.seeds import unit_seeds
    from sphereconn.map.voxels import seed_maps

    bold, mask = str(folder / "bold.nii.gz"), str(folder / "mask.nii.gz")
    image = read_header(bold)
    inside = read_mask(mask, image.shape, image.affine).ravel(order="F")
    names, radii = [str(number) for number in range(len(SEEDS))], np.full(len(SEEDS), RADIUS)
    spheres = extract_sphere_signals(bold, names, SEEDS, radii, mask=mask)
    settings: dict[str, Any] = {
        "confounds": confounds_of(image.n_frames),
        "confound_names": [str(number) for number in range(8)],
        **BAND,
        **PADDING,
    }
    signals = clean_signals(spheres.signals, TIME, **settings).signals
    kept = np.ones(image.n_frames, dtype=bool)
    projection = project(cleaning_operator(image.n_frames, TIME, kept=kept, **settings))
    return seed_maps(image, inside, unit_seeds(signals, "correlation"), projection, kept).correlation[:, inside]


def nilearn(folder: Path) -> np.ndarray:
    import nibabel
    from nilearn.maskers import NiftiMasker, NiftiSpheresMasker

    warnings.simplefilter("ignore")
    bold, mask = str(folder / "bold.nii.gz"), str(folder / "mask.nii.gz")
    n_frames = nibabel.Nifti1Image.from_filename(bold).shape[3]
    settings = {"detrend": True, "standardize": "zscore_sample", "t_r": TIME, **BAND}
    confounds = confounds_of(n_frames)
    # Means over spheres of integer images would be truncated to integers.
    spheres = NiftiSpheresMasker(SEEDS.tolist(), radius=RADIUS, mask_img=mask, dtype="float64", **settings)
    signals = spheres.fit_transform(bold, confounds=confounds)
    voxels = NiftiMasker(mask_img=mask, dtype="float32", **settings).fit_transform(bold, confounds=confounds)
    maps: np.ndarray = signals.T @ voxels / (n_frames - 1)
    inside = np.asarray(nibabel.Nifti1Image.from_filename(mask).dataobj) > 0
    whole = np.zeros((len(maps), *inside.shape))
    whole[:, inside] = maps  # nilearn's order of voxels is another
    return whole.reshape(len(maps), -1, order="F")[:, inside.ravel(order="F")]


def make(folder: Path, voxels: str) -> None:
    """Write image, mask and the reference: maps at some voxels, cleaned one by one in float64."""
    import nibabel

    from sphereconn.clean.cleaning import clean_signals
    from sphereconn.extract.signals import extract_sphere_signals

    shape, n_frames, size, noise = IMAGES[voxels]
    inside = write_image(str(folder / "bold.nii.gz"), shape, n_frames, size, noise)
    image = nibabel.Nifti1Image.from_filename(folder / "bold.nii.gz")
    nibabel.save(nibabel.Nifti1Image(inside.astype(np.uint8), image.affine), folder / "mask.nii.gz")
    names, radii = [str(number) for number in range(len(SEEDS))], np.full(len(SEEDS), RADIUS)
    mask = str(folder / "mask.nii.gz")
    spheres = extract_sphere_signals(str(folder / "bold.nii.gz"), names, SEEDS, radii, mask=mask)
    some = np.flatnonzero(inside.ravel(order="F"))[::100]
    data = np.asarray(image.dataobj).reshape(-1, n_frames, order="F")[some].astype(np.float64)
    both = clean_signals(
        np.hstack([spheres.signals, data.T]),
        TIME,
        confounds=confounds_of(n_frames),
        confound_names=[str(number) for number in range(8)],
        standardize="none",
        **BAND,
        **PADDING,
    ).signals
    np.save(folder / "reference.npy", np.corrcoef(both, rowvar=False)[: len(SEEDS), len(SEEDS) :])


def maps_of_runs(voxels: str, folder: Path) -> list[dict[str, Any]]:
    """Measure the maps of one run."""
    rows, log = [], folder / "log"
    cost_of([sys.executable, __file__, "--step", "make", voxels, folder], ROOT, log)
    reference = np.load(folder / "reference.npy")
    for contender in ("ours", "nilearn"):
        cost = cost_of([sys.executable, __file__, "--step", contender, voxels, folder], ROOT, log)
        error = np.abs(np.load(folder / f"{contender}.npy") - reference).max()
        rows.append(
            {
                "voxels": voxels,
                "contender": contender,
                "seconds": cost.seconds,
                "cpu": cost.cpu,
                "peak_mb": cost.peak_mb,
                "error": float(error),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    if rows[0]["error"] > 1e-6:
        sys.exit("our maps are off by more than 1e-6")
    return rows


def maps_of_a_group() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give smooth maps, shape (n_maps, n_voxels), the voxels, and the design: intercept, slope, three more."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in GRID), indexing="ij")
    inside = sum((axis / half) ** 2 for axis, half in zip(axes, (0.78, 0.82, 0.78), strict=True)) < 1
    voxels = np.flatnonzero(inside.ravel(order="F"))
    values = np.empty((N_MAPS, len(voxels)))
    for row in values:
        row[:] = gaussian_filter(rng.standard_normal(GRID, dtype=np.float32), 1.5).ravel(order="F")[voxels]
    return values / values.std(), voxels, np.column_stack([np.ones(N_MAPS), rng.standard_normal((N_MAPS, 4))])


def permute_ours(n: int) -> float:
    from sphereconn.infer.contrast import Model
    from sphereconn.infer.design import Design
    from sphereconn.infer.shuffles import Exchangeability, plan_shuffles
    from sphereconn.map.clusters import lattice_of
    from sphereconn.map.inference import null_of_maps

    values, voxels, matrix = maps_of_a_group()
    columns = ("intercept", "slope", "a", "b", "c")
    design = Design(
        matrix, columns, ((), *((name,) for name in columns[1:])), np.eye(5)[[1]], tuple(range(N_MAPS)), {}, {}
    )
    exchangeability = Exchangeability("free")
    model = Model(design, exchangeability, None, "equal", ())
    shuffles, lattice = plan_shuffles(exchangeability, matrix, n, seed=0), lattice_of(voxels, GRID, 6)
    few = slice(0, 1000)
    null_of_maps(values[:, few], model, shuffles, lattice_of(voxels[few], GRID, 6), range(1, 2))  # compiled
    start = time.process_time()
    null_of_maps(values, model, shuffles, lattice)
    return time.process_time() - start


def permute_nilearn(n: int) -> float:
    import nibabel
    from nilearn.maskers import NiftiMasker
    from nilearn.mass_univariate import permuted_ols

    warnings.simplefilter("ignore")
    values, voxels, matrix = maps_of_a_group()
    inside = np.zeros(np.prod(GRID), dtype=np.uint8)
    inside[voxels] = 1
    mask = nibabel.Nifti1Image(inside.reshape(GRID, order="F"), np.diag([2.0, 2, 2, 1]))
    masker = NiftiMasker(mask_img=mask).fit()
    start = time.process_time()
    permuted_ols(
        matrix[:, 1:2], values, matrix[:, 2:], n_perm=n, random_state=0, n_jobs=1, output_type="dict", verbose=0,
        masker=masker, tfce=True, threshold=0.001,
    )  # fmt: skip
    return time.process_time() - start


def permutations(quick: bool, log: Path) -> list[dict[str, Any]]:
    """Measure the permutation of maps."""
    rows = []
    for contender, numbers in PERMUTATIONS.items():
        n = numbers[quick]
        cost = cost_of([sys.executable, __file__, "--step", f"permute_{contender}", str(n)], ROOT, log)
        cpu = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
        rows.append({"contender": contender, "permutations": n, "cpu_of_1000": cpu / n * 1000, "peak_mb": cost.peak_mb})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def step(name: str, *arguments: str) -> None:
    """Be one of the contenders, or make what they work on."""
    if name.startswith("permute_"):
        print(json.dumps({"permute_ours": permute_ours, "permute_nilearn": permute_nilearn}[name](int(arguments[0]))))
        return
    voxels, folder = arguments[0], Path(arguments[1])
    if name == "make":
        make(folder, voxels)
    else:
        np.save(folder / f"{name}.npy", {"ours": ours, "nilearn": nilearn}[name](folder)[:, ::100])


def main() -> None:
    """Measure all contenders, or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the small image, few permutations; nothing is recorded")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        step(*arguments.step)
        return
    rows = []
    for voxels in ["4 mm"] if arguments.quick else IMAGES:
        with tempfile.TemporaryDirectory() as folder:
            rows += maps_of_runs(voxels, Path(folder))
    if not arguments.quick:
        record("maps", rows)
    with tempfile.TemporaryDirectory() as folder:
        of_permutations = permutations(arguments.quick, Path(folder) / "log")
    if not arguments.quick:
        record("permuted_maps", of_permutations)


if __name__ == "__main__":
    main()
