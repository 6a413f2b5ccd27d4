"""Contrasts of values that are harmonized over sites: what is harmonized, and what is refused before any job."""

import numpy as np
import pytest

from sphereconn.errors import InputError
from sphereconn.infer.combat import harmonize, site_differences
from sphereconn.infer.contrast import check_model, contrast_model, values_of

N_RUNS, N_NODES = 24, 5
SITES = ["a"] * 10 + ["b"] * 8 + ["c"] * 6
GROUPS = ["patient" if place % 3 == 0 else "control" for place in range(N_RUNS)]
STACKED = {"Nodes": list("vwxyz"), "ValidDiagonal": False}


def rows():
    rng = np.random.default_rng(0)
    return [
        {"subject": f"{place:02d}", "site": site, "group": group, "age": repr(float(rng.integers(20, 60)))}
        for place, (site, group) in enumerate(zip(SITES, GROUPS, strict=True))
    ]


def settings(**changes):
    harmonization = {
        "column": "site",
        "keep": ["group", "age"],
        "learn_from": {},
        "empirical_bayes": True,
        "covariance_share": None,
    }
    of_harmonization = {key: changes.pop(key) for key in list(changes) if key in harmonization}
    return {
        "model": "group + age + site",
        "test": "group",
        "factors": [],
        "paired": None,
        "groups": None,
        "runs": {},
        "weights": None,
        "variances": "equal",
        "harmonize": harmonization | of_harmonization,
    } | changes


@pytest.fixture
def stack(tmp_path):
    """The correlations of runs, shifted by site."""
    rng = np.random.default_rng(1)
    shift = {site: rng.normal(0, 0.2, 10) for site in "abc"}
    np.save(tmp_path / "stack.npy", np.tanh([rng.normal(0.2, 0.2, 10) + shift[site] for site in SITES]))
    return tmp_path / "stack.npy"


@pytest.mark.parametrize("empirical_bayes", [True, False])
def test_fishers_z_is_harmonized_and_the_effects_of_kept_columns_stay(stack, empirical_bayes):
    chosen = settings(empirical_bayes=empirical_bayes)
    values = values_of(stack, STACKED, contrast_model(rows(), chosen), chosen)
    z, group = np.arctanh(np.load(stack)), np.array([name == "patient" for name in GROUPS], dtype=float)
    kept = np.column_stack([group, [float(row["age"]) for row in rows()]])
    expected = harmonize(z, SITES, kept, empirical_bayes=empirical_bayes).values
    np.testing.assert_allclose(values.edges, expected, atol=1e-12)
    medians = [np.median(site_differences(some, SITES, kept).f) for some in (z, expected)]
    np.testing.assert_allclose(values.site_f, medians, rtol=1e-9)
    assert values.site_f[1] < values.site_f[0]


def test_the_differences_of_controls_are_taken_from_all(stack):
    chosen = settings(keep=["age"], learn_from={"group": ["control"]})
    values = values_of(stack, STACKED, contrast_model(rows(), chosen), chosen)
    controls = np.array([name == "control" for name in GROUPS])
    age = np.array([[float(row["age"])] for row in rows()])
    expected = harmonize(np.arctanh(np.load(stack)), SITES, age, fitted=controls).values
    np.testing.assert_allclose(values.edges, expected, atol=1e-12)


def test_nothing_is_harmonized_unless_it_is_asked_for(stack):
    chosen = settings(harmonize=None)
    values = values_of(stack, STACKED, contrast_model(rows(), chosen), chosen)
    np.testing.assert_allclose(values.edges, np.arctanh(np.load(stack)), atol=1e-12)
    assert values.site_f is None


def test_a_column_that_only_jobs_know_can_be_kept():
    chosen = settings(keep=["group", "mean_framewise_displacement"])
    check_model(rows(), chosen, ["mean_framewise_displacement"])


@pytest.mark.parametrize(
    ("changes", "edit", "sentence"),
    [
        ({"keep": ["age"]}, {}, r"harmonize: keep: the tested column group must be kept"),
        ({"model": "group + age"}, {}, r"harmonize: site must stay in the model \(group \+ age \+ site\)"),
        ({"test": "site"}, {}, r"harmonize: site is what is harmonized; it can be neither tested nor kept"),
        ({"column": "scanner"}, {}, r"harmonize: the column scanner has no value in some of the runs"),
        ({"keep": ["group", "weight"]}, {}, r"there is no column 'weight'"),
        ({"learn_from": {"group": ["nobody"]}}, {}, r"there is no run to estimate from"),
        (
            {"keep": ["age"], "learn_from": {"group": ["control"], "site": ["a", "b"]}},
            {},
            r"harmonize: The site 'c' has no run among those that the .* are estimated from \(sites a, b\)",
        ),
        ({}, {23: {"site": "d"}}, r"harmonize: The site 'd' has a single run among those"),
        ({}, {place: {"site": "a"} for place in range(N_RUNS)}, r"site is 'a' in all runs"),
        (
            {"test": "age", "model": "age + site", "keep": ["age", "scanner"]},
            {},
            r"'scanner\[two\]' has a single value in each",
        ),
    ],
)
def test_what_cannot_be_harmonized_is_named_before_any_job(changes, edit, sentence):
    table = [row | edit.get(place, {}) for place, row in enumerate(rows())]
    if "scanner" in changes.get("keep", ()):
        table = [row | {"scanner": {"a": "one", "b": "two", "c": "two"}[row["site"]]} for row in table]
    with pytest.raises(InputError, match=sentence):
        check_model(table, settings(**changes), ["mean_framewise_displacement"])
