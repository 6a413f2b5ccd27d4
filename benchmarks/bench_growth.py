"""How costs grow: with the nodes, from image to connectome and to figure; and with the runs of a study.

Nodes: seconds of the processor in one process with one thread, after imports, median of three. Runs: seconds of the
clock on two cores, each start included. nilearn and scikit-learn do the same work where that takes some minutes at
most.

Run it as

    .venv/bin/python benchmarks/bench_growth.py [--quick]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from whole_process import ONE_THREAD, cost_of

os.environ.update(ONE_THREAD)  # before numpy reads them

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

import bench_extraction  # noqa: E402
import numpy as np  # noqa: E402
from bench_sparse import generated  # noqa: E402
from record import record  # noqa: E402

from sphereconn.clean.cleaning import clean_signals  # noqa: E402
from sphereconn.connect.connectivity import connectome  # noqa: E402
from sphereconn.connect.sparse_selection import sparse_inverse_covariance  # noqa: E402
from sphereconn.draw.glassbrain import connectome_figure  # noqa: E402
from sphereconn.draw.style import save_figure  # noqa: E402
from sphereconn.extract.signals import extract_sphere_signals  # noqa: E402

NODES = (4, 30, 100, 264, 500, 1000)
MOST_OF_SKLEARN, MOST_EDGES_OF_NILEARN = 264, 100  # nodes; beyond these they take minutes
RUNS = (10, 100, 1000)
FRAMES, REPETITION_TIME = 168, 2.0

STUDY = """
output_dir: results
runs: runs.tsv
seed_sets: {dmn: {seeds: dmn, radius: 8}}
denoising: {bandpass: {high_pass: 0.01, low_pass: 0.1}}
estimators: {partial: {kind: partial correlation}}
"""


def cost(work: Callable[[], Any], repeats: int = 3) -> float:
    """Median processor seconds of some work."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def points(n_nodes: int) -> np.ndarray:
    """Points in the head, far enough from its rim for whole spheres."""
    rng = np.random.default_rng(n_nodes)
    directions = rng.standard_normal((n_nodes, 3))
    radius = 55 * rng.uniform(size=(n_nodes, 1)) ** (1 / 3)
    return directions / np.linalg.norm(directions, axis=1, keepdims=True) * radius + (0, -18, 10)


def with_the_nodes(image: Path, folder: Path) -> list[dict[str, Any]]:
    """Measure every step for growing numbers of nodes."""
    from nilearn.maskers import NiftiSpheresMasker
    from nilearn.plotting import plot_connectome
    from sklearn.covariance import GraphicalLassoCV

    rows, figure = [], folder / "figure.png"
    sparse_inverse_covariance(generated(5, seed=0))  # compiles
    for n_nodes in NODES:
        xyz, names, radii = points(n_nodes), [str(node) for node in range(n_nodes)], np.full(n_nodes, 5.0)
        series = generated(n_nodes, seed=1)
        matrix = connectome(series, "correlation", "empirical").matrix

        def draw(n: int = n_nodes, m: np.ndarray = matrix, c: np.ndarray = xyz) -> None:
            save_figure(connectome_figure(m, c, title=f"{n} nodes", label="correlation", threshold=None), figure)

        row = {
            "nodes": n_nodes,
            "extract": cost(
                lambda c=xyz, n=names, r=radii: extract_sphere_signals(
                    image, n, c, r, smoothing_fwhm=6.0, overlap="allow", min_coverage=0.0
                )
            ),
            "clean": cost(lambda s=series: clean_signals(s, REPETITION_TIME, high_pass=0.01, low_pass=0.1)),
            "partial correlation": cost(lambda s=series: connectome(s, "partial correlation", "ledoit_wolf")),
            "sparse inverse covariance": cost(lambda s=series: sparse_inverse_covariance(s, cv=3), 1),
            "draw": cost(draw, 1),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            masker = NiftiSpheresMasker(
                list(map(tuple, xyz)), radius=5.0, smoothing_fwhm=6.0, allow_overlap=True, standardize=False
            )
            row["extract, nilearn"] = cost(lambda m=masker: m.fit_transform(str(image)), 1)
            if n_nodes <= MOST_OF_SKLEARN:
                row["sparse inverse covariance, scikit-learn"] = cost(lambda s=series: GraphicalLassoCV(cv=3).fit(s), 1)
            if n_nodes <= MOST_EDGES_OF_NILEARN:
                row["draw, nilearn"] = cost(lambda m=matrix, c=xyz: plot_connectome(m, c).savefig(str(figure)), 1)
        print("  ".join(f"{key} {value:.4g}" for key, value in row.items()), flush=True)
        rows.append(row)
    return rows


def with_the_runs(image: Path, counts: tuple[int, ...]) -> list[dict[str, Any]]:
    """Time a study of four nodes a run, from images to the group's mean, and again when nothing has changed."""
    rows = []
    for n_runs in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            numbers = [f"{number:05d}" for number in range(1, n_runs + 1)]
            for number in numbers:  # a study refuses runs that have the same image
                os.link(image, folder / f"{number}.nii.gz")
            lines = [f"{number}\t{number}.nii.gz\t{REPETITION_TIME}" for number in numbers]
            (folder / "runs.tsv").write_text("subject\tbold\trepetition_time\n" + "\n".join(lines) + "\n")
            (folder / "study.yaml").write_text(STUDY)
            command = [ROOT / ".venv/bin/snakemake", "-s", ROOT / "Snakefile", "--configfile", "study.yaml"]
            command += ["--profile", ROOT / "profiles/default", "--cores", "2", "groups"]
            first, again = (cost_of(command, folder, folder / "run.log") for _ in range(2))
            peak = max(first.peak_mb, again.peak_mb)
            row = {"runs": n_runs, "first": first.seconds, "again": again.seconds, "peak_mb": peak}
        print("  ".join(f"{key} {value:.4g}" for key, value in row.items()), flush=True)
        rows.append(row)
    return rows


def main() -> None:
    """Print and record both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without 1,000 runs")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as name:
        image = Path(name, "bold.nii.gz")
        bench_extraction.call("make_image", str(image), "4 mm")
        record("nodes", with_the_nodes(image, Path(name)))
        record("runs", with_the_runs(image, RUNS[:-1] if quick else RUNS))


if __name__ == "__main__":
    main()
