"""Formulas become designs: what is estimated equals statsmodels, and what cannot be is said in a sentence."""

import numpy as np
import pandas
import pytest
import statsmodels.formula.api as smf
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.errors import InputError
from sphereconn.infer.design import diagnostics, make_design
from sphereconn.infer.exchangeability import exchangeability_of, order_of
from sphereconn.infer.formula import terms_of
from sphereconn.infer.glm import edge_statistics

RNG = np.random.default_rng(0)
ROWS = [
    {
        "subject": f"{number // 2:02d}",
        "session": str(number % 2 + 1),
        "age": f"{20 + 3 * RNG.random() + number % 7:.2f}",
        "sex": "FM"[int(RNG.random() < 0.5)],
        "site": "abc"[number % 3],
        "arm": "xy"[(number // 2) % 2],
        "dose": str(number % 4),
    }
    for number in range(40)
]
Y = RNG.normal(size=len(ROWS))


def estimated(formula, test, **options):
    design = make_design(ROWS, formula, test, **options)
    values = Y[list(design.runs)][:, None]
    return edge_statistics(values, design.matrix, design.contrast), design


def fitted(formula):
    frame = pandas.DataFrame(ROWS).assign(
        age=lambda table: table.age.astype(float) - table.age.astype(float).mean(), y=Y
    )
    return smf.ols(formula, frame).fit()


def test_a_slope_is_that_of_statsmodels():
    ours, _ = estimated("age + sex + site", "age")
    theirs = fitted("y ~ age + sex + site")
    assert ours.statistic[0] == pytest.approx(theirs.tvalues["age"], rel=1e-10)
    assert ours.p[0] == pytest.approx(theirs.pvalues["age"], rel=1e-10)
    assert ours.effect[0] == pytest.approx(theirs.params["age"], rel=1e-10)


def test_a_factor_of_three_levels_is_tested_by_the_f_of_statsmodels():
    ours, design = estimated("site + age", "site")
    theirs = fitted("y ~ C(site) + age").f_test("C(site)[T.b] = 0, C(site)[T.c] = 0")
    assert design.contrast.shape[0] == 2
    assert ours.statistic[0] == pytest.approx(float(theirs.fvalue), rel=1e-10)
    assert ours.p[0] == pytest.approx(float(theirs.pvalue), rel=1e-10)


def test_weights_of_levels_compare_marginal_means_however_levels_are_coded():
    """In a model with interaction, the difference of two sites is averaged over the sexes."""
    ours, _ = estimated("site * sex", {"site": {"b": 1, "a": -1}})
    model = fitted("y ~ C(site) * C(sex)")
    theirs = model.t_test("C(site)[T.b] + 0.5 * C(site)[T.b]:C(sex)[T.M] = 0")
    assert ours.statistic[0] == pytest.approx(float(theirs.tvalue.squeeze()), rel=1e-9)
    swapped, _ = estimated("site * sex", {"site": {"a": 1, "b": -1}})
    assert swapped.statistic[0] == pytest.approx(-ours.statistic[0], rel=1e-10)


def test_an_interaction_is_that_of_statsmodels():
    ours, _ = estimated("age * sex", "age:sex")
    assert ours.statistic[0] == pytest.approx(fitted("y ~ age * sex").tvalues["age:sex[T.M]"], rel=1e-10)


def test_numbers_that_are_listed_as_factors_have_levels():
    assert make_design(ROWS, "dose", "dose").contrast.shape[0] == 1
    assert make_design(ROWS, "dose", "dose", factors=["dose"]).contrast.shape[0] == 3


def test_a_paired_test_is_the_t_test_of_the_differences():
    ours, design = estimated("", {"session": {"2": 1, "1": -1}}, paired="session", factors=["session"])
    differences = [Y[place + 1] - Y[place] for place in range(0, len(Y), 2)]
    expected = np.mean(differences) / (np.std(differences, ddof=1) / np.sqrt(len(differences)))
    assert ours.statistic[0] == pytest.approx(expected, rel=1e-10)
    assert ours.degrees_of_freedom[0] == len(differences) - 1
    rows = [ROWS[place] for place in design.runs]
    exchange = exchangeability_of(rows, {"session": {}}, paired="session")
    assert exchange.kind == "within" and len(np.unique(exchange.blocks)) == 20


def test_groups_of_a_paired_test_compare_the_changes():
    ours, design = estimated("", {"session": {"2": 1, "1": -1}}, paired="session", groups="arm", factors=["session"])
    changes = {"x": [], "y": []}
    for place in range(0, len(Y), 2):
        changes[ROWS[place]["arm"]].append(Y[place + 1] - Y[place])
    x, y = (np.array(changes[arm]) for arm in "xy")
    pooled = (np.sum((x - x.mean()) ** 2) + np.sum((y - y.mean()) ** 2)) / (len(x) + len(y) - 2)
    expected = (y.mean() - x.mean()) / np.sqrt(pooled * (1 / len(x) + 1 / len(y)))
    assert ours.statistic[0] == pytest.approx(expected, rel=1e-10)
    rows = [ROWS[place] for place in design.runs]
    assert exchangeability_of(rows, {"session": {}}, paired="session", groups="arm").kind == "whole"


def test_subjects_without_both_sessions_are_left_out_with_the_reason():
    rows = [row for row in ROWS if not (row["subject"] == "03" and row["session"] == "2")]
    design = make_design(rows, "", {"session": {"2": 1, "1": -1}}, paired="session", factors=["session"])
    assert list(design.left_out.values()) == ["the subject has no run with session 2"]
    assert len(design.runs) == len(ROWS) - 2


def test_runs_without_a_value_are_left_out_with_the_reason():
    rows = [dict(row) for row in ROWS]
    rows[5]["age"] = "n/a"
    design = make_design(rows, "age + sex", "age")
    assert design.left_out == {5: "no value in age"} and 5 not in design.runs
    assert design.matrix[:, 1].mean() == pytest.approx(0, abs=1e-12)


def test_columns_may_be_called_anything_a_formula_can_hold():
    rows = [
        {**row, "C(x)": "1"} | {"import": str(n), "a.b-c": str(n % 5), "0": str(n % 2)} for n, row in enumerate(ROWS)
    ]
    assert make_design(rows, "import + a.b-c + 0", "a.b-c").columns == ("intercept", "import", "a.b-c", "0")


@pytest.mark.parametrize("test", ["Age (years):`Scan: coil`", "`Age (years)`:`Scan: coil`"])
def test_names_with_blanks_and_signs_stand_in_backquotes(test):
    rows = [{**row, "Age (years)": row["age"], "Scan: coil": row["site"].replace("a", "8:32")} for row in ROWS]
    design = make_design(rows, "`Age (years)` * `Scan: coil`", test)
    plain = make_design(ROWS, "age * site", "age:site")
    assert design.columns == (
        "intercept",
        "Age (years)",
        "Scan: coil[b]",
        "Scan: coil[c]",
        "Age (years):Scan: coil[b]",
        "Age (years):Scan: coil[c]",
    )
    assert design.made_of[4] == ("Age (years)", "Scan: coil")
    np.testing.assert_array_equal(design.matrix, plain.matrix)
    np.testing.assert_array_equal(design.contrast, plain.contrast)
    assert make_design(rows, "`Scan: coil`", {"`Scan: coil`": {"8:32": 1, "b": -1}}).levels["Scan: coil"]["8:32"] == 14


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({7: "23y"}, "but also '23y' (07); correct this cell, write n/a"),
        ({7: ">60", 9: "23y", 11: ">60"}, "but also '23y' (09) and '>60' (07); correct these cells,"),
        ({7: "20,5"}, "but also '20,5' (07) (decimals are written with a point); correct"),
        ({7: "\u221221.5"}, "but also '\u221221.5' (07) (its minus sign is another character; type -); correct"),
        ({7: "inf"}, "but also 'inf' (07); correct"),
    ],
)
def test_a_few_cells_that_are_no_numbers_are_named_instead_of_making_levels(cells, sentence):
    rows = [{"subject": f"{n:02d}", "age": cells.get(n, str(20 + n % 8))} for n in range(16)]
    with pytest.raises(InputError) as caught:
        make_design(rows, "age", "age")
    assert f"the column 'age' has numbers, {sentence}" in str(caught.value)
    assert "or list the column in `factors` if what it has are levels." in str(caught.value)
    assert "age" in make_design(rows, "age", "age", factors=["age"]).levels
    unknown = [row | {"age": "n/a"} if n in cells else row for n, row in enumerate(rows)]
    assert set(make_design(unknown, "age", "age").left_out) == set(cells)


