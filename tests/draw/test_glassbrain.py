import numpy as np
import pytest
from figures import clipped_texts, drawn_texts, edge_collections, example, overlapping_texts, partial_correlation, texts
from matplotlib.colors import to_rgba

from sphereconn.draw import style
from sphereconn.draw.edges import edges_to_draw
from sphereconn.draw.glassbrain import MODES, connectome_figure, node_strength_figure
from sphereconn.errors import InputError

SEED_SETS = ("dmn", "power264", "dosenbach160", "seitzman300")
STRENGTHS = ("absolute", "positive", "negative")


def connectome(matrix, coordinates, **settings):
    return connectome_figure(matrix, coordinates, **{"title": "Connectome", "label": "Correlation", **settings})


def drawn_of(seed_set, **settings):
    seeds = example(seed_set)
    settings = {"names": seeds.names, "networks": seeds.networks, **settings}
    return connectome(seeds.matrix, seeds.coordinates, **settings)


def brains(figure):
    """Return the views: the axes with patches, which are the outline."""
    return [axes for axes in figure.axes if axes.patches]


def nodes(axes):
    """Return positions, sizes and colours of the nodes of a view."""
    marks = [item for item in axes.collections if item.get_offsets().size and not hasattr(item, "get_segments")]
    parts = [(np.asarray(mark.get_offsets()), np.resize(mark.get_sizes(), len(mark.get_offsets()))) for mark in marks]
    colours = [np.resize(mark.get_facecolor(), (len(mark.get_offsets()), 4)) for mark in marks]
    return (
        np.concatenate([spots for spots, _ in parts]),
        np.concatenate([sizes for _, sizes in parts]),
        np.concatenate(colours),
    )


def colour_bars(figure):
    """Return the axes of the colour bars: those with the ticks on the right."""
    return [axes for axes in figure.axes if axes.yaxis.get_ticks_position() == "right"]


def colour_bar(figure):
    """Return the labels of the one colour bar, from the lower end to the upper."""
    (bar,) = colour_bars(figure)
    return [label.get_text() for label in bar.get_yticklabels()]


def grey_share(figure):
    """Return which share of the one colour bar is grey, that is, has no colour of its own."""
    (bar,) = colour_bars(figure)
    return 1 - sum(image.get_extent()[3] - image.get_extent()[2] for image in bar.images)


@pytest.mark.parametrize("mode", MODES)
def test_each_view_draws_the_edges_whose_ends_it_shows(mode):
    seeds = example("dosenbach160")
    figure = connectome(seeds.matrix, seeds.coordinates, views=mode, threshold="90%")
    edges = edges_to_draw(seeds.matrix, "90%")
    shown = {letter: lambda x: True for letter in "xyz"} | {"l": lambda x: x <= 0, "r": lambda x: x >= 0}
    x = seeds.coordinates[:, 0]
    expected = [
        sum(shown[letter](x[i]) and shown[letter](x[j]) for i, j in zip(edges.first, edges.second, strict=True))
        for letter in MODES[mode]
    ]
    assert [len(lines.get_segments()) for lines in edge_collections(figure)] == expected
    counts = [len(nodes(axes)[0]) for axes in brains(figure)]
    assert counts == [sum(map(shown[letter], x)) for letter in MODES[mode]]


def test_a_node_on_the_midline_and_its_edges_are_in_both_hemispheres():
    # Of the six edges of the default mode seeds, nilearn shows none in the left and three in the right hemisphere.
    figure = drawn_of("dmn", views="lr")
    left, right = edge_collections(figure)
    assert (len(left.get_segments()), len(right.get_segments())) == (1, 3)
    assert [len(nodes(axes)[0]) for axes in brains(figure)] == [2, 3]
    np.testing.assert_array_equal(left.get_segments()[0], [[52, 18], [68, 32]])  # mirrored: seen from the left


def test_the_figure_says_how_many_edges_the_lateral_views_cannot_show():
    seeds = example("dosenbach160")
    edges = edges_to_draw(seeds.matrix, "top 200")
    x = seeds.coordinates[:, 0]
    between = sum(x[i] * x[j] < 0 for i, j in zip(edges.first, edges.second, strict=True))
    (note,) = (text for text in texts(drawn_of("dosenbach160", threshold="top 200", views="lr")) if " of " in text)
    assert note.startswith("200 of 12,720 edges")
    assert note.endswith(f"{between} between the hemispheres not shown")
    assert "hemispheres" not in " ".join(texts(drawn_of("dosenbach160", threshold="top 200")))


