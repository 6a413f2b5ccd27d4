"""Two connectomes and their difference: the two share a scale, and the difference has its own, symmetric one."""

import numpy as np
import pytest
from figures import clipped_texts, edge_collections, example, overlapping_texts, texts

from sphereconn.draw.difference import difference_figure
from sphereconn.draw.glassbrain import difference_brain_figure

SETTINGS = {"captions": ("essen", "bochum"), "title": "essen minus bochum", "label": "Correlation"}


@pytest.fixture(scope="module")
def pair():
    seeds = example("dosenbach160")
    return seeds, seeds.matrix, 0.5 * seeds.matrix


def test_the_panels_hold_both_matrices_on_one_scale_and_the_first_minus_the_second(pair):
    _, one, two = pair
    figure = difference_figure(one, two, [""] * 160, **SETTINGS)
    panels = [axes.images[0] for axes in figure.axes if axes.images and axes.images[0].get_array().shape == (160, 160)]
    assert [panel.get_clim() for panel in panels[:2]] == [panels[0].get_clim()] * 2
    for panel, expected in zip(panels, (one, two, one - two), strict=True):
        np.testing.assert_array_equal(panel.get_array(), expected)
    low, high = panels[2].get_clim()
    assert -low == high == pytest.approx(np.abs(one - two)[~np.eye(160, dtype=bool)].max())


def test_the_scale_that_groups_share_can_be_given(pair):
    seeds, one, two = pair
    figure = difference_figure(one, two, seeds.networks, vmax=2.0, **SETTINGS)
    assert texts(figure).count("2.0") == 1  # one bar for both
    assert {"essen", "bochum", "first minus second"} <= set(texts(figure))
    assert clipped_texts(figure) == [] and overlapping_texts(figure) == []


def test_the_brain_has_a_row_for_each_with_the_edges_that_pass_its_threshold(pair):
    seeds, one, two = pair
    figure = difference_brain_figure(
        one, two, seeds.coordinates, networks=seeds.networks, views="z", threshold="top 20", **SETTINGS
    )
    assert [len(edges.get_segments()) for edges in edge_collections(figure)] == [20, 20, 20]
    assert {"essen: Correlation", "bochum: Correlation", "first minus second"} <= set(texts(figure))
    assert clipped_texts(figure) == [] and overlapping_texts(figure) == []
