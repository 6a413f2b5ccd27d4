import numpy as np
import pytest
from figures import COORDINATES, rows
from matplotlib.path import Path

from sphereconn.draw.brain import BRAIN_FILES, VIEWS, brain_mesh, outline

# How a view projects MNI coordinates onto its plane.
PROJECTIONS = {
    "right": lambda points: points[:, [1, 2]],
    "left": lambda points: points[:, [1, 2]] * [-1, 1],
    "back": lambda points: points[:, [0, 2]],
    "front": lambda points: points[:, [0, 2]] * [-1, 1],
    "top": lambda points: points[:, [0, 1]],
}


def directed_edges(faces):
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def test_the_surface_is_closed_and_consistently_oriented():
    """Every edge is walked exactly once in each direction."""
    edges = directed_edges(brain_mesh().faces)
    forward = np.unique(edges, axis=0)
    assert len(forward) == len(edges)
    np.testing.assert_array_equal(forward, np.unique(edges[:, ::-1], axis=0))


def test_faces_look_outwards_and_enclose_a_brain():
    mesh = brain_mesh()
    one, two, three = (mesh.vertices[mesh.faces[:, corner]].astype(float) for corner in range(3))
    volumes = (np.cross(one, two) * three).sum(axis=1) / 6  # of the tetrahedra with the origin, signed
    of_left = mesh.is_left[mesh.faces[:, 0]]
    for half in (volumes[of_left], volumes[~of_left]):
        # The template's own brain mask (T1 above a fifth of its maximum) has 1.88 litres; without fluid it is less.
        assert 0.75e6 < half.sum() < 0.94e6


def test_the_halves_are_separate_and_told_by_the_sign_of_x():
    mesh = brain_mesh()
    np.testing.assert_array_equal(mesh.is_left, mesh.vertices[:, 0] < 0)
    assert (mesh.vertices[:, 0] != 0).all()
    assert (mesh.is_left[mesh.faces] == mesh.is_left[mesh.faces[:, :1]]).all()


def test_the_surface_is_light_enough_for_a_page():
    mesh = brain_mesh()
    assert 10_000 <= len(mesh.vertices) <= 20_000
    assert (mesh.vertices.dtype, mesh.faces.dtype) == (np.float32, np.int32)
    assert (BRAIN_FILES / "surface.npz").stat().st_size < 600_000
    assert (BRAIN_FILES / "outlines.json").stat().st_size < 150_000


@pytest.mark.parametrize("view", VIEWS)
def test_an_outline_frames_the_surface_seen_from_that_side(view):
    silhouette = np.concatenate(outline(view).silhouette)
    surface = PROJECTIONS[view](brain_mesh().vertices)
    # The surface is sampled every 1.5 mm and decimated, the outline is smoothed over 1.2 mm.
    np.testing.assert_allclose(silhouette.min(axis=0), surface.min(axis=0), atol=2)
    np.testing.assert_allclose(silhouette.max(axis=0), surface.max(axis=0), atol=2)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("seed_set", ["dmn", "power264", "dosenbach160", "seitzman300"])
def test_published_coordinates_lie_within_the_outlines(view, seed_set):
    points = np.array([[float(seed[axis]) for axis in "xyz"] for seed in rows(COORDINATES / f"{seed_set}.tsv")])
    brain = Path.make_compound_path(*(Path(line, closed=False) for line in outline(view).silhouette))
    within = brain.contains_points(PROJECTIONS[view](points))
    near = brain.contains_points(PROJECTIONS[view](points), radius=4) | brain.contains_points(
        PROJECTIONS[view](points), radius=-4
    )
    assert within.mean() > 0.97  # spheres are centred on the cortical sheet, some just outside of an average brain
    assert near.all()


def test_the_left_outline_is_the_mirrored_right_one():
    for one, two in zip(outline("left").sulci, outline("right").sulci, strict=True):
        np.testing.assert_array_equal(one, two * [-1, 1])


def test_sulci_lie_within_the_silhouette():
    for view in VIEWS:
        drawn = outline(view)
        brain = Path(drawn.silhouette[0])
        assert len(drawn.silhouette) == 1
        assert brain.contains_points(np.concatenate(drawn.sulci)).all()


def test_an_unknown_view_is_named():
    with pytest.raises(ValueError, match="'below'"):
        outline("below")
