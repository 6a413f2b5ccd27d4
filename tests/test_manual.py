"""The examples of the manual work: every block of a configuration is valid, and every command names what is there."""

import copy
import re
import textwrap
from itertools import pairwise
from pathlib import Path

import bids_tree
import nibabel
import numpy as np
import pytest
import yaml

from sphereconn.aggregate import long_tables, nodes, quality
from sphereconn.compare import comparison_tables, lengths, organization, radius_tables, reliability
from sphereconn.connect import joint
from sphereconn.extract import node_table
from sphereconn.infer import contrast, strongest
from sphereconn.map import contrast as map_contrast
from sphereconn.map import peaks
from sphereconn.study import atlas
from sphereconn.study.settings import checked_settings
from sphereconn.study.sources import SOURCES
from sphereconn.study.study import resolve_study

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
    base = {key: value for key, value in BASE.items() if not (key in SOURCES and set(example) & SOURCES.keys())}
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


def test_the_study_of_the_tutorial_is_read_at_each_of_its_steps(tmp_path, monkeypatch):
    steps = [found for name, found in CONFIGURATIONS.items() if name.startswith("docs/tutorial.md")]
    follow, study, motion, pair, radii = steps
    monkeypatch.chdir(tmp_path)
    root = Path(study["bids"]["derivatives"])
    affine = nibabel.affines.from_matvec(np.diag([4.0, 4.0, 4.0]), [-100, -130, -80])
    image = nibabel.Nifti1Image(np.ones((51, 60, 50, 240), dtype="uint8"), affine)
    image.header.set_zooms((4, 4, 4, 2))
    nibabel.save(image, "bold.nii.gz")
    nibabel.save(image.slicer[..., 0], "mask.nii.gz")
    columns = ["csf", "white_matter", *(f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz")]
    rows = ["\t".join([*columns, "framewise_displacement"]), *["\t".join(["0"] * (len(columns) + 1))] * 240]
    confounds = "\n".join(rows) + "\n"
    table = ["participant_id site age sex"]
    for number in range(12):
        folder = bids_tree.add_run(root, f"{number:02}", task="rest")
        for content, suffix in (("bold", "preproc_bold"), ("mask", "brain_mask")):
            place = next(folder.glob(f"*_desc-{suffix}.nii.gz"))
            place.unlink()
            place.hardlink_to(f"{content}.nii.gz")
        next(folder.glob("*_desc-confounds_timeseries.tsv")).write_text(confounds)
        table.append(
            f"sub-{number:02} {'essen' if number % 2 else 'bochum'} {20 + number} {'F' if number % 3 else 'M'}"
        )
    (root / "participants.tsv").write_text("\n".join(table).replace(" ", "\t") + "\n")
    labels = []
    assert pair["contrasts"]["age"] == study["contrasts"]["age"]
    for step in ({}, motion | pair, {**motion, **pair, **radii}):
        config = {**copy.deepcopy(study), **copy.deepcopy(step)}
        read = resolve_study(config, SCHEMA, ROOT / "resources", "my_study.yaml")
        labels.append({(item.seed_set, item.denoising) for item in read.combinations})
    assert labels[0] == {("power264", "bandpass")}
    assert labels[1] == {("power264", "bandpass"), ("power264", "scrubbed")}
    assert {seed_set for seed_set, _ in labels[2]} == {f"power264r{radius}" for radius in (4, 6, 8, 12)}
    assert set(follow) == {"runs", "exclude"} and (ROOT / follow["runs"]).is_file()


@pytest.mark.parametrize(
    ("section", "columns"),
    [
        ("Contrasts", contrast.EDGE_COLUMNS),
        ("Contrasts", contrast.COMPONENT_COLUMNS),
        ("Contrasts", contrast.PAIR_COLUMNS),
        ("Contrasts", strongest.STRONGEST_COLUMNS),
        ("Contrasts", map_contrast.CLUSTER_COLUMNS),
        ("Nodes, runs and maps", node_table.COLUMNS),
        ("Nodes, runs and maps", nodes.GROUP_COLUMNS),
        ("Nodes, runs and maps", nodes.SUBJECT_COLUMNS),
        ("Nodes, runs and maps", peaks.PEAK_COLUMNS),
        ("Nodes, runs and maps", joint.RUN_COLUMNS),
        ("Nodes, runs and maps", atlas.COLUMNS),
        ("Nodes, runs and maps", {column for of in long_tables.COLUMNS.values() for column in of}),
        ("Quality and estimation", quality.QUALITY_COLUMNS),
        ("Quality and estimation", quality.ESTIMATION_COLUMNS),
        ("Quality and estimation", organization.ORGANIZATION_COLUMNS),
        ("Comparisons and reliability", comparison_tables.CRITERIA_COLUMNS),
        ("Comparisons and reliability", comparison_tables.DISTANCE_COLUMNS),
        ("Comparisons and reliability", comparison_tables.GROUP_COLUMNS),
        ("Comparisons and reliability", comparison_tables.SIMILARITY_COLUMNS),
        ("Comparisons and reliability", radius_tables.POINT_COLUMNS),
        ("Comparisons and reliability", radius_tables.SIMILARITY_COLUMNS),
        ("Comparisons and reliability", {*reliability.EDGE_COLUMNS} - {"node1", "node2", "network1", "network2"}),
        ("Comparisons and reliability", {*reliability.PAIR_COLUMNS} - {"network1", "network2"}),
        ("Comparisons and reliability", reliability.SUMMARY_COLUMNS),
        ("Comparisons and reliability", reliability.IDENTIFICATION_COLUMNS),
        ("Comparisons and reliability", lengths.LENGTH_COLUMNS),
    ],
)
def test_every_column_of_a_table_is_explained_on_the_page_of_the_results(section, columns):
    text = (ROOT / "docs/results.md").read_text().partition(f"### {section}\n")[2]
    told = set(re.findall(r"`(\w+)`", re.split(r"^##", text, flags=re.M)[0]))
    kinds = {column: re.sub(r"(icc\d\d)_(lower|upper)$", r"\1", column) for column in columns}
    alike = {column: re.sub(r"icc[23]1$", "icc11", kind) for column, kind in kinds.items()}
    assert [column for column in columns if not {kinds[column], alike[column]} & told] == []
