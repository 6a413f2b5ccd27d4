import numpy as np
import pytest
from figures import clipped_texts, example, overlapping_texts, partial_correlation, pixels, texts
from matplotlib.colors import to_rgb

from sphereconn.draw import style
from sphereconn.draw.matrix import SIDE, matrix_figure, network_matrix_figure, node_order
from sphereconn.errors import InputError

SEED_SETS = ("dmn", "power264", "dosenbach160", "seitzman300")


def drawn(matrix, names=None, networks=None, **settings):
    names = names or [f"node{number}" for number in range(len(matrix))]
    return matrix_figure(matrix, names, networks, **{"title": "Matrix", "label": "Correlation", **settings})


def heat_map(figure):
    """Return the image of the matrix: the one in the largest axes."""
    axes = max(figure.axes, key=lambda axes: axes.get_position().width * axes.get_position().height)
    return axes.images[0]


def drawn_of(seed_set, **settings):
    seeds = example(seed_set)
    return drawn(seeds.matrix, seeds.names, seeds.networks, **settings)


def test_the_diagonal_of_ones_does_not_set_the_colour_limits():
    matrix = np.array([[1.0, 0.2, -0.3], [0.2, 1, 0.1], [-0.3, 0.1, 1]])
    image = heat_map(drawn(matrix))
    assert image.get_clim() == (-0.3, 0.3)
    np.testing.assert_array_equal(image.get_array(), matrix)  # it is drawn as it is, beyond the limits
    assert heat_map(drawn(matrix, vmax=0.8)).get_clim() == (-0.8, 0.8)
    assert heat_map(drawn(np.eye(3))).get_clim() == (-1, 1)


def test_cells_without_a_value_are_grey_and_their_nodes_are_named():
    matrix = np.full((4, 4), 0.5)
    matrix[2] = matrix[:, 2] = np.nan
    matrix[2, 2] = 1  # a diagonal of ones tells nothing
    figure = drawn(matrix, ["a", "b", "c", "d"])
    assert "n/a (grey): c" in texts(figure)
    dpi = 50
    seen = pixels(figure, dpi)
    box = heat_map(figure).axes.get_position()
    rows, columns = seen.shape[:2]
    # The middle of the cell in row 2, column 0, rows counted from above.
    row, column = round(rows * (1 - box.y1 + box.height * 2.5 / 4)), round(columns * (box.x0 + box.width / 8))
    np.testing.assert_allclose(seen[row, column], to_rgb(style.MISSING_COLOUR), atol=1 / 255)


def test_nodes_stand_by_network_and_within_a_network_as_given():
    networks = ["visual", "", "auditory", "visual", "auditory"]
    np.testing.assert_array_equal(node_order(np.eye(5), networks, "network"), [2, 4, 0, 3, 1])
    np.testing.assert_array_equal(node_order(np.eye(5), networks, "table"), range(5))
    np.testing.assert_array_equal(node_order(np.eye(5), None, "network"), range(5))


def test_rows_and_columns_and_names_move_together():
    matrix = np.arange(9.0).reshape(3, 3)
    matrix += matrix.T
    image = heat_map(drawn(matrix, ["a", "b", "c"], ["two", "one", "two"]))
    np.testing.assert_array_equal(image.get_array(), matrix[np.ix_([1, 0, 2], [1, 0, 2])])
    assert [tick.get_text() for tick in image.axes.get_yticklabels()] == ["b", "a", "c"]
    assert [tick.get_text() for tick in image.axes.get_xticklabels()] == ["b", "a", "c"]


def test_clustering_brings_similar_nodes_together_and_leaves_nodes_without_a_value_last():
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat([0, 1, 2], 7))
    matrix = 0.7 * (groups[:, None] == groups) + 0.05 * rng.standard_normal((21, 21))
    matrix += matrix.T
    np.fill_diagonal(matrix, 40)  # larger than all else: it must not keep nodes apart
    matrix[[3, 8]] = matrix[:, [3, 8]] = np.nan
    order = node_order(matrix, None, "cluster")
    np.testing.assert_array_equal(order[-2:], [3, 8])
    assert (np.diff(groups[order[:-2]]) != 0).sum() == 2
    assert sorted(order) == list(range(21))


@pytest.mark.parametrize("size", [0, 1, 2])
def test_clustering_takes_the_smallest_matrices(size):
    assert sorted(node_order(np.eye(size), None, "cluster")) == list(range(size))


