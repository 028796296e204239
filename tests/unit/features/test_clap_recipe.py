"""The input of CLAP against librosa's mel spectrogram; ``test_clap_zero_shot.py`` asks CLAP's own front end."""

from __future__ import annotations

import librosa
import numpy as np
import torch

from soundproof.features.recipes import FeatureSettings, resolve
from soundproof.features.spectrogram import SpectrogramMaker

RATE = 48_000


def test_clap_recipe_is_that_of_the_published_front_end() -> None:
    chosen = FeatureSettings(**resolve({"recipe": "clap", "frames_multiple": 1}))
    y = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    ours = SpectrogramMaker(chosen).map(torch.from_numpy(y), RATE).numpy()
    power = librosa.feature.melspectrogram(
        y=y, sr=RATE, n_fft=1024, hop_length=480, n_mels=64, fmin=50, fmax=14_000, pad_mode="reflect"
    )
    assert ours.shape == (64, 101)
    np.testing.assert_allclose(ours, 10 * np.log10(np.maximum(power, 1e-10)), atol=0.01)
