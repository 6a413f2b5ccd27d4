"""The page in a real browser, opened from disk with the network off, and what a person sees and does there."""

import json
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sphereconn.draw.page import PageConnectome, connectome_page
from sphereconn.draw.style import network_looks
from sphereconn.files import read_matrix, read_rows, write_matrix, written_whole

COORDINATES = Path(__file__).parents[2] / "resources" / "coordinates"
HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=2</script>",
    "\"><b>bold</b> &amp; O'Neil",
    "\u202eturned around",
    "a very long label " * 12,
    "two\u2028lines",
    "without values",
]


@dataclass(frozen=True)
class Study:
    """What a page was made from, as read back from its tables."""

    url: str
    names: list[str]
    coordinates: np.ndarray
    networks: list[str]
    matrices: dict[tuple[str, str], np.ndarray]

    @property
    def matrix(self):
        return next(iter(self.matrices.values()))

    def edges(self, matrix=None):
        """First end, second end and value of each edge, the strongest first."""
        matrix = self.matrix if matrix is None else matrix
        first, second = np.triu_indices(len(matrix), 1)
        values = matrix[first, second]
        known = np.flatnonzero(~np.isnan(values) & (values != 0))
        order = known[np.argsort(-np.abs(values[known]), kind="stable")]
        return first[order], second[order], values[order]

    def count(self, keep):
        """How many edges fulfil a condition on (first, second, value)."""
        return sum(bool(keep(*edge)) for edge in zip(*self.edges(), strict=True))


def seeds(name):
    columns, rows = read_rows(COORDINATES / f"{name}.tsv")
    table = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
    return table["name"], np.array([table["x"], table["y"], table["z"]], float).T, table["network"]


def correlations(coordinates, seed):
    """Correlations of random signals that are more alike the nearer their nodes are."""
    distance = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)
    likeness = np.exp(-distance / 25) + 0.3 * np.sign(np.sin(coordinates[:, 1] / 9))[:, None] * np.sin(
        coordinates[:, 1] / 9
    )
    signals = np.random.default_rng(seed).standard_normal((150, len(coordinates))) @ likeness
    return np.corrcoef(signals.T)


