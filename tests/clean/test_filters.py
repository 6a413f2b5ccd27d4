import subprocess
import sys

import numpy as np
import pytest
from scipy import signal as scipy_signal

from sphereconn.clean.filters import butterworth, check_cutoffs, cosine_drifts, passed_fraction
from sphereconn.errors import InputError

BANDS = [(None, 0.08), (None, 0.1), (0.01, None), (0.008, None), (0.01, 0.1), (0.008, 0.09), (0.03, 0.04)]
REPEATING = ["odd", "even", "constant"]
PADTYPES = ["gaussian_process", *REPEATING, "none"]


def drifting_signals(n_frames, n_signals=3, seed=0):
    """Random walks around 100: like BOLD, most of their power lies below the cut-offs."""
    rng = np.random.default_rng(seed)
    return 100 + np.cumsum(rng.normal(size=(n_frames, n_signals)), axis=0)


def filtered_by_scipy(signals, repetition_time, high_pass, low_pass, order, padtype):
    cutoffs = [cutoff for cutoff in (high_pass, low_pass) if cutoff is not None]
    kind = "band" if len(cutoffs) == 2 else "low" if high_pass is None else "high"
    sections = scipy_signal.butter(order, np.squeeze(cutoffs), kind, output="sos", fs=1 / repetition_time)
    return scipy_signal.sosfiltfilt(sections, signals, axis=0, padtype=None if padtype == "none" else padtype)


@pytest.mark.parametrize("padtype", [*REPEATING, "none"])
@pytest.mark.parametrize(("high_pass", "low_pass"), BANDS)
def test_butterworth_equals_scipy_for_every_order_and_repetition_time(high_pass, low_pass, padtype):
    signals = drifting_signals(150)
    for repetition_time in (0.5, 0.72, 2.0, 3.0):
        for order in (1, 2, 3, 4, 5, 6, 8):
            ours = butterworth(
                signals, repetition_time, high_pass=high_pass, low_pass=low_pass, order=order, padtype=padtype
            )
            scipys = filtered_by_scipy(signals, repetition_time, high_pass, low_pass, order, padtype)
            # Relative to the signals: 1e-12 of 100. (Scipy itself is right to about 1e-13 here.)
            np.testing.assert_allclose(ours, scipys, rtol=0, atol=1e-10)


def exactly_filtered(signals, repetition_time, high_pass, low_pass, order):
    """Filter as defined (odd padding), in extended precision, by complex poles one after the other."""
    real, complex_ = np.longdouble, np.clongdouble
    pi = real("3.14159265358979323846264338328")
    prototype = np.exp(1j * pi * (2 * np.arange(order) + order + 1).astype(real) / (2 * order))
    high, low = (np.tan(pi * real(cutoff or 0) * real(repetition_time)) for cutoff in (high_pass, low_pass))
    if high_pass and low_pass:
        half, centre = prototype * (low - high) / 2, np.sqrt(low * high)
        outer = half + np.sqrt(half**2 - centre**2) * np.where(half.imag < 0, 1, -1)
        outer = np.where(abs(outer) < centre, centre**2 / outer, outer)
        poles, zeros = np.concatenate([outer, centre**2 / outer]), np.repeat([1, -1], order)
        unit = (1 + 1j * centre) / (1 - 1j * centre)
    elif high_pass:
        poles, zeros, unit = high / prototype, np.repeat(1, order), complex_(-1)
    else:
        poles, zeros, unit = low * prototype, np.repeat(-1, order), complex_(1)
    poles = (1 + poles) / (1 - poles)
    gain = abs(np.prod((unit - poles) / (unit - zeros)))

    def from_rest(values):
        values = values.astype(complex_)
        for pole, zero in zip(poles, zeros, strict=True):
            before, output = np.zeros((2, values.shape[1]), complex_)
            for frame in range(len(values)):
                output = pole * output + values[frame] - zero * before
                before = values[frame].copy()
                values[frame] = output
        return gain * values.real

    n_padding = 3 * (len(poles) + 1)
    values = np.pad(signals.astype(real), ((n_padding, n_padding), (0, 0)), mode="reflect", reflect_type="odd")
    for _ in range(2):
        values = (from_rest(values - values[0]) + (0 if high_pass else values[0]))[::-1]
    return values[n_padding:-n_padding]


