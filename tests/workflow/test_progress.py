"""A long study says how far it is, and at its end what failed and why; a short one says nothing."""

import logging
from types import SimpleNamespace

import pytest
from snakemake.logging import logger
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake_interface_logger_plugins.common import LogEvent

from sphereconn_runner import progress
from sphereconn_runner.progress import MANY_STEPS, Planned, Progress, list_few_steps


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def study(clock):
    """Start a study of runs, each with extraction and drawing, and a report: give its progress.

    An extraction is said to cost 60, a drawing 10 and the report 20.
    """
    handlers, level = list(logger.handlers), logger.level
    said = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())
    logger.setLevel(logging.INFO)

    def start(n_runs):
        runs = [f"sub-{number:03d}" for number in range(n_runs)]
        jobs = [
            job(number, rule, [run, "dmn"])
            for number, (rule, run) in enumerate((rule, run) for rule in ("extract", "draw") for run in runs)
        ]
        jobs.append(job(len(jobs), "write_report", []))
        dag = SimpleNamespace(needrun_jobs=lambda: jobs)
        watching = Progress()
        logger.addHandler(listener)
        weight = {each.jobid: {"extract": 60, "draw": 10, "write_report": 20}[each.rule.name] for each in jobs}
        watching.watch(SimpleNamespace(is_main_process=True, dag=dag), runs, ["complete.log"], weight)
        return watching

    start.said = said
    yield start
    logger.handlers[:] = handlers
    logger.setLevel(level)


def job(number, rule, wildcards):
    priority = 1 if rule == "extract" else 0
    return SimpleNamespace(jobid=number, rule=SimpleNamespace(name=rule), wildcards=wildcards, priority=priority)


def happens(event, **fields):
    logger.info(None, extra={"event": event, **fields})


def started(number, message="Extracting"):
    happens(LogEvent.JOB_STARTED, jobs=[number])
    happens(LogEvent.JOB_INFO, jobid=number, rule_name="extract", rule_msg=message)


def finished(number):
    happens(LogEvent.JOB_FINISHED, job_id=number)


def failed(number, *logs):
    happens(LogEvent.JOB_ERROR, jobid=number, rule_name="extract", log=list(logs))


def test_a_line_says_what_is_done_which_runs_what_is_left_and_what_failed(study, clock):
    watching = study(4)
    for number in range(4):  # one at a time, twice as slow as they are said to be
        started(number)
        clock.now += 120
        finished(number) if number < 3 else failed(number)
    # The figures of a run are not waited for; of four drawings and a report 60 are left.
    assert watching.line() == "3 of 9 steps done; runs finished: 3 of 4; about 2 min left; 1 failed"
    for number in range(4, 8):
        started(number)
        clock.now += 20
        finished(number)
    assert watching.line() == "7 of 9 steps done; runs finished: 3 of 4; about 1 min left; 1 failed"


def test_runs_that_have_nothing_left_to_do_are_finished(study):
    watching = study(4)
    watching._runs = [*watching._runs, "sub-100"]
    assert "runs finished: 1 of 5" in watching.line()


def test_time_left_is_that_of_the_costs_that_are_left_at_the_parallelism_so_far(study, clock):
    watching = study(100)
    for first in (0, 2, 4):
        assert "left" not in watching.line(), "a twentieth is not done"
        started(first)
        started(first + 1)  # two at once
        clock.now += 100
        finished(first)
        finished(first + 1)
    seconds = 300 * (94 * 60 + 100 * 10 + 20) / (6 * 60)
    assert f"about {round(seconds / 60) // 60} h {round(seconds / 60) % 60} min left" in watching.line()


def test_of_steps_whose_cost_is_not_known_no_time_is_told(study, clock):
    watching = study(2)
    watching._weight = {}
    started(0)
    clock.now += 10
    finished(0)
    assert watching.line() == "1 of 5 steps done; runs finished: 1 of 2"


@pytest.mark.parametrize(("after", "said"), [(0, "2 min"), (60, "1 min"), (110, "10 s"), (500, "10 s")])
def test_a_long_last_step_is_done_in_part_while_it_runs(clock, study, after, said):
    watching = study(0)
    watching._weight = {0: 120, 1: 120}
    watching._jobs = {0, 1}
    started(0)
    clock.now += 120
    finished(0)
    started(1)
    clock.now += after
    assert watching.line().endswith(f"about {said} left")


