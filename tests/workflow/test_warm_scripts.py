"""Scripts run in forks of one interpreter behave as in interpreters of their own."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from workflow.project import SNAKEMAKE, STARTER, environment_of_a_person, lives, wait_for

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
SNAKEFILE = """
import sys
sys.path[:0] = [{library!r}, {modules!r}]
from sphereconn_runner.scheduler import calm_scheduler
from sphereconn_runner.scripts import ScriptServer, run_scripts_warm
run_scripts_warm(ScriptServer({modules!r}), Path("scripts"))

onstart:
    calm_scheduler(workflow)

onsuccess:
    print("limiter", workflow.scheduler.job_rate_limiter)

rule all:
    input: expand("{{name}}.txt", name={names!r})

rule each:
    output: "{{name}}.txt"
    threads: {threads}
    params: given=[1, "two"]
    script: "scripts/{{wildcards.name}}.py"
"""


@pytest.fixture
def workflow(tmp_path):
    """A workflow with a script a job: call it with the scripts' texts, get Snakemake's exit status and output."""

    def command(scripts, *arguments, threads=1):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        for name, text in scripts.items():
            (tmp_path / "scripts" / f"{name}.py").write_text(text)
        (tmp_path / "Snakefile").write_text(
            SNAKEFILE.format(library=str(LIBRARY), modules=str(tmp_path), names=sorted(scripts), threads=threads)
        )
        return ["--cores", "2", *arguments]

    def run(scripts, *arguments, **options):
        done = STARTER.run(command(scripts, *arguments, **options), tmp_path, environment_of_a_person())
        return done.returncode, done.stdout

    run.command, run.root = command, tmp_path
    return run


def said(text):
    """Make a script that writes a value, given as code, to its output."""
    return f"import json, os, sys\nopen(snakemake.output[0], 'w').write(json.dumps({text}))\n"


def answers(workflow):
    return {path.stem: json.loads(path.read_text()) for path in workflow.root.glob("*.txt")}


def test_a_script_has_what_snakemake_gives_it(workflow):
    status, output = workflow({"one": said("[snakemake.params.given, snakemake.wildcards.name, snakemake.threads]")})
    assert status == 0, output
    assert answers(workflow) == {"one": [[1, "two"], "one", 1]}


def test_scripts_are_forks_of_one_process_that_snakemake_started(workflow):
    status, output = workflow({name: said("[os.getpid(), os.getppid()]") for name in ("one", "two", "three")})
    assert status == 0, output
    processes, parents = zip(*answers(workflow).values(), strict=True)
    assert len(set(processes)) == 3
    assert len(set(parents)) == 1


def test_a_script_sees_the_same_main_module_arguments_and_folders_as_in_an_interpreter_of_its_own(workflow):
    text = said(
        "[__name__, len(sys.argv), os.path.basename(__file__), os.getcwd(), os.environ['OMP_NUM_THREADS'],"
        " os.environ['TMPDIR'], sys.stdin.read()]"
    )
    assert workflow({"one": text})[0] == 0
    warm = answers(workflow)
    (workflow.root / "one.txt").unlink()
    assert workflow({"one": text.replace("import json", "import json ")}, threads=2)[0] == 0
    cold = answers(workflow)
    cold["one"][4] = "1"  # of two threads
    assert warm == cold


def test_no_script_sees_what_another_left_in_memory(workflow):
    text = "import os\nseen = os.environ.get('LEFT')\nos.environ['LEFT'] = 'here'\n" + said("seen")
    assert workflow(dict.fromkeys(("one", "two", "three"), text), "--cores", "1")[0] == 0
    assert set(answers(workflow).values()) == {None}


def test_a_module_that_a_script_imports_is_there_already_for_the_next(workflow):
    text = "import sys\nthere = 'colorsys' in sys.modules\nimport colorsys\n" + said("there")
    assert workflow(dict.fromkeys(("one", "two", "three"), text), "--cores", "1")[0] == 0
    assert sorted(answers(workflow).values()) == [False, True, True]


def test_what_stands_at_the_top_of_a_script_is_imported_before_its_first_fork(workflow):
    (workflow.root / "slow.py").write_text("import os\nloaded_by = os.getpid()\n")
    text = '"""A script."""\n\nimport slow\n' + said("[slow.loaded_by, os.getppid()]")
    assert workflow(dict.fromkeys(("one", "two"), text))[0] == 0
    assert len({number for answer in answers(workflow).values() for number in answer}) == 1


@pytest.mark.parametrize("at_the_top", [True, False])
def test_a_module_that_has_more_to_load_is_warmed_up_once_for_all_scripts(workflow, at_the_top):
    (workflow.root / "slow.py").write_text(
        "loaded_by = None\n\ndef warm_up():\n    global loaded_by\n    import os\n    loaded_by = os.getpid()\n"
    )
    text = f"import os\n{'' if at_the_top else 'os.getpid()'}\nimport slow\n" + said("[slow.loaded_by, os.getppid()]")
    assert workflow(dict.fromkeys(("one", "two", "three"), text), "--cores", "1")[0] == 0
    by = sorted(answers(workflow).values(), key=lambda answer: answer[0] is not None)
    server = by[0][1]
    assert by == [[server if at_the_top else None, server], [server, server], [server, server]]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("raise ValueError('the reason')\n", "ValueError: the reason"),
        ("import sys\nsys.exit('the reason')\n", "the reason"),
        ("import sys\nsys.exit(3)\n", "status 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "SIGKILL"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
    ],
)
def test_a_script_that_fails_ends_its_own_job_only(workflow, text, shown):
    status, output = workflow({"bad": text, "good": said("1"), "other": said("2")}, "--keep-going", "--cores", "1")
    assert status == 1
    assert shown in output
    assert answers(workflow) == {"good": 1, "other": 2}


def test_what_a_script_prints_is_shown(workflow):
    assert "from the script" in workflow({"one": "print('from the script')\n" + said("1")})[1]


def test_a_killed_snakemake_leaves_no_script_behind(workflow):
    text = "import os, time\nopen(snakemake.wildcards.name + '.pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    command = [SNAKEMAKE, *workflow.command({"one": text, "two": text})]
    with subprocess.Popen(command, cwd=workflow.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        numbers = [workflow.root / "one.pid", workflow.root / "two.pid"]
        wait_for(lambda: all(path.exists() and path.read_text() for path in numbers))
        running.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(lives(int(path.read_text())) for path in numbers))


def test_the_default_limit_of_job_starts_is_lifted_and_a_users_limit_stays(workflow):
    assert "limiter None" in workflow({"one": said("1")})[1]
    (workflow.root / "one.txt").unlink()
    assert "limiter <" in workflow({"one": said("2")}, "--max-jobs-per-timespan", "50/1s")[1]
