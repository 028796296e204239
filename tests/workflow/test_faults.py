"""Faults while the workflow runs: what its user reads, and that nothing is lost or half-written."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from checkout import NOTHING, STUDY
from interruption import Run

from soundproof.storage.files import is_partial
from soundproof.storage.tables import read_provenance

MAPS = STUDY / "attributions/random_map/all/ae/seed0.parquet"
KEPT = "Everything that is finished is kept"


def leave_free(disk: Path, n_bytes: int) -> Path:
    """Fill a disk up to ``n_bytes`` with one file."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    free = os.statvfs(disk)
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - n_bytes))
    return ballast


def half_written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if is_partial(path)]


@pytest.mark.slow
def test_a_full_disk_is_said_and_costs_only_the_job_that_met_it(fresh, finished, mount):
    results = fresh.path / "results"
    results.mkdir()
    mount("-t", "tmpfs", "-o", "size=64m", "none", results)
    features, model = STUDY / "features/all.parquet", STUDY / "models/all/ae/seed0.safetensors"

    for target, rule in ((features, "extract_features"), (model, "train_detector")):
        ballast = leave_free(results, 60_000)
        done = fresh.command("snakemake", "--cores", "1", str(target), check=False)
        assert done.returncode != 0
        assert f"{rule} failed: write " in done.stdout and f"{STUDY.parent}/" in done.stdout
        assert "found: the disk is full: " in done.stdout and " bytes are free there" in done.stdout
        assert "to do: free some room, then run the same command again" in done.stdout
        assert KEPT in done.stdout and "Traceback" not in done.stdout
        assert not (fresh.path / target).exists() and not half_written(results)

        ballast.unlink()
        fresh.snakemake("--cores", "1", str(target))
        name = str(target.relative_to(STUDY))
        assert fresh.digests()[name] == finished.digests()[name]
    # nothing is left of the training but its result
    assert not list(results.rglob("checkpoints/*.pt"))


def test_a_second_run_in_the_same_folder_is_refused_and_disturbs_nothing(copy, finished, tmp_path):
    (copy.path / MAPS).unlink()
    first = Run(copy, tmp_path / "first.log", "--cores", "1", str(MAPS))
    while not first.working():
        assert first.process.poll() is None
        time.sleep(0.05)
    # held where it is, so that it is still at work when the second one asks
    os.killpg(first.process.pid, signal.SIGSTOP)
    second = copy.command("snakemake", "--cores", "1", str(MAPS), check=False)
    os.killpg(first.process.pid, signal.SIGCONT)
    assert second.returncode != 0
    assert (
        "Another run is at work in this folder" in second.stdout and str(first.process.pid) in second.stdout
    )
    assert "wait for it" in second.stdout and "cannot be locked" in second.stdout
    assert first.process.wait() == 0
    assert copy.digests()[str(MAPS.relative_to(STUDY))] == finished.digests()[str(MAPS.relative_to(STUDY))]


def test_read_only_results_are_used_and_said_to_be_read_only(copy, make_read_only):
    before = copy.digests()
    make_read_only(copy.path / "results")
    assert NOTHING in copy.snakemake("--cores", "1")
    copy.replace("config/studies/tiny.yaml", "steps: 4", "steps: 5")
    done = copy.command("snakemake", "--cores", "1", check=False)
    assert done.returncode != 0
    assert "Nothing new can be made here: write to results/bench" in done.stdout
    assert "is read-only for this user" in done.stdout and "--config results_dir=FOLDER" in done.stdout
    assert "Write-protected output files" in done.stdout and "Traceback" not in done.stdout
    assert copy.digests() == before
    # where no file stands in the way, it is the run that stops
    done = copy.command("snakemake", "--cores", "1", "--config", "run=other", check=False)
    assert done.returncode != 0
    assert "Cannot run: write to results/other" in done.stdout and "Traceback" not in done.stdout
    # and nobody is taken for alive or dead after that
    assert "killed" not in copy.snakemake("--dry-run", check=False)


def script_of(run: Run) -> int:
    """Process of the job that a run has at work."""
    while True:
        assert run.process.poll() is None, run.said.read_text()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                group = os.getpgid(int(folder.name))
                words = (folder / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            # the interpreter itself, not the shell that started it
            scripts = [word for word in words[1:] if Path(word).parent.name == "scripts"]
            if group == run.process.pid and "python" in words[0] and scripts:
                return int(folder.name)
        time.sleep(0.05)


def test_a_job_that_the_system_killed_is_said_and_made_anew(copy, finished, tmp_path):
    # this is what the kernel does to the largest process when memory runs out
    (copy.path / MAPS).unlink()
    run = Run(copy, tmp_path / "killed.log", "--cores", "1", str(MAPS))
    os.kill(script_of(run), signal.SIGKILL)
    assert run.process.wait() != 0
    said = run.said.read_text()
    assert "Error in rule attribute_clips" in said and "A job was killed from outside" in said
    assert KEPT in said and "out of memory" in said
    assert not (copy.path / MAPS).exists() and not half_written(copy.path / "results")
    assert "The last run here was killed" not in copy.snakemake("--cores", "1", str(MAPS))
    assert copy.digests()[str(MAPS.relative_to(STUDY))] == finished.digests()[str(MAPS.relative_to(STUDY))]


@pytest.mark.parametrize("year", [1995, 2040])
def test_a_clock_set_wrong_reruns_nothing_and_hides_no_change(copy, year):
    moment = (year - 1970) * 365.25 * 86400
    for folder in ("results", ".snakemake", "config", "soundproof", "workflow_scripts"):
        for path in (copy.path / folder).rglob("*"):
            if path.is_file():
                os.utime(path, (moment, moment))
    assert NOTHING in copy.dry_run()
    # inputs of another age than what is made from them now
    copy.replace("config/studies/tiny.yaml", "steps: 4", "steps: 5")
    maps = STUDY / "attributions/integrated_gradients/all/ae/seed0.parquet"
    copy.snakemake("--cores", "1", str(maps))
    assert read_provenance(copy.path / maps).settings["explainer"]["steps"] == 5
    assert NOTHING in copy.dry_run(str(maps))
