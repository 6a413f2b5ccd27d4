"""What would fail in all runs is a mistake in the configuration; what would fail in some is said before any job."""

import pytest

from sphereconn.errors import InputError
from sphereconn.study.preflight import will_fail
from sphereconn.study.runs import Run

DENOISING = {"band": {"confounds": ["csf", "trans_?"], "high_pass": 0.01, "low_pass": 0.1}}


@pytest.fixture
def study(tmp_path):
    def write(*headers, denoising=DENOISING["band"], repetition_times=(None,) * 9):
        runs = []
        for number, (header, seconds) in enumerate(zip(headers, repetition_times, strict=False)):
            table = tmp_path / f"{number}.tsv"
            if header is not None:
                table.write_bytes(header)
            runs.append(Run({"subject": str(number)}, "x.nii", confounds=str(table), repetition_time=seconds))
        return will_fail({"band": runs}, {"band": denoising}, "study.yaml")

    return write


GOOD = b"csf\ttrans_x\n"


def test_a_confound_that_no_table_has_is_a_mistake_with_a_suggestion_told_once_for_all_runs(study):
    with pytest.raises(InputError) as caught:
        study(GOOD, GOOD, GOOD, denoising=DENOISING["band"] | {"confounds": ["cfs", "trans_?"]})
    (line,) = str(caught.value).splitlines()
    assert line.startswith("study.yaml: denoising.band.confounds: 'cfs' matches no column in 3 of 3 confounds tables, ")
    assert line.endswith("0.tsv; did you mean 'csf'?")


def test_what_some_tables_lack_ends_no_study(study):
    (notice,) = study(GOOD, b"\xef\xbb\xbfcsf\trot_x\r\n", GOOD)
    assert "'trans_?' matches no column in 1 of 3 confounds tables, such as" in notice
    assert "1.tsv" in notice


def test_outlier_columns_that_quiet_runs_lack_point_to_scrubbing(study):
    table = GOOD.replace(b"csf", b"motion_outlier00")
    (notice,) = study(GOOD, table, denoising=DENOISING["band"] | {"confounds": ["motion_outlier*"]})
    assert "1 of 2" in notice
    assert "list it under confounds_if_any, or censor frames by scrub" in notice


@pytest.mark.parametrize("header", [None, b"", b"\xff\xfe\x00"])
def test_tables_that_are_not_there_or_unreadable_are_left_to_the_jobs(study, header):
    notices = study(header, GOOD)
    assert notices == [] or header == b""


def test_a_cutoff_that_no_run_can_meet_is_a_mistake_and_one_that_some_cannot_is_said(study):
    with pytest.raises(InputError, match=r"denoising.band: low_pass: 0.1 Hz .* Nyquist .* \(sub-0 and 1 more runs\)"):
        study(GOOD, GOOD, repetition_times=(6.0, 6.0))
    (notice,) = study(GOOD, GOOD, repetition_times=(6.0, 2.0))
    assert "(sub-0)" in notice


def test_a_table_that_one_denoising_does_not_need_is_read_for_the_next(tmp_path):
    (tmp_path / "c.tsv").write_bytes(GOOD)
    runs = [Run({"subject": "1"}, "x.nii", confounds=str(tmp_path / "c.tsv"))]
    with pytest.raises(InputError, match=r"denoising\.b\.confounds: 'wm'"):
        will_fail(
            {"a": runs, "b": runs},
            {"a": DENOISING["band"] | {"confounds": []}, "b": DENOISING["band"] | {"confounds": ["wm"]}},
            "study.yaml",
        )
