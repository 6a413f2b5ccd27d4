"""The tree of BIDS derivatives that fMRIPrep writes: which preprocessed images it has, and which files go with each.

A file belongs to another only if their names agree in every entity that both kinds of file carry: the confounds of a
run are never those of a run that differs in ``acq-``, ``dir-`` or any other entity. Only names are read here, and the
small sidecars on request; no image is opened.
"""

from __future__ import annotations

import os
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sphereconn.errors import InputError
from sphereconn.extract.repetition_time import is_repetition_time, uneven, unit_hint
from sphereconn.files import read_json
from sphereconn.study import names

Entities = Mapping[str, str]

# How the name of a file ends -> what it is; of two that say the same, the upper one counts.
KINDS = {
    "bold.nii": "image",
    "bold.nii.gz": "image",
    "mask.nii": "mask",
    "mask.nii.gz": "mask",
    "timeseries.tsv": "confounds",
    "regressors.tsv": "confounds",  # before fMRIPrep 20.2
    "bold.json": "sidecar",
}
RANKS = {ending: rank for rank, ending in enumerate(KINDS)}

# Entities that a derivative adds to those of its source.
FORM = ("space", "cohort", "res", "den", "desc")


@dataclass(frozen=True)
class Image:
    """A preprocessed image: its path, the entities in its name (None: not BIDS), and the files that go with it.

    ``place`` has the entities of its folders, subject and session. ``sidecars`` are those that hold for it, the most
    particular first. ``dangling`` has the files that are links to nothing.
    """

    path: str
    entities: Entities | None
    place: Entities
    confounds: str | None = None
    mask: str | None = None
    sidecars: tuple[str, ...] = ()
    dangling: frozenset[str] = frozenset()

    def source(self) -> frozenset[tuple[str, str]]:
        """The entities of the run that the image was made from."""
        return _without(self.entities or {"unreadable": self.path}, FORM)


@dataclass
class _Folder:
    """What a folder has of each kind, by the entities in the names."""

    images: list[tuple[str, Entities | None]] = field(default_factory=list)
    masks: dict[frozenset[tuple[str, str]], str] = field(default_factory=dict)
    confounds: dict[frozenset[tuple[str, str]], str] = field(default_factory=dict)
    sidecars: list[tuple[frozenset[tuple[str, str]], str]] = field(default_factory=list)
    dangling: set[str] = field(default_factory=set)


def entities_of(name: str) -> dict[str, str] | None:
    """Read the entities off a name without its suffix, ``sub-01_task-rest``; None where it is not made of entities."""
    entities: dict[str, str] = {}
    for part in name.split("_") if name else ():
        entity, _, label = part.partition("-")
        if not (entity.isalpha() and re.fullmatch(names.BIDS_LABEL, label)) or entity in entities:
            return None
        entities[entity] = label
    return entities


