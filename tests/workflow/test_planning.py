"""Planning many jobs quickly gives the plan that Snakemake makes alone, and its words."""

import os
import re
import shutil
from pathlib import Path

import pytest
from snakemake.script import PythonScript

import sphereconn_runner
from sphereconn_runner.progress import MANY_STEPS
from workflow.project import STARTER, environment_of_a_person

LIBRARY = Path(__file__).parents[2] / "workflow" / "lib"
QUICKLY = f"""
import sys
sys.path.insert(0, {str(LIBRARY)!r})
from sphereconn_runner.planning import plan_quickly
from sphereconn_runner.progress import list_few_steps
plan_quickly()
list_few_steps()
"""
# Times, numbers of jobs and of lines, where the Snakefile is, and how many jobs have ended when the next are chosen.
DIFFERENT_EACH_TIME = (
    r"^\[.*\]$|^ *(Date|Workflow ID): .*|.*log\(s\).*|^Elapsed time: .*|jobid: \d+|Job \d+:|line \d+|\S*Snakefile\S*"
    r"|Select jobs to execute...|Execute \d+ jobs..."
)
NOTHING_TO_DO = "Nothing to be done (all requested files are present and up to date)."

CHAIN = """
rule all:
    input:
        expand("out/{name}.end", name=[*"abc"]),
        expand("out/{name}.side", name=[*"abc"]),
        "out/sum.txt",

def read_by(wildcards):
    return {"first": "data.txt"} | ({"more": "out/a.start"} if wildcards.name == "b" else {})

rule start:
    input: unpack(read_by)
    output: "out/{name,[a-c]}.start", side="out/{name}.side"
    log: "logs/{name}.log"
    params: given=lambda wildcards, input: len(input), constant=CONSTANT
    resources: mem_mb=lambda wildcards, attempt: 10 * attempt
    message: "Starting {wildcards.name} with {params.given}"
    shell: "touch {output} {log}"

rule middle:
    input: rules.start.output[0], ancient("data.txt")
    output: temp("out/{name}.middle"), directory("out/{name}_folder")
    shell: "mkdir -p {output[1]}; touch {output[0]} {output[1]}/x"

rule end:
    input: "out/{name}.middle", folder="out/{name}_folder"
    output: protected("out/{name}.end")
    benchmark: "out/{name}.bench"
    shell: "touch {output}"

rule sum:
    input: expand("out/{name}.end", name=[*"abc"]), sides=expand("out/{name}.side", name=[*"abc"])
    output: "out/sum.txt"
    shell: "touch {output}"
"""
AMBIGUOUS = """
rule all:
    input: "a.txt"
rule one:
    output: "{name}.txt"
    shell: "touch {output}"
rule two:
    output: "a.{ending}"
    shell: "touch {output}"
"""
MANY = """
rule all:
    input: expand("{{name}}.txt", name=range({number}))
rule each:
    output: "{{name}}.txt"
    message: "Making file {{wildcards.name}}"
    shell: "touch {{output}}"
"""
WRONG = {
    "two rules for one file": AMBIGUOUS,
    "two rules, one of which comes first": AMBIGUOUS + "ruleorder: two > one\n",
    "a result inside of another": """
rule all:
    input: "folder", "folder/deep/x.txt"
rule one:
    output: directory("folder")
    shell: "mkdir {output}"
rule two:
    output: "folder/deep/{name}.txt"
    shell: "touch {output}"
""",
    "odd names": """
rule all:
    input: "./a.txt", "b//c.txt", " d.txt", "e.txt "
rule one:
    output: "{name}.txt"
    shell: "touch {output}"
rule two:
    output: "e.txt "
    shell: "touch {output}"
""",
    "a missing input": 'rule all:\n    input: "nowhere/{}.txt".format(1)\n',
    "a rule that needs its own result": """
rule all:
    input: "a.txt"
rule one:
    input: "b.txt"
    output: "a.txt"
    shell: "touch {output}"
rule two:
    input: "a.txt"
    output: "b.txt"
    shell: "touch {output}"
""",
    "a wildcard that repeats itself": """
rule all:
    input: "a.txt"
rule one:
    input: "{name}.x.txt"
    output: "{name}.txt"
    shell: "touch {output}"
""",
    "a wildcard that only the input has": """
rule all:
    input: "{name}.txt"
""",
}


def said(folder, *arguments):
    """Run Snakemake in a folder; the lines it says, sorted, without what differs from one call to the next."""
    done = STARTER.run(["--cores", "1", *arguments], folder, environment_of_a_person())
    text = done.stdout.replace(str(folder), "here")
    text = re.sub(DIFFERENT_EACH_TIME, "", text, flags=re.MULTILINE)
    return done.returncode, sorted(filter(None, map(str.strip, text.splitlines())))


