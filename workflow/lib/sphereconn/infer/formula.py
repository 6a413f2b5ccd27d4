"""The formulas of models: which columns of a table they name, and what of them is multiplied.

Without what fits models, since whoever plans a study reads formulas, and so does each of its jobs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from sphereconn.errors import InputError

# Of a formula; each * doubles the terms, and a formula of these many parentheses is read without too deep a recursion.
MOST_TOKENS, MOST_CROSSED = 200, 8
INTERCEPT = "intercept"
_TOKEN = re.compile(r"\s*(`[^`]+`|[^\s+:*()`]+|[+:*()])")

# Columns of labels, which are levels also where the labels are numbers.
LABELS = ("subject", "session", "task", "acquisition", "reconstruction", "direction", "run", "echo")

Test = str | Sequence[str] | Mapping[str, Mapping[str, float]]


def terms_of(formula: str) -> list[tuple[str, ...]]:
    """Return the terms of a formula, each as the columns that are multiplied in it.

    Allowed are names of columns, ``+``, ``:`` (interaction), ``*`` (both columns and their interaction), parentheses.
    A name with blanks or one of these signs stands in backquotes. Nothing in a formula is ever evaluated.

    Raises
    ------
    InputError
        When the formula is not made of these.

    Examples
    --------
    >>> terms_of("age + sex * site")
    [('age',), ('sex',), ('site',), ('sex', 'site')]
    >>> terms_of("`Age (years)` + sex")
    [('Age (years)',), ('sex',)]
    """
    tokens = _TOKEN.findall(formula)
    if re.sub(r"\s", "", "".join(tokens)) != re.sub(r"\s", "", formula) or not tokens:
        raise InputError(f"'{formula}' is not a formula; combine column names with +, : and *, such as age + sex.")
    if len(tokens) > MOST_TOKENS or tokens.count("*") > MOST_CROSSED:
        raise InputError(
            f"'{formula[:40]}...' is too long; allowed: {MOST_TOKENS} names and signs, {MOST_CROSSED} of them *."
        )
    terms, rest = _sum(tokens, formula)
    if rest:
        raise InputError(
            f"'{formula}': '{rest[0]}' stands where + is expected; if it belongs to the name of a column, write that"
            " name in backquotes, such as `age group`."
        )
    unique: dict[frozenset[str], tuple[str, ...]] = {}
    for term in terms:
        unique.setdefault(frozenset(term), tuple(dict.fromkeys(term)))
    return sorted(unique.values(), key=len)


def _sum(tokens: list[str], formula: str) -> tuple[list[tuple[str, ...]], list[str]]:
    terms, rest = _product(tokens, formula)
    while rest and rest[0] == "+":
        more, rest = _product(rest[1:], formula)
        terms = terms + more
    return terms, rest


def _product(tokens: list[str], formula: str) -> tuple[list[tuple[str, ...]], list[str]]:
    terms, rest = _factor(tokens, formula)
    while rest and rest[0] in (":", "*"):
        sign = rest[0]
        others, rest = _factor(rest[1:], formula)
        crossed = [(*one, *other) for one, other in product(terms, others)]
        terms = crossed if sign == ":" else [*terms, *others, *crossed]
    return terms, rest


def _factor(tokens: list[str], formula: str) -> tuple[list[tuple[str, ...]], list[str]]:
    if not tokens or tokens[0] in "+:*)":
        found = f"'{tokens[0]}'" if tokens else "the end"
        raise InputError(f"'{formula}': {found} stands where the name of a column is expected.")
    if tokens[0] == "(":
        terms, rest = _sum(tokens[1:], formula)
        if not rest or rest[0] != ")":
            raise InputError(f"'{formula}': a parenthesis is not closed.")
        return terms, rest[1:]
    return [(unquoted(tokens[0]),)], tokens[1:]


def columns_of(formula: str, test: Test, more: Collection[str] = ()) -> list[str]:
    """Return the columns of the table of runs that a model and its test need, in the order of their names."""
    of_formula = {name for term in terms_of(formula) for name in term} if formula else set()
    return sorted(of_formula | set(tested_columns(test)) | set(more))


def tested_columns(test: Test) -> list[str]:
    """Return the columns that a test is about, none for the intercept."""
    if isinstance(test, Mapping):
        return [unquoted(column) for column in test]
    names = [test] if isinstance(test, str) else list(test)
    return [column for name in names for column in columns_in(name) if column != INTERCEPT]


def columns_in(name: str) -> tuple[str, ...]:
    """Return the columns that the name of an effect multiplies.

    Examples
    --------
    >>> columns_in("age:sex"), columns_in("age group"), columns_in("`Scan: coil`:sex")
    (('age', 'sex'), ('age group',), ('Scan: coil', 'sex'))
    """
    return tuple(unquoted(part.strip()) for part in re.findall(r"(?:`[^`]*`|[^:`])+", name)) or (name,)


def quoted(column: str) -> str:
    """Return a column as formulas write it: in backquotes where its name has blanks or signs with a meaning."""
    return column if re.fullmatch(r"[^\s+:*()`]+", column) else f"`{column}`"


def unquoted(name: str) -> str:
    """Return a column without the backquotes around its name."""
    return name[1:-1] if re.fullmatch("`[^`]+`", name) else name


def without_backquotes(test: Test) -> Test:
    """Return a test with the names of columns as tables have them, where a name alone does not look like several.

    Examples
    --------
    >>> without_backquotes("`age group`"), without_backquotes({"`age group`": {"old": 1.0, "young": -1.0}})
    ('age group', {'age group': {'old': 1.0, 'young': -1.0}})
    """
    if isinstance(test, Mapping):
        return {unquoted(column): weights for column, weights in test.items()}
    if isinstance(test, str):
        plain = unquoted(test)
        return test if ":" in plain else plain
    return [str(without_backquotes(name)) for name in test]
