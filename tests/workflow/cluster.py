"""A Slurm of two logical nodes on this machine, and what tests ask of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from checkout import Checkout

SCRIPT = Path(__file__).parents[2] / "scripts/slurm-local.sh"
# exit status of the script where there can be no Slurm
CANNOT = 3
PROFILE = ("--workflow-profile", "profiles/slurm")
# this Slurm has no accounting; its jobs take seconds
OPTIONS = (
    *PROFILE,
    *("--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "1"),
    *("--latency-wait", "5"),
)
_FIELD = re.compile(r"(\S+?)=(\S*)")
_STATE = Path("/var/lib/slurm-local")


def wait_for(what: str, ready: Callable[[], object], limit_s: float = 240) -> None:
    deadline = time.monotonic() + limit_s
    while not ready():
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}"
        time.sleep(0.1)


@dataclass(frozen=True)
class Submission:
    """What Slurm says of a submitted job."""

    id: str
    fields: dict[str, str]

    @property
    def state(self) -> str:
        return self.fields["JobState"]

    @property
    def kind(self) -> str:
        """First word of the rule, or name of the group."""
        return _kind(self.fields["Comment"].removeprefix("rule_"))

    def processes(self) -> dict[int, dict[str, str]]:
        """Environment of each process of the job, by process id."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                pairs = (folder / "environ").read_text(errors="replace").split("\0")
            except (OSError, PermissionError):
                continue
            environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
            if environment.get("SLURM_JOB_ID") == self.id:
                found[int(folder.name)] = environment
        return found

    def freeze(self) -> None:
        """Let the job stand still; it can still be cancelled."""
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def at_work(self) -> bool:
        """Whether a rule's script is running, not only the Snakemake around it."""
        for pid in self.processes():
            try:
                if "/.snakemake/scripts/" in Path(f"/proc/{pid}/cmdline").read_text():
                    return True
            except OSError:
                continue
        return False


def _kind(name: str) -> str:
    return re.split("[_.]", name)[0]


def planned_submissions(checkout: Checkout) -> Counter[str]:
    """Number of submissions of each kind that a dry run with the cluster's profile announces."""
    # jobs of a group stand indented below its name
    named = re.findall(
        r"^(?:\[.*\] )?(?:rule (\w+):|Group job (\w+) \()", checkout.dry_run(*OPTIONS), re.MULTILINE
    )
    local = re.search(
        r"^localrules:\n((?:    \w+,\n)+)", (checkout.path / "Snakefile").read_text(), re.MULTILINE
    )
    assert named and local
    return Counter(_kind(rule or group) for rule, group in named if f"    {rule},\n" not in local[1])


def submissions(checkout: Checkout) -> list[Submission]:
    """Submissions from a checkout that Slurm remembers, oldest first."""
    said = subprocess.run(
        ["scontrol", "--oneliner", "show", "job"], capture_output=True, text=True, check=True
    ).stdout
    found = []
    for line in said.splitlines():
        fields = dict(_FIELD.findall(line))
        if fields.get("WorkDir") == str(checkout.path):
            found.append(Submission(fields["JobId"], fields))
    return sorted(found, key=lambda submission: int(submission.id))


def running(checkout: Checkout, after: int = 0) -> Submission | None:
    """Newest submission, if its script runs and ``after`` others went before it."""
    found = submissions(checkout)
    if len(found) > after and found[-1].state == "RUNNING" and found[-1].at_work():
        return found[-1]
    return None


class Run:
    """Snakemake in the background, in a process group of its own."""

    def __init__(self, checkout: Checkout, *options: str) -> None:
        self.checkout = checkout
        self._output = checkout.path / "output.txt"
        with self._output.open("w") as stream:
            self.process = subprocess.Popen(
                ["snakemake", *OPTIONS, *options],
                cwd=checkout.path,
                env=checkout.environment(),
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._output.read_text()

    def at_work(self, after: int = 0) -> Submission:
        """Wait until the script of a submission runs that ``after`` others went before."""
        found: list[Submission] = []

        def started() -> bool:
            assert self.process.poll() is None, f"the run ended too early:\n{self.said[-4000:]}"
            found[:] = [submission] if (submission := running(self.checkout, after)) else []
            return bool(found)

        wait_for(f"submission {after + 1} to run", started)
        return found[0]

    def ended(self, limit_s: float = 300) -> int:
        return self.process.wait(timeout=limit_s)

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def cancel(submission: Submission) -> None:
    subprocess.run(["scancel", submission.id], check=True)


def kill_node(submission: Submission) -> None:
    """Kill the daemon of the node that a job runs on, and the job, as a power cut does."""
    node = submission.fields["NodeList"]
    # daemons first: a step whose process dies before them would still be reported as failed
    pids = [int((_STATE / f"slurmd.{node}.pid").read_text())]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "cmdline").read_text()
        except OSError:
            continue
        if name.startswith(f"slurmstepd: [{submission.id}."):
            pids.append(int(folder.name))
    pids += submission.processes()
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
