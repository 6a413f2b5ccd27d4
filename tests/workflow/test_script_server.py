"""Nobody waits in vain for a script: each answer is owed by a process that lives, whatever happens to the server."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from sphereconn_runner import scheduler, scripts
from sphereconn_runner.scripts import NotRunError, ScriptServer, ended_by
from workflow.project import lives, new_project, wait_for

SOON = 20  # seconds; a wait that is longer on any machine is one for ever
SIGNALS = ("KILL", "TERM", "HUP", "QUIT", "SEGV")


@pytest.fixture
def server(tmp_path):
    # A shell that runs the tests in the background, or nohup, lets them ignore these signals, and what they start
    # inherits that.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGQUIT, signal.SIGHUP)}
    server = ScriptServer(str(tmp_path / "library"))
    yield server
    server._end()
    for number, action in before.items():
        signal.signal(number, action)


@pytest.fixture
def script(tmp_path):
    """Write a script, and give its path."""

    def write(text, name="script.py"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def run_soon(server, script):
    """Run a script that is quick; the test fails where there is no answer."""
    answers = []

    def ask():
        try:
            answers.append(server.run(script, {}))
        except NotRunError as problem:
            answers.append(str(problem))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(SOON)
    assert answers, "there is no answer"
    return answers[0]


@pytest.mark.parametrize("name", SIGNALS)
def test_a_job_whose_server_is_killed_fails_and_says_so_and_its_fork_ends_with_it(server, script, tmp_path, name):
    long = script(f"import os, time\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(run_soon, server, long)
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        server._process.send_signal(getattr(signal, f"SIG{name}"))
        assert "was ended from outside" in job.result()
    wait_for(lambda: not lives(int((tmp_path / "pid").read_text())))
    assert run_soon(server, script("", "next.py")) == 0


def test_a_job_that_ends_while_another_imports_is_answered_before_that_ends(server, script, tmp_path):
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "slow.py").write_text("import time\ntime.sleep(2)\n")
    begun = tmp_path / "begun"
    short = script(f"import time\nopen({str(begun)!r}, 'w').close()\ntime.sleep(0.5)\n", "1.short.py")
    long = script("import slow, time\ntime.sleep(600)\n", "2.long.py")
    with ThreadPoolExecutor(2) as pool:
        answered = pool.submit(run_soon, server, short)
        wait_for(begun.exists)
        other = pool.submit(server.run, long, {})
        try:
            assert answered.result() == 0
            assert not other.done()
        finally:
            server.pass_on(signal.SIGINT)
        assert other.result() == -signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_whose_imports_are_interrupted_is_not_started(server, script, tmp_path, number):
    (tmp_path / "library").mkdir()
    here = f"open({str(tmp_path / 'imported')!r}, 'w').close()"
    (tmp_path / "library" / "slow.py").write_text(f"import time\n{here}\ntime.sleep(2)\n")
    long = script(f"import slow\nopen({str(tmp_path / 'begun')!r}, 'w').close()\n")
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(run_soon, server, long)
        wait_for((tmp_path / "imported").exists)
        server.pass_on(number)
        assert job.result() == -number
    assert not (tmp_path / "begun").exists()


def test_a_fork_is_interrupted_however_young_it_is(script, tmp_path):
    chance, quick, long = random.Random(1), script("", "quick.py"), script("import time; time.sleep(600)")
    for _ in range(20):
        server = ScriptServer(str(tmp_path / "library"))
        assert run_soon(server, quick) == 0
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(run_soon, server, long)
            time.sleep(chance.uniform(0, 0.02))
            server.pass_on(signal.SIGINT)
            assert job.result() == -signal.SIGINT
        server._end()


def test_every_job_is_answered_while_servers_are_killed_at_random_moments(server, script):
    chance, quick = random.Random(1), script("import sys; sys.exit(7)")
    began = time.perf_counter()
    assert run_soon(server, quick) == 7
    longest = 2 * (time.perf_counter() - began)  # a server that is killed sooner than it starts answers nothing
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(run_soon, server, quick) for _ in range(300)]
        while not all(job.done() for job in jobs):
            time.sleep(chance.uniform(0, longest))
            if server._process is not None:
                server._process.send_signal(getattr(signal, f"SIG{chance.choice(SIGNALS)}"))
        answers = [job.result() for job in jobs]
    assert answers.count(7) > 30
    assert {answer for answer in answers if answer != 7} == {
        "the interpreter that runs the scripts was ended from outside, and this job with it"
    }


def test_a_job_killed_amid_its_last_words_is_answered(server, script):
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    assert run_soon(server, script(killed)) == -signal.SIGKILL
    half = "import os, contextlib\nfor file in range(3, 99):\n    with contextlib.suppress(OSError):\n"
    half += "        os.write(file, b'{\"modules\": [')\nos._exit(3)\n"
    assert run_soon(server, script(half)) == 3


def test_a_script_that_leaves_a_process_behind_is_not_waited_for(server, script):
    assert run_soon(server, script("import os, time\nif os.fork() == 0:\n    time.sleep(600)\n")) == 0
    server._process.kill()


@pytest.mark.parametrize("status", [0, 1, 255, 256 + 3, -1, 10**30, True, None, "words"])
def test_an_exit_status_is_that_of_an_interpreter_of_its_own(server, script, status):
    path = script(f"import sys\nsys.exit({status!r})\n")
    assert (
        run_soon(server, path)
        == subprocess.run([sys.executable, path], check=False, stderr=subprocess.DEVNULL).returncode
    )


def test_what_a_signal_means_is_said():
    assert ended_by(signal.SIGKILL) == "the job was ended by SIGKILL, perhaps because memory ran out"
    assert ended_by(99) == "the job was ended by signal 99"


# --- nothing but our own modules


def test_nothing_in_the_working_folder_or_on_pythonpath_stands_before_a_module(server, script, tmp_path, monkeypatch):
    hostile = "open({!r}, 'a').write(__name__)\n".format(str(tmp_path / "executed"))
    for folder in (tmp_path, tmp_path / "outside"):
        folder.mkdir(exist_ok=True)
        for module in ("json", "statistics", "sitecustomize", "usercustomize", "numpy", "fractions"):
            (folder / f"{module}.py").write_text(hostile)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "outside"))
    text = "import sys\nsys.path.append({!r})\nimport json, statistics, fractions, numpy\nnumpy.zeros\n"
    for _ in range(2):  # what the first has imported, the server imports for the second
        assert run_soon(server, script(text.format(str(tmp_path)))) == 0
    assert not (tmp_path / "executed").exists()


def test_a_module_of_the_same_name_from_another_file_is_not_served(server, script, tmp_path):
    answers = []
    folders = ("one", "two", "library")
    for folder in folders:
        (tmp_path / folder).mkdir()
    for folder in folders:
        (tmp_path / folder / "config.py").write_text(f"name = {folder!r}\n")
        text = "import sys\nsys.path.insert(0, {!r})\nimport config\nassert config.name == {!r}, config.__file__\n"
        answers.append([run_soon(server, script(text.format(str(tmp_path / folder), folder))) for _ in range(2)])
    assert answers == [[0, 0]] * 3


@pytest.mark.parametrize("folder", ["with:colon", "with space", "with'quote", "ünï"])
def test_a_library_is_found_wherever_the_checkout_lies(script, tmp_path, folder):
    library = tmp_path / folder
    library.mkdir()
    (library / "ours.py").write_text("")
    server = ScriptServer(str(library))
    assert run_soon(server, script("import ours\n")) == 0
    server._end()


# --- limits of the system


def test_fewer_jobs_run_at_once_where_processes_are_few(monkeypatch):
    class Executor:
        workers, pool = 13, ThreadPoolExecutor(13)

    class Workflow:
        class scheduler:
            _executor, _local_executor = Executor, None

    for allowed, workers in ((100, 13), (27, 13), (12, 5), (3, 1)):
        monkeypatch.setattr(scheduler, "processes_allowed", lambda most, allowed=allowed: min(allowed, most))
        scheduler.fit_into_limits(Workflow)
        assert Executor.pool._max_workers == workers
    monkeypatch.setattr(scheduler, "processes_allowed", lambda most: 2)
    with pytest.raises(scheduler.WorkflowError, match="no further processes"):
        scheduler.fit_into_limits(Workflow)


def test_a_pool_works_with_the_threads_that_it_could_start(monkeypatch):
    start = threading.Thread.start
    allowed = iter([True, False, False, False])

    def start_one(thread):
        if not next(allowed):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    with scheduler.Workers(4) as pool:
        assert [job.result(SOON) for job in [pool.submit(time.sleep, 0.01) for _ in range(4)]] == [None] * 4


needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can be a user without other processes"
)


@pytest.fixture
def folder_of_all():
    """A folder that another user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@needs_root