def test_a_line_comes_every_ten_seconds_and_a_short_study_is_quiet(study, clock):
    study(4)
    for number in range(8):
        started(number)
        clock.now += 1
        finished(number)
    assert not any("steps done" in text for text in study.said)
    clock.now += 10
    finished(8)
    assert sum("9 of 9 steps done" in text for text in study.said) == 1


def test_the_routine_of_many_steps_is_not_listed_on_the_screen(study):
    few, many = study(4), study(MANY_STEPS)
    routine = logging.makeLogRecord({"event": LogEvent.JOB_INFO, "msg": "Job 1"})
    error = logging.makeLogRecord({"event": LogEvent.JOB_ERROR, "jobid": 1, "levelno": logging.ERROR})
    other = logging.makeLogRecord({"msg": "Complete log(s): there"})
    assert [few.shown(record) for record in (routine, error, other)] == [True, True, True]
    assert [many.shown(record) for record in (routine, error, other)] == [False, True, True]
    better = [{"event": LogEvent.PROGRESS}, {"event": LogEvent.JOB_STARTED}, {"msg": "Select jobs to execute..."}]
    better.append({"msg": "Removing temporary output results/sub-01/func/sub-01_together-7.npz."})
    assert not any(few.shown(logging.makeLogRecord(fields)) for fields in better)
    assert any("401 steps, listed one by one in complete.log" in text for text in study.said)


def test_failures_of_one_reason_are_told_together_with_their_logs(study, tmp_path):
    watching = study(10)
    for number in range(6):
        log = tmp_path / f"{number}.log"
        same = number < 4
        log.write_text(
            "warning: x\nerror: data/b.nii: it is damaged.\n" if same else "Traceback\n  line\nKeyError: 'a'\n"
        )
        started(number, f"Extracting dmn from sub-{number:03d}")
        failed(number, str(log))
        failed(number, str(log))  # Snakemake says it again at the end
    finished(9)
    lines = watching.failures()
    assert "6 of 21 steps failed; 14 were not done." in lines
    assert lines.count("- data/b.nii: it is damaged.") == 1
    assert f"    Extracting dmn from sub-000 (log: {tmp_path / '0.log'})" in lines
    assert "    and 1 more like it" in lines
    assert "- Traceback\n    line\n  KeyError: 'a'" in lines
    assert [text for text in study.said if "error: " in text] == [
        "error: data/b.nii: it is damaged.",
        "error: KeyError: 'a'",
    ]


def test_one_mistake_in_many_files_is_told_once_with_the_files(study, tmp_path):
    watching = study(10)
    for number in range(4):
        log = tmp_path / f"{number}.log"
        log.write_text(f"error: data/{number}.nii.gz: the confound 'csf' matches no column.\n")
        started(number, f"Extracting dmn from sub-{number:03d}")
        failed(number, str(log))
    lines = watching.failures()
    assert lines.count("- the confound 'csf' matches no column.") == 1
    assert f"    Extracting dmn from sub-001: data/1.nii.gz (log: {tmp_path / '1.log'})" in lines
    assert "    and 1 more like it" in lines


def test_a_failure_that_its_log_explains_is_one_line_on_the_screen_and_the_next_of_its_reason_none(study, tmp_path):
    watching = study(16)
    for number in range(16):
        (tmp_path / f"{number}.log").write_text(f"error: data/{number}.tsv: 'csf' matches no column.\n")
        failed(number, str(tmp_path / f"{number}.log"))
    assert [text for text in study.said if "error: " in text] == ["error: data/0.tsv: 'csf' matches no column."]

    def block(*logs):
        return logging.makeLogRecord({"event": LogEvent.JOB_ERROR, "jobid": 20, "log": list(logs)})

    def exception(message):
        return logging.makeLogRecord({"event": LogEvent.ERROR, "exception": "RuleException", "msg": message})

    assert not watching.shown(block(str(tmp_path / "0.log")))
    assert not watching.shown(exception("RuleException:\nCalledProcessError in file signals.smk"))
    # What no log explains is left to Snakemake.
    assert watching.shown(block(str(tmp_path / "none.log"))) and watching.shown(block())
    assert watching.shown(exception("RuleException:\nMissingOutputException in file signals.smk"))


