"""From a formula and a table of runs to the matrix of a linear model, and what of it is tested."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import formulaic
import numpy as np
import pandas
from numpy.typing import NDArray

from sphereconn.errors import InputError
from sphereconn.files import MISSING, is_number, number_hint, to_number
from sphereconn.infer.formula import INTERCEPT, Test, columns_in, terms_of, tested_columns, without_backquotes
from sphereconn.words import NOT_COMPARED, did_you_mean, listed

# A column is a sum of others when this share of it, or less, is its own.
_ALIASED = 1e-8


@dataclass(frozen=True)
class Design:
    """The model of a contrast, for the runs that have all that it needs.

    Attributes
    ----------
    matrix
        Shape (n_runs, n_columns), the intercept or the subjects included.
    columns
        Names of the columns: ``age``, ``site[essen]``, ``age:site[essen]``.
    made_of
        Of each of them the columns of the table that it is made of, none for the intercept.
    contrast
        Shape (n_rows, n_columns): one row is tested by t, several by F.
    runs
        Positions of the runs in the table that the design was made from.
    left_out
        The other runs, by position, each with the reason.
    levels
        Number of runs at each level of each factor.
    """

    matrix: NDArray[np.float64]
    columns: tuple[str, ...]
    made_of: tuple[tuple[str, ...], ...]
    contrast: NDArray[np.float64]
    runs: tuple[int, ...]
    left_out: Mapping[int, str]
    levels: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Diagnostics:
    """How well a design can tell its columns apart.

    Attributes
    ----------
    variance_inflation
        By column: by what factor the others inflate the variance of its coefficient; 1 is none, 10 is much.
    leverage
        Of each run, 0 to 1: how far the fit follows this run alone.
    tested_leverage
        The part of it, 0 to 1, that is due to what is tested. Over the runs it adds up to the number of rows of the
        contrast, so that of one row it is the share of the run in the squared weights of the estimate.
    """

    variance_inflation: Mapping[str, float]
    leverage: NDArray[np.float64]
    tested_leverage: NDArray[np.float64]


def make_design(
    rows: Sequence[Mapping[str, str]],
    formula: str,
    test: Test,
    *,
    factors: Collection[str] = (),
    paired: str | None = None,
    groups: str | None = None,
    subject: str = "subject",
    for_levels: str = "list the column in `factors`",
) -> Design:
    """Return the design of a contrast.

    A column with numbers only is a number, and centred on its mean over the runs; any other column, and those in
    ``factors``, has levels. Where more than half of what a column holds are numbers, the rest is taken for mistakes.
    Contrasts are of marginal means: the other factors are averaged over their levels, numbers are at their means
    (Searle 1980). So what is tested does not depend on how levels are coded.

    Parameters
    ----------
    rows
        One a run, from column to text.
    formula
        See `terms_of`; "" for the intercept alone.
    test
        The name of a number (its slope), of a factor (any difference between its levels), of an interaction
        (``age:sex``), "intercept" (the mean), a list of these (all at once, by F), or weights of the levels of a
        factor, ``{group: {patient: 1, control: -1}}``, which add up to 0.
    factors
        Columns of numbers that are levels.
    paired
        A column that varies within subjects: each subject gets an effect of its own, and the formula need not have it.
    groups
        With ``paired``: a column of groups of subjects; what is tested is whether the effect differs between them.
    subject
        The column of subjects.
    for_levels
        What a user can do to have a column of numbers taken for levels, for messages.

    Raises
    ------
    InputError
        When a column does not exist, has a few cells that are no numbers, has one level only or cannot be told from
        others, a level does not occur, or the runs are too few.

    References
    ----------
    Searle SR, Speed FM, Milliken GA (1980). Population marginal means in the linear model. The American Statistician
    34:216-221.

    Examples
    --------
    >>> rows = [{"subject": f"{n}", "age": str(20 + n), "sex": "FM"[n % 2]} for n in range(6)]
    >>> design = make_design(rows, "age + sex", "sex")
    >>> design.columns, design.contrast.tolist()
    (('intercept', 'age', 'sex[M]'), [[0.0, 0.0, 1.0]])
    """
    test = without_backquotes(test)
    terms = terms_of(formula) if formula else []
    of_design = [(paired,), *([(groups,), (paired, groups)] if groups else [])] if paired else []
    terms = sorted({*terms, *of_design}, key=lambda term: (len(term), [*of_design, *terms].index(term)))
    wanted = {column for term in terms for column in term} | set(tested_columns(test))
    if paired:
        wanted.add(subject)
    _check_columns(rows, wanted)
    with_levels = {*factors, *([groups] if groups else [])}
    _check_numbers(rows, wanted - with_levels - {subject}, for_levels)
    runs, left_out = _complete(rows, wanted)
    if not runs:
        raise InputError(f"no run has values in all of the columns {', '.join(sorted(wanted))}.")
    if len(runs) == 1:
        raise InputError("only one run can be tested; at least two are needed.")
    if paired:
        runs = _complete_subjects(rows, runs, left_out, subject, paired, test)
        if not runs:
            raise InputError(
                f"no subject has runs of all the levels of '{paired}' that are compared, so none is paired."
            )
    modelled = {column for term in terms for column in term} | set(tested_columns(test))
    data = {column: [rows[place][column] for place in runs] for column in sorted(modelled)}
    frame, levels = _frame(data, with_levels, len(runs))
    _check_levels(levels)
    build = _Builder(terms, frame, levels)
    contrast = build.contrast(test, groups)
    matrix, columns, made_of = build.matrix, build.columns, build.made_of
    if paired:
        # The effects of subjects contain the intercept and that of groups of subjects.
        keep = [place for place, of in enumerate(made_of) if of not in ((), (groups,))]
        subjects = [rows[place][subject] for place in runs]
        names = sorted(set(subjects))
        dummies = np.array([[float(one == name) for name in names] for one in subjects])
        matrix = np.hstack([dummies, matrix[:, keep]])
        contrast = np.hstack([np.zeros((len(contrast), len(names))), contrast[:, keep]])
        columns = (*(f"{subject}[{name}]" for name in names), *(columns[place] for place in keep))
        made_of = (*((subject,) for _ in names), *(made_of[place] for place in keep))
    _check_rank(matrix, columns, bool(paired))
    counts = {key: _counts(data[key]) for key in levels}
    return Design(matrix, columns, made_of, contrast, tuple(runs), left_out, counts)


def diagnostics(design: Design, weights: NDArray[np.float64] | None = None) -> Diagnostics:
    """Return the variance inflation of the columns of a design, and the leverage of its runs.

    Parameters
    ----------
    design
        Of full rank.
    weights
        Of the runs, shape (n_runs,), which count for the leverage; None for equal ones.

    References
    ----------
    Belsley DA, Kuh E, Welsch RE (1980). Regression Diagnostics. Wiley.
    """
    matrix = design.matrix
    q, r = np.linalg.qr(matrix if weights is None else matrix * np.sqrt(weights)[:, None])
    tested, _ = np.linalg.qr(q @ np.linalg.solve(r.T, design.contrast.T))
    inflation = {}
    paired = INTERCEPT not in design.columns  # the effects of subjects take its place, and are not of interest
    for place, name in enumerate(design.columns):
        column = matrix[:, place] - matrix[:, place].mean()
        total = column @ column
        if name == INTERCEPT or (paired and name.startswith("subject[")) or not total > 0:
            continue
        others = np.delete(matrix, place, axis=1)
        rest = column - others @ np.linalg.lstsq(others, column, rcond=None)[0]
        inflation[name] = float(total / (rest @ rest))
    return Diagnostics(inflation, (q**2).sum(axis=1), (tested**2).sum(axis=1))


def no_column(column: str, known: Sequence[str], computed: Sequence[str] = ()) -> str:
    """Return the sentence that there is no such column, with those that there are and measures that may be named, too.

    Parameters
    ----------
    column
        What is not there.
    known
        The columns of the table.
    computed
        Measures that come with the results.
    """
    also = [name for name in computed if name not in known]
    measures = f"; models may also name what the study computes: {', '.join(also)}" if also else ""
    meant = did_you_mean([column], [*known, *also])
    return f"there is no column '{column}'{meant}; there are {', '.join(known)}{measures}."


def _check_columns(rows: Sequence[Mapping[str, str]], wanted: Collection[str]) -> None:
    if INTERCEPT in wanted:
        raise InputError(
            f"'{INTERCEPT}' cannot be a column of a model, since every model has an intercept of its own; leave it out,"
            " or rename a column of the runs table that is called so."
        )
    known = sorted({column for row in rows for column in row})
    for column in sorted(wanted):
        if column not in known:
            raise InputError(no_column(column, known))


def _check_numbers(rows: Sequence[Mapping[str, str]], wanted: Collection[str], for_levels: str) -> None:
    """Raise ``InputError`` for cells of a column that are no numbers while most of what it holds are."""
    for column in sorted(wanted):
        first = {row.get(column, MISSING): row for row in reversed(rows)}
        first.pop(MISSING, None)
        others = sorted(cell for cell in first if not is_number(cell))
        if others and 2 * len(others) < len(first):
            named = [f"'{cell}' ({next(iter(first[cell].values()))})" for cell in others]
            hint = next(filter(None, map(number_hint, others)), "")
            raise InputError(
                f"the column '{column}' has numbers, but also {listed(named)}{hint}; correct"
                f" {'this cell' if len(others) == 1 else 'these cells'}, write {MISSING} where the value is unknown, or"
                f" {for_levels} if what it has are levels."
            )


def _complete(rows: Sequence[Mapping[str, str]], wanted: Collection[str]) -> tuple[list[int], dict[int, str]]:
    runs, left_out = [], {}
    for place, row in enumerate(rows):
        missing = [column for column in sorted(wanted) if row.get(column, MISSING) == MISSING]
        if missing:
            left_out[place] = f"no value in {', '.join(missing)}"
        else:
            runs.append(place)
    return runs, left_out


def _complete_subjects(
    rows: Sequence[Mapping[str, str]],
    runs: Sequence[int],
    left_out: dict[int, str],
    subject: str,
    paired: str,
    test: Test,
) -> list[int]:
    """Keep the subjects that have each tested level of the paired column, and these levels."""
    weights = test.get(paired) if isinstance(test, Mapping) else None
    levels = set(weights) if weights else {rows[place][paired] for place in runs}
    of_subject: dict[str, set[str]] = {}
    for place in runs:
        of_subject.setdefault(rows[place][subject], set()).add(rows[place][paired])
    kept = []
    for place in runs:
        if rows[place][paired] not in levels:
            left_out[place] = f"{paired} is {rows[place][paired]}, {NOT_COMPARED}"
        elif not levels <= of_subject[rows[place][subject]]:
            lacking = sorted(levels - of_subject[rows[place][subject]])
            left_out[place] = f"the subject has no run with {paired} {', '.join(lacking)}"
        else:
            kept.append(place)
    return kept


def _frame(
    data: Mapping[str, list[str]], factors: Collection[str], n_runs: int
) -> tuple[pandas.DataFrame, dict[str, list[str]]]:
    """Make a table of numbers, centred, and levels; the columns are called c0, c1 and so on, for formulaic."""
    columns: dict[str, Any] = {}
    levels = {}
    for name, cells in data.items():
        if name not in factors and all(map(is_number, cells)):
            numbers = np.array([to_number(cell) for cell in cells])
            columns[name] = numbers - numbers.mean()
        else:
            levels[name] = sorted(set(cells))
            columns[name] = pandas.Categorical(cells, categories=levels[name])
    return pandas.DataFrame(columns, index=range(n_runs)), levels


def _check_levels(levels: Mapping[str, Sequence[str]]) -> None:
    for column, found in levels.items():
        if len(found) < 2:
            raise InputError(f"{column} is '{found[0]}' in all runs that can be tested, so it explains nothing.")


def _counts(cells: Sequence[str]) -> dict[str, int]:
    return {level: cells.count(level) for level in sorted(set(cells))}


class _Builder:
    """The matrix of a model, and marginal means of it."""

    def __init__(self, terms: Sequence[tuple[str, ...]], frame: pandas.DataFrame, levels: Mapping[str, list[str]]):
        self.levels = levels
        self.numbers = [name for name in frame.columns if name not in levels]
        self._safe = {name: f"c{place}" for place, name in enumerate(frame.columns)}
        self._terms = {":".join(self._safe[name] for name in term): term for term in terms}
        self._safe_level = {name: {level: f"l{n}" for n, level in enumerate(found)} for name, found in levels.items()}
        made = formulaic.model_matrix(" + ".join(["1", *self._terms]), self._safe_frame(frame))
        self._spec = made.model_spec
        self.matrix = np.asarray(made, dtype=np.float64)
        shown = [self._shown(str(column)) for column in made.columns]
        self.columns = tuple(name for name, _ in shown)
        self.made_of = tuple(of for _, of in shown)
        self.in_model = {name for term in terms for name in term}

    def _safe_frame(self, frame: pandas.DataFrame) -> pandas.DataFrame:
        """Call columns c0, c1 and levels l0, l1, so that formulaic finds no sign with a meaning in a name."""
        columns = {
            safe: pandas.Categorical(
                frame[name].map(self._safe_level[name]), categories=list(self._safe_level[name].values())
            )
            if name in self.levels
            else frame[name]
            for name, safe in self._safe.items()
        }
        return pandas.DataFrame(columns, index=frame.index)

    def _shown(self, column: str) -> tuple[str, tuple[str, ...]]:
        """Return what a column of the matrix is called, and the columns of the table that it is made of."""
        back = {safe: name for name, safe in self._safe.items()}
        parts, made_of = [], []
        for part in column.split(":") if column != "Intercept" else []:
            safe, _, level = part.rstrip("]").partition("[")
            name = back[safe]
            levels = {short: full for full, short in self._safe_level.get(name, {}).items()}
            parts.append(f"{name}[{levels[level.removeprefix('T.')]}]" if level else name)
            made_of.append(name)
        return ":".join(parts) or INTERCEPT, tuple(made_of)

    def mean_at(self, fixed: Mapping[str, str | float]) -> NDArray[np.float64]:
        """Return the row of the model that is the mean at some levels and numbers, averaged over other factors."""
        free = [name for name in self.levels if name not in fixed and name in self.in_model]
        rows = []
        for chosen in product(*(self.levels[name] for name in free)):
            at = {**dict.fromkeys(self.numbers, 0.0), **dict(zip(free, chosen, strict=True)), **fixed}
            rows.append({name: at.get(name, self.levels.get(name, [0.0])[0]) for name in self._safe})
        table = self._safe_frame(pandas.DataFrame(rows, index=range(len(rows))))
        mean: NDArray[np.float64] = np.asarray(self._spec.get_model_matrix(table), dtype=np.float64).mean(axis=0)
        return mean

    def contrast(self, test: Test, groups: str | None) -> NDArray[np.float64]:
        if isinstance(test, Mapping):
            return np.vstack([self._weighted(column, weights, groups) for column, weights in test.items()])
        names = [test] if isinstance(test, str) else list(test)
        return np.vstack([self._of_name(name, groups) for name in names])

    def _of_name(self, name: str, groups: str | None) -> NDArray[np.float64]:
        if name == INTERCEPT:
            return np.stack([self.mean_at({})])
        parts = columns_in(name)
        if len(parts) > 1:
            return self._of_interaction(name)
        (name,) = parts
        self._check_in_model(name)
        if name in self.numbers:
            return self._slope(name, groups if groups != name else None)
        first, *others = self.levels[name]
        rows = [self._weighted(name, {other: 1.0, first: -1.0}, groups if groups != name else None) for other in others]
        return np.vstack(rows)

    def _slope(self, name: str, groups: str | None) -> NDArray[np.float64]:
        """Return the row of a slope; with groups, how it differs between them."""

        def slope(fixed: Mapping[str, str]) -> NDArray[np.float64]:
            change: NDArray[np.float64] = self.mean_at({**fixed, name: 1.0}) - self.mean_at({**fixed, name: 0.0})
            return change

        if groups is None:
            return np.stack([slope({})])
        first, *others = self.levels[groups]
        return np.vstack([slope({groups: other}) - slope({groups: first}) for other in others])

    def _of_interaction(self, name: str) -> NDArray[np.float64]:
        wanted = set(columns_in(name))
        for safe, term in self._terms.items():
            if set(term) == wanted:
                parts = set(safe.split(":"))
                span = next(part for key, part in self._spec.term_slices.items() if set(str(key).split(":")) == parts)
                rows: NDArray[np.float64] = np.eye(len(self.columns))[span]
                return rows
        raise InputError(f"test: the interaction '{name}' is not in the model; write it there, as in age:sex.")

    def _weighted(self, column: str, weights: Mapping[str, float], groups: str | None) -> NDArray[np.float64]:
        self._check_in_model(column)
        if column in self.numbers:
            raise InputError(
                f"test: {column} is numeric and has no levels; to compare its values as levels, write `factors:"
                f" [{column}]` (`test: {column}` alone would test its slope)."
            )
        unknown = [level for level in weights if level not in self.levels[column]]
        if unknown:
            named = listed([f"'{level}'" for level in unknown], len(unknown))
            raise InputError(
                f"test: {column} has no level{'s' if len(unknown) > 1 else ''} {named} in the runs that can be tested;"
                f" it has {', '.join(self.levels[column])}{did_you_mean(unknown, self.levels[column])}."
            )
        if abs(sum(weights.values())) > 1e-9 or not any(weights.values()):
            raise InputError(f"test: the weights of the levels of {column} must add up to 0, and not all be 0.")

        def difference(fixed: Mapping[str, str]) -> NDArray[np.float64]:
            parts = [weight * self.mean_at({**fixed, column: level}) for level, weight in weights.items()]
            total: NDArray[np.float64] = np.sum(parts, axis=0)
            return total

        if groups is None:
            return np.stack([difference({})])
        first, *others = self.levels[groups]
        return np.vstack([difference({groups: other}) - difference({groups: first}) for other in others])

    def _check_in_model(self, column: str) -> None:
        if column not in self.in_model:
            raise InputError(f"test: '{column}' is not in the model; add it there.")


def _check_rank(matrix: NDArray[np.float64], columns: Sequence[str], paired: bool) -> None:
    """Raise ``InputError`` that says that runs are too few, or names the first column that others determine."""
    if len(columns) >= len(matrix) and not paired:
        raise InputError(
            f"model: {len(columns)} columns ({', '.join(columns[:8])}{', …' if len(columns) > 8 else ''}) leave no"
            f" degree of freedom in {len(matrix)} runs."
        )
    basis = np.empty((len(matrix), 0))
    for place, name in enumerate(columns):
        column = matrix[:, place]
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)
        if np.linalg.norm(rest) <= _ALIASED * np.linalg.norm(column):
            if paired and _determined_by(matrix[:, :place], columns, column, name):
                raise InputError(
                    f"model: {name} does not vary within subjects, whose own effects contain it; leave it out."
                )
            others = _sum_of(matrix[:, :place], columns, column)
            if not others:
                raise InputError(f"model: {name} has the same value in all {len(matrix)} runs that can be tested.")
            others = [*others[:4], f"{len(others) - 4} more columns"] if len(others) > 5 else others
            raise InputError(
                f"model: {name} cannot be distinguished from {' and '.join(others)} in the {len(matrix)} runs"
                " that can be tested; leave one of them out."
            )
        basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
    if len(columns) >= len(matrix):
        raise InputError(
            f"model: {len(columns)} columns ({', '.join(columns[:8])}{', …' if len(columns) > 8 else ''}) leave no"
            f" degree of freedom in {len(matrix)} runs."
        )


def _determined_by(matrix: NDArray[np.float64], columns: Sequence[str], column: NDArray[np.float64], name: str) -> bool:
    subjects = [place for place in range(matrix.shape[1]) if columns[place].startswith("subject[")]
    if not subjects:
        return False
    of_subjects = matrix[:, subjects]
    rest = column - of_subjects @ np.linalg.lstsq(of_subjects, column, rcond=None)[0]
    return bool(np.linalg.norm(rest) <= 1e-8 * np.linalg.norm(column))


def _sum_of(matrix: NDArray[np.float64], columns: Sequence[str], column: NDArray[np.float64]) -> list[str]:
    weights = np.linalg.lstsq(matrix, column, rcond=None)[0]
    return [name for name, weight in zip(columns, weights, strict=False) if abs(weight) > 1e-6 and name != INTERCEPT]
