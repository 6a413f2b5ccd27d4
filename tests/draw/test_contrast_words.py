"""A contrast in sentences says what was tested, on whom, what was found and what was not."""

import numpy as np
import pytest

from sphereconn.draw.contrast import effects_figure, pairs_figure, significant_figure, strongest_figure
from sphereconn.draw.contrast_words import asked, effect_unit, found, found_in_maps, not_used, significant_edges
from sphereconn.draw.inference_methods import inference, seed_maps
from sphereconn.draw.nodes_table import Nodes
from sphereconn.infer.tables import edges_by_run
from sphereconn.words import NOT_CHOSEN, NOT_COMPARED

SETTINGS = {
    "model": "age + sex",
    "test": "age",
    "paired": None,
    "groups": None,
    "tests": ["edges", "components", "network_pairs"],
    "level": 0.05,
    "harmonize": None,
}
SIDECAR = {
    "Settings": SETTINGS,
    "Unit": "Fisher's z",
    "Statistic": "t",
    "NumberOfRuns": 20,
    "NumberOfSubjects": 20,
    "Levels": {"sex": {"F": 12, "M": 8}},
    "RunsLeftOut": {},
    "NumberOfPermutations": 5000,
    "AllPermutations": False,
    "Shuffled": "permutations of runs",
    "EdgesTested": 1000,
    "EdgesNotTested": 0,
    "EdgesSignificant": 0,
    "EdgesSignificantPositive": 0,
    "EdgesSignificantNegative": 0,
    "SignificantEffects": None,
    "EdgesSignificantFDR": 0,
    "SmallestFWE": 0.21,
    "SiteMedianF": None,
    "VarianceInflation": {"age": 1.1},
    "LargestLeverage": 0.4,
    "HighLeverage": {},
    "Columns": ["intercept", "age", "sex[M]"],
    "Contrast": [[0.0, 1.0, 0.0]],
    "WithMotion": None,
}
COMPONENT = {
    "side": "two-sided",
    "threshold_p": "0.001",
    "edges": "7",
    "nodes": "6",
    "p_extent": "0.01",
    "p_intensity": "0.02",
}
PAIR = {"network1": "a", "network2": "b", "statistic": "-1.5", "p": "0.006", "fwe": "0.02"}
OTHER_PAIR = PAIR | {"network2": "a", "p": "0.3", "fwe": "0.9"}


def sidecar(settings=(), **changes):
    return {**SIDECAR, "Settings": {**SETTINGS, **dict(settings)}, **changes}


def test_a_slope_is_asked_for_with_runs_model_and_correction():
    assert asked(SIDECAR) == (
        "Tested in 20 runs (sex: F 12, M 8): whether connectivity depends on age. Model: age + sex. Corrected by 5,000"
        " permutations of runs."
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"test": {"sex": {"M": 1.0, "F": -1.0}}}, "whether connectivity differs between levels of sex (M minus F)"),
        ({"test": "intercept", "model": ""}, "whether mean connectivity differs from 0."),
        ({"test": ["age", "sex"]}, "whether connectivity depends on age and sex."),
        ({"test": "age:sex"}, "whether connectivity depends on age × sex."),
        (
            {"test": {"session": {"2": 1.0, "1": -1.0}}, "paired": "session", "groups": "arm"},
            "(2 minus 1), within subjects, and whether this change differs between the levels of arm",
        ),
    ],
)
def test_what_is_tested_is_said_in_words(settings, words):
    assert words in asked(sidecar(settings))


def test_what_was_not_found_is_said_as_plainly_as_what_was():
    nothing = found(SIDECAR, [], [OTHER_PAIR, PAIR | {"fwe": "0.055"}])
    assert "None of 1,000 edges is significant (p ≤ 0.05, corrected for all edges; smallest p 0.21)." in nothing
    assert "No connected component is significant at any threshold." in nothing
    assert "At a false discovery rate of 0.05, none is significant." in nothing
    assert (
        "None of 2 pairs of networks is significant; the smallest p is that of a–b (mean t = −1.50, p = 0.055 corrected"
        " for all pairs, 0.006 uncorrected)."
    ) in nothing
    something = found(sidecar(EdgesSignificant=12, EdgesNotTested=1), [COMPONENT], [PAIR, OTHER_PAIR])
    assert "12 of 1,000 edges are significant" in something
    assert "a component of 7 edges between 6 nodes is significant by its extent" in something
    assert "(corrected p = 0.01; 0.02 by its intensity)" in something
    assert "1 of 2 pairs of networks is significant: a–b (mean t = −1.50, p = 0.02)." in something


