"""Words of messages."""

import difflib
import re
from collections.abc import Collection, Sequence

# Why a contrast does without a run that nothing is wrong with; the second follows a column and its value.
NOT_CHOSEN = "not among the runs of the contrast"
NOT_COMPARED = "which is not tested"
# Why a search does without an image that nothing is wrong with; a key follows.
NOT_CHOSEN_BY = "not chosen by"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one: ``1 run``, ``1,204 runs``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str], most: int = 3) -> str:
    """Return words as a list that names no more than ``most`` of them: ``a``, ``a and b``, ``a, b, c and 12 more``."""
    named = [*words[:most], *([f"{len(words) - most:,} more"] if len(words) > most else [])]
    return " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))


def did_you_mean(words: Sequence[str], known: Collection[str]) -> str:
    """Return a question in brackets for what is close to words that are not known; "" where nothing is.

    Examples
    --------
    >>> did_you_mean(["Group"], ["age", "group"]), did_you_mean(["weight"], ["age", "group"])
    (" (did you mean 'group'?)", '')
    """
    folded = {name.casefold(): name for name in known}  # capitals are what people get wrong
    near = [difflib.get_close_matches(word.casefold(), folded, n=1) for word in words]
    meant = dict.fromkeys(f"'{folded[found[0]]}'" for found in near if found)
    return f" (did you mean {listed(list(meant), len(meant))}?)" if meant else ""


def alike_in(names: Collection[str]) -> frozenset[str]:
    """Return the parts, such as ``task-rest``, that all names of runs have."""
    parts = [set(name.split("_")) for name in names]
    return frozenset(set.intersection(*parts)) if parts else frozenset()


def shortened(name: str, alike: Collection[str]) -> str:
    """Return the name of a run with its first part and those that are not ``alike`` in all runs: ``sub-01_run-2``."""
    first, *others = name.split("_")
    return "_".join([first, *(part for part in others if part not in alike)])


def by_number(text: str) -> list[str | int]:
    """Return a key that sorts texts as a person does: ``r4`` before ``r12``."""
    parts: list[str | int] = [int(part) if place % 2 else part for place, part in enumerate(re.split("([0-9]+)", text))]
    return parts


def number(value: float, form: str = ".2f") -> str:
    """Return a number as all figures and reports write it: with a minus sign, and without one where it is rounded to 0.

    ``form`` is a format specification of Python, such as ``.2f``, ``.3g`` or ``,.0f``.
    """
    text = format(value, f"z{form}")
    return f"\u2212{text[1:]}" if text.startswith("-") else text


def replaced_measures(columns: Sequence[str]) -> str:
    """Say that these columns of the runs table take the place of measures in models; "" where there are none."""
    if not columns:
        return ""
    named, is_one = listed(columns, len(columns)), len(columns) == 1
    return (
        f"Models use the {'column' if is_one else 'columns'} {named} of the runs table, not the"
        f" {'measure' if is_one else 'measures'} of the same name that the study computes."
    )
