"""Which runs of a tree of BIDS derivatives a study takes, which it leaves out, and why."""

from __future__ import annotations

import difflib
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sphereconn.errors import InputError
from sphereconn.files import read_rows, table, unusable
from sphereconn.study import names
from sphereconn.study.bids import FORM, Image, images_of, old_name, root_of, subjects_without, timing
from sphereconn.study.denoising import sidecar_of
from sphereconn.study.runs import PATHS, known_column, path_seen_from
from sphereconn.words import NOT_CHOSEN_BY, counted, listed

Settings = Mapping[str, Any]

COLUMN = {entity: column for column, entity in names.ENTITIES.items()}
# Key of the configuration -> entity, of the keys that choose runs.
CHOICES = {"subjects": "sub", "sessions": "ses", "tasks": "task", "runs": "run"}
NUMBERED = ("run", "echo", "res")  # run-1 and run-01 are meant by the same number
PREPROCESSED = "preproc"  # what fMRIPrep calls the images that are cleaned of nothing
NONE = "none"  # in the configuration: images whose names don't have the entity

# Reasons that are no loss where another form of the same run passed this check.
OTHER_FORMS = ("of another description", "single echoes", "in another space", "of another resolution")

Problem = tuple[str, str]
Place = tuple[str, str]  # subject and session, "" for none


@dataclass(frozen=True)
class LeftOut:
    """An image that is no run of the study: a reason that many may share, and what it is in this case."""

    image: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Found:
    """The runs, as rows of a runs table (paths as the configuration gives them), and the images left out.

    ``no_participants`` says that no table of participants was found, and where it was looked for.
    """

    root: str
    rows: tuple[Mapping[str, Any], ...]
    left_out: tuple[LeftOut, ...]
    notices: tuple[str, ...] = ()
    no_participants: str = ""

    def summary(self) -> str:
        """Say in a few lines how many runs there are and what was left out, by reason, with an example of each."""
        subjects = len({row["subject"] for row in self.rows})
        first = f"{counted(len(self.rows), 'run')} of {counted(subjects, 'subject')} found in {self.root}"
        if not self.left_out:
            return "\n".join([f"{first}, none left out.", *self.notices])
        lines = [f"{first}, {counted(len(self.left_out), 'image')} left out:"]
        for reason, count in Counter(item.reason for item in self.left_out).most_common():
            example = next(item for item in self.left_out if item.reason == reason)
            lines.append(f"    {count:,} {reason}, such as {os.path.basename(example.image)}: {example.detail}")
        return "\n".join([*lines, *self.notices])


@dataclass(frozen=True)
class _Wanted:
    """The labels that are wanted of an entity, and the key of the configuration that says so."""

    key: str
    entity: str
    labels: tuple[str, ...]

    def matches(self, image: Image) -> bool:
        label = (image.entities or {}).get(self.entity)
        return any(_same(self.entity, wanted, label) for wanted in self.labels)


def find_runs(settings: Settings, confounds_needed: bool, where: str, components_needed: bool = False) -> Found:
    """Find the runs in a tree of BIDS derivatives.

    Every image of the tree is a run, or is left out with a reason, or is another form (space, resolution, single echo,
    description) of a run of which one form is taken or was left out for a better reason.

    Parameters
    ----------
    settings
        The key ``bids`` of the checked configuration.
    confounds_needed
        Whether a run without a table of confounds is of no use.
    where
        What to call the key in messages.
    components_needed
        Whether a run is of no use without the sidecar of its confounds, which says what CompCor's components are.

    Raises
    ------
    InputError
        When there is no such tree or no image in it, when something that is asked for matches none of them, and when a
        run is there in several resolutions (or cohorts of a template) of which none is asked for.
    """
    root = root_of(settings["derivatives"], f"{where}.derivatives")
    images = images_of(root)
    chosen = _choices(settings, where)
    asked = next((wanted for wanted in chosen if wanted.entity == "desc"), None)
    description = asked or _Wanted(f"{where}.filters.desc", "desc", (PREPROCESSED,))
    chosen = [wanted for wanted in chosen if wanted is not asked]
    known = [image for image in images if description.matches(image)]
    if not known:
        found = (
            f"its images have other names, such as {os.path.basename(images[0].path)}" if images else "it has no image"
        )
        if not images and (old := old_name(root)):
            found = f"names like {old} are those of fMRIPrep 1.1 and older; list the images in a runs table"
        wanted_names = " or ".join(f"sub-*/func/*_desc-{label}_bold.nii.gz" for label in description.labels)
        choose = _how_to_choose(images[0]) if images else ""
        raise InputError(f"{where}.derivatives: '{root}' has no preprocessed image {wanted_names} ({found}){choose}.")
    space = _Wanted(f"{where}.space", "space", _labels(settings["space"], "space"))
    resolution = _Wanted(f"{where}.resolution", "res", _labels(settings["resolution"], "res"))
    for wanted in (space, resolution, *chosen):
        _check_that_some_match(wanted, known, root)
    checks = _Checks(
        description,
        space,
        resolution,
        chosen,
        settings["require_mask"],
        confounds_needed,
        components_needed,
        settings["min_frames"],
    )

    results = [(image, *checks.first_problem(image)) for image in images]
    furthest: dict[frozenset[tuple[str, str]], int] = {}
    for image, stage, _ in results:
        furthest[_run_of(image)] = max(furthest.get(_run_of(image), 0), stage)
    runs = [image for image, _, problem in results if problem is None]
    _check_one_form(runs, where)
    participants = _participants(settings, root, where)
    participants.check_that_some_match(images, f"{where}.participants")
    return Found(
        root=root,
        rows=tuple(_row(image, checks.seconds[image.path], participants) for image in runs),
        left_out=tuple(
            LeftOut(image.path, *problem)
            for image, stage, problem in results
            if problem and not (problem[0] in OTHER_FORMS and furthest[_run_of(image)] > stage)
        ),
        notices=(*_without_images(settings, root, images), *participants.notices(runs)),
        no_participants="" if participants.path or settings["covariates"] == [] else _not_found(root),
    )


