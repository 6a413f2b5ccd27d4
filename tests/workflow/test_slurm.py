"""A study on SLURM: a cluster of two nodes gives what this machine alone gives, whatever happens to its jobs."""

import os
import re
import shutil
import time
from contextlib import contextmanager
from threading import Thread

import pytest
import slurm

from workflow.project import new_project

if (reason := slurm.missing()) and not os.environ.get("CI"):
    pytest.skip(reason, allow_module_level=True)

# Polling as rarely as on a real cluster would make the tests wait, not SLURM work. No option bounds the time between
# two looks, which grows by ten seconds whenever no job has ended.
OFTEN = """
from snakemake_executor_plugin_slurm import Executor

Executor.next_seconds_between_status_checks = property(lambda executor: 2, lambda executor, seconds: None)
"""
PROFILE = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10")
# What the profile puts into one job of the cluster goes in as many jobs as there are runs.
EACH_RUN_ALONE = ("--group-components", "runs=1")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The cluster of all tests here."""
    assert slurm.missing() is None
    with slurm.cluster(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


def small(config):
    """Ask for one estimator, a sparse one, and for few figures."""
    config["groups"] = []
    config["estimators"] = {"sparse": {"kind": "sparse inverse covariance", "cv": 3}}
    config["figures"]["kinds"] = ["matrix", "path", "page"]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """The study, run on this machine alone."""
    project = new_project(tmp_path_factory.mktemp("local") / "project")
    project.configure(small)
    project.run()
    return project


@pytest.fixture(scope="module")
def expected(local):
    """What the study gives on this machine alone."""
    return local.results()


@pytest.fixture
def project(local, tmp_path):
    """The study before it has run, for one test to run on the cluster."""
    project = local.copy(tmp_path / "project")
    for folder in ("results", ".snakemake"):
        shutil.rmtree(project.root / folder)
    snakefile = project.root / "Snakefile"
    snakefile.write_text(OFTEN + snakefile.read_text())
    return project


def submissions(output):
    """Name the batch of each job that was submitted: runs, groups, report."""
    return re.findall(r"submitted with SLURM jobid \d+ \(log: \S*/(?:group|rule)_([a-z]+)", output)


def different(results, expected):
    """Name the results that are missing, or not the expected ones byte for byte."""
    return [name for name in results.keys() | expected.keys() if results.get(name) != expected.get(name)]


def test_a_study_goes_to_the_cluster_in_few_jobs_and_a_bad_run_stops_no_other(cluster, project, expected):
    bold = project.root / "data" / "sub-02_bold.nii.gz"
    whole = bold.read_bytes()
    bold.write_bytes(whole[: len(whole) // 2])
    done = project.snakemake(*PROFILE, "--retries", "0")
    assert done.returncode != 0
    assert submissions(done.stdout) == ["runs"]
    # Of the batch, only the results of the bad run are missing.
    of_other_runs = {name: value for name, value in expected.items() if re.match(r"sub-0[13]/", name)}
    of_runs = {name: value for name, value in project.results().items() if name.startswith("sub-")}
    assert different(of_runs, of_other_runs) == []

    bold.write_bytes(whole)
    done = project.snakemake(*PROFILE)
    assert done.returncode == 0, done.stdout
    assert different(project.results(), expected) == []
    # The bad run, the groups of each seed set, their pages and the report; nothing of the other runs.
    assert sorted(submissions(done.stdout)) == ["groups", "groups", "report", "report", "report", "runs"]
    assert not re.search(r"Extracting \w+ from sub-0[13]", done.stdout)
    # Snakemake starts in the job, and once more in its only step, however many runs are in the batch.
    logs = [log.read_text() for log in project.root.glob(".snakemake/slurm_logs/group_runs_*/*.log")]
    assert [log.count("Snakemake version") for log in logs] == [2] * len(logs) and logs
    assert project.pending() == {}


# What stands before a script. On its first attempt the job says which one it is, and then goes wrong.
FAULT = """
import os, time
from pathlib import Path

first = snakemake.resources.runtime == {runtime}
fault = {{"sub-01": "slow", "sub-02": "hungry", "sub-03": "cancelled"}}[snakemake.wildcards.stem[:6]]
if snakemake.wildcards.seed_set == "mine" and first:
    Path("job_" + fault).write_text(os.environ["SLURM_JOB_ID"])
    if fault == "hungry":
        filled = b"1" * (3 << 30)
    time.sleep(600)
"""


def test_a_study_survives_a_cancelled_job_a_drained_node_too_little_time_and_too_little_memory(
    cluster, project, expected
):
    # The least time that SLURM knows is a minute. A job without a time has the longest that the cluster allows.
    for file in (project.root / "workflow" / "rules").glob("*.smk"):
        file.write_text(re.sub(r"runtime=growing\(\d+\)", "runtime=growing(0)", file.read_text()))
    rules, script = project.root / "workflow" / "rules" / "signals.smk", project.root / "scripts" / "extract.py"
    before, of_extract = rules.read_text().split("rule extract:")
    of_extract = of_extract.replace("runtime=growing(0)", "runtime=growing(1)", 1)
    rules.write_text(f"{before}rule extract:{of_extract}")
    script.write_text(FAULT.format(runtime=1) + script.read_text())

    earlier = len(cluster.ended())
    with drained_after_start(cluster, project) as faults:
        done = project.snakemake(*PROFILE, *EACH_RUN_ALONE)
    assert done.returncode == 0, done.stdout
    assert different(project.results(), expected) == []

    ended = {job["JobId"]: job for job in cluster.ended()[earlier:]}
    states = {fault: ended[job]["JobState"] for fault, job in faults.items()}
    assert states["cancelled"] == "CANCELLED"
    assert states["slow"] == "TIMEOUT"
    assert states["hungry"] == "FAILED"
    assert f"StepId={faults['hungry']}.0 exceeded memory limit" in cluster.logs_of_nodes()
    last = max(ended, key=int)
    assert ended[last]["NodeList"] == "node1"
    # Three runs, groups, pages and report, each sent again only when it has failed: a busy machine may need more than
    # the minute of the slow one for others, too.
    failed = [job for job, state in ended.items() if state["JobState"] != "COMPLETED"]
    assert set(faults.values()) <= set(failed)
    assert len(submissions(done.stdout)) == len(ended) == 3 + 2 + 2 + 1 + len(failed)


@contextmanager
def drained_after_start(cluster, project):
    """While the study runs, cancel a job and drain a node once each fault has begun; give the jobs of the faults."""
    faults = {}

    def meddle():
        files = {fault: project.root / f"job_{fault}" for fault in ("slow", "hungry", "cancelled")}
        end = time.monotonic() + 120
        while not all(file.exists() and file.read_text() for file in files.values()):
            if time.monotonic() > end:
                return
            time.sleep(0.2)
        faults.update({fault: file.read_text() for fault, file in files.items()})
        cluster.command("scancel", faults["cancelled"])
        cluster.command("scontrol", "update", "NodeName=node2", "State=drain", "Reason=test")

    meddler = Thread(target=meddle)
    meddler.start()
    try:
        yield faults
    finally:
        meddler.join()
        cluster.command("scontrol", "update", "NodeName=node2", "State=resume")
