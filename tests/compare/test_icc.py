"""Intraclass correlations against Shrout and Fleiss 1979, pingouin, statsmodels and simulation."""

import numpy as np
import pandas as pd
import pingouin
import pytest
from compare.repeated_runs import draw, reader
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

import sphereconn.aggregate.stack as stack_module
from sphereconn.compare import icc as module
from sphereconn.compare.icc import RunningOneWay, intraclass_correlations, one_way, two_way, whole_icc
from sphereconn.compare.likeness import likeness
from sphereconn.compare.repeats import repeats_of

# Table 2 of Shrout and Fleiss: six targets, four judges; table 4 has the results.
JUDGED = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


def by_pingouin(values):
    """Return icc, lower, upper by kind of values of shape (n_subjects, n_repeats), as pingouin has them."""
    subject, repeat = np.indices(values.shape)
    data = pd.DataFrame({"t": subject.ravel(), "r": repeat.ravel(), "x": values.ravel()})
    with pingouin_unrounded():
        table = pingouin.intraclass_corr(data, "t", "r", "x").head(3)
    return {kind: (row.ICC, *row.CI95) for kind, row in zip(module.KINDS, table.itertuples(), strict=True)}


class pingouin_unrounded:
    def __enter__(self):
        self.options = dict(pingouin.options)
        pingouin.options.update({"round.column.CI95": None})

    def __exit__(self, *_):
        pingouin.options.clear()
        pingouin.options.update(self.options)


def all_kinds(values):
    """Return the same by our functions, each of shape (n_edges,)."""
    n, k, n_edges = values.shape
    found = (one_way(values.reshape(n * k, n_edges), np.repeat(np.arange(n), k)), *two_way(values))
    return {kind: (one.icc, one.lower, one.upper) for kind, one in zip(module.KINDS, found, strict=True)}


def test_the_worked_example_of_shrout_and_fleiss():
    found = all_kinds(JUDGED[:, :, None])
    assert [round(float(found[kind][0][0]), 2) for kind in module.KINDS] == [0.17, 0.29, 0.71]
    assert [round(float(end[0]), 2) for end in found["ICC(2,1)"][1:]] == [0.02, 0.76]
    assert [round(float(end[0]), 2) for end in found["ICC(3,1)"][1:]] == [0.34, 0.95]