def study(folder, name, nodes, matrices, **settings):
    """Write tables and a page as the workflow does."""
    names, coordinates, networks = nodes
    read = {}
    for (estimator, group), matrix in matrices.items():
        path = folder / f"{name}_{len(read)}.tsv"
        write_matrix(path, names, matrix)
        read[estimator, group] = read_matrix(path)[1]
    connectomes = [
        PageConnectome(estimator, group, f"{estimator} values", matrix) for (estimator, group), matrix in read.items()
    ]
    page = connectome_page(names, coordinates, networks, connectomes, **{"title": name, **settings})
    with written_whole(folder / f"{name}.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Study((folder / f"{name}.html").as_uri(), names, coordinates, networks, read)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def dosenbach(folder):
    """160 nodes, two estimators, two groups, one of them without the second estimator."""
    nodes = seeds("dosenbach160")
    full = correlations(nodes[1], 0)
    sparse = np.where(np.abs(full) > 0.3, full, 0.0)
    matrices = {("full", "all"): full, ("sparse", "all"): sparse, ("full", "adults"): correlations(nodes[1], 1)}
    return study(folder, "dosenbach", nodes, matrices, description="Made of random numbers")


@pytest.fixture(scope="session")
def power(folder):
    nodes = seeds("power264")
    return study(folder, "power", nodes, {("full", "all"): correlations(nodes[1], 0)}, threshold=0)


@pytest.fixture(scope="session")
def dmn(folder):
    matrix = np.array([[1, 0.31, 0.28, 0.22], [0.31, 1, 0.41, 0.1], [0.28, 0.41, 1, -0.12], [0.22, 0.1, -0.12, 1]])
    return study(folder, "dmn", seeds("dmn"), {("partial", "all"): matrix})


@pytest.fixture(scope="session")
def hostile(folder):
    rng = np.random.default_rng(0)
    matrix = rng.uniform(-1, 1, (7, 7))
    matrix = (matrix + matrix.T) / 2
    matrix[6] = matrix[:, 6] = np.nan
    coordinates = rng.uniform(-50, 50, (7, 3))
    networks = ["<i>net</i>", "</style>", "", "n/a", "<i>net</i>", "x", "x"]
    labels = {('<b>"e"</b>', "</select><script>window.hacked=3</script>"): matrix}
    nodes = (HOSTILE, coordinates, networks)
    return study(folder, "hostile", nodes, labels, title="</title><script>window.hacked=4</script>", description="<u>")


@pytest.fixture
def page(browser):
    """A function that opens a study's page; afterwards nothing must have been asked of a network or gone wrong."""

    def open_page(of, fragment="", **window):
        browser.open(of.url + fragment, **window)
        browser.wait_until("!!document.querySelector('#brain').dataset.quality")
        return browser

    yield open_page
    assert all(url.startswith(("file://", "blob:null/")) for url in browser.requests), browser.requests
    assert len([url for url in browser.requests if url.startswith("file://")]) == 1, browser.requests
    assert browser.problems == []


def shown(browser):
    """The number of edges that the page says are shown, and of how many."""
    words = browser.text("#count").replace(",", "").split()
    return int(words[0]), int(words[2])


def place(browser, node):
    """Where a node is in the window."""
    return browser.evaluate(
        f"(() => {{ const box = document.querySelector('#brain').getBoundingClientRect();"
        f"const place = brain.place({node}); return [box.x + place.x, box.y + place.y]; }})()"
    )


def cell(browser, study, row, column):
    """Where the cell of two nodes is in the window; the matrix is ordered by network."""
    ranks = list(network_looks(study.networks))
    order = sorted(range(len(study.names)), key=lambda node: (ranks.index(study.networks[node]), node))
    left, top, side = browser.evaluate(
        "(({x, y, width}) => [x, y, width])(document.querySelector('#matrix').getBoundingClientRect())"
    )
    strip = 9  # units that the colours of the networks take
    size = (side - strip) / len(order)
    return left + strip + (order.index(column) + 0.5) * size, top + strip + (order.index(row) + 0.5) * size


def pixel(browser, x, y):
    """The colour of the picture of the brain at a place of the window."""
    browser.wait_until("document.querySelector('#brain').dataset.quality === 'fine'")
    return browser.evaluate(
        f"""(() => {{
            const image = {copied("brain.pixelCanvas")};
            const box = brain.pixelCanvas.getBoundingClientRect();
            const scale = image.width / box.width;
            const at = 4 * (Math.floor(({y} - box.y) * scale) * image.width + Math.floor(({x} - box.x) * scale));
            return [...image.data.slice(at, at + 3)];
        }})()"""
    )


def coordinates_text(position):
    return "(" + ", ".join(f"{value:g}".replace("-", "−") for value in position) + ") mm"


def lines_of(browser, selector):
    """The lines of what an element shows, without the room between its paragraphs."""
    return [line for line in browser.text(selector).split("\n") if line]


def copied(canvas):
    """JavaScript for the pixels of a canvas; of a copy, for Chromium warns of canvases that are read repeatedly."""
    return (
        "((canvas) => { const copy = document.createElement('canvas');"
        "[copy.width, copy.height] = [canvas.width, canvas.height];"
        "const context = copy.getContext('2d'); context.drawImage(canvas, 0, 0);"
        f"return context.getImageData(0, 0, copy.width, copy.height); }})({canvas})"
    )


def shown_value(value):
    return f"{value:.4f}".replace("-", "−")


# Opening.


def test_all_34716_edges_of_264_nodes_are_shown_when_asked_for(page, power):
    browser = page(power)
    assert shown(browser) == (34716, 34716)


def test_a_page_of_four_nodes_shows_all_edges_and_names_at_once(page, dmn):
    browser = page(dmn)
    assert shown(browser) == (6, 6)
    assert browser.evaluate("document.querySelector('#names').checked")


def test_the_page_opens_with_the_two_strongest_edges_per_node(page, dosenbach):
    browser = page(dosenbach)
    assert shown(browser) == (320, 12720)
    assert browser.text("h1") == "dosenbach"
    assert browser.text("#description") == "Made of random numbers"


def test_a_page_without_javascript_says_so(browser, dmn):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(dmn.url)
        tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert any("JavaScript" in node.get("name", {}).get("value", "") for node in tree)


# Choosing edges.


def test_the_slider_counts_the_edges_of_the_table(page, dosenbach):
    browser = page(dosenbach)
    magnitudes = np.abs(dosenbach.edges()[2])
    browser.focus("#threshold")
    browser.press("Home")
    assert shown(browser)[0] == len(magnitudes)
    for steps in (1, 40, 120):
        browser.press(*["ArrowRight"] * steps)
        position = browser.evaluate("document.querySelector('#threshold').valueAsNumber")
        assert shown(browser)[0] == np.sum(magnitudes >= position / 1000 * magnitudes[0])
    assert browser.evaluate("document.querySelector('#by-magnitude').checked")


def test_a_magnitude_can_be_typed(page, dosenbach):
    browser = page(dosenbach)
    browser.enter("#magnitude", "0.4")
    assert shown(browser)[0] == dosenbach.count(lambda i, j, value: abs(value) >= 0.4)


def test_a_threshold_equal_to_a_value_of_the_table_keeps_its_edge(page, dmn):
    browser = page(dmn)
    for number, magnitude in enumerate(["0.41", "0.31", "0.28", "0.22", "0.12", "0.1"], start=1):
        browser.enter("#magnitude", magnitude)
        assert shown(browser)[0] == number


def test_the_number_of_strongest_edges_can_be_typed_and_tells_the_magnitude_of_the_last(page, dosenbach):
    browser = page(dosenbach)
    browser.enter("#strongest", "100")
    assert shown(browser)[0] == 100
    last = abs(dosenbach.edges()[2][99])
    assert browser.evaluate("document.querySelector('#magnitude').value") == f"{last:.4f}"


@pytest.mark.parametrize(("sign", "factor"), [("positive", 1), ("negative", -1)])
def test_the_sign_filter_keeps_the_threshold(page, dosenbach, sign, factor):
    browser = page(dosenbach, "#magnitude=0.2")
    browser.click_on(f'input[value="{sign}"] + span')
    assert shown(browser)[0] == dosenbach.count(lambda i, j, value: factor * value >= 0.2)


def test_a_node_on_the_midline_belongs_to_both_hemispheres(page, dmn):
    x = dmn.coordinates[:, 0]
    assert x[0] == 0
    browser = page(dmn)
    counts = {}
    for choice in ("left", "right", "between"):
        browser.choose("#hemisphere", choice)
        counts[choice] = shown(browser)[0]
    left = dmn.count(lambda i, j, value: x[i] <= 0 and x[j] <= 0)
    right = dmn.count(lambda i, j, value: x[i] >= 0 and x[j] >= 0)
    assert counts == {"left": left, "right": right, "between": 6 - left - right}


def test_a_click_in_the_legend_isolates_a_network_and_another_adds_one(page, dosenbach):
    browser = page(dosenbach, "#magnitude=0")
    labels = sorted(set(dosenbach.networks))

    def within(*networks):
        return dosenbach.count(lambda i, j, value: {dosenbach.networks[i], dosenbach.networks[j]} <= set(networks))

    browser.click_on("#legend li:nth-child(2) button")
    assert shown(browser)[0] == within(labels[1])
    browser.click_on("#legend li:nth-child(4) button")
    assert shown(browser)[0] == within(labels[1], labels[3])
    assert browser.evaluate("[...document.querySelectorAll('#legend button')].map((one) => one.ariaPressed)") == [
        "true" if i in (1, 3) else "false" for i in range(len(labels))
    ]
    browser.click_on("#all-networks")
    assert shown(browser)[0] == len(dosenbach.edges()[2])


def test_an_isolated_network_can_keep_its_edges_to_others(page, dosenbach):
    browser = page(dosenbach, "#magnitude=0&networks=0")
    browser.click_on("#others")
    network = sorted(set(dosenbach.networks))[0]
    expected = dosenbach.count(lambda i, j, value: network in (dosenbach.networks[i], dosenbach.networks[j]))
    assert shown(browser)[0] == expected


def test_pairs_of_value_zero_are_no_edges_and_are_counted_apart(page, dosenbach):
    browser = page(dosenbach, "#connectome=1&magnitude=0")
    matrix = dosenbach.matrices["sparse", "all"]
    n_edges = len(dosenbach.edges(matrix)[2])
    assert shown(browser) == (n_edges, n_edges)
    assert f"{12720 - n_edges:,} pairs are 0" in browser.text("#count")


# Estimators and groups.


def test_the_group_changes_and_the_threshold_stays(page, dosenbach):
    browser = page(dosenbach, "#magnitude=0.5")
    browser.choose("#group", "adults")
    adults = np.abs(dosenbach.edges(dosenbach.matrices["full", "adults"])[2])
    assert shown(browser) == (np.sum(adults >= 0.5), len(adults))
    browser.enter("#strongest", "77")
    browser.choose("#group", "all")
    assert shown(browser)[0] == 77


def test_a_group_without_the_estimator_shows_the_one_it_has(page, dosenbach):
    browser = page(dosenbach, "#connectome=1")
    browser.choose("#group", "adults")
    assert browser.evaluate("[$('estimator').value, $('group').value]") == ["full", "adults"]
    assert shown(browser)[1] == 12720


# Pointing and clicking.


def test_pointing_at_a_node_tells_its_name_network_coordinates_and_strength(page, dosenbach):
    browser = page(dosenbach, "#strongest=5")
    # A node in front of all others, so that nothing lies between it and the pointer.
    depth = browser.evaluate("data.nodes.map((node, number) => brain.place(number).depth)")
    node = int(np.argmin(depth))
    browser.move(*place(browser, node))
    lines = lines_of(browser, "#tooltip")
    strength = np.abs(np.delete(dosenbach.matrix[node], node)).sum()
    assert lines[0] == dosenbach.names[node]
    assert lines[1] == dosenbach.networks[node]
    assert lines[2] == coordinates_text(dosenbach.coordinates[node])
    # The sum of 159 values, each shown right to 24 bits.
    assert lines[3].split(",")[0].split()[0] == "strength"
    assert float(lines[3].split(",")[0].split()[1]) == pytest.approx(strength, abs=1e-4)


def test_pointing_at_an_edge_tells_its_ends_and_the_value_of_the_table(page, dmn):
    browser = page(dmn, "#names=false")
    for rank, (first, second, value) in enumerate(zip(*dmn.edges(), strict=True), start=1):
        one, two = np.array(place(browser, first)), np.array(place(browser, second))
        seen = []
        for part in (0.3, 0.4, 0.6, 0.7):  # on some of these places a stronger edge may lie on top
            browser.move(*(part * two + (1 - part) * one))
            seen.append(lines_of(browser, "#tooltip"))
        assert [
            f"{dmn.names[first]} (default mode)",
            f"{dmn.names[second]} (default mode)",
            f"partial values {shown_value(value)}",
            f"number {rank} of 6 by magnitude",
        ] in seen


def test_pointing_at_nothing_tells_nothing(page, dmn):
    browser = page(dmn)
    browser.move(*place(browser, 0))
    assert browser.evaluate("!$('tooltip').hidden")
    box = browser.evaluate("[$('brain').getBoundingClientRect().x, $('brain').getBoundingClientRect().y]")
    browser.move(box[0] + 8, box[1] + 8)
    assert browser.evaluate("$('tooltip').hidden")


def test_every_cell_pointed_at_tells_the_value_of_the_table(page, dosenbach):
    browser = page(dosenbach)
    rng = np.random.default_rng(3)
    for row, column in rng.permutation(160)[:20].reshape(10, 2):
        browser.move(*cell(browser, dosenbach, row, column))
        first, second = sorted((row, column))
        lines = lines_of(browser, "#tooltip")
        assert lines[:2] == [f"{dosenbach.names[node]} ({dosenbach.networks[node]})" for node in (first, second)]
        assert lines[2] == f"full values {shown_value(dosenbach.matrix[row, column])}"


def test_pointing_at_a_cell_shows_its_edge_in_the_brain(page, dmn):
    browser = page(dmn, "#names=false")
    drawn_on = f"{copied('brain.overlay')}.data.filter((value, i) => i % 4 === 3 && value).length"
    before = browser.evaluate(drawn_on)
    browser.move(*cell(browser, dmn, 0, 3))
    after = browser.evaluate(drawn_on)
    length = np.linalg.norm(np.subtract(place(browser, 0), place(browser, 3)))
    assert after - before > 5 * length  # a line with its border


def test_clicking_a_node_marks_its_row_and_lists_its_edges(page, dosenbach):
    browser = page(dosenbach, "#strongest=600")
    node = int(np.argmin(browser.evaluate("data.nodes.map((node, number) => brain.place(number).depth)")))
    row = cell(browser, dosenbach, node, node)
    before = browser.evaluate("$('matrix').toDataURL()")
    browser.click(*place(browser, node))
    browser.move(5, 5)
    assert browser.text("#selection h3") == dosenbach.names[node]
    first, second, values = (column[:600] for column in dosenbach.edges())
    own = values[(first == node) | (second == node)]
    assert [browser.text(f"#selection li:nth-child({i + 1}) .number") for i in range(min(8, len(own)))] == [
        shown_value(value) for value in own[:8]
    ]
    assert browser.evaluate("$('matrix').toDataURL()") != before
    dark = browser.evaluate(
        f"""(() => {{
            const image = {copied("$('matrix')")};
            const box = $('matrix').getBoundingClientRect();
            const scale = image.width / box.width;
            const column = Math.round(({row[0]} - 40 - box.x) * scale);
            const middle = ({row[1]} - box.y) * scale;
            const rows = [...Array(image.height).keys()].filter((y) => Math.abs(y - middle) < 6 * scale);
            const at = rows.map((y) => 4 * (y * image.width + column));
            return at.filter((at) => image.data[at] < 60 && image.data[at + 2] < 60).length;
        }})()"""
    )
    assert dark >= 2  # the frame above and below the row


def test_clicking_a_cell_selects_its_edge_and_escape_lets_it_go(page, dosenbach):
    browser = page(dosenbach)
    browser.click(*cell(browser, dosenbach, 3, 90))
    assert shown_value(dosenbach.matrix[3, 90]) in browser.text("#selection")
    browser.press("Escape")
    assert "Click a node" in browser.text("#selection")


def test_a_node_can_be_found_by_a_part_of_its_name(page, dosenbach):
    browser = page(dosenbach)
    wanted = next(node for node, name in enumerate(dosenbach.names) if "vmpfc" in name.lower())
    browser.enter("#search", "VMPFC")
    browser.press("Enter")
    assert browser.text("#selection h3") == dosenbach.names[wanted]
    browser.enter("#search", dosenbach.names[7])
    assert browser.text("#selection h3") == dosenbach.names[7]
    browser.enter("#search", "no such node")
    assert browser.text("#search-result") == "No node is called that."


def test_the_table_lists_the_strongest_edges_shown(page, dosenbach):
    browser = page(dosenbach, "#strongest=3")
    browser.evaluate("$('table-details').open = true")
    browser.next_frame()
    rows = [line.split("\t") for line in browser.text("#table").split("\n")]
    expected = [(i, j, value) for i, j, value in zip(*dosenbach.edges(), strict=True)][:3]
    assert rows == [[dosenbach.names[i], dosenbach.names[j], shown_value(value)] for i, j, value in expected]


# Looking at the brain.


@pytest.mark.parametrize(
    ("view", "axis", "direction"),
    [("left", 1, -1), ("right", 1, 1), ("top", 0, 1), ("bottom", 0, -1), ("front", 0, -1), ("back", 0, 1)],
)
def test_each_view_shows_the_brain_from_its_side(page, dosenbach, view, axis, direction):
    browser = page(dosenbach)
    browser.click_on(f'[data-view="{view}"]')
    places = np.array([place(browser, node) for node in range(160)])
    upwards = 1 if view in ("top", "bottom") else 2
    # Perspective moves points by a tenth at most, so the order is that of the coordinates, if not exactly.
    assert np.corrcoef(places[:, 0], direction * dosenbach.coordinates[:, axis])[0, 1] > 0.98
    assert np.corrcoef(places[:, 1], -dosenbach.coordinates[:, upwards])[0, 1] > 0.98


def test_the_brain_is_turned_and_zoomed_by_pointer_and_keys(page, dmn):
    browser = page(dmn)
    middle = browser.middle("#brain")
    seen = [json.dumps(browser.evaluate("state.view"))]

    def changed():
        seen.append(json.dumps(browser.evaluate("state.view")))
        return seen[-1] not in seen[:-1]

    browser.drag(*middle, 60, 25)
    assert changed()
    browser.wheel(*middle, -200)
    assert changed()
    assert browser.evaluate("state.view.zoom") > 1
    browser.focus("#brain")
    for key in ("ArrowLeft", "ArrowDown", "+"):
        browser.press(key)
        assert changed()
    browser.press("0")
    assert json.dumps(browser.evaluate("state.view")) == seen[0]


def test_what_is_dragged_follows_the_pointer(page, dmn):
    browser = page(dmn)
    browser.click_on('[data-view="left"]')
    before = place(browser, 1)  # on the left, in front
    browser.drag(*browser.middle("#brain"), 40, 15)
    after = place(browser, 1)
    assert after[0] > before[0]
    assert after[1] > before[1]


def test_a_node_is_seen_in_the_colour_of_its_network(page, dosenbach):
    browser = page(dosenbach, "#strongest=0&opacity=0")
    node = int(np.argmin(browser.evaluate("data.nodes.map((node, number) => brain.place(number).depth)")))
    colour = network_looks(dosenbach.networks)[dosenbach.networks[node]].colour
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)
    seen = np.array(pixel(browser, *place(browser, node)), float)
    # Light makes it brighter or darker: the hue is the same when the channels keep their order and rough proportions.
    assert np.corrcoef(seen, wanted)[0, 1] > 0.95


