"""What is read is what is tracked, by content; paths and names are what was typed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import soundfile
import yaml
from checkout import NOTHING, STUDY, per_rule
from test_own_recordings import RATE_HZ, record

from soundproof.storage.tables import read_table

COUNTS = {"train/normal": 4, "test/normal": 1, "test/anomaly": 1}
RELISTED = {"list_clips": 1, "extract_features": 1}


def replace(path: Path, seed: int) -> None:
    noise = 0.1 * np.random.default_rng(seed).standard_normal(2 * RATE_HZ)
    soundfile.write(path, noise, RATE_HZ, format="WAV")


def test_a_clip_added_replaced_or_deleted_is_noticed_and_a_touched_one_is_not(fresh, tmp_path):
    fan = tmp_path / "fan"
    record(fan, COUNTS)
    (fan / "train/normal/clip_0.wav").rename(fan / "train/normal/CLIP_0.WAV")
    (fan / "train/normal/._clip_1.wav").write_bytes(b"\0\5\26\7")
    replace(fan / "test/anomaly/note.m4a", 1)
    target = "results/recordings-fan/recordings/features/all.parquet"
    words = ("--config", f"recordings={fan}", "studies=recordings", "--", target)
    said = fresh.snakemake("--cores", "1", *words)
    assert "1 sound file is not used: 1 in a format that libsndfile cannot read" in said
    assert "note.m4a" in (fresh.path / "results/recordings-fan/logs/list_clips/recordings.log").read_text()
    clips = read_table(fresh.path / Path(target).parents[1] / "clips.parquet")
    assert "train/normal/CLIP_0.WAV" in set(clips["path"])

    for path in fan.rglob("*.*"):
        path.touch()
    shutil.rmtree(fresh.path / ".snakemake/soundproof.storage.contents.json", ignore_errors=True)
    assert NOTHING in fresh.dry_run(*words)
    shutil.copytree(fan, tmp_path / "kept")

    # as cp -p and rsync -a leave it: another content, an older date
    replace(fan / "train/normal/CLIP_0.WAV", 2)
    os.utime(fan / "train/normal/CLIP_0.WAV", (1_000_000_000, 1_000_000_000))
    assert per_rule(fresh.planned(*words)) == RELISTED
    said = fresh.snakemake("verify", "--cores", "1", *words[:3], check=False)
    assert "recordings or labels have changed since (changed: train/normal/CLIP_0.WAV)" in said

    shutil.copy(tmp_path / "kept/train/normal/CLIP_0.WAV", fan / "train/normal/CLIP_0.WAV")
    assert NOTHING in fresh.dry_run(*words)
    (fan / "train/normal/CLIP_0.WAV").unlink()
    assert per_rule(fresh.planned(*words)) == RELISTED

    # the next machine's folder has the same name: its results do not take the place of the first's
    record(tmp_path / "other/fan", COUNTS)
    other = ("--config", f"recordings={tmp_path / 'other/fan'}", "studies=recordings")
    done = fresh.command("snakemake", "--dry-run", *other, check=False)
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert f"found: those of other recordings, {fan}" in done.stdout and "run=recordings-fan_2" in done.stdout


def test_maps_made_elsewhere_are_read_again_when_they_change(copy):
    (copy.path / "mine").mkdir()
    made = copy.path / STUDY / "attributions/random_map/all/ae/seed0.parquet"
    shutil.copy(made, copy.path / "mine/maps.parquet")
    study = yaml.safe_load((copy.path / "config/studies/tiny.yaml").read_text())
    external = {"kind": "external", "path": "mine/maps.parquet"}
    copy.set_study(explainers={**study["explainers"], "mine": external})
    target = str(STUDY / "attributions/mine/all/ae/seed0.parquet")
    copy.snakemake("--cores", "1", target)
    (copy.path / "mine/maps.parquet").touch()
    assert NOTHING in copy.dry_run(target)
    other = copy.path / STUDY / "attributions/integrated_gradients/all/ae/seed0.parquet"
    shutil.copy(other, copy.path / "mine/maps.parquet")
    os.utime(copy.path / "mine/maps.parquet", (1_000_000_000, 1_000_000_000))
    assert per_rule(copy.planned(target)) == {"attribute_clips": 1}
    said = copy.snakemake("verify", "--cores", "1", check=False)
    assert "maps of 'mine' have changed since (changed: maps.parquet)" in said


def test_a_folder_that_looks_like_a_number_is_the_folder_that_was_typed(fresh):
    for name, count in (("2024_11_05", 1), ("20241105", 2)):
        record(fresh.path / name, {**COUNTS, "train/normal": count})
    said = fresh.dry_run("--config", "recordings=2024_11_05")
    assert "recordings-2024_11_05/recordings/clips.parquet" in said
    assert "20241105" not in said
    done = fresh.command("snakemake", "-n", "--config", "recordings=0412", check=False)
    assert done.returncode != 0 and f"nothing at {fresh.path}/0412" in done.stdout
    (fresh.path / "mine.yaml").write_text("recordings: 2024_11_05\n")
    assert "recordings-2024_11_05/recordings/clips.parquet" in fresh.dry_run("--configfile", "mine.yaml")


def test_settings_that_would_be_lost_are_refused_in_a_few_lines(fresh):
    (fresh.path / "mine.yaml").write_text("run: a\nrun: b\n")
    for words, said in (
        (["--config", "recordings="], "a shell variable that is not set"),
        (["--config", "run=a", "run=b"], "key 'run' after --config"),
        (["--config", "run=a", "--config", "studies=tiny"], "write --config run=a studies=tiny"),
        (["--configfile", "mine.yaml"], "key 'run' is written twice (line 2)"),
        (["--config", "results_dir=out{study}"], "braces"),
    ):
        done = fresh.command("snakemake", "-n", *words, check=False)
        assert done.returncode != 0 and said in done.stdout and "Traceback" not in done.stdout


def test_run_answers_what_snakemake_would_answer_with_a_traceback(fresh):
    (fresh.path / "wide.yaml").write_bytes("run: a\n".encode("utf-16"))
    for words in (
        ["--configfile", "none.yaml"],
        ["--configfile", "wide.yaml"],
        ["--config", "recordings", "/x"],
    ):
        done = fresh.command("./run", "snakemake", "-n", *words, check=False)
        assert done.returncode == 2 and "Traceback" not in done.stdout
        assert "Configuration error: " in done.stdout and "to do: " in done.stdout


def test_a_folder_of_results_may_be_spelt_in_any_way(fresh):
    for spelt in ("out put/", ".//out put", f"{fresh.path}/out put//"):
        said = fresh.dry_run("--config", f"results_dir={spelt}")
        assert "double" not in said and "out put/bench/tiny/clips.parquet" in said
        assert "//bench" not in said and "./out" not in said