@given(st.integers(0, 10_000), st.integers(3, 9), st.integers(2, 5))
@settings(max_examples=20)
def test_every_edge_equals_pingouin(seed, n_subjects, n_repeats):
    values = draw(np.random.default_rng(seed), n_subjects, n_repeats, 3, between=0.5, of_repeats=0.3) + 0.2
    found = all_kinds(values)
    for edge in range(3):
        expected = by_pingouin(values[:, :, edge])
        for kind in module.KINDS:
            np.testing.assert_allclose([one[edge] for one in found[kind]], expected[kind], rtol=0, atol=1e-10)


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_unequal_numbers_of_runs_have_the_mean_squares_of_an_analysis_of_variance(seed):
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(5), rng.integers(2, 5, 5))
    x = rng.normal(size=len(subject)) + rng.normal(size=5)[subject]
    squares = anova_lm(ols("x ~ C(subject)", pd.DataFrame({"x": x, "subject": subject})).fit())["mean_sq"]
    sizes = np.bincount(subject)
    k = (len(x) - (sizes**2).sum() / len(x)) / 4
    msb, msw = squares.iloc[0], squares.iloc[1]
    found = one_way(x[:, None], subject)
    np.testing.assert_allclose(found.icc, (msb - msw) / (msb + (k - 1) * msw), rtol=1e-10)
    np.testing.assert_allclose(found.between, (msb - msw) / k, rtol=1e-9, atol=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_an_edge_that_some_runs_miss_is_that_of_the_others(seed):
    rng = np.random.default_rng(seed)
    n, k = 7, 3
    values = draw(rng, n, k, 20)
    values[rng.random(values.shape) < 0.15] = np.nan
    alone, agreement, consistency = (
        one_way(values.reshape(n * k, 20), np.repeat(np.arange(n), k)), *two_way(values)
    )  # fmt: skip
    for edge in range(20):
        complete = values[~np.isnan(values[:, :, edge]).any(axis=1), :, edge]
        assert agreement.n_subjects[edge] == consistency.n_subjects[edge] == len(complete)
        if len(complete) > 1:
            expected = all_kinds(complete[:, :, None])
            for kind, one in (("ICC(2,1)", agreement), ("ICC(3,1)", consistency)):
                got = [one.icc[edge], one.lower[edge], one.upper[edge]]
                np.testing.assert_allclose(got, np.ravel(expected[kind]), atol=1e-10)
        twice = (~np.isnan(values[:, :, edge])).sum(axis=1) > 1
        rows, columns = np.nonzero(~np.isnan(values[:, :, edge]) & twice[:, None])
        expected = one_way(values[rows, columns, edge][:, None], rows)
        np.testing.assert_allclose([alone.icc[edge], alone.lower[edge]], [expected.icc[0], expected.lower[0]])
        assert alone.n_subjects[edge] == twice.sum()


def test_an_edge_that_does_not_vary_or_is_missing_has_none_and_warns_of_nothing():
    values = np.stack([np.full((4, 2), 0.1), np.zeros((4, 2)), np.full((4, 2), np.nan)], axis=2)
    values[0, :, 2] = 1.0  # one subject says nothing
    for ends in all_kinds(values).values():
        assert np.isnan(ends).all()


def test_runs_that_repeat_exactly_are_perfectly_reliable():
    values = np.repeat(np.random.default_rng(0).normal(size=(6, 1, 4)), 3, axis=1)
    for kind, ends in all_kinds(values).items():
        np.testing.assert_allclose(ends, 1.0, atol=1e-12, err_msg=kind)


def test_a_difference_between_repeats_lowers_agreement_and_not_consistency():
    values = draw(np.random.default_rng(1), 30, 2, 50, between=4.0)
    shifted = values + np.array([0.0, 3.0])[:, None]
    before, after = all_kinds(values), all_kinds(shifted)
    np.testing.assert_allclose(after["ICC(3,1)"][0], before["ICC(3,1)"][0], atol=1e-12)
    assert (after["ICC(2,1)"][0] < before["ICC(2,1)"][0]).all()
    assert (after["ICC(1,1)"][0] < before["ICC(1,1)"][0]).all()


# 4,000 edges: the standard error of a coverage of 95 % is 0.35 %; bounds are 4 of these.
@pytest.mark.parametrize(("kind", "of_repeats"), [("ICC(1,1)", 0.0), ("ICC(2,1)", 0.3), ("ICC(3,1)", 0.3)])
def test_intervals_hold_the_truth_as_often_as_they_say(kind, of_repeats):
    rng = np.random.default_rng(2)
    repeats = 20 if kind == "ICC(2,1)" else 3
    values = draw(rng, 15, repeats, 4000, between=1.0, of_repeats=of_repeats, error=1.0)
    truth = 1 / (2 + (of_repeats if kind == "ICC(2,1)" else 0))
    _, lower, upper = all_kinds(values)[kind]
    assert ((lower <= truth) & (truth <= upper)).mean() == pytest.approx(0.95, abs=0.014)


def test_intervals_of_subjects_with_two_to_six_runs_hold_it_nearly_as_often():
    rng = np.random.default_rng(3)
    subject = np.repeat(np.arange(20), np.tile([2, 2, 3, 6], 5))
    for truth in (0.1, 0.5, 0.8):
        values = np.sqrt(truth) * rng.normal(size=(20, 4000))[subject]
        values += np.sqrt(1 - truth) * rng.normal(size=values.shape)
        found = one_way(values, subject)
        covered = ((found.lower <= truth) & (truth <= found.upper)).mean()
        assert 0.93 < covered < 0.97
        assert found.between.mean() == pytest.approx(truth, abs=0.02)  # estimated without bias


@given(st.integers(0, 10_000))
def test_one_subject_after_the_other_gives_the_same(seed):
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(6), rng.integers(1, 4, 6))
    values = rng.normal(5, 1, size=(len(subject), 8))
    values[rng.random(values.shape) < 0.1] = np.nan
    running = RunningOneWay(8)
    for number in range(6):
        running.add(values[subject == number])
    found, expected = running.result(), one_way(values, subject)
    for name in expected.__dataclass_fields__:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-8, atol=1e-10)


