"""Distributions drawn as dots or bars stand where their values are."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from sphereconn.draw.strip_plot import strip_plot


def drawn(rows, label="coverage", digits=2):
    return ET.fromstring(strip_plot(rows, label, digits))


def grid(root):
    """From the places of the axis' ticks to their values: slope and intercept."""
    lines = [float(item.get("x1")) for item in root.iter("line") if item.get("class") == "grid"]
    texts = [item.text for item in root.iter("text") if item.get("text-anchor") == "middle"]
    values = [float(text) for text in texts[: len(lines)]]
    return np.polyfit(lines, values, 1)


def test_dots_stand_on_the_axis_at_their_values():
    values = [("a", 0.5), ("b", 0.75), ("c", 1.0), ("d", 1.0)]
    root = drawn([("dmn", values)])
    slope, intercept = grid(root)
    found = sorted(slope * float(dot.get("cx")) + intercept for dot in root.iter("circle"))
    # Places are written with a tenth of a pixel, some 520 pixels span half a unit.
    assert found == pytest.approx([0.5, 0.75, 1.0, 1.0], abs=2e-4)
    assert sorted(dot.find("title").text for dot in root.iter("circle")) == ["a: 0.50", "b: 0.75", "c: 1.00", "d: 1.00"]
    [median] = [item for item in root.iter("line") if item.get("class") == "median"]
    assert slope * float(median.get("x1")) + intercept == pytest.approx(0.875, abs=2e-4)


def test_equal_values_do_not_cover_each_other():
    dots = list(drawn([("row", [(str(number), 1.0) for number in range(4)])]).iter("circle"))
    assert len({dot.get("cy") for dot in dots}) == 4


def test_many_values_become_bars_that_count_all_of_them():
    values = [(str(number), value) for number, value in enumerate(np.random.default_rng(0).normal(50, 5, 5000))]
    root = drawn([("row", values)], digits=1)
    assert not list(root.iter("circle"))
    counts = [int(re.match(r"(\d+) of 5000", bar.find("title").text)[1]) for bar in root.iter("rect")]
    assert sum(counts) == 5000 and len(counts) <= 72


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e-9, 1e12])
def test_a_single_value_has_an_axis(value):
    root = drawn([("row", [("a", value)])])
    ticks = [item for item in root.iter("line") if item.get("class") == "grid"]
    assert len(ticks) >= 2
    [dot] = root.iter("circle")
    assert 190 <= float(dot.get("cx")) <= 710


def test_labels_are_escaped():
    root = drawn([("<a>&", [("</svg><b>", 1.0), ("b", 2.0)])], label="x < y")
    texts = [item.text for item in root.iter("text")]
    assert "<a>&" in texts and "x < y" in texts
    assert root.find("circle/title").text == "</svg><b>: 1.00"


def test_a_row_without_values_is_refused():
    with pytest.raises(ValueError, match="each row needs a value"):
        strip_plot([("row", [])], "label", 1)
