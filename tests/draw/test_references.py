"""Figures look as they did when someone last looked at them."""

import matplotlib.image
import numpy as np
import pytest
from figures import REFERENCES, assert_looks_as_before, difference, example, partial_correlation, pixels

from sphereconn.aggregate.strength import network_means, node_strength
from sphereconn.draw.glassbrain import connectome_figure, node_strength_figure
from sphereconn.draw.matrix import matrix_figure, network_matrix_figure
from sphereconn.draw.timeseries import time_series_figure

FRAMES = 60


def default_mode_network(**settings):
    dmn = example("dmn")
    matrix = partial_correlation(dmn.matrix)
    settings = {"names": dmn.names, "title": "Default mode", "label": "Partial correlation", **settings}
    return connectome_figure(matrix, dmn.coordinates, **settings)


def motion():
    displacement = 0.1 + 0.15 * np.random.default_rng(1).exponential(size=FRAMES)
    return displacement, displacement > 0.4


def lines():
    dmn = example("dmn")
    displacement, censored = motion()
    signals = dmn.signals[:FRAMES].copy()
    signals[:, 2] = np.nan
    return time_series_figure(
        signals[~censored],
        dmn.names,
        2.0,
        title="Default mode",
        networks=["a", "b", "b", "c"],
        framewise_displacement=displacement,
        censored=censored,
    )


def carpet():
    seeds = example("seitzman300")
    displacement, censored = motion()
    return time_series_figure(
        seeds.signals[:FRAMES],
        seeds.names,
        2.0,
        title="Seitzman-300",
        networks=seeds.networks,
        framewise_displacement=displacement,
        censored=censored,
    )


def matrix_by_network():
    seeds = example("seitzman300")
    matrix = seeds.matrix.copy()
    matrix[40] = matrix[:, 40] = np.nan
    return matrix_figure(matrix, seeds.names, seeds.networks, title="Seitzman-300", label="Correlation")


def matrix_by_cluster():
    seeds = example("dosenbach160")
    return matrix_figure(
        seeds.matrix, seeds.names, seeds.networks, title="Dosenbach-160", label="Correlation", order="cluster"
    )


def matrix_of_few_nodes():
    seeds = example("dosenbach160")
    some = np.arange(0, 160, 8)
    return matrix_figure(
        partial_correlation(seeds.matrix[np.ix_(some, some)]),
        [seeds.names[node] for node in some],
        [seeds.networks[node] for node in some],
        title="20 nodes",
        label="Partial correlation",
    )


def networks():
    seeds = example("power264")
    names, means = network_means(seeds.matrix, seeds.networks)
    return network_matrix_figure(means, names, title="Power-264, means of networks", label="Mean correlation")


def power_ortho():
    seeds = example("power264")
    return connectome_figure(
        seeds.matrix,
        seeds.coordinates,
        names=seeds.names,
        networks=seeds.networks,
        threshold="99.8%",
        title="Power-264",
        label="Correlation",
    )


def dosenbach_lateral():
    seeds = example("dosenbach160")
    return connectome_figure(
        partial_correlation(seeds.matrix),
        seeds.coordinates,
        networks=seeds.networks,
        threshold="top 150",
        views="lzr",
        isolated="hidden",
        title="Dosenbach-160",
        label="Partial correlation",
    )


def strengths():
    seeds = example("dosenbach160")
    matrix = partial_correlation(seeds.matrix)
    matrix[7] = matrix[:, 7] = np.nan
    vectors = {sign: node_strength(matrix, sign) for sign in ("absolute", "positive", "negative")}
    return node_strength_figure(vectors, seeds.coordinates, title="Dosenbach-160", views="lyr")


FIGURES = {
    "connectome_dmn_ortho": default_mode_network,
    "connectome_dmn_lyrz": lambda: default_mode_network(views="lyrz"),
    "connectome_dmn_radiological": lambda: default_mode_network(views="yz", radiological=True),
    "connectome_power264_ortho": power_ortho,
    "connectome_dosenbach160_lzr": dosenbach_lateral,
    "strength_dosenbach160": strengths,
    "matrix_seitzman300_network": matrix_by_network,
    "matrix_dosenbach160_cluster": matrix_by_cluster,
    "matrix_20_nodes": matrix_of_few_nodes,
    "matrix_power264_networks": networks,
    "signals_dmn": lines,
    "signals_seitzman300": carpet,
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_before(name, tmp_path):
    assert_looks_as_before(FIGURES[name](), name, tmp_path)


def test_there_is_no_reference_without_a_figure():
    assert {path.stem for path in REFERENCES.glob("*.png")} == set(FIGURES)


def test_a_reference_tells_small_changes():
    """One edge less, one node 3 mm away and another pair of colours are beyond the tolerance of the comparison."""
    before = matplotlib.image.imread(REFERENCES / "connectome_dmn_ortho.png")[..., :3].astype(np.float64)
    dmn = example("dmn")
    settings = {"names": dmn.names, "title": "Default mode", "label": "Partial correlation"}
    matrix = partial_correlation(dmn.matrix)

    fewer = matrix.copy()
    fewer[1, 2] = fewer[2, 1] = 0
    moved = dmn.coordinates + np.array([[3, 3, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    changed = [
        connectome_figure(fewer, dmn.coordinates, **settings),
        connectome_figure(matrix, moved, **settings),
        connectome_figure(-matrix, dmn.coordinates, **settings),
    ]
    for figure in changed:
        assert difference(pixels(figure, 45), before) > 0.08
