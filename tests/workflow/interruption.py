"""Runs that are killed, with everything they started, each time in the middle of a job of the rule that is due."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from checkout import Checkout

_STARTED = re.compile(r"^(?:local)?rule (\w+):\n((?:    .*\n)*?)    jobid: (\d+)\n", re.MULTILINE)
_OUTPUT = re.compile(r"^    output: (.*)$", re.MULTILINE)
# behind a name in the log, as in "map.parquet (update)"
_FLAG = re.compile(r" \(\w+\)$")
_LOG = re.compile(r"^    log: (\S+)", re.MULTILINE)
_FINISHED = re.compile(r"^Finished jobid: (\d+)", re.MULTILINE)
_LOOK_S = 0.02


@dataclass(frozen=True)
class Begun:
    """A job that a run has begun."""

    rule: str
    outputs: tuple[str, ...]
    log: str


class Run:
    """Snakemake in a process group of its own."""

    def __init__(self, checkout: Checkout, said: Path, *options: str) -> None:
        self.said = said
        self.checkout = checkout
        self.killed = False
        self._logs = checkout.path / ".snakemake/log"
        self._earlier = set(self._logs.glob("*"))
        with said.open("w") as stream:
            self.process = subprocess.Popen(
                ["snakemake", *options],
                cwd=checkout.path,
                env=checkout.environment(),
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self) -> str:
        """Snakemake's own log so far, which has every word; the terminal gets a line a job."""
        new = sorted(set(self._logs.glob("*.snakemake.log")) - self._earlier)
        return new[0].read_text() if new else ""

    def jobs(self) -> tuple[dict[str, Begun], set[str]]:
        """Each job that began, in order, by its number in this run; and the numbers of those that have ended."""
        said = self.log()
        begun = {
            number: Begun(rule, tuple(_FLAG.sub("", name) for name in output[1].split(", ")), log[1])
            for rule, body, number in _STARTED.findall(said)
            if (output := _OUTPUT.search(body)) and (log := _LOG.search(body))
        }
        return begun, set(_FINISHED.findall(said))

    def working(self) -> list[Begun]:
        """Jobs that have begun and not ended."""
        begun, ended = self.jobs()
        return [job for number, job in begun.items() if number not in ended]

    def wait_for_work(self, job: Begun) -> None:
        """Wait until a job that has just begun has loaded its libraries, when it opens its log, or has ended."""
        log = self.checkout.path / job.log
        before = _changed(log)
        while self.process.poll() is None and _changed(log) == before and job in self.working():
            time.sleep(_LOOK_S / 4)

    def let_work(self, job: Begun, longest_s: float) -> None:
        """Wait for a time, or until a job has ended."""
        until = time.monotonic() + longest_s
        while time.monotonic() < until and job in self.working():
            time.sleep(_LOOK_S / 4)

    def stop(self) -> None:
        """Let the whole group stand still, where it is."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End the whole group without warning, and wait until the last of it is gone."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.killed = True
        self.process.wait()
        deadline = time.monotonic() + 30
        while _any_left(self.process.pid):
            assert time.monotonic() < deadline, "a process outlived its kill signal"
            time.sleep(_LOOK_S)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Interruptions:
    """Kills that are to come: each hits a job of the rule that it is meant for, at a moment that is drawn.

    The run is stopped, looked at, and killed only if the job is still at work. A rule whose jobs have all ended
    before one was hit, whatever the reason, has its last one undone, which is killed as soon as it begins again.

    Attributes:
        due: Kills that are to come, by rule.
        jobs: Number of jobs of each rule.
        rng: Draws whether a job is killed after its beginning or after its imports, and how long after.
        longest_s: Longest such time.
        hit: Kills so far, by the rule that they were meant for and hit.
        died: Jobs that died, by rule: those at work beside the one that was meant, too.
        repeated: Outputs of jobs that had ended, and began again in a later attempt.
        resumed: What those attempts said that followed a kill.
    """

    due: Counter[str]
    jobs: Counter[str]
    rng: random.Random
    longest_s: float
    hit: Counter[str] = field(default_factory=Counter)
    died: Counter[str] = field(default_factory=Counter)
    repeated: list[tuple[str, ...]] = field(default_factory=list)
    resumed: list[Path] = field(default_factory=list)
    _at_once: set[str] = field(default_factory=set)
    _begun: list[Begun] = field(default_factory=list)
    _ended: dict[tuple[str, ...], Begun] = field(default_factory=dict)

    @classmethod
    def spread(cls, jobs: dict[str, int], kills: int, seed: int, longest_s: float) -> Interruptions:
        """One kill for each rule; the others for the rules by their numbers of jobs.

        Args:
            jobs: Number of jobs of each rule.
            kills: Number of kills, at least one for each rule.
            seed: Decides which rules are hit more than once, and the moments.
            longest_s: Longest time between the beginning of a job, or the end of its imports, and the kill.
        """
        rng = random.Random(seed)
        assert kills >= len(jobs), f"{kills} kills cannot hit {len(jobs)} rules"
        more = rng.choices(list(jobs), weights=list(jobs.values()), k=kills - len(jobs))
        return cls(Counter([*jobs, *more]), Counter(jobs), rng, longest_s)

    def run_to_the_end(
        self, checkout: Checkout, folder: Path, *options: str, look: Callable[[], None] = lambda: None
    ) -> list[Path]:
        """Start the same command again and again, until no kill is due and it ends by itself.

        Args:
            checkout: Where it runs.
            folder: Where to keep what each attempt said.
            options: Options of Snakemake.
            look: Called after each kill, while nothing runs.

        Returns:
            What each attempt said.
        """
        said: list[Path] = []
        while True:
            said.append(folder / f"attempt{len(said)}.log")
            run = Run(checkout, said[-1], *options)
            goes_on = self._watch(run)
            if run.killed:
                self.resumed.append(folder / f"attempt{len(said)}.log")
            if goes_on:
                look()
                continue
            assert run.process.returncode == 0, said[-1].read_text()[-6000:]
            return said

    def _watch(self, run: Run) -> bool:
        """Kill the run in the middle of a job that is due; False if the run ended, and no kill is to come."""
        before = set(self._ended)
        goes_on = self._kill_when_due(run)
        begun, _ = run.jobs()
        self.repeated += [job.outputs for job in begun.values() if job.outputs in before]
        return goes_on

    def _kill_when_due(self, run: Run) -> bool:
        tried: set[Begun] = set()
        while run.process.poll() is None:
            if self._missed(run):
                run.kill()
                break
            meant = next((job for job in run.working() if self.due[job.rule] and job not in tried), None)
            if meant is None:
                time.sleep(_LOOK_S)
                continue
            tried.add(meant)
            if meant.rule not in self._at_once:
                if self.rng.random() < 0.5:
                    run.wait_for_work(meant)
                run.let_work(meant, self.rng.uniform(0, self.longest_s))
            run.stop()
            at_work = run.working()
            if meant in at_work:
                self._account(run)
                run.kill()
                self.due[meant.rule] -= 1
                self.hit[meant.rule] += 1
                self.died.update(job.rule for job in at_work)
                return True
            run.go_on()
        missed = self._missed(run)
        if not missed or (run.process.returncode and not run.killed):
            return False
        self._at_once.update(job.rule for job in missed)
        self._undo(run.checkout, min(map(self._begun.index, missed)))
        return True

    def _missed(self, run: Run) -> list[Begun]:
        """Last job of each rule that a kill is due for and no job of which is to come."""
        self._account(run)
        count = Counter(job.rule for job in self._ended.values())
        last = {job.rule: job for job in self._begun if job.outputs in self._ended}
        return [job for rule, job in last.items() if self.due[rule] and count[rule] >= self.jobs[rule]]

    def _account(self, run: Run) -> None:
        """Note which jobs have begun, in order, and which of them have ended, over all attempts."""
        begun, ended = run.jobs()
        self._begun += [job for job in begun.values() if job not in self._begun]
        self._ended |= {job.outputs: job for number, job in begun.items() if number in ended}

    def _undo(self, checkout: Checkout, first: int) -> None:
        """Remove what a job has made, by its number, and what was begun after it, which may have used it."""
        for later in self._begun[first:]:
            had_ended = self._ended.pop(later.outputs, None) is not None
            for output in later.outputs:
                path = checkout.path / output
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=not had_ended)
        del self._begun[first:]