def test_the_brain_is_gone_at_opacity_0_and_hides_what_is_inside_at_1(page, dmn):
    browser = page(dmn, "#view=-90_0_1_0_0&opacity=0&strongest=0&names=false")
    inside = place(browser, 0)  # the posterior cingulate cortex, behind the left temporal lobe
    beside = (inside[0], inside[1] - 40)
    assert pixel(browser, *beside) == [255, 255, 255]
    red, _, blue = pixel(browser, *inside)
    assert blue > red + 40
    browser.focus("#opacity")
    browser.press(*["ArrowRight"] * 100)
    assert browser.text("#opacity-value") == "1.00"
    browser.wait_until("document.querySelector('#brain').dataset.quality === 'fine'")
    for spot in (inside, beside):
        red, _, blue = pixel(browser, *spot)
        assert red < 250
        assert abs(blue - red) < 20  # grey


def test_nodes_can_be_as_large_as_their_strength(page, dosenbach):
    browser = page(dosenbach)
    browser.choose("#size", "strength")
    strength = np.abs(dosenbach.matrix).sum(axis=0) - 1
    radii = browser.evaluate("balls().map((ball) => ball.radius)")
    assert np.argmax(radii) == np.argmax(strength)
    assert np.argmin(radii) == np.argmin(strength)


