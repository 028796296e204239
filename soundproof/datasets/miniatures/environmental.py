"""Small ESC-50 and UrbanSound8K of the true names: faults of the bench as events, its machines as backgrounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from soundproof.datasets.bench.settings import FAULTS_BY_MACHINE
from soundproof.datasets.environmental.classes import ESC_CLASSES, URBAN_CLASSES
from soundproof.datasets.miniatures.sound import stand_in, write_wav
from soundproof.randomness.seeding import seed_from
from soundproof.storage.files import whole_file

RATE_HZ = 44_100
ESC_FOLDS, ESC_SECONDS = 5, 5.0
URBAN_RECORDINGS, URBAN_SLICES, URBAN_SECONDS = 10, 2, 4.0
_MACHINES = tuple(FAULTS_BY_MACHINE)


def write_esc50(folder: Path, categories: Iterable[str]) -> None:
    """Write classes that are not there yet, a clip per fold, and the list of all clips that are there.

    A clip is the fault of a synthesised machine without the machine: sound between zeros, as in ESC-50.
    """
    audio = folder / "audio"
    for category in dict.fromkeys(categories):
        number = ESC_CLASSES.index(category)
        bench = stand_in(
            _MACHINES[number % len(_MACHINES)],
            seed_from("esc50 miniature", category),
            train_clips=0,
            test_normal=0,
            test_anomaly=ESC_FOLDS,
            seconds=ESC_SECONDS,
            sample_rate_hz=RATE_HZ,
        )
        for fold, clip_id in enumerate(bench.clips()["clip_id"], start=1):
            path = audio / f"{fold}-{_recording(category, fold)}-A-{number}.wav"
            if not path.is_file():
                _write(path, bench.stems(clip_id).fault)
    rows = []
    for path in sorted(audio.iterdir()):
        of_fold, recording, take, target = path.stem.split("-")
        category = ESC_CLASSES[int(target)]
        rows.append((path.name, of_fold, target, category, category in _ESC10, recording, take))
    columns = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
    _write_list(folder / "meta" / "esc50.csv", rows, columns)


def write_urban(folder: Path, categories: Iterable[str]) -> None:
    """Write classes that are not there yet, slices of some recordings each, and the list of all that are there."""
    for category in dict.fromkeys(categories):
        number = URBAN_CLASSES.index(category)
        bench = stand_in(
            _MACHINES[number % len(_MACHINES)],
            seed_from("urbansound8k miniature", category),
            train_clips=URBAN_SLICES,
            test_normal=0,
            test_anomaly=0,
            seconds=URBAN_SECONDS,
            sample_rate_hz=RATE_HZ,
            ids_per_machine=URBAN_RECORDINGS,
        )
        for rank, clip_id in enumerate(bench.clips()["clip_id"]):
            fold, part = rank // URBAN_SLICES + 1, rank % URBAN_SLICES
            name = f"{_recording(category, fold)}-{number}-0-{part}.wav"
            path = folder / "audio" / f"fold{fold}" / name
            if not path.is_file():
                _write(path, bench.read(clip_id).samples)
    rows = []
    for path in sorted((folder / "audio").rglob("*.wav")):
        recording, target, _, slice_number = path.stem.split("-")
        start = URBAN_SECONDS * int(slice_number)
        place = (start, start + URBAN_SECONDS, 1, path.parent.name.removeprefix("fold"))
        rows.append((path.name, recording, *place, target, URBAN_CLASSES[int(target)]))
    columns = ("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class")
    _write_list(folder / "metadata" / "UrbanSound8K.csv", rows, columns)


_ESC10 = frozenset(
    {"dog", "rooster", "rain", "sea_waves", "crackling_fire", "crying_baby", "sneezing", "clock_tick"}
    | {"helicopter", "chainsaw"}
)


def _recording(category: str, fold: int) -> int:
    """A number as Freesound has them."""
    return 100_000 + seed_from("recording", category, fold) % 300_000


def _write(path: Path, samples: np.ndarray) -> None:
    peak = float(np.abs(samples).max())
    with whole_file(path) as partial:
        write_wav(partial, samples * min(1.0, 0.5 / peak), RATE_HZ)


def _write_list(path: Path, rows: Sequence[tuple[object, ...]], columns: Sequence[str]) -> None:
    with whole_file(path) as partial:
        pd.DataFrame(rows, columns=list(columns)).to_csv(partial, index=False, lineterminator="\n")
