"""Building blocks of machine sound: turning shafts, harmonics, noises and struck resonances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

Signal: TypeAlias = npt.NDArray[np.float64]
"""Samples, float64 [n_samples]."""


def decibels(level_db: float) -> float:
    """Return the amplitude factor of a level in dB."""
    return float(10.0 ** (level_db / 20.0))


def rms(sound: Signal) -> float:
    """Return the root mean square of ``sound``."""
    return float(np.sqrt(np.mean(np.square(sound))))


def unit(sound: Signal) -> Signal:
    """Scale ``sound`` to an RMS of 1."""
    return sound / rms(sound)


def wandering(rng: np.random.Generator, n_samples: int, rate_hz: int) -> Signal:
    """Return a slow random wander with an RMS of 1 over the long run: three sines of 0.1 to 1 Hz, [n_samples]."""
    grid_hz = 50
    time = np.arange(n_samples * grid_hz // rate_hz + 2) / grid_hz
    rates_hz, turns = rng.uniform(0.1, 1.0, size=(3, 1)), rng.uniform(size=(3, 1))
    coarse = np.sqrt(2 / 3) * np.sum(np.sin(2 * np.pi * (rates_hz * time + turns)), axis=0)
    return np.asarray(np.interp(np.arange(n_samples) / rate_hz, time, coarse))


def turning(rng: np.random.Generator, n_samples: int, rate_hz: int, shaft_hz: float, drift: float) -> Signal:
    """Return the angle of a shaft whose speed wanders slowly, radians [n_samples].

    Args:
        rng: Source of the start angle and of the drift.
        n_samples: Length.
        rate_hz: Sampling rate.
        shaft_hz: Mean rate of rotation in Hz.
        drift: RMS of the relative change of speed.
    """
    steps = 2 * np.pi * shaft_hz / rate_hz * (1 + drift * wandering(rng, n_samples, rate_hz))
    return np.asarray(rng.uniform(0, 2 * np.pi) + np.cumsum(steps))


def harmonics(phase: Signal, amplitudes: Sequence[float] | Signal, angles: Signal | None = None) -> Signal:
    """Return ``sum_k amplitudes[k-1] * sin(k * phase + angles[k-1])`` for k = 1, 2, ..., [n_samples]."""
    coefficients = np.asarray(amplitudes, dtype=np.complex128)
    if angles is not None:
        coefficients = coefficients * np.exp(1j * angles)
    turn = np.exp(1j * phase)
    # Horner's scheme: one complex exponential however many harmonics.
    total = np.zeros_like(turn)
    for coefficient in coefficients[::-1]:
        total += coefficient
        total *= turn
    return np.asarray(total.imag)


def sloping_noise(
    rng: np.random.Generator, n_samples: int, rate_hz: int, corner_hz: float, slope_db: float
) -> Signal:
    """Return Gaussian noise, flat up to ``corner_hz``, falling by ``slope_db`` per octave above; RMS 1."""
    n_fft = fft.next_fast_len(n_samples, real=True)
    spectrum = fft.rfft(rng.standard_normal(n_fft))
    frequency = fft.rfftfreq(n_fft, 1 / rate_hz)
    order = slope_db / (20 * np.log10(2))
    spectrum *= np.exp(-order / 2 * np.log1p(np.square(frequency / corner_hz)))
    spectrum[0] = 0
    return unit(fft.irfft(spectrum, n_fft)[:n_samples])


def band_noise(
    rng: np.random.Generator, n_samples: int, rate_hz: int, low_hz: float, high_hz: float
) -> Signal:
    """Return Gaussian noise between two frequencies (Butterworth edges, 12 dB per octave); RMS 1."""
    sections = signal.butter(2, (low_hz, high_hz), btype="bandpass", fs=rate_hz, output="sos")
    return unit(signal.sosfilt(sections, rng.standard_normal(n_samples)))


def struck(
    positions: Signal,
    strengths: Signal,
    n_samples: int,
    rate_hz: int,
    resonances_hz: Sequence[float],
    decays_s: Sequence[float],
) -> Signal:
    """Return damped resonances excited by blows, [n_samples].

    Args:
        positions: Times of the blows in samples, need not be whole, [n_blows].
        strengths: Amplitudes of the blows, [n_blows].
        n_samples: Length.
        rate_hz: Sampling rate.
        resonances_hz: Frequency of each mode.
        decays_s: Time in which each mode falls to 1/e.
    """
    blows = np.zeros(n_samples)
    whole = np.floor(positions).astype(np.int64)
    part = positions - whole
    for index, share in ((whole, 1 - part), (whole + 1, part)):
        inside = (index >= 0) & (index < n_samples)
        np.add.at(blows, index[inside], (strengths * share)[inside])
    sound = np.zeros(n_samples)
    for resonance_hz, decay_s in zip(resonances_hz, decays_s, strict=True):
        omega = 2 * np.pi * resonance_hz / rate_hz
        radius = np.exp(-1 / (decay_s * rate_hz))
        # The two-pole filter whose impulse response is radius**n * sin(omega * n).
        feedback = [1.0, -2 * radius * np.cos(omega), radius**2]
        sound += signal.lfilter([0.0, radius * np.sin(omega)], feedback, blows)
    return sound


def faded(sound: Signal, edge: int) -> Signal:
    """Fade ``sound`` in and out over ``edge`` samples (half a cosine at either end)."""
    edge = min(edge, sound.size // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window = np.ones(sound.size)
    window[:edge] = ramp
    window[sound.size - edge :] = ramp[::-1]
    return sound * window


def band_of_energy(sound: Signal, rate_hz: int, share: float = 0.9) -> tuple[float, float]:
    """Return the band in Hz that holds ``share`` of the energy, leaving out as much below as above."""
    n_fft = fft.next_fast_len(sound.size, real=True)
    power = np.square(np.abs(fft.rfft(sound, n_fft)))
    cumulative = np.cumsum(power) / np.sum(power)
    tail = (1 - share) / 2
    low, high = np.searchsorted(cumulative, [tail, 1 - tail])
    step_hz = rate_hz / n_fft
    return max(float(low - 0.5) * step_hz, 0.0), min(float(high + 0.5) * step_hz, rate_hz / 2)


def band_power(sound: Signal, rate_hz: int, low_hz: float, high_hz: float) -> float:
    """Return the mean power of ``sound`` between two frequencies, both included."""
    n_fft = fft.next_fast_len(sound.size, real=True)
    frequency = fft.rfftfreq(n_fft, 1 / rate_hz)
    power = np.square(np.abs(fft.rfft(sound, n_fft)))
    power[1 : (n_fft + 1) // 2] *= 2  # the negative frequencies, which rfft leaves out
    inside = (frequency >= low_hz) & (frequency <= high_hz)
    return float(np.sum(power[inside]) / (n_fft * sound.size))
