"""The reliability that a study asks for: of which connectomes, over which repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sphereconn.compare.repeats import repeat_labels, repeats_of
from sphereconn.connect.connectivity import KINDS
from sphereconn.errors import InputError, about
from sphereconn.files import MISSING
from sphereconn.study.contrasts import chosen_combinations
from sphereconn.study.groups import labels_from
from sphereconn.study.runs import Recording, matching

if TYPE_CHECKING:
    from sphereconn.study.study import Combination

Settings = Mapping[str, Any]

HALVES = "halves"
# Likeness is a number for each two runs: of so many, an array takes 200 MB.
MOST_RUNS = 5000


@dataclass(frozen=True)
class Reliability:
    """The reliability of the connectomes of a combination.

    Attributes
    ----------
    item
        The combination.
    over
        Columns that tell the runs of a subject apart; none where each run is split in halves.
    settings
        ``permutations`` and ``seed``.
    members
        The runs, or combined ones, that it is measured with.
    has_lengths
        Whether connectomes of parts of these can be estimated: there are signals, and the estimate has a closed form.
    """

    item: Combination
    over: tuple[str, ...]
    settings: Settings
    members: tuple[Recording, ...]
    has_lengths: bool

    @property
    def label(self) -> str:
        """What names its results: the columns, or ``halves``."""
        return next(iter(labels_from(["".join(self.over)]))) if self.over else HALVES

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """The label, and those of seed set, denoising and estimator."""
        return self.label, self.item.seed_set, self.item.denoising, self.item.estimator

    @property
    def title(self) -> str:
        """What a figure shows: which connectomes, over which repeats."""
        return f"{', '.join(self.labels[1:])}: {self.words}"

    @property
    def minutes(self) -> str:
        """Which minutes are compared where fewer than all are."""
        return "the first minutes of each run" if self.over else "the minutes in the middle of each half"

    @property
    def words(self) -> str:
        """What the repeats are, for people."""
        return f"repeats by {' and '.join(self.over)}" if self.over else "halves of runs"


def reliabilities_of(settings: Settings, combinations: Sequence[Combination], source: str) -> Iterator[Reliability]:
    """Resolve ``reliability`` of the configuration, and check that there are repeats as far as tables tell.

    Parameters
    ----------
    settings
        All settings of the study.
    combinations
        What is computed.
    source
        What to call the configuration in messages.

    Raises
    ------
    InputError
        When a label or column is not there, there are no repeats, or halves cannot be estimated.
    """
    entry = settings["reliability"]
    if entry is None:
        return
    where = f"{source}: reliability"
    over = () if entry["over"] == HALVES else tuple(sorted(entry["over"]))
    averaged = bool(settings["combine"]) and settings["combine"]["how"] == "average"
    chosen = list(chosen_combinations(entry, combinations, where))
    closed = [item for item in chosen if settings["estimators"][item.estimator]["kind"] in KINDS]
    if not over:
        _check_halves(entry, chosen, closed, averaged, where)
        chosen = closed
    for item in chosen:
        members = tuple(matching(item.members, entry["runs"], f"{where}.runs") if entry["runs"] else item.members)
        if len(members) > MOST_RUNS:
            raise InputError(
                f"{where}: {len(members):,} runs are more than the {MOST_RUNS:,} allowed; choose some by `runs`."
            )
        with about(where):
            _check_repeats(members, over)
        chosen_settings = {key: entry[key] for key in ("permutations", "seed")}
        yield Reliability(item, over, chosen_settings, members, item in closed and not averaged)


def _check_halves(
    entry: Settings, chosen: Sequence[Combination], closed: Sequence[Combination], averaged: bool, where: str
) -> None:
    if averaged:
        raise InputError(
            f"{where}.over: connectomes averaged over runs have no halves; name the columns of repeats instead."
        )
    open_ones = sorted({item.estimator for item in chosen if item not in closed} & set(entry.get("estimators", ())))
    if open_ones or not closed:
        named = f"'{open_ones[0]}'" if open_ones else "each of the estimators"
        raise InputError(
            f"{where}: {named} is fitted iteratively or to all runs at once, and halves are estimated for the kinds"
            f" {', '.join(KINDS)} only."
        )


def _check_repeats(members: Sequence[Recording], over: Sequence[str]) -> None:
    subjects = [member.entities["subject"] for member in members]
    if not over:
        counts = Counter(subjects)
        twice = next((subject for subject, count in counts.items() if count > 1), None)
        if twice is not None:
            raise InputError(
                f"runs: subject {twice} has {counts[twice]} runs; choose one run per subject, such as {{run: 1}},"
                " or name in `over` what tells them apart."
            )
        if len(subjects) < 2:
            raise InputError("The reliability of halves needs at least two subjects.")
        return
    known = {column for member in members for column in (*member.entities, *member.covariates)}
    for column in over:
        if column not in known:
            raise InputError(
                f"over: the runs have no column '{column}' with values (found: {', '.join(sorted(known))})."
            )
    repeats_of(subjects, repeat_labels([{c: member.value(c) or MISSING for c in over} for member in members], over))
