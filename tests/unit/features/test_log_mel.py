from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soundproof.core.errors import ConfigError, DataError
from soundproof.features.mel import mel_edges_hz, mel_of_hz
from soundproof.features.rates import fit_to_rates
from soundproof.features.recipes import RECIPES, FeatureSettings, resolve
from soundproof.features.spectrogram import TARGET_RMS, SpectrogramMaker, normalising_factor

RATE = 16_000


def recipe(**values: object) -> FeatureSettings:
    """A recipe for recordings sampled at 16 kHz."""
    return fit_to_rates(FeatureSettings(**resolve(values)), [RATE])


def noise(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.1, size=round(seconds * rate)).astype(np.float32)


def tone(hz: float, seconds: float, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize("name", ["bench", "machine", "planer", "dcase2022"])
def test_mel_recipes_agree_with_librosa(name: str) -> None:
    chosen = recipe(recipe=name, frames_multiple=1)
    rate = chosen.rate_hz
    sound = noise(1.0, rate) + tone(440, 1.0, rate)
    ours = SpectrogramMaker(chosen).power(torch.from_numpy(sound), rate).numpy()
    theirs = librosa.feature.melspectrogram(
        y=sound.astype(np.float64),
        sr=rate,
        n_fft=chosen.n_fft,
        win_length=chosen.window_length,
        hop_length=chosen.hop_length,
        power=2.0,
        n_mels=chosen.n_mels,
        fmin=chosen.low_hz,
        fmax=chosen.high_hz,
        htk=True,
        norm=None,
        pad_mode="reflect",
    )
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * theirs.mean())
    assert (theirs.max(axis=1) > 0).all(), "an empty band would be constant"


def test_the_dcase_baselines_features_are_librosas() -> None:
    chosen = recipe(recipe="dcase_baseline")
    sound = noise(1.0) + tone(440, 1.0, RATE)
    ours = SpectrogramMaker(chosen).map(torch.from_numpy(sound), RATE).numpy()
    power = librosa.feature.melspectrogram(
        y=sound.astype(np.float64), sr=RATE, n_fft=1024, hop_length=512, n_mels=128, power=2.0
    )
    theirs = 10 * np.log10(np.maximum(power, np.finfo(float).eps))
    assert ours.shape == theirs.shape == (128, 32)
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * 100, rtol=0)
    np.testing.assert_allclose(10 ** (ours / 10), power, rtol=1e-4, atol=1e-4 * power.mean())


@pytest.mark.parametrize("htk", [True, False])
def test_both_mel_scales_are_librosas(htk: bool) -> None:
    ours = mel_edges_hz(126, 20.0, 8000.0, "htk" if htk else "slaney")
    np.testing.assert_allclose(ours, librosa.mel_frequencies(n_mels=128, fmin=20, fmax=8000, htk=htk))


def test_slaneys_scale_is_linear_to_a_kilohertz_and_then_logarithmic() -> None:
    # 15 mel at 1 kHz, 27 mel more at 6.4 kHz
    assert mel_of_hz(np.array([0.0, 200.0, 1000.0, 6400.0]), "slaney").tolist() == pytest.approx(
        [0, 3, 15, 42]
    )
    # row 10 of librosa's 128 bands to 8 kHz
    assert mel_edges_hz(128, 0.0, 8000.0, "slaney")[11] == pytest.approx(257, abs=0.5)
    assert mel_edges_hz(128, 0.0, 8000.0, "htk")[11] == pytest.approx(168, abs=1)


@pytest.mark.parametrize(("scale", "factor"), [("db", 10.0), ("log10", 1.0)])
def test_decibels_are_ten_times_the_logarithm_of_power(scale: str, factor: float) -> None:
    sound = torch.from_numpy(noise(0.5))
    maker = SpectrogramMaker(recipe(scale=scale))
    power = maker.power(sound, RATE)
    torch.testing.assert_close(maker.map(sound, RATE), factor * torch.log10(power + 1e-10))
    assert maker.unit == {"db": "dB", "log10": "log10 power"}[scale]


