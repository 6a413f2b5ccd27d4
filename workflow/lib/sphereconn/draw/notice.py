"""A figure for a run or a group that has nothing to draw: it says why."""

from __future__ import annotations

from matplotlib.figure import Figure

from sphereconn.draw import style

WIDTH = 5.0  # inches
TEXT_TOP = 0.12


def notice_figure(sentence: str, *, title: str) -> Figure:
    """Say in place of a figure why there is none.

    Parameters
    ----------
    sentence
        The reason.
    title
        What the figure would show.
    """
    with style.figure_style():
        top = style.heading_height(title, "", WIDTH) + TEXT_TOP
        text = style.wrapped(sentence, WIDTH - 2 * style.MARGIN, style.TEXT_SIZE)
        height = (text.count("\n") + 1) * style.TEXT_SIZE * style.LINE_HEIGHT
        sheet = style.Sheet(WIDTH, top + height + style.MARGIN)
        sheet.heading(title)
        sheet.text(style.MARGIN, top, text)
        return sheet.figure