def _how_to_choose(image: Image) -> str:
    """Say how images of another kind become runs: by a filter, if their names are those of BIDS."""
    if image.entities is None or any(entity not in COLUMN and entity != "desc" for entity in image.entities):
        return "; names that are no pairs of a known entity and a label (letters, digits, +) go into a runs table"
    return "; other images are chosen by filters, as in {desc: smoothAROMAnonaggr}"


def _without_images(settings: Settings, root: str, images: Sequence[Image]) -> tuple[str, ...]:
    """Say which subjects have a folder without images, where all subjects are wanted."""
    without = subjects_without(root, images) if settings["subjects"] is None else []
    if not without:
        return ()
    who = counted(len(without), "subject folder")
    return (f"{who} without a preprocessed image: {_listed(without)}; not fetched, or not finished?",)


class _Checks:
    """The checks that an image passes to be a run, in their order; what they read of its timing is kept."""

    def __init__(
        self,
        description: _Wanted,
        space: _Wanted,
        resolution: _Wanted,
        chosen: Sequence[_Wanted],
        require_mask: bool,
        require_confounds: bool,
        require_components: bool,
        min_frames: int | None,
    ) -> None:
        self.seconds: dict[str, float | None] = {}
        self._description, self._space, self._resolution, self._chosen = description, space, resolution, chosen
        self._require_mask, self._require_confounds, self._min_frames = require_mask, require_confounds, min_frames
        self._require_components = require_components
        self._echoes = any(wanted.entity == "echo" for wanted in chosen)
        self._timings: dict[str, tuple[float | None, str]] = {}
        self._taken: dict[str, str] = {}
        self._all = (self._name, self._form, self._choice, self._files, self._time, self._repetition)

    def first_problem(self, image: Image) -> tuple[int, Problem | None]:
        """Give the number of the first check that an image fails and what the problem is, None if it passes all."""
        for stage, check in enumerate(self._all):
            problem = check(image)
            if problem:
                return stage, problem
        return len(self._all), None

    def _name(self, image: Image) -> Problem | None:
        if image.entities is None:
            return (
                "with a name that is not BIDS",
                "it is not made of entity-label pairs (letters, digits and +)",
            )
        if any(image.entities.get(entity) != label for entity, label in {"ses": None, **image.place}.items()):
            return "in the folder of another subject or session", f"it lies in {os.path.dirname(image.path)}"
        unknown = [entity for entity in image.entities if entity not in COLUMN and entity != "desc"]
        if unknown:
            return "with an entity that results cannot carry", f"{unknown[0]}-{image.entities[unknown[0]]}"
        return None

    def _form(self, image: Image) -> Problem | None:
        entities = image.entities or {}
        if not self._description.matches(image):
            return "of another description", f"{_said(image, 'desc')}, not {' or '.join(self._description.labels)}"
        if "echo" in entities and not self._echoes:
            return "single echoes", f"{_said(image, 'echo')}, not all echoes combined"
        if not self._space.matches(image):
            return "in another space", f"{_said(image, 'space')}, not in {' or '.join(self._space.labels)}"
        if self._resolution.labels and not self._resolution.matches(image):
            return "of another resolution", f"{_said(image, 'res')}, not {' or '.join(self._resolution.labels)}"
        return None

    def _choice(self, image: Image) -> Problem | None:
        for wanted in self._chosen:
            if not wanted.matches(image):
                return f"{NOT_CHOSEN_BY} {wanted.key.rpartition('bids.')[2]}", _said(image, wanted.entity)
        return None

    def _files(self, image: Image) -> Problem | None:
        if image.path in image.dangling:
            return "not there", "it is a broken link; fetch its content (`datalad get`)"
        for path in (image.path, image.confounds, image.mask):
            if path and path not in image.dangling and (problem := unusable(path)):
                return "that cannot be read", f"{os.path.basename(path)}: {problem}"
        if self._require_confounds and not _there(image, image.confounds):
            source = "_".join(
                f"{entity}-{label}" for entity, label in (image.entities or {}).items() if entity not in FORM
            )
            detail = "is a broken link" if image.confounds else "is not there"
            return "without confounds", f"{source}_desc-confounds_timeseries.tsv {detail}"
        if self._require_components and image.confounds and not os.path.isfile(sidecar_of(image.confounds)):
            sidecar = os.path.basename(sidecar_of(image.confounds))
            return "without the sidecar of its confounds", f"{sidecar}, which says what CompCor's components are"
        if self._require_mask and not _there(image, image.mask):
            detail = "is a broken link" if image.mask else "is not there"
            return (
                "without a mask",
                f"{os.path.basename(image.path).rpartition('_desc-')[0]}_desc-brain_mask.nii.gz {detail}",
            )
        return None

    def _time(self, image: Image) -> Problem | None:
        seconds, problem = timing(image, self._timings)
        if problem:
            return "without one repetition time", problem
        self.seconds[image.path] = seconds
        if seconds is not None and self._min_frames is None:
            return None
        from sphereconn.extract.images import read_header  # nibabel is slow to import, and few trees need it

        try:
            header = read_header(image.path)
        except InputError as mistake:
            return "that cannot be read", str(mistake)
        if seconds is None and header.repetition_time is None:
            return "without one repetition time", "neither a sidecar nor the header gives it"
        if header.n_frames < (self._min_frames or 0):
            return "too short", f"{header.n_frames} frames, fewer than {self._min_frames}"
        return None

    def _repetition(self, image: Image) -> Problem | None:
        first = self._taken.setdefault(names.stem(_columns(image)), image.path)
        return None if first == image.path else ("twice there", f"the same run as {os.path.basename(first)}")


