"""A map and the sound that it is of: there and back, by values that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.signal import istft, stft
from torch import Tensor
from torch.testing import assert_close

from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.sound_layer import SoundForm, SoundLayer
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.storage.maps import Scaling

RATE_HZ = 8000
ALL_FRAMES = {"recipe": "audio", "sample_rate_hz": RATE_HZ, "frames_multiple": 1}
RECIPES = {
    "audio": ALL_FRAMES,
    "cropped": {"recipe": "audio", "sample_rate_hz": RATE_HZ},
    "mel": {"recipe": "bench", "sample_rate_hz": RATE_HZ, "standardise": "none"},
    "log10": {"recipe": "dcase2022", "hop_length": 256, "sample_rate_hz": RATE_HZ, "n_mels": 24},
    "compressed": {"recipe": "cnn9", "sample_rate_hz": RATE_HZ, "hop_length": 512, "n_mels": 24},
    "magnitude": {"recipe": "stft", "hop_length": 256, "sample_rate_hz": RATE_HZ},
}


def layer_of(values: dict[str, object], n_samples: int, scaling: Scaling | None = None) -> SoundLayer:
    recipe = FeatureSettings(**resolve({**values, "keep_sound": True}))
    return SoundLayer(SoundForm(recipe, math.inf, scaling, n_samples))


def noise(n_clips: int, n_samples: int, seed: int = 0) -> Tensor:
    return torch.randn(n_clips, n_samples, generator=torch.Generator().manual_seed(seed)) / 10


def tone(hertz: float, n_samples: int) -> Tensor:
    time = torch.arange(n_samples, dtype=torch.float64) / RATE_HZ
    return 0.1 * torch.sin(2 * math.pi * hertz * time).float()


def scaling_of(n_freq: int) -> Scaling:
    rng = np.random.default_rng(2)
    return Scaling(tuple(rng.uniform(-40, 0, n_freq)), tuple(rng.uniform(1, 9, n_freq)))


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("values", RECIPES.values(), ids=RECIPES)
def test_maps_of_sounds_are_those_of_the_recipe_and_their_sounds_the_clips_to_the_last_bit(values, scaled):
    samples = noise(3, 6001)
    made = SpectrogramMaker(FeatureSettings(**resolve(values))).map(samples, RATE_HZ)
    scaling = scaling_of(made.shape[1]) if scaled else None
    layer = layer_of(values, 6001, scaling)
    maps = layer.maps(samples)
    wanted = made if scaling is None else (made.double() - layer.mean) / layer.deviation
    assert_close(maps, wanted.float(), rtol=1e-4, atol=1e-4)
    assert torch.equal(layer.sounds(maps, samples, maps), samples)
    # one clip, two copies
    copies = maps[:1].repeat(2, 1, 1)
    assert torch.equal(layer.sounds(copies, samples[:1], maps[:1]), samples[:1].expand(2, -1))


@pytest.mark.parametrize("n_samples", [4096, 4351, 4001])
@pytest.mark.parametrize("name", ["audio", "log10"])
def test_six_decibels_more_everywhere_are_the_sound_twice(name, n_samples):
    samples = noise(2, n_samples)
    layer = layer_of({**RECIPES[name], "frames_multiple": 1}, n_samples)
    maps = layer.maps(samples)
    step = 2 * math.log10(2) * (10 if name == "audio" else 1)
    tail = samples.new_full(maps.shape, step)
    # of mel bands the outermost bins reach none, and stay
    if name == "log10":
        lost = layer.sounds(maps + tail, samples, maps) - 2 * samples
        assert float(lost.square().mean() / samples.square().mean()) < 0.02
    else:
        assert_close(layer.sounds(maps + tail, samples, maps), 2 * samples, rtol=1e-4, atol=1e-5)


def test_a_removed_tone_is_gone_and_the_other_one_is_left():
    n_samples = 16000
    low, high = tone(500, n_samples), tone(2500, n_samples)
    samples = (low + high)[None]
    layer = layer_of(ALL_FRAMES, n_samples)
    maps = layer.maps(samples)
    bins = torch.arange(maps.shape[1]) * RATE_HZ / 1024
    silent = torch.where(((bins > 2000) & (bins < 3000))[:, None], -100.0, maps)
    # where the clip begins and ends, windows see it reflected: a tone with a kink is no tone
    inner = slice(1024, -1024)
    assert_close(layer.sounds(silent, samples, maps)[0, inner], low[inner], rtol=0, atol=2e-5)


def test_cells_are_removed_as_scipy_removes_them():
    n_samples = 8192
    samples = noise(1, n_samples)
    layer = layer_of({**ALL_FRAMES, "padding": "zero"}, n_samples)
    maps = layer.maps(samples)
    gone = torch.zeros(maps.shape[1:], dtype=torch.bool)
    gone[100:200, 10:14] = True
    changed = layer.sounds(torch.where(gone, -500.0, maps), samples, maps)[0].numpy()
    _, _, spectrum = stft(samples[0].numpy(), nperseg=1024, noverlap=768, boundary="zeros", padded=False)
    assert spectrum.shape == maps.shape[1:]
    spectrum[gone.numpy()] = 0
    _, expected = istft(spectrum, nperseg=1024, noverlap=768, boundary=True)
    np.testing.assert_allclose(changed[: len(expected)], expected[:n_samples], atol=1e-6)
    assert np.abs(changed - samples[0].numpy()).max() > 0.01


def test_what_a_map_says_nothing_of_stays():
    n_samples = 5700
    samples = noise(1, n_samples)
    layer = layer_of(RECIPES["cropped"], n_samples)
    maps = layer.maps(samples)
    # of 23 frames 16 are left, of which the last is centred on sample 15 * 256
    assert maps.shape[-1] == 16 and 1 + n_samples // 256 == 23
    silent = layer.sounds(torch.full_like(maps, -100), samples, maps)[0]
    after = 15 * 256 + 512
    assert torch.equal(silent[after:], samples[0, after:])
    assert float(silent[: after - 2048].abs().max()) < 1e-3


def test_the_slope_along_a_cell_is_that_of_the_energy_it_holds():
    # sum(y^2) of y = clip + ISTFT(Z (g - 1)): its slope along a cell's value in dB at g = 1 is ln(10) / 20 of
    # 2 Re(Z conj(STFT(y / sum of squared windows))) / n_fft, twice for each bin but the first and the last
    n_samples = 8192
    samples = noise(1, n_samples)
    layer = layer_of({**ALL_FRAMES, "padding": "zero"}, n_samples)
    maps = layer.maps(samples)
    x = maps.clone().requires_grad_()
    layer.sounds(x, samples, maps).square().sum().backward()
    window = torch.hann_window(1024)
    frames = torch.arange(-512, n_samples + 512)
    envelope = torch.zeros(n_samples)
    for frame in range(n_samples // 256 + 2):
        at = frames[frame * 256 : frame * 256 + 1024]
        inside = (at >= 0) & (at < n_samples)
        envelope[at[inside]] += window[: len(at)][inside] ** 2
    weighed = torch.stft(
        samples[0] / envelope, 1024, 256, window=window, pad_mode="constant", return_complex=True
    )
    spectrum = torch.stft(samples[0], 1024, 256, window=window, pad_mode="constant", return_complex=True)
    twice = torch.full((513, 1), 2.0)
    twice[[0, -1]] = 1
    slope = math.log(10) / 20 * 2 * twice * (spectrum * weighed.conj()).real / 1024
    # the last column takes the frame beyond it along
    assert_close(x.grad[0, :, :-1], slope[:, :-1], rtol=1e-3, atol=1e-5)


def test_silence_has_no_phase_and_stays_silent_with_a_finite_slope():
    n_samples = 4096
    samples = torch.zeros(1, n_samples)
    layer = layer_of(ALL_FRAMES, n_samples)
    maps = layer.maps(samples)
    assert float(maps.max()) == pytest.approx(-100)
    x = maps.clone().requires_grad_()
    made = layer.sounds(x + 60, samples, maps)
    made.square().sum().backward()
    assert not made.any() and x.grad.isfinite().all()


def test_a_form_is_read_as_it_was_written():
    recipe = FeatureSettings(**resolve(ALL_FRAMES))
    for form in (SoundForm(recipe, math.inf, None, 3), SoundForm(recipe, 3500.0, Scaling((0.5,), (2.0,)), 3)):
        assert SoundForm.decode(form.encode()) == form


def test_windows_too_far_apart_for_a_way_back_are_refused():
    with pytest.raises(ValueError, match="hop_length 1024: each sample needs two windows of 1024"):
        FeatureSettings(**resolve({"recipe": "audio", "hop_length": 1024}))
