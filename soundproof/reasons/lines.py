"""The spectrum of a sound: its lines, their fundamental, its peak, and how flat it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, signal
from scipy.ndimage import median_filter

LINE_DB = 12.0
"""Power of a line over the median of its surroundings."""
RANGE_DB = 30.0
"""Power of the strongest line over that of the weakest: what is weaker may be a side lobe of the window."""
SURROUNDINGS_HZ = 60.0
"""Width of these surroundings."""
MATCH = 0.02
"""Distance of a line from a multiple of the fundamental, as a part of its frequency."""
EXPLAINED = 0.9
"""The highest fundamental is taken that explains this part of what the best one does."""


def power_spectrum(sound: np.ndarray, rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """Power spectrum of a whole sound [n_samples] through a Hann window, frequencies and power [n_bins]."""
    n_fft = 2 * fft.next_fast_len(len(sound))
    window = signal.windows.hann(len(sound), sym=False)
    power = np.square(np.abs(fft.rfft(sound * window, n_fft)))
    return fft.rfftfreq(n_fft, 1 / rate_hz), power


def averaged_spectrum(sound: np.ndarray, rate_hz: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean power over windows that overlap by half, frequencies and power [length // 2 + 1].

    Source: Welch, IEEE Trans. Audio Electroacoust. 15 (1967). All windows go through one transform, since SciPy's
    takes them one by one and thirty times as long.

    Args:
        sound: [n_samples], at least ``length``.
        rate_hz: Sampling rate.
        length: Samples of a window.
    """
    frames = np.lib.stride_tricks.sliding_window_view(sound, length)[:: max(1, length // 2)]
    centred = frames - frames.mean(axis=1, keepdims=True)
    power = np.square(np.abs(fft.rfft(centred * signal.windows.hann(length, sym=False), axis=1))).mean(axis=0)
    return fft.rfftfreq(length, 1 / rate_hz), power


def flatness(power: np.ndarray) -> float:
    """Geometric over arithmetic mean of the power of bins [n_bins], 0..1: 1 for white noise, 0 for a line.

    Source: Gray and Markel, A spectral-flatness measure, IEEE Trans. ASSP 22 (1974), equation 14.
    """
    safe = np.maximum(power, np.finfo(float).tiny)
    return float(np.exp(np.mean(np.log(safe))) / np.mean(safe))


@dataclass(frozen=True)
class Lines:
    """Tonal lines.

    Attributes:
        frequencies_hz: Their frequencies [n_lines], rising.
        power: Power of each [n_lines].
        share: Part of the sound's power that they hold, 0..1.
    """

    frequencies_hz: np.ndarray
    power: np.ndarray
    share: float


def lines(frequency: np.ndarray, power: np.ndarray, low_hz: float, high_hz: float, width_hz: float) -> Lines:
    """Find lines: peaks :data:`LINE_DB` above the median around them and within :data:`RANGE_DB` of the highest.

    Args:
        frequency: Of each bin [n_bins], from 0 in even steps.
        power: [n_bins].
        low_hz: Lowest frequency.
        high_hz: Highest frequency.
        width_hz: Width of a line at its foot, that of the window's main lobe.
    """
    step_hz = frequency[1]
    floor = median_filter(power, 2 * max(1, round(SURROUNDINGS_HZ / step_hz / 2)) + 1, mode="nearest")
    reach = max(1, round(width_hz / step_hz / 2))
    inside = (frequency >= low_hz) & (frequency <= high_hz)
    peaks, _ = signal.find_peaks(np.where(inside, power, 0.0), distance=reach)
    least = np.maximum(
        10 ** (LINE_DB / 10) * floor[peaks], 10 ** (-RANGE_DB / 10) * power[peaks].max(initial=0.0)
    )
    peaks = peaks[power[peaks] > least]
    total = float(power[inside].sum())
    held = np.array([power[max(0, at - reach) : at + reach + 1].sum() for at in peaks])
    return Lines(frequency[peaks], held, float(held.sum() / total) if total > 0 else 0.0)


def fundamental(found: Lines) -> float | None:
    """Frequency in Hz whose multiples hold the most power of the lines; None without lines.

    Candidates are the lines, and a half and a third of each; of those that explain :data:`EXPLAINED` of what
    the best one does, the highest is taken, since any part of a fundamental explains all that it does.
    """
    if not len(found.frequencies_hz):
        return None
    candidates = np.concatenate([found.frequencies_hz / part for part in (1, 2, 3)])
    order = found.frequencies_hz / candidates[:, np.newaxis]
    fits = (np.abs(order - np.rint(order)) <= MATCH * order) & (np.rint(order) >= 1)
    explained = (fits * found.power).sum(axis=1)
    at = np.flatnonzero(explained >= EXPLAINED * explained.max())
    best = at[np.argmax(candidates[at])]
    multiples, held = np.rint(order[best])[fits[best]], found.power[fits[best]]
    # least squares over its multiples, each by its power
    matched = found.frequencies_hz[fits[best]]
    return float(np.sum(held * multiples * matched) / np.sum(held * multiples**2))
