"""The cells that a sentence speaks of: what would have to go if it were right."""

from __future__ import annotations

import numpy as np

from soundproof.audio.masking import Stft
from soundproof.reasons.reason import Reason
from soundproof.reasons.sentence import MISSING_DB

NOTCH = 0.02
"""Half width of a notch around a line, as a part of its frequency, and at least :data:`NOTCH_BINS`."""
NOTCH_BINS = 2.0
"""Half the main lobe of a Hann window, in bins."""


def named_cells(reason: Reason, stft: Stft, n_frames: int, rate_hz: int) -> np.ndarray | None:
    """Mark what a sentence names: its band, or the lines of its tone, from its beginning to its end.

    Args:
        reason: The reason.
        stft: Spectrogram of the cells.
        n_frames: Its frames.
        rate_hz: Sampling rate.

    Returns:
        bool [n_bins, n_frames]; None where it names nothing that could be removed, since it says nothing or
        says that sound is missing.
    """
    values = reason.attributes
    if "onset_s" not in reason.stated or values["level_db"] < MISSING_DB:
        return None
    frequency = np.arange(stft.n_bins) * rate_hz / stft.n_fft
    time = np.arange(n_frames) * stft.hop_length / rate_hz
    # half a cell at least, or a band between two bins would hold none
    reach_hz, reach_s = 0.5 * rate_hz / stft.n_fft, 0.5 * stft.hop_length / rate_hz
    band = (frequency >= values["low_hz"] - reach_hz) & (frequency <= values["high_hz"] + reach_hz)
    if "fundamental_hz" in reason.stated:
        fundamental = values["fundamental_hz"]
        nearest = np.maximum(np.rint(frequency / fundamental), 1) * fundamental
        width_hz = np.maximum(NOTCH * nearest, NOTCH_BINS * rate_hz / stft.n_fft)
        band &= np.abs(frequency - nearest) <= width_hz
    during = (time >= values["onset_s"] - reach_s) & (time <= values["offset_s"] + reach_s)
    cells = band[:, np.newaxis] & during
    return cells if cells.any() else None
