"""Slices of a map: what is significant is drawn in full and outlined, the rest fades."""

import numpy as np
from matplotlib.contour import QuadContourSet

from sphereconn.draw.slices import FAINTEST, LEVELS, slices_figure

AFFINE = np.diag([8.0, 8.0, 8.0, 1.0])
AFFINE[:3, 3] = (-96, -132, -78)


def drawn(strong):
    """Opacities of the map in the axial view, and the number of slices with an outline."""
    values = np.full((25, 29, 25), 2.0)
    figure = slices_figure(values, AFFINE, (0, -52, 20), title="t", label="t", strong=strong)
    views = figure.axes[:3] + figure.axes[-len(LEVELS) :]
    outlined = sum(any(isinstance(item, QuadContourSet) for item in axes.collections) for axes in views)
    return np.unique(np.round(figure.axes[2].images[1].get_array()[..., 3], 6)), outlined


def test_significant_voxels_are_opaque_and_outlined_and_others_faint():
    strong = np.zeros((25, 29, 25), dtype=bool)
    strong[10:14, 8:12, 10:14] = True
    opacities, outlined = drawn(strong)
    assert opacities.tolist() == [FAINTEST, 0.9] and 3 <= outlined < 10


def test_where_nothing_or_all_is_significant_there_is_no_outline():
    none, all_of_it = np.zeros((25, 29, 25), dtype=bool), np.ones((25, 29, 25), dtype=bool)
    assert drawn(none)[1] == drawn(all_of_it)[1] == 0
    assert drawn(none)[0].tolist() == [FAINTEST] and drawn(all_of_it)[0].tolist() == [0.9]
