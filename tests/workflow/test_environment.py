"""The environment: one set of pins, without an address in it."""

import re

import pytest
import yaml

from sphereconn_runner import ADAPTED_RELEASES
from workflow.project import ROOT

CONDA_NAMES = {"matplotlib": "matplotlib-base", "isal": "python-isal"}


def pins(lock):
    """The version of each package in a lock file, for the oldest Python."""
    found = {}
    for name, version in re.findall(r"^([a-zA-Z0-9_.-]+)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, version)
    return found


def wanted(requirements):
    lines = (ROOT / requirements).read_text().splitlines()
    return {re.split(r"[<>= ]", line)[0] for line in lines if line and not line.startswith(("#", "-"))}


def test_the_conda_environment_has_the_pins_of_the_lock():
    dependencies = yaml.safe_load((ROOT / "envs" / "sphereconn.yaml").read_text())["dependencies"]
    conda = dict(item.split("=") for item in dependencies if not item.startswith("python="))
    locked = pins("requirements.lock")
    of_scripts = [name for name in wanted("requirements.in") if not name.startswith("snakemake")]
    expected = {CONDA_NAMES.get(name, name): locked[name] for name in of_scripts}
    assert conda == expected


def test_the_tests_run_with_the_versions_of_the_workflow():
    run, test = pins("requirements.lock"), pins("requirements-dev.lock")
    del run["packaging"]  # the oracle needs a newer one
    assert {name: test[name] for name in run} == run


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-docs.lock"])
def test_a_lock_has_a_hash_for_everything_and_an_address_for_nothing(lock):
    text = (ROOT / lock).read_text()
    entries = re.findall(r"^[a-zA-Z0-9].*", text, re.MULTILINE)
    assert len(entries) > 50
    assert all(entry.endswith("\\") for entry in entries)
    assert "://" not in text
    assert "index" not in re.sub(r"^#.*|^ +#.*", "", text, flags=re.MULTILINE)


def test_nilearn_and_scikit_learn_are_no_part_of_the_workflow():
    assert not {"nilearn", "scikit-learn"} & set(pins("requirements.lock"))
    sources = [
        *(ROOT / "workflow").rglob("*.py"),
        *(ROOT / "workflow").rglob("*.smk"),
        *(ROOT / "scripts").glob("*.py"),
    ]
    imports = re.compile(r"^\s*(import|from) (nilearn|sklearn)", re.MULTILINE)
    # An estimator for scikit-learn's users, which no job imports.
    assert [path.name for path in sources if imports.search(path.read_text())] == ["scikit_learn.py"]
    uses = re.compile(r"^\s*(import|from) .*scikit_learn", re.MULTILINE)
    assert [path.name for path in sources if uses.search(path.read_text())] == []


def test_the_library_knows_nothing_of_snakemake():
    library = ROOT / "workflow" / "lib" / "sphereconn"
    imports = re.compile(r"^\s*(import|from) snakemake", re.MULTILINE)
    assert [path.name for path in library.rglob("*.py") if imports.search(path.read_text())] == []


def test_the_range_of_releases_is_the_same_wherever_it_is_stated():
    oldest = re.search(r"^snakemake>=([\d.]+),<10", (ROOT / "requirements.in").read_text(), re.MULTILINE)[1]
    newest = pins("requirements.lock")["snakemake"]
    assert f'min_version("{oldest}")' in (ROOT / "Snakefile").read_text()
    minors = [int(release.split(".")[1]) for release in (oldest, newest)]
    assert [ADAPTED_RELEASES[0], ADAPTED_RELEASES[-1]] == minors
    assert f"Snakemake {oldest} to {newest} and Python 3.11 to 3.13" in (ROOT / "docs" / "promises.md").read_text()
    tested = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]["range"]["strategy"][
        "matrix"
    ]
    assert tested == {"python": ["3.11", "3.13"], "snakemake": ["oldest", "newest"]}
    assert (ROOT / "pyproject.toml").read_text().count('requires-python = ">=3.11"') == 1
