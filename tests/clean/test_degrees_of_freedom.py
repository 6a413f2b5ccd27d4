import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import freqz_sos, lfilter

from sphereconn.clean.cleaning import clean_signals
from sphereconn.clean.degrees_of_freedom import effective_degrees_of_freedom
from sphereconn.clean.filters import _design, butterworth_gain

BAND = {"high_pass": 0.01, "low_pass": 0.1}
ALL_KEPT = np.zeros(0, dtype=int)
BLOCKS = np.r_[20:35, 60:68, 90:110]
EIGHT_OF_TEN = np.flatnonzero(np.arange(600) % 10 > 1)
SCATTERED = np.random.default_rng(0).permutation(np.arange(3, 165))[:42]


def autoregressive(n_frames, n_columns, coefficient, seed):
    innovations = np.random.default_rng(seed).normal(size=(n_frames + 100, n_columns))
    return lfilter([1], [1, -coefficient], innovations, axis=0)[100:]


def cleaned(signals, confounds, censored, repetition_time=2.0, **options):
    kept = np.ones(len(signals), dtype=bool)
    kept[censored] = False
    names = [str(number) for number in range(confounds.shape[1])]
    return clean_signals(
        signals, repetition_time, confounds=confounds, confound_names=names, kept=kept, standardize="none", **options
    )


def true_number(confounds, censored, coefficient, **options):
    """Give the inverse variance of the correlations of signals that have nothing to do with each other."""
    n_nodes = 300
    signals = cleaned(autoregressive(len(confounds), n_nodes, coefficient, 99), confounds, censored, **options).signals
    chance = np.corrcoef(signals, rowvar=False)[np.triu_indices(n_nodes, k=1)]
    return 1 / np.mean(chance**2)


@pytest.mark.parametrize(
    ("n_frames", "n_confounds", "censored", "coefficient", "options"),
    [
        (168, 0, ALL_KEPT, 0.0, {}),
        (168, 24, ALL_KEPT, 0.6, {}),
        (168, 0, ALL_KEPT, 0.9, {}),
        (168, 24, BLOCKS, 0.6, {}),
        (168, 0, ALL_KEPT, 0.0, BAND),
        (168, 24, ALL_KEPT, 0.6, BAND),
        (168, 50, ALL_KEPT, 0.0, BAND),
        (168, 9, SCATTERED, 0.6, BAND),
        (168, 9, BLOCKS, 0.6, BAND),
        (168, 36, BLOCKS, 0.0, BAND),
        (168, 24, BLOCKS, 0.6, {"filter": "cosine", "high_pass": 0.01}),
        (168, 24, SCATTERED, 0.6, {"low_pass": 0.1}),
        # Off by a third if the gaps were closed.
        (600, 0, EIGHT_OF_TEN, 0.6, BAND),
        (600, 24, SCATTERED, 0.8, {**BAND, "repetition_time": 0.8}),
        (600, 9, BLOCKS, 0.8, {**BAND, "repetition_time": 0.8}),
    ],
)
def test_effective_degrees_of_freedom_are_those_of_noise_that_is_known(
    n_frames, n_confounds, censored, coefficient, options
):
    confounds = autoregressive(n_frames, n_confounds, coefficient, seed=1)
    estimates = [
        cleaned(
            autoregressive(n_frames, 60, coefficient, seed), confounds, censored, **options
        ).effective_degrees_of_freedom
        for seed in (2, 3, 4)
    ]
    assert np.mean(estimates) == pytest.approx(true_number(confounds, censored, coefficient, **options), rel=0.1)


def test_what_nodes_share_does_not_count_as_autocorrelation():
    confounds = autoregressive(168, 9, 0.6, seed=1)
    independent = autoregressive(168, 60, 0.6, seed=2)
    mixed = independent + 0.8 * autoregressive(168, 1, 0.6, seed=3)
    numbers = [cleaned(x, confounds, ALL_KEPT, **BAND).effective_degrees_of_freedom for x in (independent, mixed)]
    assert numbers[1] == pytest.approx(numbers[0], rel=0.15)


# A single node tells little of its spectrum, but in the mean what many do.
def test_a_single_node_is_enough():
    confounds = autoregressive(168, 9, 0.6, seed=1)
    inverse = [
        1 / cleaned(autoregressive(168, 1, 0.6, seed), confounds, ALL_KEPT, **BAND).effective_degrees_of_freedom
        for seed in range(40)
    ]
    assert 1 / np.mean(inverse) == pytest.approx(true_number(confounds, ALL_KEPT, 0.6, **BAND), rel=0.15)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(4, 80),
    st.integers(1, 8),
    st.floats(0, 0.97),
    st.integers(0, 30),
    st.integers(0, 50),
)
def test_the_number_lies_between_one_and_the_dimensions_left(seed, n_kept, n_nodes, coefficient, n_removed, n_censored):
    rng = np.random.default_rng(seed)
    frames = np.sort(rng.permutation(n_kept + n_censored)[:n_kept])
    columns = np.hstack([np.ones((n_kept, 1)), rng.normal(size=(n_kept, min(n_removed, n_kept - 2)))])
    removed = np.linalg.qr(columns)[0]
    signals = autoregressive(n_kept + n_censored, n_nodes, coefficient, seed)[frames]
    signals = signals - removed @ (removed.T @ signals)
    number = effective_degrees_of_freedom(signals, frames, removed)
    assert 1 <= number <= n_kept - removed.shape[1]
    # Neither units nor nodes without a signal matter, nor the place of the run in time.
    unusable = np.column_stack([np.full(n_kept, np.nan), signals * 7.0, np.full(n_kept, 3.0)])
    assert effective_degrees_of_freedom(unusable, frames + 5, removed) == pytest.approx(number, rel=1e-6)


@pytest.mark.parametrize("n_nodes", [1, 3, 40])
def test_a_run_of_which_hardly_anything_is_left_is_never_worth_many_frames(n_nodes):
    confounds = autoregressive(20, 6, 0.8, seed=0)  # 13 dimensions are left, and little of the band
    runs = [cleaned(autoregressive(20, n_nodes, 0.4, seed), confounds, ALL_KEPT, **BAND) for seed in range(1, 13)]
    largest = max(run.effective_degrees_of_freedom for run in runs)
    assert largest < 1.6 * true_number(confounds, ALL_KEPT, 0.4, **BAND)


def test_without_a_usable_signal_the_number_is_that_of_white_noise():
    confounds = autoregressive(168, 9, 0.0, seed=1)
    flat = cleaned(np.full((168, 2), 5.0), confounds, ALL_KEPT, **BAND)
    assert flat.effective_degrees_of_freedom == pytest.approx(true_number(confounds, ALL_KEPT, 0.0, **BAND), rel=0.1)


@pytest.mark.parametrize("band", [BAND, {"high_pass": 0.01}, {"low_pass": 0.1}])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_the_gain_of_the_filter_is_that_of_its_sections(band, order):
    frequencies = np.linspace(0, 0.25, 101)
    sections = _design(order, 2.0, band.get("high_pass"), band.get("low_pass"))
    _, response = freqz_sos(np.array([np.r_[b, a] for b, a in sections]), frequencies, fs=0.5)
    gain = butterworth_gain(frequencies, 2.0, order=order, **band)
    # Forwards and backwards.
    np.testing.assert_allclose(gain, np.abs(response) ** 2, rtol=0, atol=1e-7)
