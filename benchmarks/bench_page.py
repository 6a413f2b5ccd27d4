"""The interactive page of 264 nodes and all 34,716 edges in headless Chromium: its size, how soon it is seen, how fast
it follows the threshold slider; beside it the page that nilearn makes of the same connectome, which has no slider.

Neither has a graphics card here: nilearn's page draws with WebGL in software, ours with its own renderer. Run it as

    .venv/bin/python benchmarks/bench_page.py [--screenshots FOLDER]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from record import record

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow" / "lib"), str(ROOT / "tests")]

from browser import Browser, find_chromium  # noqa: E402

from sphereconn.draw.page import PageConnectome, connectome_page  # noqa: E402
from sphereconn.files import read_rows  # noqa: E402

REPEATS = {"this library": 5, "nilearn": 1}
PATIENCE = 300  # seconds
CONNECTOMES = 6
WEBGL_IN_SOFTWARE = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
POSITIONS = (0, 1, 0, 20, 100, 5, 400, 0)  # of the slider, from 0 (all edges) to 1000

PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"
MOVE_SLIDER = """
(async () => {
    const slider = document.querySelector('#threshold');
    const start = performance.now();
    slider.value = %d;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    await new Promise((done) => requestAnimationFrame(() => {
        const channel = new MessageChannel();  // its message comes after the frame has been painted
        channel.port1.onmessage = done;
        channel.port2.postMessage(0);
    }));
    return performance.now() - start;
})()
"""


def main() -> None:
    """Measure both pages and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screenshots", type=Path, help="keep a picture of each page in this folder")
    screenshots = parser.parse_args().screenshots
    executable = find_chromium()
    if executable is None:
        sys.exit("Chromium is not installed (Debian and Ubuntu: apt install chromium).")
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        names, coordinates, networks = seeds()
        matrix = correlations(coordinates)
        pages = {"this library": Path(folder, "ours.html"), "nilearn": Path(folder, "nilearn.html")}
        start = time.perf_counter()
        connectomes = [PageConnectome("correlation", f"group {i}", "correlation", matrix) for i in range(CONNECTOMES)]
        for number in (1, CONNECTOMES):
            page = connectome_page(names, coordinates, networks, connectomes[:number], title="264 nodes", threshold=0)
            pages["this library"].write_text(page, encoding="utf-8")
            print(f"{'this library':14} {number} connectomes: {len(page.encode()) / 1e6:.2f} MB")
        print(f"{'':14} made in {(time.perf_counter() - start) / 2:.2f} s")
        make_nilearn_page(matrix, coordinates, pages["nilearn"])
        record("page", [measure(executable, name, path, screenshots) for name, path in pages.items()])


def measure(executable: str, name: str, path: Path, screenshots: Path | None) -> dict[str, Any]:
    """Print and give when a page is first seen, and how long its slider takes if it has one."""
    browser = Browser(executable, *(() if name == "this library" else WEBGL_IN_SOFTWARE))
    try:
        opening, moving = [], []
        for _ in range(REPEATS[name]):
            browser.open(path.as_uri())
            opening.append(browser.evaluate(PAINTED, within=PATIENCE) / 1000)
            if name == "this library":
                moving += [browser.evaluate(MOVE_SLIDER % position) for position in POSITIONS]
        print(f"{name:14} seen after {statistics.median(opening):.2f} s (slowest {max(opening):.2f} s)")
        if moving:
            print(f"{name:14} slider redraws in {statistics.median(moving):.0f} ms (slowest {max(moving):.0f} ms)")
        if screenshots:
            time.sleep(1)
            browser.screenshot(screenshots / f"{path.stem}.png")
        return {
            "contender": name,
            "size_mb": path.stat().st_size / 1e6,
            "seen_s": statistics.median(opening),
            "slider_ms": statistics.median(moving) if moving else None,
        }
    finally:
        browser.close()


def seeds() -> tuple[list[str], np.ndarray, list[str]]:
    """Names, coordinates and networks of the 264 nodes of Power and others (2011)."""
    columns, rows = read_rows(ROOT / "resources" / "coordinates" / "power264.tsv")
    table = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
    return table["name"], np.array([table["x"], table["y"], table["z"]], dtype=float).T, table["network"]


def correlations(coordinates: np.ndarray) -> np.ndarray:
    """Correlations of random signals that are more alike the nearer their nodes are."""
    distance = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)
    signals = np.random.default_rng(0).standard_normal((200, len(coordinates))) @ np.exp(-distance / 15)
    return np.corrcoef(signals.T)


def make_nilearn_page(matrix: np.ndarray, coordinates: np.ndarray, path: Path) -> None:
    """Write nilearn's page of the connectome."""
    from nilearn.plotting import view_connectome

    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        view_connectome(matrix, coordinates).save_as_html(path)
    print(f"{'nilearn':14} 1 connectome: {path.stat().st_size / 1e6:.2f} MB")
    print(f"{'':14} made in {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