def test_linear_frequency_magnitudes_agree_with_librosa() -> None:
    chosen = recipe(recipe="stft", frames_multiple=1)
    sound = noise(0.5)
    maker = SpectrogramMaker(chosen)
    ours = maker.map(torch.from_numpy(sound), RATE).numpy()
    theirs = np.abs(librosa.stft(sound.astype(np.float64), n_fft=1024, hop_length=512, pad_mode="reflect"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(maker.frequencies_hz, librosa.fft_frequencies(sr=RATE, n_fft=1024))
    assert maker.unit == "magnitude"


def test_band_centres_are_those_of_librosa() -> None:
    maker = SpectrogramMaker(recipe(recipe="machine"))
    edges = librosa.mel_frequencies(n_mels=66, fmin=20, fmax=8000, htk=True)
    np.testing.assert_allclose(maker.frequencies_hz, edges[1:-1])


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_sound_of_any_rate_gives_the_same_picture(rate: int) -> None:
    maker = SpectrogramMaker(recipe(recipe="machine"))
    values = maker.map(torch.from_numpy(tone(1000, 2.0, rate)), rate)
    reference = maker.map(torch.from_numpy(tone(1000, 2.0, RATE)), RATE)
    assert values.shape == reference.shape == (64, 80)
    band = int(np.abs(maker.frequencies_hz - 1000).argmin())
    assert (values.argmax(dim=0) == band).all()
    assert (reference.argmax(dim=0) == band).all()
    # away from the ends, where the resampling filter starts
    torch.testing.assert_close(values[band, 4:-4], reference[band, 4:-4], atol=0.1, rtol=0)


@settings(max_examples=25, deadline=None)
@given(seconds=st.floats(0.1, 3.0), multiple=st.integers(1, 16))
def test_frames_are_cropped_to_a_multiple_and_never_to_none(seconds: float, multiple: int) -> None:
    maker = SpectrogramMaker(recipe(frames_multiple=multiple))
    sound = torch.from_numpy(noise(seconds))
    n_all = 1 + len(sound) // 400
    n_frames = maker.power(sound, RATE).shape[-1]
    assert n_frames == (n_all - n_all % multiple or n_all)
    assert maker.axes(n_frames, "dB").shape == (maker.settings.n_mels, n_frames)


def test_a_clip_shorter_than_a_window_is_refused() -> None:
    maker = SpectrogramMaker(recipe())
    with pytest.raises(DataError, match=r"at least one window \(1024 samples\)\n.*1023 samples"):
        maker.power(torch.zeros(1023), RATE)
    with pytest.raises(DataError, match="1000 samples at 16000 Hz"):
        maker.power(torch.zeros(2000), 2 * RATE)


def test_level_normalisation_makes_loudness_tell_nothing() -> None:
    maker = SpectrogramMaker(recipe(level="normalise"))
    sound = torch.from_numpy(noise(1.0))
    quiet, loud = maker.map(0.01 * sound, RATE), maker.map(sound, RATE)
    torch.testing.assert_close(quiet, loud, atol=1e-3, rtol=0)
    raw = torch.stack([sound, 0.1 * sound, torch.zeros_like(sound)])
    batch = raw * normalising_factor(raw)
    rms = batch.pow(2).mean(-1).sqrt()
    torch.testing.assert_close(rms, torch.tensor([TARGET_RMS, TARGET_RMS, 0.0]))
    assert pytest.approx(0.0501187, rel=1e-5) == TARGET_RMS


def test_one_clip_and_many_give_the_same_maps() -> None:
    maker = SpectrogramMaker(recipe())
    batch = torch.from_numpy(np.stack([noise(0.5, seed=seed) for seed in range(3)]))
    together = maker.map(batch, RATE)
    for index in range(3):
        torch.testing.assert_close(together[index], maker.map(batch[index], RATE))


def test_every_recipe_is_valid_and_keys_go_over_it() -> None:
    for name, values in RECIPES.items():
        chosen = recipe(recipe=name)
        assert chosen.recipe == name
        assert {
            **values,
            "sample_rate_hz": values.get("sample_rate_hz") or RATE,
        }.items() <= chosen.model_dump().items()
    assert recipe(recipe="bench", n_mels=7).n_mels == 7
    assert recipe(recipe="bench", n_mels=7).standardise == "band"


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'bench'"):
        resolve({"recipe": "bnech"})
    with pytest.raises(ConfigError, match="no recipe of that name"):
        resolve({"recipe": ["bench"]})


@pytest.mark.parametrize(
    "wrong", [{"high_hz": 9000.0}, {"low_hz": 500.0, "high_hz": 400.0}, {"window_length": 4096}]
)
def test_bands_and_windows_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"Nyquist|half the sample rate|exceeds n_fft"):
        recipe(**wrong)