def test_views_show_right_and_left_as_they_are_labelled():
    """From the back and the top the right is on the right; radiologists want it on the left."""
    right_side = np.array([[40.0, 10, 20], [50, -30, 30]])
    for radiological, sign in ((False, 1), (True, -1)):
        figure = connectome(np.eye(2), right_side, views="yz", radiological=radiological)
        for axes in brains(figure):
            assert (np.sign(nodes(axes)[0][:, 0]) == sign).all()
            letters = {text.get_text(): text.get_position()[0] for text in axes.texts}
            assert (letters["R"] > letters["L"]) == (sign == 1)


@pytest.mark.parametrize("matrix", [np.zeros((4, 4)), np.eye(4), np.full((4, 4), np.nan)])
@pytest.mark.parametrize("threshold", [None, 0.5, "100%", "top 3"])
def test_without_any_edge_the_nodes_are_drawn_with_a_note(matrix, threshold, tmp_path):
    figure = connectome(matrix, example("dmn").coordinates, threshold=threshold, views="lyrz")
    style.save_figure(figure, tmp_path / "figure.png", dpi=40)
    assert sum(len(lines.get_segments()) for lines in edge_collections(figure)) == 0
    assert any(note in texts(figure) for note in ("all edges are 0", "no edge has a value")) or threshold == 0.5
    assert len(nodes(brains(figure)[1])[0]) == 4


def test_a_threshold_above_all_edges_is_named_in_the_note():
    assert "no edge has a magnitude of 5 or more" in texts(drawn_of("dmn", threshold=5))


def test_one_node_alone_can_be_drawn():
    figure = connectome(np.ones((1, 1)), np.zeros((1, 3)))
    assert "no edge has a value" in texts(figure)


def test_edges_without_a_value_are_not_drawn_as_zeros():
    dmn = example("dmn")
    matrix = dmn.matrix.copy()
    matrix[1] = matrix[:, 1] = np.nan
    figure = connectome(matrix, dmn.coordinates, threshold=0)
    assert [len(lines.get_segments()) for lines in edge_collections(figure)] == [3, 3, 3]
    assert any(text.startswith("3 of 3 edges") for text in texts(figure))


def test_colours_are_symmetric_about_zero_and_reach_the_strongest_edge_drawn():
    seeds = example("dosenbach160")
    matrix = partial_correlation(seeds.matrix)
    strongest = np.abs(matrix - np.diag(np.diag(matrix))).max()
    labels = colour_bar(connectome(matrix, seeds.coordinates))
    assert (labels[0], labels[-1]) == (f"−{strongest:.2f}", f"{strongest:.2f}")
    assert colour_bar(connectome(matrix, seeds.coordinates, vmax=0.8))[-1] == "0.80"


def test_the_bar_of_a_thresholded_brain_labels_threshold_and_end_and_is_hardly_grey():
    matrix = np.zeros((4, 4))
    matrix[np.triu_indices(4, 1)] = [0.93, 0.91, 0.9, 0.1, -0.2, 0.3]
    matrix += matrix.T
    figure = connectome(matrix, example("dmn").coordinates, threshold=0.87)
    assert (colour_bar(figure)[0], colour_bar(figure)[-1]) == ("0.87", "0.93")
    assert grey_share(figure) == pytest.approx(style.LEFT_OUT_SHARE)
    matrix[0, 1] = matrix[1, 0] = -0.93
    figure = connectome(matrix, example("dmn").coordinates, threshold=0.87)
    assert [label for label in colour_bar(figure) if label[-2:] in ("87", "93")] == ["−0.93", "−0.87", "0.87", "0.93"]
    assert grey_share(figure) == pytest.approx(style.LEFT_OUT_SHARE)


def test_a_bar_says_that_edges_lie_beyond_its_end():
    dmn = example("dmn")
    assert colour_bar(connectome(np.full((4, 4), 5.0), dmn.coordinates, vmax=1))[-1] == "≥ 1.0"
    assert colour_bar(connectome(np.full((4, 4), -5.0), dmn.coordinates, vmax=1, threshold=0.5))[0] == "≤ −1.0"
    assert colour_bar(connectome(np.full((4, 4), 5.0), dmn.coordinates, vmax=1, threshold=3)) == ["≥ 3.0"]


