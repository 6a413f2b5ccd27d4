"""The report of a finished study agrees with its tables, and its links lead to files that are there."""

import json
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest

from sphereconn.draw.quality_columns import COLUMNS
from sphereconn.draw.sheet import without_style
from sphereconn.files import read_json, read_records, read_rows


class Links(HTMLParser):
    """The addresses and identifiers of a page, and the cells of its rows."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.ids, self.images, self.rows, self.text = [], set(), [], [], []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "a":
            self.targets.append(attributes["href"])
        elif tag == "img":
            self.images.append(attributes["src"])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag):
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data):
        self.text.append(data)
        if self._in_cell:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def page(finished_once):
    return Links((finished_once.root / "results" / "report.html").read_text())


@pytest.fixture(scope="module")
def quality(finished_once):
    return read_records(finished_once.root / "results" / "group" / "quality.tsv")


def test_every_link_leads_to_a_section_a_result_or_a_doi(finished_once, page):
    for target in page.targets:
        if target.startswith("#"):
            assert target[1:] in page.ids
        elif not target.startswith("https://doi.org/10."):
            assert (finished_once.root / "results" / unquote(target)).is_file(), target


def test_every_figure_of_a_group_stands_in_the_page(finished_once, page):
    figures = list((finished_once.root / "results" / "group" / "figures").glob("*.png"))
    assert len(figures) == len(set(page.images)) > 12  # some are shown at a glance, too
    assert all(source.startswith("data:image/webp;base64,") for source in page.images)


def test_each_run_of_the_list_leads_to_the_page_of_its_subject_with_its_quality_sheet(finished_once, page):
    results = finished_once.root / "results"
    assert {f"sub-0{number}.html" for number in (1, 2, 3)} <= set(page.targets)
    text = (results / "sub-02.html").read_text()
    sheet = (results / "sub-02/figures/sub-02_task-rest_atlas-dmn_sheet.svg").read_text()
    assert without_style(sheet) in text and "bandpass: 80 of 80 frames kept, 4 regressors" in sheet
    links = Links(text)
    assert "report.html" in links.targets
    for target in links.targets:
        assert target[1:] in links.ids if target.startswith("#") else (results / unquote(target)).is_file(), target


def test_the_table_of_quality_has_a_row_for_each_run_seed_set_and_denoising(quality):
    found = [(row["run"], row["seed_set"], row["denoising"]) for row in quality]
    runs = [f"sub-0{number}_task-rest" for number in (1, 2, 3)]
    assert found == [(run, seed_set, "bandpass") for run in runs for seed_set in ("dmn", "mine")]


def test_the_table_of_quality_agrees_with_the_results_of_the_runs(finished_once, quality):
    for row in quality:
        subject = row["run"].split("_")[0]
        base = finished_once.root / "results" / subject / "func" / f"{row['run']}_atlas-{row['seed_set']}"
        cleaned = read_json(f"{base}_desc-bandpass_timeseries.json")
        columns, nodes = read_rows(f"{base}_nodes.tsv")
        coverage, snr = ([float(node[columns.index(name)]) for node in nodes] for name in ("coverage", "temporal_snr"))
        assert float(row["lowest_coverage"]) == min(coverage)
        assert float(row["median_temporal_snr"]) == np.median(snr)
        assert float(row["degrees_of_freedom"]) == cleaned["DegreesOfFreedom"]
        assert float(row["effective_degrees_of_freedom"]) == cleaned["EffectiveDegreesOfFreedom"]
        assert row["regressors"] == "4" and row["mean_framewise_displacement"] == "n/a"


def test_the_columns_of_both_tables_are_explained(finished_once):
    group = finished_once.root / "results" / "group"
    for name in ("quality", "estimation"):
        columns, rows = read_rows(group / f"{name}.tsv")
        sidecar = json.loads((group / f"{name}.json").read_text())
        assert rows and all(sidecar[column]["Description"] for column in columns)
        assert set(sidecar["SoftwareOfRuns"]) == {"extract", "clean", "connect"}


def test_the_page_shows_the_numbers_of_the_table(page, quality):
    shown = [row for row in page.rows if row[:3] == [quality[0][key] for key in ("run", "seed_set", "denoising")]]
    # The row of all numbers is the longest of those with these labels; the others are of links.
    numbers = max(shown, key=len)
    assert float(numbers[-1]) == pytest.approx(float(quality[0]["median_temporal_snr"]), abs=0.05)
    labels = 3
    assert float(numbers[labels + list(COLUMNS).index("regressors")]) == float(quality[0]["regressors"])


def test_a_run_that_nothing_uses_is_listed_with_the_reason(finished):
    finished.configure(lambda config: config.update(connectomes=[{"runs": {"site": "odd"}, "seed_sets": ["dmn"]}]))
    finished.configure(lambda config: config["figures"].update(kinds=[]))
    finished.run("results/report.html")
    page = Links((finished.root / "results" / "report.html").read_text())
    assert ["sub-02_task-rest", "not selected by any entry of connectomes in the configuration"] in page.rows
    assert "2 of the 3 runs in the runs table data/runs.tsv were used." in page.text


@pytest.mark.parametrize("extension", ["svg", "pdf"])
def test_vector_figures_are_embedded_or_linked(finished, extension):
    finished.configure(lambda config: config["figures"].update(format=extension, kinds=["matrix"], runs="none"))
    finished.configure(lambda config: config.update(connectomes=[{"seed_sets": ["dmn"], "estimators": ["full"]}]))
    finished.run("results/report.html")
    page = Links((finished.root / "results" / "report.html").read_text())
    figures = {target for target in page.targets if target.startswith("group/") and target.endswith(extension)}
    assert len(figures) == 3  # of all runs and two sites
    assert len(set(page.images)) == (3 if extension == "svg" else 0)
    assert all(source.startswith("data:image/svg+xml;") for source in page.images)


def test_snakemakes_own_report_is_one_file_with_figures_captions_categories_and_the_methods(finished):
    output = finished.run("--report", "report.html")
    assert "Unknown target name" not in output  # a fault in a caption
    report = (finished.root / "report.html").read_text()
    for text in (
        "Quality of every run, seed set and denoising",
        "Signals were averaged within spheres",
        "Groups",
        "Runs",
    ):
        assert text in report
    assert "mean over group-all" in report
    assert report.count("data:image/png") >= 12
