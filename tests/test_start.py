"""The start: `./sphereconn` runs Snakemake and nothing that lies about, and says what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def no_environment(tmp_path):
    """Give a checkout without an environment, on a machine whose Python has no Snakemake."""
    checkout, programs = tmp_path / "checkout", tmp_path / "bin"
    runner = Path("workflow") / "lib" / "sphereconn_runner"
    shutil.copytree(ROOT / runner, checkout / runner, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "sphereconn", checkout)
    programs.mkdir()
    (programs / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (programs / "python3").chmod(0o755)
    return checkout, {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


def test_a_module_in_a_folder_that_pythonpath_names_is_not_run(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", ""], env=environment, check=True)
    (tmp_path / "ran").unlink()  # Python itself does run it
    done = subprocess.run([ROOT / "sphereconn"], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("usage: ./sphereconn STUDY.yaml")
    assert not (tmp_path / "ran").exists()


def test_reading_a_study_imports_nothing_that_takes_long():
    """Every start waits for it, that of a job on a cluster as well."""
    slow = {"scipy", "pandas", "numba", "matplotlib", "formulaic", "nibabel", "sklearn", "nilearn"}
    code = "import sys, sphereconn.study.study, sphereconn.plan.products; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow" / "lib")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert not slow & set(done.stdout.split())


@pytest.mark.parametrize(
    ("stamps", "lock"), [((), "-r requirements.lock"), ((".test-ready",), "requirements-dev.lock")]
)
def test_set_up_takes_no_package_away_from_an_environment_that_has_those_of_the_tests(tmp_path, stamps, lock):
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", *stamps):
        (tmp_path / ".venv" / name).touch()
    done = subprocess.run(["make", "-n", "setup"], cwd=tmp_path, capture_output=True, text=True, check=True)
    installed = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len(installed) == 1 and installed[0].endswith(lock)


def test_the_lock_of_the_tests_has_every_package_of_the_lock_of_runs():
    of_runs, of_tests = (
        {line.partition("==")[0] for line in (ROOT / name).read_text().splitlines() if "==" in line}
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert of_runs <= of_tests


def test_a_checkout_that_was_not_set_up_says_so(no_environment):
    checkout, environment = no_environment
    command = [checkout / "sphereconn", "study.yaml"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no Snakemake in ") and "`make setup`" in done.stderr
