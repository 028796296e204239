"""Synthesised sound that stands for a real machine's, so that miniatures of data sets can be written offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from soundproof.datasets.bench.dataset import BenchDataset
from soundproof.datasets.bench.settings import FAULTS_BY_MACHINE, BenchParameters

STAND_INS = {
    "ToyCar": "gearbox",
    "ToyTrain": "slide_rail",
    "ToyConveyor": "slide_rail",
    "bearing": "fan",
    "fan": "fan",
    "gearbox": "gearbox",
    "pump": "pump",
    "slider": "slide_rail",
    "valve": "valve",
}
"""Machine of the bench that stands for a machine type; types not named are fans."""


def stand_in(machine: str, seed: int, **size: Any) -> BenchDataset:
    """Return a bench of one machine.

    Args:
        machine: Machine type of the data set, or of the bench.
        seed: Seed of the bench, any size.
        size: Settings of the bench: numbers of clips, length, rate, SNR.
    """
    values = {
        **size,
        "machines": (STAND_INS.get(machine, machine if machine in FAULTS_BY_MACHINE else "fan"),),
        "seed": seed % 2**31,
    }
    return BenchDataset(BenchParameters.model_validate(values), Path())


def by_individual(bench: BenchDataset) -> list[tuple[list[str], list[str]]]:
    """Return ids of the normal and of the anomalous clips, for each individual of the bench."""
    clips = bench.clips()
    return [(_ids(own, "normal"), _ids(own, "anomaly")) for _, own in clips.groupby("machine_id")]


def _ids(clips: pd.DataFrame, label: str) -> list[str]:
    return list(clips.loc[clips["label"] == label, "clip_id"])


def write_wav(path: Path, samples: np.ndarray, rate_hz: int, **options: str) -> None:
    """Write 16-bit WAV, making its folder; ``samples`` [n_samples] or [n_samples, n_channels]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate_hz, **{"subtype": "PCM_16", **options})
