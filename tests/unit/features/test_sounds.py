"""From maps back to sound: bins, frames, the map on file, and recordings that changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from soundproof.audio.sound import Audio, Stems
from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.features.extract import extract_features
from soundproof.features.recipes import RECIPES, FeatureSettings, resolve
from soundproof.features.sounds import ClipSounds
from soundproof.interfaces.dataset import AudioDataset
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance

RATE, SECONDS = 16_000, 1.5


class Noises(AudioDataset):
    """Two clips of noise for training and one to test, which may be replaced."""

    def __init__(self, rate_hz: int = RATE) -> None:
        super().__init__(Parameters(), Path())
        rng = np.random.default_rng(0)
        size = (3, round(SECONDS * rate_hz))
        sounds = (0.05 * rng.standard_normal(size)).astype(np.float32)
        self.rate_hz = rate_hz
        self.sounds = dict(zip(("train_0", "train_1", "test_0"), sounds, strict=True))

    def clips(self) -> pd.DataFrame:
        rows = [
            {"clip_id": clip_id, "split": clip_id[:-2], "label": "normal", "machine": "m", "machine_id": "0"}
            for clip_id in self.sounds
        ]
        return pd.DataFrame(rows)

    def read(self, clip_id: str) -> Audio:
        return Audio(self.sounds[clip_id], self.rate_hz)

    def stems(self, clip_id: str) -> Stems | None:
        return Stems(self.sounds[clip_id], 2 * self.sounds[clip_id], self.rate_hz)


def of_recipe(name: str, folder: Path, dataset: Noises, **values: object) -> tuple[ClipSounds, MapReader]:
    settings = FeatureSettings(**resolve({"recipe": name, **values}))
    path, rates = folder / "features.parquet", [dataset.rate_hz]
    record = Provenance(stage="features")
    extract_features(
        dataset, dataset.clips(), settings, path, folder / "masks.parquet", record, rates_hz=rates
    )
    features = MapReader(path)
    return ClipSounds(dataset, dataset.clips(), settings, rates, features.scaling), features


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_makes_the_map_on_file_again_and_brings_masks_back(name: str, tmp_path: Path) -> None:
    sounds, features = of_recipe(name, tmp_path, Noises())
    on_file = features.read(["test_0"])[0]
    samples = sounds.confirmed("test_0", on_file)
    assert sounds.map(samples, "test_0").numpy() == pytest.approx(on_file, abs=1e-5)
    n_bands, n_frames = features.axes.shape
    whole = sounds.bins(torch.ones(n_bands, n_frames), len(samples))
    assert whole.shape == (sounds.stft.n_bins, sounds.stft.n_frames(len(samples)))
    # nothing but 1, and 0 where no band and no frame reaches
    within = whole[whole > 1e-6]
    assert torch.allclose(within, torch.ones(()), atol=1e-6)
    hz = torch.arange(sounds.stft.n_bins) * sounds.rate_hz / sounds.stft.n_fft
    inside = (hz >= features.axes.frequencies_hz[0]) & (hz <= features.axes.frequencies_hz[-1])
    last = int((n_frames - 1) * sounds.maker.settings.hop_length / sounds.stft.hop_length)
    assert (whole[inside, : last + 1] > 0).all()
    assert not sounds.bins(torch.zeros(n_bands, n_frames), len(samples)).any()


@pytest.mark.parametrize("name", ["bench", "stft", "cnn9", "dcase_baseline"])
def test_what_one_cell_marks_sounds_at_its_frequency_and_time(name: str, tmp_path: Path) -> None:
    sounds, features = of_recipe(name, tmp_path, Noises(), standardise="none", level="keep")
    n_bands, n_frames = features.axes.shape
    # wide enough that windows and triangles lie inside
    band, frames = n_bands // 2, slice(n_frames // 2 - 2, n_frames // 2 + 3)
    mask = torch.zeros(n_bands, n_frames)
    mask[band - 2 : band + 3, frames] = 1
    samples = sounds.samples("test_0")
    heard = sounds.stft.masked(samples, sounds.bins(mask, len(samples)))
    power = sounds.maker.power(heard, sounds.rate_hz)
    share = power[band - 4 : band + 5, frames.start - 3 : frames.stop + 3].sum() / power.sum()
    assert share > 0.95
    assert np.unravel_index(int(power.argmax()), power.shape)[0] in range(band - 3, band + 4)


def test_bins_of_mel_bands_by_hand() -> None:
    dataset = Noises()
    settings = FeatureSettings(**resolve({"recipe": "bench", "n_mels": 4, "standardise": "none"}))
    sounds = ClipSounds(dataset, dataset.clips(), settings, [RATE])
    banks = sounds.maker._mel.fb.double()
    mask = torch.tensor([[0.0], [1.0], [0.0], [0.5]]).expand(-1, 40)
    got = sounds.bins(mask, 16_000)
    by_hand = (banks[:, 1] + 0.5 * banks[:, 3]) / banks.sum(1)
    there = banks.sum(1) > 0
    assert got[there, 10].double().numpy() == pytest.approx(by_hand[there].numpy(), abs=1e-6)
    assert not got[~there].any()


def test_frames_between_those_of_the_map_are_interpolated() -> None:
    dataset = Noises()
    settings = FeatureSettings(**resolve({"recipe": "stft", "hop_length": 512, "frames_multiple": 1}))
    sounds = ClipSounds(dataset, dataset.clips(), settings, [RATE])
    mask = torch.zeros(513, 4)
    mask[:, 1] = 1
    # steps of 256 samples between frames 512 apart; after the last frame's neighbour nothing is said
    expected = [0, 0.5, 1, 0.5, 0, 0, 0, 0, 0, 0]
    assert sounds.bins(mask, 2560)[7, :10].tolist() == pytest.approx(expected)
    mask[:, 3] = 1
    assert sounds.bins(mask, 2560)[7].tolist() == pytest.approx([0, 0.5, 1, 0.5, 0, 0.5, 1, 1, 1, 0, 0])


@pytest.mark.parametrize("rate_hz", [16_000, 32_000])
def test_sounds_have_the_rate_of_the_recipe(rate_hz: int) -> None:
    dataset = Noises(rate_hz)
    settings = FeatureSettings(**resolve({"recipe": "bench"}))
    sounds = ClipSounds(dataset, dataset.clips(), settings, [rate_hz])
    assert len(sounds.samples("test_0")) == SECONDS * RATE
    stems = sounds.stems("test_0")
    assert stems is not None and stems.rate_hz == RATE
    assert stems.fault == pytest.approx(2 * sounds.samples("test_0").numpy(), abs=1e-5)


@pytest.mark.parametrize("change", ["louder", "other", "longer"])
@pytest.mark.parametrize("name", ["bench", "machine", "stft"])
def test_a_recording_that_changed_is_told_by_its_map(name: str, change: str, tmp_path: Path) -> None:
    dataset = Noises()
    sounds, features = of_recipe(name, tmp_path, dataset)
    on_file = features.read(["test_0"])[0]
    sound = dataset.sounds["test_0"]
    dataset.sounds["test_0"] = {
        "louder": 1.05 * sound,
        "other": sound[::-1].copy(),
        "longer": np.concatenate([sound, sound]),
    }[change]
    with pytest.raises(DataError, match=r"'test_0'.*\n.*changed since"):
        sounds.confirmed("test_0", on_file)
