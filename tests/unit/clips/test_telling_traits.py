from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundproof.clips.telling_traits import Traits, telling_traits
from soundproof.datasets.own.recordings import RecordingsDataset
from soundproof.folders.settings import RecordingsParameters

PLAIN = Traits("train", "normal", 16_000, 1, "WAV PCM_16")


def recordings(n_train: int = 12, n_normal: int = 8, n_anomalous: int = 8) -> list[Traits]:
    test = replace(PLAIN, split="test")
    return [PLAIN] * n_train + [test] * n_normal + [replace(test, label="anomaly")] * n_anomalous


@pytest.mark.parametrize(
    ("trait", "value", "said"),
    [
        (
            "rate_hz",
            44_100,
            "sampling rate differs between normal (20 x 16000 Hz) and anomalous recordings (8 x 44100 Hz)",
        ),
        (
            "n_channels",
            2,
            "number of channels differs between normal (20 x 1) and anomalous recordings (8 x 2)",
        ),
        (
            "coding",
            "OGG VORBIS",
            "format differs between normal (20 x WAV PCM_16) and anomalous recordings (8 x OGG",
        ),
    ],
)
def test_a_trait_of_the_anomalies_alone_is_said(trait: str, value: object, said: str) -> None:
    found = telling_traits(
        [replace(one, **{trait: value}) if one.label == "anomaly" else one for one in recordings()]
    )
    assert len(found) == 1 and said in found[0] and "record both alike" in found[0]


def test_a_trait_of_the_training_alone_is_said() -> None:
    found = telling_traits(
        [replace(one, rate_hz=48_000) if one.split == "train" else one for one in recordings()]
    )
    assert any(
        "between normal training (12 x 48000 Hz) and normal test recordings (8 x 16000 Hz)" in s
        for s in found
    )


def test_the_same_mixture_in_all_groups_tells_nothing() -> None:
    mixed = [replace(one, rate_hz=(16_000, 44_100)[i % 2]) for i, one in enumerate(recordings())]
    assert telling_traits(mixed) == []
    assert telling_traits(recordings()) == []


def test_few_recordings_that_differ_by_chance_tell_nothing() -> None:
    few = recordings(2, 1, 2)
    assert telling_traits([*few[:-1], replace(few[-1], n_channels=2)]) == []
    assert telling_traits([]) == []


def test_the_order_of_recordings_does_not_matter() -> None:
    found = [replace(one, rate_hz=8000) if one.label == "anomaly" else one for one in recordings()]
    shuffled = random.Random(0).sample(found, len(found))
    assert telling_traits(shuffled) == telling_traits(found) != []


def test_own_recordings_say_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part, rate, channels in (
        ("train/normal", 16_000, 1),
        ("test/normal", 16_000, 1),
        ("test/anomaly", 22_050, 2),
    ):
        (tmp_path / part).mkdir(parents=True)
        for number in range(6):
            sound = rng.normal(scale=0.1, size=(rate, channels))
            soundfile.write(tmp_path / part / f"{number}.wav", sound, rate)
    dataset = RecordingsDataset(RecordingsParameters(folder=str(tmp_path)), tmp_path)
    assert len(dataset.clips()) == 18
    cautions = [note.text for note in dataset.notes() if note.kind == "caution"]
    assert len(cautions) == 2
    assert cautions[0].startswith("sampling rate differs between normal (12 x 16000 Hz)")
    assert cautions[1].startswith("number of channels differs between normal (12 x 1)")
