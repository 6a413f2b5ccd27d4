"""Where nilearn 0.14.1 is right we give its numbers; where it is wrong, its wrong answer is shown beside ours."""

import numpy as np
import pytest
from confound_tables import DEVELOPMENT_REDUCED, FMRIPREP, read_confounds
from nilearn.signal import clean as nilearn_clean

from sphereconn.clean.cleaning import clean_signals
from sphereconn.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore")  # nilearn's; ours raises what it has to say

# What nilearn does about censored frames and beyond a run's ends.
NILEARNS = {"interpolation": "cubic_spline", "padtype": "odd"}
FILTERS = {
    "none": {},
    "low": {"low_pass": 0.1},
    "high": {"high_pass": 0.01},
    "band": {"high_pass": 0.01, "low_pass": 0.1},
    "cosine": {"filter": "cosine", "high_pass": 0.01},
}


def run_of(n_frames=150, n_nodes=5, n_confounds=6, seed=0):
    """Signals around 1000 with drifts, and confounds of very different scales that they partly follow."""
    rng = np.random.default_rng(seed)
    confounds = rng.normal(size=(n_frames, n_confounds)) + 0.1 * np.cumsum(
        rng.normal(size=(n_frames, n_confounds)), axis=0
    )
    confounds *= 10.0 ** np.arange(-3, n_confounds - 3)
    signals = 1000 + 100 * np.arange(n_nodes) + np.cumsum(rng.normal(size=(n_frames, n_nodes)), axis=0)
    signals += confounds / confounds.std(axis=0) @ rng.normal(size=(n_confounds, n_nodes))
    return signals + np.linspace(0, 20, n_frames)[:, None], confounds


def ours(signals, confounds=None, repetition_time=2.0, **options):
    n_confounds = 0 if confounds is None else confounds.shape[1]
    names = [f"confound{number}" for number in range(n_confounds)]
    options = NILEARNS | options
    return clean_signals(signals, repetition_time, confounds=confounds, confound_names=names, **options)


def nilearns(signals, confounds=None, repetition_time=2.0, standardize="zscore_sample", **options):
    padtype = options.pop("padtype", None)
    if padtype:
        options["butterworth__padtype"] = padtype
    standardize = None if standardize == "none" else standardize
    return nilearn_clean(signals, confounds=confounds, t_r=repetition_time, standardize=standardize, **options)


@pytest.mark.parametrize("padtype", ["odd", "even"])
@pytest.mark.parametrize("standardize", ["zscore_sample", "none"])
@pytest.mark.parametrize("with_confounds", [True, False])
@pytest.mark.parametrize("filter_name", FILTERS)
@pytest.mark.parametrize("detrend", [True, False])
def test_every_combination_equals_nilearn(detrend, filter_name, with_confounds, standardize, padtype):
    signals, confounds = run_of()
    options = {"detrend": detrend, "standardize": standardize, "padtype": padtype, **FILTERS[filter_name]}
    confounds = confounds if with_confounds else None
    # Unstandardised signals lie around 1000: 1e-12 of that.
    atol = 1e-10 if standardize == "zscore_sample" else 1e-9
    np.testing.assert_allclose(
        ours(signals, confounds, **options).signals, nilearns(signals, confounds, **options), rtol=0, atol=atol
    )


