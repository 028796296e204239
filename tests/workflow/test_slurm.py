"""The workflow on a real Slurm: the same numbers as here, and what happens when jobs, nodes or Snakemake die."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from checkout import NOTHING, STUDY, differing
from cluster import (
    CANNOT,
    OPTIONS,
    SCRIPT,
    Run,
    cancel,
    kill_node,
    planned_submissions,
    submissions,
    wait_for,
)
from filelock import FileLock

# a busy machine takes its time; one Slurm serves all of these tests
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SCORES = STUDY / "scores/all.parquet"
MAPS = STUDY / "attributions/random_map/all/ae/seed0.parquet"
OTHER_MAPS = STUDY / "attributions/error_map/all/ae/seed0.parquet"


@pytest.fixture(scope="module", autouse=True)
def slurm():
    """Two nodes that are up; they stay down when the tests end. Other such tests on this machine wait."""
    with FileLock(Path(tempfile.gettempdir()) / "slurm-local.lock"):
        up = subprocess.run([SCRIPT, "up"], capture_output=True, text=True, check=False)
        if up.returncode == CANNOT and "SOUNDPROOF_NEEDS_SLURM" not in os.environ:
            pytest.skip(up.stderr.strip())
        assert up.returncode == 0, up.stderr
        yield
        subprocess.run([SCRIPT, "down"], check=True)


@pytest.fixture
def start():
    """Start a run that does not outlive the test."""
    runs = []

    def begin(*arguments):
        runs.append(Run(*arguments))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill()
        for submission in submissions(run.checkout):
            if submission.state in ("PENDING", "RUNNING"):
                cancel(submission)


def same(checkout, finished, name):
    return (checkout.path / name).read_bytes() == (finished.path / name).read_bytes()


def test_a_run_on_the_cluster_ends_with_the_same_bytes(finished, fresh):
    planned = planned_submissions(fresh)
    # the short ones share submissions, downloads and pages are made where Snakemake runs
    assert planned["train"] and planned["explain"] == planned["report"] == 1
    assert not {"write", "index", "all"} & set(planned)
    fresh.snakemake(*OPTIONS)
    assert NOTHING in fresh.dry_run()
    assert differing(fresh.digests_of_run(), finished.digests_of_run()) == []
    submitted = submissions(fresh)
    assert Counter(submission.kind for submission in submitted) == planned
    assert {submission.state for submission in submitted} == {"COMPLETED"}
    assert {submission.fields["Partition"] for submission in submitted} == {"cpu"}
    assert max(int(submission.fields["NumCPUs"]) for submission in submitted) == 2


def test_jobs_for_a_gpu_ask_slurm_for_one(copy):
    wanted = STUDY / "faithfulness/all/ae/seed0.parquet"
    for name in (wanted, MAPS, OTHER_MAPS):
        (copy.path / name).unlink()
    run = ("snakemake", *OPTIONS, "--retries", "0", "--config", "device=cuda", "--", str(wanted))
    done = copy.command(*run, check=False)
    # no GPU is here: the job that got a pretended one says so
    assert done.returncode != 0
    assert "finds no GPU" in done.stdout
    [submission] = submissions(copy)
    assert f"SLURM job {submission.id}: FAILED on n" in done.stdout
    assert submission.kind == "explain"
    # two jobs that compute on it take turns
    assert submission.fields["TresPerJob"] == "gres:gpu:1"
    assert submission.fields["Partition"] == "gpu"


def test_a_cancelled_job_is_tried_again_and_reported_when_no_try_is_left(finished, copy, start):
    (copy.path / SCORES).unlink()
    run = start(copy, str(SCORES))
    first = run.at_work()
    environments = first.processes().values()
    assert "" in {environment.get("CUDA_VISIBLE_DEVICES") for environment in environments}
    cancel(first)
    second = run.at_work(after=1)
    # the second attempt may use more
    assert second.fields["TimeLimit"] == "01:00:00" and first.fields["TimeLimit"] == "00:30:00"
    cancel(second)
    assert run.ended() != 0
    assert "Trying to restart" in run.said
    assert f"SLURM job {second.id}: CANCELLED on n" in run.said
    assert "results/bench/logs/score_clips/tiny/all.log" in run.said
    assert not (copy.path / SCORES).exists()

    run = start(copy, str(SCORES))
    cancel(run.at_work(after=2))
    assert run.ended() == 0
    assert "Trying to restart" in run.said
    assert same(copy, finished, SCORES)


def test_a_node_that_dies_is_reported_and_its_job_runs_when_it_is_back(finished, copy, start):
    (copy.path / SCORES).unlink()
    run = start(copy, "--retries", "0", str(SCORES))
    submission = run.at_work()
    kill_node(submission)
    assert run.ended() != 0
    assert f"SLURM job {submission.id}: NODE_FAIL on {submission.fields['NodeList']}" in run.said
    assert not (copy.path / SCORES).exists()

    subprocess.run([SCRIPT, "up"], check=True)
    copy.snakemake(*OPTIONS, str(SCORES))
    assert submissions(copy)[-1].state == "COMPLETED"
    assert same(copy, finished, SCORES)


def test_a_killed_snakemake_goes_on_with_what_was_finished(finished, copy, start):
    model = STUDY / "models/all/clip_level/seed0.safetensors"
    for name in (model, SCORES):
        (copy.path / name).unlink()
    run = start(copy, str(SCORES))
    training = run.at_work()
    scoring = run.at_work(after=1)
    assert (training.kind, scoring.kind) == ("fit", "score")
    # so that it cannot end before it is looked at
    scoring.freeze()
    run.kill()
    trained = (copy.path / model).stat()

    # its jobs live on, so the folder stays locked
    locked = copy.command("snakemake", *OPTIONS, str(SCORES), check=False)
    assert locked.returncode != 0 and "--unlock" in locked.stdout
    assert submissions(copy)[-1].state == "RUNNING"
    cancel(scoring)
    wait_for("the orphan to end", lambda: submissions(copy)[-1].state == "CANCELLED")
    copy.snakemake("--unlock")
    copy.snakemake(*OPTIONS, str(SCORES))
    assert [submission.kind for submission in submissions(copy)] == ["fit", "score", "score"]
    assert (copy.path / model).stat().st_mtime_ns == trained.st_mtime_ns
    assert same(copy, finished, SCORES) and same(copy, finished, model)
