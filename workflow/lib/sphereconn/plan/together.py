"""Which seed sets of a run are extracted in one pass over its image: those that are out of date, if there are several.

Each keeps a job of its own, by which it is decided what runs again. What the pass has found reaches these jobs in a
temporary file; a seed set that is not in it, or that runs again for a reason that was not known when the study was
planned, is extracted by its own job from the image, with the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sphereconn.ledger import Ledger, settings_digest
from sphereconn.plan.jobs import image, sphere_settings
from sphereconn.plan.product import ending
from sphereconn.plan.products import EXTRACTED
from sphereconn.study import names
from sphereconn.study.study import Study


def images(study: Study, stem: str, together: str) -> dict[str, str | list[str]]:
    """Return what the seed sets of a pass are extracted from: image and mask, and the seed tables in their order."""
    found = [image(study, stem, seed_set) for seed_set in seed_sets(study, together)]
    shared = {key: path for key, path in found[0].items() if key in ("bold", "mask")}
    return {**shared, "seeds": [files["seeds"] for files in found]}


def settings(study: Study, stem: str, together: str) -> dict[str, dict[str, Any]]:
    """Return the settings of the seed sets of a pass."""
    return {seed_set: sphere_settings(study, stem, seed_set) for seed_set in seed_sets(study, together)}


def seed_sets(study: Study, together: str) -> list[str]:
    """Return the seed sets that a label stands for, in order: its binary digits, from the last, say which they are.

    A list of the names could be longer than the name of a file may be.
    """
    return [seed_set for place, seed_set in enumerate(sorted(study.seed_sets)) if int(together, 16) >> place & 1]


def _label(study: Study, chosen: Collection[str]) -> str:
    return f"{sum(1 << place for place, seed_set in enumerate(sorted(study.seed_sets)) if seed_set in chosen):x}"


def planned(study: Study, ledger: Ledger, code: str) -> Callable[[str], str | None]:
    """Return the function that gives the label of the pass over the image of a run, None where there is none.

    Parameters
    ----------
    study
        The study.
    ledger
        Of its results.
    code
        The fingerprint of the code by which a seed set is extracted.
    """
    of_run: defaultdict[str, set[str]] = defaultdict(set)
    for item in study.combinations:
        for run in item.runs:
            of_run[run.stem].add(item.seed_set)

    def is_out_of_date(stem: str, seed_set: str) -> bool:
        files = ending(names.sphere_signals, (study.run[stem].folder, stem, seed_set), EXTRACTED)
        results = [study.place(path) for path in files]

        def made_of() -> tuple[str, list[tuple[str | None, str]]]:
            told = settings_digest([("settings", sphere_settings(study, stem, seed_set)), ("code", code)])
            return told, list(image(study, stem, seed_set).items())

        return not all(map(ledger.has, results)) or ledger.change(results, made_of) is not None

    @cache
    def together(stem: str) -> str | None:
        chosen = [seed_set for seed_set in of_run[stem] if is_out_of_date(stem, seed_set)]
        return _label(study, chosen) if len(chosen) > 1 else None

    return together


def told(jobs: Callable[[], Iterable[Any]]) -> Callable[[str], str | None]:
    """Return the same for a process that runs jobs of a plan of another; ``jobs`` names them, once they are known."""

    @cache
    def labels() -> dict[str, str]:
        of_jobs = (job.wildcards_dict for job in jobs())
        return {wildcards["stem"]: wildcards["together"] for wildcards in of_jobs if "together" in wildcards}

    return lambda stem: labels().get(stem)


def extracted_from(study: Study, together: Callable[[str], str | None], stem: str, seed_set: str) -> Mapping[str, str]:
    """Return what a run and a seed set are extracted from, and with it the result of a pass, where there is one."""
    label = together(stem)
    files = image(study, stem, seed_set)
    if label is None or seed_set not in seed_sets(study, label):
        return files
    return files | {"temporary": study.place(names.extracted_together(stem, label))}


def remove_left(study: Study) -> None:
    """Remove the results of passes that an interruption has left."""
    for left in Path(study.output_dir).glob(names.extracted_together("*", "*")):
        if left.is_file() and not left.is_symlink():
            left.unlink(missing_ok=True)
