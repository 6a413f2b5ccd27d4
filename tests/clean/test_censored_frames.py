"""Frames are censored as nilearn's load_confounds censors them; where it is wrong, that is shown."""

import numpy as np
import pandas as pd
import pytest
from cohort import cohort_signals
from confound_tables import FMRIPREP
from hypothesis import given, settings
from hypothesis import strategies as st
from nilearn.interfaces.fmriprep.load_confounds_components import _load_non_steady_state, _load_scrub
from nilearn.interfaces.fmriprep.load_confounds_scrub import extract_outlier_regressors
from nilearn.signal import clean as nilearn_clean

from sphereconn.clean.censoring import censor, too_few_degrees_of_freedom, too_much_motion, too_short
from sphereconn.clean.cleaning import clean_signals
from sphereconn.clean.strategies import Scrubbing, Strategy, read_run_confounds
from sphereconn.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore")  # nilearn's


def nilearns(table, fd, dvars, min_segment):
    """Give the frames that nilearn keeps, as load_confounds puts them together."""
    scrubbed = _load_scrub(table, min_segment, fd, dvars)
    sample_mask, _, _ = extract_outlier_regressors(pd.concat([_load_non_steady_state(table), scrubbed], axis=1))
    return np.arange(len(table)) if sample_mask is None else sample_mask


def ours(table, fd, dvars, min_segment):
    flags = [column for column in table.columns if column.startswith("non_steady_state")]
    traces = {
        "FramewiseDisplacement": (table["framewise_displacement"].to_numpy(), fd),
        "StdDVARS": (table["std_dvars"].to_numpy(), dvars),
    }
    non_steady = table[flags].to_numpy().any(axis=1) if flags else None
    return censor(len(table), non_steady, traces, min_segment)


@pytest.mark.parametrize("fd", [0.1, 0.2, 0.3, 0.5, 5.0])
@pytest.mark.parametrize("dvars", [1.1, 1.5, 3.0])
@pytest.mark.parametrize("min_segment", [0, 1, 2, 5, 20])
def test_the_frames_of_a_real_run_are_those_that_nilearn_keeps(fd, dvars, min_segment):
    table = pd.read_csv(FMRIPREP, sep="\t")
    scrubbing = Scrubbing(framewise_displacement=fd, std_dvars=dvars, min_segment=min_segment)
    run = read_run_confounds(FMRIPREP, 120, scrubbing=scrubbing, strategy=Strategy())
    np.testing.assert_array_equal(np.flatnonzero(run.censoring.kept), nilearns(table, fd, dvars, min_segment))


@pytest.mark.parametrize(
    "choices",
    [
        {},
        {"patterns": ["csf"]},
        {"patterns": ["*"]},
        {"strategy": Strategy(wm_csf="basic")},
        {"scrubbing": Scrubbing(framewise_displacement=5.0)},
    ],
)
def test_frames_before_the_steady_state_are_censored_whatever_else_is_read_unless_they_are_to_be_kept(
    tmp_path, choices
):
    """Two nodes share the bright first frames of a scan and nothing else."""
    rng = np.random.default_rng(0)
    marks = np.eye(100)[:, :2].astype(int)
    table = pd.DataFrame(rng.normal(size=(100, 2)), columns=["csf", "white_matter"])
    table["framewise_displacement"] = 0.1
    table[["non_steady_state_outlier00", "non_steady_state_outlier01"]] = marks
    table.to_csv(tmp_path / "table.tsv", sep="\t", index=False)
    signals = rng.normal(size=(100, 2)) + 50 * marks.sum(axis=1)[:, None]

    def r(**more):
        run = read_run_confounds(tmp_path / "table.tsv", 100, **choices, **more)
        assert run.censoring.n_non_steady_state == (0 if more else 2)
        cleaned = clean_signals(
            signals, 2.0, confounds=run.values, confound_names=run.names, kept=run.censoring.kept, low_pass=0.1
        )
        return np.corrcoef(cleaned.signals.T)[0, 1]

    assert abs(r()) < 0.4
    if choices.get("patterns") != ["*"]:  # which has the marks themselves regressed out
        assert r(non_steady_state="keep") > 0.9


