"""`pip install .` gives the library: a wheel that has all it reads, and works far from the checkout."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec

import pytest
from packaging.requirements import Requirement

from workflow.project import ROOT
from workflow.test_environment import pins

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OF_WORKFLOW = {"snakemake", "snakemake-executor-plugin-slurm", "pygments"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built by the back end that is installed, where it is."""
    place = tmp_path_factory.mktemp("wheel")
    isolated = [] if find_spec("hatchling") is None else ["--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *isolated, "--wheel-dir", place, ROOT]
    subprocess.run(command, check=True)
    return next(place.glob("sphereconn-*.whl"))


@pytest.fixture(scope="module")
def run(wheel, tmp_path_factory):
    """Run a program with the installed library, in a folder that has nothing of the checkout."""
    target, elsewhere = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel]
    subprocess.run(command, check=True)

    def run(program):
        environment = {**os.environ, "PYTHONPATH": str(target), "MPLBACKEND": "agg"}
        command = [
            sys.executable,
            "-c",
            f"import sphereconn\nassert sphereconn.__file__.startswith({str(target)!r})\n{program}",
        ]
        done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def requirements(lines):
    return {item.name: str(item.specifier) for item in map(Requirement, lines)}


def test_the_library_and_the_workflow_ask_for_the_same_versions():
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements.in").read_text().splitlines()]
    library, workflow = (
        requirements(PROJECT["dependencies"]),
        requirements(PROJECT["optional-dependencies"]["workflow"]),
    )
    assert library | workflow == requirements(filter(None, lines))
    assert set(workflow) == OF_WORKFLOW and not set(library) & OF_WORKFLOW
    for name, version in pins("requirements.lock").items():
        assert version in Requirement(f"{name}{(library | workflow).get(name, '')}").specifier


def test_the_library_imports_nothing_that_it_does_not_ask_for():
    asked = {{"pillow": "PIL", "pyyaml": "yaml"}.get(name, name) for name in requirements(PROJECT["dependencies"])}
    of_requests, of_extra = {"urllib3"}, {"sklearn"}
    imported = {
        name
        for path in (ROOT / "workflow" / "lib" / "sphereconn").rglob("*.py")
        for name in re.findall(r"^ *(?:import|from) (\w+)(?:[\w.]* import |$| as )", path.read_text(), flags=re.M)
    }
    assert imported - sys.stdlib_module_names - {"sphereconn"} - of_requests - of_extra <= asked


def test_the_wheel_has_the_library_and_what_it_reads(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if "dist-info" not in name}
    library = ROOT / "workflow" / "lib"
    sources = [
        path for path in (library / "sphereconn").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    expected = {path.relative_to(library).as_posix() for path in sources}
    for folder in ("resources/brain", "resources/coordinates", "workflow/schemas"):
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        expected |= {f"sphereconn/with_library/{path.relative_to(ROOT).as_posix()}" for path in files}
    assert inside == expected


def test_the_wheel_says_what_it_is(wheel):
    archive = zipfile.ZipFile(wheel)
    name = next(name for name in archive.namelist() if name.endswith("METADATA"))
    metadata = archive.read(name).decode()
    version = re.search(r'__version__ = "(.*)"', (ROOT / "workflow/lib/sphereconn/__init__.py").read_text())[1]
    assert f"Version: {version}\n" in metadata and "License-Expression: BSD-3-Clause\n" in metadata


def test_the_installed_library_reads_a_study_fits_and_draws(run, finished_once):
    told = run(f"""
import json, numpy as np
from sphereconn.connect.graphical_lasso import graphical_lasso
from sphereconn.draw.brain import brain_mesh, outline
from sphereconn.shipped import shipped
from sphereconn.study.seeds import read_seeds
study = sphereconn.read_study({str(finished_once.root / "results")!r})
fit = graphical_lasso(np.array([[1, .5], [.5, 1]]), 0.2)
print(json.dumps([
    study.connectome("sub-01", "dmn", estimator="full").shape,
    round(fit.covariance[0, 1], 6),
    len(read_seeds(shipped("resources/coordinates/power264.tsv"), 5).names),
    len(outline("top").silhouette) > 0 and len(brain_mesh().vertices) > 100,
    "properties" in json.loads(shipped("workflow/schemas/config.schema.json").read_text()),
]))
""")
    assert json.loads(told) == [[4, 4], 0.3, 264, True, True]


def test_a_file_that_does_not_come_with_the_library_is_named(run):
    assert "resources/coordinates/power.tsv: no such file" in run("""
from sphereconn.shipped import shipped
try:
    shipped("resources/coordinates/power.tsv")
except sphereconn.InputError as problem:
    print(problem)
""")
