"""As a module of another workflow, ours runs, and leaves that workflow, its scripts and its Snakemake as they are."""

import subprocess
import sys
from pathlib import Path

from workflow.project import new_project

HOST = """
import gc, os, sys, yaml
from snakemake.script import PythonScript
import config as settings, runner
assert settings.name == runner.name == "host"
before = list(sys.path)

module connectomes:
    snakefile: "{checkout}/Snakefile"
    config: yaml.safe_load(open("{checkout}/study.yaml"))

use rule * from connectomes as connectomes_*

from snakemake.dag import DAG
from snakemake.scheduling.job_scheduler import JobScheduler
assert PythonScript.execute_script.is_warm
assert not hasattr(DAG, "plans_quickly")
assert JobScheduler.schedule.__module__ != "sphereconn_runner.progress"
assert gc.isenabled() and "PYTHONSAFEPATH" not in os.environ
assert "{checkout}" not in sys.path
assert {{path for path in sys.path if path not in before}} <= {{"{checkout}/workflow/lib", "{checkout}/workflow/rules"}}
import scripts_of_host

rule host:
    default_target: True
    input: rules.connectomes_all.input, "a.txt", "b.txt", "results/host.txt"

rule beside_our_results:
    output: "results/host.txt"
    shell: "touch {{output}}"

rule each:
    output: "{{name}}.txt"
    wildcard_constraints: name="[ab]"
    script: "scripts/{{wildcards.name}}.py"
"""
SCRIPT = """
import os, sys
import config, helper
parent = open(f"/proc/{os.getppid()}/cmdline").read() if os.path.exists("/proc/self") else ""
with open(snakemake.output[0], "w") as file:
    file.write(f"{config.name} {helper.name} {'sphereconn' in sys.modules} {'server.py' in parent}")
"""


def test_the_host_of_the_module_stays_as_it_is(tmp_path):
    project, host = new_project(tmp_path / "checkout", n_subjects=1), tmp_path / "host"
    project.configure(lambda config: config["figures"].update(kinds=[]))
    project.configure(lambda config: config["seed_sets"].pop("mine"))
    project.configure(lambda config: config.update(runs=str(project.root / "data" / "runs.tsv")))
    (host / "scripts").mkdir(parents=True)
    (host / "Snakefile").write_text(HOST.format(checkout=project.root))
    for module in ("config", "runner", "scripts_of_host"):  # the checkout has a folder `config`, too
        (host / f"{module}.py").write_text("name = 'host'\n")
    (host / "scripts" / "helper.py").write_text("name = 'helper'\n")
    for name in "ab":
        (host / "scripts" / f"{name}.py").write_text(SCRIPT)
    for said in ("steps (100%) done", "Nothing to be done"):
        done = subprocess.run(
            [Path(sys.executable).with_name("snakemake"), "--cores", "2"],
            cwd=host,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0 and said in done.stdout, done.stdout
    assert {(host / f"{name}.txt").read_text() for name in "ab"} == {"host helper False False"}
    assert list((host / "results").glob("sub-01/func/*_relmat.tsv"))
