"""What a recipe hears of recordings of given sampling rates."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from soundproof.features.mel import mel_edges_hz, mel_of_hz
from soundproof.features.recipes import FeatureSettings

REFERENCE_HZ = 16_000
"""Rate at which a recipe that takes the recordings' own rate states its lengths in samples."""
MIXED_SHARE = 0.45
"""Part of the lowest rate up to which recordings of different rates can be compared: the filters of converters and
resamplers end between there and half the rate, each in its own way."""


def fit_to_rates(settings: FeatureSettings, rates_hz: Collection[int]) -> FeatureSettings:
    """Settle the sampling rate of a recipe that takes the recordings' own: the lowest among them.

    Lengths keep their seconds (the transform is rounded up to a power of two), mel bands about their width in mel
    (a number that is a multiple of 8 stays one).

    Args:
        settings: The recipe.
        rates_hz: Sampling rates of the recordings; none for data without sound.
    """
    if settings.sample_rate_hz is not None or not rates_hz:
        return settings
    rate_hz = min(rates_hz)
    window = max(16, round(settings.window_length * rate_hz / REFERENCE_HZ))
    transform = max(16, round(settings.n_fft * rate_hz / REFERENCE_HZ))
    top = min(settings.high_hz or math.inf, rate_hz / 2)
    share = _width(settings, top) / _width(settings, min(settings.high_hz or math.inf, REFERENCE_HZ / 2))
    step = 1 if settings.n_mels % 8 else 8
    return settings.model_copy(
        update={
            "sample_rate_hz": rate_hz,
            "window_length": window,
            "n_fft": 1 << (transform - 1).bit_length(),
            "hop_length": max(1, round(settings.hop_length * rate_hz / REFERENCE_HZ)),
            "n_mels": max(step, step * round(settings.n_mels * share / step)),
            "high_hz": None if settings.high_hz is None else top,
        }
    )


def occupied_hz(settings: FeatureSettings, rates_hz: Collection[int]) -> float:
    """Return the frequency above which some recordings hold nothing (Hz; infinite where all bands are kept)."""
    if settings.empty_bands == "keep" or not rates_hz:
        return math.inf
    lowest = min(rates_hz)
    return lowest * (MIXED_SHARE if len(set(rates_hz)) > 1 else 0.5)


def band_tops_hz(settings: FeatureSettings) -> np.ndarray:
    """Return the upper edge of each band of a recipe whose rate is settled, lowest first, float64 [n_bands]."""
    return _bands(settings)[1]


def band_centres_hz(settings: FeatureSettings) -> np.ndarray:
    """Return the centre of each band of a recipe whose rate is settled, lowest first, float64 [n_bands]."""
    return _bands(settings)[0]


def n_filled_bands(settings: FeatureSettings, filled_hz: float) -> int:
    """Return how many bands do not reach above a frequency in Hz (:func:`occupied_hz`)."""
    return int(np.count_nonzero(band_tops_hz(settings) <= filled_hz * (1 + 1e-9)))


def _bands(settings: FeatureSettings) -> tuple[np.ndarray, np.ndarray]:
    nyquist = settings.rate_hz / 2
    if settings.kind == "stft":
        bins = np.linspace(0, nyquist, settings.n_fft // 2 + 1)
        return bins, bins
    edges = mel_edges_hz(settings.n_mels, settings.low_hz, settings.high_hz or nyquist, settings.mel_scale)
    return edges[1:-1], edges[2:]


def _width(settings: FeatureSettings, high_hz: float) -> float:
    low, high = mel_of_hz(np.array([settings.low_hz, high_hz]), settings.mel_scale)
    return float(high - low)