def test_values_that_are_never_below_0_have_a_scale_from_0_on():
    labels = colour_bar(connectome(np.full((4, 4), 5.0), example("dmn").coordinates, signed=False))
    assert (labels[0], labels[-1]) == ("0.0", "5.0")


def test_the_sign_gives_the_colour_and_the_dashes_and_the_magnitude_the_width_and_the_order():
    matrix = np.zeros((3, 3))
    matrix[0, 1] = matrix[1, 0] = -0.5
    matrix[1, 2] = matrix[2, 1] = 0.25
    matrix[0, 2] = matrix[2, 0] = 1.0
    lines = edge_collections(connectome(matrix, example("dmn").coordinates[:3], views="z"))[0]
    reds, _, blues, _ = lines.get_colors().T
    np.testing.assert_array_equal(reds > blues, [True, False, True])  # 0.25, -0.5, 1 on top
    assert (np.diff(lines.get_linewidths()) > 0).all()
    assert [dashes is not None for _, dashes in lines.get_linestyles()] == [False, True, False]


def test_edges_beyond_vmax_keep_the_last_colour():
    dmn = example("dmn")
    lines = edge_collections(connectome(np.full((4, 4), 5.0), dmn.coordinates, vmax=1, views="z"))[0]
    np.testing.assert_allclose(lines.get_colors(), np.tile(style.diverging_map()(1.0), (6, 1)))


def test_networks_colour_the_nodes_and_are_listed():
    seeds = example("power264")
    figure = drawn_of("power264", threshold="top 500", isolated="same")
    spots, _, colours = nodes(brains(figure)[0])
    looks = style.network_looks(seeds.networks)
    expected = {}
    for (_, y, z), network in zip(seeds.coordinates.tolist(), seeds.networks, strict=True):
        expected.setdefault((y, z), set()).add(to_rgba(looks[network].colour))
    assert all(tuple(colour) in expected[tuple(spot)] for spot, colour in zip(spots.tolist(), colours, strict=True))
    assert set(seeds.networks) <= set(texts(figure))


def test_nodes_without_a_drawn_edge_are_small_hidden_or_the_same():
    seeds = example("dosenbach160")
    edges = edges_to_draw(seeds.matrix, "top 20")
    connected = len({*edges.first, *edges.second})
    settings = {"threshold": "top 20", "views": "z"}
    sizes = {kind: nodes(brains(drawn_of("dosenbach160", isolated=kind, **settings))[0])[1] for kind in
             ("small", "hidden", "same")}  # fmt: skip
    assert (sizes["small"] == sizes["small"].max()).sum() == connected < len(sizes["small"]) == 160
    assert len(sizes["hidden"]) == connected
    assert len(set(sizes["same"])) == 1


def test_a_seed_outside_the_brain_is_within_the_frame():
    far = np.vstack([example("dmn").coordinates[:3], [[120, 150, -110]]])
    figure = connectome(np.eye(4), far, views="lyrz")
    for axes in brains(figure):
        spots = nodes(axes)[0]
        assert (spots > [axes.get_xlim()[0], axes.get_ylim()[0]]).all()
        assert (spots < [axes.get_xlim()[1], axes.get_ylim()[1]]).all()


@pytest.mark.parametrize("views", ["ortho", "lyrz", "l", "yz"])
@pytest.mark.parametrize("seed_set", SEED_SETS)
def test_no_text_is_clipped_or_covers_another(seed_set, views):
    figure = drawn_of(
        seed_set, threshold="99%", views=views, title="sub-01_task-rest_space-MNI152NLin2009cAsym\nWide " * 3
    )
    assert clipped_texts(figure) == []
    assert overlapping_texts(figure) == []


def test_names_are_written_where_they_are_few():
    dmn = example("dmn")
    written = " ".join(texts(drawn_of("dmn", views="z"))).replace("\n", " ")
    assert all(name in written for name in dmn.names)
    assert "vmPFC" not in " ".join(texts(drawn_of("dosenbach160", views="z", threshold="top 9")))


def test_very_small_and_very_large_values_have_room_for_their_ticks():
    dmn = example("dmn")
    for factor in (1e-7, 1e-3, 1e5):
        figure = connectome(dmn.matrix * factor, dmn.coordinates)
        assert clipped_texts(figure) == []
        assert overlapping_texts(figure) == []


