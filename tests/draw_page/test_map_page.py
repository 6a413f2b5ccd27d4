"""The page of seed maps, as a file and in a real browser without a network."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

from sphereconn.draw.map_page import NO_VALUE, STEPS, PageMap, map_page

AFFINE = np.array([[-4.0, 0, 0, 70], [0, 4.0, 0.5, -104], [0, 0, 4.0, -56], [0, 0, 0, 1]])
SHAPE = (36, 44, 34)
HOSTILE = "</script><script>window.hacked = 1</script><b>bold</b>"


def values_of(seed):
    """A smooth map with a single largest voxel, and no value outside of a box."""
    at = np.indices(SHAPE)
    values = np.sin(at[0] / 5 + seed) * np.cos(at[1] / 7) * 0.4
    values[20, 30, 12 + seed] = -1.25
    values[:2] = np.nan
    return values


MAPS = [
    PageMap(seed, whose, "mean Fisher z", values_of(number + 2 * place), 0.2, centre)
    for number, (seed, centre) in enumerate([("back", (0.0, -52.0, 18.0)), (HOSTILE, (1.0, 50.0, -5.0))])
    for place, whose in enumerate(["all runs", "age"])
]


def page_of(maps=MAPS):
    return map_page(maps, AFFINE, title=HOSTILE, description="Denoising: bandpass")


def mm(place):
    return AFFINE[:3, :3] @ place + AFFINE[:3, 3]


def test_the_page_holds_the_maps_in_steps_of_their_largest_value():
    data = json.loads(re.search(r'id="data">(.*?)</script>', page_of(), re.DOTALL)[1])
    for one, given in zip(data["maps"], MAPS, strict=True):
        steps = np.frombuffer(zlib.decompress(base64.b64decode(one["values"])), np.int8)
        steps = steps.reshape(data["grid"]["shape"], order="F")
        assert steps.shape == (SHAPE[0] - 2, *SHAPE[1:]) and (steps != NO_VALUE).all()
        np.testing.assert_allclose(steps / STEPS * one["limit"], given.values[2:], atol=one["limit"] / STEPS / 2 + 1e-9)
        voxel = np.array(data["grid"]["toVoxel"]) @ [*mm([20, 30, 12]), 1]
        np.testing.assert_allclose(voxel, [18, 30, 12], atol=1e-9)


def test_the_same_maps_give_the_same_page_and_it_is_small():
    page = page_of()
    assert page == page_of() and len(page) < 700_000
    assert "http" not in page.replace("http-equiv", "")
    with pytest.raises(ValueError, match="one shape"):
        page_of([])


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "maps.html"
    path.write_text(page_of(), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser, url):
    browser.open(url)
    browser.wait_until("document.body.dataset.ready === 'yes'")
    return browser


def told(page):
    """The place and the value that the page shows."""
    found = re.fullmatch(r"x = (\S+), y = (\S+), z = (\S+) mm: (.+)", page.text("#place").replace("−", "-"))
    return [float(found[axis]) for axis in (1, 2, 3)], found[4]


def value_at(values, place):
    voxel = np.rint(np.linalg.inv(AFFINE)[:3] @ [*place, 1]).astype(int)
    return values[tuple(voxel)]


def test_it_opens_at_the_seed_and_asks_for_nothing(page):
    place, value = told(page)
    assert place == [0, -52, 18]
    assert float(value) == pytest.approx(value_at(MAPS[0].values, place), abs=1.25 / STEPS + 0.005)
    assert not [request for request in page.requests if not request.startswith("file:")] and not page.problems
    assert page.evaluate("window.hacked === undefined") and page.text("#title") == HOSTILE


def test_pointing_at_a_slice_moves_the_others_there(page):
    x, y = page.middle('canvas[data-axis="2"]')
    page.click(x, y)
    place, value = told(page)
    assert abs(place[0]) <= 1 and abs(place[1] + 16) <= 1 and place[2] == 18
    assert float(value) == pytest.approx(value_at(MAPS[0].values, place), abs=1.25 / STEPS + 0.005)
    page.focus('canvas[data-axis="0"]')
    page.press("ArrowUp", "ArrowLeft")
    assert told(page)[0] == [place[0], place[1] - 1, 19]


def test_the_largest_value_is_found_in_the_map_that_is_chosen(page):
    page.choose("#whose", "age")
    page.wait_until("document.getElementById('measure').textContent !== ''")
    page.next_frame()
    page.click_on("#to-peak")
    place, value = told(page)
    np.testing.assert_allclose(place, np.rint(mm([20, 30, 14])), atol=1)
    assert float(value) == pytest.approx(-1.25, abs=0.06)
    page.choose("#seed", HOSTILE)
    page.wait_until("document.getElementById('place').textContent.includes('y = 50')")
    assert page.evaluate("document.getElementById('whose').value") == "age"


def test_around_the_brain_is_the_ground_of_the_page_so_that_it_can_be_dark(page):
    opacities = page.evaluate(
        "[...document.querySelectorAll('.views canvas')].map((canvas) => {"
        "const {width, height} = canvas; const context = canvas.getContext('2d');"
        "return [[2, 2], [width / 2 + 8, height / 2]].map((place) => context.getImageData(...place, 1, 1).data[3]); })"
    )
    assert opacities == [[0, 255]] * 3


def test_paper_says_which_map_it_is_and_from_which_magnitude_and_offers_no_button(page):
    still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    page.call("Emulation.setEmulatedMedia", media="print", features=still)
    try:
        shown = page.evaluate(
            "['seed', 'whose', 'threshold-value', 'threshold', 'faint', 'to-seed', 'to-peak']"
            ".filter((name) => document.getElementById(name).offsetHeight)"
        )
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    finally:
        page.call("Emulation.setEmulatedMedia", media="", features=still)
    assert shown == ["seed", "whose", "threshold-value"]
    assert ground == "rgb(255, 255, 255)"


def test_on_a_phone_the_bar_stands_between_its_ends_and_no_word_is_broken(browser, url):
    browser.open(url, 390, 844)
    browser.wait_until("document.body.dataset.ready === 'yes'")
    low, bar, high, measure = browser.evaluate(
        "['low', 'bar', 'high', 'measure'].map((name) => {"
        "const box = document.getElementById(name).getBoundingClientRect(); return [box.left, box.height]; })"
    )
    assert low[0] < bar[0] < high[0]
    assert max(low[1], high[1], measure[1]) < 30


def test_what_is_below_the_threshold_is_hidden_when_it_does_not_fade(page):
    coloured = (
        "(() => { const c = document.querySelector('canvas[data-axis=\"2\"]');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;"
        "for (let i = 0; i < d.length; i += 4) n += Math.abs(d[i] - d[i + 2]) > 12; return n; })()"
    )
    many = page.evaluate(coloured)
    page.click_on("#faint")
    fewer = page.evaluate(coloured)
    page.evaluate(
        "(() => { const t = document.getElementById('threshold'); t.value = 1000;"
        "t.dispatchEvent(new Event('input')); })()"
    )
    assert many > fewer > page.evaluate(coloured)
