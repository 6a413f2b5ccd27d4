"""Quality sheets of single runs, and the pages of subjects that have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sphereconn.plan.product import Product
from sphereconn.study import names
from sphereconn.study.denoising import confound_files
from sphereconn.study.study import Study


def sheets(study: Study) -> dict[str, str]:
    """Name the quality sheet of each run that gets one, by the start of the names of its results."""
    return {
        stem: names.quality_sheet(study.run[stem].folder, stem, seed_set)
        for stem, (seed_set, _) in study.sheets.items()
    }


def runs_of_subjects(study: Study) -> dict[str, list[str]]:
    """Return the runs with a quality sheet by the label of their subject, which has a page of them."""
    runs: dict[str, list[str]] = {}
    for stem in study.sheets:
        runs.setdefault(study.run[stem].entities["subject"], []).append(stem)
    return runs


def subject_results(study: Study) -> Iterator[Product]:
    """Name the quality sheets, and the pages of subjects, which one job writes: the cohort's numbers are in each."""
    for stem, path in sheets(study).items():
        yield Product((path,), stem, study.sheets[stem][0], shows="quality sheet")
    if study.sheets:
        yield Product(tuple(map(names.subject_page, runs_of_subjects(study))))


def sheet_signals(study: Study, folder: str, stem: str, seed_set: str) -> dict[str, Any]:
    """Return what a quality sheet shows beside the sphere signals of a run: these after each denoising, and motion.

    The confounds are read if a denoising reads them: a table that nothing uses may be damaged.
    """
    denoisings = sheet_denoisings(study, stem)
    cleaned = [(folder, stem, seed_set, label) for label in denoisings]
    read = [confound_files(study.run[stem], study.denoising[label]) for label in denoisings]
    return {
        "cleaned": [study.place(names.cleaned_signals(*labels)) for labels in cleaned],
        "sidecars": [study.place(names.cleaned_signals(*labels, "timeseries.json")) for labels in cleaned],
        **next(({"confounds": files["confounds"]} for files in read if "confounds" in files), {}),
    }


def sheet_denoisings(study: Study, stem: str) -> list[str]:
    """Return the denoisings that the quality sheet of a run shows."""
    return list(study.sheets[stem][1])