def test_the_address_keeps_the_state(page, dosenbach):
    browser = page(dosenbach)
    browser.enter("#magnitude", "0.35")
    browser.click_on('input[value="positive"] + span')
    browser.click_on("#legend li:nth-child(3) button")
    browser.click_on('[data-view="top"]')
    browser.wait_until("location.hash.includes('view')")
    fragment, count = browser.evaluate("location.hash"), shown(browser)
    browser = page(dosenbach, fragment)
    assert shown(browser) == count
    assert browser.evaluate("[state.sign, [...state.networks], state.view.elevation]") == ["positive", [2], 90]


@pytest.mark.parametrize(
    "fragment", ["#connectome=9&strongest=-3&view=a_b&node=1e9&networks=x.99", "#magnitude=NaN&sign=%3Cb%3E", "#%%%"]
)
def test_a_broken_address_opens_the_page_as_it_is(page, dosenbach, fragment):
    browser = page(dosenbach, fragment)
    assert shown(browser) == (320, 12720)


def test_the_picture_can_be_saved(page, dosenbach, tmp_path):
    browser = page(dosenbach)
    browser.keep_downloads_in(tmp_path)
    browser.click_on("#download")
    path = tmp_path / "dosenbach-full-all.png"
    end = time.monotonic() + 10
    while not (path.exists() and path.read_bytes().endswith(b"IEND\xaeB`\x82")):
        assert time.monotonic() < end, list(tmp_path.iterdir())
        time.sleep(0.05)
    picture = path.read_bytes()
    width, height = struct.unpack(">II", picture[16:24])
    assert width == 2 * browser.evaluate("brain.width")
    assert height > 2 * browser.evaluate("brain.height")
    assert len(picture) > 50_000  # a blank one has a few thousand bytes