def test_a_column_of_words_may_have_a_few_numbers():
    rows = [{"subject": f"{n:02d}", "stage": ["1", "2", "3a", "3b"][n % 4]} for n in range(16)]
    assert set(make_design(rows, "stage", "stage").levels["stage"]) == {"1", "2", "3a", "3b"}


def test_a_column_called_intercept_is_refused():
    rows = [{**row, "intercept": str(n)} for n, row in enumerate(ROWS)]
    for formula in ("intercept", "age + intercept", "age * intercept"):
        with pytest.raises(InputError, match="'intercept' cannot be a column of a model, since every model has"):
            make_design(rows, formula, "age")


@pytest.mark.parametrize(
    ("formula", "test", "options", "sentence"),
    [
        ("age +", "age", {}, "the end stands where the name of a column is expected"),
        ("age * (sex", "age", {}, "a parenthesis is not closed"),
        ("age sex", "age", {}, "'sex' stands where + is expected; if it belongs to the name of a column, write that"),
        ("`age", "age", {}, "is not a formula"),
        ("weight", "weight", {}, "there is no column 'weight'; there are age, arm"),
        ("age", "sex", {}, "'sex' is not in the model"),
        ("sex", {"sex": {"M": 1, "X": -1}}, {}, "sex has no level 'X' in the runs that can be tested; it has F, M"),
        (
            "site",
            {"site": {"A": 1, "B": -1}},
            {},
            "site has no levels 'A' and 'B' in the runs that can be tested; it has a, b, c (did you mean 'a' and 'b'?)",
        ),
        ("Age", "Age", {}, "there is no column 'Age' (did you mean 'age'?); there are age, arm"),
        ("sex", {"sex": {"M": 1, "F": 1}}, {}, "must add up to 0"),
        (
            "age",
            {"age": {"20": 1, "30": -1}},
            {},
            "age is numeric and has no levels; to compare its values as levels, write `factors: [age]` (`test: age`"
            " alone would test its slope).",
        ),
        ("age + sex", "age:sex", {}, "the interaction 'age:sex' is not in the model"),
        ("subject + arm", "arm", {"factors": ["subject"]}, "cannot be distinguished from"),
        ("arm", {"session": {"2": 1, "1": -1}}, {"paired": "session", "factors": ["session"]}, "does not vary within"),
        ("subject * session", "session", {"factors": ["subject", "session"]}, "no degree of freedom in 40 runs"),
    ],
)
def test_what_cannot_be_estimated_is_said_in_a_sentence(formula, test, options, sentence):
    with pytest.raises(InputError) as caught:
        make_design(ROWS, formula, test, **options)
    assert sentence in str(caught.value)


