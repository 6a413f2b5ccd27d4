"""Batches: many jobs that Snakemake sends to a cluster as one."""

from __future__ import annotations

from typing import Any

from snakemake.scheduling.job_scheduler import JobScheduler


def keep_batches_going(workflow: Any) -> None:
    """Let the other jobs of a batch run when one has failed.

    The Snakemake that runs a batch on a node of the cluster reads no profile, and would stop at the first failure.
    """
    if not workflow.remote_exec:
        return
    start = JobScheduler.__init__

    def start_keeping_going(self: Any, *arguments: Any, **settings: Any) -> None:
        start(self, *arguments, **settings)
        self.keepgoing = True

    JobScheduler.__init__ = start_keeping_going
