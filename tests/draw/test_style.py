import errno
import hashlib
import os
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path
from unittest.mock import patch

import matplotlib
import numpy as np
import pytest
from figures import example
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from sphereconn.draw import network_colours, style
from sphereconn.draw.glassbrain import connectome_figure
from sphereconn.draw.style import network_looks, save_figure, spread, symmetric_limit, text_width, wrapped

LIBRARY = Path(style.__file__).parents[2]


def small_figure():
    dmn = example("dmn")
    return connectome_figure(dmn.matrix, dmn.coordinates, names=dmn.names, title="DMN", label="Correlation")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_input_gives_the_same_bytes(suffix, tmp_path):
    save_figure(small_figure(), tmp_path / f"one.{suffix}")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none", "figure.dpi": 30}):
        save_figure(small_figure(), tmp_path / f"two.{suffix}")  # the user's own settings play no part
    assert digest(tmp_path / f"one.{suffix}") == digest(tmp_path / f"two.{suffix}")


def test_another_process_gives_the_same_bytes_and_needs_neither_pyplot_nor_scipy(tmp_path):
    dmn = example("dmn")
    script = f"""
import sys
import numpy as np
from sphereconn.draw.glassbrain import connectome_figure
from sphereconn.draw.matrix import matrix_figure
from sphereconn.draw.style import save_figure
from sphereconn.draw.timeseries import time_series_figure
matrix, coordinates = np.array({dmn.matrix.tolist()}), np.array({dmn.coordinates.tolist()})
figure = connectome_figure(matrix, coordinates, names={dmn.names}, title="DMN", label="Correlation")
for suffix in ("png", "svg", "pdf"):
    save_figure(figure, f"{tmp_path}/other.{{suffix}}")
matrix_figure(matrix, {dmn.names}, ["a", "a", "b", "b"], title="DMN", label="Correlation")
print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"scipy", "pandas", "nibabel", "nilearn"}}))
print("matplotlib.pyplot" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "False"]
    for suffix in ("png", "svg", "pdf"):
        save_figure(small_figure(), tmp_path / f"here.{suffix}")
        assert digest(tmp_path / f"here.{suffix}") == digest(tmp_path / f"other.{suffix}")


def test_drawing_and_saving_leave_the_users_settings_alone(tmp_path):
    with matplotlib.rc_context({"font.size": 30}):
        before = dict(matplotlib.rcParams)
        save_figure(small_figure(), tmp_path / "figure.png")
        assert dict(matplotlib.rcParams) == before


def test_the_resolution_is_that_asked_for(tmp_path):
    figure = small_figure()
    save_figure(figure, tmp_path / "figure.png", dpi=60)
    rows, columns = matplotlib.image.imread(tmp_path / "figure.png").shape[:2]
    width, height = figure.get_size_inches()
    assert abs(columns - 60 * width) <= 1
    assert abs(rows - 60 * height) <= 1


@pytest.mark.parametrize("width", [4.02, np.nextafter(4, 0), np.nextafter(4, 5), 3.999])
def test_a_width_between_two_pixels_is_drawn(tmp_path, width):
    figure = small_figure()
    figure.set_size_inches(width, 1)
    save_figure(figure, tmp_path / "figure.png", dpi=50)
    assert abs(matplotlib.image.imread(tmp_path / "figure.png").shape[1] - 50 * width) <= 1


def test_a_figure_that_cannot_be_written_leaves_nothing(tmp_path):
    full = OSError(errno.ENOSPC, "disk full")  # as the system raises it
    with patch("PIL.Image.Image.save", side_effect=full), pytest.raises(OSError, match="disk full"):
        save_figure(small_figure(), tmp_path / "figure.png")
    figure = small_figure()
    with patch.object(figure, "savefig", side_effect=full), pytest.raises(OSError, match="disk full"):
        save_figure(figure, tmp_path / "figure.svg")
    with pytest.raises(ValueError, match=r"\.png, \.svg or \.pdf"):
        save_figure(small_figure(), tmp_path / "figure.jpg")
    assert list(tmp_path.iterdir()) == []


def linear(colour):
    channels = np.array(to_rgb(colour))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def cielab(colour):
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    x, y, z = np.cbrt(to_xyz @ colour / [0.95047, 1, 1.08883])  # all colours here are light enough for the cube root
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("vision", VISION)
def test_any_two_of_16_networks_differ_for_every_kind_of_colour_vision(vision):
    colours = [*network_colours.COLOURS, network_colours.NO_NETWORK_COLOUR]
    seen = [cielab(np.clip(np.array(VISION[vision]) @ linear(colour), 1e-3, 1)) for colour in colours]
    # A distance of 2.3 is just noticeable side by side; areas of colour apart from each other need several times that.
    assert min(np.linalg.norm(one - two) for one, two in combinations(seen, 2)) > 15


def test_neighbours_in_the_legend_differ_in_shape_so_that_grey_print_tells_them():
    looks = list(network_looks([f"network{number:02d}" for number in range(28)]).values())
    assert all(one.marker != two.marker for one, two in pairwise(looks))
    assert len({(look.colour, look.marker) for look in looks}) == 28


def test_colours_depend_on_the_set_of_networks_alone():
    names = ["visual", "Auditory", "default", "none", "salience"]
    looks = network_looks(names)
    assert network_looks([*names[::-1], *names]) == looks
    assert list(looks) == ["Auditory", "default", "salience", "visual", "none"]


def test_nodes_without_a_network_are_grey_and_last():
    for name in ("", "n/a", "none", "unassigned", "Uncertain"):
        looks = network_looks([name, "zebra"])
        assert list(looks) == ["zebra", name]
        assert looks[name].colour == network_colours.NO_NETWORK_COLOUR
    assert network_looks([""])[""].label == "no network"


def test_a_colour_limit_is_the_largest_finite_magnitude_or_1():
    assert symmetric_limit([0.1, -0.7, np.nan, np.inf]) == 0.7
    assert symmetric_limit([]) == symmetric_limit([0.0]) == symmetric_limit([np.nan]) == 1


@settings(deadline=None)
@given(st.lists(st.floats(0, 10), min_size=1, max_size=25).map(sorted), st.floats(0.01, 2))
def test_spread_positions_keep_their_order_gap_and_bounds(centres, gap):
    moved = spread(centres, gap, 0, 10)
    fitting = min(gap, 10 / len(centres))
    assert (np.diff(moved) >= fitting - 1e-9).all()
    assert moved[0] >= fitting / 2 - 1e-9
    assert moved[-1] <= 10 - fitting / 2 + 1e-9


def test_spread_moves_only_what_is_too_close_and_evenly_to_both_sides():
    np.testing.assert_allclose(spread([1, 5, 9], 1, 0, 10), [1, 5, 9])
    np.testing.assert_allclose(spread([1, 5, 5.2, 9], 1, 0, 10), [1, 4.6, 5.6, 9])
    np.testing.assert_allclose(spread([5, 5, 5], 1, 0, 10), [4, 5, 6])
    np.testing.assert_allclose(spread([0, 0, 10], 1, 0, 10), [0.5, 1.5, 9.5])


@settings(deadline=None)
@given(st.text("abc de_-W\n", min_size=1, max_size=200))
def test_wrapped_text_fits_the_width_and_loses_no_letter(text):
    lines = wrapped(text, 1.0, 8)
    assert text_width(lines, 8) <= 1.0
    assert "".join(lines.split()) == "".join(text.split())


def test_a_network_has_one_colour_in_every_atlas():
    called = {
        "default mode": ("default", "default mode", "Default", "DMN", "default_mode_network"),
        "frontoparietal": ("fronto-parietal", "fronto parietal", "Cont", "Frontoparietal Network"),
        "visual": ("occipital", "Vis", "visual"),
    }
    atlases = [example(name).networks for name in ("dmn", "power264", "dosenbach160", "seitzman300")]
    for names in called.values():
        alone = {network_looks([name])[name].colour for name in names}
        with_others = {
            look.colour for atlas in atlases for name, look in network_looks([*atlas, "zebra"]).items() if name in names
        }
        assert len(alone | with_others) == 1


def test_networks_of_an_atlas_and_unknown_ones_beside_them_differ_in_colour():
    for atlas in ("power264", "dosenbach160", "seitzman300"):
        looks = network_looks([*example(atlas).networks, "antelope", "zebra"])
        assert len({look.colour for look in looks.values()}) == len(looks)


@pytest.mark.parametrize(
    ("ends", "written"),
    [
        ((-0.9312, 0.9312), ("−0.93", "0.93")),
        ((0.0, 1234.5), ("0", "1234")),
        ((-2e-5, 2e-5), ("−2.0e-05", "2.0e-05")),
        ((0.9312, 0.9337), ("0.9312", "0.9337")),  # not both 0.93
        ((0.9752, 0.9931), ("0.975", "0.993")),  # with room for 0.98 and 0.99 between them
    ],
)
def test_the_ends_of_a_colour_bar_are_written_with_as_many_digits_as_tell_them_apart(ends, written):
    sheet = style.Sheet(3, 3)
    with style.figure_style():
        sheet.colour_bar(1, 0.5, 2, style.ColourScale(style.diverging_map(), *ends, "Value"))
    labels = [label.get_text() for label in sheet.figure.axes[0].get_yticklabels()]
    assert (labels[0], labels[-1]) == written
    assert len(set(labels)) == len(labels)
