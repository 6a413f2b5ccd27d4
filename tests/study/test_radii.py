"""Several radii of one seed set: each is a seed set with a label of its own, and the name of the whole means all."""

import copy
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sphereconn.errors import InputError
from sphereconn.study.names import LABEL, seed_set_of_radius
from sphereconn.study.study import resolve_study

ROOT = Path(__file__).parents[2]
CONFIG = {
    "seed_sets": {"dmn": {"seeds": "dmn", "radius": [12, 6.5, 8]}, "one": {"seeds": "dmn", "radius": 8}},
    "denoising": {"bandpass": {"high_pass": 0.01, "low_pass": 0.1}},
    "estimators": {"full": {"kind": "correlation"}, "partial": {"kind": "partial correlation"}},
}
EACH = ["dmnr12", "dmnr6p5", "dmnr8"]


@pytest.fixture
def study(tmp_path):
    rows = [f"{n:02d}\tsub-{n}.nii\t{n % 3}" for n in range(8)]
    (tmp_path / "runs.tsv").write_text("\n".join(["subject\tbold\tage", *rows]) + "\n")

    def read(**changes):
        schema = ROOT / "workflow" / "schemas" / "config.schema.json"
        config = {"runs": str(tmp_path / "runs.tsv"), **copy.deepcopy(CONFIG), **changes}
        return resolve_study(config, schema, ROOT / "resources", "study.yaml")

    return read


radii = st.one_of(st.integers(0, 100), st.floats(0, 100, allow_nan=False), st.decimals(0, 100, places=2).map(float))


@given(radii)
def test_a_radius_makes_a_legal_label_from_which_it_can_be_read(radius):
    label = seed_set_of_radius("power264", radius)
    assert re.fullmatch(LABEL, label)
    assert float(label.removeprefix("power264r").replace("p", ".")) == radius


@given(radii, radii)
def test_two_radii_have_one_label_only_if_they_are_the_same(one, other):
    assert (seed_set_of_radius("s", one) == seed_set_of_radius("s", other)) == (one == other)


def test_each_radius_is_a_seed_set_with_that_radius_and_all_else_in_common(study):
    found = study()
    assert sorted(found.seed_sets) == [*EACH, "one"]
    assert {label: found.seed_sets[label]["radius"] for label in EACH} == dict(zip(EACH, [12, 6.5, 8], strict=True))
    assert {**found.seed_sets["dmnr8"], "seeds": ""} == {**found.seed_sets["one"], "seeds": ""}
    assert {item.seed_set for item in found.combinations} == {*EACH, "one"}
    assert list(found.radii["dmn"].values()) == [6.5, 8, 12]
    assert list(found.radii) == ["dmn"]


def test_the_order_of_a_list_and_how_its_numbers_are_written_mean_nothing(study):
    seeds = {"seeds": "dmn", "radius": [8.0, "12", 6.50]}
    assert study(seed_sets={**CONFIG["seed_sets"], "dmn": seeds}) == study()


def test_a_list_of_one_is_named_as_it_will_be_in_a_longer_one(study):
    assert list(study(seed_sets={"dmn": {"seeds": "dmn", "radius": [8]}}).seed_sets) == ["dmnr8"]


def test_the_name_of_the_whole_means_every_radius_wherever_seed_sets_are_named(study):
    named = study(
        connectomes=[{"seed_sets": ["dmn", "dmnr8"], "estimators": ["full"]}, {"seed_sets": ["one", "dmnr8"]}],
        contrasts={"age": {"model": "age", "test": "age", "seed_sets": ["dmn"], "permutations": 0}},
        maps={"maps": {"seed_sets": ["dmn"]}},
        reliability={"over": "halves", "seed_sets": ["dmn"], "estimators": ["full"]},
    )
    of_each = {item.labels[::2] for item in named.combinations}
    assert of_each == {(label, "full") for label in [*EACH, "one"]} | {("one", "partial"), ("dmnr8", "partial")}
    assert sorted({contrast.item.seed_set for contrast in named.contrasts}) == EACH
    assert sorted(maps.seed_set for maps in named.maps) == EACH
    assert sorted(each.item.seed_set for each in named.reliabilities) == EACH


def test_a_single_radius_can_be_named_alone(study):
    contrasts = {"age": {"model": "age", "test": "age", "seed_sets": ["dmnr6p5"], "permutations": 0}}
    assert {item.item.seed_set for item in study(contrasts=contrasts).contrasts} == {"dmnr6p5"}


def test_figure_settings_of_the_whole_hold_for_each_radius_and_those_of_one_come_first(study):
    exceptions = {
        "dmn": {"matrix": {"limit": 0.5, "order": "table"}, "strength": {"views": "lr"}},
        "dmnr8": {"matrix": {"limit": 0.7}},
    }
    figures = study(figures={"seed_sets": exceptions}).figures["seed_sets"]
    assert sorted(figures) == EACH
    assert figures["dmnr12"] == figures["dmnr6p5"] == exceptions["dmn"]
    assert figures["dmnr8"] == {"matrix": {"limit": 0.7, "order": "table"}, "strength": {"views": "lr"}}


@pytest.mark.parametrize("radius", [[], [5, 5.0], [5, -1], [5, 101], [5, None], [5, "wide"], [[5]], [True]])
def test_a_list_that_is_none_of_radii_is_refused(study, radius):
    with pytest.raises(InputError) as caught:
        study(seed_sets={"dmn": {"seeds": "dmn", "radius": radius}})
    assert "seed_sets.dmn.radius" in str(caught.value)
    assert "allowed: a radius of 0 to 100 mm, or a list of different radii" in str(caught.value)


@pytest.mark.parametrize("label", ["dmnr8", "DMNR8"])
def test_a_seed_set_that_has_the_label_of_a_radius_is_refused(study, label):
    with pytest.raises(InputError) as caught:
        study(seed_sets={**CONFIG["seed_sets"], label: {"seeds": "dmn", "radius": 8}})
    assert str(caught.value) == (
        f"study.yaml: seed_sets.dmn: the seed set of its radius of 8 mm would be called 'dmnr8', and the results of"
        f" '{label}' would have the same names; rename one of the two."
    )
