"""Which runs may change places when there is no effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from sphereconn.errors import InputError
from sphereconn.infer.formula import INTERCEPT, Test
from sphereconn.infer.shuffles import Exchangeability
from sphereconn.words import counted


def exchangeability_of(
    rows: Sequence[Mapping[str, str]],
    test: Test,
    *,
    paired: str | None = None,
    groups: str | None = None,
    subject: str = "subject",
) -> Exchangeability:
    """Return how the runs of a contrast may be shuffled (Winkler 2014).

    Without ``paired`` each subject has one run, and runs are permuted, or flipped in sign where the mean itself is
    tested. With it, runs are permuted within subjects; where the change of groups of subjects is compared, subjects are
    permuted with all their runs.

    Parameters
    ----------
    rows
        The runs that are tested, from column to text.
    test, paired, groups, subject
        As for `design.make_design`.

    Raises
    ------
    InputError
        When a subject has several runs that the design does not tell apart.

    References
    ----------
    Winkler AM, Ridgway GR, Webster MA, Smith SM, Nichols TE (2014). Permutation inference for the general linear model.
    NeuroImage 92:381-397.
    """
    subjects = [row[subject] for row in rows]
    if paired is None:
        repeated = [name for name, count in Counter(subjects).items() if count > 1]
        if repeated:
            raise InputError(
                f"{counted(len(repeated), 'subject')} {'has' if len(repeated) == 1 else 'have'} several runs, such as"
                f" {repeated[0]}, and runs of a subject are not independent; combine them (`combine`), choose one per"
                " subject (`runs`), or compare them (`paired`)."
            )
        return Exchangeability("signs" if test == INTERCEPT or test == [INTERCEPT] else "free")
    twice = [key for key, count in Counter((row[subject], row[paired]) for row in rows).items() if count > 1]
    if twice:
        raise InputError(
            f"subject {twice[0][0]} has several runs with {paired} {twice[0][1]}; combine them (`combine`), or choose"
            " one (`runs`)."
        )
    names = sorted(set(subjects))
    blocks = np.array([names.index(name) for name in subjects])
    return Exchangeability("whole" if groups else "within", blocks)


def order_of(rows: Sequence[Mapping[str, str]], paired: str | None, subject: str = "subject") -> list[int]:
    """Return the order in which the runs of each subject stand alike, as the exchange of whole subjects needs it."""
    places = range(len(rows))
    return sorted(places, key=lambda place: (rows[place][subject], rows[place][paired])) if paired else list(places)
