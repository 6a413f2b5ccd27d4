"""Let Snakemake plan a hundred thousand jobs in a minute, and note their ends: what it works out anew, worked out once.

Each adaptation replaces a function of Snakemake by one that gives the same answer, or hands the question on to
Snakemake's own where it is not about the plain kind: a local file, a pattern, a name. In brackets is what it saves,
in seconds of one core: a dry run of 15,000 jobs takes 7 with all of them, and took 30 with none.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import snakemake.api  # first: Snakemake's modules import each other in a circle
import snakemake.common
import snakemake.io
from snakemake.dag import DAG
from snakemake.io import AnnotatedString, ExistsDict, _IOFile
from snakemake.jobs import Job
from snakemake.output_index import OutputIndex
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.workflow import Workflow


def plan_quickly() -> None:
    """Make the planning of many jobs quick."""
    if not getattr(DAG, "plans_quickly", False):
        DAG.plans_quickly = True
        for adapt in ADAPTATIONS:
            adapt()


def plan_without_batches() -> None:
    """Form no batches in a dry run, which counts the same steps without (1 s, and minutes where it lists them)."""
    Workflow.non_local_exec_or_dryrun = property(lambda self: not self.local_exec)


def know_flags() -> None:
    """Tell whether a file is temporary, a pipe and so on without asking what kind of object its name is (0.5 s)."""
    slow = snakemake.io.is_flagged

    def is_flagged(value: Any, flag: str) -> bool:
        if type(value) is _IOFile:
            value = value._file
        if type(value) is AnnotatedString:
            return bool(value._flags.get(flag))
        return type(value) is not str and slow(value, flag)

    _replace(slow, is_flagged)


def know_parameters() -> None:
    """Take the signature of an input function once, not once a job (1 s)."""
    slow = snakemake.common.get_function_params
    _replace(slow, lru_cache(maxsize=1024)(slow))


def know_producers() -> None:
    """Remember which job makes a file: a result of a run is asked for by many steps of the groups (2 s)."""
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
    """Find the rules that make a file by the end of its name, which few of them have in common (2.5 s)."""
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


def check_odd_names_only() -> None:
    """Let Snakemake look for what to warn of in a name only where there is a space, a brace or the like (0.7 s)."""
    slow = snakemake.io.check

    def check(iofile: str, rule: Any = None, is_storage: bool = False) -> None:
        first, last = iofile[:1], iofile[-1:]
        if first in " ." or last == " " or "//" in iofile or "\n" in iofile or "{" in iofile:
            slow(iofile, rule, is_storage)

    snakemake.io.check = check


def compare_names_as_text() -> None:
    """Compare and look up files by the text of their names, which is what Snakemake's own comparison comes to (1 s)."""
    _IOFile.__hash__ = str.__hash__
    _IOFile.__eq__ = str.__eq__
    _IOFile.__ne__ = str.__ne__


def know_environments() -> None:
    """Ask for the environment of a rule without the params of each job, which have no part in it (0.7 s)."""
    slow = Job.conda_env_spec.fget

    def conda_env_spec(self: Any) -> Any:
        if self._conda_env_spec is None and not callable(self.rule._conda_env):
            self._conda_env_spec = self.rule.expand_conda_env(self.wildcards_dict)
        return slow(self)

    Job.conda_env_spec = property(conda_env_spec)


def compare_folders_once() -> None:
    """Look for a result inside of another by the folders of the results, of which there are fewer (2 s)."""
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


def look_up_folders() -> None:
    """Find the folder of a file, whose list says whether the file is there, without asking for its kind (1 s)."""
    slow = ExistsDict.__contains__

    def contains(self: Any, path: Any) -> bool:
        if type(path) is not _IOFile or path.is_storage:
            return bool(slow(self, path))
        folder = path.rpartition("/")[0]
        return (folder in self.has_inventory and folder not in ("", "..")) or dict.__contains__(self, path)

    ExistsDict.__contains__ = contains


def know_sizes() -> None:
    """Ask for the size of a file once: all that it does is to say in which order steps start."""

    async def update_input_sizes(self: Any, jobs: Iterable[Any]) -> None:
        sizes = self._input_sizes
        for file in {file for job in jobs for file in job.input if file not in sizes}:
            sizes[file] = await file.size() if await file.exists() else None

    JobScheduler.update_input_sizes = update_input_sizes


def count_batches_once() -> None:
    """Know how many steps of its own batch each step waits for, when batches go to a cluster.

    Snakemake counts anew whenever a batch ends, which took minutes for a few hundred runs and grew with their square.
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


def _replace(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    """Put a function in the place of another in all modules of Snakemake that have it by its name."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "snakemake" and getattr(module, old.__name__, None) is old:
            setattr(module, old.__name__, new)


ADAPTATIONS = (
    plan_without_batches,
    know_flags,
    know_parameters,
    know_producers,
    look_up_producers,
    check_odd_names_only,
    compare_names_as_text,
    know_environments,
    compare_folders_once,
    look_up_folders,
    know_sizes,
    count_batches_once,
)