def _run_of(image: Image) -> frozenset[tuple[str, str]]:
    return frozenset((entity, label) for entity, label in image.source() if entity != "echo")


def _there(image: Image, path: str | None) -> bool:
    return path is not None and path not in image.dangling


def _said(image: Image, entity: str) -> str:
    label = (image.entities or {}).get(entity)
    return f"no {entity}- in its name" if label is None else f"{entity}-{label}"


def _columns(image: Image) -> dict[str, str]:
    return {COLUMN[entity]: label for entity, label in (image.entities or {}).items() if entity in COLUMN}


def _row(image: Image, seconds: float | None, participants: _Participants) -> dict[str, Any]:
    entities = _columns(image)
    return {
        **entities,
        "bold": image.path,
        "confounds": image.confounds if _there(image, image.confounds) else None,
        "mask": image.mask if _there(image, image.mask) else None,
        "repetition_time": seconds,
        **participants.of(entities["subject"], entities.get("session", "")),
    }


# --- the tables


def runs_found(found: Found, path: Path) -> bytes:
    """Give the content of the runs table at a path."""
    columns = dict.fromkeys([*names.ENTITIES, *PATHS, "repetition_time", *(key for row in found.rows for key in row)])
    used = [column for column in columns if any(row.get(column) is not None for row in found.rows)]
    rows = [
        [path_seen_from(path, row[column]) if column in PATHS else row.get(column) for column in used]
        for row in found.rows
    ]
    return table(used or ["subject", "bold"], rows)


def runs_left_out(found: Found, path: Path) -> bytes:
    """Give the content of the table of what was left out, at a path."""
    images = [[path_seen_from(path, item.image), item.reason, item.detail] for item in found.left_out]
    return table(["bold", "reason", "detail"], images)


# --- what is asked for


