"""Confounds are named as a paper names them, not as columns of a table."""

from sphereconn.draw.confound_words import in_words

MOTION = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]


def named(*columns, n_runs=3):
    return in_words(dict.fromkeys(columns, n_runs), n_runs)


def test_the_six_parameters_of_motion_are_one_phrase_with_their_expansion():
    derivatives = [f"{name}_derivative1" for name in MOTION]
    squares = [f"{name}_power2" for name in (*MOTION, *derivatives)]
    assert named(*MOTION) == ["the six head-motion parameters"]
    assert named(*MOTION, *derivatives) == ["the six head-motion parameters with their temporal derivatives"]
    assert named(*MOTION, *derivatives, *squares) == [
        "the six head-motion parameters with their temporal derivatives and the squares of both"
    ]
    assert named(*MOTION[:3]) == ["the three translations of the head"]
    assert named(*MOTION[3:]) == ["the three rotations of the head"]


def test_mean_signals_with_the_same_expansion_are_named_together():
    assert named("white_matter", "csf") == ["the mean CSF and white-matter signals"]
    assert named("csf") == ["the mean CSF signal"]
    assert named("global_signal") == ["the global signal"]
    assert named("csf", "csf_derivative1", "global_signal") == [
        "the mean CSF signal with its temporal derivatives",
        "the global signal",
    ]


def test_components_are_counted_and_those_that_some_runs_lack_are_a_maximum():
    names = [f"a_comp_cor_{number:02}" for number in range(5)]
    assert named(*names) == ["5 anatomical CompCor components"]
    assert in_words(dict.fromkeys(names[:2], 3) | {names[2]: 1}, 3) == ["up to 3 anatomical CompCor components"]
    assert named("cosine00", "cosine01", "motion_outlier00") == [
        "2 discrete cosine regressors",
        "1 motion-outlier indicator",
    ]


def test_what_has_no_other_name_keeps_that_of_its_column():
    assert named("trans_x", "physio") == ["the confounds trans_x and physio"]
    assert named("physio") == ["the confound physio"]
    assert named("std_dvars") == ["standardized DVARS"]
    assert named() == []


def test_every_column_is_named_once():
    columns = [*MOTION, "trans_x_power2", "csf", "csf_wm", "cosine00", "rmsd"]
    text = "; ".join(named(*columns))
    assert "trans_x_power2" in text and "combined CSF and white-matter" in text and text.count("CSF") == 2
