"""Which programs preprocessed the runs, as the data sets that hold them say."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from sphereconn.errors import InputError
from sphereconn.files import read_json

DESCRIPTION = "dataset_description.json"
_LONGEST = 60  # characters of a name or a version


def preprocessed_by(images: Iterable[str]) -> list[list[str]]:
    """Return names and versions of the programs that made the images, sorted; none where no data set says.

    Parameters
    ----------
    images
        Paths of images. A data set is the folder that holds ``sub-*``, or else the folder of an image; its
        ``dataset_description.json`` names programs in ``GeneratedBy``, or in ``PipelineDescription`` (BIDS before 1.4).
    """
    found = {program for root in {_root(image) for image in images} for program in _programs(root)}
    return [list(program) for program in sorted(found)]


def _root(image: str) -> str:
    folders = os.path.dirname(image).split("/")
    first = next((place for place, name in enumerate(folders) if name.startswith("sub-")), len(folders))
    return "/".join(folders[:first])


def _programs(root: str) -> set[tuple[str, str]]:
    path = os.path.join(root, DESCRIPTION)
    if not os.path.isfile(path):
        return set()
    try:
        description = read_json(path)
    except InputError:  # no result depends on it
        return set()
    generated = description.get("GeneratedBy", description.get("PipelineDescription"))
    items = generated if isinstance(generated, list) else [generated]
    named = [(_text(item.get("Name")), _text(item.get("Version"))) for item in items if isinstance(item, dict)]
    return {(name, version) for name, version in named if name}


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) and len(value) <= _LONGEST else ""
