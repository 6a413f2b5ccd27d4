"""Keep Snakemake's scheduler from looking for jobs to start more and more often, the more jobs have ended."""

from __future__ import annotations

import sys
from typing import Any

DEFAULT_LIMIT = (100, 1)  # jobs, seconds


def calm_scheduler(workflow: Any) -> None:
    """Lift Snakemake's default limit of 100 job starts a second; a limit that the user has set stays.

    With a limit, each look at the ready jobs orders another one a second later, which orders the next: after a thousand
    jobs the scheduler looks a thousand times a second, and costs as much as the jobs.
    """
    limiter = getattr(getattr(workflow, "scheduler", None), "job_rate_limiter", None)
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == DEFAULT_LIMIT:
        workflow.scheduler.job_rate_limiter = None
        workflow.scheduler.resources["_job_count"] = sys.maxsize
