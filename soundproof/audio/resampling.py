"""Sound brought to another sampling rate, without aliases."""

from __future__ import annotations

import numpy as np
import soxr

QUALITY = "VHQ"
"""libsoxr's quality for 24-bit sound. Whatever lies above the new Nyquist frequency must not come back folded: a
leak's hiss at 9 kHz would look like a fault at 7 kHz."""


def resampled(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Resample sound by libsoxr, in memory that does not grow with the smallest common multiple of the rates.

    Args:
        samples: Sound [..., n_samples].
        from_hz: Its sampling rate.
        to_hz: Rate to bring it to.

    Returns:
        float32 [..., n_samples * to_hz / from_hz, rounded].
    """
    sound = np.asarray(samples, dtype=np.float32)
    if from_hz == to_hz:
        return sound
    channels = np.atleast_2d(sound).reshape(-1, sound.shape[-1])
    out = np.stack([soxr.resample(channel, from_hz, to_hz, quality=QUALITY) for channel in channels])
    return out.reshape(*sound.shape[:-1], out.shape[-1])
