"""A copy of the workflow in a folder of its own, with a small study, to be run and edited by a test."""

import contextlib
import fcntl
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path

import nibabel
import numpy as np
import yaml

from sphereconn import compile_all
from sphereconn.plan.fingerprint import fingerprint
from sphereconn.plan.known_code import KnownCode
from sphereconn.plan.orphans import orphans
from sphereconn.study.study import Study, resolve_study
from sphereconn_runner.scripts import MEMORY_STAYS, SINGLE_THREADED
from workflow.warm import Starter

ROOT = Path(__file__).parents[2]
COPIED = (
    "Snakefile",
    "workflow",
    "scripts",
    "profiles",
    "envs",
    "config",
    "resources/coordinates",
    "resources/brain",
    "resources/denoising",
    "resources/development_fmri",
)

AFFINE = np.diag([8.0, 8.0, 8.0, 1.0])
AFFINE[:3, 3] = (-96, -132, -78)
SHAPE = (25, 29, 25)
N_FRAMES = 80
LIBRARY = ROOT / "workflow" / "lib"
HALF_A_DIGIT = 5e-7  # relative: of the seven digits that a matrix is written with


SNAKEMAKE = str(Path(sys.executable).with_name("snakemake"))
STARTER = Starter({**SINGLE_THREADED, **MEMORY_STAYS})  # a fork would have none of the threads


