"""A clip cut in two, as files that sum to the file of the clip sample by sample."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile

from soundproof.core.errors import DataError

_FULL_SCALE = 1 << 15
_LARGEST = 1 - 2 / _FULL_SCALE
"""Peak that 16 bits hold even where rounding adds a step to both parts."""


@dataclass(frozen=True)
class Parts:
    """A clip and its two parts at 16 bits and one gain.

    Attributes:
        clip: int16 [n_samples], the sum of the other two, exactly.
        marked: int16 [n_samples], what a mask lets through.
        left: int16 [n_samples], what is left.
        gain: Factor that all three were brought to by, 1 unless one of them would have exceeded full scale.
    """

    clip: np.ndarray
    marked: np.ndarray
    left: np.ndarray
    gain: float


def common_gain(*sounds: np.ndarray) -> float:
    """Largest factor, at most 1, by which none of ``sounds`` [n_samples] exceeds full scale.

    Raises:
        DataError: NaN or infinity in one of them.
    """
    peaks = [float(np.abs(sound).max(initial=0.0)) for sound in sounds]
    if not np.isfinite(peaks).all():
        raise DataError("finite samples", "NaN or infinity", "look at the recording")
    return min(1.0, _LARGEST / max(_LARGEST, *peaks))


def quantised(sound: np.ndarray, gain: float) -> np.ndarray:
    """Round ``gain * sound`` [n_samples] to 16 bits, int16."""
    return np.rint(gain * _FULL_SCALE * sound.astype(np.float64)).astype(np.int16)


def parts(clip: np.ndarray, marked: np.ndarray, gain: float) -> Parts:
    """Round a clip and what a mask lets through of it; the rest is taken after rounding, so that nothing is lost.

    Args:
        clip: float [n_samples].
        marked: float [n_samples].
        gain: :func:`common_gain` of clip, marked and their difference, or less.
    """
    whole, through = quantised(clip, gain), quantised(marked, gain)
    return Parts(whole, through, whole - through, gain)


def flac(samples: np.ndarray, rate_hz: int) -> bytes:
    """Encode samples int16 [n_samples] without loss."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate_hz, format="FLAC", subtype="PCM_16")
    return stream.getvalue()
