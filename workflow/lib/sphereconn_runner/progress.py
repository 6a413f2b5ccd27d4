"""Say what a study costs, how far a long one is, how long the rest may take, and at its end what failed and why.

It listens to what Snakemake logs of its jobs. Nothing depends on it: when it fails itself, it falls silent.
"""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake.logging import logger
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from sphereconn_runner.scheduler import INTERRUPTED

SECONDS_BETWEEN_LINES = 10.0
# What Snakemake says at the end, where a person has read what failed, or that the study was interrupted.
SAID_BY_US = ("At least one job did not complete successfully", "Exiting because a job execution failed")
MANY_STEPS = 200  # more are not listed on the screen one by one
LITTLE_SPACE = 1 << 20  # bytes on the disk
LEAST_DONE = 0.05  # of the cost of a study: before, nothing is said of the time left
LISTED_FAILURES, LISTED_STEPS = 20, 3
ROUTINE = {LogEvent.JOB_INFO, LogEvent.JOB_FINISHED, LogEvent.SHELLCMD}
NOTHING_TO_KNOW = ("Select jobs to execute", "Removing temporary output")
TOLD_BETTER = {LogEvent.JOB_STARTED, LogEvent.PROGRESS}  # by what each job says of itself, and by our own line


def list_few_steps(told: Callable[[Planned], Iterable[str]] = lambda planned: ()) -> None:
    """Let a dry run of many steps count them without listing them one by one, unless it is `--verbose`.

    ``told`` gives the lines that a dry run says at its end.
    """
    list_all = JobScheduler.schedule

    def schedule(self: Any) -> Any:
        steps = len(self.workflow.dag)
        if not self.dryrun:
            return list_all(self)
        lines, done = list(told(Planned(self.workflow))), True  # steps that are listed are no longer planned
        if steps <= MANY_STEPS or logger.level <= logging.DEBUG:
            done = list_all(self)
        else:
            logger.info(f"{steps:,} steps, too many to list (--verbose lists them).")
            _filter_screen(_first_told)
        say_all(lines)
        return done

    JobScheduler.schedule = schedule


