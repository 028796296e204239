"""A data set: noise, and noise with a tone in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loud_things.declared import HumSettings
from soundproof.audio.sound import Audio, Stems
from soundproof.interfaces.dataset import AudioDataset
from soundproof.randomness.seeding import seed_from
from soundproof.storage.schemas import CLIPS

RATE_HZ = 16_000
SECONDS = 2.0


class Hum(AudioDataset):
    """Clips of white noise; anomalous ones hum at 1 kHz from 0.5 s to 1.5 s."""

    settings: HumSettings

    def clips(self) -> pd.DataFrame:
        """One row per clip."""
        kinds = (("train", "normal"), ("test", "normal"), ("test", "anomaly"))
        event = {"onset_s": 0.5, "offset_s": 1.5, "low_hz": 900.0, "high_hz": 1100.0}
        rows = [
            {
                "clip_id": f"hum_{split}_{label}_{number:03d}",
                "dataset": "hum",
                "machine": self.settings.machine,
                "machine_id": "00",
                "split": split,
                "label": label,
                "sample_rate_hz": RATE_HZ,
                "n_samples": round(RATE_HZ * SECONDS),
                "events": [event] if label == "anomaly" else [],
            }
            for split, label in kinds
            for number in range(self.settings.clips)
        ]
        return pd.DataFrame(rows).reindex(columns=CLIPS.names).sort_values("clip_id", ignore_index=True)

    def stems(self, clip_id: str) -> Stems | None:
        """Noise and tone."""
        if "anomaly" not in clip_id:
            return None
        times = np.arange(round(RATE_HZ * SECONDS)) / RATE_HZ
        heard = (times >= 0.5) & (times < 1.5)
        tone = 0.1 * heard * np.sin(2 * np.pi * 1000 * times)
        return Stems(self._noise(clip_id), tone.astype(np.float32), RATE_HZ)

    def read(self, clip_id: str) -> Audio:
        """The sound."""
        stems = self.stems(clip_id)
        noise = self._noise(clip_id)
        return Audio(noise if stems is None else stems.normal + stems.fault, RATE_HZ)

    def _noise(self, clip_id: str) -> np.ndarray:
        drawn = np.random.default_rng(seed_from("hum", clip_id))
        return (0.05 * drawn.standard_normal(round(RATE_HZ * SECONDS))).astype(np.float32)
