"""Make the pictures of the gallery and the README from the results of two studies.

``make pictures`` runs config/config.yaml (into results/) and docs/gallery.yaml (into results_gallery/) and then this.
Pictures are small, for they stay in the history of the repository; pages are photographed by Chromium.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import Browser, find_chromium  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTHS = {"gallery": 760, ".": 1100}  # at most, by folder
COLOURS = 256
GROUP = "results/group/figures/"
RUN = "results/sub-01/figures/sub-01_task-rest_space-MNI152_atlas-"
HALVES = "results_gallery/group/figures/reliability-halves_atlas-dosenbach160r4p5_meas-correlation_desc-bandpass_"
RADII = "results_gallery/group/figures/comparison-radii_atlas-dosenbach160_meas-correlation_desc-bandpass_radii.png"
FIGURES = {  # picture -> the figure that it is
    "dmn_partial_correlation": GROUP + "group-all_atlas-dmn_meas-partial_desc-bandpass_glassbrain-lyrz.png",
    "power264_correlation": GROUP + "group-all_atlas-power264_meas-correlation_desc-bandpass_relmat.png",
    "contrast_age": GROUP + "contrast-age_atlas-power264_meas-correlation_desc-bandpass_effects.png",
    "seed_map": GROUP + "group-all_atlas-dmn_meas-dmnmaps_desc-bandpass_seed-posteriorcingulatecortex_slices.png",
    "gallery/networks": GROUP + "group-all_atlas-dosenbach160_meas-correlation_desc-bandpass_networks.png",
    "gallery/strength": GROUP + "group-all_atlas-dosenbach160_meas-correlation_desc-bandpass_strength.png",
    "gallery/path": GROUP + "group-all_atlas-salience_meas-groupsparse_desc-bandpass_path.png",
    "gallery/difference": GROUP
    + "site-essen_minus-bochum_atlas-salience_meas-correlation_desc-bandpass_difference.png",
    "gallery/difference_brain": GROUP
    + "site-essen_minus-bochum_atlas-dmn_meas-correlation_desc-bandpass_difference-brain.png",
    "gallery/contrast_pairs": GROUP + "contrast-age_atlas-power264_meas-correlation_desc-bandpass_networkpairs.png",
    "gallery/contrast_strongest": GROUP + "contrast-age_atlas-power264_meas-correlation_desc-bandpass_strongest.png",
    "gallery/comparison": GROUP + "comparison-denoising_atlas-power264_meas-correlation_criteria.png",
    "gallery/comparison_distance": GROUP + "comparison-denoising_atlas-power264_meas-correlation_distance.png",
    "gallery/signals": RUN + "salience_desc-bandpass_timeseries.png",
    "gallery/reliability": HALVES + "icc.png",
    "gallery/reliability_networks": HALVES + "networks.png",
    "gallery/reliability_similarity": HALVES + "similarity.png",
    "gallery/reliability_minutes": HALVES + "minutes.png",
    "gallery/radii": RADII,
}
PAGES = {  # picture -> page or SVG, and the window in which it is seen
    "page": (GROUP + "groups_atlas-power264_desc-bandpass_connectomes.html#strongest=150", 1400, 860),
    "gallery/sheet": (RUN + "power264_sheet.svg", 1100, 800),
}


def main() -> None:
    """Make every picture; the studies must have run."""
    for name, figure in FIGURES.items():
        save(Image.open(ROOT / figure), name)
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("Chromium is needed for the pictures of pages (Debian and Ubuntu: apt install chromium).")
    browser = Browser(chromium)
    for name, (address, width, height) in PAGES.items():
        save(photograph(browser, address, width, height), name)
    browser.close()


def photograph(browser: Browser, address: str, width: int, height: int) -> Image.Image:
    """Return a page as it is seen in a window."""
    path, _, fragment = address.partition("#")
    browser.open(f"{(ROOT / path).as_uri()}#{fragment}", width, height)
    if path.endswith("_connectomes.html"):
        browser.wait_until("document.querySelector('#brain').dataset.quality === 'fine'")
    with tempfile.TemporaryDirectory() as folder:
        browser.screenshot(Path(folder) / "page.png")
        return Image.open(Path(folder) / "page.png").convert("RGB")


def save(picture: Image.Image, name: str) -> None:
    """Write a picture small."""
    picture = picture.convert("RGB")
    width = min(picture.width, WIDTHS[str(Path(name).parent)])
    picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    picture = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=8, dither=Image.Dither.NONE)
    picture.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
