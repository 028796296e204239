"""What the workflow engine's log records say on the terminal: a line a job, while the log file keeps every word."""

from __future__ import annotations

import logging
import re
import shlex
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHOWN_FILES = 3
_NOTHING = "Nothing to be done"
_PLACE = re.compile(r"\{wildcards\.(\w+)\}")
# what a run says of its own machinery
_MACHINERY = {"job_finished", "progress", "job_started", "resources_info", "workflow_started", "shellcmd"}
_CHATTER = (
    "Select jobs to execute",
    "Building DAG of jobs",
    "Conda environments: ignored",
    "Using shell:",
)
# said of each output of a failed job that keeps those that still fit
_UNDONE = ("Cannot restore ", "Restored previous version of ")


@dataclass
class Course:
    """How far a run is, and how long the rest will take.

    The time left is the mean time of a rule's jobs, summed over those that are still to come, with as many at
    a time as ran so far. A rule of which no job has ended counts as much as the mean job.

    Attributes:
        clock: Gives seconds.
        to_come: Number of jobs of each rule that have not ended.
    """

    clock: Callable[[], float] = time.monotonic
    to_come: Counter[str] = field(default_factory=Counter)
    _total: int = 0
    _begin: float | None = None
    _running: dict[int, tuple[str, float]] = field(default_factory=dict)
    _took: dict[str, list[float]] = field(default_factory=dict)

    def plan(self, jobs: Mapping[str, int]) -> None:
        """Take note of the number of jobs of each rule."""
        self.to_come = Counter(jobs)
        self._total = self.to_come.total()

    def start(self, job: int, rule: str) -> None:
        """A job has begun."""
        now = self.clock()
        self._begin = now if self._begin is None else self._begin
        self._running[job] = rule, now

    def finish(self, job: int) -> bool:
        """A job has ended well; True for the last."""
        if job in self._running:
            rule, since = self._running.pop(job)
            self._took.setdefault(rule, []).append(self.clock() - since)
            self.to_come[rule] -= 1
        return self._total > 0 and self.to_come.total() == 0

    def drop(self, job: int) -> None:
        """A job has failed; it may come again."""
        self._running.pop(job, None)

    def percent(self) -> int:
        """Share of the jobs that have ended."""
        return 100 * (self._total - self.to_come.total()) // self._total if self._total else 0

    def seconds_left(self) -> float | None:
        """Estimate; None as long as no job has ended."""
        every = [seconds for found in self._took.values() for seconds in found]
        if not every or self._begin is None:
            return None
        mean = sum(every) / len(every)
        means = {rule: sum(found) / len(found) for rule, found in self._took.items()}
        now = self.clock()
        begun = sum(now - since for _, since in self._running.values())
        work = sum(count * means.get(rule, mean) for rule, count in self.to_come.items())
        at_a_time = max(1.0, (sum(every) + begun) / max(now - self._begin, 1e-9))
        return max(0.0, work - begun) / at_a_time


class OneLineAJob(logging.Formatter):
    """Words the engine's records. It is a filter as well, which stops those that have nothing to say.

    Args:
        full: The engine's own formatter, for all that is not about a job that begins.
        words: What each rule does, with ``{wildcards.NAME}`` where a job differs from the next.
        dry: Nothing is run: jobs are listed in the engine's words, with long lists of files cut.
        course: How far the run is.
        page: Page of the run, which is what to open when all is done; empty: none.

    Attributes:
        interrupted: The run was ended by its user, who is told so elsewhere; nothing more is said.
    """

    def __init__(
        self,
        full: logging.Formatter,
        words: Mapping[str, str],
        dry: bool,
        course: Course | None = None,
        page: str = "",
    ) -> None:
        super().__init__()
        self.full, self.words, self.dry = full, words, dry
        self.course = Course() if course is None else course
        self.page = page
        self.interrupted = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Take note of how the run goes; False for what need not be said."""
        if self.dry:
            return True
        event, said = _event(record), vars(record)
        if event == "run_info" and said.get("stats"):
            self.course.plan({rule: count for rule, count in said["stats"].items() if rule != "total"})
        elif event == "job_info":
            self.course.start(said["jobid"], said["rule_name"])
            # a rule without words only gathers others
            return bool(self.words.get(said["rule_name"])) and not self.interrupted
        elif event == "job_finished":
            return self.course.finish(said.get("job_id", -1)) and not self.interrupted
        elif event == "job_error":
            self.course.drop(said["jobid"])
        chatter = not event and record.levelno < logging.WARNING and str(record.msg).startswith(_CHATTER)
        undone = not event and str(record.msg).startswith(_UNDONE)
        return not (self.interrupted or event in _MACHINERY or chatter or undone)

    def format(self, record: logging.LogRecord) -> str:
        """Word a record; its event is an attribute that the engine sets."""
        event, said = _event(record), vars(record)
        if not self.dry and event == "job_info":
            return self._line(said)
        if not self.dry and event == "run_info" and said.get("stats"):
            return f"{self.course.to_come.total()} jobs to run"
        if not self.dry and event == "job_finished":
            return f"[100 %] All jobs are done.{self._what_to_open()}"
        if not self.dry and record.getMessage().startswith(_NOTHING):
            return f"{self.full.format(record)}{self._what_to_open()}"
        # of a dry run the outputs are what is asked for
        long = {"job_info": ["input"], "job_error": ["input", "output"]}.get(event, [])
        return self.full.format(_with_short_lists(record, long))

    def _what_to_open(self) -> str:
        """Nothing where the page is not there, since something else was asked for."""
        page = Path(self.page)
        if not page.is_file():
            return ""
        return f" Open {page}, or: ./run python -m soundproof open {shlex.quote(str(page.parent))}"

    def _line(self, said: Mapping[str, Any]) -> str:
        left = self.course.seconds_left()
        remaining = "" if left is None else f", about {duration(left)} left"
        return f"[{self.course.percent():3d} %{remaining}] {self._words(said)}"

    def _words(self, said: Mapping[str, Any]) -> str:
        rule, wildcards = said["rule_name"], dict(said["wildcards"] or {})
        template = self.words.get(rule) or rule
        named = set(_PLACE.findall(template))
        sentence = _PLACE.sub(lambda found: str(wildcards.get(found[1], found[0])), template)
        others = ", ".join(f"{name} {value}" for name, value in wildcards.items() if name not in named)
        sentence = sentence.strip().removesuffix(".")
        return f"{sentence} ({others})" if others else sentence


def _event(record: logging.LogRecord) -> str:
    return str(getattr(record, "event", None) or "")


def duration(seconds: float) -> str:
    """Seconds in words of a fitting size: ``40 s``, ``6 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _with_short_lists(record: logging.LogRecord, names: Sequence[str]) -> logging.LogRecord:
    """Copy a record, with the first files only of the lists ``names``."""
    cut = {}
    for name in names:
        files = list(getattr(record, name, None) or [])
        if len(files) > SHOWN_FILES + 1:
            cut[name] = [*files[:SHOWN_FILES], f"... and {len(files) - SHOWN_FILES} more"]
    return logging.makeLogRecord({**vars(record), **cut}) if cut else record
