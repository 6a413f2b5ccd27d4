"""Batches: many jobs that Snakemake sends to a cluster as one."""

from __future__ import annotations

from typing import Any


def keep_batches_going(workflow: Any) -> None:
    """Let the other jobs of a batch run when one has failed.

    The Snakemake that runs a batch on a node of the cluster reads no profile, and would stop at the first failure.
    """
    if workflow.remote_exec:
        workflow.execution_settings.keep_going = True
