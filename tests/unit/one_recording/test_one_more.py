"""A recording beside a study's clips has the level of its own individual, whatever its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from soundproof.audio.sound import Audio
from soundproof.core.registry import Parameters
from soundproof.features.gains import gains_of_individuals
from soundproof.interfaces.dataset import AudioDataset
from soundproof.one_recording.recording import OneMore
from soundproof.one_recording.study import Individual

PEAKS = {"a": 0.5, "b": 0.25, "c": 0.125, "test": 1.0, "other": 0.01}


class Peaks(AudioDataset):
    def clips(self) -> pd.DataFrame:
        rows = [
            {"clip_id": name, "machine": "fan", "machine_id": "id00", "split": "train", "label": "normal"}
            for name in PEAKS
        ]
        frame = pd.DataFrame(rows)
        frame.loc[frame["clip_id"].eq("test"), "split"] = "test"
        frame.loc[frame["clip_id"].eq("other"), "machine_id"] = "id01"
        return frame

    def read(self, clip_id: str) -> Audio:
        return Audio(np.array([0.0, PEAKS[clip_id], -PEAKS[clip_id]], np.float32), 8000)


@pytest.mark.parametrize(("name", "peak"), [("new", 0.25), ("test", 0.25), ("b", 0.3125)])
def test_its_gain_is_that_of_the_training_clips_of_its_individual(name, peak):
    """By hand: the median of 0.5, 0.25 and 0.125; one that has a training clip's name takes that clip's place."""
    dataset, mine = Peaks(Parameters(), Path()), Audio(np.array([0.0, 0.9], np.float32), 44100)
    beside = OneMore(dataset, dataset.clips(), name, mine, Individual("fan", "id00"))
    assert beside.read(name) is mine and beside.read("a").rate_hz == 8000
    assert beside.stems(name) is None
    gains = gains_of_individuals(beside, beside.clips())
    assert gains[name] == pytest.approx(1 / peak)
    # no other individual's clips are read for it
    assert set(gains) == {"a", "b", "c", name}