# The colours of values.


def row_of(browser, canvas, y):
    """The colours of one row of a canvas of the size that it is shown in."""
    return browser.evaluate(
        f"(() => {{ const image = {copied(canvas)}; const at = 4 * image.width * {y};"
        "return Array.from({length: image.width}, (_, x) => [...image.data.slice(at + 4 * x, at + 4 * x + 4)]); })()"
    )


def share_of(row, colour):
    return sum(pixel[:3] == colour and pixel[3] > 0 for pixel in row) / len(row)


LEFT_OUT = [238, 238, 238]


def test_all_colours_of_the_matrix_are_explained_whatever_the_threshold_and_a_line_marks_those_of_the_edges_shown(
    page, dosenbach
):
    browser = page(dosenbach, "#strongest=20")
    assert share_of(row_of(browser, "$('colour-bar')", 13), LEFT_OUT) < 0.02
    _, _, values = dosenbach.edges()
    limit, least = abs(values[0]), abs(values[19])
    marked = [place for place, pixel in enumerate(row_of(browser, "$('colour-bar')", 3)) if pixel[3] > 0]
    width = browser.evaluate("$('colour-bar').width") - 9  # the colours of the networks stand left of the matrix
    expected = (limit - least) / (2 * limit) * width * len({value > 0 for value in values[:20]})
    assert len(marked) == pytest.approx(expected, abs=2)
    assert f"edges shown, magnitude ≥ {least:.4f}" in browser.evaluate("$('colour-bar').getAttribute('aria-label')")
    browser.enter("#strongest", "0")
    assert "no edge is shown" in browser.evaluate("$('colour-bar').getAttribute('aria-label')")
    assert not any(pixel[3] for pixel in row_of(browser, "$('colour-bar')", 3))