@pytest.mark.parametrize(
    ("repetition_time", "high_pass", "low_pass", "order"),
    [
        (2.0, 0.01, 0.1, 5),
        (0.5, 0.01, 0.1, 5),
        (0.5, 0.01, None, 5),
        (0.1, 0.001, 0.09, 2),
        (0.1, 0.001, 0.09, 8),
        (0.1, 0.005, None, 8),
        (0.1, None, 0.08, 5),
    ],
)
def test_low_cutoffs_cost_no_precision(repetition_time, high_pass, low_pass, order):
    signals = drifting_signals(150)
    exact = exactly_filtered(signals, repetition_time, high_pass, low_pass, order)
    ours = butterworth(signals, repetition_time, high_pass=high_pass, low_pass=low_pass, order=order, padtype="odd")
    # Poles lie as near to 1 as 3e-4; a direct form of order 16 would lose every digit, and scipy errs by 5e-9 in the
    # two hardest cases here.
    np.testing.assert_allclose(ours, exact.astype(float), rtol=0, atol=5e-10)


@pytest.mark.parametrize(("high_pass", "low_pass"), [(0.01, None), (None, 0.1), (0.01, 0.1)])
def test_a_cutoff_passes_half_of_the_amplitude(high_pass, low_pass):
    seconds = np.arange(4000) * 2.0
    for cutoff in filter(None, (high_pass, low_pass)):
        sine = np.sin(2 * np.pi * cutoff * seconds)[:, None]
        middle = butterworth(sine, 2.0, high_pass=high_pass, low_pass=low_pass)[1500:2500, 0]
        # Sine and quadrature over whole periods: the gain is one half and the phase zero.
        reference = np.exp(-2j * np.pi * cutoff * seconds[1500:2500])
        np.testing.assert_allclose(2j * np.mean(middle * reference), 0.5, atol=1e-6)