def root_of(derivatives: str, where: str) -> str:
    """Find the folder with the subjects: ``derivatives``, or ``fmriprep`` in it, as older versions nest it."""
    if not os.path.isdir(derivatives):
        parent = Path(derivatives).parent
        beside = sorted(path.name for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
        found = f" ({parent} has the folders {_some(beside)})" if beside else ""
        raise InputError(f"{where}: there is no folder '{derivatives}'{found}.")
    for root in (derivatives, os.path.join(derivatives, "fmriprep")):
        if os.path.isdir(root) and any(_folders(root, "sub-")):
            return root
    inside = sorted(name for name, _ in _folders(derivatives, ""))
    raise InputError(f"{where}: '{derivatives}' has no folder sub-* (found: {_some(inside)}).")


def images_of(root: str) -> list[Image]:
    """List the preprocessed images of all subjects, sorted by path, each with the files that go with it.

    Linked folders count as folders. Of the folders of a subject or session only ``func`` is looked at.
    """
    images: list[Image] = []
    top = _read(root)
    for name, subject in _folders(root, "sub-"):
        place = {"sub": name.removeprefix("sub-")}
        sessions = [(name, path) for name, path in _folders(subject, "ses-")]
        above = [_read(subject), top]
        images += _images(subject, place, above)
        for session, path in sessions:
            images += _images(path, place | {"ses": session.removeprefix("ses-")}, [_read(path), *above])
    return sorted(images, key=lambda image: image.path)


def subjects_without(root: str, images: Iterable[Image]) -> list[str]:
    """List the subjects that have a folder, or a link that was to be one, and no image in it."""
    with os.scandir(root) as entries:
        named = [entry for entry in entries if entry.name.startswith("sub-") and "." not in entry.name]
        folders = [
            entry.name.removeprefix("sub-") for entry in named if entry.is_dir() or not os.path.exists(entry.path)
        ]
    return sorted(set(folders) - {image.place["sub"] for image in images})


def old_name(root: str) -> str | None:
    """Find an image that is named as fMRIPrep named them before version 1.2, ``…_space-…_preproc.nii.gz``."""
    patterns = ("sub-*/func/*_preproc.nii*", "sub-*/ses-*/func/*_preproc.nii*")
    return next((path.name for pattern in patterns for path in Path(root).glob(pattern)), None)


def timing(image: Image, known: dict[str, tuple[float | None, str]]) -> tuple[float | None, str]:
    """Read off the sidecars how long a frame takes: seconds (None where they don't say) and what is wrong, or "".

    ``known`` keeps what was read, since many images may share a sidecar.
    """
    for path in image.sidecars:
        if path not in known:
            known[path] = _timing(path)
        seconds, problem = known[path]
        if problem or seconds is not None:
            return seconds, problem
    return None, ""


def _timing(path: str) -> tuple[float | None, str]:
    try:
        sidecar = read_json(path)
    except InputError:
        return None, f"{path} is no readable JSON file"
    if problem := uneven(sidecar):
        return None, f"{path}: {problem}"
    seconds = sidecar.get("RepetitionTime")
    if seconds is None:
        return None, ""
    if not is_repetition_time(seconds):
        return None, f"RepetitionTime in {path} is {reprlib.repr(seconds)} s{unit_hint(seconds)}"
    return float(seconds), ""


def _images(folder: str, place: Entities, above: list[_Folder]) -> Iterator[Image]:
    func = os.path.join(folder, "func")
    if not os.path.isdir(func):
        return
    files = _read(func)
    for path, entities in files.images:
        if entities is None:
            yield Image(path, None, place)
            continue
        named = frozenset(entities.items())
        confounds = files.confounds.get(_without(entities, FORM))
        mask = files.masks.get(_without(entities, ("desc",)))
        yield Image(
            path=path,
            entities=entities,
            place=place,
            confounds=confounds,
            mask=mask,
            sidecars=tuple(_sidecars(named, [files, *above])),
            dangling=frozenset(files.dangling.intersection(filter(None, (path, confounds, mask)))),
        )


def _sidecars(named: frozenset[tuple[str, str]], folders: Iterable[_Folder]) -> Iterator[str]:
    """BIDS's inheritance: a sidecar holds for the files at or below it that have all entities of its name."""
    for folder in folders:
        holding = [(len(wanted), path) for wanted, path in folder.sidecars if wanted <= named]
        yield from (path for _, path in sorted(holding, reverse=True))


def _read(folder: str) -> _Folder:
    found = _Folder()
    with os.scandir(folder) as entries:
        files = [(RANKS[ending], entry) for entry in entries if (ending := entry.name.rpartition("_")[2]) in RANKS]
    for _, entry in sorted(files, key=lambda item: (item[0], item[1].name)):
        name, _, ending = entry.name.rpartition("_")
        kind, entities = KINDS[ending], entities_of(name)
        if entry.is_symlink() and not os.path.exists(entry.path):
            found.dangling.add(entry.path)
        if kind == "image":
            found.images.append((entry.path, entities))
        elif entities is None:
            continue
        elif kind == "sidecar":
            found.sidecars.append((frozenset(entities.items()), entry.path))
        elif kind == "mask" and entities.get("desc") == "brain":
            found.masks.setdefault(_without(entities, ("desc",)), entry.path)
        elif kind == "confounds" and entities.get("desc") == "confounds":
            found.confounds.setdefault(_without(entities, ("desc",)), entry.path)
    return found


def _folders(folder: str, start: str) -> list[tuple[str, str]]:
    with os.scandir(folder) as entries:
        return sorted((entry.name, entry.path) for entry in entries if entry.name.startswith(start) and entry.is_dir())


def _without(entities: Entities, left_out: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    return frozenset((entity, label) for entity, label in entities.items() if entity not in left_out)


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "") if names else "none"
