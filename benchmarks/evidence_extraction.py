"""Tables for docs/methods.md: what reaches a sphere from outside, frames without data, averages over runs.

    .venv/bin/python benchmarks/evidence_extraction.py

Each table has a known truth: nodes of independent white noise, or nilearn's own numbers in float64. About 2 minutes.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import nibabel
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

from sphereconn.aggregate.subjects import average_connectomes  # noqa: E402
from sphereconn.clean.cleaning import clean_signals  # noqa: E402
from sphereconn.connect.connectivity import connectome  # noqa: E402
from sphereconn.extract.signals import extract_sphere_signals  # noqa: E402

SHAPE, AFFINE = (20, 12, 12), np.diag([3.0, 3.0, 3.0, 1.0])
SEEDS = np.array([[12.0, 18.0, 18.0], [45.0, 18.0, 18.0]])  # 3 mm inside the edge of the mask
REST = ROOT / "resources" / "rest_bold" / "sub-001_task-rest_space-MNI152_res-4_bold.nii.gz"


def save(path: Path, data: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(data, AFFINE), path)
    return path


def ours(path: Path, mask: Path | None, fwhm: float, seeds: np.ndarray = SEEDS) -> np.ndarray:
    names = [str(number) for number in range(len(seeds))]
    radii = np.full(len(seeds), 5.0)
    return extract_sphere_signals(
        path, names, seeds, radii, mask=mask, smoothing_fwhm=fwhm, overlap="allow", min_coverage=0.0
    ).signals


def nilearns(path: Path, mask: Path | None, fwhm: float, seeds: np.ndarray = SEEDS, **settings: str) -> np.ndarray:
    from nilearn.maskers import NiftiSpheresMasker

    masker = NiftiSpheresMasker(
        [tuple(seed) for seed in seeds.tolist()],
        radius=5.0,
        mask_img=mask and str(mask),
        smoothing_fwhm=fwhm or None,
        allow_overlap=True,
        standardize=False,
        reports=False,
        **settings,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(masker.fit_transform(str(path)))


def r(signals: np.ndarray) -> float:
    return float(np.corrcoef(signals.T)[0, 1])


def leak(folder: Path) -> None:
    """An artefact of 5 % outside of the mask, two nodes inside: 20 draws of 400 frames of white noise."""
    print("\nfwhm (mm): mean r of two independent nodes, ours, nilearn, largest |r|")
    inside = np.zeros(SHAPE, dtype="u1")
    inside[2:18, :8] = 1
    mask = save(folder / "mask.nii", inside)
    for fwhm in (0.0, 3.0, 6.0, 9.0):
        found = []
        for draw in range(20):
            rng = np.random.default_rng(draw)
            data = rng.normal(1000, 10, (*SHAPE, 400)).astype("f4")
            data[:, 8:] += rng.normal(0, 50, 400).astype("f4")
            path = save(folder / "bold.nii", data)
            found.append((r(ours(path, mask, fwhm)), r(nilearns(path, mask, fwhm, dtype="float64"))))
        (us, them), (most, worst) = np.mean(found, axis=0), np.abs(found).max(axis=0)
        print(f"  {fwhm:4.0f}  {us:6.3f} {them:6.3f}   {most:5.2f} {worst:5.2f}")


def zeros(folder: Path) -> None:
    """Frames of zeros in 200 frames of mean 500 and sd 10, band-passed: rms difference of r without them."""
    print("\nzero frames: rms of r(with) - r(without), frames named, frames taken for data; 45 pairs, 4 draws")
    seeds = np.array([[x, y, 18.0] for x in (6, 18, 30, 42, 54) for y in (6, 24)], dtype=float)
    for words, frames in (("first 2", [0, 1]), ("last 3", [197, 198, 199]), ("one in the middle", [100])):
        errors = []
        for draw in range(4):
            data = np.random.default_rng(draw).normal(500, 10, (*SHAPE, 200)).astype("f4")
            whole = ours(save(folder / "a.nii", data), None, 0.0, seeds)
            data[..., frames] = 0
            spoilt = ours(save(folder / "b.nii", data), None, 0.0, seeds)
            kept = np.isfinite(spoilt).all(axis=1)
            filled = np.where(kept[:, None], spoilt, 0.0)
            of_kept, of_all, truth = (
                np.corrcoef(clean_signals(x, 2.0, high_pass=0.01, low_pass=0.1, kept=k).signals.T)[
                    np.triu_indices(10, 1)
                ]
                for x, k in ((spoilt, kept), (filled, None), (whole, None))
            )
            errors.append([np.mean((of_kept - truth) ** 2), np.mean((of_all - truth) ** 2)])
        named, taken = np.sqrt(np.mean(errors, axis=0))
        print(f"  {words:18} {named:.3f}  {taken:.3f}")


def truncation() -> None:
    """The shipped run, of integers: nilearn cuts the means of spheres to integers unless it is told otherwise."""
    from numpy import loadtxt

    table = loadtxt(ROOT / "resources/coordinates/power264.tsv", delimiter="\t", dtype=str)
    columns = [table[0].tolist().index(axis) for axis in "xyz"]
    seeds = table[1:, columns].astype(float)[::12]
    print(f"\n{REST.name}, {len(seeds)} spheres: largest difference of nilearn's signals from the mean in float64")
    exact = nilearns(REST, None, 0.0, seeds, dtype="float64")
    cut = nilearns(REST, None, 0.0, seeds)
    of_us = np.abs(ours(REST, None, 0.0, seeds) - exact).max()
    print(f"  nilearn as it is {np.abs(cut - exact).max():.3f}; ours {of_us:.1e}")
    partial = [connectome(x, "partial correlation", "ledoit_wolf").matrix for x in (exact, cut)]
    print(f"  of partial correlations {np.abs(partial[0] - partial[1]).max():.4f}")


def averages() -> None:
    """Runs of 40 and 400 frames, independent nodes: what weights do; nine runs at r 0.2 and one at 1."""
    rng = np.random.default_rng(0)
    z = np.array([[np.arctanh(np.corrcoef(rng.normal(size=(2, n)))[0, 1]) for n in (40, 400)] for _ in range(20000)])
    print("\nsd of z of an average of 40 and 400 frames")
    for words, weights in (("equal", (1, 1)), ("degrees of freedom", (37, 397))):
        print(f"  {words:20} {np.std(np.average(z, axis=1, weights=weights)):.4f}")
    pair = [np.array([[1, x], [x, 1]]) for x in [0.2] * 9 + [1.0]]
    clipped = np.tanh(np.mean([np.arctanh(np.nextafter(1, 0)), *[np.arctanh(0.2)] * 9]))
    found = average_connectomes(pair, diagonal=False)[0, 1]
    print(f"nine runs at 0.2 and one at 1: clipped {clipped:.3f}, ours {found:.3f}")


def minimum() -> None:
    """Which number says how far a run's correlations scatter: 1 / var(r) of independent nodes by kind of run."""
    print("\nTR  AR  censored  regressors  filter |  1/var(r)  counted  effective")
    ratios = []
    for tr, phi, censored, regressors, band in (
        (2.0, 0.0, 0.0, 0, False),
        (2.0, 0.5, 0.0, 0, False),
        (0.8, 0.8, 0.0, 0, False),
        (2.0, 0.3, 0.0, 6, True),
        (2.0, 0.3, 0.4, 6, True),
        (0.8, 0.6, 0.0, 24, True),
        (0.8, 0.6, 0.4, 24, True),
        (2.0, 0.5, 0.5, 6, False),
    ):
        n_frames, squares, counted, effective = int(360 / tr), [], [], []
        for draw in range(12):
            rng = np.random.default_rng(draw)
            noise = rng.normal(size=(n_frames + 50, 30 + regressors))
            for t in range(1, len(noise)):
                noise[t] += phi * noise[t - 1]
            noise = noise[50:]
            kept = np.ones(n_frames, dtype=bool)
            while kept.mean() > 1 - censored:
                start = rng.integers(1, n_frames - 6)
                kept[start : start + rng.integers(1, 6)] = False
            result = clean_signals(
                noise[:, :30],
                tr,
                confounds=noise[:, 30:],
                confound_names=[str(number) for number in range(regressors)],
                kept=kept,
                high_pass=0.01 if band else None,
                low_pass=0.1 if band else None,
            )
            squares.append(np.mean(np.corrcoef(result.signals.T)[np.triu_indices(30, 1)] ** 2))
            counted.append(result.degrees_of_freedom)
            effective.append(result.effective_degrees_of_freedom)
        worth, count, effect = 1 / np.mean(squares), np.mean(counted), np.mean(effective)
        ratios.append((count / worth, effect / worth))
        band_words = "0.01-0.1" if band else "none"
        print(
            f"{tr:3} {phi:3} {censored:7.0%} {regressors:9} {band_words:>12} | {worth:8.1f} {count:8.1f} {effect:8.1f}"
        )
    low, high = np.min(ratios, axis=0), np.max(ratios, axis=0)
    print(f"number / (1/var(r)): counted {low[0]:.2f} to {high[0]:.2f}, effective {low[1]:.2f} to {high[1]:.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        leak(Path(folder))
        zeros(Path(folder))
    truncation()
    averages()
    minimum()


if __name__ == "__main__":
    main()
