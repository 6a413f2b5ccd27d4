"""One HTML file of sections, tables and figures: a small model of a document, and the page that it makes.

Whatever text is given is escaped. The page needs no network: figures stand in it, links are relative or DOIs, and its
content security policy allows its one style sheet, embedded images and, where a table is to be sorted, one script;
nothing else. The same document gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from sphereconn.draw.one_file import COLOURS

ASSETS = Path(__file__).with_name("report_assets")
DOI = "https://doi.org/"
_NUMBER = re.compile(r"[-+−]?[\d,]+(\.\d+)?(e[-+]?\d+)?( %)?( \([^()]*\))?|n/a|–")


@dataclass(frozen=True)
class Link:
    """Words that lead to a file beside the page, by its relative path, or to a DOI (``https://doi.org/...``)."""

    words: str
    target: str


@dataclass(frozen=True)
class Position:
    """Where a value lies between a lowest and a highest one, and where the median does, to be drawn in a line."""

    value: float
    low: float
    median: float
    high: float


Text = str | Link | Position | Sequence[str | Link]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; a warning stands out."""

    text: Text
    warning: bool = False


@dataclass(frozen=True)
class Facts:
    """A few numbers to see first, each with its name."""

    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row is its header. Columns of numbers are set to the right.

    One that is ``sortable`` can be sorted by its columns and filtered, where scripts run.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Text]]
    sortable: bool = False


@dataclass(frozen=True)
class Image:
    """The content of an image and its media type."""

    media_type: str
    content: bytes


@dataclass(frozen=True)
class Figure:
    """A figure: where its file lies, what it shows in words, the image to embed (None to link it only), its numbers."""

    target: str
    caption: str
    image: Image | None
    table: Table | None = None


@dataclass(frozen=True)
class Card:
    """What is to be seen at once of one thing: a heading, a sentence or several, and small figures side by side."""

    title: str
    sentences: Sequence[Text]
    figures: Sequence[Figure] = ()
    warning: bool = False


@dataclass(frozen=True)
class Cards:
    """Cards side by side."""

    cards: Sequence[Card]


@dataclass(frozen=True)
class Figures:
    """Figures side by side."""

    figures: Sequence[Figure]


@dataclass(frozen=True)
class Plot:
    """A drawing made here, as SVG markup whose texts are escaped already."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Listing:
    """Text to be shown as it is, line by line."""

    text: str


@dataclass(frozen=True)
class References:
    """The list of references: entry and DOI."""

    entries: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Folded:
    """Blocks that are shown on request."""

    summary: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Section:
    """A heading of the table of contents and what stands below it; among the blocks may be further sections."""

    title: str
    blocks: Sequence[Block | Section] = field(default_factory=tuple)


Block = Paragraph | Facts | Table | Cards | Figures | Plot | Listing | References | Folded


def html_page(title: str, lead: Text, sections: Sequence[Section]) -> str:
    """Make the page of a document.

    Parameters
    ----------
    title, lead
        What the document is, and a sentence on it.
    sections
        Its sections; those of the first two levels are in the table of contents.
    """
    style = "".join(path.read_text(encoding="utf-8") for path in (COLOURS, ASSETS / "report.css", ASSETS / "sheet.css"))
    script = (ASSETS / "sort.js").read_text(encoding="utf-8") if any(map(_has_sortable, sections)) else ""
    return Template((ASSETS / "template.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        lead=_text(lead),
        style=style,
        style_hash=_hash(style),
        script_source=f" script-src 'sha256-{_hash(script)}';" if script else "",
        script=f"<script>{script}</script>\n" if script else "",
        contents=_contents(sections, "section"),
        sections="\n".join(_section(item, f"section-{n}", 2) for n, item in enumerate(sections, start=1)),
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _has_sortable(block: Block | Section) -> bool:
    if isinstance(block, (Section, Folded)):
        return any(map(_has_sortable, block.blocks))
    return isinstance(block, Table) and block.sortable


def _contents(sections: Sequence[Section], prefix: str, depth: int = 2) -> str:
    items = []
    for number, section in enumerate(sections, start=1):
        inner = [block for block in section.blocks if isinstance(block, Section)]
        below = _contents(inner, f"{prefix}-{number}", depth - 1) if inner and depth > 1 else ""
        items.append(f'<li><a href="#{prefix}-{number}">{escape(section.title)}</a>{below}</li>')
    return "<ol>\n" + "\n".join(items) + "\n</ol>"


def _section(section: Section, anchor: str, level: int) -> str:
    parts = [f'<section aria-labelledby="{anchor}">', f'<h{level} id="{anchor}">{escape(section.title)}</h{level}>']
    number = 0
    for block in section.blocks:
        if isinstance(block, Section):
            number += 1
            parts.append(_section(block, f"{anchor}-{number}", level + 1))
        else:
            parts.append(_block(block))
    return "\n".join([*parts, "</section>"])


def _block(block: Block) -> str:
    match block:
        case Paragraph(text, warning):
            return f'<p class="warning">{_text(text)}</p>' if warning else f"<p>{_text(text)}</p>"
        case Facts(facts):
            items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
            return f'<dl class="facts">{items}</dl>'
        case Table():
            return _table(block)
        case Cards(cards):
            return '<div class="cards">\n' + "\n".join(map(_card, cards)) + "\n</div>"
        case Figures(figures):
            return '<div class="figures">\n' + "\n".join(map(_figure, figures)) + "\n</div>"
        case Plot(svg, caption):
            return f'<figure class="plot">{svg}<figcaption>{escape(caption)}</figcaption></figure>'
        case Listing(text):
            return f'<pre tabindex="0">{escape(text)}</pre>'
        case References(entries):
            items = "\n".join(f"<li>{escape(entry)} {_link(Link(DOI + doi, DOI + doi))}</li>" for entry, doi in entries)
            return f'<ol class="references">\n{items}\n</ol>'
        case Folded(summary, blocks):
            inner = "\n".join(map(_block, blocks))
            return f"<details>\n<summary>{escape(summary)}</summary>\n{inner}\n</details>"


def _table(table: Table) -> str:
    numeric = [
        bool(table.rows) and all(_is_number(row[place]) for row in table.rows) for place in range(len(table.columns))
    ]
    marks = [' class="number"' if is_number else "" for is_number in numeric]
    head = "".join(
        f'<th scope="col"{mark}>{escape(column)}</th>' for column, mark in zip(table.columns, marks, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            f'<th scope="row"{mark}>{_text(cell)}</th>' if place == 0 else f"<td{mark}>{_text(cell)}</td>"
            for place, (cell, mark) in enumerate(zip(row, marks, strict=True))
        )
        + "</tr>"
        for row in table.rows
    )
    marks_of_all = "scroll sortable" if table.sortable else "scroll"
    return (
        f'<div class="{marks_of_all}" tabindex="0" role="region" aria-label="{escape(table.caption)}">\n<table>\n'
        f"<caption>{escape(table.caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        "</table>\n</div>"
    )


def _is_number(cell: Text) -> bool:
    return isinstance(cell, str) and _NUMBER.fullmatch(cell) is not None


def _card(card: Card) -> str:
    marks = "card warning" if card.warning else "card"
    said = "".join(f"<p>{_text(sentence)}</p>" for sentence in card.sentences)
    shown = f'<div class="small">{"".join(map(_figure, card.figures))}</div>' if card.figures else ""
    return f'<div class="{marks}">\n<h3>{escape(card.title)}</h3>\n{said}{shown}\n</div>'


def _figure(figure: Figure) -> str:
    caption = escape(figure.caption)
    table = ""
    if figure.table is not None:
        table = f"<details>\n<summary>The numbers as a table</summary>\n{_table(figure.table)}\n</details>"
    if figure.image is None:
        return f"<figure><figcaption>{_link(Link(figure.caption, figure.target))}</figcaption>{table}</figure>"
    source = f"data:{figure.image.media_type};base64,{base64.b64encode(figure.image.content).decode()}"
    return (
        f'<figure><a href="{_href(figure.target)}"><img src="{source}" loading="lazy" alt="{caption}"></a>'
        f"<figcaption>{caption}</figcaption>{table}</figure>"
    )


def _text(text: Text) -> str:
    if isinstance(text, str):
        return escape(text)
    if isinstance(text, Position):
        return _position(text)
    return _link(text) if isinstance(text, Link) else "".join(map(_text, text))


def _position(position: Position) -> str:
    """Draw a line from the lowest to the highest value, with a stroke at the median and a dot at the value."""
    if position.high <= position.low:
        return ""
    value, middle = (
        4 + 92 * (number - position.low) / (position.high - position.low)
        for number in (position.value, position.median)
    )
    return (
        f'<svg class="position" viewBox="0 0 100 12" aria-hidden="true"><path d="M4 6h92M{middle:.1f} 1v10"/>'
        f'<circle cx="{value:.1f}" cy="6" r="3.5"/></svg>'
    )


def _link(link: Link) -> str:
    return f'<a href="{_href(link.target)}">{escape(link.words)}</a>'


def _href(target: str) -> str:
    """Quote a relative path, so that it can never be an address of its own; a DOI keeps the start of its address."""
    if target.startswith(DOI):
        return DOI + quote(target.removeprefix(DOI), safe="/()")
    return quote(target.lstrip("/"), safe="/")
