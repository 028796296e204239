"""A small development set of the true names: machines of the bench as places, its faults as events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from soundproof.datasets.bench.dataset import BenchDataset
from soundproof.datasets.miniatures.sound import stand_in, write_wav
from soundproof.randomness.seeding import seed_from
from soundproof.storage.files import whole_folder

RATE_HZ = 44_100
SCENES = {"beach": "pump", "bus": "gearbox"}
"""Scene of the original, and the machine that stands for it."""
EVENTS = {"babycry": "slide_rail", "glassbreak": "valve", "gunshot": "fan"}
N_TRAIN, N_TEST, N_EVENTS = 6, 3, 3
_EVENT_SECONDS = 3.0


def write_miniature(folder: Path, seconds: float) -> None:
    """Write the tree, if it is not there yet.

    Args:
        folder: Where ``data`` goes.
        seconds: Length of the backgrounds, at least 2.
    """
    target = folder / "data"
    if not target.is_dir():
        with whole_folder(target) as unfinished:
            _write_backgrounds(unfinished / "source_data", seconds)
            _write_events(unfinished / "source_data")


def _write_backgrounds(folder: Path, seconds: float) -> None:
    lists: dict[str, list[dict[str, Any]]] = {"devtrain": [], "devtest": []}
    for number, (scene, machine) in enumerate(SCENES.items()):
        bench = _bench(machine, scene, train_clips=N_TRAIN, test_normal=N_TEST, seconds=max(2.0, seconds))
        clips = bench.clips()
        for rank, (clip_id, split) in enumerate(zip(clips["clip_id"], clips["split"], strict=True)):
            place = f"audio/a{number:02d}{rank}_{30 * rank}_{30 * rank + 30}.wav"
            write_wav(folder / "bgs" / place, bench.read(clip_id).samples, RATE_HZ, subtype="PCM_24")
            lists[f"dev{split}"].append({"classid": number, "classname": scene, "filepath": place})
    for part, rows in lists.items():
        _write_list(folder / "cv_setup" / f"bgs_{part}.yaml", rows)


def _write_events(folder: Path) -> None:
    for part in ("devtrain", "devtest"):
        rows: dict[str, list[dict[str, Any]]] = {}
        for name, machine in EVENTS.items():
            bench = _bench(machine, f"{name} {part}", test_anomaly=N_EVENTS, seconds=_EVENT_SECONDS)
            rows[name] = [
                _write_event(folder / "events" / name, bench, clip_id, f"{part} {name}")
                for clip_id in bench.clips()["clip_id"]
            ]
        _write_list(folder / "cv_setup" / f"events_{part}.yaml", rows)


def _write_event(folder: Path, bench: BenchDataset, clip_id: str, purpose: str) -> dict[str, Any]:
    """Write a recording in which only the fault is heard, and describe it as the original lists do."""
    number = seed_from("tut_rare recording", purpose, clip_id) % 400_000
    fault = bench.stems(clip_id).fault
    sounding = np.flatnonzero(fault)
    write_wav(folder / f"{number}.wav", fault * min(1.0, 0.5 / float(np.abs(fault).max())), RATE_HZ)
    segment = [round(float(sounding[0]) / RATE_HZ, 3), round(float(sounding[-1]) / RATE_HZ, 3)]
    facts = {"filename": f"{number}.wav", "valid_segments": [segment]}
    _write_list(folder / f"{number}.yaml", facts)
    return {"audio_filename": f"{number}.wav", "segment": segment}


def _bench(machine: str, purpose: str, **size: Any) -> BenchDataset:
    none = {"train_clips": 0, "test_normal": 0, "test_anomaly": 0}
    seed = seed_from("tut_rare miniature", purpose)
    return stand_in(machine, seed, **{**none, **size}, sample_rate_hz=RATE_HZ)


def _write_list(path: Path, rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(rows, sort_keys=True), encoding="utf-8")
