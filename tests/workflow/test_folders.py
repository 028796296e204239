"""Real folders: what a message says to do is done, and what cannot succeed is not tried again."""

from __future__ import annotations

import re
import shlex

from test_own_recordings import record

from soundproof.storage.tables import read_table

CLIPS = "results/recordings-hall/recordings/clips.parquet"


def test_what_the_message_about_several_machines_says_is_done(fresh, tmp_path):
    for machine in ("fan", "press 2"):
        record(tmp_path / "hall" / machine, {"train/normal": 3, "test/normal": 1, "test/anomaly": 1})
    options = ("--config", f"recordings={tmp_path / 'hall'}")
    done = fresh.command("snakemake", "--cores", "1", "--retries", "2", *options, "--", CLIPS, check=False)
    assert done.returncode != 0
    assert "also fan (5 clips), press_2 (5 clips)" in done.stdout
    # a second attempt sees that it would end in the same
    assert done.stdout.count("list_clips: not tried again") == 2
    assert "Traceback" not in done.stdout

    said = re.search(r"add to the command:\n\s+(--config .*)", done.stdout)
    assert said
    fresh.snakemake("--cores", "1", *shlex.split(said[1]), "--", CLIPS)
    clips = read_table(fresh.path / CLIPS)
    assert clips.groupby("machine").size().to_dict() == {"fan": 5, "press_2": 5}
    notes = read_table(fresh.path / CLIPS.replace("clips", "notes"))
    assert notes.set_index("subject").loc["Clips", "text"].startswith("10: 6 normal to train on")


def test_too_few_normal_clips_are_said_before_features_are_made(fresh, tmp_path):
    record(tmp_path / "fan", {"train/normal": 2, "test/normal": 1, "test/anomaly": 1})
    features = "results/recordings-fan/recordings/features/all.parquet"
    options = ("--config", f"recordings={tmp_path / 'fan'}", "--", features)
    done = fresh.command("snakemake", "--cores", "1", *options, check=False)
    assert "at least 3 normal training clips (for ae, mae, skip_cae, dense_ae)" in done.stdout
    assert "rule extract_features" not in done.stdout
