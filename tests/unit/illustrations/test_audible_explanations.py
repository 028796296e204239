"""Sounds of clips: pairs that sum to the clip, room, and what is said where there is nothing to hear."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from soundproof.audio.settings import ListenSettings
from soundproof.audio.si_sdr import si_sdr
from soundproof.audio.sound import Audio, Stems
from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.illustrations.sounds import MARKS_NOTHING, NO_SOUND, clips_to_hear, sounds_of_clips
from soundproof.interfaces.dataset import AudioDataset
from soundproof.storage.provenance import Provenance
from soundproof.storage.schemas import LISTENING
from soundproof.storage.tables import read_table, write_table

RATE = 16_000
TIME = np.arange(RATE) / RATE


class Tones(AudioDataset):
    """Noise with a tone of 3 kHz as its fault; ``quiet`` has none."""

    lost: frozenset[str] = frozenset()

    def __init__(self, level: float = 0.2) -> None:
        super().__init__(Parameters(), Path())
        self.level = level

    def clips(self) -> pd.DataFrame:
        return pd.DataFrame({"clip_id": ["a", "b", "quiet"]})

    def stems(self, clip_id: str) -> Stems:
        if clip_id in self.lost:
            raise DataError(f"the recording {clip_id}.wav", "no such file", "put it back")
        noise = np.random.default_rng(ord(clip_id[0])).normal(scale=0.02, size=RATE)
        tone = 0 if clip_id == "quiet" else self.level * np.sin(2 * np.pi * 3000 * TIME)
        return Stems(noise.astype(np.float32), (tone + 0 * TIME).astype(np.float32), RATE)

    def read(self, clip_id: str) -> Audio:
        stems = self.stems(clip_id)
        return Audio(stems.normal + stems.fault, RATE)


def sounds_and_features(dataset: Tones) -> tuple[ClipSounds, dict[str, np.ndarray]]:
    settings = FeatureSettings(**resolve({"recipe": "bench", "standardise": "none"}))
    sounds = ClipSounds(dataset, dataset.clips(), settings, [RATE])
    ids = list(dataset.clips()["clip_id"])
    return sounds, {clip_id: sounds.map(sounds.samples(clip_id), clip_id).numpy() for clip_id in ids}


def made(dataset: Tones, clip_ids: list[str], **settings: float) -> pd.DataFrame:
    """Sounds of a map that marks the tone, of one that marks everything, and of one that marks nothing."""
    sounds, features = sounds_and_features(dataset)
    band = np.zeros(features["a"].shape)
    band[int(np.argmin(np.abs(sounds.maker.frequencies_hz - 3000)))] = 1
    maps = {"band": band, "all": np.ones_like(band), "none": -np.ones_like(band)}
    by_explainer = {name: dict.fromkeys(features, relevance) for name, relevance in maps.items()}
    fresh = ClipSounds(dataset, dataset.clips(), sounds.maker.settings, [RATE])
    machines = dict.fromkeys(clip_ids, "m")
    return sounds_of_clips(fresh, machines, features, {"ae": by_explainer}, ListenSettings(**settings))


def decoded(content: bytes) -> np.ndarray:
    samples, rate_hz = soundfile.read(io.BytesIO(content), dtype="int16")
    assert rate_hz == RATE
    return np.asarray(samples, dtype=int)


@pytest.mark.parametrize("level", [0.2, 3.0])
def test_a_pair_sums_to_the_clip_and_holds_what_the_map_marks(level: float, tmp_path: Path) -> None:
    dataset = Tones(level)
    path = tmp_path / "listening.parquet"
    write_table(made(dataset, ["a", "quiet"]), path, Provenance(stage="listening"), LISTENING)
    rows = read_table(path)
    of_a = rows[rows["clip_id"] == "a"]
    heard = {
        (row["role"], row["explainer"]): row["flac"]
        for row in of_a.fillna({"explainer": ""}).to_dict("records")
    }
    assert set(heard) == {
        ("clip", ""),
        ("fault", ""),
        *((role, name) for role in ("marked", "left") for name in ("band", "all")),
        ("marked", "none"),
    }
    clip, fault = decoded(heard["clip", ""]), decoded(heard["fault", ""])
    for name in ("band", "all"):
        assert np.array_equal(decoded(heard["marked", name]) + decoded(heard["left", name]), clip)
    [gain] = set(of_a["gain"].dropna())
    assert gain == (1 if level < 1 else pytest.approx(1 / np.abs(dataset.read("a").samples).max(), rel=1e-3))
    assert np.abs(clip / 32768 - gain * dataset.read("a").samples).max() <= 1e-4
    # the tone is marked, and of the noise what lies in its band alone
    marked = decoded(heard["marked", "band"])
    assert np.corrcoef(marked, fault)[0, 1] > 0.98
    if level < 1:
        # a band of 40: were its filter a box, the noise would fall by 16 dB
        assert si_sdr(marked, fault) > si_sdr(clip, fault) + 6
    # where the map is 1 everywhere, nothing within the bands is left (the lowest begins at 30 Hz)
    assert np.square(decoded(heard["left", "all"])).sum() < 0.02 * np.square(clip).sum()
    nothing = of_a[of_a["explainer"] == "none"]
    assert list(nothing["why"]) == [MARKS_NOTHING] and nothing["flac"].isna().all()
    # a normal clip has no fault to hear
    assert "fault" not in set(rows.loc[rows["clip_id"] == "quiet", "role"])


def test_the_same_sounds_are_the_same_bytes() -> None:
    pd.testing.assert_frame_equal(made(Tones(), ["a"]), made(Tones(), ["a"]))


def test_clips_beyond_the_room_are_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    one = made(Tones(), ["a"])
    room = sum(len(content) for content in one["flac"].dropna()) / 1e6 + 0.01
    rows = made(Tones(), ["a", "b", "quiet"], megabytes=room)
    assert set(rows["clip_id"]) == {"a"}
    assert "2 of 3 clips are not made audible" in caplog.text


def test_a_recording_that_is_gone_or_changed_is_said_and_the_others_are_heard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dataset = Tones()
    sounds, features = sounds_and_features(dataset)
    maps = {"ae": {"all": {clip_id: np.ones_like(of) for clip_id, of in features.items()}}}
    dataset.lost = frozenset({"a"})
    features["b"] = features["b"] + 1
    fresh = ClipSounds(dataset, dataset.clips(), sounds.maker.settings, [RATE])
    rows = sounds_of_clips(fresh, dict.fromkeys(features, "m"), features, maps, ListenSettings())
    silent = rows[rows["flac"].isna()].set_index("clip_id")["why"]
    assert "no such file" in silent["a"] and "changed since" in silent["b"]
    assert set(rows.loc[rows["flac"].notna(), "clip_id"]) == {"quiet"}
    assert "sounds cannot be had" in caplog.text


def test_data_without_sound_say_so() -> None:
    features = {"a": np.ones((2, 3))}
    maps = {"ae": {"all": features}}
    rows = sounds_of_clips(None, {"a": "m"}, features, maps, ListenSettings())
    assert list(rows["why"]) == [NO_SOUND] and rows["flac"].isna().all()


def test_nan_in_a_map_is_refused() -> None:
    sounds, features = sounds_and_features(Tones())
    broken = np.full_like(features["a"], np.nan)
    with pytest.raises(DataError, match="finite relevance"):
        sounds_of_clips(sounds, {"a": "m"}, features, {"ae": {"x": {"a": broken}}}, ListenSettings())


def test_illustrated_clips_are_heard_first_and_the_number_is_kept() -> None:
    ids = [f"{machine}{n}" for machine in ("fan", "valve") for n in range(5)]
    clips = pd.DataFrame({"clip_id": ids, "machine": [clip_id[:-1] for clip_id in ids]})
    scores = pd.DataFrame({"clip_id": ids, "value": range(10)})
    # medians: the fifth of ten, then that of the other machine
    assert clips_to_hear(scores, clips, ids, 2) == ["fan4", "valve2"]
    assert clips_to_hear(scores, clips, ids, 1) == ["fan4"]
    chosen = clips_to_hear(scores, clips, ids, 5)
    assert chosen[:2] == ["fan4", "valve2"] and len(set(chosen)) == 5
    assert sorted(clips_to_hear(scores, clips, ids, 99)) == ids
