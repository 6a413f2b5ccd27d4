"""What there is in a folder of results, by the labels that the names of the files carry."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sphereconn.errors import InputError
from sphereconn.words import did_you_mean, listed

# Entity of a file name -> what it says. Estimators and sets of seed maps share an entity.
LABELS = {"atlas": "seed_set", "desc": "denoising", "meas": "estimator", "seed": "seed", "stat": "statistic"}
WORDS = {
    "run": "run",
    "group": "group",
    "contrast": "contrast",
    "over": "reliability",
    "seed_set": "seed set",
    "denoising": "denoising",
    "estimator": "estimator",
    "maps": "set of seed maps",
    "seed": "seed",
    "statistic": "statistic",
    "table": "table",
    "column": "column",
}
MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A result file.

    Attributes
    ----------
    path
        Where it is.
    whose
        The run, group, contrast and so on that it is of, as the name of the file begins.
    seed_set, denoising, estimator, seed, statistic
        The labels in its name, "" for those that it lacks.
    kind
        The end of its name: ``relmat.tsv``.
    """

    path: Path
    whose: str
    kind: str
    seed_set: str = ""
    denoising: str = ""
    estimator: str = ""
    seed: str = ""
    statistic: str = ""


def entries(folder: Path) -> Iterator[Entry]:
    """Yield the results of a folder that have labels; what has another name, or is being written, is passed over."""
    with os.scandir(folder) as found:
        names = sorted(item.name for item in found if not item.name.startswith("."))
    for name in names:
        whose, separator, rest = name.partition("_atlas-")
        *parts, kind = f"atlas-{rest}".split("_")
        labels = dict(part.split("-", 1) for part in parts if "-" in part)
        if separator and len(labels) == len(parts) and set(labels) <= set(LABELS):
            yield Entry(folder / name, whose, kind, **{LABELS[entity]: label for entity, label in labels.items()})


def the_one(candidates: Iterable[Entry], asked: Mapping[str, str | None], where: str, names: Sequence[str]) -> Entry:
    """Return the one result that labels choose; a label that leaves no choice need not be given.

    Parameters
    ----------
    candidates
        The results to choose from.
    asked
        Label by label what is asked for, None where the caller has not said.
    where
        What to call the folder in messages.
    names
        Keys of ``asked`` in the order in which they are looked at.

    Raises
    ------
    InputError
        When a label is not among the results, or one that is needed was not given.
    """
    left = list(candidates)
    chosen: list[str] = []
    for name in names:
        there = {_label(entry, name): entry for entry in left}
        label = asked.get(name)
        if label is None:
            if len(there) != 1:
                chose = f"; choose one with {name}=…" if there else ""
                raise InputError(f"{where}: {_of(chosen)}there {_are(len(there), name)}{_all(there)}{chose}.")
            label = next(iter(there))
        else:
            check_known(label, there, name, f"{where}: {_of(chosen)}" if chosen else f"{where}: ")
        left = [entry for entry in left if _label(entry, name) == label]
        if len(there) > 1 or asked.get(name) is not None:
            chosen.append(f"{WORDS[name]} {label}")
    return left[0]


def check_known(label: str, known: Collection[str], name: str, start: str) -> None:
    """Raise ``InputError`` for a label that is not there: it says which are, and which of them may be meant."""
    if label not in known:
        there = f"there {_are(len(known), name)}{_all(known)}"
        raise InputError(f"{start}there is no {WORDS[name]} '{label}'{meant(label, known)}; {there}.")


def one_run(run: str, names: Sequence[str], where: str) -> str:
    """Return the name of the run that is called so, or that alone begins so: ``sub-01``.

    Raises
    ------
    InputError
        When there is no such run, or several begin so.
    """
    alike = [run] if run in names else [name for name in names if name.startswith(f"{run}_")]
    if len(alike) > 1:
        raise InputError(
            f"{where}: {len(alike)} runs begin with '{run}_': {listed(alike, most=MOST_NAMED)}; name one in full."
        )
    if not alike:
        check_known(run, names, "run", f"{where}: ")
    return alike[0]


def meant(label: str, known: Collection[str]) -> str:
    """Ask whether a known label was meant, where one is like the unknown one; else return nothing."""
    folded, asked = {item.casefold(): item for item in known}, label.casefold()
    within = [item for item in folded if asked in item]
    return f" (did you mean '{folded[within[0]]}'?)" if len(within) == 1 else did_you_mean([label], known)


def _label(entry: Entry, name: str) -> str:
    if name in ("run", "group"):
        return entry.whose
    if name in ("contrast", "over"):
        return entry.whose.partition("-")[2]
    label: str = getattr(entry, "estimator" if name == "maps" else name)
    return label


def _of(chosen: Sequence[str]) -> str:
    return f"of {', '.join(chosen)} " if chosen else ""


def _are(number: int, name: str) -> str:
    if number == 0:
        return f"is no {WORDS[name]}"
    return "is only " if number == 1 else "are "


def _all(labels: Iterable[str]) -> str:
    return listed(sorted(labels), most=MOST_NAMED)