@pytest.mark.parametrize("limit", [4, 7, 10])
def test_a_study_under_a_process_limit_ends(folder_of_all, limit):
    project = new_project(folder_of_all / "project", n_subjects=2)
    project.configure(lambda config: config["figures"].update(kinds=[]))
    for path in (project.root, *project.root.rglob("*")):
        os.chown(path, 54321, 54321)
    rights = "+dac_override,+dac_read_search"
    command = ["setpriv", "--reuid", "54321", "--clear-groups", "--inh-caps", rights, "--ambient-caps", rights]
    command += ["prlimit", f"--nproc={limit}", Path(sys.executable).with_name("snakemake"), "--cores", "8"]
    done = subprocess.run(
        [*command, "--configfile", "study.yaml"],
        cwd=project.root,
        env={**os.environ, "LOGNAME": "nobody", "HOME": str(project.root), "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stdout
    if limit == 4:
        assert done.returncode == 1 and "allows no further processes (see `ulimit -u`)" in done.stdout, done.stdout
    else:
        assert done.returncode == 0 and "allows few further processes" in done.stdout, done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_server_that_gets_no_process_waits_for_one_of_its_own_and_at_last_says_so(script, tmp_path, monkeypatch):
    refusing = tmp_path / "refusing.py"
    refusing.write_text(
        "import os, runpy, sys\nfork, refused = os.fork, []\n"
        "def refuse():\n"
        "    refused.append(1)\n"
        "    if len(refused) != 2:\n"
        "        raise BlockingIOError(11, 'Resource temporarily unavailable')\n"
        "    return fork()\n"
        "os.fork = refuse\n"
        f"server = runpy.run_path({str(scripts.SERVER)!r})\n"
        "server['serve'].__globals__['PATIENCE'] = 2\n"
        "server['serve']()\n"
    )
    monkeypatch.setattr(scripts, "SERVER", refusing)
    server = ScriptServer(str(tmp_path))
    quick = script("")
    assert run_soon(server, quick) == 0
    assert "no further process could be started" in run_soon(server, quick)
    server._end()


def test_sigterm_reaches_the_scheduler_while_its_own_thread_holds_its_locks():
    busy = SimpleNamespace(_lock=threading.Lock(), _open_jobs=threading.Semaphore(), _user_kill=None)
    scheduler.let_terminate(SimpleNamespace(scheduler=busy))

    def interrupted():
        with busy._lock, busy._open_jobs._cond:
            JobScheduler.exit_gracefully(busy)

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(SOON)
    assert not thread.is_alive()
    assert busy._user_kill == "graceful"
    assert busy._open_jobs.acquire(timeout=1) and busy._open_jobs.acquire(timeout=1)