def test_a_pair_of_networks_that_is_alone_is_no_number_of_pairs():
    assert "The only pair of networks, a–b, is significant (mean t = −1.50, p = 0.02)." in found(SIDECAR, [], [PAIR])
    nothing = found(SIDECAR, [], [PAIR | {"fwe": "0.4"}])
    assert "The only pair of networks, a–b, is not significant (mean t = −1.50, p = 0.4)." in nothing
    assert "No pair of networks could be tested." in found(SIDECAR, [], [PAIR | {"fwe": "n/a"}])


def test_of_several_thresholds_the_text_takes_the_strictest_at_which_a_component_is_significant():
    lenient = COMPONENT | {"threshold_p": "0.01", "edges": "1053", "nodes": "1243", "p_extent": "0.002"}
    too_strict = COMPONENT | {"threshold_p": "0.0001", "edges": "2", "p_extent": "0.3"}
    second = COMPONENT | {"edges": "5", "p_extent": "0.03"}
    text = found(SIDECAR, [lenient, COMPONENT, too_strict], [])
    assert "At an edge threshold of p < 0.001 (the strictest at which any is significant), a component of 7" in text
    assert "2 components are significant by their extent, first one of 7 edges between 6 nodes" in found(
        SIDECAR, [lenient, second, COMPONENT], []
    )
    assert "p < 0.01 (the strictest at which any is significant), a component of 1,053 edges between 1,243" in found(
        SIDECAR, [lenient], []
    )


@pytest.mark.parametrize(
    ("settings", "unit"),
    [
        ({}, "Fisher's z per unit of age"),
        ({"test": ["age"]}, "Fisher's z per unit of age"),
        ({"test": "mean_framewise_displacement"}, "Fisher's z per mm of mean framewise displacement"),
        ({"test": "frames_kept"}, "Fisher's z per frame kept"),
        ({"test": "age:sex"}, "Fisher's z per unit of age"),
        ({"test": "age:iq"}, "Fisher's z per unit of age per unit of iq"),
        ({"test": "sex"}, "Fisher's z"),
        ({"test": {"sex": {"M": 1.0, "F": -1.0}}}, "Fisher's z"),
        ({"test": "intercept"}, "Fisher's z"),
    ],
)
def test_the_effect_of_a_slope_is_per_unit_of_what_is_tested(settings, unit):
    assert effect_unit(sidecar(settings)) == unit


@pytest.mark.parametrize(
    ("settings", "positive", "negative", "words"),
    [
        ({"test": {"sex": {"M": 1.0, "F": -1.0}}}, 0, 2, "Both are lower in M than in F (effects −0.54 to −0.42"),
        ({"test": "sex"}, 3, 0, "All are higher in M than in F"),
        ({"test": ["age"]}, 1, 0, "It increases with age"),
        ({"test": "age"}, 3, 1, "3 increase with age, 1 decreases (effects"),
        ({"test": "intercept"}, 0, 3, "All are below 0"),
        ({"test": "age:sex"}, 2, 1, "2 have positive effects, 1 has a negative effect"),
        ({"test": {"run": {"2": 1.0, "1": -1.0}}, "paired": "run"}, 2, 0, "Both are higher in run 2 than in run 1"),
        ({"test": "age", "groups": "sex", "paired": "run"}, 2, 0, "Both have positive effects"),
    ],
)
def test_significant_edges_have_a_direction_and_a_size(settings, positive, negative, words):
    counts = {"EdgesSignificantPositive": positive, "EdgesSignificantNegative": negative}
    counts |= {"EdgesSignificant": positive + negative, "SignificantEffects": [-0.541, -0.42]}
    text = significant_edges(sidecar(settings, **counts))
    given = sidecar(settings, **counts)
    assert f" {words}" in text and text.endswith(f"−0.54 to −0.42; {effect_unit(given)}).")


def test_one_edge_is_significant_in_the_singular():
    one = sidecar(EdgesSignificant=1, EdgesSignificantPositive=1, SignificantEffects=[0.3, 0.3])
    assert significant_edges(one) == (
        "1 of 1,000 edges is significant (p ≤ 0.05, corrected for all edges; smallest p 0.21). It increases with age"
        " (effect 0.30; Fisher's z per unit of age)."
    )


def test_an_edge_that_is_alone_is_not_counted():
    only = sidecar(EdgesTested=1)
    assert significant_edges(only).startswith("The only edge is not significant (p ≤ 0.05, corrected")
    assert significant_edges(only | {"EdgesSignificant": 1}).startswith("The only edge is significant (p ≤ 0.05,")