def test_blocks_of_edges_change_nothing(monkeypatch):
    rng = np.random.default_rng(4)
    values = draw(rng, 5, 3, 50).reshape(15, 50)
    repeats = repeats_of([f"s{number // 3}" for number in range(15)], [str(number % 3) for number in range(15)])
    expected = intraclass_correlations(reader(values), 50, repeats)
    monkeypatch.setattr(stack_module, "MOST_VALUES", 7 * 15)
    found = intraclass_correlations(reader(values), 50, repeats)
    assert list(found) == list(module.KINDS)
    for kind in module.KINDS:
        np.testing.assert_allclose(found[kind].icc, expected[kind].icc, rtol=1e-12)


def test_without_two_subjects_who_share_two_repeats_there_is_the_one_way_kind_only():
    repeats = repeats_of(["a", "a", "b", "b"], ["1", "2", "3", "4"])
    found = intraclass_correlations(reader(np.random.default_rng(5).normal(size=(4, 6))), 6, repeats)
    assert np.isfinite(found["ICC(1,1)"].icc).all()
    assert np.isnan(found["ICC(2,1)"].icc).all()
    assert not found["ICC(3,1)"].n_subjects.any()


@pytest.mark.parametrize("sizes", [[2, 2, 2, 2, 2], [2, 3, 4, 2, 6]])
def test_the_whole_connectome_has_the_added_variances_of_its_edges(sizes):
    rng = np.random.default_rng(6)
    subject = np.repeat(np.arange(5), sizes)
    values = rng.normal(size=(5, 40))[subject] + rng.normal(size=(len(subject), 40))
    distances = likeness(reader(values), 40, np.arange(len(subject))).distances
    edges = one_way(values, subject)
    found = whole_icc(distances, subject)
    assert found.icc == pytest.approx(edges.between.sum() / edges.total.sum(), abs=1e-10)
    without = [
        one_way(values[subject != number], subject[subject != number]) for number in range(5)
    ]  # each with the variances of four subjects
    z = np.arctanh([one.between.sum() / one.total.sum() for one in without])
    spread = 1.959963984540054 * np.sqrt(4 / 5 * ((z - z.mean()) ** 2).sum())
    centre = np.arctanh(found.icc)
    np.testing.assert_allclose([found.lower, found.upper], np.tanh([centre - spread, centre + spread]), atol=1e-9)


def test_the_interval_of_the_whole_connectome_holds_the_truth():
    rng = np.random.default_rng(7)
    subject, covered = np.repeat(np.arange(25), 2), 0
    for _ in range(400):
        values = draw(rng, 25, 2, 30, between=0.5, error=0.5).reshape(50, 30)
        values[:, :20] = values[:, :1] + 0.1 * values[:, :20]  # edges that go together
        truth = (20 * (0.5 + 0.005) - 0 + 10 * 0.5 + 0.5 * 0.2) / (20 * (1 + 0.01) + 10 + 0.2)
        found = whole_icc(likeness(reader(values), 30, np.arange(50)).distances, subject)
        covered += found.lower <= truth <= found.upper
    assert 0.90 < covered / 400 < 0.98
