"""Killed at random moments, in any of its processes and by any signal, a study ends and goes on as if nothing had been.

`make torture` does it 200 times with a seed of the day; what it finds is repeated with `SEED=… KILLS=…`.
"""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workflow.project import lives, new_project

KILLS = int(os.environ.get("KILLS", "8"))
SEED = int(os.environ.get("SEED", "1"))
SIGNALS = ("KILL", "TERM", "INT", "HUP", "QUIT", "SEGV")
TARGETS = ("main", "group", "server", "fork")
LONG = 120  # seconds; less work than that is left after each kill


def children(process):
    """The processes that a process has started."""
    found = []
    for path in Path("/proc", str(process), "task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def chosen(target, main):
    """Find the process to be hit, or the main one where there is none of that kind now."""
    if target in ("main", "group"):
        return main
    for server in children(main):
        if target == "server":
            return server
        for fork in children(server):
            return fork
    return main


def disturbed(project, chance):
    """Run the study and send it a signal; give what was hit, the jobs started and finished, and the exit status."""
    log = project.root / "said.txt"
    with log.open("w") as said:
        running = subprocess.Popen(
            [sys.executable, "-P", "-m", "snakemake", "--configfile", "study.yaml", "--cores", "2", "--nolock"],
            cwd=project.root,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    jobs, delay, signal_name = chance.randrange(-1, 7), chance.uniform(0, 0.3), chance.choice(SIGNALS)
    target = chance.choice(TARGETS)
    if jobs < 0:
        delay = chance.uniform(0, 1.5)
    while running.poll() is None and len(re.findall("^Finished jobid", log.read_text(), re.MULTILINE)) < jobs:
        time.sleep(0.01)
    time.sleep(delay)
    process = chosen(target, running.pid)
    if process == running.pid and target != "group":
        target = "main"  # there was no other yet
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if target == "group" else os.kill)(process, getattr(signal, f"SIG{signal_name}"))
    try:
        status = running.wait(LONG)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        pytest.fail(f"SIG{signal_name} to {target}: it hangs\n{log.read_text()}")
    wait_until_gone(running.pid)
    text = log.read_text()
    names = dict(re.findall(r"^Job (\d+): (.+)$", text, re.MULTILINE))
    finished = {names[number] for number in re.findall(r"^Finished jobid: (\d+)", text, re.MULTILINE)}
    return f"SIG{signal_name} to {target}", set(names.values()), finished, status, text


def wait_until_gone(group):
    """What outlives the main process must end by itself, and soon."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        members = [path.parent for path in Path("/proc").glob("[0-9]*/stat") if group_of(path) == group]
        if not any(lives(int(path.name)) for path in members):
            return
        time.sleep(0.05)
    pytest.fail(f"processes outlived Snakemake: {members}")


def group_of(stat):
    """The process group in a /proc/…/stat."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(stat.read_text().rsplit(")", 1)[1].split()[2])
    return None


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are found in /proc")
def test_a_study_killed_again_and_again_ends_as_if_nothing_had_happened(tmp_path):
    print(f"SEED={SEED} KILLS={KILLS}")
    project = new_project(tmp_path / "project", n_subjects=3)
    project.configure(lambda config: config["figures"].update(kinds=[]))
    project.configure(lambda config: config["estimators"].pop("partial"))
    project.run()
    undisturbed = project.results()
    chance, kills = random.Random(SEED), 0
    while kills < KILLS:
        for folder in ("results", ".snakemake"):
            shutil.rmtree(project.root / folder)
        done, status, story = set(), None, []
        while status != 0:
            what, started, finished, status, text = disturbed(project, chance)
            story.append(what)
            kills += 1
            assert started.isdisjoint(done), f"a job that had finished ran again: {started & done} {story}"
            assert "Traceback" not in text or "to main" in what or "to group" in what, (story, text)
            done |= finished
            assert len(story) < 50, story
        results = project.results()
        assert {name for name in results if ".unfinished-" in name} == set(), story
        assert results == undisturbed, story
