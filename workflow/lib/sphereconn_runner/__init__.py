"""How Snakemake runs the study: planned quickly, scripts in forks of one interpreter, progress in a person's words.

It knows nothing of connectomes, and without it everything runs the same, only slower; but for `reruns`, by which the
ledger of the results decides what runs again, in any release of Snakemake and in a module.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import snakemake

ADAPTED_RELEASES = range(18, 28)  # minor releases of Snakemake 9: CI tests the oldest and the newest


class Unadapted:
    """Snakemake as it is: what there is to do at the start, and when something has failed."""

    def tell_what_is_missing(self, told: Callable[[], str | None]) -> None:
        """Leave it to Snakemake to say that an input is missing."""

    def tell_cost(self, told: Callable[[Any], Iterable[str]], weights: Callable[[Any], Iterable[float]]) -> None:
        """Say in a dry run and at the start what the planned steps cost, and on the way how long the rest may take.

        Here, not at all. ``told`` gives the sentences and ``weights`` the cost of each step; both are called with the
        steps as `progress.Planned`.
        """

    def before_jobs(self, act: Callable[[], None]) -> None:
        """Act before the first job of a module, whose own hooks Snakemake leaves out; here, not at all."""

    def start(self, runs: Collection[str], logs: Sequence[str]) -> None:
        """Do nothing when the jobs of these runs start."""

    def tell_failures(self) -> None:
        """Say nothing when they have failed."""


class Module(Unadapted):
    """Snakemake of a host, which stays as it is."""

    def before_jobs(self, act: Callable[[], None]) -> None:
        """Act before the first job, not in a dry run."""
        _before_jobs(lambda scheduler: None if scheduler.dryrun else act())


def _before_jobs(act: Callable[[Any], None]) -> None:
    from snakemake.scheduling.job_scheduler import JobScheduler

    schedule = JobScheduler.schedule

    def act_and_schedule(self: Any) -> Any:
        act(self)
        return schedule(self)

    JobScheduler.schedule = act_and_schedule


def _go_on_after_a_failure(scheduler: Any) -> None:
    scheduler.keepgoing = True


def adapt(workflow: Any, scripts: Path, library: Path) -> Unadapted:
    """Adapt Snakemake to a study of many small jobs, in the releases that this is made for.

    Where the study is a module of another workflow, that workflow and all that Snakemake does for it stay as they are;
    only our own scripts are run differently.

    Parameters
    ----------
    workflow
        Snakemake's.
    scripts
        The folder of our own scripts.
    library
        The folder of the modules that they import.
    """
    major, minor, *_ = snakemake.__version__.split(".")
    if major != "9" or int(minor) not in ADAPTED_RELEASES:
        return Unadapted()
    from sphereconn_runner.scripts import ScriptServer, run_scripts_warm

    server = ScriptServer(str(library))
    run_scripts_warm(server, scripts)
    if not workflow.modifier.is_main_snakefile():
        return Module()

    from sphereconn_runner.batches import keep_batches_whole
    from sphereconn_runner.locks import keep_locks_of_others
    from sphereconn_runner.missing import tell_what_is_missing
    from sphereconn_runner.planning import plan_quickly
    from sphereconn_runner.progress import Planned, Progress, list_few_steps, say_all
    from sphereconn_runner.reruns import give_no_advice_on_reruns
    from sphereconn_runner.scheduler import calm_scheduler, fit_into_limits, let_terminate, notice_interruption

    class Adapted(Unadapted):
        """Snakemake as adapted."""

        progress = Progress()
        told: Callable[[Any], Iterable[str]] = staticmethod(lambda planned: ())
        weights: Callable[[Any], Iterable[float]] = staticmethod(lambda planned: (0.0 for _ in planned.jobs))

        def tell_cost(self, told: Callable[[Any], Iterable[str]], weights: Callable[[Any], Iterable[float]]) -> None:
            self.told, self.weights = told, weights

        def tell_what_is_missing(self, told: Callable[[], str | None]) -> None:
            tell_what_is_missing(told)

        def start(self, runs: Collection[str], logs: Sequence[str]) -> None:
            server.start()
            fit_into_limits(workflow)
            calm_scheduler(workflow)
            let_terminate(workflow)
            notice_interruption(server.pass_on)
            if workflow.is_main_process:
                planned = Planned(workflow)
                weight = dict(zip((job.jobid for _, job in planned.jobs), self.weights(planned), strict=True))
                self.progress.watch(workflow, runs, logs, weight)
                say_all(self.told(planned))

        def tell_failures(self) -> None:
            self.progress.tell_failures()

    # The Snakemake processes that run batches on a cluster start with `python -m`, which would put the working folder
    # first on the path of modules.
    os.environ["PYTHONSAFEPATH"] = "1"
    # They read no profile, and would stop at the first failure in a batch.
    if workflow.remote_exec:
        _before_jobs(_go_on_after_a_failure)
        keep_batches_whole()
    plan_quickly()
    adapted = Adapted()
    list_few_steps(lambda planned: adapted.told(planned))
    give_no_advice_on_reruns()
    keep_locks_of_others()
    return adapted