def test_the_bar_of_the_picture_gives_its_room_to_the_colours_of_the_edges_shown(page, dosenbach):
    browser = page(dosenbach, "#strongest=20")
    browser.evaluate(
        "window.bar = Object.assign(document.createElement('canvas'), {width: 340, height: 42});"
        "window.written = []; window.onBar = bar.getContext('2d'); const write = onBar.fillText.bind(onBar);"
        "onBar.fillText = (text, ...place) => { written.push(text); write(text, ...place); };"
        "paintColourBar(onBar, 0, 0, 340, smallestMagnitude())"
    )
    assert share_of(row_of(browser, "bar", 5), LEFT_OUT) == pytest.approx(0.1, abs=0.02)
    values = dosenbach.edges()[2][:20]
    ends = [float(text.replace("−", "-")) for text in browser.evaluate("written")[:-1]]
    wanted = [sign * abs(end) for sign in (-1, 1) if (sign * values > 0).any() for end in (values[0], values[19])]
    assert sorted(ends) == pytest.approx(sorted(wanted), abs=0.006)


# Paper.


def test_paper_says_how_many_edges_are_shown_and_invites_nobody_to_click(page, dosenbach):
    browser = page(dosenbach)
    still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.call("Emulation.setEmulatedMedia", media="print", features=still)
    try:
        seen = browser.evaluate("document.body.innerText")
    finally:
        browser.call("Emulation.setEmulatedMedia", media="", features=still)
    assert "320 of 12,720 edges shown" in seen
    assert "default" in seen  # the legend of the networks
    for words in ("Click", "Drag", "Brain opacity", "Hemispheres", "as a table", "show all"):
        assert words not in seen


