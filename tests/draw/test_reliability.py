"""Reliability in figures and sentences says what was measured, on whom, and what follows."""

import numpy as np

from sphereconn.compare.lengths import LENGTH_COLUMNS
from sphereconn.draw.reliability import is_known, lengths_figure, pair_matrix, similarity_figure
from sphereconn.draw.reliability_words import found, measured_over, methods_of_reliability

SIDECAR = {
    "Over": ["session"],
    "NotMeasured": None,
    "FisherZ": True,
    "Subjects": 20,
    "Repeats": ["session 1", "session 2"],
    "NumberOfRuns": 40,
    "SubjectsLeftOut": {},
    "SubjectsCrossed": 20,
    "RepeatsCrossed": 2,
    "MedianICC": 0.312,
    "QuartilesICC": [-0.05, 0.5],
    "WholeICC": [0.35, 0.25, 0.45],
    "NumberOfPermutations": 999,
    "AllPermutations": False,
    "Scores": {
        "discriminability": {"Value": 0.953, "Chance": 0.5, "P": 0.001},
        "identification rate": {"Value": 0.9, "Chance": 0.05, "P": 0.001},
        "differential identifiability": {"Value": -0.4, "Chance": 0, "P": 0.6},
    },
}
LENGTHS = {"Minutes": [5.0, 10.0], "WholeICC": 0.35, "MinutesFor": {"0.5": 18.571, "0.75": 55.71}}


def test_who_was_measured_is_said():
    assert measured_over(SIDECAR) == "Measured in 20 subjects with 40 runs in total (session 1, session 2)."
    left_out = measured_over(SIDECAR | {"SubjectsLeftOut": {"a": "", "b": ""}, "SubjectsCrossed": 12})
    assert "2 subjects with a single run were left out." in left_out
    assert "ICC(2,1) and ICC(3,1) are based on the 12 subjects with all 2 repeats." in left_out
    assert "No two subjects share two repeats" in measured_over(SIDECAR | {"SubjectsCrossed": 0})
    assert "reliability between sessions is lower" in measured_over(SIDECAR | {"Over": "halves"})


def test_what_was_found_is_said_with_chance_and_p():
    text = found(SIDECAR, LENGTHS)
    assert "The ICC(1,1) of whole connectomes is 0.35 (95 % CI 0.25 to 0.45)." in text
    assert "median ICC(1,1) of 0.31 (quartiles −0.05 and 0.50)" in text
    assert "Discriminability is 0.953 (chance 0.5, p = 0.001)." in text
    assert "Connectomes identify 90 % of the subjects in another repeat (chance 5 %, p = 0.001)" in text
    assert "differential identifiability is −0.4, p = 0.6." in text
    assert (
        "10 min of data, the ICC of whole connectomes is 0.35; the predicted scan length is 19 min for an ICC of 0.5"
        in text
    )


def test_what_is_not_known_is_not_said():
    scores = {name: dict.fromkeys(("Value", "Chance", "P")) for name in SIDECAR["Scores"]}
    scores["discriminability"] = {"Value": 0.5, "Chance": 0.5, "P": None}
    nothing = found(SIDECAR | {"WholeICC": [None] * 3, "QuartilesICC": None, "Scores": scores}, None)
    assert nothing == "Discriminability is 0.500 (chance 0.5)."
    flat = found(SIDECAR, LENGTHS | {"WholeICC": -0.1, "MinutesFor": {"0.5": None}})
    assert "Reliability does not increase with the length of the scan." in flat


def test_the_methods_cite_what_was_done():
    cited = []

    def cite(reference):
        cited.append(reference.authors)
        return reference

    text = methods_of_reliability([SIDECAR, SIDECAR], True, cite)
    assert "the runs of each subject that differ in session" in text and "999 permutations" in text
    assert {"Shrout and Fleiss", "Shou et al.", "Bridgeford et al.", "Finn et al.", "Spearman"} <= set(cited)
    text = methods_of_reliability([SIDECAR | {"Over": "halves", "NumberOfPermutations": 0}], False, cite)
    assert "the first and the second half of each run" in text and "permutations" not in text
    assert "Spearman–Brown" not in text


def test_runs_of_a_repeat_stand_side_by_side_and_not_beside_themselves():
    correlations = np.corrcoef(np.random.default_rng(0).normal(size=(5, 30)))
    figure = similarity_figure(correlations, [("one", 3), ("two", 2)], title="t")
    axes = next(axes for axes in figure.axes if axes.images and axes.images[0].get_array().shape == (5, 5))
    shown = np.ma.filled(axes.images[0].get_array().astype(float), np.nan)
    assert np.isnan(np.diag(shown)).all()
    above = axes.images[1].get_array()
    np.testing.assert_array_equal(above[..., 3], np.eye(5))  # the diagonal is blank, not the grey of what is missing
    assert (above[..., :3] == 1).all()
    assert [line.get_ydata()[0] for line in axes.lines[::2]] == [2.5]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["one", "two"]
    assert axes.get_xticks().tolist() == [1.0, 3.5]
    assert is_known(correlations)
    assert not is_known(np.where(np.eye(5) > 0, 1, np.nan))


def test_measured_and_predicted_reliability_are_drawn_against_minutes():
    rows = [
        dict(zip(LENGTH_COLUMNS, map(str, row), strict=True))
        for row in (
            (5, 12, 24, 0.3, 0.2, 0.1, 0.2, 0.4, 0.29),
            (10, 12, 24, 0.45, 0.3, 0.2, 0.3, 0.5, 0.45),
            (20, *["n/a"] * 7, 0.62),
        )
    ]
    figure = lengths_figure(rows, title="t", minutes="the first minutes of each run")
    (axes,) = (axes for axes in figure.axes if axes.get_xlabel() == "Minutes")
    edges, predicted, whole = axes.lines
    np.testing.assert_allclose(edges.get_xydata(), [[5, 0.2], [10, 0.3]])
    np.testing.assert_allclose(predicted.get_ydata(), [0.29, 0.45, 0.62])
    np.testing.assert_allclose(whole.get_ydata()[:2], [0.3, 0.45])


def test_pairs_of_networks_are_a_symmetric_matrix():
    rows = [
        {"network1": "a", "network2": "a", "x": "0.5"},
        {"network1": "a", "network2": "b", "x": "0.2"},
        {"network1": "b", "network2": "b", "x": "n/a"},
    ]
    networks, values = pair_matrix(rows, "x")
    assert networks == ["a", "b"]
    np.testing.assert_array_equal(values, [[0.5, 0.2], [0.2, np.nan]])
    assert pair_matrix([], "x")[0] == []


def test_what_could_not_be_measured_is_told_with_the_reason_in_place_of_numbers():
    nothing = SIDECAR | {"NotMeasured": "Reliability needs two subjects.", "WholeICC": [None] * 3}
    assert measured_over(nothing) == "Reliability could not be measured. Reliability needs two subjects."
    assert found(nothing, None) == ""
