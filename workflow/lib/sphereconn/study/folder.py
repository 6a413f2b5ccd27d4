"""The folder of the results: whether a study may write there, whose results it holds, and who writes there now.

A run of the workflow writes into a folder, and removes results from it, only where the folder is new, empty, or marked
as this study's. The mark says which configuration the results belong to. Edits of it, another name, another place and
copies are the same study; another configuration is not, unless the user says so.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os.path import abspath, dirname, exists, expanduser, isdir, islink, join, realpath, relpath
from pathlib import Path
from typing import IO, Any

from sphereconn.errors import InputError
from sphereconn.files import read_json, write_if_changed
from sphereconn.ledger import FOLDER as RECORDS
from sphereconn.provenance import NAME
from sphereconn.study.study import Study

MARK = f"{RECORDS}/belongs_to.json"
LOCK = f"{RECORDS}/in_use"
# Folders of this workflow's checkout; what is hidden there is its own, too.
OWN_FOLDERS = ("benchmarks", "config", "docs", "envs", "profiles", "resources", "scripts", "tests", "workflow")
INNER_FOLDERS = (".datalad", ".git", ".hg", ".snakemake", ".svn")  # of repositories, and Snakemake's
REPOSITORIES = (".datalad", ".git", ".hg", ".svn")


@dataclass(frozen=True)
class Origin:
    """Where a study comes from: its configuration files, and the checkout of the workflow.

    ``take_over`` says that the user wants the folder of another study to become this one's.
    """

    configurations: tuple[str, ...]
    checkout: str
    take_over: bool = False


# --- whether the study may write there


def check_folder(study: Study, origin: Origin, source: str) -> None:
    """Raise ``InputError`` unless the study may write into its output folder. Nothing is written.

    Links are followed everywhere. Refused are folders that hold the home directory, the checkout, a configuration, an
    input, a repository or another data set, those inside the checkout's own folders or another study's results, those
    of another study, and those that hold anything else; and links that lead out of the folder where results would be
    written.
    """
    where = f"{source}: output_dir: '{study.output_dir}'"
    folder = realpath(study.output_dir)
    _check_place(folder, study.output_dir, origin, where)
    _check_inputs(folder, study, origin, where)
    outer = next((str(parent) for parent in Path(folder).parents if exists(parent / MARK)), None)
    if outer:
        raise InputError(f"{where} lies in the results of a study ({outer}); choose a folder outside it.")
    if isdir(folder):
        _check_owner(folder, study, origin, where)
        _check_links(folder, study, where)


def _check_place(folder: str, output_dir: str, origin: Origin, where: str) -> None:
    checkout = realpath(origin.checkout)
    for held, what in ((realpath("."), "working directory"), (realpath(expanduser("~")), "home directory")):
        if _inside(held, folder):
            raise InputError(f"{where} contains the {what}; choose a separate folder.")
    if _inside(checkout, folder):
        raise InputError(f"{where} contains the workflow itself; choose a separate folder.")
    inner = next((part for part in Path(folder).parts if part in INNER_FOLDERS), None)
    if inner:
        raise InputError(f"{where} lies in a folder {inner}; choose a separate folder.")
    for place, root in ((folder, checkout), (abspath(output_dir), abspath(origin.checkout))):
        own = relpath(place, root).split(os.sep)[0]
        if _inside(place, root) and (own in OWN_FOLDERS or own.startswith(".")):
            raise InputError(f"{where} lies in the workflow's own folder {own}; choose a separate folder.")


def _check_inputs(folder: str, study: Study, origin: Origin, where: str) -> None:
    for path in origin.configurations:
        if _inside(realpath(path), folder):
            raise InputError(f"{where} contains the configuration {path}; choose a separate folder.")
    if not isdir(folder):
        return
    places: dict[str, str] = {}  # a study has many files in few folders
    for path in study.given:
        parent = dirname(path)
        if parent not in places:
            places[parent] = realpath(parent or ".")
        if _inside(places[parent], folder) or (islink(path) and _inside(realpath(path), folder)):
            raise InputError(f"{where} contains an input of the study, {path}; choose a separate folder.")


def _check_owner(folder: str, study: Study, origin: Origin, where: str) -> None:
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"{where} cannot be read; choose a readable and writable folder.")
    mark = _read_mark(folder)
    if mark is not None:
        if not origin.take_over and not _belongs_to(folder, mark, study, origin):
            named = ", ".join(_texts(mark, "configuration")) or "an unknown configuration"
            raise InputError(
                f"{where} contains the results of another study, of {named}; choose a separate folder. If it is the"
                " same study, confirm this once: --config take_over=true"
            )
        return
    found = sorted(name for name in os.listdir(folder) if name != RECORDS or not _only_begun(join(folder, RECORDS)))
    if not found:
        return
    repository = next((name for name in REPOSITORIES if name in found), None)
    if repository:
        raise InputError(f"{where} is a repository ({repository} is in it); choose a separate folder.")
    if not _described_as_ours(folder):
        what = "another data set" if "dataset_description.json" in found else "a folder with other files"
        raise InputError(
            f"{where} is {what} (found: {', '.join(found[:3])}{', …' if len(found) > 3 else ''}); choose a new or empty"
            " folder."
        )
    if not origin.take_over:
        raise InputError(
            f"{where} contains results, but no record of the study that they belong to ({MARK} is missing); choose a"
            " new or empty folder. If they belong to this study, confirm this once: --config take_over=true"
        )


def _read_mark(folder: str) -> dict[str, Any] | None:
    """Read the mark of a folder; None where there is none, or none that can be read."""
    try:
        return read_json(join(folder, MARK)) if exists(join(folder, MARK)) else None
    except InputError:
        return None


def _only_begun(records: str) -> bool:
    """Whether a first run ended before it could write the mark."""
    begun = {Path(LOCK).name, Path(MARK).name}
    return isdir(records) and not islink(records) and set(os.listdir(records)) <= begun


def _described_as_ours(folder: str) -> bool:
    try:
        makers = read_json(join(folder, "dataset_description.json")).get("GeneratedBy")
    except InputError:
        return False
    return isinstance(makers, list) and any(
        isinstance(maker, Mapping) and maker.get("Name") == NAME for maker in makers
    )


def _check_links(folder: str, study: Study, where: str) -> None:
    """Results are written into folders made for them: a link in their place would lead the writing elsewhere."""
    of_runs = {recording.folder for item in study.combinations for recording in (*item.runs, *item.combined)}
    below = {join(of_run, kind) for of_run in of_runs for kind in ("func", "figures")} | {"group/figures", "seeds"}
    logs = join(folder, "logs")
    rules = [join("logs", name) for name in os.listdir(logs)] if isdir(logs) else []
    for start in ("", *rules):
        for path in _with_parents([*(join(start, path) for path in below), LOCK, "logs"]):
            if islink(join(folder, path)):
                raise InputError(
                    f"{where}: {path} in it is a link to {realpath(join(folder, path))}; results are written only to"
                    " the output folder itself. Make the whole output folder a link instead, or name the other one."
                )


def _with_parents(paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = dirname(path)
    return found


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


# --- whose results they are


def _belongs_to(folder: str, mark: Mapping[str, Any], study: Study, origin: Origin) -> bool:
    """Whether the results in a folder are those of this study, by the mark there.

    They are if the configuration is the same file, in the same place seen from the results (all was moved or copied),
    a copy with the same content or settings, or, where the file of the mark is gone, if it takes the same runs.
    """
    mine = _mark(folder, study, origin)
    for key in ("configuration", "configuration_from_here"):
        theirs, ours = set(_texts(mark, key)), set(mine[key])
        if theirs and (theirs <= ours or ours <= theirs):
            return True
    recorded = [
        *_texts(mark, "configuration"),
        *(join(folder, path) for path in _texts(mark, "configuration_from_here")),
    ]
    there = [path for path in recorded if exists(path)]
    if there:
        same_content = {_content(path) for path in there} <= {_content(path) for path in origin.configurations}
        return same_content or _same_settings(folder, study)
    return any(mark.get(key) == mine[key] for key in ("runs", "runs_from_here"))


def _mark(folder: str, study: Study, origin: Origin) -> dict[str, Any]:
    files = [realpath(path) for path in origin.configurations]
    runs = realpath(study.runs_from)
    return {
        "configuration": files,
        "configuration_from_here": [relpath(path, folder) for path in files],
        "runs": runs,
        "runs_from_here": relpath(runs, folder),
    }


def _texts(mark: Mapping[str, Any], key: str) -> list[str]:
    value = mark.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return path.encode("utf-8", "surrogateescape")


def _same_settings(folder: str, study: Study) -> bool:
    try:
        described = read_json(join(folder, "study.json"))
    except InputError:
        return False
    mine = json.loads(json.dumps(study.settings))
    return {**described, "output_dir": ""} == {**mine, "output_dir": ""}


# --- taking it


def take_folder(study: Study, origin: Origin, source: str) -> IO[str] | None:
    """Lock the output folder against other runs, mark it as the study's, and write the tables of a search for runs.

    Gives the open file that is the lock: it holds until the process ends, however that ends. None where the disk has
    no locks. ``InputError`` names who writes there now.
    """
    folder = realpath(study.output_dir)
    try:
        os.makedirs(join(folder, RECORDS), exist_ok=True)
    except OSError as problem:
        raise InputError(
            f"{source}: output_dir: '{study.output_dir}' cannot be made: {problem.strerror}; choose another folder."
        ) from None
    lock = _lock(join(folder, LOCK), f"{source}: output_dir: '{study.output_dir}'")
    check_folder(study, origin, source)  # another run may have been first
    mark = json.dumps(_mark(folder, study, origin), indent=2, ensure_ascii=False) + "\n"
    # After a power cut, only this says that the folder is the study's.
    write_if_changed(join(folder, MARK), mark.encode("utf-8", "surrogateescape"), synced=True)
    for name, content in study.search_results.items():
        write_if_changed(join(folder, name), content)
    return lock


def _lock(path: str, where: str) -> IO[str] | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        file = os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = file.read(1000).strip()
            raise InputError(
                f"{where} is in use by another run{f' ({who})' if who else ''}; wait until it ends. If you are sure"
                f" that it is no longer running, delete {path}."
            ) from None
        except OSError:  # the disk has no locks
            file.close()
            return None
        try:
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                break
        except FileNotFoundError:
            pass
        file.close()  # deleted meanwhile
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}, started in {os.getcwd()}\n")
    file.flush()
    return file
