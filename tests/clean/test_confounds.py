import numpy as np
import pandas as pd
import pytest
from confound_tables import FMRIPREP, read_confounds

from sphereconn.clean.confounds import select_columns
from sphereconn.clean.strategies import Scrubbing, read_run_confounds
from sphereconn.errors import InputError

COLUMNS = ["csf", "white_matter", "trans_x", "trans_y", "trans_x_derivative1", "a_comp_cor_00", "a_comp_cor_01"]


def written(tmp_path, text):
    path = tmp_path / "confounds.tsv"
    path.write_text(text)
    return path


def mean_displacement(path):
    n_frames = len(path.read_text().splitlines()) - 1
    return read_run_confounds(path, n_frames).mean_framewise_displacement()


def test_columns_come_in_the_order_of_the_patterns_and_none_twice():
    assert select_columns(COLUMNS, ["white_matter", "csf"]) == ["white_matter", "csf"]
    assert select_columns(COLUMNS, ["trans_y", "trans_*", "csf"]) == [
        "trans_y",
        "trans_x",
        "trans_x_derivative1",
        "csf",
    ]
    assert select_columns(COLUMNS, ["trans_?"]) == ["trans_x", "trans_y"]
    assert select_columns(COLUMNS, ["*"]) == COLUMNS
    assert select_columns(COLUMNS, []) == []


def test_a_name_matches_whole_and_literally():
    assert select_columns(["csf", "csf_wm"], ["csf"]) == ["csf"]
    assert select_columns(["a.b", "aab", "[x]"], ["a.b", "[x]"]) == ["a.b", "[x]"]


def test_a_pattern_without_a_match_is_named_with_the_nearest_columns():
    with pytest.raises(InputError, match="'white_mater' matches no column; did you mean 'white_matter'"):
        select_columns(COLUMNS, ["csf", "white_mater"])
    with pytest.raises(InputError, match=r"'cosine\*' matches no column\.$"):
        select_columns(COLUMNS, ["cosine*"])


@pytest.mark.parametrize("written", ["CSF", " csf", "csf ", "CSF ", "Csf"])
def test_blanks_and_case_do_not_hide_the_column_that_is_meant(written):
    with pytest.raises(InputError, match=f"'{written}' matches no column; did you mean 'csf'\\?$"):
        select_columns(COLUMNS, [written])
    with pytest.raises(InputError, match=r"did you mean 'CSF'\?$"):
        select_columns(["CSF", "GlobalSignal"], ["csf"])


def test_columns_that_a_run_need_not_have_are_taken_where_they_are():
    assert select_columns(COLUMNS, ["csf"], ["cosine*", "trans_?"]) == ["csf", "trans_x", "trans_y"]
    assert select_columns(COLUMNS, [], ["cosine*"]) == []


def test_a_table_of_fmriprep_is_read_as_pandas_reads_it():
    names, confounds = read_confounds(FMRIPREP, ["csf", "trans_?", "rot_?", "a_comp_cor_0?", "cosine*"], 120)
    assert names[:4] == ["csf", "trans_x", "trans_y", "trans_z"]
    assert len(names) == 1 + 6 + 10 + 4
    expected = pd.read_csv(FMRIPREP, sep="\t")[names]
    np.testing.assert_allclose(confounds, expected.to_numpy(), rtol=1e-14)


def test_the_first_frame_of_derivatives_takes_the_value_of_the_next():
    names, confounds = read_confounds(FMRIPREP, ["trans_x*", "framewise_displacement", "std_dvars"], 120)
    table = pd.read_csv(FMRIPREP, sep="\t")[names]
    assert table.iloc[0].isna().sum() == 4
    np.testing.assert_allclose(confounds, table.bfill(limit=1).to_numpy(), rtol=1e-14)


def test_any_other_missing_value_is_named(tmp_path):
    path = written(tmp_path, "a\ta_derivative1\tcsf\nn/a\tn/a\t1\n2\tn/a\t1\n4\t1\t1\n")
    with pytest.raises(InputError) as caught:
        read_confounds(path, ["*"], 3)
    message = str(caught.value)
    assert "values are missing or not finite in 'a', 'a_derivative1' ('a': row 1);" in message
    assert "`missing_confounds: mean`" in message
    assert str(path) in message


