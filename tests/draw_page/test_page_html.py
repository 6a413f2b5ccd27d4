"""The page as a file: what stands in it, what cannot stand in it, and how large it is. No browser is needed."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from sphereconn.draw.brain import brain_mesh
from sphereconn.draw.page import ASSETS, PageConnectome, connectome_page
from sphereconn.draw.style import diverging_map, network_looks
from sphereconn.errors import InputError

MEGABYTE = 1_000_000


def random_matrix(n_nodes, seed=0, scale=1.0):
    matrix = np.random.default_rng(seed).uniform(-scale, scale, (n_nodes, n_nodes))
    return (matrix + matrix.T) / 2


def page_of(matrix, names=None, networks=None, **settings):
    number = len(matrix)
    coordinates = np.random.default_rng(1).uniform(-60, 60, (number, 3))
    connectomes = [PageConnectome("correlation", "all runs", "correlation", matrix)]
    names = names or [f"node {i}" for i in range(number)]
    return connectome_page(names, coordinates, networks, connectomes, **{"title": "A page", **settings})


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def values_of(record):
    return np.frombuffer(base64.b64decode(record["values"]), dtype="<f4")


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def test_the_same_input_gives_the_same_page():
    assert page_of(random_matrix(5)) == page_of(random_matrix(5))


def test_labels_add_no_tag_to_the_page():
    plain = page_of(random_matrix(3), ["a", "b", "c"], ["n", "n", "m"])
    evil = '</script></title></style><script>alert(1)</script><img src=x onerror=alert(1)>&quot;"\u2028'
    hostile = page_of(
        random_matrix(3), [evil, "b", "c"], [evil, evil, "m"], title=evil, description=evil
    )  # fmt: skip
    assert Tags(hostile).tags == Tags(plain).tags
    assert data_of(hostile)["nodes"][0]["name"] == evil


def test_the_data_hold_no_character_that_html_or_javascript_reads_otherwise():
    page = page_of(random_matrix(2), ["</script>&", "\u2028\u2029"])
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1]
    assert not set("<>&\u2028\u2029") & set(data)
    assert data.isascii()


def test_the_page_names_no_other_file_and_no_address():
    page = page_of(random_matrix(4))
    for tag, attributes in Tags(page).tags:
        assert not {"src", "href", "srcset", "action", "style", "onload", "onclick"} & set(attributes), tag
    assert "://" not in page
    assert not re.search(
        r"url\(|@import|\bfetch\(|XMLHttpRequest|WebSocket|\beval\(|innerHTML|insertAdjacentHTML", page
    )


def test_the_policy_forbids_everything_but_the_scripts_and_the_style_of_the_page():
    tags = Tags(page_of(random_matrix(2))).tags
    policy = next(attributes["content"] for tag, attributes in tags if attributes.get("http-equiv"))
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "blob:"
    for rule in ("script-src", "style-src"):
        assert all(re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", source) for source in rules[rule].split())


def test_six_connectomes_of_264_nodes_stay_far_below_six_megabytes():
    connectomes = [PageConnectome(f"e{i % 3}", f"g{i // 3}", "correlation", random_matrix(264, i)) for i in range(6)]
    coordinates = np.random.default_rng(0).uniform(-60, 60, (264, 3))
    page = connectome_page([f"node {i}" for i in range(264)], coordinates, None, connectomes, title="Large")
    assert len(page.encode()) < 2 * MEGABYTE


def test_values_stand_in_the_order_of_the_upper_triangle_and_missing_ones_stay_missing():
    matrix = random_matrix(6)
    matrix[2, :] = matrix[:, 2] = np.nan
    record = data_of(page_of(matrix))["connectomes"][0]
    np.testing.assert_array_equal(np.isnan(values_of(record)), np.isnan(matrix[np.triu_indices(6, 1)]))
    # Single precision: half a unit in the last of 24 bits, and one unit for a value moved to its side of a rounding.
    np.testing.assert_allclose(values_of(record), matrix[np.triu_indices(6, 1)], rtol=2**-23, equal_nan=True)


@pytest.mark.parametrize(("scale", "decimals"), [(0.99, 4), (5.0, 3), (2000.0, 0), (3e-6, 9)])
def test_values_read_as_the_table_has_them_to_the_digits_shown(scale, decimals):
    matrix = random_matrix(200, scale=scale)
    # A hundred values a hair from halfway between two shown numbers, where single precision may fall on the other side.
    halves = (np.arange(100) + 0.5) * 10.0**-decimals
    matrix[0, 1:101] = halves * (1 + np.where(np.arange(100) % 2, 1, -1) * 1e-10)
    matrix[0, 101] = scale
    matrix[:, 0] = matrix[0, :]
    record = data_of(page_of(matrix))["connectomes"][0]
    assert record["decimals"] == decimals
    written = [f"{value:.{decimals}f}" for value in matrix[np.triu_indices(200, 1)]]
    assert [f"{float(value):.{decimals}f}" for value in values_of(record)] == written


def test_connectomes_of_one_estimator_share_their_colour_limits():
    matrices = {("r", "a"): 0.5, ("r", "b"): 0.8, ("p", "a"): 0.2}
    connectomes = [PageConnectome(e, g, e, np.array([[1, v], [v, 1]])) for (e, g), v in matrices.items()]
    page = connectome_page(["a", "b"], np.zeros((2, 3)), None, connectomes, title="Limits")
    assert [record["limit"] for record in data_of(page)["connectomes"]] == [0.8, 0.8, 0.2]


def test_networks_have_the_colours_and_the_order_of_the_figures():
    networks = ["visual", "n/a", "auditory", "", "default"]
    data = data_of(page_of(random_matrix(5), networks=networks))
    looks = network_looks(networks)
    assert [network["label"] for network in data["networks"]] == ["auditory", "default", "visual", "no network"]
    shown = [data["networks"][node["network"]]["colour"] for node in data["nodes"]]
    assert shown == [looks[network].colour for network in networks]


def test_values_have_the_colours_of_the_figures():
    colours = np.frombuffer(base64.b64decode(data_of(page_of(random_matrix(2)))["colours"]), np.uint8).reshape(256, 3)
    np.testing.assert_array_equal(colours, np.round(diverging_map()(np.arange(256))[:, :3] * 255))


def test_the_mirrored_half_in_the_page_is_the_brain_of_the_figures():
    stored = data_of(page_of(random_matrix(2)))["mesh"]
    half = np.frombuffer(base64.b64decode(stored["vertices"]), "<i2").reshape(-1, 3) * stored["unit"]
    faces = np.frombuffer(base64.b64decode(stored["faces"]), "<u2").reshape(-1, 3)
    mesh = brain_mesh()
    rounding = stored["unit"] / 2 + 1e-5  # and what float32 millimetres lose
    np.testing.assert_allclose(half, mesh.vertices[~mesh.is_left], rtol=0, atol=rounding)
    np.testing.assert_allclose(half * [-1, 1, 1], mesh.vertices[mesh.is_left], rtol=0, atol=rounding)
    right = mesh.faces[~mesh.is_left[mesh.faces[:, 0]]] - mesh.is_left.sum()
    left = mesh.faces[mesh.is_left[mesh.faces[:, 0]]]
    np.testing.assert_array_equal(faces, right)
    # The page mirrors each triangle (a, b, c) to (a, c, b): the same triangle as in the figures, from any corner on.
    assert {frozenset(face) for face in left.tolist()} == {frozenset(face) for face in faces.tolist()}


@pytest.mark.parametrize(
    ("threshold", "opening"),
    [
        (None, {"by": "strongest", "strongest": 8}),
        ("top 3", {"by": "strongest", "strongest": 3}),
        (0.25, {"by": "magnitude", "magnitude": 0.25}),
        ("50%", {"by": "magnitude", "magnitude": 0.35}),  # the median of 0.1, 0.2, 0.3, 0.4, 0.5, 0.6
    ],
)
def test_the_page_opens_with_the_threshold_of_the_figures(threshold, opening):
    matrix = np.zeros((4, 4))
    matrix[np.triu_indices(4, 1)] = [0.1, -0.2, 0.3, -0.4, 0.5, -0.6]
    data = data_of(page_of(matrix + matrix.T, threshold=threshold))
    assert data["opening"] == pytest.approx(opening)


def test_a_threshold_that_is_not_understood_is_a_mistake_of_the_user():
    with pytest.raises(InputError, match="threshold: 'strong'"):
        page_of(random_matrix(3), threshold="strong")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"names": ["a"]}, "1 names need coordinates of shape"),
        ({"coordinates": np.full((2, 3), np.nan)}, "finite coordinates"),
        ({"networks": ["n"]}, "1 networks for 2 nodes"),
        ({"matrices": []}, "at least one connectome"),
        ({"matrices": [np.eye(3)]}, "do not fit a matrix of shape"),
        ({"matrices": [np.array([[1, 0.5], [0.1, 1]])]}, "not symmetric"),
        ({"matrices": [np.array([[1, np.inf], [np.inf, 1]])]}, "infinities"),
        ({"matrices": [np.eye(2), np.eye(2)]}, "same estimator and group"),
    ],
)
def test_input_that_disagrees_is_refused(changes, problem):
    given = {"names": ["a", "b"], "coordinates": np.zeros((2, 3)), "networks": None, "matrices": [np.eye(2)]} | changes
    connectomes = [PageConnectome("r", "all", "correlation", matrix) for matrix in given["matrices"]]
    with pytest.raises(ValueError, match=problem):
        connectome_page(given["names"], given["coordinates"], given["networks"], connectomes, title="Wrong")


def test_assets_have_unix_line_ends():
    # A carriage return would be read as a line feed by the browser, and the hashes in the policy would not fit.
    for asset in ASSETS.iterdir():
        assert b"\r" not in asset.read_bytes(), asset.name
