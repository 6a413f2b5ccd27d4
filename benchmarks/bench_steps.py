"""What the steps of a study cost, CPU seconds and disk by kind of step, beside what sphereconn/plan/cost.py estimates.

The study is run to its end in this process, by Snakemake on two cores; the system says what each step has used. Run it
where the results of the study are not there yet, as

    .venv/bin/python benchmarks/bench_steps.py STUDY.yaml [--cores 2]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

import yaml  # noqa: E402
from record import record  # noqa: E402
from snakemake.cli import main as snakemake  # noqa: E402
from snakemake.script import PythonScript  # noqa: E402

from sphereconn.plan.cost import cost_of, sizes_of  # noqa: E402
from sphereconn.study.study import resolve_study  # noqa: E402
from sphereconn_runner import scripts  # noqa: E402


def note_steps(notes: Path) -> None:
    """Let Snakemake note of each step what it is of and what it has written, beside what the server notes."""
    os.environ["SPHERECONN_STEPS"] = str(notes)
    scripts.SERVER = Path(__file__).with_name("timed_server.py")
    run_warm = scripts.run_scripts_warm

    def run_scripts_warm(server: Any, folder: Path) -> None:
        run_warm(server, folder)
        execute = PythonScript.execute_script

        def execute_script(self: Any, fname: str, edit: bool = False) -> None:
            execute(self, fname, edit)
            line = {
                "script": fname,
                "rule": self.rulename,
                "labels": dict(self.wildcards.items()),
                "bytes": sum(Path(path).stat().st_blocks * 512 for path in self.output),
            }
            with notes.open("a", encoding="utf-8") as file:
                print(json.dumps(line), file=file)

        execute_script.is_warm = True  # type: ignore[attr-defined]
        PythonScript.execute_script = execute_script

    scripts.run_scripts_warm = run_scripts_warm


def noted(notes: Path) -> list[dict[str, Any]]:
    """Give what was noted of each step, its kind and its seconds included."""
    steps: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for line in notes.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        steps[told["script"]].update(told)
    # The script of a step is .snakemake/scripts/tmpabc.extract.py.
    return [{**step, "kind": script.split(".")[-2]} for script, step in steps.items() if "rule" in step]


def main() -> None:
    """Run a study and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--notes", type=Path, help="what an earlier call with this option has noted is read, not run")
    arguments = parser.parse_args()
    notes = arguments.notes or Path(tempfile.mkdtemp(), "steps.jsonl")
    if not notes.exists():
        begin = time.monotonic()
        note_steps(notes)
        options = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", str(arguments.study)]
        try:
            snakemake([*options, "--profile", str(ROOT / "profiles" / "default"), "--cores", str(arguments.cores)])
        except SystemExit:
            print(f"{time.monotonic() - begin:.0f} s")
    config = yaml.safe_load(arguments.study.read_text(encoding="utf-8"))
    schema = ROOT / "workflow" / "schemas" / "config.schema.json"
    sizes = sizes_of(resolve_study(config, schema, ROOT / "resources", str(arguments.study)))
    by_kind: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for step in noted(notes):
        by_kind[step["kind"]].append(step)
    rows = []
    print("kind of step              steps   CPU s  estimated      MB  estimated")
    for kind, steps in [*sorted(by_kind.items()), ("all", [*chain(*by_kind.values())])]:
        cost = cost_of(((step["kind"], step["rule"], step["labels"]) for step in steps), sizes)
        seconds = sum(step.get("seconds", 0) for step in steps)
        megabytes = sum(step["bytes"] for step in steps) / 1e6
        print(f"{kind:25}{len(steps):6}{seconds:8.1f}{cost.seconds:11.1f}{megabytes:8.1f}{cost.bytes / 1e6:11.1f}")
        rows.append({"kind": kind, "steps": len(steps), "seconds": seconds, "megabytes": megabytes})
    record("steps", rows)


if __name__ == "__main__":
    main()
