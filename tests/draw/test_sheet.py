"""A quality sheet shows the numbers that it is given, stays small, and is safe and repeatable; a page has it whole."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from pages import Page
from PIL import Image

from sphereconn.aggregate.cohort import standings
from sphereconn.aggregate.quality import QUALITY_COLUMNS
from sphereconn.aggregate.unusual import Concern
from sphereconn.clean.summary import summarize_signals
from sphereconn.draw.sheet import (
    ABSENT,
    SHADES,
    Spheres,
    by_network,
    described,
    pixels_of_each,
    quality_sheet,
    read_spheres,
    without_style,
)
from sphereconn.draw.subject_page import by_run, subject_page

HOSTILE = "</svg><script>alert(1)</script>\"'&"
SVG = "{http://www.w3.org/2000/svg}"


def sidecar_of(kept, **changes):
    n_frames = len(kept)
    return {
        "NumberOfVolumes": n_frames,
        "NumberOfVolumesKept": int(np.sum(kept)),
        "ConfoundRegressors": ["csf", "white_matter"],
        "EffectiveDegreesOfFreedom": 41.26,
        "Settings": {"high_pass": 0.01, "low_pass": 0.1},
    } | changes


def sheet_of(n_nodes=30, n_frames=120, labels=("bandpass", "scrubbed"), left_out=(), name="node", **changes):
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((n_frames, n_nodes))
    networks = [("a", "", "b")[place % 3] for place in range(n_nodes)]
    settings = {"order": by_network(networks), "most_pixels": pixels_of_each(len(labels))}
    whole = np.ones(n_frames, dtype=bool)
    denoised = []
    for place, label in enumerate(labels):
        kept = whole.copy()
        if place == 1:
            kept[10:14] = False
        if label in left_out:
            denoised.append(described(label, sidecar_of(kept, LeftOut="Too short."), kept, None))
        else:
            summary = summarize_signals(signals[kept], kept, 2.0, **settings)
            denoised.append(described(label, sidecar_of(kept), kept, summary))
    coverage = np.ones(n_nodes)
    used = np.ones(n_nodes, dtype=bool)
    coverage[:3], used[2] = (0.9, 0.6, 0.1), False
    given = {
        "title": "sub-01_task-rest",
        "seed_set": "power264",
        "repetition_time": 2.0,
        "spheres": Spheres(
            [f"{name} {place}" for place in range(n_nodes)],
            networks,
            rng.uniform(-50, 50, (n_nodes, 3)),
            coverage,
            used,
        ),
        "before": summarize_signals(signals, whole, 2.0, detrend=True, **settings),
        "denoised": denoised,
        "framewise_displacement": np.r_[np.nan, rng.uniform(0, 0.3, n_frames - 1)],
    }
    return quality_sheet(**given | changes)


def texts(sheet):
    return ["".join(item.itertext()) for item in ET.fromstring(sheet).iter(f"{SVG}text")]


def carpets(sheet):
    images = [item.attrib["href"] for item in ET.fromstring(sheet).iter(f"{SVG}image")]
    return [Image.open(io.BytesIO(base64.b64decode(href.partition(",")[2]))) for href in images]


def test_a_sheet_says_what_it_shows():
    said = texts(sheet_of())
    assert "Before denoising: 30 spheres of power264, 1 of them without a signal" in said
    for label, kept in (("bandpass", 120), ("scrubbed", 116)):
        assert f"{label}: {kept} of 120 frames kept, 2 regressors, 41.3 effective degrees of freedom" in said
    assert "censored frames" in said and "FD (mm)" in said
    assert {"27 covered in full", "1 covered by 75 % or more", "1 covered by less than 75 %", "1 not used"} <= set(said)
    assert sum(text.startswith("median ") for text in said) == 3


def test_thousands_are_written_as_everywhere():
    assert "1,197 covered in full" in texts(sheet_of(n_nodes=1200, n_frames=30))


def test_a_carpet_has_a_pixel_for_each_node_and_frame_and_marks_what_is_censored():
    before, bandpass, scrubbed = carpets(sheet_of())
    assert before.size == bandpass.size == scrubbed.size == (120, 30)
    colours = np.asarray(scrubbed.convert("RGB"))
    assert (colours[:, 10:14] == ABSENT).all() and not (np.delete(colours, range(10, 14), axis=1) == ABSENT).all(
        2
    ).any()
    signals = np.random.default_rng(0).standard_normal((120, 30))
    z = ((signals - signals.mean(axis=0)) / signals.std(axis=0))[
        :, by_network([("a", "", "b")[n % 3] for n in range(30)])
    ]
    expected = np.clip(np.round((z + 2) / 4 * SHADES), 0, SHADES).T
    assert (np.asarray(bandpass) == expected).all()


def test_a_run_that_a_denoising_leaves_out_says_why_in_place_of_its_carpet():
    sheet = sheet_of(left_out=("scrubbed",))
    assert "scrubbed: left out. Too short." in texts(sheet) and len(carpets(sheet)) == 2


def test_without_motion_or_networks_there_is_no_panel_of_them():
    sheet = sheet_of(framewise_displacement=None, labels=("bandpass",))
    assert "FD (mm)" not in texts(sheet) and "censored frames" not in texts(sheet)


@pytest.mark.parametrize(
    ("n_nodes", "n_frames", "n_denoisings", "most"),
    [(264, 168, 2, 65_000), (1000, 1200, 1, 80_000), (300, 3000, 12, 150_000)],
)
def test_a_sheet_is_small_whatever_the_run(n_nodes, n_frames, n_denoisings, most):
    sheet = sheet_of(n_nodes, n_frames, [f"denoising{number}" for number in range(n_denoisings)])
    assert len(sheet.encode()) < most


def test_a_sheet_of_nothing_is_drawn():
    nothing = summarize_signals(np.full((40, 3), np.nan), np.ones(40, dtype=bool), 2.0, order=range(3), most_pixels=99)
    spheres = Spheres(["a", "b", "c"], ["", "", ""], np.zeros((3, 3)), np.full(3, np.nan), np.zeros(3, dtype=bool))
    sheet = sheet_of(before=nothing, denoised=[], spheres=spheres, framewise_displacement=np.full(40, np.nan))
    assert "3 not used" in texts(sheet) and carpets(sheet) == []


def test_hostile_names_stay_text_and_the_same_run_gives_the_same_bytes():
    sheet = sheet_of(labels=(HOSTILE,), seed_set=HOSTILE, title=HOSTILE, name=HOSTILE)
    assert not list(ET.fromstring(sheet).iter(f"{SVG}script"))
    assert any(HOSTILE in text for text in texts(sheet))
    assert sheet_of() == sheet_of()


def test_nodes_are_read_with_their_coverage(tmp_path):
    (tmp_path / "nodes.tsv").write_text(
        "name\tx\ty\tz\tnetwork\tcoverage\tproblem\none\t1\t2\t3\tA\t0.5\tn/a\ntwo\t4\t5\t6\tn/a\tn/a\toutside\n"
    )
    spheres = read_spheres(tmp_path / "nodes.tsv")
    assert (spheres.names, spheres.networks, spheres.used.tolist()) == (["one", "two"], ["A", ""], [True, False])
    assert spheres.coverage[0] == 0.5 and np.isnan(spheres.coverage[1])


def quality_of(run, motion):
    row = dict.fromkeys(QUALITY_COLUMNS, "n/a")
    return row | {"run": run, "seed_set": "dmn", "denoising": "bandpass", "mean_framewise_displacement": motion}


def page_of(sheet="", **changes):
    quality = [quality_of("sub-01_run-1", "0.25"), quality_of("sub-01_run-2", "0.5"), quality_of("sub-02", "0.75")]
    given = {
        "subject": "01",
        "study": "A study",
        "sheets": {"sub-01_run-1": sheet or sheet_of(), "sub-01_run-2": sheet_of()},
        "concerns": {"sub-01_run-1": [Concern("a", "one thing"), Concern("b", "another")], "sub-01_run-2": []},
        "standings": standings(quality),
        "figures": by_run(
            [
                {
                    "run": "sub-01_run-2",
                    "seed_set": "dmn",
                    "denoising": "bandpass",
                    "links": [["signals", "sub-01/a.png"]],
                }
            ]
        ),
    }
    return subject_page(**given | changes)


def test_the_page_of_a_subject_has_the_sheets_of_its_runs_and_their_numbers_beside_those_of_all():
    text = page_of()
    page = Page(text)
    said = "".join(page.text)
    assert text.count('class="sheet"') == 2 and "<style>" not in text.partition("</head>")[2]
    assert "One thing; another." in said and said.count("Nothing stands out") == 1
    assert "Nothing stands out, but 2 runs are too few to tell which motion and temporal SNR are usual." in said
    many = {f"sub-{number:02d}_run-1": [] for number in range(1, 11)}
    assert "".join(Page(page_of(concerns=many)).text).count("Nothing stands out.") == 2
    one = "".join(Page(page_of(concerns={"sub-01_run-1": []})).text)
    assert "Nothing stands out, but 1 run is too few to tell what is usual." in one
    head, motion = page.tables["Numbers of sub-01_run-1 beside those of all runs"]
    assert head == ["measure", "of", "this run", "median", "range", "where"]
    assert motion[:5] == ["mean framewise displacement (mm)", "", "0.250", "0.500", "0.250 to 0.750"]
    assert [item["href"] for item in page.attributes_of("a") if not item["href"].startswith("#")] == [
        "report.html",
        "sub-01/a.png",
    ]


def test_the_page_of_a_subject_runs_no_script_and_loads_nothing():
    text = page_of(sheet_of(labels=(HOSTILE,), title=HOSTILE, name=HOSTILE))
    assert "script-src" not in text and not Page(text).attributes_of("script")
    assert not re.search(r'(?:src|href)="(?!#|data:|report\.html|sub-01/a\.png)', text)


def test_a_sheet_in_a_page_is_the_sheet_without_its_style():
    sheet = sheet_of()
    assert without_style(sheet) in page_of()
    assert sheet.count("<style>") == 1 and "<style>" not in without_style(sheet)
