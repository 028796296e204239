"""The input of CNN9 against the package's own preprocessing (aisfx 0.1.2), run once on this sound."""

from __future__ import annotations

import librosa
import numpy as np
import pandas as pd
import pytest
import torch

from soundproof.audio.sound import Audio
from soundproof.backbones.build import build_backbone
from soundproof.backbones.registry import BackboneSettings, check_input
from soundproof.core.errors import ConfigError, DataError
from soundproof.detectors.embedding.settings import PadimSettings
from soundproof.features.extract import extract_features
from soundproof.features.gains import gains_of_individuals
from soundproof.features.rates import fit_to_rates, occupied_hz
from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.interfaces.dataset import AudioDataset
from soundproof.storage.maps import MapReader
from soundproof.storage.provenance import Provenance

RATE = 44_100


def recipe(**values: object) -> FeatureSettings:
    return FeatureSettings(**resolve({"recipe": "cnn9", **values}))


def sound() -> np.ndarray:
    """A second of a decaying sweep, a high tone and a hum, with peak 1."""
    t = np.arange(RATE) / RATE
    sweep = 0.5 * np.sin(2 * np.pi * (200 * t + 4000 * t * t)) * np.exp(-2 * t)
    y = sweep + 0.2 * np.sin(2 * np.pi * 12000 * t) + 0.05 * np.sin(2 * np.pi * 50 * t)
    return (y / np.abs(y).max()).astype(np.float32)


def test_the_map_is_the_packages() -> None:
    values = SpectrogramMaker(recipe(frames_multiple=1)).map(torch.from_numpy(sound()), RATE).numpy()
    assert values.shape == (96, 44)
    golden = {(0, 0): 0.7578679, (3, 10): 0.4467704, (20, 5): 0.2444501, (95, 43): 0.268516}
    for cell, expected in golden.items():
        assert values[cell] == pytest.approx(expected, abs=2e-5), cell
    # almost nothing: rounding of single precision shows
    assert values[40, 20] < 1e-4 and values[75, 30] < 1e-4
    assert float(values.mean()) == pytest.approx(0.10035956, abs=1e-5)
    assert float(values.std()) == pytest.approx(0.22045869, abs=1e-5)


def test_a_band_of_white_noise_holds_the_mean_power_of_its_bins() -> None:
    maker = SpectrogramMaker(recipe(scale="linear"))
    noise = torch.randn(20 * RATE, generator=torch.Generator().manual_seed(0))
    bands = maker.power(noise, RATE).mean(1)
    # a window's energy times the variance
    expected = float(torch.hann_window(2048).square().sum())
    assert torch.allclose(bands, torch.full((96,), expected), rtol=0.15)
    assert float(bands.mean()) == pytest.approx(expected, rel=0.01)


def test_16_khz_recordings_fill_69_bands_and_the_others_are_left_out() -> None:
    chosen = fit_to_rates(recipe(), [16_000])
    maker = SpectrogramMaker(chosen, occupied_hz(chosen, [16_000]))
    assert (len(maker.frequencies_hz), maker.n_left_out) == (69, 27)
    low = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    assert maker.map(torch.from_numpy(low), 16_000).shape == (69, 40)


def test_16_khz_recordings_reach_the_network_without_empty_bands_and_the_run_says_so(
    tmp_path, caplog
) -> None:
    rng = np.random.default_rng(0)
    names = ["train_0", "train_1", "test_0"]
    dataset = Clips({name: rng.normal(0, 0.1, 16_000).astype(np.float32) for name in names})
    clips = rows(*((name, "00", name.split("_")[0], "normal") for name in names))
    outputs = tmp_path / "maps.parquet", tmp_path / "masks.parquet"
    extract_features(dataset, clips, recipe(), *outputs, Provenance(stage="features"), rates_hz=[16_000])
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("27 bands above 7") and "recordings sampled at 16000 Hz hold nothing there" in said
    maps = MapReader(tmp_path / "maps.parquet").read(names)
    assert maps.shape == (3, 69, 40)
    settings = BackboneSettings(kind="random")
    backbone = build_backbone(settings, maps.shape[1:], seed=0)
    backbone.calibrate(torch.from_numpy(maps))
    # 69 bands / 4, / 8, / 8, rounded down
    assert [layer.shape[2] for layer in backbone(torch.from_numpy(maps))] == [17, 8, 8]


def test_a_rate_that_the_network_was_not_trained_at_is_refused() -> None:
    slower = recipe(sample_rate_hz=16_000)
    with pytest.raises(ConfigError, match=r"(?s)'sample_rate_hz: 16000' instead of '44100'.*leave out"):
        check_input(PadimSettings(), slower)
    check_input(PadimSettings(backbone="none"), slower)


class Clips(AudioDataset):
    """Clips by id, in memory."""

    def __init__(self, sounds: dict[str, np.ndarray]) -> None:
        self.sounds = sounds

    def clips(self) -> pd.DataFrame:
        raise NotImplementedError

    def read(self, clip_id: str) -> Audio:
        return Audio(self.sounds[clip_id], 16_000)


def rows(*facts: tuple[str, str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(facts, columns=["clip_id", "machine_id", "split", "label"])
    return frame.assign(machine="fan")


def test_the_gain_makes_the_median_peak_of_an_individuals_training_clips_full_scale() -> None:
    knock = np.array([0.0, -0.9, 0.1], dtype=np.float32)
    quiet = np.array([0.1, 0.2, 0.0], dtype=np.float32)
    clips = rows(
        ("a", "00", "train", "normal"),
        ("b", "00", "train", "normal"),
        ("knock", "00", "train", "normal"),
        ("loud", "00", "test", "anomaly"),
        ("c", "01", "train", "normal"),
    )
    dataset = Clips({"a": quiet, "b": 2 * quiet, "knock": knock, "loud": 4 * quiet, "c": knock})
    gains = gains_of_individuals(dataset, clips)
    # peaks 0.2, 0.4 and 0.9
    assert [gains[clip] for clip in ("a", "b", "knock", "loud")] == pytest.approx([1 / 0.4] * 4)
    assert gains["c"] == pytest.approx(1 / 0.9)


def test_an_individual_without_normal_training_clips_is_refused() -> None:
    clips = rows(("a", "00", "train", "normal"), ("b", "02", "test", "normal"))
    dataset = Clips(dict.fromkeys("ab", np.ones(3, dtype=np.float32)))
    with pytest.raises(DataError, match=r"(?s)individual '02'.*level: keep"):
        gains_of_individuals(dataset, clips)


def test_the_gain_scales_the_sound_before_the_logarithm() -> None:
    maker = SpectrogramMaker(recipe())
    y = torch.from_numpy(sound())
    assert torch.allclose(maker.map(y / 8, RATE, gain=8.0), maker.map(y, RATE), atol=1e-6)


def test_panns_recipe_is_that_of_the_published_code() -> None:
    chosen = FeatureSettings(**resolve({"recipe": "panns", "frames_multiple": 1}))
    y = sound()[:32_000]
    ours = SpectrogramMaker(chosen).map(torch.from_numpy(y), 32_000).numpy()
    power = librosa.feature.melspectrogram(
        y=y, sr=32_000, n_fft=1024, hop_length=320, n_mels=64, fmin=50, fmax=14_000, pad_mode="reflect"
    )
    loud = power > 1e-6 * power.max()
    np.testing.assert_allclose(ours[loud], 10 * np.log10(np.maximum(power, 1e-10))[loud], atol=0.01)