# Labels, missing values, and everyone.


def test_a_label_that_holds_html_is_shown_as_text(page, hostile):
    browser = page(hostile)
    assert browser.text("h1") == "</title><script>window.hacked=4</script>"
    assert browser.text("#description") == "<u>"
    assert browser.text("#legend").count("<i>net</i>") == 1
    assert browser.evaluate("$('estimator').value") == '<b>"e"</b>'
    for node, name in enumerate(HOSTILE):
        browser.evaluate(f"select({{node: {node}}}); point({{node: {node}}}, 500, 300)")
        browser.next_frame()
        assert browser.evaluate("$('tooltip').querySelector('b').textContent") == name
        assert browser.evaluate("document.querySelector('#selection h3').textContent") == name
    browser.evaluate("$('table-details').open = true")
    browser.next_frame()
    assert browser.evaluate("window.hacked") is None
    assert browser.evaluate("document.querySelectorAll('img, u, i, #legend b, td *, h1 *, option *').length") == 0


def test_long_labels_stay_within_their_panel(page, hostile):
    browser = page(hostile)
    browser.evaluate("select({node: 4})")
    browser.next_frame()
    assert browser.evaluate(
        "document.querySelector('.side').scrollWidth <= document.querySelector('.side').clientWidth"
    )
    browser.evaluate("point({node: 4}, innerWidth - 5, innerHeight - 5)")
    box = browser.evaluate(
        "(() => { const b = $('tooltip').getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })()"
    )
    assert box[0] >= 0
    assert box[1] >= 0
    assert box[2] <= 1280
    assert box[3] <= 800


def test_a_node_without_values_is_shown_hollow_and_says_so(page, hostile):
    browser = page(hostile, "#opacity=0&strongest=0&names=false")
    assert shown(browser) == (0, 15)
    assert "6 pairs have no value" in browser.text("#count")
    assert pixel(browser, *place(browser, 6)) == [255, 255, 255]  # its middle
    browser.move(*cell(browser, hostile, 6, 0))
    assert "no value" in browser.text("#tooltip")
    browser.evaluate("select({node: 6})")
    browser.next_frame()
    assert "no value" in browser.text("#selection")


def test_a_connectome_without_any_value_is_no_accident(page, folder):
    nodes = seeds("dmn")
    browser = page(
        study(folder, "empty", nodes, {("none", "all"): np.full((4, 4), np.nan), ("zero", "all"): np.eye(4)})
    )
    assert shown(browser) == (0, 0)
    browser.choose("#estimator", "zero")
    assert shown(browser) == (0, 0)
    assert "6 pairs are 0" in browser.text("#count")


def test_a_single_node_makes_a_page(page, folder):
    names, coordinates, networks = seeds("dmn")
    browser = page(study(folder, "single", (names[:1], coordinates[:1], networks[:1]), {("r", "all"): np.eye(1)}))
    assert shown(browser) == (0, 0)
    browser.move(*place(browser, 0))
    assert names[0] in browser.text("#tooltip")


