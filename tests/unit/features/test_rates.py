from __future__ import annotations

import logging
import math

import numpy as np
import pytest
import torch

from soundproof.core.errors import DataError
from soundproof.features.rates import fit_to_rates, occupied_hz
from soundproof.features.recipes import RECIPES, FeatureSettings, resolve
from soundproof.features.spectrogram import SpectrogramMaker


def recipe(**values: object) -> FeatureSettings:
    return FeatureSettings(**resolve(values))


def test_at_16_khz_the_machine_recipe_is_what_it_says() -> None:
    fitted = fit_to_rates(recipe(recipe="machine"), [16_000])
    assert (fitted.rate_hz, fitted.window_length, fitted.n_fft, fitted.hop_length, fitted.n_mels) == (
        *(16_000, 1024, 1024, 400, 64),
    )


@pytest.mark.parametrize(
    ("rate", "window", "n_fft", "hop", "n_mels"),
    [
        (8000, 512, 512, 200, 48),
        (22_050, 1411, 2048, 551, 72),
        (44_100, 2822, 4096, 1102, 88),
        (48_000, 3072, 4096, 1200, 88),
        (96_000, 6144, 8192, 2400, 112),
    ],
)
def test_other_rates_keep_seconds_and_mel(rate: int, window: int, n_fft: int, hop: int, n_mels: int) -> None:
    fitted = fit_to_rates(recipe(recipe="machine"), [rate, 2 * rate])
    assert (fitted.rate_hz, fitted.window_length, fitted.n_fft, fitted.hop_length) == (
        rate,
        window,
        n_fft,
        hop,
    )
    assert fitted.n_mels == n_mels
    assert fitted.frames_per_second == pytest.approx(40, rel=1e-2)
    maker = SpectrogramMaker(fitted, occupied_hz(fitted, [rate]))
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=2 * rate).astype(np.float32))
    values = maker.map(noise, rate)
    assert values.shape == (n_mels, 80)
    assert values.min() > -60, "no band is empty"


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "machine"])
def test_recipes_with_a_rate_of_their_own_keep_it(name: str) -> None:
    chosen = recipe(recipe=name)
    assert fit_to_rates(chosen, [44_100]) is chosen


def test_a_leak_above_8_khz_is_heard() -> None:
    """A hiss from 9 to 12 kHz in recordings of 44.1 kHz stands out where the bands say it is."""
    rng = np.random.default_rng(1)
    spectrum = np.fft.rfft(rng.normal(size=44_100))
    hz = np.fft.rfftfreq(44_100, 1 / 44_100)
    hiss = np.fft.irfft(np.where((hz > 9000) & (hz < 12_000), spectrum, 0.01 * spectrum)).astype(np.float32)
    maker = SpectrogramMaker(fit_to_rates(recipe(recipe="machine"), [44_100]))
    bands = maker.map(torch.from_numpy(hiss), 44_100).mean(dim=-1).numpy()
    loud = maker.frequencies_hz[bands > bands.max() - 10]
    assert 8500 < loud.min() < 9600 and 11_500 < loud.max() < 12_500


@pytest.mark.parametrize(
    ("rates", "empty_bands", "top"),
    [
        ([16_000], "leave_out", 8000.0),
        ([16_000, 16_000], "leave_out", 8000.0),
        ([16_000, 44_100], "leave_out", 7200.0),
        ([16_000], "keep", math.inf),
        ([], "leave_out", math.inf),
    ],
)
def test_bands_end_where_the_lowest_rate_does(rates: list[int], empty_bands: str, top: float) -> None:
    assert occupied_hz(recipe(empty_bands=empty_bands), rates) == top


@pytest.mark.parametrize("name", ["cnn14", "stft", "bench"])
def test_bands_that_the_recordings_leave_empty_are_left_out(name: str) -> None:
    chosen = recipe(recipe=name)
    whole, cut = SpectrogramMaker(chosen), SpectrogramMaker(chosen, 4000.0)
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=2 * chosen.rate_hz).astype(np.float32))
    n_bands = len(cut.frequencies_hz)
    assert 0 < n_bands < len(whole.frequencies_hz) == n_bands + cut.n_left_out
    np.testing.assert_array_equal(cut.frequencies_hz, whole.frequencies_hz[:n_bands])
    torch.testing.assert_close(
        cut.map(noise, chosen.rate_hz), whole.map(noise, chosen.rate_hz)[:n_bands], rtol=0, atol=0
    )
    assert cut.frequencies_hz[-1] < 4000 or name == "stft"


def test_a_recipe_that_starts_above_the_recordings_is_refused() -> None:
    with pytest.raises(DataError, match="nothing above 100 Hz"):
        SpectrogramMaker(recipe(recipe="bench", low_hz=2000.0), 100.0)


def test_clips_of_two_rates_look_alike() -> None:
    """One sound recorded at two rates: what the maps have in common is all that they show."""
    rng = np.random.default_rng(2)
    spectrum = np.fft.rfft(rng.normal(size=4 * 48_000))
    hz = np.fft.rfftfreq(4 * 48_000, 1 / 48_000)
    wide = np.fft.irfft(spectrum).astype(np.float32)
    narrow = np.fft.irfft(np.where(hz < 7800, spectrum, 0)[: 4 * 8000 + 1] / 3).astype(np.float32)
    chosen = fit_to_rates(recipe(recipe="machine"), [16_000, 48_000])
    maker = SpectrogramMaker(chosen, occupied_hz(chosen, [16_000, 48_000]))
    of_wide = maker.map(torch.from_numpy(wide), 48_000)[:, 8:-8]
    of_narrow = maker.map(torch.from_numpy(narrow), 16_000)[:, 8:-8]
    assert (of_wide.mean(dim=-1) - of_narrow.mean(dim=-1)).abs().max() < 0.2


def test_what_is_not_heard_is_said(caplog: pytest.LogCaptureFixture) -> None:
    from soundproof.features.extract import _maker

    with caplog.at_level(logging.WARNING):
        _maker(object(), recipe(recipe="cnn14"), [16_000])  # type: ignore[arg-type]
        assert "bands above" in caplog.text and "16000 Hz hold nothing" in caplog.text
        caplog.clear()
        _maker(object(), recipe(recipe="bench"), [44_100])  # type: ignore[arg-type]
        assert "reach up to 22050 Hz" in caplog.text and "up to 8000 Hz" in caplog.text
        caplog.clear()
        _maker(object(), recipe(recipe="machine"), [44_100])  # type: ignore[arg-type]
        _maker(object(), recipe(recipe="bench"), [16_000])  # type: ignore[arg-type]
        assert caplog.text == ""
