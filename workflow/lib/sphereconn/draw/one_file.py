"""Interactive pages that are one file: scripts, style and data stand in it, and it opens offline.

The content security policy of a page allows its own scripts and style and forbids every request.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLOURS = Path(__file__).with_name("colours.css")  # stands first in the style of every page


def one_file_page(
    folder: Path, template: str, styles: Sequence[str], scripts: Sequence[str], title: str, data: Any
) -> str:
    """Return a page as HTML; the same input gives the same text.

    Parameters
    ----------
    folder
        Of the parts.
    template
        The page, with ``$title``, ``$style``, ``$style_source``, ``$script_sources``, ``$data`` and ``$scripts``.
    styles, scripts
        Names of the other parts, in this order; the colours of all pages come before the styles.
    title
        Shown as it is written, also when it holds HTML.
    data
        What the scripts find in the element ``data``, as JSON.
    """
    style = "\n".join(path.read_text(encoding="utf-8") for path in (COLOURS, *(folder / name for name in styles)))
    parts = [(folder / name).read_text(encoding="utf-8") for name in scripts]
    return Template((folder / template).read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        style=style,
        style_source=_source_hash(style),
        script_sources=" ".join(map(_source_hash, parts)),
        data=_json(data),
        scripts="\n".join(f"<script>{part}</script>" for part in parts),
    )


def base64_of(content: NDArray[Any] | bytes) -> str:
    """Return an array, its numbers with the lowest byte first, or bytes as text."""
    if isinstance(content, np.ndarray):
        content = content.astype(content.dtype.newbyteorder("<")).tobytes()
    return base64.b64encode(content).decode("ascii")


def _json(data: Any) -> str:
    """Write JSON in which no label can end the script element it stands in; ASCII only."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _source_hash(text: str) -> str:
    """Name an inline script or style in a content security policy."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