@dataclass(frozen=True)
class Project:
    """The folder, and what a person does there: run Snakemake, edit files."""

    root: Path

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run Snakemake as a person would, output and errors together in stdout."""
        return STARTER.run(["--configfile", "study.yaml", *arguments], self.root, environment_of_a_person())

    def anew(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        """Do the same in an interpreter that has imported nothing yet."""
        return subprocess.run(
            [SNAKEMAKE, "--configfile", "study.yaml", *arguments],
            cwd=self.root,
            env=environment_of_a_person() | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def run(self, *arguments: str) -> str:
        """Run the study to its end."""
        done = self.snakemake("--cores", "2", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def fail(self, *arguments: str) -> str:
        """Run the study, which must fail."""
        done = self.snakemake("--cores", "2", *arguments)
        assert done.returncode != 0, done.stdout
        return done.stdout

    def pending(self, *arguments: str) -> dict[str, int]:
        """Count, rule by rule, the jobs that a run would start now."""
        done = self.snakemake("--dry-run", *arguments)
        assert done.returncode == 0, done.stdout
        return counts_of_jobs(done.stdout)

    def pending_with_messages(self) -> tuple[dict[str, int], list[str]]:
        """Count the jobs in the same way, and give what they say of themselves."""
        done = self.snakemake("--dry-run")
        assert done.returncode == 0, done.stdout
        return counts_of_jobs(done.stdout), re.findall(r"^ *Job \d+: (.+)$", done.stdout, re.MULTILINE)

    @property
    def config(self) -> dict:
        """The study's configuration."""
        return yaml.safe_load((self.root / "study.yaml").read_text())

    def configure(self, edit) -> None:
        """Edit the configuration: ``edit`` changes the dictionary that it is given."""
        config = self.config
        edit(config)
        (self.root / "study.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text that stands exactly once in a file."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    def results(self) -> dict[str, bytes]:
        """All results, by name, logs and the ledger left out."""
        out = self.root / "results"
        files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
        return {
            name: path.read_bytes()
            for name, path in sorted(files.items())
            if not name.startswith(("logs/", "records/"))
        }

    def left_over(self) -> list[str]:
        """Name the results that the study does not ask for: what `remove_orphans` would remove."""
        with contextlib.chdir(self.root):
            return [orphan.path for orphan in orphans(self.study())]

    def study(self) -> Study:
        """Read the configuration as the workflow does; paths count from the project."""
        with contextlib.chdir(self.root):
            return resolve_study(self.config, ROOT / "workflow/schemas/config.schema.json", ROOT / "resources")

    def compiled_anew(self) -> set[str]:
        """Name the machine code that steps have compiled because it was not there."""
        here, there = ({code.name for code in folder.rglob("*.nbc")} for folder in (self.root / "workflow", LIBRARY))
        return here - there

    def copy(self, to: Path) -> "Project":
        """Copy the project with its results, times and Snakemake's memory of them."""
        shutil.copytree(self.root, to)
        return Project(to)


def counts_of_jobs(said: str) -> dict[str, int]:
    """Read the table of a dry run: jobs by rule, without the targets."""
    table = re.search(r"Job stats:\n.*\n-.*\n((?:.+\n)+)", said)
    if table is None:
        assert "Nothing to be done" in said, said
        return {}
    counts = Counter({line.split()[0]: int(line.split()[1]) for line in table[1].splitlines()})
    return {rule: count for rule, count in counts.items() if rule not in ("all", "total")}


def environment_of_a_person() -> dict[str, str]:
    """Give the environment variables, without those that only tests have."""
    only_in_tests = {"PYTHONPATH", "PYTEST_CURRENT_TEST", "PYTHONDONTWRITEBYTECODE"}
    return {key: value for key, value in os.environ.items() if key not in only_in_tests}


def once_for_all_workers(tmp_path_factory, name: str, make: Callable[[Path], Project]) -> Project:
    """Give a project that the first worker to ask for it makes, and that all read and none edits.

    A worker that waits leaves its processor to the study, which runs two jobs at once.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with open(folder / f"{name}.lock", "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not lock.read():
            make(folder / name)
            lock.write("made")
    return Project(folder / name)


def new_project(root: Path, n_subjects: int = 3) -> Project:
    """Set up a small study: a few generated runs from two sites, two seed sets, one denoising, two estimators."""
    compile_once()
    for name in COPIED:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)  # with its byte code, which has the times of the modules
        else:
            shutil.copy(source, target)
    (root / ".snakemake" / "sphereconn").mkdir(parents=True)
    (root / ".snakemake" / "sphereconn" / "code.json").write_text(known_code())
    (root / "data").mkdir()
    for number in range(1, n_subjects + 1):
        write_run(root, number)
    (root / "data" / "mine.tsv").write_text(
        "name\tx\ty\tz\tradius\tnetwork\nfront\t0\t50\t0\t12\tA\nleft\t-40\t0\t20\t12\tB\nright\t40\t0\t20\t10\tB\n"
    )
    write_runs_table(root, range(1, n_subjects + 1))
    study = {
        "output_dir": "results",
        "runs": "data/runs.tsv",
        "groups": ["site"],
        "seed_sets": {"dmn": {"seeds": "dmn", "radius": 12}, "mine": {"seeds": "data/mine.tsv"}},
        "denoising": {
            "bandpass": {"confounds": ["csf", "trans_*"], "detrend": True, "high_pass": 0.01, "low_pass": 0.1}
        },
        "estimators": {"full": {"kind": "correlation"}, "partial": {"kind": "partial correlation"}},
        "figures": {"dpi": 60, "runs": "all", "kinds": ["matrix", "page"], "glass_brain": {"views": ["ortho"]}},
    }
    (root / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return Project(root)


def write_run(root: Path, number: int) -> None:
    """Write the image and the confounds of one subject."""
    image, confounds = run_of(number)
    (root / "data" / f"sub-{number:02d}_bold.nii.gz").write_bytes(image)
    (root / "data" / f"sub-{number:02d}_confounds.tsv").write_text(confounds)


@cache
def run_of(number: int) -> tuple[bytes, str]:
    """Make the image and the confounds of one subject: to compress noise is most of the cost of a small study."""
    rng = np.random.default_rng(number)
    signal = rng.standard_normal((*SHAPE, N_FRAMES)).astype(np.float32) * 10 + 500
    image = nibabel.Nifti1Image(signal, AFFINE)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((8, 8, 8, 2))
    columns = ["csf", "trans_x", "trans_y", "trans_z"]
    confounds = StringIO()
    np.savetxt(
        confounds,
        rng.standard_normal((N_FRAMES, len(columns))),
        delimiter="\t",
        header="\t".join(columns),
        comments="",
    )
    return gzip.compress(image.to_bytes(), 1, mtime=0), confounds.getvalue()


@cache
def compile_once() -> None:
    """Let the first worker compile all, which takes a minute: the copies of the workflow have that code."""
    with open(compile_all.__file__, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        compile_all.compile_all()


@cache
def known_code() -> str:
    """Give what the first start of a study would remember of the code, for starts that are not about that."""
    with tempfile.TemporaryDirectory() as folder:
        known = KnownCode(Path(folder) / "code.json")
        for script in (ROOT / "scripts").glob("*.py"):
            fingerprint(script, LIBRARY / "sphereconn", (), known.of)
        known.keep()
        return (Path(folder) / "code.json").read_text()


def write_runs_table(root: Path, numbers) -> None:
    """List some subjects; odd numbers come from one site, even numbers from another."""
    rows = ["subject\ttask\tbold\tconfounds\tsite"]
    for number in numbers:
        site = "odd" if number % 2 else "even"
        rows.append(f"{number:02d}\trest\tsub-{number:02d}_bold.nii.gz\tsub-{number:02d}_confounds.tsv\t{site}")
    (root / "data" / "runs.tsv").write_text("\n".join(rows) + "\n")


def wait_for(condition):
    """Wait until a condition holds; a minute is long enough for it on any machine."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def lives(process):
    """Whether a process is there and not merely waiting to be buried."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z")
