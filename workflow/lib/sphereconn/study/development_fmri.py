"""The development_fmri data set: which of its 155 subjects a study has, and where their files are and come from.

These are runs of children and adults who watch a short film (Richardson et al. 2018, Nature Communications 9:1027;
OpenNeuro ds000228), in the preprocessed form that nilearn's examples use, at 4 mm and a repetition time of 2 s. Nothing
is downloaded to plan a study: subjects and addresses stand in the tables of ``resources/development_fmri``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import expanduser, normpath
from pathlib import Path
from typing import Any

from sphereconn.errors import InputError
from sphereconn.files import MISSING, read_records, read_rows, to_number, written_whole
from sphereconn.study.paths import checked_path
from sphereconn.study.runs import Run

KEY = "development_fmri"  # of the configuration
BOLD = "sub-{subject}_task-pixar_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
CONFOUNDS = "sub-{subject}_task-pixar_desc-confounds_regressors.tsv"
REDUCED_CONFOUNDS = "sub-{subject}_task-pixar_desc-reducedConfounds_regressors.tsv"
REPETITION_TIME = 2.0  # seconds
REDUCED = (
    *(f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"),
    "framewise_displacement",
    *(f"a_comp_cor_{number:02d}" for number in range(6)),
    "csf",
    "white_matter",
)
# Column of participants.tsv -> column to group by.
COVARIATES = {
    "Age": "age",
    "AgeGroup": "agegroup",
    "Child_Adult": "group",
    "Gender": "gender",
    "Handedness": "handedness",
}


@dataclass(frozen=True)
class Downloads:
    """Where the files that a study downloads are put, and by subject the addresses of images and confounds."""

    folder: str = "data/development_fmri"
    bold: Mapping[str, str] = field(default_factory=dict)
    confounds: Mapping[str, str] = field(default_factory=dict)


def development_runs(settings: Mapping[str, Any], tables: Path, where: str) -> tuple[list[Run], Downloads]:
    """Give the runs of the chosen subjects, sorted by name, and where their files come from.

    Parameters
    ----------
    settings
        ``n_subjects`` (a number or ``all``), ``age_group`` (``both``, ``child`` or ``adult``), ``reduce_confounds``,
        ``folder`` (``~`` is the home) and ``base_url``.
    tables
        The folder with ``participants.tsv`` and ``osf_ids.csv``.
    where
        What to call the settings in messages.

    Raises
    ------
    InputError
        When more subjects are asked for than there are in the age group.
    """
    folder = checked_path(normpath(expanduser(settings["folder"])), f"{where}.folder")
    base_url = settings["base_url"].rstrip("/")
    with open(tables / "osf_ids.csv", encoding="utf-8", newline="") as file:
        keys = {row["participant_id"]: row for row in csv.DictReader(file)}
    participants = read_records(tables / "participants.tsv")
    chosen = choose_subjects(participants, settings["n_subjects"], settings["age_group"], where)
    confounds = REDUCED_CONFOUNDS if settings["reduce_confounds"] else CONFOUNDS
    runs, bold_addresses, confounds_addresses = [], {}, {}
    for person in chosen:
        subject = person["participant_id"].removeprefix("sub-")
        key = keys[person["participant_id"]]
        bold_addresses[subject] = f"{base_url}/download/{key['key_b']}/"
        confounds_addresses[subject] = f"{base_url}/download/{key['key_r']}/"
        runs.append(
            Run(
                entities={"subject": subject, "task": "pixar", "space": "MNI152NLin2009cAsym"},
                bold=str(Path(folder, BOLD.format(subject=subject))),
                confounds=str(Path(folder, confounds.format(subject=subject))),
                repetition_time=REPETITION_TIME,
                covariates={new: person[old] for old, new in COVARIATES.items() if person[old] != MISSING},
            )
        )
    return sorted(runs, key=lambda run: run.stem), Downloads(folder, bold_addresses, confounds_addresses)


def choose_subjects(
    participants: list[dict[str, str]], n_subjects: int | str, age_group: str, where: str
) -> list[dict[str, str]]:
    """Choose as nilearn's ``fetch_development_fmri`` does: the first of each group, in their share of all.

    One subject of both groups is an adult, and two are one of each.
    """
    wanted = {
        group: [person for person in participants if person["Child_Adult"] == group]
        for group in ("adult", "child")
        if age_group in (group, "both")
    }
    available = sum(map(len, wanted.values()))
    n = available if n_subjects == "all" else int(n_subjects)
    if n > available:
        described = "subjects" if age_group == "both" else {"adult": "adults", "child": "children"}[age_group]
        raise InputError(f"{where}.n_subjects: {n} is not allowed; there are {available} {described}.")
    count = {group: round(n / available * len(members)) for group, members in wanted.items()}
    if age_group == "both" and n <= 2:
        count = {"adult": 1, "child": n - 1}
    return [person for group, members in wanted.items() for person in members[: count[group]]]


def reduce_confounds(source: str | Path, target: str | Path) -> None:
    """Write the 15 columns that nilearn's examples use, in its order and its format of numbers.

    They are six motion parameters, framewise displacement, six anatomical CompCor components, CSF and white matter.
    """
    columns, rows = read_rows(source)
    for column in REDUCED:
        if column not in columns:
            raise InputError(f"{source}: the column '{column}' is missing (found: {', '.join(columns)}).")
    places = [columns.index(column) for column in REDUCED]
    with written_whole(target) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write("\t".join(REDUCED) + "\n")
        for line, row in enumerate(rows, start=2):
            file.write("\t".join(_number(source, line, columns[place], row[place]) for place in places) + "\n")


def _number(source: str | Path, line: int, column: str, cell: str) -> str:
    if cell == MISSING:
        return MISSING
    try:
        return f"{to_number(cell):.18e}"
    except ValueError:
        raise InputError(f"{source}, row {line}, column {column}: '{cell}' is not a number.") from None
