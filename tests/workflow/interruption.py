"""Runs that are killed, with everything they started, at planned moments."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from checkout import Checkout

_STARTED = re.compile(r"^(?:local)?rule (\w+):\n((?:    .*\n)*?)    jobid: (\d+)\n", re.MULTILINE)
_OUTPUT = re.compile(r"^    output: (.*)$", re.MULTILINE)
_FINISHED = re.compile(r"^Finished jobid: (\d+)", re.MULTILINE)


class Run:
    """Snakemake in a process group of its own."""

    def __init__(self, checkout: Checkout, said: Path, *options: str) -> None:
        self.said = said
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

    def started(self) -> dict[str, tuple[str, str]]:
        """Rule and outputs of each job that began, by its number in this run."""
        found = {}
        for rule, body, number in _STARTED.findall(self.log()):
            output = _OUTPUT.search(body)
            if output:
                found[number] = rule, output[1]
        return found

    def working(self) -> list[str]:
        """Rules whose jobs are at work."""
        ended = set(_FINISHED.findall(self.log()))
        return [rule for number, (rule, _) in self.started().items() if number not in ended]

    def kill(self) -> None:
        """End the whole group without warning, and wait until the last of it is gone."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + 30
        while _any_left(self.process.pid):
            assert time.monotonic() < deadline, "a process outlived its kill signal"
            time.sleep(0.02)


def _any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Interruptions:
    """Kills that are to come: each when so many jobs of a rule have begun, counted over all attempts.

    Attributes:
        due: (rule, number of its jobs) of each kill.
        rng: Draws the seconds between the start of a job and the kill.
        delay_s: Longest such wait.
        hit: Rules whose jobs died, with the number of times.
        kills: Kills so far.
    """

    due: list[tuple[str, int]]
    rng: random.Random
    delay_s: float
    hit: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    _seen: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def spread(cls, jobs: Mapping[str, int], kills: int, seed: int, delay_s: float) -> Interruptions:
        """One kill for each rule, the others spread over the rules by their numbers of jobs.

        Args:
            jobs: Number of jobs of each rule.
            kills: Number of kills, at least one for each rule.
            seed: Decides which jobs.
            delay_s: Longest wait between the start of a job and the kill.
        """
        rng = random.Random(seed)
        every = [(rule, number) for rule, count in jobs.items() for number in range(1, count + 1)]
        first = [(rule, rng.randint(1, count)) for rule, count in jobs.items()]
        assert len(first) <= kills <= len(every)
        others = [moment for moment in every if moment not in first]
        return cls(first + rng.sample(others, kills - len(first)), rng, delay_s)

    def run_to_the_end(self, checkout: Checkout, folder: Path, *options: str) -> list[Path]:
        """Start the same command again and again, until no kill is due and it ends by itself.

        Args:
            checkout: Where it runs.
            folder: Where to keep what each attempt said.
            options: Options of Snakemake.

        Returns:
            What each attempt said.
        """
        said: list[Path] = []
        while True:
            said.append(folder / f"attempt{len(said)}.log")
            run = Run(checkout, said[-1], *options)
            if self._watch(run):
                continue
            assert run.process.returncode == 0, said[-1].read_text()[-6000:]
            return said

    def _watch(self, run: Run) -> bool:
        """Wait for the next due moment and kill; False if the run ended first."""
        while run.process.poll() is None:
            for rule, outputs in run.started().values():
                self._seen.setdefault(rule, set()).add(outputs)
            begun = {rule for rule, _ in run.started().values()}
            for moment in self.due:
                rule, number = moment
                if rule in begun and len(self._seen[rule]) >= number:
                    time.sleep(self.rng.uniform(0, self.delay_s))
                    self.due.remove(moment)
                    self.hit.update(run.working())
                    run.kill()
                    self.kills += 1
                    return True
            time.sleep(0.05)
        return False
