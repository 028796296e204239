"""How Snakemake is started: how often its scheduler looks for jobs, counted in a real run of its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

N_JOBS = 8
SNAKEFILE = f"""
rule all:
    input: expand("made/{{n}}", n=range({N_JOBS})), "made/last"

rule each:
    output: "made/{{n,[0-9]+}}"
    shell: "touch {{output}}"

rule last:
    input: expand("made/{{n}}", n=range({N_JOBS}))
    output: "made/last"
    shell: "sleep 3; touch {{output}}"
"""
COUNTING = """
import sys, threading
from soundproof.runs import engine_start
from snakemake.scheduling.job_scheduler import JobScheduler

asked, most = [0], [0]

def count(scheduler, delay):
    asked[0] += 1
    patched(scheduler, delay)
    most[0] = max(most[0], sum(isinstance(thread, threading.Timer) for thread in threading.enumerate()))

start = engine_start._wake_once_at_a_time

def wake_and_count():
    global patched
    if sys.argv[1] == "ours":
        start()
    patched = JobScheduler._schedule_reevalutation
    JobScheduler._schedule_reevalutation = count

engine_start._wake_once_at_a_time = wake_and_count
try:
    engine_start.start_engine(["--cores", "2", "--quiet", "all", *sys.argv[2:]])
except SystemExit as ended:
    print(int(ended.code or 0), asked[0], most[0])
"""


def run(folder: Path, whose: str, *words: str) -> tuple[int, int, int]:
    """Exit status, rounds that asked to be woken, and most wake-ups under way at a time."""
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, whose, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    status, asked, most = map(int, done.stdout.split()[-3:])
    assert (folder / "made/last").exists(), done.stderr
    return status, asked, most


@pytest.mark.slow
def test_the_scheduler_is_woken_once_at_a_time(tmp_path: Path) -> None:
    status, _, most = run(tmp_path / "ours", "ours")
    assert (status, most) == (0, 1)
    # Snakemake's own starts a chain with each job that finishes
    assert run(tmp_path / "theirs", "theirs")[2] > 2


@pytest.mark.slow
def test_a_run_that_waits_for_its_turn_is_woken(tmp_path: Path) -> None:
    # two jobs a second: rounds that may start none end without a job that could wake the next
    status, _, most = run(tmp_path / "slow", "ours", "--max-jobs-per-timespan", "2/1s")
    assert (status, most) == (0, 1)