def test_columns_are_filtered_alone_and_the_input_stays_as_it_was():
    signals = drifting_signals(100, 4)
    before = signals.copy()
    together = butterworth(signals, 2.0, high_pass=0.01, low_pass=0.1)
    for column in range(4):
        alone = butterworth(signals[:, [column]], 2.0, high_pass=0.01, low_pass=0.1)
        np.testing.assert_allclose(together[:, [column]], alone, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(signals, before)
    assert together.base is None


def test_without_cutoffs_signals_come_back_as_a_copy():
    signals = drifting_signals(20)
    unfiltered = butterworth(signals, 2.0)
    np.testing.assert_array_equal(unfiltered, signals)
    assert not np.shares_memory(unfiltered, signals)


@pytest.mark.parametrize("padtype", PADTYPES)
def test_constants_pass_a_low_pass_whole_and_a_high_pass_not_at_all(padtype):
    constant = np.full((60, 1), 12345.678)
    np.testing.assert_array_equal(butterworth(constant, 2.0, low_pass=0.1, padtype=padtype), constant)
    for low_pass in (None, 0.1):
        filtered = butterworth(constant, 2.0, high_pass=0.01, low_pass=low_pass, padtype=padtype)
        np.testing.assert_array_equal(filtered, 0 * constant)


@pytest.mark.parametrize(
    ("high_pass", "low_pass", "order", "padtype", "needed", "name"),
    [
        (0.01, 0.1, 5, "odd", 34, "0.01-0.1 Hz band-pass"),
        (0.01, None, 5, "even", 19, "0.01 Hz high-pass"),
        (None, 0.1, 4, "constant", 16, "0.1 Hz low-pass"),
        (0.01, 0.1, 2, "odd", 16, "0.01-0.1 Hz band-pass"),
    ],
)
def test_a_run_must_be_longer_than_a_padding_that_repeats_it(high_pass, low_pass, order, padtype, needed, name):
    signals = drifting_signals(needed)
    filtered = butterworth(signals, 2.0, high_pass=high_pass, low_pass=low_pass, order=order, padtype=padtype)
    assert filtered.shape == signals.shape
    with pytest.raises(
        InputError,
        match=rf"{needed - 1} frames are too few for the {name} .* and padtype: {padtype} \({needed} needed\)",
    ):
        butterworth(signals[:-1], 2.0, high_pass=high_pass, low_pass=low_pass, order=order, padtype=padtype)


@pytest.mark.parametrize(
    ("repetition_time", "high_pass", "low_pass", "message"),
    [
        (2.0, None, 0.25, r"low_pass: 0\.25 Hz .* Nyquist frequency.* 0\.25 Hz .* 2 s"),
        (2.5, None, 0.3, r"low_pass: 0\.3 Hz .* Nyquist frequency.* 0\.2 Hz .* 2\.5 s"),
        (2.0, 0.3, None, r"high_pass: 0\.3 Hz"),
        (2.0, 0.0, None, r"high_pass: 0 Hz"),
        (2.0, -0.01, 0.1, r"high_pass: -0\.01 Hz"),
        (2.0, np.nan, 0.1, r"high_pass: nan Hz"),
        (2.0, 0.1, 0.1, r"high_pass \(0\.1 Hz\) must be below low_pass \(0\.1 Hz\)"),
        (2.0, 0.1, 0.01, r"high_pass \(0\.1 Hz\) must be below low_pass \(0\.01 Hz\)"),
        (0.0, None, 0.1, r"repetition time is 0\.0 s"),
        (np.nan, None, 0.1, r"repetition time is nan s"),
    ],
)
def test_cutoffs_that_cannot_be_met_are_named(repetition_time, high_pass, low_pass, message):
    with pytest.raises(InputError, match=message):
        check_cutoffs(repetition_time, high_pass, low_pass)
    with pytest.raises(InputError, match=message):
        butterworth(drifting_signals(100), repetition_time, high_pass=high_pass, low_pass=low_pass)


def test_unknown_pad_type_and_order_are_named():
    with pytest.raises(InputError, match=r"padtype: 'zero' is not one of gaussian_process, odd, even, constant, none"):
        butterworth(drifting_signals(100), 2.0, low_pass=0.1, padtype="zero")
    with pytest.raises(InputError, match=r"order: 0 is not"):
        butterworth(drifting_signals(100), 2.0, low_pass=0.1, order=0)


@pytest.mark.parametrize(
    ("high_pass", "low_pass", "expected"), [(0.01, 0.1, 0.36), (None, 0.1, 0.4), (0.01, None, 0.96), (None, None, 1.0)]
)
def test_passed_fraction_is_the_share_of_the_nyquist_band(high_pass, low_pass, expected):
    assert passed_fraction(2.0, high_pass, low_pass) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("n_frames", [40, 168, 500])
def test_cosines_are_orthonormal_and_slower_than_the_cutoff(n_frames):
    drifts = cosine_drifts(n_frames, 2.0, 0.01)
    # Period of cosine k: 2 n TR / k.
    assert drifts.shape == (n_frames, int(2 * n_frames * 2.0 * 0.01))
    np.testing.assert_allclose(drifts.T @ drifts, np.eye(drifts.shape[1]), atol=1e-13)
    np.testing.assert_allclose(drifts.sum(axis=0), 0, atol=1e-12)
    crossings = np.count_nonzero(np.diff(np.sign(drifts), axis=0), axis=0)
    np.testing.assert_array_equal(crossings, np.arange(1, drifts.shape[1] + 1))


@pytest.mark.parametrize(
    ("n_frames", "repetition_time", "high_pass", "n_cosines"),
    [(500, 3.0, 0.009, 27), (750, 2.0, 0.009, 27), (750, 2.3, 0.02, 69), (375, 0.8, 0.01, 6), (374, 0.8, 0.01, 5)],
)
def test_a_cosine_of_exactly_the_cutoff_is_among_the_drifts(n_frames, repetition_time, high_pass, n_cosines):
    # 2 n TR high_pass is whole on paper in all but the last; in floating point 2 * 500 * 3 * 0.009 is below 27.
    assert cosine_drifts(n_frames, repetition_time, high_pass).shape == (n_frames, n_cosines)


def test_a_run_shorter_than_half_a_period_has_no_cosine():
    assert cosine_drifts(20, 2.0, 0.01).shape == (20, 0)


def test_cosines_are_at_most_one_less_than_the_frames():
    assert cosine_drifts(30, 2.0, 0.2499).shape == (30, 29)


def test_cleaning_loads_numpy_and_nothing_heavier():
    code = """
import sys
import numpy as np
from sphereconn.clean.cleaning import clean_signals
signals = np.random.default_rng(0).normal(size=(100, 3))
kept = np.arange(100) != 50
clean_signals(signals, 2.0, confounds=signals[:, :1], confound_names=["a"], high_pass=0.01, low_pass=0.1, kept=kept)
heavy = {"scipy", "pandas", "nibabel", "numba", "sklearn", "nilearn", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
