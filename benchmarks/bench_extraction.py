"""Extraction of 264 smoothed sphere signals: this library, nilearn's masker, and mere decompression of the file.

Two int16 images are made in a temporary folder, of 4 mm and of 2 mm voxels, both of the size and compressibility of
preprocessed runs. Every measurement has a fresh process with one thread; the contenders take turns, and medians are
shown. Run it as

    .venv/bin/python benchmarks/bench_extraction.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import record
from whole_process import ONE_THREAD

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "resources" / "coordinates" / "power264.tsv"
RADIUS, FWHM = 5.0, 6.0  # mm, as in nilearn's example on spheres
IMAGES = {  # voxels, frames, mm, standard deviation of the noise
    "4 mm": ((50, 59, 50), 168, 4.0, 45.0),
    "2 mm": ((97, 115, 97), 200, 2.0, 90.0),
}
REPEATS = 7
REPEATS_OF_NILEARN = {"4 mm": 3, "2 mm": 2}


def make_image(path: str, voxels: str) -> None:
    """Write the image of one of the sizes."""
    from images import write_image

    write_image(path, *IMAGES[voxels])


def seeds() -> list[tuple[float, float, float]]:
    columns, *lines = (line.split("\t") for line in SEEDS.read_text().splitlines())
    x, y, z = (columns.index(axis) for axis in "xyz")
    return [(float(line[x]), float(line[y]), float(line[z])) for line in lines]


def prepare_ours():
    sys.path.insert(0, str(ROOT / "workflow" / "lib"))
    import numpy as np

    from sphereconn.extract.signals import extract_sphere_signals

    def run(path):
        centres = np.array(seeds())
        names = [str(number) for number in range(len(centres))]
        radii = np.full(len(centres), RADIUS)
        return extract_sphere_signals(path, names, centres, radii, smoothing_fwhm=FWHM, min_coverage=0.0).signals

    return run


def prepare_nilearn():
    import warnings

    from nilearn.maskers import NiftiSpheresMasker

    warnings.simplefilter("ignore")
    return lambda path: NiftiSpheresMasker(seeds(), radius=RADIUS, smoothing_fwhm=FWHM).fit_transform(path)


def prepare_gzip():
    import gzip

    return lambda path: drain(gzip.open(path))


def prepare_isal():
    from isal import igzip

    return lambda path: drain(igzip.open(path))


def drain(file):
    with file:
        while file.read(1 << 19):
            pass


CONTENDERS = {"ours": prepare_ours, "nilearn": prepare_nilearn, "gzip": prepare_gzip, "isal": prepare_isal}


def measure(contender: str, path: str, kept: str) -> None:
    """Do the work of one contender in this process, print what it cost, keep the signals."""
    run = CONTENDERS[contender]()
    start, cpu_start = time.perf_counter(), time.process_time()
    signals = run(path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak}))
    if signals is not None:
        import numpy as np

        np.save(kept, signals)


def compare(one: str, other: str) -> None:
    """Print the largest difference of two contenders' signals, relative to the signals."""
    import numpy as np

    first, second = np.load(one), np.load(other)
    print(json.dumps(float(np.abs(first / second - 1).max())))


def call(*arguments: str) -> str:
    # This process stays small: what a parent has in memory counts as its child's peak.
    command = [sys.executable, __file__, "--step", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | ONE_THREAD).stdout


def bench(voxels: str, folder: Path) -> list[dict[str, Any]]:
    path, signals = folder / "bold.nii.gz", {name: folder / f"{name}.npy" for name in CONTENDERS}
    call("make_image", str(path), voxels)
    shape, n_frames, *_ = IMAGES[voxels]
    print(f"\n{voxels}: {' x '.join(map(str, shape))} voxels, {n_frames} frames, {path.stat().st_size / 1e6:.0f} MB")

    costs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
    for turn in range(REPEATS):
        for name in CONTENDERS:
            if name != "nilearn" or turn < REPEATS_OF_NILEARN[voxels]:
                start = time.perf_counter()
                cost = json.loads(call("measure", name, str(path), str(signals[name])))
                costs[name].append(cost | {"process": time.perf_counter() - start})
    median = {
        name: {key: statistics.median(cost[key] for cost in runs) for key in runs[0]} for name, runs in costs.items()
    }
    ours, nilearn, isal = median["ours"], median["nilearn"], median["isal"]

    print(f"  {'':10}{'seconds':>9}{'CPU s':>9}{'process s':>11}{'peak MB':>9}{'times ours':>12}{'repeats':>9}")
    for name, cost in median.items():
        print(
            f"  {name:10}{cost['seconds']:9.3f}{cost['cpu']:9.3f}{cost['process']:11.3f}{cost['peak']:9.0f}"
            f"{cost['seconds'] / ours['seconds']:12.2f}{len(costs[name]):9}"
        )
    print(
        f"  ours against nilearn: {nilearn['seconds'] / ours['seconds']:.1f} times faster"
        f" ({nilearn['process'] / ours['process']:.1f} times with start and imports),"
        f" {nilearn['peak'] / ours['peak']:.1f} times less memory\n"
        f"  ours against decompression alone: {ours['seconds'] / isal['seconds']:.2f} times as long"
    )
    difference = json.loads(call("compare", str(signals["ours"]), str(signals["nilearn"])))
    print(f"  largest relative difference to nilearn, which computes in float32 here: {difference:.1e}")
    if not difference < 1e-5:
        sys.exit("the signals disagree")
    return [
        {"voxels": voxels, "contender": name, "size_mb": path.stat().st_size / 1e6, **median[name]} for name in median
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only the small image")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        step, *rest = arguments.step
        {"make_image": make_image, "measure": measure, "compare": compare}[step](*rest)
        return
    print(f"264 spheres of {RADIUS:g} mm, smoothed by {FWHM:g} mm; seconds: after the imports; process: with them")
    rows = []
    for voxels in ["4 mm"] if arguments.quick else IMAGES:
        with tempfile.TemporaryDirectory() as folder:
            rows += bench(voxels, Path(folder))
    record("extraction", rows)


if __name__ == "__main__":
    main()
