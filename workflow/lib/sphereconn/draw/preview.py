"""Small copies of figures, to stand in a report beside the links to the figures themselves."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image as Pillow

from sphereconn.draw.html import Image
from sphereconn.errors import InputError

WIDTH = 960  # pixels: twice what a figure takes in a report
QUALITY = 75


def preview(path: str | Path) -> Image | None:
    """Make a small copy of a figure: a png as WebP, a tenth of its size; an svg as it is; None for a pdf.

    The same file gives the same bytes. ``InputError`` names a png that is not readable.
    """
    path = Path(path)
    if path.suffix == ".svg":
        return Image("image/svg+xml", path.read_bytes())
    if path.suffix != ".png":
        return None
    try:
        with Pillow.open(path) as image:
            opaque = Pillow.new("RGB", image.size, "white")
            opaque.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    except (OSError, SyntaxError, ValueError) as problem:  # Pillow raises any of them
        raise InputError(f"{path}: not a readable png ({problem}); delete it, and it is drawn again.") from problem
    if opaque.width > WIDTH:
        opaque = opaque.resize((WIDTH, round(opaque.height * WIDTH / opaque.width)), Pillow.Resampling.BICUBIC)
    content = io.BytesIO()
    opaque.save(content, "WEBP", quality=QUALITY, method=2)
    return Image("image/webp", content.getvalue())
