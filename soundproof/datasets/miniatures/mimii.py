"""A small MIMII of the true names: eight microphones around a synthesised machine, in noise of three levels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from soundproof.datasets.mimii.files import archive_stem
from soundproof.datasets.miniatures.sound import by_individual, stand_in, write_wav
from soundproof.randomness.seeding import seed_from
from soundproof.storage.files import whole_folder

SIZE = {"train_clips": 12, "test_normal": 6, "test_anomaly": 7, "seconds": 2.0, "snr_db": 6.0}
"""Per individual; whether a normal clip trains or tests is the data set's to draw."""
N_CHANNELS = 8
_FOLDERS = ("normal", "abnormal")


def write_miniature(folder: Path, wanted: Iterable[tuple[str, str, int]]) -> None:
    """Write the individuals, by machine type, number and SNR, that are not there yet.

    As in the original, all SNRs of a machine are the same recordings in other noise.
    """
    for machine, individual, snr_db in wanted:
        place = folder / archive_stem(machine, snr_db) / machine / f"id_{individual}"
        if not place.is_dir():
            with whole_folder(place) as unfinished:
                _write_individual(unfinished, machine, individual, snr_db)


def _write_individual(folder: Path, machine: str, individual: str, snr_db: int) -> None:
    bench = stand_in(machine, seed_from("mimii miniature", machine, individual), ids_per_machine=1, **SIZE)
    ((normal, anomalous),) = by_individual(bench)
    for label, clip_ids in zip(_FOLDERS, (normal, anomalous), strict=True):
        for number, clip_id in enumerate(clip_ids):
            audio = bench.read(clip_id)
            names = ("mimii noise", machine, individual, snr_db, label, number)
            sound = _recorded(audio.samples, snr_db, np.random.default_rng(seed_from(*names)))
            write_wav(folder / label / f"{number:08d}.wav", sound, audio.rate_hz, format="WAVEX")


def _recorded(machine: np.ndarray, snr_db: int, rng: np.random.Generator) -> np.ndarray:
    """Return what eight microphones hear, [n_samples, 8]: the machine some samples apart, noise of their own."""
    heard = np.stack([np.roll(machine, channel) for channel in range(N_CHANNELS)], axis=1)
    noise = rng.normal(0.0, np.sqrt(np.mean(machine**2)) * 10 ** (-snr_db / 20), heard.shape)
    mixture = heard + noise
    return np.asarray(mixture / max(1.0, float(np.abs(mixture).max())), dtype=np.float32)