def comparable(words):
    """Sort the words in each line: its files and rules come from sets, of which each Snakemake has its own order."""
    code, lines = words
    return code, sorted(" ".join(sorted(line.replace(",", "").split())) for line in lines)


def set_up(root, text, **constants):
    """Set up a workflow twice, for Snakemake alone and with quick planning: give both folders."""
    given = "".join(f"{name} = {value!r}\n" for name, value in constants.items())
    for name, prelude in (("alone", ""), ("quickly", QUICKLY)):
        (root / name).mkdir()
        (root / name / "data.txt").touch()
        (root / name / "Snakefile").write_text(prelude + given + text)
    return root / "alone", root / "quickly"


def test_jobs_their_reasons_and_their_files_are_those_of_snakemake_alone(tmp_path):
    alone, quickly = set_up(tmp_path, CHAIN, CONSTANT=1)
    plan = said(quickly, "--dry-run")
    assert comparable(plan) == comparable(said(alone, "--dry-run"))
    assert plan[0] == 0 and "total        11" in plan[1]
    assert comparable(said(quickly)) == comparable(said(alone))
    files = [sorted(str(path.relative_to(folder)) for path in folder.glob("out/*")) for folder in (alone, quickly)]
    assert files[0] == files[1]
    assert "out/b.end" in files[1] and "out/b.middle" not in files[1]


def lose_a_record(folder):
    sorted((folder / ".snakemake" / "metadata").iterdir())[0].unlink()


def spoil_a_record(folder):
    sorted((folder / ".snakemake" / "metadata").iterdir())[0].write_text("{half a rec")


EDITS = {
    "nothing": lambda folder: None,
    "a result lost": lambda folder: (folder / "out" / "b.side").unlink(),
    "a result lost that is not asked for": lambda folder: (folder / "out" / "b.start").unlink(),
    "an input edited": lambda folder: (folder / "data.txt").write_text("changed"),
    "a result touched": lambda folder: os.utime(folder / "out" / "a.side", (4e9, 4e9)),
    "a param": lambda folder: replace(folder / "Snakefile", "CONSTANT = 1", "CONSTANT = 2"),
    "an input left out": lambda folder: replace(folder / "Snakefile", ', ancient("data.txt")', ""),
    "a record lost": lose_a_record,
    "a record spoilt": spoil_a_record,
}


# A touched file is compared by its content; without a record nothing is known of params and inputs.
NO_REASON = {"nothing", "a result lost that is not asked for", "a result touched", "a record lost", "a record spoilt"}


def replace(path, old, new):
    path.write_text(path.read_text().replace(old, new))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Both folders of a workflow that has been run to its end."""
    folders = set_up(tmp_path_factory.mktemp("finished"), CHAIN, CONSTANT=1)
    for folder in folders:
        assert said(folder)[0] == 0
    return folders


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_makes_the_same_jobs_necessary(finished, tmp_path, edit):
    plans = []
    for folder in finished:
        copy = tmp_path / folder.name
        shutil.copytree(folder, copy, symlinks=True)
        EDITS[edit](copy)
        plans.append(said(copy, "--dry-run", "--rerun-triggers", "mtime", "params", "input", "software-env"))
    assert comparable(plans[0]) == comparable(plans[1])
    assert (NOTHING_TO_DO in plans[1][1]) == (edit in NO_REASON)


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_found_and_told_as_by_snakemake_alone(tmp_path, mistake):
    alone, quickly = set_up(tmp_path, WRONG[mistake])
    (code, words), (same_code, same_words) = (comparable(said(folder, "--dry-run")) for folder in (alone, quickly))
    # A name that is odd is told once for each job that has it, and fewer have names of their own.
    assert (code, set(words)) == (same_code, set(same_words))


def test_another_release_of_snakemake_is_left_alone(monkeypatch):
    monkeypatch.setattr(sphereconn_runner.snakemake, "__version__", "9.99.0")
    before = PythonScript.execute_script
    runner = sphereconn_runner.adapt(None, Path(), Path())
    runner.start([], [])
    runner.tell_failures()
    assert PythonScript.execute_script is before


@pytest.mark.parametrize(
    ("steps", "arguments", "listed"),
    [(MANY_STEPS, [], True), (MANY_STEPS + 1, [], False), (MANY_STEPS + 1, ["--verbose"], True)],
)
def test_a_dry_run_lists_its_steps_unless_they_are_many(tmp_path, steps, arguments, listed):
    (tmp_path / "Snakefile").write_text(QUICKLY + MANY.format(number=steps - 1))
    code, lines = said(tmp_path, "--dry-run", *arguments)
    assert code == 0
    assert ("Making file 7" in lines) == listed
    assert any("too many to list" in line for line in lines) != listed
    assert sum(bool(re.fullmatch(rf"total +{steps}", line)) for line in lines) == 1 + listed
    assert ("Reasons:" in lines) == listed
