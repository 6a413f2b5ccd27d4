"""Which runs are repeats of which: subjects, the repeats that they have, and who has too few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sphereconn.errors import InputError
from sphereconn.files import MISSING


@dataclass(frozen=True)
class Repeats:
    """The runs of subjects that have at least two.

    Attributes
    ----------
    subjects : tuple of str
        In alphabetical order.
    repeats : tuple of str
        What tells the runs of a subject apart, such as sessions, in alphabetical order.
    table : ndarray of int, shape (n_subjects, n_repeats)
        The position of each run; -1 where a subject lacks a repeat.
    left_out : dict of str to str
        Subjects with a single run, and which repeat it is.
    """

    subjects: tuple[str, ...]
    repeats: tuple[str, ...]
    table: NDArray[np.int64]
    left_out: dict[str, str]

    @property
    def runs(self) -> NDArray[np.int64]:
        """Positions of all runs that are used, those of a subject one after the other."""
        return self.table[self.table >= 0]

    @property
    def subject(self) -> NDArray[np.int64]:
        """For each of ``runs`` the place of its subject."""
        return np.nonzero(self.table >= 0)[0]

    @property
    def repeat(self) -> NDArray[np.int64]:
        """For each of ``runs`` the place of its repeat."""
        return np.nonzero(self.table >= 0)[1]

    @property
    def crossed(self) -> NDArray[np.int64]:
        """The part of ``table`` with every repeat of every subject that two-way analyses can use.

        Repeats are taken from the most common on, as many as leave most degrees of freedom, (n - 1)(k - 1) for n
        subjects with all of k repeats. Without two subjects who share two repeats there is no row.
        """
        has = self.table >= 0
        order = np.argsort(-has.sum(axis=0), kind="stable")
        best, most = np.empty((0, 2), dtype=np.int64), 0
        for k in range(2, len(order) + 1):
            chosen = np.sort(order[:k])
            complete = has[:, chosen].all(axis=1)
            freedom = (int(complete.sum()) - 1) * (k - 1)
            if freedom > most:
                best, most = self.table[np.ix_(complete, chosen)], freedom
        return best


def repeats_of(subjects: Sequence[str], repeats: Sequence[str]) -> Repeats:
    """Return which runs are repeats of which.

    Parameters
    ----------
    subjects, repeats
        Of each run: its subject, and what tells it apart from the other runs of this subject.

    Raises
    ------
    InputError
        When a subject has a repeat twice, or fewer than two subjects have two runs.

    Examples
    --------
    >>> found = repeats_of(["b", "a", "a", "b", "c"], ["1", "1", "2", "2", "2"])
    >>> found.subjects, found.table.tolist(), found.left_out
    (('a', 'b'), [[1, 2], [0, 3]], {'c': '2'})
    """
    pairs = list(zip(subjects, repeats, strict=True))
    twice = [pair for pair, count in Counter(pairs).items() if count > 1]
    if twice:
        subject, repeat = twice[0]
        raise InputError(
            f"Subject {subject} has {Counter(pairs)[twice[0]]} runs that are all repeat '{repeat}'; name in `over` what"
            " tells the runs of a subject apart."
        )
    counts = Counter(subjects)
    kept = sorted(subject for subject, count in counts.items() if count > 1)
    if len(kept) < 2:
        raise InputError(
            f"Reliability needs at least two subjects with repeated runs, and {len(kept) or 'none'} of {len(counts)}"
            f" {'has' if len(kept) == 1 else 'have'} them; `over: halves` compares the halves of each run instead."
        )
    place = {pair: number for number, pair in enumerate(pairs)}
    levels = sorted({repeat for subject, repeat in pairs if counts[subject] > 1})
    table = np.array([[place.get((subject, level), -1) for level in levels] for subject in kept], dtype=np.int64)
    left_out = {subject: repeat for subject, repeat in sorted(pairs) if counts[subject] == 1}
    return Repeats(tuple(kept), tuple(levels), table, left_out)


def repeat_labels(rows: Sequence[Mapping[str, str]], over: Sequence[str]) -> list[str]:
    """Return for each run what tells it apart from the other runs of its subject.

    Examples
    --------
    >>> repeat_labels([{"session": "1", "run": "2"}, {"session": "1", "run": "n/a"}], ["session", "run"])
    ['session 1, run 2', 'session 1']
    """
    return [
        ", ".join(f"{column} {row[column]}" for column in over if row.get(column, MISSING) not in ("", MISSING))
        for row in rows
    ]