@dataclass(frozen=True)
class Planned:
    """The steps that Snakemake has planned."""

    workflow: Any

    @property
    def steps(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Of each step its kind, the name of its rule and its wildcards."""
        return ((kind, job.rule.name, job.wildcards_dict) for kind, job in self.jobs)

    @property
    def jobs(self) -> Iterator[tuple[str, Any]]:
        """Of each step its kind and Snakemake's job; steps without a script are left out.

        The kind is the name of the script; that of the rule where the script depends on parameters.
        """
        kind: dict[str, str] = {}
        for job in self.workflow.dag.needrun_jobs():
            name = job.rule.name
            if name not in kind:
                script = Path(str(job.rule.script)).stem if job.rule.script else ""
                kind[name] = name if "{" in script else script
            if kind[name]:
                yield kind[name], job

    @property
    def cores(self) -> int | None:
        """How many they may use; None on a cluster, and in a dry run that is told of jobs as one for a cluster is."""
        settings = self.workflow.resource_settings
        local = self.workflow.local_exec and not self.workflow.dryrun
        return settings.cores if local or settings.nodes is None else None

    @property
    def replaced(self) -> Iterator[str]:
        """The results that they write anew."""
        return (file for job in self.workflow.dag.needrun_jobs() for file in job.output)


def _filter_screen(shown: Callable[[logging.LogRecord], bool]) -> None:
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(shown)


def _first_told(record: logging.LogRecord) -> bool:
    """Whether this is new: after a dry run Snakemake counts the steps again and refers to its list of them."""
    return getattr(record, "event", None) != LogEvent.RUN_INFO and not str(record.msg).startswith("Reasons:")


def say_all(lines: Iterable[str]) -> None:
    """Say each line on the screen."""
    for line in lines:
        logger.info(line)


class Progress(logging.Handler):
    """How far the jobs of a Snakemake run are."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: Collection[str] = ()
        self._jobs: set[int] = set()  # their numbers
        self._run: dict[int, str] = {}
        self._weight: Mapping[int, float] = {}
        self._finished: set[int] = set()
        self._left_of_run: Counter[str] = Counter()
        self._started: dict[int, float] = {}  # when each running job has
        self._taken = self._worked = 0.0  # the seconds and the weight of the jobs that have ended
        self._message: dict[int, str] = {}  # what a running job says of itself
        self._failed: dict[int, tuple[str, list[str]]] = {}  # its message and its logs
        self._told: set[str] = set()  # reasons
        self._begin = self._last_line = 0.0

    def watch(
        self, workflow: Any, runs: Collection[str], logs: Sequence[str] = (), weight: Mapping[int, float] | None = None
    ) -> None:
        """Start to listen, when Snakemake has decided which jobs there are.

        Parameters
        ----------
        workflow
            Snakemake's.
        runs
            The runs of the study; a job belongs to the one that a wildcard of it names. A run is finished with the last
            of its jobs that have a priority; its figures may come later.
        logs
            Where Snakemake lists all jobs.
        weight
            About what each job costs, by its number: those left and those done tell how much time is left.
        """
        with suppress(Exception):
            self._runs = runs
            self._weight = weight or {}
            if not workflow.is_main_process:
                return
            self._expect(workflow.dag.needrun_jobs())
            logger.addHandler(self)
            if logger.level > logging.DEBUG:
                _filter_screen(self.shown)
            if len(self._jobs) > MANY_STEPS:
                listed = f", listed one by one in {logs[0]}" if logs else ""
                _say(f"{len(self._jobs):,} steps{listed}.")

    def _expect(self, jobs: Iterable[Any]) -> None:
        for job in jobs:
            self._jobs.add(job.jobid)
            for run in set(map(str, job.wildcards)).intersection(self._runs if job.priority else ()):
                self._run[job.jobid] = run
                self._left_of_run[run] += 1
        self._begin = self._last_line = time.monotonic()

    def shown(self, record: logging.LogRecord) -> bool:
        """Whether a record goes to the screen: no routine of many steps, and no failure that we tell ourselves."""
        event = getattr(record, "event", None)
        if event in (LogEvent.ERROR, LogEvent.JOB_ERROR) and INTERRUPTED.is_set():
            return False
        if event == LogEvent.JOB_ERROR:
            logs = [str(path) for path in getattr(record, "log", None) or ()]
            return getattr(record, "jobid", None) not in self._failed and not _last_lines(logs)
        if event == LogEvent.ERROR and getattr(record, "exception", None) == "RuleException":
            return "CalledProcessError" not in record.getMessage()  # that a script has failed is told by its log
        if (self._failed or INTERRUPTED.is_set()) and any(said in record.getMessage() for said in SAID_BY_US):
            return False
        if event in TOLD_BETTER or str(record.msg).startswith(NOTHING_TO_KNOW):
            return False
        return not (event in ROUTINE and len(self._jobs) > MANY_STEPS)

    def emit(self, record: logging.LogRecord) -> None:
        """Take notice of what has happened to a job."""
        with suppress(Exception):
            event = getattr(record, "event", None)
            if event == LogEvent.JOB_INFO:
                self._message[record.jobid] = record.rule_msg or record.rule_name  # type: ignore[attr-defined]
            elif event == LogEvent.JOB_STARTED:
                self._started.update(dict.fromkeys(record.jobs, time.monotonic()))  # type: ignore[attr-defined]
            elif event == LogEvent.JOB_FINISHED:
                self._finish(record.job_id)  # type: ignore[attr-defined]
            elif event == LogEvent.JOB_ERROR:
                self._fail(record)
            else:
                return
            if time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES:
                self._last_line = time.monotonic()
                _say(self.line())

    def _finish(self, job: int) -> None:
        if job in self._jobs and job not in self._finished:
            self._finished.add(job)
            self._left_of_run[self._run.get(job, "")] -= 1
        self._end(job)
        self._failed.pop(job, None)
        self._message.pop(job, None)

    def _end(self, job: int) -> None:
        if job in self._started:
            self._taken += time.monotonic() - self._started.pop(job)
            self._worked += self._weight.get(job, 0)

    def _fail(self, record: Any) -> None:
        if record.jobid not in self._failed:
            message = self._message.get(record.jobid, record.rule_name)
            logs = [str(path) for path in record.log or ()]
            self._failed[record.jobid] = (message, logs)
            self._end(record.jobid)
            file, reason = _without_file(_reason(logs))
            if reason not in self._told and _last_lines(logs) and not INTERRUPTED.is_set():
                self._told.add(reason)
                logger.error(f"error: {file}{reason.splitlines()[-1].strip()}")

    def line(self) -> str:
        """Say how far the study is and how long the rest may take."""
        parts = [self._steps_done() + " done"]
        if self._run:
            unfinished = sum(left > 0 for run, left in self._left_of_run.items() if run)
            parts.append(f"runs finished: {len(self._runs) - unfinished:,} of {len(self._runs):,}")
        seconds = self._seconds_left()
        if seconds is not None and len(self._finished) < len(self._jobs):
            parts.append(f"about {_duration(seconds)} left")
        if self._failed:
            parts.append(f"{len(self._failed):,} failed")
        return "; ".join(parts)

    def _steps_done(self) -> str:
        return f"{len(self._finished):,} of {len(self._jobs):,} steps"

    def _seconds_left(self) -> float | None:
        """Estimate by what the jobs left cost and how long the others have taken; None while these are too few.

        Of a running job as much is done as its time tells, at the pace of those that have ended.
        """
        total = sum(self._weight.values())
        weight, has_ended = self._weight, self._finished.union(self._failed)
        done = sum(weight.get(job, 0) for job in has_ended)
        if not self._taken or done <= LEAST_DONE * total:
            return None
        now, pace = time.monotonic(), self._worked / self._taken
        running = {job: now - since for job, since in self._started.items() if job not in has_ended}
        done += sum(min(weight.get(job, 0), seconds * pace) for job, seconds in running.items())
        return (now - self._begin) * (total - done) / done

    def tell_failures(self) -> None:
        """Say at the end what failed: the reason from the log, the steps, where the logs are."""
        with suppress(Exception):
            for line in self.failures():
                logger.error(line)

    def failures(self) -> list[str]:
        """Give the failures as lines, those of one reason together."""
        waiting = len(self._jobs) - len(self._finished) - len(self._failed)
        if INTERRUPTED.is_set():
            return ["", f"Interrupted: {self._steps_done()} are done. Run the same command again to continue."]
        if not self._failed:
            return []
        lines = ["", f"{len(self._failed):,} of {len(self._jobs):,} steps failed; {waiting:,} were not done."]
        steps: defaultdict[str, list[tuple[str, str, list[str]]]] = defaultdict(list)
        for message, logs in self._failed.values():
            file, reason = _without_file(_reason(logs))
            steps[reason].append((message, file, logs))
        for reason, failed in list(steps.items())[:LISTED_FAILURES]:
            files = {file for _, file, _ in failed}
            same = files.pop() if len(files) == 1 else ""
            lines.append(f"- {same}{reason}")
            for message, file, logs in failed[:LISTED_STEPS]:
                which = f": {file.removesuffix(': ')}" if file and not same else ""
                lines.append(f"    {message}{which}" + "".join(f" (log: {log})" for log in logs))
            if len(failed) > LISTED_STEPS:
                lines.append(f"    and {len(failed) - LISTED_STEPS:,} more like it")
        if len(steps) > LISTED_FAILURES:
            lines.append(f"- and {len(steps) - LISTED_FAILURES:,} other reasons, in the logs")
        return [
            *lines,
            "Fix the problem named above and run the same command again: finished steps are kept. To leave out a run,"
            " `exclude` it in the configuration.",
        ]


def _without_file(reason: str) -> tuple[str, str]:
    """Part a reason from the file that it begins with, so that one mistake in many files is told once."""
    named = re.match(r"[^\n:]*\.(?:nii|nii\.gz|tsv|json|npy): ", reason, re.IGNORECASE)
    return (named[0], reason[named.end() :]) if named else ("", reason)


def _reason(logs: Sequence[str]) -> str:
    """Give the sentence at the end of a log, or its last lines."""
    if last := _last_lines(logs):
        return last[-1].removeprefix("error: ") if last[-1].startswith("error: ") else "\n  ".join(last)
    with suppress(OSError):
        if any(shutil.disk_usage(Path(path).parent).free < LITTLE_SPACE for path in logs):
            return "No space is left on the disk."
    return "The log says nothing; the job may have been killed for lack of memory or time."


def _last_lines(logs: Sequence[str]) -> list[str]:
    """Give the last lines of the first log that says anything."""
    for path in logs:
        with suppress(OSError):
            lines = [line.rstrip() for line in Path(path).read_text(errors="replace").splitlines() if line.strip()]
            if lines:
                return lines[-3:]
    return []


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute" if seconds > 30 else f"{max(1, round(seconds / 10)) * 10} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _say(text: str) -> None:
    logger.info(text, extra={"quietness": Quietness.PROGRESS})
