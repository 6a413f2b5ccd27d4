"""What would fail in every run or in some, found before any job: by the first line of each confounds table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sphereconn.clean.confounds import select_columns
from sphereconn.clean.filters import check_cutoffs
from sphereconn.errors import InputError
from sphereconn.study.runs import Run

_LONGEST_LINE = 1 << 20  # bytes


def will_fail(runs: Mapping[str, Iterable[Run]], denoising: Mapping[str, Any], where: str) -> list[str]:
    """Return a sentence for each confound that some tables lack and each cut-off that some runs cannot meet.

    The other runs of a study go on without those. Tables that are not there yet, or cannot be read, are left to the
    jobs.

    Parameters
    ----------
    runs
        The runs of each denoising, by its label.
    denoising
        The settings of each denoising.
    where
        What to call the configuration in messages.

    Raises
    ------
    InputError
        With a sentence for each confound that all tables lack and each cut-off that no run can meet.
    """
    columns: dict[str, list[str] | None] = {}
    of_all: list[str] = []
    of_some: list[str] = []
    for label, of_denoising in sorted(runs.items()):
        settings, members = denoising[label], list(of_denoising)
        if settings["confounds"]:
            tables = {run.confounds for run in members if run.confounds} - set(columns)
            columns.update((table, _columns(Path(table))) for table in tables)
        for all_fail, sentence in (
            *_unknown_confounds(members, settings["confounds"], columns, f"{where}: denoising.{label}.confounds"),
            *_unmet_cutoffs(members, settings, f"{where}: denoising.{label}"),
        ):
            (of_all if all_fail else of_some).append(sentence)
    if of_all:
        raise InputError("\n".join(of_all))
    return of_some


def _columns(path: Path) -> list[str] | None:
    if not path.is_file():
        return None
    try:
        with path.open(encoding="utf-8-sig") as file:
            return [name.strip() for name in file.readline(_LONGEST_LINE).split("\t")]
    except (OSError, ValueError):
        return None


def _unknown_confounds(
    runs: Iterable[Run], patterns: Iterable[str], columns: Mapping[str, list[str] | None], where: str
) -> Iterator[tuple[bool, str]]:
    tables = sorted({run.confounds for run in runs if run.confounds and columns.get(run.confounds) is not None})
    for pattern in patterns:
        lacking: dict[str, str] = {}
        for table in tables:
            try:
                select_columns(columns[table] or [], [pattern])
            except InputError as problem:
                lacking[table] = str(problem).partition(" matches no column")[2].rstrip(".")
        if lacking:
            first, hint = next(iter(lacking.items()))
            scrub = (
                "; if some runs have none, list it under confounds_if_any, or censor frames by scrub"
                if "outlier" in pattern
                else ""
            )
            yield (
                len(lacking) == len(tables),
                f"{where}: '{pattern}' matches no column in {len(lacking):,} of {len(tables):,} confounds tables,"
                f" such as {first}{hint or scrub}" + ("" if hint.endswith("?") else "."),
            )


def _unmet_cutoffs(runs: Collection[Run], settings: Mapping[str, Any], where: str) -> Iterator[tuple[bool, str]]:
    unmet: dict[str, list[str]] = {}
    for run in runs:
        if run.repetition_time is not None:
            try:
                check_cutoffs(run.repetition_time, settings["high_pass"], settings["low_pass"])
            except InputError as problem:
                unmet.setdefault(str(problem), []).append(run.stem)
    for sentence, stems in unmet.items():
        others = f" and {len(stems) - 1:,} more runs" if len(stems) > 1 else ""
        yield len(stems) == len(runs), f"{where}: {sentence} ({stems[0]}{others})"