traces = st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.7, float("nan")]), min_size=2, max_size=40)


@settings(deadline=None, max_examples=300)
@given(traces, st.integers(0, 8), st.data())
def test_the_frames_of_any_trace_are_those_that_nilearn_keeps(displacement, min_segment, data):
    dvars = data.draw(st.lists(st.sampled_from([1.0, 2.0]), min_size=len(displacement), max_size=len(displacement)))
    table = pd.DataFrame({"framewise_displacement": displacement, "std_dvars": dvars})
    kept = ours(table, 0.5, 1.5, min_segment).kept
    np.testing.assert_array_equal(np.flatnonzero(kept), nilearns(table, 0.5, 1.5, min_segment))


@settings(deadline=None, max_examples=200)
@given(traces, st.integers(0, 8), st.integers(0, 4))
def test_every_kept_stretch_is_long_enough_and_every_reason_holds(displacement, min_segment, n_non_steady):
    n_frames = len(displacement)
    trace = np.array(displacement)
    non_steady = np.arange(n_frames) < n_non_steady
    censoring = censor(n_frames, non_steady, {"FD": (trace, 0.5)}, min_segment)
    lengths = [len(run) for run in "".join("k" if kept else " " for kept in censoring.kept).split()]
    if (trace > 0.5).any():
        assert all(length >= min_segment for length in lengths)
    listed = sorted({frame for frames in censoring.reasons.values() for frame in frames})
    assert listed == np.flatnonzero(~censoring.kept).tolist()
    assert censoring.reasons["FD"] == np.flatnonzero(trace > 0.5).tolist()
    assert censoring.n_non_steady_state + censoring.n_scrubbed == len(listed)


def test_a_short_segment_after_the_non_steady_frames_is_seen_where_nilearn_counts_these_as_kept():
    displacement = np.full(20, 0.1)
    displacement[6] = 0.9
    flag = np.zeros(20)
    flag[:3] = 1
    table = pd.DataFrame({"framewise_displacement": displacement, "std_dvars": 1.0, "non_steady_state_outlier00": flag})
    # Frames 3 to 5 stand alone; nilearn takes them for the end of a stretch of six, of which it drops the first three.
    assert nilearns(table, 0.5, 1.5, 5).tolist() == [3, 4, 5, *range(7, 20)]
    censoring = ours(table, 0.5, 1.5, 5)
    assert np.flatnonzero(censoring.kept).tolist() == list(range(7, 20))
    assert censoring.reasons == {
        "NonSteadyState": [0, 1, 2],
        "FramewiseDisplacement": [6],
        "StdDVARS": [],
        "ShortSegment": [3, 4, 5],
    }


def test_the_first_derivative_is_never_that_of_a_censored_frame_where_nilearn_takes_it(tmp_path):
    rows = {"framewise_displacement": ["n/a", 9.0, *[0.1] * 8], "csf": [1.0, 50.0, *range(2, 10)]}
    table = pd.DataFrame(rows)
    table["csf_derivative1"] = ["n/a", *np.diff(rows["csf"])]
    table.to_csv(tmp_path / "table.tsv", sep="\t", index=False)
    scrubbing = Scrubbing(framewise_displacement=0.5, min_segment=0)
    run = read_run_confounds(tmp_path / "table.tsv", 10, patterns=["csf_derivative1"], scrubbing=scrubbing)
    assert np.flatnonzero(~run.censoring.kept).tolist() == [1]
    assert run.values[0, 0] == -48  # of frame 2, the next one that is kept; nilearn takes the 49 of the spike


def test_a_threshold_without_its_column_is_an_error(tmp_path):
    (tmp_path / "table.tsv").write_text("csf\n" + "1\n" * 10)
    for scrubbing, name in ((Scrubbing(0.5), "framewise_displacement"), (Scrubbing(None, 1.5), "std_dvars")):
        with pytest.raises(InputError, match=f"has no column '{name}', which scrub compares with"):
            read_run_confounds(tmp_path / "table.tsv", 10, scrubbing=scrubbing)


