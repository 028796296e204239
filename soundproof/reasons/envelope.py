"""The envelope of a sound: how impulsive it is, how much of the time it sounds, how often it repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, signal
from scipy.ndimage import median_filter

LEAST_PERIODS = 4
"""Periods that must fit into an event before its repetition has a rate."""
LOWEST_HZ = 8.0
"""Lowest rate of repetition that is looked for; what is slower is a course of events."""
SMOOTHING_S = 0.004
"""Time over which power is averaged before it is asked how much of the time it sounds."""
HIGHEST_HZ = 400.0
"""Highest rate of repetition that is looked for; above it one hears a tone."""
COMPARABLE_DB = 6.0
"""Lines this close to the most prominent one are looked at beside it."""
APART = 0.02
"""Distance from a multiple of a slower line, as a part of the frequency, from which on a line is another one's."""
FLOOR_HZ = 12.0
"""Half the width of the surroundings that a peak of the envelope's spectrum is compared with."""


def squared_envelope(sound: np.ndarray, rate_hz: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Squared magnitude of the analytic signal of a band, float64 [n_samples].

    Args:
        sound: [n_samples].
        rate_hz: Sampling rate.
        low_hz: Lower edge.
        high_hz: Upper edge.
    """
    n_samples = len(sound)
    n_fft = fft.next_fast_len(n_samples)
    spectrum = fft.fft(sound, n_fft)
    frequency = fft.fftfreq(n_fft, 1 / rate_hz)
    analytic = fft.ifft(np.where((frequency >= low_hz) & (frequency <= high_hz), 2 * spectrum, 0))
    return np.asarray(np.square(np.abs(analytic[:n_samples])))


def impulsiveness(envelope: np.ndarray) -> float:
    """Kurtosis of the complex envelope, ``<e^2> / <e>^2 - 2`` of a squared envelope e.

    0 for Gaussian noise, -1 for a steady tone, about 2 / d - 2 for noise that sounds a share d of the time.

    Source: Antoni, The spectral kurtosis: a useful tool for characterising non-stationary signals, Mech. Syst.
        Signal Process. 20 (2006), equation 12; Randall and Antoni 2011, section 5.3.
    """
    return float(np.mean(np.square(envelope)) / np.square(np.mean(envelope)) - 2)


def duty(envelope: np.ndarray, rate_hz: int) -> float:
    """Share of the time in which a sound sounds, ``<e>^2 / <e^2>`` of the smoothed squared envelope e, 0..1.

    1 where it is steady, d where it is on at one level for a share d of the time and off otherwise (the
    participation ratio, inverse of the squared crest of power).
    """
    length = max(1, round(SMOOTHING_S * rate_hz))
    smooth = np.convolve(envelope, np.full(length, 1 / length), mode="valid")
    return float(np.square(np.mean(smooth)) / np.mean(np.square(smooth)))


@dataclass(frozen=True)
class Repetition:
    """The strongest repetition of a sound.

    Attributes:
        rate_hz: Times a second.
        prominence_db: Its line in the spectrum of the squared envelope over the median of its surroundings.
        depth: Amplitude of that line over the mean of the envelope: 0 for a steady sound, 2 for a train of clicks.
    """

    rate_hz: float
    prominence_db: float
    depth: float


def repetition(envelope: np.ndarray, rate_hz: int) -> Repetition | None:
    """Rate of repetition: the most prominent line of the spectrum of the squared envelope.

    Source: the squared envelope spectrum of Randall and Antoni 2011, section 5.1.

    Args:
        envelope: Squared envelope [n_samples].
        rate_hz: Sampling rate.

    Returns:
        None where the event is too short for :data:`LEAST_PERIODS` of any rate looked for.
    """
    seconds = len(envelope) / rate_hz
    highest_hz = min(HIGHEST_HZ, rate_hz / 4)
    lowest_hz = max(LOWEST_HZ, LEAST_PERIODS / seconds)
    if lowest_hz >= highest_hz / 2:
        return None
    step = max(1, int(rate_hz / (4 * HIGHEST_HZ)))
    coarse = signal.resample_poly(envelope, 1, step) if step > 1 else envelope
    coarse_hz = rate_hz / step
    window = signal.windows.hann(len(coarse), sym=False)
    mean = float(np.sum(coarse * window) / np.sum(window))
    n_fft = 2 * fft.next_fast_len(len(coarse))
    spectrum = np.abs(fft.rfft((coarse - mean) * window, n_fft)) * 2 / np.sum(window)
    frequency = fft.rfftfreq(n_fft, 1 / coarse_hz)
    width = 2 * max(1, round(FLOOR_HZ / frequency[1])) + 1
    floor = median_filter(spectrum, width, mode="nearest")
    inside = (frequency >= lowest_hz) & (frequency <= highest_hz)
    return _strongest(frequency[inside], spectrum[inside], floor[inside], mean)


def _strongest(frequency: np.ndarray, spectrum: np.ndarray, floor: np.ndarray, mean: float) -> Repetition:
    """The line that the others are multiples of, or the strongest that is no multiple of a slower one.

    A rub sounds once per turn and has lines at its multiples; a bearing's impacts swing with the turn of the
    shaft, so that the slower line stands beside that of the impacts, which is no multiple of it.
    """
    ratio_db = 20 * np.log10(spectrum / np.maximum(floor, np.finfo(float).tiny))
    peaks, _ = signal.find_peaks(ratio_db)
    if not len(peaks):
        peaks = np.array([int(np.argmax(ratio_db))])
    near = peaks[ratio_db[peaks] >= ratio_db[peaks].max() - COMPARABLE_DB]
    slowest = near[0]
    order = frequency[near] / frequency[slowest]
    others = near[np.abs(order - np.rint(order)) * frequency[slowest] > APART * frequency[near]]
    at = slowest if not len(others) else others[np.argmax(ratio_db[others])]
    return Repetition(float(frequency[at]), float(ratio_db[at]), float(spectrum[at] / mean))
