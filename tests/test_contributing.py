"""The recipes of CONTRIBUTING.md: short, about files that exist, and true where a test can tell."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from sphereconn.aggregate import moments
from sphereconn.clean.strategies import Strategy
from sphereconn.connect.connectivity import KINDS, Kind, connectome
from sphereconn.connect.measures import measure
from sphereconn.plan import drawn, products
from sphereconn.read.connectomes import STATISTICS
from sphereconn.study.denoising import NOTHING, PRESETS
from sphereconn.study.sources import SOURCES

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "workflow" / "schemas" / "config.schema.json").read_text())
BRANCHES = ("without_inverse", "by_inverse")  # of estimators that have a closed form
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
LONGEST_SCRIPT = 40  # lines
FOLDERS = ("workflow/", "scripts/", "Snakefile")
NAMED = re.compile(r"^ *rule (\w+):", flags=re.M)
RECIPES = dict(re.findall(r"^## (How to add [^\n]*)\n(.*?)(?=^## |\Z)", TEXT, flags=re.M | re.S))


def files_of(recipe):
    return {path for path in re.findall(r"`([\w./]+)`", recipe) if "/" in path or path == "Snakefile"}


def test_there_are_recipes_for_what_people_add():
    added = {title.removeprefix("How to add ") for title in RECIPES}
    assert added == {"an estimator", "a denoising", "a figure", "a group statistic", "a source of runs", "a stage"}


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_has_at_most_five_steps_each_with_a_file_that_is_there(title):
    steps = re.findall(r"^\d\. (.*?)(?=^\d\. |^$|\Z)", RECIPES[title], flags=re.M | re.S)
    assert 2 <= len(steps) <= (7 if title == "How to add a stage" else 5)
    files = [{path for path in files_of(step) if path.startswith(FOLDERS)} for step in steps]
    assert all(files)
    assert not [path for path in set().union(*files) if not (ROOT / path).is_file()]


def test_a_stage_is_a_target():
    rules = {rule for path in (ROOT / "workflow/rules").glob("*.smk") for rule in NAMED.findall(path.read_text())}
    assert set(products.STAGES) - rules == {"description", "report"}  # which are part of every target
    folders = {path.parent.name for path in (ROOT / "workflow/lib/sphereconn").glob("*/__init__.py")}
    assert not {folder for folder in folders if f"`{folder}`" not in TEXT and f"sphereconn/{folder}`" not in TEXT}


def test_the_entries_that_recipes_name_are_there():
    for name, place in {
        "KINDS": KINDS,
        "PRESETS": PRESETS,
        "FIGURES": drawn.FIGURES,
        "OF_CONNECTOMES": drawn.FIGURES,
        "AGGREGATED": products.AGGREGATED,
        "SOURCES": SOURCES,
        "STAGES": products.STAGES,
    }.items():
        assert f"`{name}`" in TEXT and len(place) > 1
    assert hasattr(moments, "group_moments") and hasattr(moments, "running_moments")
    assert set(STATISTICS) == set(products.AGGREGATED) - {"nodes", "sidecar"}
    assert set(NOTHING) == set(Strategy.__dataclass_fields__)


def test_an_estimator_that_is_entered_is_computed_and_described(monkeypatch):
    doubled = Kind(lambda covariance: 2 * covariance, "2 C", inverts=False, is_correlation=False)
    monkeypatch.setitem(KINDS, "doubled covariance", doubled)
    signals = np.random.default_rng(0).standard_normal((50, 4))
    double = connectome(signals, "doubled covariance", "empirical").matrix
    np.testing.assert_allclose(double, 2 * connectome(signals, "covariance", "empirical").matrix)
    described = measure({"kind": "doubled covariance", "covariance": "empirical", "samples": "frames"})
    assert described["RelationshipMeasure"].startswith("doubled covariance")
    assert "2 C" in described["MeasureDescription"]


def test_every_figure_of_connectomes_has_its_script_its_caption_and_its_key():
    schema = (ROOT / "workflow" / "schemas" / "config.schema.json").read_text()
    for kind in drawn.FIGURES:
        assert (ROOT / "scripts" / f"draw_{kind}.py").is_file()
        assert (ROOT / "workflow" / "report" / f"{kind}.rst").is_file()
        assert f'"{kind}"' in schema


def places_of(value, place="schema"):
    """Every object of the schema, with the place where it stands."""
    if isinstance(value, dict):
        yield place, value
        for key, item in value.items():
            yield from places_of(item, f"{place}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from places_of(item, place)


def test_what_a_message_lists_as_allowed_is_what_is_allowed():
    listed = [(place, item) for place, item in places_of(SCHEMA) if {"enum", "allowed"} <= set(item)]
    assert len(listed) > 20
    for place, item in listed:
        words = set(re.split(r",? or |, ", item["allowed"]))
        assert not {str(value) for value in item["enum"] if isinstance(value, str)} - words, place


def test_every_name_stands_in_all_places_of_the_schema_that_recipes_name():
    definitions = SCHEMA["$defs"]
    kinds = definitions["estimator"]["properties"]["kind"]["enum"]
    closed = [definitions[f"estimator_{branch}"]["properties"]["kind"]["enum"] for branch in BRANCHES]
    assert sorted([*closed[0], *closed[1]]) == sorted(KINDS)
    assert set(kinds) == {*KINDS, "sparse inverse covariance", "group sparse inverse covariance", "tangent"}
    for branch, names in zip(BRANCHES, closed, strict=True):
        assert {KINDS[name].inverts for name in names} == {branch == "by_inverse"}
    strategy = definitions["denoising"]["properties"]["strategy"]["allowed"]
    assert f"a preset ({', '.join(PRESETS)})" in strategy
    figures = definitions["figures"]["properties"]["kinds"]
    assert figures["items"]["enum"] == figures["default"]
    assert figures["allowed"] == f"a list of {', '.join(figures['default'])}"


def test_every_script_runs_as_a_job():
    """Which has its log, and linear algebra on one core, whatever the threads of its step."""
    assert all("\nwith job(snakemake.log[0]):\n" in path.read_text() for path in (ROOT / "scripts").glob("*.py"))


def test_scripts_are_as_short_as_the_text_says():
    assert f"{LONGEST_SCRIPT} lines" in TEXT
    lengths = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "scripts").glob("*.py")}
    assert len(lengths) > 30
    assert {name: length for name, length in lengths.items() if length > LONGEST_SCRIPT} == {}