def test_runs_that_are_too_few_are_said_to_be_and_no_column_is_blamed():
    rows = [{"subject": f"s{n}", "age": str(n * n), "site": "ab"[n % 2]} for n in range(6)]
    for chosen, options, sentence in (
        (rows[:1], {}, "only one run can be tested"),
        (rows, {"formula": "subject + age"}, "columns (intercept, "),
        (rows, {"paired": "site", "test": "site"}, "no subject has runs of all the levels of 'site'"),
        ([{**row, "age": "1"} for row in rows], {}, "age has the same value in all 6 runs that can be tested"),
    ):
        arguments = {"formula": "age", "test": "age"} | options
        with pytest.raises(InputError) as caught:
            make_design(chosen, **arguments)
        assert sentence in str(caught.value)


def test_a_factor_with_one_level_is_named():
    rows = [{**row, "scanner": "one"} for row in ROWS]
    with pytest.raises(InputError, match="scanner is 'one' in all runs"):
        make_design(rows, "scanner + age", "age")


@given(st.text(alphabet="abc+:*() .`", max_size=20))
def test_any_text_is_a_formula_or_a_sentence(text):
    try:
        terms = terms_of(text)
    except InputError as problem:
        assert str(problem).endswith(".")
    else:
        names = {name for term in terms for name in term}
        assert all(name and "`" not in name for name in names)
        assert all(set(name) <= set("abc.") or f"`{name}`" in text for name in names)