def test_names_are_written_while_they_can_be_read():
    matrix = example("dosenbach160").matrix
    few, many = drawn(matrix[:40, :40]), drawn(matrix[:41, :41])
    assert texts(few).count("node7") == 2  # at its row and its column
    assert "node7" not in texts(many)


@pytest.mark.parametrize("order", ["network", "cluster", "table"])
@pytest.mark.parametrize("seed_set", SEED_SETS)
def test_no_text_is_clipped_or_covers_another(seed_set, order):
    figure = drawn_of(seed_set, order=order, title="sub-01_task-rest_space-MNI152NLin2009cAsym\nWide words " * 3)
    assert clipped_texts(figure) == []
    assert overlapping_texts(figure) == []
    named = {name for name in example(seed_set).networks if name}
    assert named <= set(texts(figure))


@pytest.mark.parametrize("n_networks", [2, 14, 30, 80])
def test_labels_of_tiny_networks_never_overlap(n_networks):
    """One network holds nearly all nodes, each of the others one."""
    networks = [f"network number {number}" for number in range(n_networks)] + ["all the rest"] * 100
    figure = drawn(np.eye(len(networks)), networks=networks)
    assert overlapping_texts(figure) == []
    assert clipped_texts(figure) == []
    assert set(networks) <= set(texts(figure))


def test_lines_separate_the_networks():
    networks = ["a"] * 3 + ["b"] * 2 + ["c"]
    axes = heat_map(drawn(np.eye(6), networks=networks)).axes
    horizontal = sorted({line.get_ydata()[0] for line in axes.lines if line.get_ydata()[0] == line.get_ydata()[1]})
    assert horizontal == [2.5, 4.5]


def test_the_matrix_is_as_large_with_short_as_with_long_names():
    for names in (["a", "b"], ["a very long name of a region", "b"]):
        figure = drawn(np.eye(2), names)
        box = heat_map(figure).axes.get_position()
        width, height = figure.get_size_inches()
        np.testing.assert_allclose([box.width * width, box.height * height], SIDE)


def test_means_of_networks_are_written_into_their_cells():
    means = np.array([[0.5, -0.004], [-0.004, np.nan]])
    figure = network_matrix_figure(means, ["visual", "default"], title="Means", label="Mean")
    image = heat_map(figure)
    np.testing.assert_array_equal(image.get_array(), means[::-1, ::-1])  # default before visual
    assert image.get_clim() == (-0.5, 0.5)  # a mean within a network counts
    assert [texts(figure).count(text) for text in ("0.50", "0.00", "n/a")] == [2, 2, 1]  # 0.50 at the bar, too
    assert clipped_texts(figure) == []
    assert overlapping_texts(figure) == []


def test_small_means_are_written_with_two_digits_of_the_largest():
    means = np.array([[0.052, -0.0034], [-0.0034, 0.021]])
    written = texts(network_matrix_figure(means, ["visual", "default"], title="Means", label="Mean"))
    assert [written.count(text) for text in ("0.052", "−0.003", "0.021")] == [2, 2, 1]  # 0.052 at the bar


def test_partial_correlations_of_300_nodes_are_drawn_within_their_own_range():
    seeds = example("seitzman300")
    matrix = partial_correlation(seeds.matrix)
    off_diagonal = matrix - np.diag(np.diag(matrix))
    limit = np.abs(off_diagonal).max()
    np.testing.assert_allclose(heat_map(drawn(matrix)).get_clim(), (-limit, limit))


def test_an_unknown_order_and_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"^order: 'size' is not known; allowed: network, cluster, table\.$"):
        drawn(np.eye(3), order="size")
    with pytest.raises(ValueError, match="for 2 nodes"):
        drawn(np.eye(3), ["a", "b"])
    with pytest.raises(ValueError, match="2 networks for 3 nodes"):
        drawn(np.eye(3), networks=["a", "b"])
    with pytest.raises(ValueError, match="for 2 nodes"):
        network_matrix_figure(np.eye(3), ["a", "b"], title="", label="")


def test_the_diagonal_is_blank_and_what_is_missing_is_grey():
    matrix = np.full((4, 4), 0.5)
    matrix[2, 3] = matrix[3, 2] = np.nan
    figure = drawn(matrix)
    paper = heat_map(figure).axes.images[1].get_array()
    np.testing.assert_array_equal(paper[..., 3], np.eye(4))  # opaque there, transparent elsewhere
    assert (paper[..., :3] == 1).all()


def test_the_colours_of_f_statistics_begin_at_0():
    f = np.array([[np.nan, 3.0], [3.0, np.nan]])
    assert heat_map(drawn(f, signed=False)).get_clim() == (0.0, 3.0)
