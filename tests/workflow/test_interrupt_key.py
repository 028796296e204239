"""Ctrl-C ends in a line that says how to go on."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest
from checkout import STUDY
from interruption import Run

from soundproof.storage.files import is_partial

CLIPS = STUDY / "clips.parquet"


@pytest.fixture(autouse=True)
def key_is_heard():
    """Tests that a shell started in the background ignore the key, and so does what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("delay", [0, 0.02, 0.1])
def test_an_interrupt_ends_in_one_line_and_the_same_command_goes_on(fresh, tmp_path, delay):
    said = tmp_path / "said"
    run = Run(fresh, said, "--cores", "1", str(CLIPS))
    while not (jobs := run.working()):
        assert run.process.poll() is None
        time.sleep(0.005)
    # in the middle of a job, however quick the machine, and to every process of the terminal, as the key does
    run.let_work(jobs[0], delay)
    run.stop()
    assert run.working()
    os.killpg(run.process.pid, signal.SIGINT)
    run.go_on()
    assert run.process.wait(timeout=120) == 1
    text = said.read_text()
    assert text.rstrip().endswith("Everything that is finished is kept: the same command goes on from here.")
    assert "Traceback" not in text and "Error" not in text and "failed" not in text
    assert not [path for path in fresh.path.rglob("*") if is_partial(path)]
    again = fresh.snakemake("--cores", "1", str(CLIPS))
    assert "killed" not in again and "--unlock" not in again
    assert (fresh.path / CLIPS).exists() and "[100 %] All jobs are done" in again


@pytest.mark.parametrize("after_s", [0.4, 0.8, 1.2])
def test_an_interrupt_before_any_job_ends_without_a_traceback(fresh, after_s):
    process = subprocess.Popen(
        ["python", "scripts/start-snakemake.py", "--cores", "1", str(CLIPS)],
        cwd=fresh.path,
        env=fresh.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    # 1 on a machine that had begun a job by then
    assert process.returncode in (130, 1), said
    assert "Interrupted" in said and "Traceback" not in said, said
