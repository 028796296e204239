"""Sound of any rate, channel count and length, brought to one of each."""

from __future__ import annotations

import numpy as np

from soundproof.audio.reading import read_audio
from soundproof.audio.resampling import resampled
from soundproof.audio.zip_members import Source


def read_at(source: Source, rate_hz: int) -> np.ndarray:
    """Decode a file to mono (mean of its channels), resampled to ``rate_hz``; float32 [n_samples].

    Raises:
        DataError: The file cannot be used (:func:`soundproof.audio.reading.read_audio`).
    """
    audio = read_audio(source)
    return resampled(audio.samples, audio.rate_hz, rate_hz)


def fitted(samples: np.ndarray, n_samples: int) -> np.ndarray:
    """Cut ``samples`` [any length] at the end, or fill them up with zeros, to [n_samples]."""
    out = np.zeros(n_samples, dtype=np.float32)
    kept = samples[:n_samples]
    out[: kept.size] = kept
    return out
