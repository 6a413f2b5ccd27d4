"""Whatever befalls a run of the workflow, it ends with words, leaves nothing half-done, and goes on where it ended."""

import hashlib
import os
import re
import signal
import subprocess
import sys

import pytest

from workflow.project import ROOT, Project, new_project

SIZE_LIMIT = 4096  # bytes of a file: less than a table of signals has


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """A small study of three runs, without figures, that has never run."""
    project = new_project(tmp_path_factory.mktemp("faults") / "project", n_subjects=3)
    project.configure(lambda config: config["figures"].update(kinds=[]))
    project.configure(lambda config: (config["seed_sets"].pop("mine"), config["estimators"].pop("partial")))
    return project


@pytest.fixture(scope="module")
def undisturbed(pristine, tmp_path_factory):
    """The results of that study."""
    project = pristine.copy(tmp_path_factory.mktemp("undisturbed") / "project")
    project.run()
    return project.results()


@pytest.fixture
def project(pristine, tmp_path):
    return pristine.copy(tmp_path / "project")


# --- killed


def start(project: Project, *arguments: str, **environment: str) -> subprocess.Popen:
    """Start the study in a process group of its own, as a terminal or a batch system does."""
    command = [sys.executable, "-m", "snakemake", "--configfile", "study.yaml", "--cores", "2", *arguments]
    return subprocess.Popen(
        command,
        cwd=project.root,
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background shell ignores it
    )


def test_a_study_is_locked_while_it_runs_and_after_it_was_killed_until_it_is_unlocked(project):
    running = start(project)
    while not running.stdout.readline().startswith("Finished jobid"):
        pass
    for ending in (signal.SIGSTOP, signal.SIGKILL):
        os.killpg(running.pid, ending)
        output = project.fail()
        assert "Traceback" not in output
        assert "make sure that no other Snakemake process is trying to create the same files" in output
        assert "the remaining lock was likely caused by a kill signal or a power loss" in output
        assert "--unlock" in output
    running.communicate()
    assert project.snakemake("--unlock").returncode == 0
    project.run("--until", "describe_study")


@pytest.mark.parametrize("tell", [os.killpg, os.kill], ids=["as a terminal does", "Snakemake alone"])
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_a_study_that_is_told_to_end_says_how_far_it_is_and_names_no_failure(project, told, tell):
    at_work = "import time\n\nprint('at work', flush=True)\ntime.sleep(600)\nwith job("
    project.replace("scripts/write_report.py", "with job(", at_work)
    running = start(project)
    while "at work" not in running.stdout.readline():
        pass
    tell(running.pid, told)
    output, _ = running.communicate(timeout=120)  # and not when the step is done
    assert running.returncode == 1
    assert re.search(r"Interrupted: \d+ of \d+ steps are done. Run the same command again to continue.", output)
    assert not re.search("error|exception|failed(?! job)|from outside", output, re.IGNORECASE), output


