"""A small tree of the true names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from soundproof.datasets.miniatures.sound import stand_in, write_wav
from soundproof.randomness.seeding import seed_from
from soundproof.storage.files import whole_folder

RATE_HZ, SECONDS = 44_100, 3.0
N_TRAIN, N_TEST = 8, 4
CONDITIONS = ("talking_1", "atmo_low")
_ROOT = "IDMT-ISA-ELECTRIC-ENGINE"


def write_miniature(folder: Path) -> None:
    """Write cut clips of the three states, if there are none yet; a broken engine has a fault of the bench."""
    target = folder / _ROOT
    if target.is_dir():
        return
    bench = stand_in(
        "pump",
        seed_from("idmt miniature"),
        train_clips=N_TRAIN + N_TEST,
        test_normal=N_TRAIN + N_TEST,
        test_anomaly=N_TRAIN + N_TEST,
        seconds=SECONDS,
        sample_rate_hz=RATE_HZ,
        snr_db=6.0,
    )
    clips = bench.clips()
    kinds = {
        "engine1_good": clips.loc[clips["split"] == "train", "clip_id"],
        "engine2_broken": clips.loc[clips["label"] == "anomaly", "clip_id"],
        "engine3_heavyload": clips.loc[(clips["split"] == "test") & (clips["label"] == "normal"), "clip_id"],
    }
    with whole_folder(target) as unfinished:
        for engine, clip_ids in kinds.items():
            # twice as loud under load
            gain = 2.0 if engine == "engine3_heavyload" else 1.0
            for rank, clip_id in enumerate(clip_ids):
                sound = bench.read(clip_id).samples * gain
                write_wav(
                    unfinished / _place(engine, rank), np.clip(sound, -1.0, 1.0), RATE_HZ, subtype="PCM_24"
                )


def _place(engine: str, rank: int) -> str:
    if rank < N_TRAIN:
        return f"train_cut/{engine}/pure_{rank}.wav"
    number, kind = divmod(rank - N_TRAIN, len(CONDITIONS))
    return f"test_cut/{engine}/{CONDITIONS[kind]}_{number}.wav"