@pytest.mark.parametrize(
    ("n_kept", "min_frames", "min_minutes", "reason"),
    [
        (100, 100, None, None),
        (
            99,
            100,
            None,
            "fewer than min_frames requires (100).",
        ),
        (100, None, 4.2, None),  # exactly 4.2 minutes on paper, rounded below it in binary
        (
            99,
            None,
            4.2,
            "less than min_minutes requires (4.2).",
        ),
        (0, None, None, None),
    ],
)
def test_a_run_is_left_out_below_the_minimum_and_not_at_it(n_kept, min_frames, min_minutes, reason):
    kept = "99 of 120 frames (4.16 minutes) are left after censoring, "
    assert too_short(n_kept, 120, 2.52, min_frames, min_minutes) == (reason and kept + reason)


def test_censoring_takes_spikes_out_of_real_signals_and_nilearn_leaves_them_in():
    """Parcels of a subject of the demo cohort, with spikes of a hundred standard deviations in frames that move."""
    series = cohort_signals(1)[1][:, :20]
    # nilearn fills no frame whose mirror image in time is censored too.
    spikes = np.array([20, 21, 77, 122, 178, 179])
    displacement = np.full(len(series), 0.1)
    displacement[spikes] = 1.0
    spoilt = series.copy()
    spoilt[spikes] += 100
    kept = censor(len(series), None, {"FramewiseDisplacement": (displacement, 0.5)}).kept
    options = {"high_pass": 0.01, "low_pass": 0.1, "detrend": True}
    clean = clean_signals(series, 2.52, kept=kept, **options).signals
    np.testing.assert_array_equal(clean_signals(spoilt, 2.52, kept=kept, **options).signals, clean)
    # The correlations are those of all frames but for sampling; uncensored, the spikes are all that correlates.
    truth = np.corrcoef(clean_signals(series, 2.52, **options).signals.T)
    censored = np.corrcoef(clean.T)
    uncensored = np.corrcoef(clean_signals(spoilt, 2.52, **options).signals.T)
    theirs = np.corrcoef(
        nilearn_clean(spoilt, t_r=2.52, sample_mask=np.flatnonzero(kept), standardize="zscore_sample", **options).T
    )
    assert np.abs(censored - truth).max() < 0.15
    assert np.abs(uncensored - truth).max() > 0.5
    assert np.abs(theirs - truth).max() > 0.5


@pytest.mark.parametrize("path", [None, FMRIPREP])
def test_frames_without_data_are_censored_whatever_the_denoising(path):
    run = read_run_confounds(path, 120, scrubbing=Scrubbing(framewise_displacement=0.2), without_data=[3, 119])
    usual = read_run_confounds(path, 120, scrubbing=Scrubbing(framewise_displacement=0.2))
    assert run.censoring.reasons["NoData"] == [3, 119] and "NoData" not in usual.censoring.reasons
    assert not run.censoring.kept[[3, 119]].any() and usual.censoring.n_without_data == 0
    listed = run.censoring.n_without_data + run.censoring.n_non_steady_state + run.censoring.n_scrubbed
    assert listed == np.count_nonzero(~run.censoring.kept)


def test_a_run_that_moves_too_much_or_is_worth_too_little_says_so():
    assert too_much_motion(0.3, 0.3) is None and too_much_motion(None, None) is None
    assert too_much_motion(0.31, 0.3) == (
        "The mean framewise displacement is 0.310 mm, more than max_mean_framewise_displacement allows (0.3)."
    )
    with pytest.raises(InputError, match="no values in a column 'framewise_displacement'"):
        too_much_motion(None, 0.3)
    assert too_few_degrees_of_freedom(20.0, 20) is None and too_few_degrees_of_freedom(1.0, None) is None
    assert too_few_degrees_of_freedom(5.2, 20) == (
        "5.2 effective degrees of freedom are left in the cleaned signals, fewer than min_degrees_of_freedom requires"
        " (20)."
    )
