"""Radii compared, drawn and in words: the curves are the numbers of the tables, and what is not known is left out."""

import numpy as np

from sphereconn.compare.radii import MEASURES
from sphereconn.draw.radii import Line, Panel, radii_figure
from sphereconn.draw.radius_words import methods_of_radii, panels, radii_compared_on, shown, table_of_radii

RADII = ["4.0", "6.5", "10.0"]


def row(measure, radius, value, contrast="n/a", lower="n/a", upper="n/a"):
    return {
        "measure": measure,
        "contrast": contrast,
        "radius": radius,
        "value": value,
        "lower": lower,
        "upper": upper,
    }


def pair(one, other, of_runs="n/a", of_statistics="n/a", contrast="n/a"):
    return {
        "contrast": contrast,
        "radius": one,
        "other_radius": other,
        "correlation_of_runs": of_runs,
        "correlation_of_statistics": of_statistics,
    }


ROWS = [
    *(
        row("coverage", radius, value, "n/a", "0.8", "1.0")
        for radius, value in zip(RADII, ("1", "0.9", "n/a"), strict=True)
    ),
    *(row("qcfc_significant", radius, "n/a") for radius in RADII),
    *(row("qcfc_median_absolute", radius, "0.2") for radius in RADII),
    *(row("contrast_statistic", radius, "1.5", label) for label in ("age", "site") for radius in RADII),
]
SIMILARITY = [
    pair("4.0", "6.5", "0.9"),
    pair("4.0", "10.0", "0.7"),
    pair("6.5", "10.0", "0.95"),
    pair("4.0", "6.5", of_statistics="0.8", contrast="age"),
    pair("4.0", "10.0", of_statistics="0.6", contrast="age"),
    pair("6.5", "10.0", of_statistics="0.85", contrast="age"),
]
SIDECAR = {
    "Radii": {"dmnr4": 4.0, "dmnr6p5": 6.5, "dmnr10": 10.0},
    "RunsInCommon": 12,
    "SubjectsInCommon": 10,
    "Motion": "mean_framewise_displacement",
    "QcFcNotMeasured": None,
}


def drawn():
    return radii_figure(panels(ROWS, SIMILARITY, 0.17), title="t", note="n")


def test_measures_without_any_value_have_no_panel_and_the_others_keep_their_order():
    titles = [axes.get_title().replace("\n", " ") for axes in drawn().axes]
    assert titles[1:4] == [MEASURES[key].words for key in ("coverage", "qcfc_median_absolute", "contrast_statistic")]
    assert titles[0].startswith("similarity") and titles[4].startswith("contrasts: correlation") and len(titles) == 5


def test_curves_and_bands_are_the_numbers_of_the_tables_over_the_radius():
    alike, coverage, motion, contrasts, statistics = drawn().axes
    np.testing.assert_array_equal(alike.lines[0].get_xdata(), [4, 6.5, 10])
    np.testing.assert_array_equal(alike.lines[0].get_ydata(), [1, 0.9, 0.7])
    np.testing.assert_array_equal(alike.lines[2].get_ydata(), [0.7, 0.95, 1])
    assert [text.get_text() for text in sorted(alike.texts, key=lambda text: text.get_position()[1])] == [
        "4 mm", "6.5 mm", "10 mm",
    ]  # fmt: skip
    np.testing.assert_array_equal(coverage.lines[0].get_ydata(), [1, 0.9, np.nan])
    assert coverage.collections[0].get_paths()[0].vertices[:, 1].min() == 0.8
    assert motion.lines[0].get_ydata()[0] == 0.17 and motion.lines[0].get_linestyle() == "--"
    assert len(contrasts.lines) == 2 and {text.get_text() for text in contrasts.texts} == {"age", "site"}
    np.testing.assert_array_equal(statistics.lines[0].get_ydata(), [1, 0.8, 0.6])
    assert [label.get_text() for label in statistics.get_xticklabels()] == ["4", "6.5", "10"]


def test_the_axes_of_values_reach_from_0_to_what_is_drawn():
    for axes in drawn().axes:
        low, high = axes.get_ylim()
        values = np.concatenate([line.get_ydata() for line in axes.lines])
        assert low <= 0 and np.nanmax(values) < high


def test_a_panel_without_any_known_value_is_drawn_empty():
    nothing = np.full(2, np.nan)
    line = Line("", np.array([4.0, 8.0]), nothing, nothing, nothing)
    assert radii_figure([Panel("nothing", (line,))], title="t", note="n").axes


def test_the_table_has_a_row_for_each_measure_and_contrast_with_a_value():
    table = table_of_radii(ROWS)
    assert table[0] == ["coverage", "100.0 %", "90.0 %", "n/a"]
    assert [cells[0] for cells in table] == [
        "coverage", "QC-FC: median |r|", "contrasts: median |statistic| (age)", "contrasts: median |statistic| (site)",
    ]  # fmt: skip
    assert shown("icc_edges", "-0.25") == "−0.250"


def test_words_say_on_what_radii_were_compared_and_which_are_least_alike():
    words = radii_compared_on(SIDECAR, SIMILARITY)
    assert "3 radii were compared on the 12 runs of 10 subjects" in words
    assert "between 4 and 10 mm (mean correlation over the edges 0.700)" in words
    of_two = radii_compared_on(SIDECAR, [pair("4.0", "6.0", of_runs="0.97")])
    assert "The mean correlation over the edges between the connectomes of a run at 4 and 6 mm is 0.970." in of_two
    assert "least similar" not in of_two
    assert "not measured: fd: no values." in radii_compared_on(SIDECAR | {"QcFcNotMeasured": "fd: no values."}, [])


def test_the_methods_name_the_radii_and_cite_what_was_measured_only():
    cited = []

    def cite(reference):
        cited.append(reference)
        return reference

    assert "radii of 4, 6.5 and 10 mm" in methods_of_radii([SIDECAR], cite) and len(cited) == 1
    methods_of_radii([SIDECAR | {"Motion": None}, SIDECAR | {"QcFcNotMeasured": "why"}], cite)
    assert len(cited) == 1
