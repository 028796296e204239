"""Ctrl-C ends in a line that says how to go on."""

from __future__ import annotations

import os
import signal
import time

from checkout import STUDY
from interruption import Run

from soundproof.storage.files import is_partial

CLIPS = STUDY / "clips.parquet"


def test_an_interrupt_ends_in_one_line_and_the_same_command_goes_on(fresh, tmp_path):
    said = tmp_path / "said"
    run = Run(fresh, said, "--cores", "1", str(CLIPS))
    while not run.working():
        assert run.process.poll() is None
        time.sleep(0.005)
    # in the middle of a job, whatever the machine's pace, and to every process of the terminal, as the key does
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
