"""Peaks and clusters of a map against what can be counted by hand."""

import numpy as np
import pytest

from sphereconn.map.peaks import largest_twentieth, nearest_nodes, peak_rows, peaks_of

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
AFFINE[:3, 3] = [-10, -10, -10]


def volume(**voxels):
    values = np.zeros((12, 12, 12))
    for place, value in voxels.items():
        values[tuple(int(digit, 36) for digit in place[1:])] = value
    return values


def test_clusters_are_numbered_by_size_and_have_their_volume():
    values = volume(v111=1.0, v112=2.0, v888=5.0, v889=1.5, v898=1.2)
    peaks = peaks_of(values, AFFINE, 1.0)
    assert [(peak.cluster, peak.volume) for peak in peaks] == [(1, 24.0), (2, 16.0)]
    assert (peaks[0].x, peaks[0].y, peaks[0].z, peaks[0].value) == (6.0, 6.0, 6.0, 5.0)


def test_voxels_that_share_a_corner_are_one_cluster_and_those_of_other_sign_another():
    assert len(peaks_of(volume(v111=1.0, v222=1.0), AFFINE, 0.5)) == 1
    negative = peaks_of(volume(v111=1.0, v112=-3.0), AFFINE, 0.5)
    assert sorted(peak.value for peak in negative) == [-3.0, 1.0]


def test_peaks_of_a_cluster_are_apart_and_the_highest_comes_first():
    values = np.zeros((12, 12, 12))
    values[5, 5, :] = 1.0
    values[5, 5, 0], values[5, 5, 1], values[5, 5, 10] = 3.0, 2.9, 2.0
    peaks = peaks_of(values, AFFINE, 0.5)
    assert [(peak.z, peak.value) for peak in peaks] == [(-10.0, 3.0), (10.0, 2.0), (-2.0, 1.0)]
    assert len(peaks_of(values, AFFINE, 0.5, per_cluster=1)) == 1
    assert peaks_of(values, AFFINE, 0.5, smallest_volume=97.0) == []


def test_voxels_without_a_value_belong_to_no_cluster():
    values = volume(v111=1.0)
    values[2:] = np.nan
    assert len(peaks_of(values, AFFINE, 0.5)) == 1


def test_the_nearest_node_and_its_distance_are_named():
    peaks = peaks_of(volume(v555=1.0), AFFINE, 0.5)
    assert nearest_nodes(peaks, ["far", "near"], np.array([[9.0, 0, 0], [0.0, 3.0, 4.0]])) == [("near", 5.0)]
    assert peak_rows(volume(v555=1.0), AFFINE, 0.5, ["a"], np.zeros((1, 3))) == [(1, 8.0, 0, 0, 0, 1.0, "a", 0.0)]


def test_the_largest_twentieth_is_a_quantile_of_the_magnitudes():
    values = np.concatenate([np.arange(-100, 0), [np.nan] * 7])
    assert largest_twentieth(values) == pytest.approx(np.quantile(np.arange(1, 101), 0.95))
    assert largest_twentieth(np.array([np.nan])) == 1.0
    with pytest.raises(ValueError, match="above 0"):
        peaks_of(np.zeros((2, 2, 2)), AFFINE, 0.0)