def test_the_matrix_is_walked_by_arrow_keys_and_read_out(page, dosenbach):
    browser = page(dosenbach)
    browser.focus("#matrix")
    browser.press("ArrowRight", "ArrowDown", "ArrowRight")  # the first key enters at row 0, column 1
    order = sorted(range(160), key=lambda node: (dosenbach.networks[node], node))
    one, two = order[1], order[2]
    value = shown_value(dosenbach.matrix[one, two])
    browser.wait_until("$('announcer').textContent !== ''")
    assert (
        browser.evaluate("$('announcer').textContent")
        == f"{dosenbach.names[min(one, two)]} to {dosenbach.names[max(one, two)]}: {value}"
    )
    browser.press("Enter")
    assert value in browser.text("#selection")


def test_the_keyboard_walks_from_a_node_along_its_edges(page, dosenbach):
    browser = page(dosenbach, "#node=0&magnitude=0")
    first, second, values = dosenbach.edges()
    strongest = int(np.flatnonzero((first == 0) | (second == 0))[0])
    other = second[strongest] if first[strongest] == 0 else first[strongest]
    browser.wait_until("!!document.querySelector('#selection li button')")
    browser.focus("#selection li button")
    browser.press("Enter")
    assert shown_value(values[strongest]) in browser.text("#selection dl")
    assert browser.evaluate("$('selection').contains(document.activeElement)")
    browser.press("Tab", "Tab", "Enter")  # past "clear" and node 0, the first end
    assert browser.text("#selection h3") == dosenbach.names[other]


def test_the_number_of_edges_is_read_out(page, dosenbach):
    browser = page(dosenbach)
    browser.enter("#strongest", "12")
    browser.wait_until("$('announcer').textContent === '12 of 12,720 edges shown'")
    assert browser.evaluate("$('announcer').getAttribute('aria-live')") == "polite"


def test_every_control_has_a_name_for_screen_readers(page, dosenbach):
    browser = page(dosenbach, "#node=3")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    controls = []
    for node in nodes:
        properties = {entry["name"]: entry["value"].get("value") for entry in node.get("properties", [])}
        if properties.get("focusable") and node["role"]["value"] not in ("RootWebArea", "none", "generic"):
            controls.append((node["role"]["value"], node.get("name", {}).get("value", "")))
    assert len(controls) > 30
    assert [control for control in controls if not control[1].strip()] == []


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(page, dosenbach):
    browser = page(dosenbach)
    reached = set()
    for _ in range(60):
        browser.press("Tab")
        identity, outline = browser.evaluate(
            """(() => {
                const one = document.activeElement;
                if (one === document.body) return [null, ''];
                const seen = one.matches('.segments input') ? one.nextElementSibling : one;
                return [one.id || one.name || one.textContent.trim(), getComputedStyle(seen).outlineStyle];
            })()"""
        )
        if identity is None:  # past the last one, on the page itself
            continue
        reached.add(identity)
        assert outline != "none", identity
    wanted = "search threshold magnitude strongest sign hemisphere opacity size names brain matrix"
    assert set(wanted.split()) <= reached


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 768), (768, 1024), (390, 844)])
def test_nothing_overlaps_or_sticks_out(page, dosenbach, width, height):
    browser = page(dosenbach, "#node=3&networks=1", width=width, height=height)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    problems = browser.evaluate(
        """(() => {
            const pieces = 'button, select, input, h1, h2, h3, p, canvas, summary, dd';
            const boxes = [...document.querySelectorAll(pieces)]
                .filter((one) => one.getClientRects().length && !one.closest('.brain, .unseen, .segments, .tooltip'))
                .map((one) => [one, one.getBoundingClientRect(), one.closest('.panel, .stage, header')]);
            const found = [];
            for (const [one, box, home] of boxes) {
                const room = home.getBoundingClientRect();
                if (box.left < room.left || box.right > room.right + 0.5) found.push(`out: ${one.outerHTML}`);
                for (const [other, second, otherHome] of boxes) {
                    if (one === other || home !== otherHome || one.contains(other) || other.contains(one)) continue;
                    const across = Math.min(box.right, second.right) - Math.max(box.left, second.left);
                    const down = Math.min(box.bottom, second.bottom) - Math.max(box.top, second.top);
                    if (across > 1 && down > 1) found.push(`over: ${one.outerHTML} ${other.outerHTML}`);
                }
            }
            return found;
        })()"""
    )
    assert problems == []
