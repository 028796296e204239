"""Sound of any rate, channel count and length, brought to one of each."""

from __future__ import annotations

from functools import lru_cache
from math import gcd

import numpy as np
from scipy.signal import resample_poly

from soundproof.datasets.audio_files import read_audio
from soundproof.datasets.packed import Source


def read_at(source: Source, rate_hz: int) -> np.ndarray:
    """Decode a file to mono (mean of its channels), resampled to ``rate_hz``; float32 [n_samples].

    Raises:
        DataError: The file cannot be used (:func:`soundproof.datasets.audio_files.read_audio`).
    """
    audio = read_audio(source)
    return resampled(audio.samples, audio.rate_hz, rate_hz)


def resampled(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Resample [n_samples] with a polyphase filter; float32."""
    if from_hz == to_hz:
        return np.asarray(samples, dtype=np.float32)
    up, down = _ratio(from_hz, to_hz)
    return np.asarray(resample_poly(samples.astype(np.float64), up, down), dtype=np.float32)


def fitted(samples: np.ndarray, n_samples: int) -> np.ndarray:
    """Cut ``samples`` [any length] at the end, or fill them up with zeros, to [n_samples]."""
    out = np.zeros(n_samples, dtype=np.float32)
    kept = samples[:n_samples]
    out[: kept.size] = kept
    return out


@lru_cache(maxsize=32)
def _ratio(from_hz: int, to_hz: int) -> tuple[int, int]:
    common = gcd(from_hz, to_hz)
    return to_hz // common, from_hz // common