# --- no room, no permission


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left_of_it(tmp_path):
    script = f"""
import resource, sys
sys.path.insert(0, {str(ROOT / "workflow" / "lib")!r})
import numpy as np
from sphereconn.files import write_array, write_json, write_signals
from sphereconn.job import job
resource.setrlimit(resource.RLIMIT_FSIZE, ({SIZE_LIMIT}, {SIZE_LIMIT}))
with job(sys.argv[2]):
    write_json("small.json", {{"a": 1}})
    if sys.argv[1] == "signals":
        write_signals("large.tsv", ["a"], np.random.default_rng(0).standard_normal((1000, 1)))
    else:
        write_array("large.npy", np.zeros(1000))
"""
    for kind in ("signals", "array"):
        done = subprocess.run([sys.executable, "-c", script, kind, f"{kind}.log"], cwd=tmp_path, check=False)
        assert done.returncode == 1
        log = (tmp_path / f"{kind}.log").read_text()
        assert log.count("\n") == 1
        assert re.match(r"error: .*large\.(tsv|npy): (the file would be larger|not everything could be written)", log)
    assert {path.name for path in tmp_path.iterdir()} == {"small.json", "signals.log", "array.log"}
    if os.path.exists("/dev/full"):  # not even the log can be written
        done = subprocess.run(
            [sys.executable, "-c", script, "signals", "/dev/full"],
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert "error: large.tsv: the file would be larger than the system allows." in done.stderr
        assert "error: /dev/full: no space is left on the disk." in done.stderr
        assert not os.path.isfile("/dev/full"), "a log never takes the place of a device"


def test_a_folder_for_the_results_that_cannot_be_one_is_named_before_any_job(project):
    (project.root / "taken").write_text("a file")
    for folder in ("taken", "taken/results"):
        output = project.fail("--config", f"output_dir={folder}")
        assert "Traceback" not in output
        assert re.search(r"output_dir: '.*' cannot be made or written to, because 'taken' is no folder", output), output


def test_a_study_changes_nothing_but_its_results(project):
    def everything_else():
        files = [path for path in project.root.rglob("*") if path.is_file() or path.is_symlink()]
        kept = [path.relative_to(project.root).as_posix() for path in files]
        made = re.compile(r"results/|\.snakemake/|(.*/)?__pycache__/")
        return {
            name: (
                hashlib.sha256((project.root / name).read_bytes()).hexdigest(),
                (project.root / name).stat().st_mtime_ns,
            )
            for name in kept
            if not made.match(name)
        }

    before = everything_else()
    project.run()
    assert everything_else() == before


# --- one bad run among many


def test_one_bad_image_ends_its_own_run_and_is_named_at_the_end(project):
    image = project.root / "data" / "sub-03_bold.nii.gz"
    image.write_bytes(image.read_bytes()[:-1000])
    output = project.fail()
    results = project.results()
    for subject in ("01", "02"):
        assert sum(name.startswith(f"sub-{subject}/") and name.endswith("_relmat.tsv") for name in results) == 1
    assert not any(name.startswith("sub-03/") for name in results)
    told = output[output.index("steps failed;") :]
    assert "- data/sub-03_bold.nii.gz: the file is damaged" in told
    log = "results/logs/extract/sub-03/func/sub-03_task-rest_atlas-dmn_timeseries.log"
    assert f"    Extracting dmn from sub-03_task-rest (log: {log})" in told
    assert "damaged" in (project.root / log).read_text().splitlines()[-1]
    # Without that run the study is complete: nothing of the others runs again.
    project.configure(lambda config: config.update(exclude={"sub-03_task-rest": "cut short"}))
    assert {"extract", "clean", "connect"}.isdisjoint(project.pending())
    project.run()
    report = project.results()["report.html"].decode()
    assert re.search(r"sub-03_task-rest</t[dh]>\s*<td>cut short", report)


# --- hostile names


def test_names_and_paths_are_text_wherever_they_stand(project):
    for module in ("json", "statistics", "random", "csv", "html", "platform", "sitecustomize", "matplotlib", "numpy"):
        (project.root / f"{module}.py").write_text("open('hacked', 'w')\n")
    script, braces = "<script>window.hacked=1</script>", "{wildcards.x} {0} {{}} %s _$\\frac{1}{$"
    shell = "a b '\"$(touch hacked);`touch hacked`&|"
    for name in ("bold.nii.gz", "confounds.tsv"):
        (project.root / "data" / f"sub-01_{name}").rename(project.root / "data" / f"{shell}_{name}")
    table = project.root / "data" / "runs.tsv"
    lines = table.read_text().replace("sub-01_", f"{shell}_").splitlines()
    table.write_text("\n".join([f"{lines[0]}\t{{x}}", *(f"{line}\t{script}{braces}" for line in lines[1:])]) + "\n")
    (project.root / "data" / f"{shell}.tsv").write_text(
        "name\tx\ty\tz\tnetwork\n"
        f"{script}\t0\t50\t0\t{braces}\n{braces}\t-40\t0\t20\t{script}\n\u202eעברית' --> ]]> </style>\t40\t0\t20\t_x\n"
    )
    project.configure(lambda config: config["seed_sets"].update(mine={"seeds": f"data/{shell}.tsv", "radius": 10}))
    project.configure(lambda config: config["figures"].update(runs="none", kinds=["matrix", "networks", "page"]))
    project.configure(lambda config: config.update(output_dir=f"results/{shell}"))
    done = project.anew("--cores", "2")  # with its own search for modules
    assert done.returncode == 0, done.stdout
    pages = {name: text.decode() for name, text in project.results().items() if name.endswith(".html")}
    assert len(pages) == 3
    assert not any(script in text for text in pages.values())
    nodes = project.results()[f"{shell}/group/group-all_atlas-mine_meas-full_desc-bandpass_nodes.tsv"].decode()
    assert script in nodes and braces in nodes
    assert list(project.root.rglob("hacked")) == []


# --- side by side, and in other surroundings


def test_two_studies_run_side_by_side_in_one_folder(project, undisturbed):
    studies = [start(project, "--config", f"output_dir={name}") for name in ("results", "other")]
    for study in studies:
        output, _ = study.communicate()
        assert study.returncode == 0, output
    assert project.results() == undisturbed
    (project.root / "results").rename(project.root / "first")
    (project.root / "other").rename(project.root / "results")
    assert set(project.results()) == set(undisturbed)


def test_a_study_that_ends_leaves_the_locks_of_one_that_runs_beside_it(project):
    locks = project.root / ".snakemake" / "locks"
    running = start(project)
    while not running.stdout.readline().startswith("Finished jobid"):
        pass
    os.killpg(running.pid, signal.SIGSTOP)
    kept = sorted(file.name for file in locks.iterdir())
    assert kept
    project.run("--config", "output_dir=other", "--until", "describe_study")
    project.run("--config", "output_dir=other", "--until", "describe_study")  # with nothing to do
    assert sorted(file.name for file in locks.iterdir()) == kept
    assert "cannot be locked" in project.fail()
    os.killpg(running.pid, signal.SIGCONT)
    running.communicate()
    assert running.returncode == 0
    assert list(locks.iterdir()) == []


def test_results_depend_on_no_order_of_jobs_hash_seed_time_zone_or_language(project, undisturbed):
    surroundings = {"PYTHONHASHSEED": "7", "TZ": "Asia/Kolkata", "LC_ALL": "C", "LANG": "tr_TR.UTF-8"}
    study = start(project, "--cores", "3", "--scheduler-subsample", "2", **surroundings)
    output, _ = study.communicate()
    assert study.returncode == 0, output
    assert project.results() == undisturbed
