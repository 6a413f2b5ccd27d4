"""Figures and words of denoising compared say what the tables have."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from sphereconn.compare.denoising import CRITERIA
from sphereconn.draw.comparison import criteria_figure, distance_figure
from sphereconn.draw.comparison_words import (
    by_criterion,
    can_tell,
    compared_on,
    correlations_with_distance,
    curves_of,
    denoising_compared,
    differences_by_motion,
    figure_words,
    over_distance,
    published_left_out,
    shown,
    table_of_criteria,
    without_dependence,
)

LABELS = ["gsr", "plain"]
ROWS = [
    {
        "criterion": key,
        "denoising": label,
        "value_in_common": f"{0.1 * place + 0.05 * number}",
        "rank": str(number + 1),
        "better": CRITERIA[key].better,
        "value": "n/a" if key == "modularity" else f"{0.1 * place + 0.06 * number}",
        "runs": "20",
    }
    for place, key in enumerate(CRITERIA)
    for number, label in enumerate(LABELS)
]
SIDECAR = {
    "Motion": "mean_framewise_displacement",
    "Covariates": ["age", "site"],
    "RunsInCommon": 22,
    "SubjectsInCommon": 20,
    "DegreesOfFreedom": 16,
    "MotionInCommon": {"Lowest": 0.05, "Median": 0.1, "Highest": 0.3},
    "QcFcByChance": 0.17,
    "Denoising": {"gsr": {"Runs": 22, "RunsAsked": 24}, "plain": {"Runs": 24, "RunsAsked": 24}},
    "RunsWithoutMotionOrCovariates": {"sub-7": "no value in age"},
    "SubjectsPerMotionGroup": 6,
    "NotComparedWithMotion": None,
    "DenoisingWithTooFewRuns": {},
}


def draw_criteria():
    columns = (by_criterion(ROWS, LABELS, column) for column in ("value_in_common", "value", "rank"))
    words = [(key, figure_words(key)) for key in CRITERIA]
    return criteria_figure(words, LABELS, *columns, {"qcfc_significant": 0.05}, title="t", note="n")


def test_each_criterion_has_a_panel_with_dots_rings_and_ranks_at_its_values():
    figure = draw_criteria()
    assert len(figure.axes) == len(CRITERIA)
    for axes, key in zip(figure.axes, CRITERIA, strict=True):
        rings, dots = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_marker() == "o"]
        expected = [float(row["value_in_common"]) for row in ROWS if row["criterion"] == key]
        np.testing.assert_allclose(dots.get_xdata(), expected)
        assert np.isnan(rings.get_xdata()).all() == (key == "modularity")
        assert [text.get_text() for text in axes.texts] == ["1", "2"]
        low, high = axes.get_xlim()
        assert low < min(expected) and max(expected) < high
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == LABELS


def test_shares_that_are_all_0_stand_at_the_left_end_of_their_axis():
    nothing = {key: [0.0, 0.0] for key in CRITERIA}
    ranks = {key: ["1", "1"] for key in CRITERIA}
    words = [(key, figure_words(key)) for key in CRITERIA]
    for axes in criteria_figure(words, LABELS, nothing, nothing, ranks, {}, title="t", note="n").axes:
        low, high = axes.get_xlim()
        assert -0.1 * high < low < 0


def test_no_value_draws_an_empty_panel_instead_of_failing():
    nothing = {key: [np.nan, np.nan] for key in CRITERIA}
    blank = {key: ["", ""] for key in CRITERIA}
    words = [(key, figure_words(key)) for key in CRITERIA]
    assert criteria_figure(words, LABELS, nothing, nothing, blank, {}, title="t", note="n").axes


@pytest.mark.parametrize("n_edges", [50, 3000])
def test_edges_are_drawn_as_dots_or_as_their_density_with_the_curve(n_edges):
    rng = np.random.default_rng(0)
    lengths, values = rng.uniform(5, 150, n_edges), rng.normal(0, 0.2, n_edges)
    values[0] = np.nan
    curve = (np.linspace(10, 140, 5), np.linspace(0.2, -0.1, 5))
    figure = distance_figure(
        lengths, {"gsr": values}, {"gsr": curve}, {"gsr": "gsr: ρ = 0.1"}, axis="QC-FC", title="t", note="n"
    )
    axes = figure.axes[0]
    assert axes.get_title() == "gsr: ρ = 0.1" and axes.get_ylabel() == "QC-FC"
    assert any(np.array_equal(line.get_ydata(), curve[1]) for line in axes.lines)
    assert any(isinstance(drawn, PolyCollection) for drawn in axes.collections) == (n_edges > 2000)


def test_the_table_has_values_with_ranks_and_shares_in_per_cent():
    table = table_of_criteria(ROWS, LABELS)
    assert [row[0] for row in table] == [criterion.words.replace(" - ", " − ") for criterion in CRITERIA.values()]
    by_words = {row[0]: row[1:] for row in table}
    assert by_words["QC-FC: edges p < .05"] == ["lower", "10.0 % (1)", "15.0 % (2)"]
    assert by_words["QC-FC by distance: Spearman"][0] == "nearer 0"
    assert shown("qcfc_by_distance", "-0.25") == "−0.250" and shown("network_separation", "n/a") == "n/a"


def test_words_say_on_what_and_what_cannot_be_told():
    on = compared_on(SIDECAR)
    assert "22 runs of 20 subjects" in on and "gsr 22 of 24, plain 24 of 24" in on
    assert "age and site regressed out" in on and "1 run could not be used" in on and "0.05 to 0.3" in on
    tell = can_tell(SIDECAR)
    assert "16 degrees of freedom" in tell and "0.24" in tell and "0.170" in tell
    assert "With so few subjects" in tell and "rings" in tell
    many = SIDECAR | {"SubjectsInCommon": 200, "Denoising": {"gsr": {"Runs": 22}}}
    assert "With so few subjects" not in can_tell(many) and "rings" not in can_tell(many)
    assert can_tell(SIDECAR | {"DegreesOfFreedom": None}) == "No edge could be correlated with motion."


def test_curves_and_correlations_are_read_back_by_denoising():
    points = [
        {"denoising": "gsr", "distance": "10.0", "qcfc": "0.2"},
        {"denoising": "gsr", "distance": "20.0", "qcfc": "0"},
    ]
    curves = curves_of(points, LABELS, "qcfc")
    assert curves["gsr"][0].tolist() == [10, 20] and curves["plain"][0].size == 0
    assert correlations_with_distance(ROWS) == {"gsr": "ρ = 0.300", "plain": "ρ = 0.350"}


def test_the_methods_cite_what_they_use():
    cited = []
    text = denoising_compared([SIDECAR], lambda reference: cited.append(reference) or reference)
    assert "after regression of age and site" in text
    assert {reference.authors for reference in cited} >= {
        "Ciric et al.",
        "Parkes et al.",
        "Wang et al.",
        "Blondel et al.",
    }


def test_differences_over_distance_say_whose_they_are():
    axis, note = over_distance("difference", SIDECAR)
    assert axis == "most \u2212 least motion"
    assert note.startswith("Mean edge of the 6 subjects with most motion less that of as many with least")
    assert set(differences_by_motion(ROWS)) == set(LABELS)
    assert all(said.endswith(" % p < .05") for said in differences_by_motion(ROWS).values())


def test_what_could_not_be_compared_is_told_with_the_reason():
    few = {
        **SIDECAR,
        "MotionInCommon": {},
        "QcFcByChance": None,
        "DegreesOfFreedom": None,
        "NotComparedWithMotion": "1 subject has runs after every denoising, and at least 4 are needed",
        "DenoisingWithTooFewRuns": {"gsr": "2 subjects with motion and covariates, and 4 are needed"},
    }
    assert "nothing could be correlated with motion: 1 subject has runs" in can_tell(few)
    assert "gsr is not compared with the others on runs in common: 2 subjects" in compared_on(few)
    assert "ranged" not in compared_on(few)
    assert "qcfc_median_absolute" not in without_dependence(few)
    assert without_dependence(SIDECAR)["qcfc_median_absolute"] == 0.17


def test_published_strategies_that_are_left_out_are_counted_by_reason():
    said = published_left_out(
        {"aroma": {"all": "no components"}, "compcor": {"sub-1": "a", "sub-2": "a", "sub-3": "b"}}
    )
    assert said.endswith("not for all runs: aroma (all runs: no components), compcor (2 runs: a; 1 run: b).")