def _choices(settings: Settings, where: str) -> list[_Wanted]:
    chosen = [
        _Wanted(f"{where}.{key}", entity, _labels(settings[key], entity))
        for key, entity in CHOICES.items()
        if settings[key] is not None
    ]
    known = {**names.ENTITIES, **{entity: entity for entity in COLUMN}, "desc": "desc"}
    for key, values in settings["filters"].items():
        if values is None:
            continue
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f", did you mean '{close[0]}'?" if close else ""
            raise InputError(
                f"{where}.filters.{key}: no such entity{hint} (allowed here: {', '.join(names.ENTITIES)}, desc)."
            )
        chosen.append(_Wanted(f"{where}.filters.{key}", known[key], _labels(values, known[key])))
    return chosen


def _labels(values: Any, entity: str) -> tuple[str, ...]:
    """Write labels as names have them: ``sub-01`` is ``01``, and a number is its digits."""
    listed = values if isinstance(values, list) else [] if values is None else [values]
    return tuple(
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).removeprefix(f"{entity}-")
        for value in listed
    )


def _same(entity: str, wanted: str, label: str | None) -> bool:
    if label is None:
        return wanted == NONE
    if entity in NUMBERED and wanted.isdecimal() and label.isdecimal():
        return int(wanted) == int(label)
    return wanted == label


def _check_that_some_match(wanted: _Wanted, images: Sequence[Image], root: str) -> None:
    found = {(image.entities or {}).get(wanted.entity) for image in images}
    for label in wanted.labels:
        if any(_same(wanted.entity, label, existing) for existing in found):
            continue
        existing = sorted(label or NONE for label in found)
        close = difflib.get_close_matches(label, existing, n=1)
        unquoted = [other for other in existing if other.lstrip("0") == label]
        if unquoted:
            hint = f'; write "{unquoted[0]}", in quotes, for {unquoted[0]}'
        else:
            hint = f"; did you mean '{close[0]}'?" if close else ""
        shown = ", ".join(existing[:20]) + (", …" if len(existing) > 20 else "")
        raise InputError(
            f"{wanted.key}: no preprocessed image in {root} has {wanted.entity}-{label} (found: {shown}){hint}"
            + ("" if hint.endswith("?") else ".")
        )


def _check_one_form(runs: Sequence[Image], where: str) -> None:
    keys = {"res": f"{where}.resolution", "cohort": f"{where}.filters.cohort"}
    first: dict[frozenset[tuple[str, str]], Image] = {}
    for image in runs:
        other = first.setdefault(image.source(), image)
        if other is image:
            continue
        entity = next(entity for entity in keys if _said(image, entity) != _said(other, entity))
        labels = sorted({(run.entities or {}).get(entity, NONE) for run in runs})
        raise InputError(
            f"{keys[entity]}: {os.path.basename(other.path)} and {os.path.basename(image.path)} are the same run in two"
            f" forms; choose one of {', '.join(labels)}."
        )


# --- what is known of the subjects


@dataclass(frozen=True)
class _Participants:
    """What participants.tsv says of each subject, or of each session of one: columns and cells.

    ``rows`` has them by the id, without ``sub-``, and the session ("" where the table does not tell sessions apart).
    """

    path: str
    rows: Mapping[Place, Mapping[str, str]]

    def of(self, subject: str, session: str) -> Mapping[str, str]:
        """Find the row of a subject or session: by its label, or by the one that differs in leading zeros only."""
        known = _alike(subject, {who for who, _ in self._by_number.get(subject.lstrip("0"), ())})
        sessions = {when for who, when in self._by_number.get(subject.lstrip("0"), ()) if who == known}
        row = self.rows.get((known, _alike(session, sessions))) if session else None
        return row or self.rows.get((known, ""), {})

    def check_that_some_match(self, images: Sequence[Image], where: str) -> None:
        """Raise ``InputError`` for a table that says nothing of any subject that has images."""
        if not self.path:
            return
        without = "or set covariates to [] to do without the table"
        if not self.rows:
            raise InputError(f"{where}: {self.path} has no row below its first line; add the subjects, {without}.")
        places = _places(images)
        if not any(self.of(*place) for place in places):
            if not any(session for _, session in self.rows):
                places = sorted({(subject, "") for subject, _ in places})
            raise InputError(
                f"{where}: no row of {self.path} is about a subject that has images: the table has"
                f" {listed(list(map(_named, self.rows)))}, the images are those of {listed(list(map(_named, places)))};"
                f" correct the ids, {without}."
            )

    def notices(self, images: Sequence[Image]) -> tuple[str, ...]:
        """Say which subjects, or sessions of one, have no row, and which rows are about no run."""
        places = _places(images)
        without = [place for place in places if not self.of(*place)]
        if not self.rows or not without:
            return ()
        known = {subject.lstrip("0") for subject, _ in self.rows}
        sessions = [place for place in without if place[0].lstrip("0") in known]
        subjects = [place for place in without if place not in sessions]
        numbers = {subject.lstrip("0") for subject, _ in places}
        spare = sorted({subject for subject, _ in self.rows if subject.lstrip("0") not in numbers})
        verb = "matches" if len(spare) == 1 else "match"
        rest = f"; {counted(len(spare), 'id')} of the table {verb} no run: {_listed(spare)}" if spare else ""
        who = [
            f"{counted(len(some), noun)} without a row in {self.path}, and therefore in no group: {_listed(labels)}"
            for some, noun, labels in (
                (subjects, "subject", sorted({subject for subject, _ in subjects})),
                (sessions, "session", [_named(place) for place in sessions]),
            )
            if some
        ]
        return (f"{'; '.join(who)}{rest}.",)

    @cached_property
    def _by_number(self) -> Mapping[str, Set[Place]]:
        """The rows whose ids differ in leading zeros only."""
        alike = defaultdict[str, set[Place]](set)
        for subject, session in self.rows:
            alike[subject.lstrip("0")].add((subject, session))
        return alike