def test_one_sided_components_count_for_no_two_sided_sentence():
    assert "No connected component" in found(
        SIDECAR, [COMPONENT | {"side": "greater"}, COMPONENT | {"p_extent": "0.3"}], []
    )


def test_harmonization_says_what_was_left_of_the_sites():
    text = found(sidecar({"harmonize": {"column": "site"}}, SiteMedianF=(3.2, 0.4)), [], [])
    assert "Harmonization changed the median F of site across edges from 3.20 to 0.40." in text


def test_the_methods_cite_what_was_done():
    cited = []

    def cite(reference):
        cited.append(reference.authors)
        return reference

    text = inference([SIDECAR, SIDECAR], cite)
    assert text.count("whether connectivity depends on age") == 1
    assert "Freedman–Lane" in text and {"Winkler et al.", "Zalesky et al.", "Noble and Scheinost"} <= set(cited)
    assert "Baggio et al." not in cited
    maps = {
        "a": {"kind": "correlation", "smoothing_fwhm": 6, "contrasts": []},
        "b": {"kind": "percent signal change", "smoothing_fwhm": 0, "contrasts": []},
    }
    text = seed_maps(maps, cite)
    assert "Gaussian kernel of 6 mm full width at half maximum" in text and "Fisher’s z" in text
    assert "permutation" not in text
    maps["a"] |= {"contrasts": ["age", "sexes"], "cluster_p": 0.001, "neighbours": 18}
    text = seed_maps(maps, cite)
    assert "The linear models of age and sexes were fitted to every voxel." in text
    assert "Smith and Nichols" in text and "p < 0.001 with 18-neighbour connectivity" in text


@pytest.mark.parametrize(
    ("significant", "words"),
    [(120, "PCC: 120 of 5,000 voxels are significant"), (0, "PCC: none of 5,000 voxels is significant")],
)
def test_what_maps_show_is_said_for_each_way_to_correct(significant, words):
    of_map = {
        "Seed": "PCC",
        "VoxelsTested": 5000,
        "VoxelsSignificantTFCE": significant,
        "VoxelsSignificant": 7,
        "VoxelsInSignificantClusters": 90,
        "SmallestTFCE": 0.01,
        "SmallestFWE": 0.021,
        "SmallestClusterFWE": 0.03,
    }
    assert found_in_maps(sidecar(**of_map)) == (
        f"{words} (threshold-free cluster enhancement, p ≤ 0.05, corrected for all voxels; smallest p 0.01); by the"
        " maximum statistic 7 (smallest p 0.021), by the extent of clusters 90 (smallest p 0.03)."
    )


def test_effects_stand_below_the_diagonal_and_significant_ones_above():
    effects = np.array([[np.nan, 0.1, 0.2], [0.1, np.nan, -0.3], [0.2, -0.3, np.nan]])
    marks = np.array([[0, 0, 2], [0, 0, 0], [2, 0, 0.0]])
    figure = effects_figure(effects, marks, ["a", "b", "c"], ["", "", ""], title="t", label="z", level=0.05)
    shown = next(
        image for axes in figure.axes for image in axes.images if image.get_array().shape == (3, 3)
    ).get_array()
    np.testing.assert_array_equal(
        np.ma.filled(shown, np.nan), [[np.nan, 0, 0.2], [0.1, np.nan, 0], [0.2, -0.3, np.nan]]
    )


def test_runs_are_dots_and_the_fit_a_line_where_it_is_one():
    x = [1.0, 2.0, 3.0, 4.0]
    edge = {"name": "a – b", "p": 0.01, "tested": x, "value": [0.1, 0.3, 0.2, 0.5], "fitted": [0.1, 0.2, 0.3, 0.4]}
    levels = {**edge, "tested": ["x", "y", "x", "y"]}
    bent = {**edge, "fitted": [0.1, 0.4, 0.2, 0.4]}
    figure = strongest_figure([edge, levels, bent], title="t", tested="age", label="z")
    line, groups, points = (axes for axes in figure.axes if axes.get_xlabel() == "age")
    assert [artist.get_linestyle() for artist in line.lines] == ["None", "-"]
    assert [tick.get_text() for tick in groups.get_xticklabels()] == ["x", "y"]
    assert [artist.get_linestyle() for artist in points.lines] == ["None", "None"]


