"""Ctrl-C ends a run at the next moment at which it can be ended cleanly.

An exception raised wherever the key happens to hit gets lost where Snakemake writes a line, for its handler passes
interrupts over, or tears an event loop in two. While jobs are at work it is raised where each of the scheduler's
rounds begins instead, and one such round is started.
"""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


def end_on_interrupt(say: Callable[[], None], end_jobs: Callable[[bool], None]) -> None:
    """End the jobs on Ctrl-C and let Snakemake clear away; a second one ends jobs that take their time.

    Jobs must not hear Ctrl-C themselves.

    Args:
        say: Called at the first one, in the middle of whatever this process is doing.
        end_jobs: Asks all jobs to end, or ends them (True).
    """
    from snakemake.scheduling.job_scheduler import JobScheduler

    interrupted = threading.Event()
    at_work: list[Any] = []
    schedule, begin_round = JobScheduler.schedule, JobScheduler._finish_jobs

    def interrupt(_: int, __: FrameType | None) -> None:
        end_jobs(interrupted.is_set())
        if interrupted.is_set():
            return
        interrupted.set()
        say()
        if not at_work:
            raise KeyboardInterrupt
        # this thread may hold the lock that it takes, and one that starting a thread of `threading` takes
        _thread.start_new_thread(at_work[0]._open_jobs.release, ())

    def schedule_until_interrupted(scheduler: Any) -> bool:
        at_work.append(scheduler)
        try:
            return bool(schedule(scheduler)) and not interrupted.is_set()
        finally:
            at_work.clear()

    def begin_round_unless_interrupted(scheduler: Any) -> None:
        if interrupted.is_set():
            # those that began after the key
            end_jobs(False)
            raise KeyboardInterrupt
        begin_round(scheduler)

    JobScheduler.schedule = schedule_until_interrupted
    JobScheduler._finish_jobs = begin_round_unless_interrupted
    signal.signal(signal.SIGINT, interrupt)
