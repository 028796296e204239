"""A folder of recordings goes through every stage, and what cannot be measured is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from checkout import per_rule

from soundproof.storage.maps import MapReader
from soundproof.storage.tables import read_table

KEPT = {"detectors": ("ae", "clip_level"), "explainers": ("error_map", "random_map")}
RATE_HZ = 16_000


def record(folder: Path, counts: dict[str, int]) -> None:
    """Write ``counts`` (sub-folder: number) clips of 2 s: hum in noise, knocking where anomalous."""
    rng = np.random.default_rng(5)
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    for where, count in counts.items():
        (folder / where).mkdir(parents=True)
        for index in range(count):
            sound = 0.1 * np.sin(2 * np.pi * 120 * time) + 0.02 * rng.standard_normal(len(time))
            if "anomaly" in where:
                sound[8000:8400] += 0.3 * rng.standard_normal(400)
            soundfile.write(folder / where / f"clip_{index}.wav", sound, RATE_HZ)


def small(study: dict, folder: Path, **changes: object) -> dict:
    """Overrides that leave one auto-encoder, one control and two explainers."""
    removed = {
        section: dict.fromkeys(name for name in study[section] if name not in kept)
        for section, kept in KEPT.items()
    }
    removed["detectors"]["ae"] = {"epochs": 1}
    return {**removed, "dataset": {"folder": str(folder)}, "seeds": [0], **changes}


def test_one_setting_plans_both_studies(fresh, tmp_path):
    record(tmp_path / "fan", {"train/normal": 1, "test/normal": 1, "test/anomaly": 1})
    counts = per_rule(fresh.planned("--config", f"recordings={tmp_path / 'fan'}"))
    assert counts["list_clips"] == counts["write_report"] == 2


@pytest.mark.slow
def test_recordings_run_and_a_test_set_without_anomalies_is_said(fresh, tmp_path):
    record(tmp_path / "with", {"train/normal": 8, "test/normal": 2, "test/anomaly": 2})
    record(tmp_path / "without", {"train/normal": 8, "test/normal": 3})
    study = yaml.safe_load((fresh.path / "config/studies/recordings.yaml").read_text())
    overrides = {
        "recordings": small(study, tmp_path / "with"),
        "recordings_level": small(study, tmp_path / "without", explain={"clips": "test"}),
    }
    settings = {"run": "own", "studies": list(overrides), "overrides": overrides}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(settings))
    fresh.snakemake("--cores", "2", "--configfile", str(tmp_path / "own.yaml"))

    run = fresh.path / "results/own"
    numbers = json.loads((run / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert 0 <= numbers["recordings"]["detection"]["ae"] <= 1
    assert numbers["recordings"]["explanation"]["ae"]["error_map"]
    assert numbers["recordings_level"]["detection"] == {}
    pages = {name: (run / name / "index.html").read_text() for name in overrides}
    for fact in (
        "12: 8 normal to train on; 2 normal and 2 anomalous to test with",
        "24 s in clips of 2 s",
        "16000 Hz (12 clips)",
        "64 bands x 80 frames, 2 s at 40 frames per second",
        "2 of 2 anomalous test clips",
    ):
        assert fact in pages["recordings"]
    assert "0 of 0 anomalous test clips; 3 of 3 normal ones" in pages["recordings_level"]
    # no labelled events: faithfulness is measured, localisation gives its reason
    assert "Not available" in (run / "recordings/tables/T2_temporal_f1.md").read_text()
    detection = (run / "recordings_level/tables/T1_detection.md").read_text()
    assert "Not available" in detection and "anomal" in detection
    for page in run.rglob("*.md"):
        assert "nan" not in page.read_text().lower().split(), page


# what a shell, a program's options, a template, a page, a spreadsheet or a pattern would take for something else
ODD_NAMES = (
    *("$(touch pwned)", "`touch pwned`", "; touch pwned; rm -rf results", "&& touch pwned", "| tee pwned"),
    *("--help", "-rf", "{", "%s %(x)s", "<img src=x onerror=alert(1)>", "=cmd|calc", "* ?[x]", "~"),
    *("a'b\"c", "a\\b", "tab\there", "Ω \u202egnp", "normal_id_00", "clip"),
)


def test_names_of_recordings_are_names_and_nothing_else(fresh, tmp_path):
    rng = np.random.default_rng(8)
    for where in ("train/normal", "test/normal", "test/anomaly"):
        (tmp_path / "odd" / where).mkdir(parents=True)
        for name in ODD_NAMES:
            sound = 0.1 * rng.standard_normal(2 * RATE_HZ)
            soundfile.write(tmp_path / "odd" / where / f"{name}.wav", sound, RATE_HZ)
    before = sorted(path.name for path in fresh.path.iterdir())
    folder = fresh.path / "results/recordings-odd/recordings"
    options = ("--config", f"recordings={tmp_path / 'odd'}", "studies=recordings", "--")
    fresh.snakemake("--cores", "1", *options, str(folder.relative_to(fresh.path) / "features/all.parquet"))

    clips = read_table(folder / "clips.parquet")
    assert sorted(clips["path"]) == sorted(
        f"{where}/{name}.wav"
        for where in ("train/normal", "test/normal", "test/anomaly")
        for name in ODD_NAMES
    )
    # names that go into file names and tables are plain ones
    assert clips["clip_id"].is_unique and clips["clip_id"].str.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*").all()
    assert MapReader(folder / "features/all.parquet").clip_ids == clips["clip_id"].tolist()
    # nothing was run, removed or made
    assert sorted({*before, "results", ".snakemake"}) == sorted(path.name for path in fresh.path.iterdir())
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("two\nlines", "a line break"),
        ("{study}", "a word in braces"),
        ("bad\udcff", "bytes that are no UTF-8"),
    ],
)
def test_a_name_that_the_workflow_cannot_carry_is_refused(fresh, tmp_path, name, said):
    record(tmp_path / "odd", {"train/normal": 1, "test/normal": 1, "test/anomaly": 1})
    shutil.copy(tmp_path / "odd/train/normal/clip_0.wav", tmp_path / f"odd/train/normal/{name}.wav")
    options = ("--config", f"recordings={tmp_path / 'odd'}")
    done = fresh.command("snakemake", "--dry-run", *options, check=False)
    assert done.returncode != 0
    assert f"found: {said} in its name" in done.stdout and "to do: rename it" in done.stdout
    assert "Traceback" not in done.stdout
