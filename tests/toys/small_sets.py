"""A small instance of every registered data set, as its true tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from soundproof.datasets.open import open_dataset
from soundproof.interfaces.dataset import Dataset
from toys.planer import LABELS, MEMBERS, clip_map


@dataclass(frozen=True)
class SmallSet:
    """How to make a small instance, and what can go wrong with it.

    ``settings`` with ``miniature`` are those of a published set; ``build`` writes the tree of one's own clips
    and returns its settings. ``named`` tells whether a file name outside the scheme must be refused;
    ``counted`` whether numbers of clips are published, so that the small tree must be refused as the whole set.
    """

    settings: Mapping[str, Any] | None = None
    build: Callable[[Path], dict[str, Any]] | None = None
    named: bool = True
    counted: bool = False

    def open(self, kind: str, data_dir: Path) -> Dataset:
        """Make the tree, and open it."""
        data = open_dataset({"kind": kind, **self.choice(data_dir)}, data_dir)
        if hasattr(data, "fetch") and self.settings is not None:
            assert data.fetch() == []
        return data

    def choice(self, data_dir: Path) -> dict[str, Any]:
        if self.build is not None:
            return self.build(data_dir)
        return {**(self.settings or {}), **({} if self.settings is None else {"miniature": True})}

    def placed_by_hand(self, kind: str, made: Dataset, folder: Path, **changes: Any) -> Dataset:
        """Open the tree that ``made`` is, or a copy of it, as a folder of one's own."""
        rest = made.settings.model_dump(mode="json") if self.settings is None else self.settings
        return open_dataset({"kind": kind, **rest, "folder": str(folder), **changes}, folder)


def _recordings(folder: Path) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    for place in ("train/normal", "test/normal", "test/anomaly"):
        (folder / "own" / place).mkdir(parents=True)
        for number in range(2):
            soundfile.write(folder / "own" / place / f"{number}.wav", rng.normal(0, 0.1, 4000), 8000)
    return {"folder": str(folder / "own")}


def _spectrograms(folder: Path) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    for place in ("train/normal", "test/normal", "test/anomaly"):
        (folder / "own" / place).mkdir(parents=True)
        for number in range(2):
            np.save(folder / "own" / place / f"{number}.npy", rng.normal(size=(4, 9)).astype(np.float32))
    return {"folder": str(folder / "own"), "frames_per_second": 10.0, "high_hz": 4000.0}


def _planer(folder: Path) -> dict[str, Any]:
    for name in MEMBERS:
        path = folder / name
        path.parent.mkdir(parents=True)
        torch.save(clip_map(name), path)
    (folder / "labels.csv").write_text(LABELS)
    return {"folder": str(folder / "data"), "labels": str(folder / "labels.csv"), "expected_counts": "any"}


def _dcase(year: int) -> SmallSet:
    sections = {} if year > 2022 else {"sections": ["00"]}
    return SmallSet({"machines": ["fan"], **sections}, counted=year >= 2022)


SMALL_SETS: Mapping[str, SmallSet] = {
    "bench": SmallSet(
        build=lambda folder: {
            "machines": ["fan"],
            "train_clips": 2,
            "test_normal": 1,
            "test_anomaly": 2,
            "seconds": 2.0,
        },
    ),
    "contexts": SmallSet(
        build=lambda folder: {"machines": ["fan_0"], "train_clips": 1, "test_normal": 1, "test_anomaly": 2}
    ),
    "recordings": SmallSet(build=_recordings, named=False),
    "spectrograms": SmallSet(build=_spectrograms, named=False),
    "planer": SmallSet(build=_planer, named=False, counted=True),
    **{f"dcase{year}": _dcase(year) for year in range(2020, 2026)},
    "esc50": SmallSet(
        {"machines": ["rain"], "anomalies": ["dog", "frog"], "test_folds": [4, 5]}, counted=True
    ),
    "urbansound8k": SmallSet({"machines": ["siren"], "anomalies": ["dog_bark"]}),
    "envmix": SmallSet(
        {"machines": ["siren"], "anomalies": ["dog", "frog"], "snr_db": [-6, 6], "one_model_per": ["snr"]},
        counted=True,
    ),
    "envmix_esc10": SmallSet({"machines": ["rain"], "anomalies": ["dog", "frog"], "snr_db": 0}, counted=True),
    "idmt_engine": SmallSet({}, counted=True),
    "tut_rare": SmallSet({"machines": ["gunshot"], "test_clips": 12, "seconds": 2.0}),
    "toyadmos": SmallSet({"machines": ["ToyTrain"], "cases": [2], "seconds": 2.0}),
    "mimii_due": SmallSet({"machines": ["gearbox"], "sections": ["00"]}, counted=True),
    "mimii_dg": SmallSet({"machines": ["bearing"], "sections": ["00"]}),
    "mimii": SmallSet({"machines": ["fan_id_00", "valve_id_02"], "snr_db": [-6, 6]}, counted=True),
}
