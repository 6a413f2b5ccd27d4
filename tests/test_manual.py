"""The examples of the manual work: every block of a configuration is valid, and every command names what is there."""

import copy
import re
import textwrap
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from sphereconn.study.settings import checked_settings

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.json"
KEYS = set(yaml.safe_load(SCHEMA.read_text())["properties"])
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "config/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
BASE = {
    "runs": "runs.tsv",
    "seed_sets": {"dmn": {"seeds": "dmn", "radius": 8}},
    "denoising": {"bandpass": {"high_pass": 0.01}},
    "estimators": {"correlation": {"kind": "correlation"}},
}
SOURCES = {"runs", "bids", "development_fmri"}


def blocks():
    """Yield the indented blocks of all pages, with a name."""
    for page in PAGES:
        for found in re.finditer(r"(?:^    .*\n|^\n(?=    ))+", page.read_text(), flags=re.M):
            text = textwrap.dedent(found.group()).strip("\n")
            if text:
                yield f"{page.relative_to(ROOT)}:{text.splitlines()[0][:40]}", text


def configuration(text):
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return content if isinstance(content, dict) and set(map(str, content)) & KEYS else None


CONFIGURATIONS = {name: found for name, text in blocks() if (found := configuration(text))}
COMMANDS = [
    line.partition("#")[0].rstrip(" \\")
    for _, text in blocks()
    for line in text.splitlines()
    if re.match(r"(make|snakemake|\./sphereconn|\.venv/bin/snakemake) ", line)
]


def test_the_manual_has_examples_of_both():
    assert len(CONFIGURATIONS) >= 10 and len(COMMANDS) >= 8


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_an_example_of_a_configuration_is_valid(name):
    example = copy.deepcopy(CONFIGURATIONS[name])
    base = {key: value for key, value in BASE.items() if not (key in SOURCES and set(example) & SOURCES)}
    checked_settings({**copy.deepcopy(base), **example}, SCHEMA, name)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_what_is_there(command):
    program, *words = command.split()
    targets = set(
        re.findall(
            r"^(?:    )*rule (\w+):", "".join(map(Path.read_text, (ROOT / "workflow").rglob("*.smk"))), flags=re.M
        )
    )
    if program == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), flags=re.M)
        return
    for option, value in pairwise(words):
        if option in ("--profile", "--workflow-profile"):
            assert (ROOT / value / "config.yaml").is_file()
    for word in words:
        if word.endswith(".yaml") and "/" in word:
            assert (ROOT / word).is_file()
    values = {words[place + 1] for place, word in enumerate(words[:-1]) if word.startswith("-")}
    for word in words:
        if re.fullmatch(r"[a-z_]+", word) and word not in values:
            assert word in targets
