"""The numbers of a quality sheet: each against a closed form, with and without censored frames."""

import numpy as np
import pytest

from sphereconn.clean.summary import MOST_COLUMNS, N_BINS, summarize_signals

TR = 2.0


def summary_of(signals, kept=None, **settings):
    n_frames, n_nodes = signals.shape
    kept = np.ones(n_frames, dtype=bool) if kept is None else kept
    settings = {"order": np.arange(n_nodes), "most_pixels": 10**6} | settings
    return summarize_signals(signals, kept, TR, **settings)


def frequencies_of(summary):
    return np.linspace(0, 0.5 / TR, len(summary.spectrum))


def test_dvars_of_white_noise_is_the_root_of_two_and_a_jump_shows_where_it_is():
    noise = np.random.default_rng(0).standard_normal((300, 200))
    dvars = summary_of(noise).dvars
    assert np.isnan(dvars[0])
    assert dvars[1:].mean() == pytest.approx(np.sqrt(2), abs=0.01)
    noise[100] += 5
    assert np.nanargmax(summary_of(noise).dvars) in (100, 101)


def test_dvars_is_not_known_across_a_gap():
    kept = np.ones(50, dtype=bool)
    kept[20:23] = False
    dvars = summary_of(np.random.default_rng(0).standard_normal((50, 4)), kept).dvars
    assert np.flatnonzero(np.isnan(dvars)).tolist() == [0, 20, 21, 22, 23]


def test_the_power_of_white_noise_is_the_same_at_all_frequencies_and_adds_up_to_the_variance():
    summary = summary_of(np.random.default_rng(0).standard_normal((400, 300)))
    nyquist = 0.5 / TR
    spread = np.sqrt(0.54 * 160 / 400 / 300)  # of Parzen's window, relative, for 160 lags, 400 frames and 300 nodes
    np.testing.assert_allclose(summary.spectrum[2:-2], 1 / nyquist, rtol=4 * spread)
    assert np.trapezoid(summary.spectrum, frequencies_of(summary)) == pytest.approx(1, abs=1e-9)


def test_the_power_of_a_sine_is_at_its_frequency():
    time = np.arange(300) * TR
    summary = summary_of(np.sin(2 * np.pi * 0.05 * time)[:, None])
    assert frequencies_of(summary)[summary.spectrum.argmax()] == pytest.approx(0.05, abs=0.002)


def test_censored_frames_do_not_spread_power_beyond_the_band_as_they_do_in_a_periodogram():
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal((400, 100)), axis=0)
    spectrum[np.fft.rfftfreq(400, TR) > 0.1] = 0
    signals = np.fft.irfft(spectrum, 400, axis=0)
    kept = rng.random(400) > 0.25
    whole, gaps = summary_of(signals), summary_of(signals, kept)
    beyond = frequencies_of(gaps) > 0.12
    assert gaps.spectrum[beyond].sum() < 0.03 * gaps.spectrum.sum()
    np.testing.assert_allclose(gaps.spectrum[~beyond], whole.spectrum[~beyond], atol=0.1 * whole.spectrum.max())
    periodogram = (np.abs(np.fft.rfft(np.where(kept[:, None], signals, 0), axis=0)) ** 2).mean(axis=1)
    assert periodogram[np.fft.rfftfreq(400, TR) > 0.12].sum() > 0.1 * periodogram.sum()


def test_correlations_are_those_of_the_kept_frames():
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((120, 20)) + rng.standard_normal((120, 1))
    kept = rng.random(120) > 0.2
    expected = np.corrcoef(signals[kept].T)[np.triu_indices(20, 1)]
    summary = summary_of(signals, kept)
    assert summary.median_correlation == pytest.approx(np.median(expected), abs=1e-12)
    np.testing.assert_allclose(summary.correlations, np.histogram(expected, N_BINS, (-1, 1))[0] / len(expected))


def test_signals_of_the_kept_frames_alone_give_the_same_numbers():
    rng = np.random.default_rng(0)
    signals, kept = rng.standard_normal((60, 5)), rng.random(60) > 0.3
    one, two = (
        summary_of(signals, kept),
        summarize_signals(signals[kept], kept, TR, order=np.arange(5), most_pixels=10**6),
    )
    for name in ("carpet", "dvars", "spectrum", "correlations"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_the_carpet_has_the_nodes_in_order_and_nothing_where_frames_are_censored():
    signals = np.random.default_rng(0).standard_normal((30, 3))
    kept = np.ones(30, dtype=bool)
    kept[4] = False
    summary = summary_of(signals, kept, order=[2, 0, 1])
    assert summary.rows.tolist() == [2, 0, 1]
    expected = (signals - signals[kept].mean(axis=0)) / signals[kept].std(axis=0)
    np.testing.assert_allclose(summary.carpet[:, kept], expected[kept][:, [2, 0, 1]].T)
    assert np.isnan(summary.carpet[:, 4]).all() and np.isnan(summary.carpet).sum() == 3


def test_the_carpet_of_a_long_run_of_many_nodes_is_made_small():
    signals = np.random.default_rng(0).standard_normal((1000, 300))
    summary = summary_of(signals, most_pixels=20_000)
    assert summary.carpet.size <= 20_000 and summary.carpet.shape[1] <= MOST_COLUMNS
    scored = (signals - signals.mean(axis=0)) / signals.std(axis=0)
    np.testing.assert_allclose(summary.carpet[:, 0], scored[:3, summary.rows].mean(axis=0))


def test_nodes_without_a_signal_and_constant_ones_have_no_part():
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((50, 6)) + 100
    signals[:, 1], signals[:, 4] = np.nan, 100.0
    alone = summary_of(np.delete(signals, [1, 4], axis=1))
    summary = summary_of(signals)
    assert summary.rows.tolist() == [0, 2, 3, 5]
    for name in ("carpet", "dvars", "spectrum", "correlations"):
        np.testing.assert_array_equal(getattr(summary, name), getattr(alone, name))


def test_a_trend_is_taken_out_where_that_is_asked_for():
    signals = np.random.default_rng(0).standard_normal((80, 3))
    drifting = signals + 50 * np.arange(80)[:, None]
    one, two = (summary_of(values, detrend=True) for values in (signals, drifting))
    np.testing.assert_allclose(one.carpet, two.carpet, atol=1e-9)
    assert summary_of(drifting).median_correlation > 0.99 > two.median_correlation


def test_nothing_left_is_no_mistake():
    summary = summary_of(np.full((20, 3), np.nan))
    assert summary.carpet.shape == (0, 20) and np.isnan(summary.median_correlation) and not summary.correlations.any()
    with pytest.raises(ValueError, match="kept frames"):
        summary_of(np.zeros((10, 2)), np.ones(20, dtype=bool))