@pytest.mark.parametrize("with_confounds", [True, False])
@pytest.mark.parametrize("filter_name", ["none", "cosine"])
@pytest.mark.parametrize("detrend", [True, False])
def test_percent_signal_change_equals_nilearn_where_it_divides_by_the_original_mean(
    detrend, filter_name, with_confounds
):
    signals, confounds = run_of()
    options = {"detrend": detrend, "standardize": "psc", **FILTERS[filter_name]}
    confounds = confounds if with_confounds else None
    np.testing.assert_allclose(
        ours(signals, confounds, **options).signals, nilearns(signals, confounds, **options), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("filter_name", ["low", "high", "band"])
@pytest.mark.parametrize("detrend", [True, False])
def test_percent_signal_change_after_a_filter_is_of_the_original_mean(detrend, filter_name):
    # Nilearn adds the filtered signal's leftover mean to the divisor, or decides for all columns at once not to restore
    # the original mean. One definition here: 100 (x - mean of x) / |original mean|.
    signals, confounds = run_of()
    options = {"detrend": detrend, **FILTERS[filter_name]}
    filtered = nilearns(signals, confounds, standardize="none", **options)
    expected = 100 * (filtered - filtered.mean(axis=0)) / np.abs(signals.mean(axis=0))
    result = ours(signals, confounds, standardize="psc", **options).signals
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("order", "repetition_time"), [(2, 0.72), (3, 2.5), (6, 0.72), (8, 2.5)])
def test_order_and_repetition_time_equal_nilearn(order, repetition_time):
    signals, confounds = run_of()
    expected = nilearns(signals, confounds, repetition_time, high_pass=0.01, low_pass=0.1, butterworth__order=order)
    result = ours(signals, confounds, repetition_time, high_pass=0.01, low_pass=0.1, order=order)
    np.testing.assert_allclose(result.signals, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("filter_name", ["none", "low", "high", "cosine"])
def test_real_confounds_of_fmriprep_equal_nilearn(filter_name):
    # The 36 parameters of Satterthwaite et al. (2013): products, squares, scales from 1e-9 to 1e8.
    patterns = [f"{name}{suffix}" for name in ("global_signal", "csf", "white_matter", "trans_?", "rot_?")
                for suffix in ("", "_derivative1", "_power2", "_derivative1_power2")]  # fmt: skip
    names, confounds = read_confounds(FMRIPREP, patterns, 120, missing="mean")
    assert len(names) == 36
    signals, _ = run_of(120)
    signals += (confounds / confounds.std(axis=0))[:, :20] @ np.full((20, 5), 0.5)
    options = FILTERS[filter_name]
    result = clean_signals(signals, 2.2, confounds=confounds, confound_names=names, **NILEARNS, **options)
    assert result.regressors_dropped == {}
    np.testing.assert_allclose(result.signals, nilearns(signals, confounds, 2.2, **options), rtol=0, atol=1e-10)


@pytest.mark.parametrize("filter_name", FILTERS)
def test_real_confounds_of_the_development_dataset_equal_nilearn(filter_name):
    names, confounds = read_confounds(DEVELOPMENT_REDUCED, ["*"], 168)
    signals, _ = run_of(168)
    signals += confounds / confounds.std(axis=0) @ np.full((len(names), 5), 0.5)
    options = FILTERS[filter_name]
    result = clean_signals(signals, 2.0, confounds=confounds, confound_names=names, **NILEARNS, **options)
    assert result.regressors_used[-15:] == names
    # Nilearn reads the file by itself and must come to the same.
    expected = nilearns(signals, str(DEVELOPMENT_REDUCED), **options)
    np.testing.assert_allclose(result.signals, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("filter_name", ["none", "cosine"])
def test_censoring_without_butterworth_equals_nilearn_but_for_the_trend(filter_name):
    signals, confounds = run_of()
    kept = np.ones(150, dtype=bool)
    kept[[0, 3, 4, 30, 31, 149]] = False
    options = {"detrend": False, **FILTERS[filter_name]}
    expected = nilearns(signals, confounds, sample_mask=np.flatnonzero(kept), **options)
    np.testing.assert_allclose(ours(signals, confounds, kept=kept, **options).signals, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("censored", [[10], [40, 41, 42, 60], [0, 1, 2], [147, 148, 149], [0, 1, 2, 20, 33, 34]])
@pytest.mark.parametrize("filter_name", ["low", "high", "band"])
def test_censoring_with_butterworth_equals_nilearn_where_the_mirrored_frames_are_kept(filter_name, censored):
    # Nilearn then interpolates the right frames, drops censored ends before it filters, and so do we.
    signals, confounds = run_of()
    kept = np.ones(150, dtype=bool)
    kept[censored] = False
    expected = nilearns(signals, confounds, sample_mask=np.flatnonzero(kept), **FILTERS[filter_name])
    result = ours(signals, confounds, kept=kept, **FILTERS[filter_name])
    np.testing.assert_allclose(result.signals, expected, rtol=0, atol=1e-10)


# Defects.


@pytest.mark.parametrize("censored", [[10, 139], [74, 75], [0, 149], [0, 1, 148, 149]])
def test_spikes_in_mirrored_censored_frames_leak_in_nilearn_only(censored):
    signals, _ = run_of()
    spiked = signals.copy()
    spiked[censored] += 1000
    kept = np.ones(150, dtype=bool)
    kept[censored] = False
    options = {"low_pass": 0.1, "standardize": "none"}
    clean = nilearns(signals, sample_mask=np.flatnonzero(kept), **options)
    leaked = nilearns(spiked, sample_mask=np.flatnonzero(kept), **options)
    assert np.abs(leaked - clean).max() > 100
    result = ours(spiked, kept=kept, **options).signals
    np.testing.assert_array_equal(result, ours(signals, kept=kept, **options).signals)
    assert len(result) == np.count_nonzero(kept)


def test_nilearn_shifts_the_callers_mask_and_we_leave_it():
    signals, _ = run_of()
    kept = np.ones(150, dtype=bool)
    kept[:5] = False
    mask = np.flatnonzero(kept).astype(np.int32)
    nilearns(signals, sample_mask=mask, low_pass=0.1)
    assert mask[0] == 0  # was 5
    ours(signals, kept=kept, low_pass=0.1)
    np.testing.assert_array_equal(np.flatnonzero(~kept), np.arange(5))


def test_a_run_censored_whole_is_an_unrelated_error_in_nilearn_and_a_clear_one_here():
    signals, _ = run_of()
    with pytest.raises(ValueError, match="zero-size array"):
        nilearns(signals, sample_mask=np.array([], dtype=int), low_pass=0.1)
    with pytest.raises(InputError, match="0 of the 150 frames are kept"):
        ours(signals, kept=np.zeros(150, dtype=bool), low_pass=0.1)


def test_nilearn_drops_filter_options_when_it_cleans_run_by_run():
    signals, confounds = run_of(200)
    runs = np.repeat([0, 1], 100)
    options = {"low_pass": 0.1, "butterworth__order": 1}
    together = nilearns(signals, confounds, runs=runs, **options)
    for run in (0, 1):
        alone = nilearns(signals[runs == run], confounds[runs == run], **options)
        assert np.abs(together[runs == run] - alone).max() > 0.1
        result = ours(signals[runs == run], confounds[runs == run], low_pass=0.1, order=1).signals
        np.testing.assert_allclose(result, alone, rtol=0, atol=1e-10)


def test_dependent_confounds_remove_nothing_more():
    rng = np.random.default_rng(1)
    independent = rng.normal(size=(4800, 100))
    dependent = np.hstack([independent, independent @ rng.normal(size=(100, 20))])
    signals = rng.normal(size=(4800, 3))
    options = {"detrend": False, "standardize": "none"}
    centred = independent - independent.mean(axis=0)
    expected = signals - centred @ np.linalg.lstsq(centred, signals)[0]
    # Nilearn takes rounding for up to twenty more directions and removes them too.
    assert np.abs(nilearns(signals, dependent, **options) - expected).max() > 0.01
    result = ours(signals, dependent, **options)
    np.testing.assert_allclose(result.signals, expected, rtol=0, atol=1e-12)
    assert result.regressors_used == [f"confound{number}" for number in range(100)]
    assert set(result.regressors_dropped.values()) == {"linear combination of others"}


@pytest.mark.parametrize("filter_name", ["none", "band"])
def test_a_confound_that_detrending_annihilates_removes_nothing(filter_name):
    signals = np.random.default_rng(2).normal(size=(168, 3))
    trend = 0.1 + 0.3 * np.arange(168.0)[:, None]
    without = nilearns(signals, **FILTERS[filter_name])
    # Nilearn scales the rounding that is left of the trend to unit variance and regresses that.
    assert np.abs(nilearns(signals, trend, **FILTERS[filter_name]) - without).max() > 0.01
    result = ours(signals, trend, **FILTERS[filter_name])
    np.testing.assert_allclose(result.signals, without, rtol=0, atol=1e-10)
    assert result.regressors_dropped == {"confound0": "removed by detrending or filtering"}


def test_the_trend_over_censored_frames_is_one_over_time():
    kept = np.ones(100, dtype=bool)
    kept[30:50] = False
    noise = np.random.default_rng(3).normal(size=(100, 1))
    trended = noise + 5.0 * np.arange(100.0)[:, None]
    # Nilearn closes the gap first, so that a line becomes a staircase and some of it stays.
    leftover = [nilearns(x, sample_mask=np.flatnonzero(kept), standardize="none") for x in (noise, trended)]
    assert np.abs(leftover[1] - leftover[0]).max() > 10
    result = [ours(x, kept=kept, standardize="none").signals for x in (noise, trended)]
    np.testing.assert_allclose(result[1], result[0], rtol=0, atol=1e-10)


def test_percent_of_a_mean_that_is_rounding_is_undefined():
    signals, _ = run_of()
    signals[:, 0] -= signals[:, 0].mean()
    signals[:, 0] -= signals[:, 0].mean() - 1e-14
    assert np.abs(nilearns(signals, standardize="psc")[:, 0]).max() > 1e12
    result = ours(signals, standardize="psc").signals
    assert np.isnan(result[:, 0]).all()
    assert np.isfinite(result[:, 1:]).all()


def test_one_cosine_among_the_confounds_does_not_switch_the_cosine_filter_off():
    signals, _ = run_of(168)
    slowest = np.cos(np.pi / 168 * (np.arange(168) + 0.5))[:, None]
    faster = np.cos(4 * np.pi / 168 * (np.arange(168) + 0.5))
    options = {"filter": "cosine", "high_pass": 0.01}
    assert np.abs(faster @ nilearns(signals, slowest, **options)).max() > 1
    result = ours(signals, slowest, **options)
    np.testing.assert_allclose(result.signals, nilearns(signals, **options), rtol=0, atol=1e-10)
    assert result.regressors_dropped == {"confound0": "linear combination of others"}


def test_missing_confounds_are_named():
    signals, confounds = run_of()
    confounds[0, [1, 4]] = np.nan
    with pytest.raises(ValueError, match="infs or NaNs"):
        nilearns(signals, confounds)
    with pytest.raises(InputError, match="confound1, confound4 are missing"):
        ours(signals, confounds)


def test_a_cutoff_beyond_nyquist_is_moved_in_nilearn_and_refused_here():
    signals, _ = run_of()
    assert np.isfinite(nilearns(signals, low_pass=0.3)).all()
    with pytest.raises(InputError, match=r"Nyquist frequency.* 0\.25 Hz"):
        ours(signals, low_pass=0.3)
