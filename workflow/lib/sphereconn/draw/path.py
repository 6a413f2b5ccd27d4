"""How the penalty of a sparse inverse covariance was found: the score of every penalty that was tried."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from sphereconn.draw import style

WIDTH, HEIGHT = 5.2, 3.2  # inches of the axes
LEFT, BOTTOM = 0.9, 0.7
FOLD_COLOUR = "#b9c6d3"
SCORE_COLOUR = "#35557a"
CHOSEN_COLOUR = "#b2182b"


def path_figure(path: Mapping[str, NDArray[np.float64]], chosen: float, *, title: str) -> Figure:
    """Draw scores against penalties, the largest penalty (the sparsest graph) on the left.

    Parameters
    ----------
    path
        One row a penalty, in the columns ``alpha`` and, for cross-validation, ``score``, ``fold_1``, ``fold_2`` and so
        on (NaN where a fold was left out), or ``ebic``. Empty when the penalty was given.
    chosen
        The penalty of the result.
    title
        What the figure shows.
    """
    with style.figure_style():
        folds = [name for name in path if name.startswith("fold_")]
        note = f"chosen penalty {chosen:.4g} (vertical line)" if path else f"penalty {chosen:.4g}, given"
        note += "; pale: each fold, dark: their mean" if folds else ""
        width = LEFT + WIDTH + style.MARGIN
        top = style.heading_height(title, note, width)
        sheet = style.Sheet(width, top + HEIGHT + BOTTOM)
        sheet.heading(title, note)
        axes = sheet.axes(LEFT, top, WIDTH, HEIGHT)
        axes.set_xlabel("Penalty")
        by_criterion = "ebic" in path
        axes.set_ylabel("EBIC (lower is better)" if by_criterion else "Score (higher is better)")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.axvline(chosen, color=CHOSEN_COLOUR, linewidth=1.2, zorder=1)
        if path:
            alpha = path["alpha"]
            for name in folds:
                axes.plot(alpha, path[name], color=FOLD_COLOUR, linewidth=1, marker=".", markersize=4, zorder=2)
            score = path["ebic" if by_criterion else "score"]
            axes.plot(alpha, score, color=SCORE_COLOUR, linewidth=1.6, marker="o", markersize=4, zorder=3)
        axes.invert_xaxis()
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        return sheet.figure