def _places(images: Sequence[Image]) -> list[Place]:
    return sorted({(image.place["sub"], image.place.get("ses", "")) for image in images})


def _named(place: Place) -> str:
    subject, session = place
    return f"sub-{subject}" + (f"_ses-{session}" if session else "")


def _alike(label: str, known: Set[str]) -> str:
    """Return a label that is known: itself, or the one that differs from it in leading zeros only."""
    alike = {other for other in known if other.lstrip("0") == label.lstrip("0")}
    return label if label in alike or len(alike) != 1 else next(iter(alike))


def _participants(settings: Settings, root: str, where: str) -> _Participants:
    """Read the wanted columns of participants.tsv."""
    given, wanted = settings["participants"], settings["covariates"]
    if wanted == []:
        return _Participants("", {})
    if given and not os.path.lexists(given):
        raise InputError(f"{where}.participants: there is no file '{given}'.")
    table = given or _participants_table(root)
    if table is None:
        if wanted != "all":
            raise InputError(f"{where}.covariates: {_not_found(root)}.")
        return _Participants("", {})
    columns, rows = read_rows(table)
    if "participant_id" not in columns:
        raise InputError(f"{table}: the column 'participant_id' is missing (found: {', '.join(columns)}).")
    for column in () if wanted == "all" else wanted:
        if column not in columns:
            raise InputError(f"{where}.covariates: {table} has no column '{column}' (found: {', '.join(columns)}).")
    kept = [column for column in columns if column != "participant_id" and (wanted == "all" or column in wanted)]
    listed = [dict(zip(columns, row, strict=True)) for row in rows]
    by_session = next((column for column in ("session_id", "session") if column in columns), None)
    ids = [cells["participant_id"].removeprefix("sub-") for cells in listed]
    if by_session is None or len(set(ids)) == len(ids):
        by_session = None  # what is said of a subject holds for all its sessions
    participants: dict[tuple[str, str], dict[str, str]] = {}
    for subject, cells in zip(ids, listed, strict=True):
        session = cells[by_session].removeprefix("ses-") if by_session else ""
        if (subject, session) in participants:
            raise InputError(
                f"{table}: the participant_id '{cells['participant_id']}' appears more than once"
                + (
                    f" with the {by_session} '{cells[by_session]}'."
                    if by_session
                    else "; a column session_id would tell sessions apart."
                )
            )
        participants[subject, session] = {_covariate(column): cells[column] for column in kept}
    return _Participants(table, participants)


def _participants_table(root: str) -> str | None:
    folder = root
    for _ in range(3):  # derivatives/fmriprep, derivatives, and the raw data set
        table = os.path.join(folder, "participants.tsv")
        if os.path.lexists(table):
            return table
        folder = os.path.join(folder, os.pardir)
    return None


def _not_found(root: str) -> str:
    return f"there is no participants.tsv in {root} or the two folders above it"


def _covariate(column: str) -> str:
    """Name a covariate so that it is not taken for a column of the runs table with a meaning of its own."""
    return f"participants_{column}" if known_column(column) else column


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
