"""Log-mel maps beside librosa's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from benchmarks.rows import Row, check_same
from benchmarks.setting import Setting
from benchmarks.timing import interleaved
from soundproof.features.recipes import RECIPES, FeatureSettings
from soundproof.features.spectrogram import SpectrogramMaker
from soundproof.randomness.seeding import seed_from

SECONDS = 10


def features(setting: Setting) -> list[Row]:
    """Turn ten-second clips into maps of P1's recipe, on the CPU as the pipeline does."""
    # here, so that the other benchmarks do without it

    recipe = FeatureSettings(**RECIPES["planer"])
    rate = recipe.sample_rate_hz
    assert rate is not None  # the recipe states one
    generator = torch.Generator().manual_seed(seed_from("benchmark sound"))
    sounds = 0.1 * torch.randn(setting.many, SECONDS * rate, generator=generator)
    maker = SpectrogramMaker(recipe)
    timings = interleaved(
        {
            "ours": lambda: torch.stack([maker.map(sound, rate) for sound in sounds]),
            "librosa": lambda: torch.stack([_by_librosa(sound, recipe, rate) for sound in sounds]),
        },
        setting.repeats,
        torch.device("cpu"),
    )
    ours, other = timings["ours"], timings["librosa"]
    check_same("log-mel maps", ours.result, other.result[..., : ours.result.shape[-1]])
    row = Row(
        benchmark="features",
        case=f"log-mel of {SECONDS} s",
        unit="ms/clip",
        ours=1e3 * ours.seconds / len(sounds),
        against="librosa",
        other=1e3 * other.seconds / len(sounds),
        ratio=other.over(ours),
        sense="x faster",
    )
    return [row]


def _by_librosa(sound: Tensor, recipe: FeatureSettings, rate: int) -> Tensor:
    # here, so that the other benchmarks do without it
    import librosa

    power = librosa.feature.melspectrogram(
        y=sound.numpy(),
        sr=rate,
        n_fft=recipe.n_fft,
        win_length=recipe.window_length,
        hop_length=recipe.hop_length,
        n_mels=recipe.n_mels,
        fmin=recipe.low_hz,
        power=recipe.power,
        pad_mode="reflect",
        htk=True,
        norm=None,
    )
    return torch.from_numpy(10 * np.log10(power + recipe.floor))
