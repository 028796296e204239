"""A run that was killed, in another folder and with another number of cores, ends with the same numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest
from checkout import NOTHING, STUDY, timed


def start(checkout, *options):
    """Start Snakemake in a process group of its own, which dies as a whole."""
    return subprocess.Popen(
        ["snakemake", *options],
        cwd=checkout.path,
        env=checkout.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_when(process, ready, limit_s=300):
    deadline = time.monotonic() + limit_s
    while not ready():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "the run did not get that far"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(finished, fresh):
    study = fresh.path / STUDY
    log = fresh.path / "results/bench/logs/train_detector/tiny/all/ae/seed0.log"
    process = start(fresh, "--cores", "1")
    kill_when(process, log.exists)
    # as if the job had died while it wrote under the final name, which our own writers never do
    model = study / "models/all/ae/seed0.safetensors"
    assert not model.exists()
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_bytes(b"half a file")

    fresh.snakemake("--unlock")
    fresh.snakemake("--cores", "1")
    assert NOTHING in fresh.dry_run()
    ours, undisturbed = fresh.digests(), finished.digests()
    assert set(ours) == set(undisturbed)
    assert [name for name in ours if ours[name] != undisturbed[name] and not timed(name)] == []
