"""A small tree of the true names: four microphones around synthesised machines at 48 kHz."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from soundproof.datasets.miniatures.sound import by_individual, stand_in, write_wav
from soundproof.randomness.seeding import seed_from
from soundproof.storage.files import whole_folder

RATE_HZ = 48_000
CASES = (1, 2)
SIZE = {"train_clips": 6, "test_normal": 4, "test_anomaly": 4, "snr_db": 6.0}
TAIL_S = 0.5
"""By which takes are longer than the clips cut from them."""
N_CHANNELS = 4


def write_miniature(folder: Path, machines: Iterable[str], seconds: float) -> None:
    """Write machines that are not there yet; each appears whole or not at all.

    Args:
        folder: Where the machines' folders go.
        machines: Machines.
        seconds: Length of clips; takes are a little longer.
    """
    for machine in machines:
        target = folder / machine
        if not target.is_dir():
            with whole_folder(target) as unfinished:
                _write_machine(unfinished, machine, seconds)


def _write_machine(folder: Path, machine: str, seconds: float) -> None:
    seed = seed_from("toyadmos miniature", machine)
    size = {**SIZE, "seconds": seconds + TAIL_S, "ids_per_machine": len(CASES), "sample_rate_hz": RATE_HZ}
    bench = stand_in(machine, seed, **size)
    for case, (normal, anomalous) in zip(CASES, by_individual(bench), strict=True):
        for number, clip_id in enumerate(normal, start=1):
            _write_take(
                folder, f"{machine}_case{case}_normal_IND", number, bench.read(clip_id).samples, "1{}0001"
            )
        for number, clip_id in enumerate(anomalous, start=1):
            name = f"{machine}_case{case}_ab{number:02d}_IND"
            _write_take(folder, name, 1, bench.read(clip_id).samples, f"1{{}}01{number:02d}")
        running = np.concatenate([bench.read(clip_id).samples for clip_id in normal[:2]])
        _write_take(folder, f"{machine}_case{case}_normal_CNT", 1, running, "1{}0011")


def _write_take(folder: Path, name: str, number: int, sound: np.ndarray, code: str) -> None:
    """Write a take as four files; microphones stand some samples apart and have noise of their own."""
    _, case, state, form = name.split("_")
    place = folder / case / f"{'NormalSound' if state == 'normal' else 'AnomalousSound'}_{form}"
    take = f"{code.format(case[-1])}{number:04d}"
    for channel in range(1, N_CHANNELS + 1):
        rng = np.random.default_rng(seed_from("toyadmos noise", name, number, channel))
        heard = np.roll(sound, channel) + rng.normal(0.0, 1e-3, sound.size)
        write_wav(place / f"{take}_{name}_ch{channel}_{number:04d}.wav", np.clip(heard, -1.0, 1.0), RATE_HZ)
