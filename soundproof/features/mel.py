"""The two mel scales in use, and the triangles laid out on them."""

from __future__ import annotations

import numpy as np

from soundproof.features.recipes import MelScaleName

_LINEAR_HZ = 200 / 3
"""Slaney's scale: hertz per mel in its linear part."""
_BREAK_HZ = 1000.0
"""Slaney's scale: where its logarithmic part begins."""
_LOG_STEP = np.log(6.4) / 27
"""Slaney's scale: natural logarithm of the ratio of two frequencies one mel apart, above the break."""


def mel_edges_hz(n_mels: int, low_hz: float, high_hz: float, scale: MelScaleName) -> np.ndarray:
    """Return edges and centres of mel triangles.

    Triangle k (from 0) rises from entry k, has its peak at entry k + 1 and falls to entry k + 2.

    Args:
        n_mels: Number of triangles.
        low_hz: Lower edge of the first one.
        high_hz: Upper edge of the last one.
        scale: ``htk``: 2595 log10(1 + f / 700) (Young et al., The HTK Book); ``slaney``: linear up to 1 kHz,
            logarithmic above (Slaney 1998, Auditory Toolbox, Technical Report 1998-010; librosa's default).

    Returns:
        Frequencies in Hz, float64 [n_mels + 2], increasing.
    """
    low, high = mel_of_hz(np.array([low_hz, high_hz]), scale)
    return _to_hz(np.linspace(low, high, n_mels + 2), scale)


def mel_of_hz(hz: np.ndarray, scale: MelScaleName) -> np.ndarray:
    """Mel of frequencies [...] in Hz."""
    if scale == "htk":
        return np.asarray(2595 * np.log10(1 + hz / 700))
    linear = hz / _LINEAR_HZ
    above = _BREAK_HZ / _LINEAR_HZ + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, linear, above)


def _to_hz(mel: np.ndarray, scale: MelScaleName) -> np.ndarray:
    if scale == "htk":
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    knee = _BREAK_HZ / _LINEAR_HZ
    return np.where(
        mel < knee, mel * _LINEAR_HZ, _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, knee) - knee))
    )
