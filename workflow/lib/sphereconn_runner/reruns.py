"""What runs again: the ledger of the results decides, in place of Snakemake's own records, times and checksums.

Snakemake's records are in the working folder and not with the results, do not see an older file in the place of a newer
one, and count a result without content as made. It keeps them, for its report; of a file that no ledger is about, they
decide as before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import snakemake.api  # noqa: F401 - its parts cannot be imported before it
from snakemake.jobs import Job
from snakemake.logging import logger
from snakemake.persistence import ParamsChange, PersistenceBase
from snakemake.script import PythonScript
from snakemake.settings.types import RerunTrigger
from snakemake.sourcecache import LocalSourceFile
from snakemake.workflow import Workflow

from sphereconn.ledger import Change, Ledger, Writer, settings_digest

TEMPORARY = "temporary"
LISTED = 10  # changed files that are named
SAID = {
    "unrecorded": "{file}: how this result was made is not recorded; it is made again.",
    "result": "{file} has changed since it was written; it is made again.",
    "source": "{file} has changed; everything made from it is made again.",
}


def record_results(folders: list[str], rules: Path) -> None:
    """Let each script of a job whose results are in one of the folders be recorded in the ledger there.

    ``rules`` is the folder of our rule files; jobs of others, where the study is a module of another workflow, stay as
    they are.
    """
    run = PythonScript.execute_script
    writers = {folder: Writer(folder) for folder in folders}

    def execute_script(self: Any, fname: str, edit: bool = False) -> None:
        writer = next((writers[folder] for folder in folders if _lies_in(folder, self.output)), None)
        if writer is None or not _stands_in(rules, self.basedir):
            run(self, fname, edit)
            return
        inputs = list(_named(self.input))
        before = writer.look(inputs)
        run(self, fname, edit)
        writer.add(settings_digest(self.params._allitems()), inputs, before, list(map(str, self.output)))

    execute_script.is_warm = getattr(run, "is_warm", False)  # type: ignore[attr-defined]
    PythonScript.execute_script = execute_script


def rerun_by(ledgers: list[Ledger], rules: Path) -> None:
    """Let the jobs of our rules run again when the ledger of their results says so, and only then.

    Whatever `--rerun-triggers` says: with `mtime`, results of other settings would be taken for those that are asked
    for. It counts for the jobs of others.
    """
    changes: dict[Any, Change | None] = {}
    told: set[str] = set()
    ours: dict[Any, bool] = {}  # by rule

    def ledger_of(job: Any) -> Ledger | None:
        if job.rule not in ours:
            ours[job.rule] = _stands_in(rules, job.rule.basedir)
        if not ours[job.rule]:
            return None
        return next((ledger for ledger in ledgers if _lies_in(ledger.folder, job.output)), None)

    def change(job: Any, ledger: Ledger) -> Change | None:
        if job not in changes:
            changes[job] = found = ledger.change(
                list(map(str, job.output)),
                lambda: (settings_digest(job.params._allitems()), list(_named(job.input))),
            )
            if found and found.kind in SAID and found.file not in told:
                told.add(found.file)
                if len(told) <= LISTED:
                    logger.info(SAID[found.kind].format(file=found.file))
        return changes[job]

    def params_changed(self: Any, job: Any, ledger: Ledger) -> ParamsChange:
        found = change(job, ledger)
        return ParamsChange(only_old={str(found)}, files=set(job.output)) if found else ParamsChange()

    slow_change, triggers = PersistenceBase.params_changed, Workflow.rerun_triggers.fget

    def params_changed_of_others(self: Any, job: Any, file: Any = None) -> ParamsChange:
        asked = RerunTrigger.PARAMS in triggers(job.dag.workflow)
        return slow_change(self, job, file=file) if asked else ParamsChange()

    PersistenceBase.params_changed = params_changed_of_others
    Workflow.rerun_triggers = property(lambda self: {*triggers(self), RerunTrigger.PARAMS})

    _answer(PersistenceBase, "has_metadata", ledger_of, lambda self, job, ledger: True)
    _answer(PersistenceBase, "has_outdated_metadata", ledger_of, lambda self, job, ledger: False)
    _answer(PersistenceBase, "params_changed", ledger_of, params_changed)
    _answer(PersistenceBase, "input_changed", ledger_of, lambda self, job, ledger: ())
    # The fingerprint of the code is one of the params.
    _answer(PersistenceBase, "code_changed", ledger_of, lambda self, job, ledger: ())

    older = Job.outputs_older_than_script_or_notebook

    async def outputs_older_than_script_or_notebook(self: Any) -> AsyncIterator[Any]:
        if not ledger_of(self):
            async for file in older(self):
                yield file

    Job.outputs_older_than_script_or_notebook = outputs_older_than_script_or_notebook

    slow = Job.output_mintime.fget

    async def output_mintime(self: Any) -> Any:
        return None if ledger_of(self) else await slow(self)

    Job.output_mintime = property(output_mintime)


def give_no_advice_on_reruns() -> None:
    """Leave out Snakemake's advice to look at times alone, or to wipe its records: here neither decides."""
    Workflow.log_provenance_info = lambda self: None


def _answer(
    asked: type, name: str, ledger_of: Callable[[Any], Ledger | None], answer: Callable[[Any, Any, Ledger], Any]
) -> None:
    """Answer a question that Snakemake asks of a job from the ledger of its results, where there is one."""
    slow = getattr(asked, name)

    def answered(self: Any, job: Any, file: Any = None) -> Any:
        ledger = ledger_of(job)
        if ledger is None:
            return slow(self, job) if file is None else slow(self, job, file=file)
        return answer(self, job, ledger)

    setattr(asked, name, answered)


def _stands_in(rules: Path, basedir: Any) -> bool:
    """Whether the rule file of a job, whose folder Snakemake knows, is one of ours."""
    return isinstance(basedir, LocalSourceFile) and Path(basedir.get_path_or_uri(secret_free=True)).resolve() == rules


def _lies_in(folder: Any, results: Any) -> bool:
    return bool(len(results)) and results[0].startswith(f"{folder}/")


def _named(inputs: Any) -> Iterator[tuple[str | None, str]]:
    """List files with the names that they have in the rule; but what is called temporary is made from the others."""
    for name, item in inputs._allitems():
        if name == TEMPORARY:
            continue
        if isinstance(item, str):
            yield name, str(item)
        else:
            for path in item:
                yield name, str(path)
