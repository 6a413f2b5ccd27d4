"""The command line of a BIDS App, turned into a study, settings and targets: Snakemake does the rest."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml

from sphereconn.errors import InputError
from sphereconn.words import listed

LEVELS = ("participant", "group")
OF_PARTICIPANTS = ("signals", "combined", "connectomes")  # the stages of single runs
USAGE = """\
usage: ./sphereconn participant BIDS_DIR OUT_DIR --config STUDY.yaml [--participant-label LABEL ...] [OPTIONS]
       ./sphereconn group BIDS_DIR OUT_DIR --config STUDY.yaml [OPTIONS]

    participant    signals and connectomes of single runs, of all subjects or of those named
    group          all of the study: also groups, contrasts, figures and the report
    BIDS_DIR       the folder with the folders of the subjects that fMRIPrep wrote, or the one around it
    OUT_DIR        where the results go
    STUDY.yaml     the study without output_dir, runs and bids.derivatives, which this command line gives
    OPTIONS        those of snakemake, such as -n and --cores 4

The level may also stand behind the folders, as BIDS Apps have it."""


class Asked(NamedTuple):
    """What a command line asks for: a level, a study, the settings that it adds, labels of subjects, other options."""

    level: str
    study: str
    settings: Mapping[str, Any]
    labels: tuple[str, ...]
    options: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}.\n\n{USAGE}")


def is_bids_app(arguments: Sequence[str]) -> bool:
    """Return whether these are the arguments of a BIDS App: a level stands first, or behind two folders."""
    return any(len(arguments) > place and arguments[place] in LEVELS for place in (0, 2))


def read_arguments(arguments: Sequence[str]) -> Asked:
    """Return what the command line of a BIDS App asks for.

    Raises
    ------
    InputError
        When something is missing, or does not go together.
    """
    first = 0 if arguments[0] in LEVELS else 2
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("BIDS_DIR")
    parser.add_argument("OUT_DIR")
    parser.add_argument("--config", required=True, metavar="STUDY.yaml")
    parser.add_argument("--participant-label", "--participant_label", nargs="+", default=[])
    known, options = parser.parse_known_args([*arguments[:first], *arguments[first + 1 :]])
    labels = tuple(label.removeprefix("sub-") for label in known.participant_label)
    if labels and arguments[first] == "group":
        raise InputError("--participant-label belongs to the level participant; a group has all subjects of the study.")
    settings = {"output_dir": known.OUT_DIR, "bids": {"derivatives": known.BIDS_DIR}}
    return Asked(arguments[first], known.config, settings, labels, tuple(options))


def options_of(asked: Asked, checkout: Path) -> list[str]:
    """Return the options of Snakemake that make what is asked for: targets first, then settings.

    Parameters
    ----------
    asked
        Its study is a file that has been checked.
    checkout
        The folder of the workflow.

    Raises
    ------
    InputError
        When the study has a key that the command line gives, or lacks a subject that is named.
    """
    from sphereconn.study.sources import SOURCES

    content = yaml.safe_load(Path(asked.study).read_text(encoding="utf-8"))
    bids = content.get("bids") or {}
    twice = [key for key in ("output_dir", *SOURCES) if key in content and key != "bids"]
    twice += ["bids.derivatives"] if "derivatives" in bids else []
    if twice:
        raise InputError(f"{asked.study}: {twice[0]}: the command line gives the folders; leave this key out.")
    settings = {**content, **asked.settings, "bids": {**bids, **asked.settings["bids"]}}
    given = [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in asked.settings.items()]
    return [*_targets(asked, settings, checkout), "--config", *given, *asked.options]


def _targets(asked: Asked, settings: Mapping[str, Any], checkout: Path) -> list[str]:
    if asked.level == "group":
        return []
    if not asked.labels:
        return [
            "describe_study",
            *(stage for stage in OF_PARTICIPANTS if stage != "combined" or settings.get("combine")),
        ]
    from sphereconn.plan.products import products
    from sphereconn.study.study import resolve_study

    schema = checkout / "workflow" / "schemas" / "config.schema.json"
    study = resolve_study(settings, schema, checkout / "resources", asked.study)
    subjects = sorted({run.entities["subject"] for run in study.runs})
    for label in asked.labels:
        if label not in subjects:
            raise InputError(
                f"--participant-label {label}: the study has no such subject (found: {listed(subjects, most=12)})."
            )
    starts = tuple(f"sub-{label}/" for label in asked.labels)
    files = (product.files[0] for product in products(study, *OF_PARTICIPANTS))
    return list(dict.fromkeys(study.place(path) for path in files if path.startswith(starts)))