def test_runs_of_a_subject_are_not_taken_for_independent():
    with pytest.raises(InputError, match="20 subjects have several runs, such as 00"):
        exchangeability_of(ROWS, "age")
    with pytest.raises(InputError, match="1 subject has several runs, such as 00"):
        exchangeability_of(ROWS[:2], "age")
    with pytest.raises(InputError, match="subject 00 has several runs with arm x"):
        exchangeability_of(ROWS, {"arm": {}}, paired="arm")
    assert exchangeability_of(ROWS[::2], "age").kind == "free"
    assert exchangeability_of(ROWS[::2], "intercept").kind == "signs"


def test_runs_of_each_subject_stand_in_the_order_of_the_paired_column():
    shuffled = [ROWS[place] for place in np.random.default_rng(1).permutation(len(ROWS))]
    ordered = [shuffled[place] for place in order_of(shuffled, "session")]
    assert ordered == ROWS
    assert order_of(shuffled, None) == list(range(len(ROWS)))


def test_diagnostics_are_those_of_statsmodels():
    from statsmodels.stats.outliers_influence import OLSInfluence, variance_inflation_factor

    design = make_design(ROWS, "age + sex + site", "age")
    found = diagnostics(design)
    for place, name in enumerate(design.columns[1:], start=1):
        assert found.variance_inflation[name] == pytest.approx(
            variance_inflation_factor(design.matrix, place), rel=1e-8
        )
    theirs = OLSInfluence(fitted("y ~ age + sex + site")).hat_matrix_diag
    np.testing.assert_allclose(found.leverage, theirs, rtol=1e-8)


def test_the_leverage_of_weighted_runs_is_how_far_their_fit_follows_them():
    design = make_design(ROWS, "age + sex + site", "age")
    weights = np.random.default_rng(5).uniform(0.2, 5, len(ROWS))
    root = np.sqrt(weights)[:, None]
    value = np.eye(len(ROWS))  # the fit of run i of values that are 1 in run i and 0 elsewhere
    fits = design.matrix @ np.linalg.lstsq(root * design.matrix, root * value, rcond=None)[0]
    np.testing.assert_allclose(diagnostics(design, weights).leverage, np.diag(fits), rtol=1e-8)


@pytest.mark.parametrize(("test", "others", "rows"), [("age", "sex + site", 1), ("site", "age + sex", None)])
def test_the_leverage_of_what_is_tested_is_what_the_model_without_it_lacks(test, others, rows):
    from statsmodels.stats.outliers_influence import OLSInfluence

    design = make_design(ROWS, "age + sex + site", test)
    whole, rest = (OLSInfluence(fitted(f"y ~ {terms}")).hat_matrix_diag for terms in ("age + sex + site", others))
    found = diagnostics(design).tested_leverage
    np.testing.assert_allclose(found, whole - rest, atol=1e-12)
    assert found.sum() == pytest.approx(rows or len(design.contrast))


def test_a_slope_within_subjects_is_compared_between_groups_and_so_are_the_same_numbers_as_levels():
    rng = np.random.default_rng(3)
    rows = [
        {"subject": f"s{n}", "session": session, "group": "12"[n % 2], "dose": str(2 * int(session))}
        for n in range(12)
        for session in "12"
    ]
    y = rng.standard_normal(len(rows)).reshape(-1, 2)
    changes = y[:, 1] - y[:, 0]
    second = np.arange(12) % 2 == 1
    difference = changes[second].mean() - changes[~second].mean()
    for paired, per_unit, factors in (("dose", 2.0, ()), ("session", 1.0, ["session"])):
        design = make_design(rows, "", paired, paired=paired, groups="group", factors=factors)
        coefficients = np.linalg.lstsq(design.matrix, y.ravel()[list(design.runs)], rcond=None)[0]
        np.testing.assert_allclose(design.contrast @ coefficients, [difference / per_unit], atol=1e-12)
        inflation = diagnostics(design).variance_inflation
        assert not [name for name in inflation if name.startswith("subject")] and max(inflation.values()) < 5


@pytest.mark.parametrize("formula", ["(" * 3000 + "age" + ")" * 3000, "*".join(f"c{n}" for n in range(40)), "a+" * 900])
def test_a_formula_that_is_too_long_is_refused_at_once(formula):
    with pytest.raises(InputError, match="is too long; allowed"):
        terms_of(formula)


def test_a_formula_of_many_parentheses_or_crossings_is_read():
    assert terms_of("(" * 90 + "age" + ")" * 90) == [("age",)]
    assert len(terms_of("*".join(f"c{n}" for n in range(9)))) == 2**9 - 1