@pytest.mark.parametrize(("threshold", "as_image"), [("top 3000", False), ("top 3001", True)])
def test_thousands_of_edges_become_an_image_in_a_vector_file(threshold, as_image, tmp_path):
    figure = drawn_of("power264", threshold=threshold)
    style.save_figure(figure, tmp_path / "figure.svg", dpi=60)
    content = (tmp_path / "figure.svg").read_text()
    # The colour bar is an image in either case; each view's edges are one more.
    assert content.count("<image") == (4 if as_image else 1)
    assert len(content) < 4e6


def test_unknown_views_and_shapes_that_do_not_fit_are_refused():
    dmn = example("dmn")
    with pytest.raises(InputError, match=r"^views: 'zyx' is not known; allowed: ortho, x, y, z, .*, lyrz\.$"):
        connectome(dmn.matrix, dmn.coordinates, views="zyx")
    for settings in ({"names": ["a"]}, {"networks": ["a", "b"]}, {"isolated": "gone"}):
        with pytest.raises(ValueError, match=r"names for|networks for|isolated is"):
            connectome(dmn.matrix, dmn.coordinates, **settings)
    with pytest.raises(ValueError, match="coordinates"):
        connectome(dmn.matrix, dmn.coordinates[:3])
    with pytest.raises(ValueError, match="not finite"):
        connectome(dmn.matrix, dmn.coordinates * np.nan)


def strength_figure(vectors, **settings):
    return node_strength_figure(vectors, example("dosenbach160").coordinates, title="Strengths", **settings)


def test_strength_gives_size_and_colour_and_missing_nodes_are_crosses():
    values = np.linspace(1, 3, 160)
    values[[4, 9]] = np.nan
    figure = strength_figure({"positive": values}, views="z")
    crosses, circles = brains(figure)[0].collections
    assert len(crosses.get_offsets()) == 2
    sizes = circles.get_sizes()
    assert len(sizes) == 158
    assert (np.diff(sizes) > 0).all()  # the strongest on top
    luminance = circles.get_facecolor()[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) <= 1e-9).all()  # darker the stronger, in grey print too
    np.testing.assert_allclose(sizes / sizes[-1], np.sort(values[~np.isnan(values)]) / 3)  # areas start at 0
    (bar,) = colour_bars(figure)
    assert (colour_bar(figure)[0], colour_bar(figure)[-1]) == ("0.0", "3.0")
    (key,) = bar.collections  # markers beside the bar say what a size means
    np.testing.assert_allclose(key.get_sizes() / sizes[-1], key.get_offsets()[:, 1])
    assert (key.get_offsets()[:, 0] < 0).all()
    assert "2 nodes without a value (crosses)" in texts(figure)


def test_each_kind_of_strength_has_its_row_and_its_scale():
    figure = strength_figure({sign: np.linspace(0, high, 160) for sign, high in zip(STRENGTHS, (5, 3, 2), strict=True)})
    bars = colour_bars(figure)
    assert [axes.get_yticklabels()[-1].get_text() for axes in bars] == ["5.0", "3.0", "2.0"]
    assert [axes.get_ylabel() for axes in bars] == [f"Strength ({sign})" for sign in STRENGTHS]
    assert len(figure.axes) == 3 * 4
    assert clipped_texts(figure) == []
    assert overlapping_texts(figure) == []


def test_a_common_limit_makes_the_strengths_of_two_groups_comparable():
    strong, weak = (
        strength_figure({"positive": np.full(160, value)}, views="z", limits={"positive": 4.0}) for value in (4.0, 1.0)
    )
    areas = [brains(figure)[0].collections[1].get_sizes()[0] for figure in (strong, weak)]
    assert areas[0] == pytest.approx(4 * areas[1])
    assert colour_bar(strong) == colour_bar(weak)


@pytest.mark.parametrize("value", [0.0, 2.0, np.nan])
def test_strengths_that_are_all_the_same_can_be_drawn(value):
    drawn_texts(strength_figure({"negative": np.full(160, value)}))


def test_misuse_of_strengths_is_refused():
    for vectors in ({"both": np.zeros(160)}, {"positive": np.zeros(3)}, {"negative": np.full(160, -1.0)}):
        with pytest.raises(ValueError, match="strengths"):
            strength_figure(vectors)
