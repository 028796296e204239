"""A line a job, with what is left; everything else as the engine words it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from soundproof.runs.terminal import Course, OneLineAJob, duration

WORDS = {
    "train": "Train {wildcards.detector} on {wildcards.part}.",
    "score": "Score {wildcards.part}",
    "all": "",
}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def record(event: str | None, message: str = "", level: int = logging.INFO, **said: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message, "levelno": level, "event": event, **said})


def begun(job: int, rule: str, **wildcards: str) -> logging.LogRecord:
    return record("job_info", jobid=job, rule_name=rule, wildcards=wildcards, input=["a"], output=["b"])


def said(formatter: OneLineAJob, *records: logging.LogRecord) -> list[str]:
    return [formatter.format(one) for one in records if formatter.filter(one)]


class Full(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"full:{record.getMessage()}:{','.join(getattr(record, 'input', []))}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def terminal(clock) -> OneLineAJob:
    return OneLineAJob(Full(), WORDS, dry=False, course=Course(clock))


def test_a_job_is_a_line_with_percent_and_time_left(terminal, clock):
    stats = record("run_info", "Job stats: ...", stats={"train": 3, "score": 1, "total": 4})
    assert said(terminal, stats) == ["4 jobs to run"]
    assert said(terminal, begun(1, "train", detector="ae", part="fan", seed="0")) == [
        "[  0 %] Train ae on fan (seed 0)"
    ]
    clock.now = 60.0
    assert said(terminal, record("job_finished", job_id=1), record("progress", done=1, total=4)) == []
    # two trainings of 60 s, and a score that counts as the mean job
    assert said(terminal, begun(2, "train", detector="ae", part="gear")) == [
        "[ 25 %, about 3 min left] Train ae on gear"
    ]


def test_jobs_side_by_side_shorten_the_time_left(clock):
    course = Course(clock)
    course.plan({"train": 6})
    course.start(1, "train")
    course.start(2, "train")
    clock.now = 10.0
    assert [course.finish(1), course.finish(2)] == [False, False]
    # four of 10 s, two at a time
    assert course.seconds_left() == pytest.approx(20) and course.percent() == 33


def test_a_failed_job_is_not_done(terminal):
    said(terminal, record("run_info", stats={"score": 2, "total": 2}), begun(1, "score", part="fan"))
    files = [f"clip_{n}.wav" for n in range(2459)]
    error = record("job_error", "Error in rule score", logging.ERROR, jobid=1, rule_name="score", input=files)
    assert said(terminal, error) == [
        "full:Error in rule score:clip_0.wav,clip_1.wav,clip_2.wav,... and 2456 more"
    ]
    assert terminal.course.percent() == 0 and len(error.input) == 2459


def test_the_last_job_is_said(terminal):
    said(terminal, record("run_info", stats={"score": 1, "all": 1, "total": 2}), begun(1, "score", part="x"))
    assert said(terminal, record("job_finished", job_id=1), begun(0, "all")) == []
    assert said(terminal, record("job_finished", job_id=0)) == ["[100 %] All jobs are done."]


def test_the_last_line_says_what_to_open(terminal, tmp_path):
    terminal.page = str(tmp_path / "my run" / "index.html")
    assert said(terminal, record("job_finished", job_id=-1)) == []
    said(terminal, record("run_info", stats={"all": 1, "total": 1}), begun(0, "all"))
    # another target was asked for, and there is no page
    assert said(terminal, record("job_finished", job_id=0)) == ["[100 %] All jobs are done."]
    (tmp_path / "my run").mkdir()
    (tmp_path / "my run" / "index.html").touch()
    said(terminal, record("run_info", stats={"all": 1, "total": 1}), begun(0, "all"))
    (line,) = said(terminal, record("job_finished", job_id=0))
    assert f"Open {terminal.page}, or: ./run python -m soundproof open '{tmp_path}/my run'" in line


def test_where_nothing_is_to_be_done_it_says_what_to_open_too(terminal, tmp_path):
    page = tmp_path / "index.html"
    terminal.page = str(page)
    assert said(terminal, record(None, "Nothing to be done.")) == ["full:Nothing to be done.:"]
    page.touch()
    (line,) = said(terminal, record(None, "Nothing to be done."))
    assert line.startswith(f"full:Nothing to be done.: Open {page}, or: ./run python -m soundproof open")
    # a dry run is about what would be done
    terminal.dry = True
    assert said(terminal, record(None, "Nothing to be done.")) == ["full:Nothing to be done.:"]


def test_warnings_and_errors_are_the_engines_own(terminal):
    assert said(terminal, record(None, "Select jobs to execute...")) == []
    assert said(terminal, record(None, "Nothing to be done")) == ["full:Nothing to be done:"]
    assert said(terminal, record(None, "Building DAG of jobs is slow", logging.WARNING)) != []


def test_outputs_that_a_failed_job_keeps_are_not_listed(terminal):
    for text in (
        "Cannot restore a.parquet: no backup found.",
        "Restored previous version of a.parquet (...).",
    ):
        assert said(terminal, record(None, text, logging.WARNING)) == []


def test_a_dry_run_lists_jobs_in_full_but_not_thousands_of_inputs():
    terminal = OneLineAJob(Full(), WORDS, dry=True)
    job = record("job_info", "rule x", jobid=1, rule_name="x", wildcards={}, input=list("abcdefg"))
    assert said(terminal, job) == ["full:rule x:a,b,c,... and 4 more"]
    assert said(terminal, record("run_info", "Job stats", stats={"x": 1})) == ["full:Job stats:"]


def test_after_an_interrupt_nothing_is_added(terminal):
    terminal.interrupted = True
    assert said(terminal, record("job_error", "x", logging.ERROR, jobid=1, input=[]), begun(2, "score")) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (89, "89 s"), (100, "2 min"), (5300, "88 min"), (7800, "2 h 10 min")]
)
def test_durations_have_a_fitting_unit(seconds, words):
    assert duration(seconds) == words