def test_a_job_that_succeeds_when_it_is_tried_again_has_not_failed(study):
    watching = study(2)
    failed(0)
    finished(0)
    assert watching.failures() == []


def test_a_failure_without_a_word_in_its_log_says_what_it_may_have_been(study, tmp_path):
    watching = study(2)
    (tmp_path / "empty.log").write_text("")
    failed(0, str(tmp_path / "empty.log"))
    failed(1, str(tmp_path / "none.log"))
    assert sum("killed for lack of memory or time" in line for line in watching.failures()) == 1


def test_nothing_that_happens_to_it_breaks_a_run(study):
    watching = study(2)
    happens(LogEvent.JOB_FINISHED, job_id=12345)
    happens(LogEvent.JOB_FINISHED)
    happens(LogEvent.JOB_STARTED, jobs=None)
    happens(LogEvent.JOB_ERROR, jobid=0, rule_name="extract", log=None)
    Progress().watch(SimpleNamespace(is_main_process=True), ["a"])
    watching.tell_failures()
    assert watching.line().startswith("0 of 5 steps done")


def test_a_job_on_a_cluster_says_nothing(study):
    before = list(logger.handlers)
    Progress().watch(SimpleNamespace(is_main_process=False), ["a"])
    assert logger.handlers == before


def test_an_interruption_is_no_failure(study, monkeypatch):
    watching = study(3)
    started(0)
    finished(0)
    failed(1)
    monkeypatch.setattr(progress, "INTERRUPTED", SimpleNamespace(is_set=lambda: True))
    watching.tell_failures()
    failures = [{"event": LogEvent.JOB_ERROR, "jobid": 2}, {"event": LogEvent.ERROR, "exception": "RuleException"}]
    assert not any(watching.shown(logging.makeLogRecord(fields)) for fields in failures)
    assert study.said[-1] == "Interrupted: 1 of 7 steps are done. Run the same command again to continue."


class PlannedJobs(list):
    def needrun_jobs(self):
        return self


def planned(cores=2, nodes=None, local=True, dryrun=False):
    """Give what Snakemake plans for three rules: with a script, with a script for several kinds, with none."""
    scripts = {"test_age_dmn": "../../scripts/test_contrast.py", "draw_matrix": "../draw_{params.kind}.py", "all": None}
    jobs = [
        SimpleNamespace(rule=SimpleNamespace(name=name, script=script), wildcards_dict={"stem": name}, output=[name])
        for name, script in scripts.items()
    ]
    return SimpleNamespace(
        dag=PlannedJobs(jobs),
        resource_settings=SimpleNamespace(cores=cores, nodes=nodes),
        local_exec=local,
        dryrun=dryrun,
        is_main_process=True,
    )


def test_a_step_is_of_the_kind_of_its_script():
    assert list(Planned(planned()).steps) == [
        ("test_contrast", "test_age_dmn", {"stem": "test_age_dmn"}),
        ("draw_matrix", "draw_matrix", {"stem": "draw_matrix"}),
    ]


@pytest.mark.parametrize(
    ("settings", "cores"),
    [
        ({}, 2),
        ({"dryrun": True}, 2),
        ({"nodes": 100}, 2),
        ({"nodes": 100, "dryrun": True}, None),
        ({"nodes": 100, "local": False}, None),
    ],
)
def test_the_cores_of_a_cluster_are_not_known(settings, cores):
    assert Planned(planned(**settings)).cores == cores


def test_what_a_study_costs_is_said_in_a_dry_run_and_a_mistake_in_it_is_not_hidden(study, monkeypatch):
    monkeypatch.setattr(JobScheduler, "schedule", lambda self: True)
    scheduler = SimpleNamespace(dryrun=True, workflow=planned())
    list_few_steps(lambda plan: [f"{len(list(plan.steps))} steps on {plan.cores} cores."])
    study(1)
    assert JobScheduler.schedule(scheduler)
    assert study.said[-1] == "2 steps on 2 cores."
    list_few_steps(lambda plan: [str(1 / 0)])
    with pytest.raises(ZeroDivisionError):
        JobScheduler.schedule(scheduler)
