"""Clusters against scipy's labels, and enhancement against the integral that defines it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from sphereconn.map.clusters import CONNECTIVITY, Enhancement, cluster_labels, enhanced, largest, lattice_of

SHAPE = (7, 6, 5)


def field(seed, sigma=1.0, share=0.9, shape=SHAPE):
    """A smooth field on a part of a grid, in the order of files: the voxels inside, and the volume with NaN outside."""
    rng = np.random.default_rng(seed)
    volume = ndimage.gaussian_filter(rng.normal(size=shape), sigma)
    volume /= volume.std()
    volume[rng.random(shape) > share] = np.nan
    voxels = np.flatnonzero(np.isfinite(volume.ravel(order="F")))
    return voxels, volume


def by_definition(volume, neighbours, enhancement):
    """Integrate extent ** E * h ** H over heights, sign by sign; between two values that occur no extent changes."""
    structure = ndimage.generate_binary_structure(3, CONNECTIVITY[neighbours])
    total = np.zeros(volume.shape)
    for sign in (1, -1):
        signed = np.nan_to_num(sign * volume)
        heights = np.concatenate([[0.0], np.unique(signed[signed > 0])])
        for low, high in itertools.pairwise(heights):
            labels, _ = ndimage.label(signed >= high, structure)
            extent = np.bincount(labels.ravel())[labels] * (labels > 0)
            power = enhancement.height + 1
            total += sign * extent**enhancement.extent * (high**power - low**power) / power * (labels > 0)
    return total


@pytest.mark.parametrize("neighbours", [6, 18, 26])
@pytest.mark.parametrize("enhancement", [Enhancement(), Enhancement(1.0, 1.0), Enhancement(0.3, 3.0)])
def test_enhancement_is_the_integral_over_all_heights(neighbours, enhancement):
    voxels, volume = field(neighbours)
    statistic = volume.ravel(order="F")[voxels]
    found = enhanced(statistic, lattice_of(voxels, SHAPE, neighbours), enhancement)
    expected = by_definition(volume, neighbours, enhancement).ravel(order="F")[voxels]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_large_clusters_of_equal_heights_are_enhanced_alike():
    voxels, volume = field(8, sigma=0.7, shape=(24, 26, 22))
    volume = np.round(volume, 1)
    found = enhanced(volume.ravel(order="F")[voxels], lattice_of(voxels, volume.shape, 18))
    expected = by_definition(volume, 18, Enhancement()).ravel(order="F")[voxels]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@given(st.integers(0, 10_000), st.sampled_from([6, 18, 26]), st.floats(0, 2), st.floats(0, 1.5))
def test_the_largest_cluster_is_that_of_the_labels_and_the_largest_score_that_of_all(seed, neighbours, sigma, low):
    voxels, volume = field(seed, sigma, share=0.6)
    statistic, lattice = volume.ravel(order="F")[voxels], lattice_of(voxels, SHAPE, neighbours)
    thresholds = np.array([low, 2.5, low + 0.4])
    extents, score = largest(statistic, lattice, thresholds, Enhancement())
    expected = [cluster_labels(statistic, threshold, lattice)[1].max(initial=0) for threshold in thresholds]
    assert extents.tolist() == expected
    assert score == pytest.approx(np.abs(enhanced(statistic, lattice)).max(initial=0), rel=1e-12)
    assert largest(statistic, lattice, thresholds)[0].tolist() == expected


@pytest.mark.parametrize("neighbours", [6, 18, 26])
def test_clusters_are_those_of_scipy_sign_by_sign_and_largest_first(neighbours):
    voxels, volume = field(3)
    statistic = volume.ravel(order="F")[voxels]
    labels, extents = cluster_labels(statistic, 0.7, lattice_of(voxels, SHAPE, neighbours))
    structure, known = ndimage.generate_binary_structure(3, CONNECTIVITY[neighbours]), np.nan_to_num(volume)
    counted = [np.bincount(ndimage.label(mask, structure)[0].flat)[1:] for mask in (known > 0.7, known < -0.7)]
    assert extents.tolist() == sorted(np.concatenate(counted), reverse=True) == np.bincount(labels)[1:].tolist()
    for number in range(1, len(extents) + 1):
        inside = statistic[labels == number]
        assert (inside > 0.7).all() or (inside < -0.7).all()


def test_voxels_at_opposite_borders_of_the_grid_are_no_neighbours():
    """In memory the end of one row lies beside the start of the next."""
    volume = np.zeros(SHAPE)
    volume[-1, 2, 2] = volume[0, 3, 2] = volume[3, -1, 1] = volume[3, 0, 2] = 5.0
    voxels = np.arange(volume.size)
    extents, _ = largest(volume.ravel(order="F"), lattice_of(voxels, SHAPE, 26), np.array([1.0]))
    assert extents.tolist() == [1]


def test_voxels_without_a_statistic_are_in_no_cluster():
    voxels, volume = field(4, share=1.0)
    statistic = volume.ravel(order="F")[voxels]
    statistic[::3] = np.nan
    lost = np.full(volume.size, np.nan)
    lost[voxels] = statistic
    found = enhanced(statistic, lattice_of(voxels, SHAPE, 26))
    assert np.array_equal(np.isnan(found), np.isnan(statistic))
    expected = by_definition(lost.reshape(SHAPE, order="F"), 26, Enhancement()).ravel(order="F")[voxels]
    np.testing.assert_allclose(np.nan_to_num(found), expected, rtol=1e-10, atol=1e-12)


def test_another_number_of_neighbours_is_refused():
    with pytest.raises(ValueError, match="6, 18 or 26"):
        lattice_of(np.arange(3), SHAPE, 8)
