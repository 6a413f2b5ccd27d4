import numpy as np
import pytest
from figures import clipped_texts, example, overlapping_texts, texts
from matplotlib.colors import to_rgba

from sphereconn.draw import style
from sphereconn.draw.timeseries import CENSORED_COLOUR, signal_label, time_series_figure

SEED_SETS = ("dmn", "power264", "dosenbach160", "seitzman300")
TR = 2.5


def drawn(signals, **settings):
    names = settings.pop("names", [f"node{number}" for number in range(signals.shape[1])])
    return time_series_figure(signals, names, TR, **{"title": "Signals", **settings})


def signal_axes(figure):
    (axes,) = (axes for axes in figure.axes if axes.get_xlabel() == "Time (s)")
    return axes


def motion_axes(figure):
    (axes,) = (axes for axes in figure.axes if axes.get_ylabel() == "FD (mm)")
    return axes


def lines(figure):
    """Return the curves of the nodes, not the scale bar, as (time, value) arrays."""
    axes = signal_axes(figure)
    return [np.array(line.get_xydata()) for line in axes.lines if line.get_transform() == axes.transData]


def shaded(axes):
    """Return the stretches of time that are shaded, in seconds."""
    boxes = [patch for patch in axes.patches if patch.get_facecolor() == to_rgba(CENSORED_COLOUR)]
    return [(box.get_x(), box.get_x() + box.get_width()) for box in boxes]


def carpet(figure):
    return signal_axes(figure).images[0]


def test_twenty_nodes_are_lines_and_more_are_a_carpet():
    signals = np.random.default_rng(0).standard_normal((30, 21))
    assert len(lines(drawn(signals[:, :20]))) == 20
    figure = drawn(signals)
    assert lines(figure) == []
    np.testing.assert_allclose(carpet(figure).get_array(), (signals - signals.mean(axis=0)).T)


def test_a_line_is_its_signal_over_seconds_around_its_own_height():
    signals = 1000 + np.random.default_rng(0).standard_normal((40, 3))
    curves = lines(drawn(signals))
    heights = [curve[:, 1].mean() for curve in curves]
    assert heights[0] > heights[1] > heights[2]
    np.testing.assert_allclose(np.diff(heights), (heights[2] - heights[0]) / 2)
    for node, curve in enumerate(curves):
        np.testing.assert_allclose(curve[:, 0], np.arange(40) * TR)
        centred = signals[:, node] - signals[:, node].mean()
        np.testing.assert_allclose(curve[:, 1] - heights[node], centred, rtol=0, atol=1e-9)  # of values near 1000


def test_kept_frames_stand_at_their_own_time_and_censored_ones_are_gaps():
    censored = np.zeros(20, dtype=bool)
    censored[[0, 7, 8, 19]] = True
    whole = np.random.default_rng(0).standard_normal((20, 2))
    for signals in (whole[~censored], np.where(censored[:, None], np.nan, whole)):
        for node, curve in enumerate(lines(drawn(signals, censored=censored))):
            np.testing.assert_allclose(curve[:, 0], np.arange(20) * TR)
            np.testing.assert_array_equal(np.isnan(curve[:, 1]), censored)
            np.testing.assert_allclose(np.diff(curve[~censored, 1]), np.diff(whole[~censored, node]), atol=1e-12)


@pytest.mark.parametrize("n_nodes", [3, 30])
def test_each_stretch_of_censored_frames_is_shaded_from_edge_to_edge(n_nodes):
    censored = np.zeros(20, dtype=bool)
    censored[[0, 7, 8, 19]] = True
    motion = np.where(censored, 0.8, 0.1)
    figure = drawn(np.random.default_rng(0).random((20, n_nodes)), censored=censored, framewise_displacement=motion)
    expected = [(-0.5 * TR, 0.5 * TR), (6.5 * TR, 8.5 * TR), (18.5 * TR, 19.5 * TR)]
    np.testing.assert_allclose(shaded(signal_axes(figure)), expected)
    np.testing.assert_allclose(shaded(motion_axes(figure)), expected)
    assert "4 of 20 frames censored (shaded)" in texts(figure)
    assert signal_axes(figure).get_xlim() == motion_axes(figure).get_xlim() == (-0.5 * TR, 19.5 * TR)
    np.testing.assert_array_equal(motion_axes(figure).lines[0].get_ydata(), motion)


def test_motion_may_start_without_a_value():
    motion = np.array([np.nan, 0.2, 0.4, 0.1])
    figure = drawn(np.random.default_rng(0).random((4, 2)), framewise_displacement=motion)
    low, high = motion_axes(figure).get_ylim()
    assert low == 0
    assert 0.4 < high < 0.5


