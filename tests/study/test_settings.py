"""Settings: what is allowed, what a mistake is called, and one canonical form."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from sphereconn.errors import InputError
from sphereconn.study.settings import checked_settings, with_text_keys

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"

MINIMAL = {
    "runs": "runs.tsv",
    "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}},
    "denoising": {"bandpass": {"high_pass": 0.01, "low_pass": 0.1}},
    "estimators": {"partial": {"kind": "partial correlation"}},
}


def checked(**changes):
    return checked_settings({**copy.deepcopy(MINIMAL), **changes}, SCHEMA, "study.yaml")


def message_of(**changes):
    with pytest.raises(InputError) as caught:
        checked(**changes)
    return str(caught.value)


def test_the_default_study_is_valid():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    assert checked_settings(config, SCHEMA, "config.yaml")["output_dir"] == "results"


def test_defaults_are_filled_in():
    settings = checked()
    assert settings["seed_sets"]["dmn"] == {
        "seeds": "dmn",
        "radius": 8.0,
        "smoothing_fwhm": 0.0,
        "space": "MNI152",
        "overlap": "error",
        "min_coverage": 0.5,
    }
    assert settings["estimators"]["partial"]["covariance"] == "ledoit_wolf"
    assert settings["estimators"]["partial"]["samples"] == "effective"
    for kind in ("correlation", "covariance"):
        assert checked(estimators={"it": {"kind": kind}})["estimators"]["it"]["covariance"] == "empirical"
    assert settings["figures"]["format"] == "png"
    assert settings["connectomes"] == "all"


def test_the_way_settings_are_written_does_not_matter():
    plain = checked(seed_sets={"dmn": {"seeds": "dmn", "radius": 6}})
    other = checked(seed_sets={"dmn": {"radius": 6.0, "seeds": "dmn", "overlap": "error"}})
    from_command_line = checked(seed_sets={"dmn": {"seeds": "dmn", "radius": "6"}})
    assert repr(plain) == repr(other) == repr(from_command_line)


def test_keys_come_in_one_order():
    reordered = dict(reversed(MINIMAL.items()))
    assert repr(checked_settings(reordered, SCHEMA, "")) == repr(checked_settings(MINIMAL, SCHEMA, ""))


def test_a_label_that_yaml_reads_as_a_number_is_text():
    assert list(checked(seed_sets={2011: {"seeds": "dmn"}})["seed_sets"]) == ["2011"]


def test_a_label_that_yaml_reads_as_a_number_can_be_sorted_among_others():
    assert sorted(with_text_keys({"a": [{2011: 1, "b": 2}]})["a"][0]) == ["2011", "b"]


def test_labels_that_differ_in_capitals_only_are_refused():
    for key, value in (("seed_sets", {"seeds": "dmn"}), ("denoising", {}), ("estimators", {"kind": "correlation"})):
        message = message_of(**{key: {"full": value, "FULL": value}})
        assert f"{key}: the labels 'FULL' and 'full' differ only in capitalization" in message


def test_text_stays_text_where_text_is_meant():
    assert checked(figures={"runs": {"subject": ["01", "2"]}})["figures"]["runs"] == {"subject": ["01", "2"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"seed_sets": {"dmn": {"seeds": "dmn", "radiuss": 8}}},
            "study.yaml: seed_sets.dmn.radiuss: unknown key, did you mean 'radius'?"
            " (allowed here: labels, min_coverage, overlap, radius, seeds, smoothing_fwhm, space).",
        ),
        (
            {"seed_sets": {"dmn": {"seeds": "dmn", "radius": -1}}},
            "study.yaml: seed_sets.dmn.radius: -1 is not allowed; allowed: a radius of 0 to 100 mm, or a list",
        ),
        (
            {"seed_sets": {"dmn": {"radius": 8}}},
            "study.yaml: seed_sets.dmn.seeds: this key is required but missing.",
        ),
        (
            {"seed_sets": {"power/264": {"seeds": "power264"}}},
            "study.yaml: seed_sets: the label 'power/264' is not allowed; allowed: letters and digits only,"
            " since the label becomes part of file names.",
        ),
        (
            {"denoising": {"bandpass": {"low_pass": "fast"}}},
            'study.yaml: denoising.bandpass.low_pass: "fast" is not allowed; allowed: a frequency above 0 Hz',
        ),
        (
            {"estimators": {"tangent": {"kind": "tangents"}}},
            'study.yaml: estimators.tangent.kind: "tangents" is not allowed; allowed: covariance',
        ),
        (
            {"estimators": {"joint": {"kind": "group sparse inverse covariance", "gamma": 1}}},
            "study.yaml: estimators.joint.gamma: unknown key (allowed here: alpha, cv, gap_frames, gap_per_node, kind,"
            " matrix, min_nodes, samples).",
        ),
        (
            {"estimators": {"joint": {"kind": "group sparse inverse covariance", "alpha": 0}}},
            "study.yaml: estimators.joint.alpha: 0 is not allowed; allowed: cv, or a number above 0.",
        ),
        (
            {"estimators": {"joint": {"kind": "group sparse inverse covariance", "min_nodes": 50}}},
            "study.yaml: estimators.joint.min_nodes: 50 is not allowed; allowed: a share of 0 to 1.",
        ),
        (
            {"connectomes": [{"seed_set": ["dmn"]}]},
            "study.yaml: connectomes: ",
        ),
        (
            {"figures": {"dpi": 10}},
            "study.yaml: figures.dpi: 10 is not allowed; allowed: a whole number from 50 to 600",
        ),
        ({"groups": "site"}, 'study.yaml: groups: "site" is not allowed; allowed: a list of columns'),
        ({"seed_sets": {}}, "study.yaml: seed_sets: {} is not allowed; allowed: seed sets by label"),
        ({"atlas": "power264"}, "study.yaml: atlas: unknown key (allowed here: "),
    ],
)
def test_a_mistake_is_a_sentence_with_the_key_the_value_and_what_is_allowed(changes, expected):
    message = message_of(**changes)
    assert expected in message
    assert "\n" not in message


def test_every_mistake_is_reported_at_once():
    message = message_of(seed_sets={"a b": {"seeds": "dmn", "radius": "big"}}, output_dir=3)
    assert len(message.splitlines()) == 3


def keys_of(schema):
    for key, item in schema.items():
        if key == "properties":
            yield from item
        if isinstance(item, dict):
            yield from keys_of(item)


def test_every_key_of_the_schema_is_explained_in_the_manual():
    manual = (ROOT / "config" / "README.md").read_text()
    keys = set(keys_of(json.loads(SCHEMA.read_text())))
    assert len(keys) > 20
    assert [key for key in sorted(keys) if f"`{key}`" not in manual] == []