def test_a_censored_frame_is_neither_judged_nor_read(tmp_path):
    rows = [("n/a", "0", 9), ("n/a", "1", "n/a"), ("n/a", "0", 5), ("7", "0", 6), ("3", "0", 7), ("5", "0", 8)]
    lines = "".join(f"{a}\t{fd}\t{csf}\t{csf}\n" for a, fd, csf in rows)
    path = written(tmp_path, "a\tframewise_displacement\tcsf\tcsf_derivative1\n" + lines.replace("\t9\t9", "\t9\tn/a"))
    scrubbing = Scrubbing(framewise_displacement=0.5, min_segment=0)
    run = read_run_confounds(path, 6, patterns=["csf", "csf_derivative1"], scrubbing=scrubbing)
    # The second frame is censored: its n/a is no error, and the first takes its derivative from the third.
    np.testing.assert_array_equal(run.values[run.censoring.kept], [[9, 5], [5, 5], [6, 6], [7, 7], [8, 8]])
    assert run.described()["MissingConfoundsFilledIn"] == {"csf_derivative1": 1}
    filled = read_run_confounds(path, 6, patterns=["a"], scrubbing=scrubbing, missing="mean")
    assert filled.described()["MissingConfoundsFilledIn"] == {"a": 2}
    np.testing.assert_array_equal(filled.values[filled.censoring.kept, 0], [5, 5, 7, 3, 5])


def test_missing_values_become_the_mean_of_the_others():
    names, confounds = read_confounds(FMRIPREP, ["*"], 120, missing="mean")
    table = pd.read_csv(FMRIPREP, sep="\t")[names]
    assert table.isna().any().sum() > 10
    np.testing.assert_allclose(confounds, table.fillna(table.mean()).to_numpy(), rtol=1e-14)


@pytest.mark.parametrize("cell", ["n/a", "", "NA", "N/A", "nan", "NaN", "inf", "-inf"])
def test_every_cell_without_a_finite_number_is_missing(tmp_path, cell):
    path = written(tmp_path, f"a\tb\n{cell}\t1\n2\t1\n4\t1\n")
    with pytest.raises(InputError, match=r"values are missing or not finite in 'a' \('a': row 1\);"):
        read_confounds(path, ["a"], 3)
    np.testing.assert_array_equal(read_confounds(path, ["a"], 3, missing="mean")[1], [[3], [2], [4]])


def test_a_column_without_any_number_is_an_error_in_either_case(tmp_path):
    path = written(tmp_path, "a\tb\nn/a\t1\nn/a\t2\n")
    for missing in ("error", "mean"):
        with pytest.raises(InputError, match="no row has a number in 'a'"):
            read_confounds(path, ["*"], 2, missing=missing)


def test_a_cell_that_is_no_number_is_located(tmp_path):
    path = written(tmp_path, "a\tb\n1\t1\n2\tone\n")
    with pytest.raises(InputError, match=r"confounds\.tsv: column 'b', row 2: 'one' is not a number"):
        read_confounds(path, ["b"], 2)


def test_columns_that_are_not_asked_for_do_not_matter(tmp_path):
    path = written(tmp_path, "a\tb\n1\tone\n2\tn/a\n")
    names, confounds = read_confounds(path, ["a"], 2)
    assert names == ["a"]
    np.testing.assert_array_equal(confounds, [[1], [2]])


@pytest.mark.parametrize("n_frames", [119, 121])
def test_a_table_of_another_length_is_an_error_with_both_numbers(n_frames):
    with pytest.raises(InputError, match=f"120 rows, but the run has {n_frames} frames"):
        read_confounds(FMRIPREP, ["csf"], n_frames)


def test_no_pattern_gives_no_confound():
    names, confounds = read_confounds(FMRIPREP, [], 120)
    assert names == []
    assert confounds.shape == (120, 0)


def test_messages_name_the_table():
    with pytest.raises(InputError, match=f"^{FMRIPREP}: .*'whitematter'.*'white_matter'"):
        read_confounds(FMRIPREP, ["whitematter"], 120)
    with pytest.raises(InputError, match="missing_confounds: 'zero' is not one of error, mean"):
        read_confounds(FMRIPREP, ["csf"], 120, missing="zero")


def test_mean_framewise_displacement_leaves_out_the_frames_that_have_none(tmp_path):
    path = written(tmp_path, "csf\tframewise_displacement\n1\tn/a\n2\t0.1\n3\t0.4\n4\tinf\n")
    assert mean_displacement(path) == 0.25
    # 119 frames of fMRIPrep's table have a number, read here by pandas; 1e-12 is rounding of a mean.
    expected = pd.read_table(FMRIPREP, na_values="n/a")["framewise_displacement"].mean()
    assert mean_displacement(FMRIPREP) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("text", ["csf\n1\n2\n", "csf\tframewise_displacement\n1\tn/a\n2\tn/a\n"])
def test_mean_framewise_displacement_is_unknown_without_a_column_or_a_number(tmp_path, text):
    assert mean_displacement(written(tmp_path, text)) is None


def test_a_framewise_displacement_that_is_no_number_is_located(tmp_path):
    path = written(tmp_path, "framewise_displacement\nn/a\nlow\n")
    with pytest.raises(InputError, match=r"column 'framewise_displacement', row 2: 'low' is not a number"):
        mean_displacement(path)