def test_a_node_without_a_value_is_grey_and_named():
    signals = np.random.default_rng(0).standard_normal((30, 3))
    signals[:, 1] = np.nan
    figure = drawn(signals, names=["a", "b", "c"])
    assert {"a", "b (n/a)", "c"} <= set(texts(figure))
    grey = [line.get_color() == style.MISSING_COLOUR for line in signal_axes(figure).lines]
    assert grey[:3] == [False, True, False]

    many = np.random.default_rng(0).standard_normal((30, 40))
    many[:, [5, 6]] = np.nan
    figure = drawn(many)
    assert "n/a (grey): node5, node6" in texts(figure)
    assert np.isnan(np.ma.filled(carpet(figure).get_array(), np.nan)).all(axis=1).sum() == 2


def test_only_nodes_without_a_value_can_be_drawn():
    assert "node0 (n/a)" in texts(drawn(np.full((10, 2), np.nan)))
    assert clipped_texts(drawn(np.full((10, 30), np.nan))) == []


def test_a_carpet_is_ordered_by_network_and_keeps_the_order_within():
    networks = ["visual", "auditory", ""] * 10
    signals = np.random.default_rng(0).standard_normal((15, 30))
    signals -= signals.mean(axis=0)
    order = [*range(1, 30, 3), *range(0, 30, 3), *range(2, 30, 3)]
    np.testing.assert_allclose(carpet(drawn(signals, networks=networks)).get_array(), signals[:, order].T, atol=1e-12)


def test_networks_give_the_lines_their_colours():
    networks = ["visual", "auditory", "visual"]
    axes = signal_axes(drawn(np.random.default_rng(0).random((9, 3)), networks=networks))
    looks = style.network_looks(networks)
    assert [line.get_color() for line in axes.lines[:3]] == [looks[name].colour for name in networks]


def test_one_spike_does_not_flatten_the_other_signals():
    signals = np.random.default_rng(0).standard_normal((500, 30))
    signals[250, 3] = 1000
    low, high = carpet(drawn(signals)).get_clim()
    assert low == -high
    assert 1 < high < 5


@pytest.mark.parametrize("seed_set", SEED_SETS)
def test_no_text_is_clipped_or_covers_another(seed_set):
    seeds = example(seed_set)
    censored = np.arange(200) % 31 == 5
    figure = time_series_figure(
        seeds.signals[~censored],
        seeds.names,
        TR,
        title="sub-01_task-rest_space-MNI152NLin2009cAsym\nWide words " * 3,
        label="Signal (z-score)",
        networks=seeds.networks,
        framewise_displacement=np.abs(seeds.signals[:, 0]),
        censored=censored,
    )
    assert clipped_texts(figure) == []
    assert overlapping_texts(figure) == []
    assert {name for name in seeds.networks if name} <= set(texts(figure))


@pytest.mark.parametrize("n_nodes", [1, 20, 25])
def test_signals_of_any_unit_have_room_for_their_scale(n_nodes):
    for factor in (1e-6, 1.0, 1e6):
        figure = drawn(factor * np.random.default_rng(0).standard_normal((40, n_nodes)), label="A long name of a unit")
        assert clipped_texts(figure) == []
        assert overlapping_texts(figure) == []


def test_shapes_that_do_not_fit_are_refused():
    signals = np.zeros((10, 2))
    with pytest.raises(ValueError, match="1 names for 2 nodes"):
        drawn(signals, names=["a"])
    with pytest.raises(ValueError, match="3 networks for 2 nodes"):
        drawn(signals, networks=["a", "b", "c"])
    with pytest.raises(ValueError, match="displacement"):
        drawn(signals, framewise_displacement=np.zeros(9))
    with pytest.raises(ValueError, match="10 frames of signals, 12 frames of which 11 are kept"):
        drawn(signals, censored=np.arange(12) == 3)
    with pytest.raises(ValueError, match="a row a frame"):
        time_series_figure(np.zeros(10), ["a"], TR, title="")


def test_no_line_is_cut_off_however_far_a_frame_reaches():
    signals = np.random.default_rng(0).standard_normal((100, 3))
    signals[40, 0], signals[70, 2] = 60, -60
    figure = time_series_figure(signals, ["a", "b", "c"], 2.0, title="Spikes")
    axes = next(axes for axes in figure.axes if axes.get_xlabel() == "Time (s)")
    low, high = axes.get_ylim()
    heights = np.concatenate([line.get_ydata() for line in axes.lines[:3]])
    assert low < heights.min() and heights.max() < high
    quiet = time_series_figure(np.clip(signals, -3, 3), ["a", "b", "c"], 2.0, title="Spikes")
    assert figure.get_figheight() < quiet.get_figheight() + 2  # inches


def test_the_unit_of_the_signals_is_written_beside_them():
    assert [signal_label(how) for how in ("zscore_sample", "psc", "none")] == [
        "Signal (z)", "Signal (% of the mean)", "Signal (units of the image)",
    ]  # fmt: skip
