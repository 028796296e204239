"""Who is alive in a folder of runs. Runs are processes here as well: what counts is how their locks end."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from soundproof.runs import dead_locks as alive

HOST = platform.node()
RUN = """
import sys
from pathlib import Path
from soundproof.runs.dead_locks import enter
standing = enter(Path(sys.argv[1]))
notes = Path(sys.argv[1], "locks")
notes.mkdir(exist_ok=True)
(notes / "0.output.lock").write_text("results/bench/index.html")
print("cleared" if standing.cleared else "not cleared", *standing.alive, flush=True)
sys.stdin.read()
"""


class Run:
    def __init__(self, state: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().split()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / ".snakemake"


def enter(state: Path) -> alive.Standing:
    standing = alive.enter(state)
    assert standing.handle is not None
    os.close(standing.handle)
    return standing


def test_notes_of_a_killed_run_are_removed(state: Path) -> None:
    run = Run(state)
    assert run.said == ["not", "cleared"]
    run.kill()
    assert (state / "locks").is_dir()
    assert enter(state).cleared
    assert not (state / "locks").exists()
    assert not enter(state).cleared


def test_notes_of_a_run_that_is_alive_stay(state: Path) -> None:
    run = Run(state)
    standing = enter(state)
    assert not standing.cleared and standing.alive == (f"{HOST}:{run.process.pid}",)
    assert (state / "locks/0.output.lock").is_file()
    run.kill()


def test_one_of_two_runs_is_enough_to_keep_notes(state: Path) -> None:
    first, second = Run(state), Run(state)
    first.kill()
    standing = enter(state)
    assert not standing.cleared and f"{HOST}:{second.process.pid}" in standing.alive
    # the dead one is not said to be at work
    assert f"{HOST}:{first.process.pid}" not in standing.alive
    second.kill()
    assert enter(state).cleared


def test_notes_that_may_be_of_another_host_stay(state: Path) -> None:
    # on a network file system without locks between hosts, that run cannot be seen
    Run(state).kill()
    (state / alive.NAME).write_text(f"{HOST}:12\nelsewhere-{HOST}:77\n")
    assert not enter(state).cleared
    assert not enter(state).cleared
    assert (state / "locks").is_dir()
    # --unlock removes the notes: from then on this host can tell again
    (state / "locks/0.output.lock").unlink()
    assert not enter(state).cleared
    Run(state).kill()
    assert enter(state).cleared


def test_notes_stay_where_a_cluster_may_still_work(state: Path) -> None:
    # these jobs outlive Snakemake, and remove their outputs if they are cancelled
    marks = state / "incomplete" / "deep"
    marks.mkdir(parents=True)
    (marks / "b3V0cHV0").write_text('{"external_jobid": "17"}')
    Run(state).kill()
    assert not enter(state).cleared and (state / "locks").is_dir()
    (marks / "b3V0cHV0").write_text('{"external_jobid": null}')
    (marks / "b3RoZXI=").write_text('{"exter')
    # a job that has started has overwritten its mark; Slurm's log of it is there until it succeeds
    log = state / "slurm_logs" / "rule_score_clips" / "17.log"
    log.parent.mkdir(parents=True)
    log.touch()
    assert not enter(state).cleared and (state / "locks").is_dir()
    log.unlink()
    assert enter(state).cleared


def test_a_folder_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert alive.enter(tmp_path / "file" / ".snakemake") == alive.Standing(None)
