"""The figure of the penalties that were tried."""

import numpy as np

from sphereconn.draw.path import path_figure

PATH = {
    "alpha": np.array([1.0, 0.1, 0.01]),
    "score": np.array([-3.0, -1.0, -2.0]),
    "fold_1": np.array([-4.0, -1.5, np.nan]),
    "fold_2": np.array([-2.0, -0.5, -2.0]),
}


def test_it_shows_every_score_and_fold_and_the_chosen_penalty():
    (axes,) = path_figure(PATH, 0.1, title="sub-01").axes
    drawn = [list(line.get_ydata()) for line in axes.lines]
    assert PATH["score"].tolist() in drawn
    assert PATH["fold_2"].tolist() in drawn
    assert [0.1, 0.1] in [list(line.get_xdata()) for line in axes.lines]


def test_it_says_what_its_lines_are():
    said = "".join(text.get_text() for text in path_figure(PATH, 0.1, title="sub-01").texts)
    assert "chosen penalty 0.1 (vertical line); pale: each fold, dark: their mean" in said
    ebic = {"alpha": np.array([1.0, 0.1]), "ebic": np.array([5.0, 3.0])}
    assert "fold" not in "".join(text.get_text() for text in path_figure(ebic, 0.1, title="sub-01").texts)


def test_the_sparsest_graph_is_on_the_left():
    (axes,) = path_figure(PATH, 0.1, title="sub-01").axes
    left, right = axes.get_xlim()
    assert left > right


def test_ticks_are_plain_numbers():
    figure = path_figure(PATH, 0.1, title="sub-01")
    figure.canvas.draw()
    labels = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert {"0.01", "0.1", "1"} <= set(labels)


def test_a_penalty_that_was_given_has_no_scores():
    figure = path_figure({}, 0.1, title="sub-01")
    assert len(figure.axes[0].lines) == 1
    assert any("given" in text.get_text() for text in figure.texts)


def test_a_criterion_is_drawn_as_one():
    (axes,) = path_figure({"alpha": np.array([1.0, 0.1]), "ebic": np.array([5.0, 3.0])}, 0.1, title="sub-01").axes
    assert [5.0, 3.0] in [list(line.get_ydata()) for line in axes.lines]
    assert axes.get_ylabel() == "EBIC (lower is better)"