@pytest.mark.parametrize("swapped", [False, True])
def test_an_interaction_has_a_line_for_each_level_of_the_other_column(swapped):
    ages = ["20", "30", "40", "20", "30", "40"]
    sites = ["x", "x", "x", "y", "y", "y"]
    columns = (sites, ages) if swapped else (ages, sites)
    rows = [
        {"node1": "a", "node2": "b", "p": "0.01", "tested": one, "by": two, "value": str(value), "fitted": str(value)}
        for one, two, value in zip(*columns, [0.1, 0.2, 0.3, 0.3, 0.2, 0.1], strict=True)
    ]
    tested = "`scan: site`:age" if swapped else "age:`scan: site`"
    figure = strongest_figure(edges_by_run(rows), title="t", tested=tested, label="z")
    (axes,) = [axes for axes in figure.axes if axes.get_xlabel() == "age"]
    lines = [line for line in axes.lines if line.get_linestyle() == "-"]
    slopes = {line.get_label(): np.polyfit(line.get_xdata(), line.get_ydata(), 1)[0] for line in lines}
    assert slopes == {"x": pytest.approx(0.01), "y": pytest.approx(-0.01)}
    assert lines[0].get_color() != lines[1].get_color()
    assert axes.get_legend().get_title().get_text() == "scan: site"


def test_numbers_of_the_other_column_are_shown_by_their_halves():
    cells = dict.fromkeys(("node1", "node2"), "a") | {"p": "0.01", "value": "0.1", "fitted": "0.1"}
    rows = [{**cells, "tested": str(place), "by": str(10 * place)} for place in range(1, 5)]
    assert edges_by_run(rows)[0]["by"] == ["at most 25", "at most 25", "above 25", "above 25"]


def test_runs_that_are_not_used_are_named_with_the_reason_unless_they_were_not_asked_for():
    left_out = {"sub-01_task-rest": NOT_CHOSEN, "sub-03_task-rest": "no value in age", "sub-04_task-rest": "Few (2)."}
    said = asked(sidecar(RunsLeftOut=left_out), {"task-rest"})
    assert " 2 of 22 runs are not used: sub-03 (no value in age) and sub-04 (Few [2])." in said
    assert "not used" not in asked(sidecar(RunsLeftOut={"sub-01": NOT_CHOSEN, "sub-02": f"run is 3, {NOT_COMPARED}"}))
    many = {f"sub-{n}": "no value in age" for n in range(30, 40)}
    assert not_used(sidecar(RunsLeftOut=many)).endswith("sub-32 (no value in age) and 7 more.")
    one = not_used(sidecar(RunsLeftOut=many), known=list(many)[1:])
    assert one == "1 of 30 runs is not used: sub-30 (no value in age)."


def words_of(figure):
    return " ".join(text.get_text() for axes in [figure, *figure.axes] for text in axes.texts).replace("\n", " ")


def test_where_nothing_is_significant_or_tested_the_figure_says_so():
    nodes = Nodes([*"abc"], np.eye(3) * 30, [""] * 3)
    of_edges = {"title": "t", "label": "z", "level": 0.05}
    effects, nothing = np.full((3, 3), 0.4), np.zeros((3, 3))
    assert "No edge and no component is significant" in words_of(
        significant_figure(effects, nothing, nodes, **of_edges)
    )
    assert "corrected p ≤ 0.05" in words_of(significant_figure(effects, nothing + 2, nodes, **of_edges))
    beside = significant_figure(effects, nothing + np.diag([1.0, 1], 1) + 1, nodes, threshold_p=0.001, **of_edges)
    assert (
        "2 significant edges and 1 other of a component that is significant at an edge threshold of p < 0.001;"
        " corrected p ≤ 0.05"
    ) in words_of(beside)
    alone = significant_figure(effects, nothing + 1, nodes, threshold_p=0.01, **of_edges)
    assert "3 edges of a component that is significant at an edge threshold of p < 0.01;" in words_of(alone)
    no_pairs = pairs_figure([], np.empty((0, 0)), np.empty((0, 0), bool), title="t", statistic="F", level=0.05)
    assert "Pairs of networks are not tested" in words_of(no_pairs)
    pairs = pairs_figure([*"AB"], np.eye(2), np.eye(2) > 0, title="t", statistic="F", level=0.01)
    assert "Mean F over the edges of each pair; * corrected p ≤ 0.01" in words_of(pairs)
    means = np.array([[np.nan, -1.5], [-1.5, np.nan]])
    one_pair = pairs_figure([*"AB"], means, np.isfinite(means), title="t", statistic="t", level=0.01)
    assert "The only pair of networks is A–B: mean t over its edges = −1.50 (p ≤ 0.01)." in words_of(one_pair)
    assert "No edge could be tested" in words_of(strongest_figure([], title="t", tested="age", label="z"))
