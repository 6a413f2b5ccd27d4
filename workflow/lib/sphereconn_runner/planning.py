"""Let Snakemake plan tens of thousands of jobs quickly, and note their ends: what it works out anew, worked out once.

Each adaptation replaces a function of Snakemake by one that gives the same answer. It says what it saves of the time
of a dry run of 16,000 jobs (9.27.1; on one core of a slow machine 32 s with all of them, 59 with none, and 300 s and
4.1 GB for 160,000), what is known of the matter upstream, and when it can go. Left out, as none saved more than the
measurements vary: remembering flags, folders, sizes and signatures, comparing names as text, looking for odd names
only, no batches. Looking at environments only for conda would save a tenth, but Snakemake records them with the
results.
"""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import snakemake.api
import snakemake.dag
from snakemake.dag import DAG
from snakemake.output_index import OutputIndex
from snakemake.workflow import Workflow


def plan_quickly() -> None:
    """Make the planning of many jobs quick."""
    if not getattr(DAG, "plans_quickly", False):
        DAG.plans_quickly = True
        for adapt in ADAPTATIONS:
            adapt()


def leave_garbage_for_later() -> None:
    """Do not look for garbage among the parts of a plan, from here to where it is made: they stay.

    Saves a seventh. Upstream: not reported. Until Snakemake does it; `onstart` comes too late for a dry run's memory.
    """
    build = Workflow._build_dag

    def build_dag(self: Any, *arguments: Any, **options: Any) -> None:
        try:
            build(self, *arguments, **options)
        finally:
            gc.freeze()
            gc.enable()

    Workflow._build_dag = build_dag
    gc.disable()


def know_producers() -> None:
    """Remember which job makes a file: a result of a run is asked for by many steps of the groups.

    Saves, with the next two, a sixth; alone, none can be told from noise. Upstream: #690, closed unmerged in 2020.
    Until `DAG.update` itself looks into ``known_producers`` for single files.
    """
    slow = DAG.update

    async def update(
        self: Any, jobs: Any, file: Any = None, visited: Any = None, known_producers: Any = None, **settings: Any
    ) -> Any:
        producer = await slow(self, jobs, file, visited, known_producers, **settings)
        if file is not None and known_producers is not None:
            known_producers[file] = [producer]
        return producer

    DAG.update = update


def look_up_producers() -> None:
    """Find the rules that make a file by the end of its name, which few of them have in common.

    Upstream: slow planning is #1575, #2354 and #2126. Until `OutputIndex` looks at the ends of names.
    """
    slow = OutputIndex.__init__

    def index(self: Any, rules: Iterable[Any]) -> None:
        rules = list(rules)
        slow(self, rules)
        endings: defaultdict[str, list[tuple[str, Any, Any]]] = defaultdict(list)
        for rule in rules:
            for product in rule.products():
                entry = (str(product.constant_prefix()), product.match, rule)
                endings[str(product.constant_suffix())].append(entry)
        self.endings = dict(endings)
        self.lengths = sorted({len(ending) for ending in endings})

    def match_producers(self: Any, targetfile: str) -> set[Any]:
        length = len(targetfile)
        return {
            rule
            for ending in self.lengths
            if ending <= length
            for prefix, match, rule in self.endings.get(targetfile[length - ending :], ())
            if targetfile.startswith(prefix) and match(targetfile)
        }

    OutputIndex.__init__ = index
    OutputIndex.match_producers = match_producers


def compare_folders_once() -> None:
    """Look for a result inside of another by the folders of the results, of which there are fewer.

    Upstream: not reported. Until `DAG.check_directory_outputs` does not take every output apart.
    """
    slow = DAG.check_directory_outputs

    def check_directory_outputs(self: Any) -> None:
        outputs = {os.path.abspath(file) for job in self.jobs for file in job.output}
        folders = {os.path.dirname(file) for file in outputs}
        around = set[str]()
        while folders:
            around |= folders
            folders = {os.path.dirname(folder) for folder in folders} - around
        if not outputs.isdisjoint(around):
            slow(self)

    DAG.check_directory_outputs = check_directory_outputs


def look_at_scripts_once() -> None:
    """Look at the script of a rule once, whether it is there, and not for each of its jobs.

    Saves a quarter. Upstream: not reported. Until `ScriptProcessor.process_job` remembers what it has found.
    """
    processor = getattr(snakemake.dag, "ScriptProcessor", None)
    if processor is None:  # the oldest releases do not look at all
        return
    look = processor.process_job
    found = set[tuple[str, str]]()

    def process_job(self: Any, job: Any) -> None:
        rule = (self.script_type, job.rule.name)
        if rule not in found:
            look(self, job)
            if "{" not in str(getattr(job.rule, self.script_type)):  # the same for all jobs
                found.add(rule)

    processor.process_job = process_job


def count_batches_once() -> None:
    """Know how many steps of its own batch each step waits for, when batches go to a cluster.

    Snakemake counts anew whenever a batch ends: half the time of planning batches of 200 runs (6.8 of 12.6 s), and
    growing with the square of the runs. Upstream: not reported. Until `DAG._ready` takes the same time for any batch.
    """
    form, check = DAG.update_groups, DAG._check_groups

    def update_groups(self: Any) -> None:
        form(self)
        self.inside = {
            job: sum(self._group.get(other) is batch for other in self._dependencies[job])
            for job, batch in self._group.items()
        }

    def ready(self: Any, job: Any) -> bool:
        batch = self._group.get(job)
        if batch is None:
            return bool(self._n_until_ready[job] == 0)
        return all(self._n_until_ready[member] == self.inside[member] for member in batch)

    def check_groups(self: Any) -> None:
        batches = self._group
        # Each batch stands there once for each of its steps, and would be checked as often.
        self._group = {id(batch): batch for batch in batches.values()}
        try:
            check(self)
        finally:
            self._group = batches

    DAG.update_groups = update_groups
    DAG._ready = ready
    DAG._check_groups = check_groups


ADAPTATIONS = (
    leave_garbage_for_later,
    know_producers,
    look_up_producers,
    compare_folders_once,
    look_at_scripts_once,
    count_batches_once,
)
