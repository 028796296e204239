"""Measure the attributes of a marked sound."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from soundproof.audio.masking import Stft
from soundproof.reasons import envelope as envelopes
from soundproof.reasons import lines as spectra
from soundproof.reasons.attributes import ATTRIBUTES
from soundproof.reasons.extent import edges
from soundproof.reasons.marked import Marked

NOTHING_MARKED = "no cell is marked"
TOO_SHORT = "the event is too short for {} periods of any rate"
NO_LINES = "no line stands out"
SILENT = "the marked sound is silent"
WELCH_S = 0.032
LEAST_DB = -60.0
"""Lowest level over normal: nothing at all is left."""
LEAST_S = 0.02
"""Shortest stretch of sound that has a spectrum."""


@dataclass(frozen=True)
class Measured:
    """Attributes of one sound; each is in exactly one of the two.

    Attributes:
        values: Those that it has, by names of :data:`soundproof.reasons.attributes.ATTRIBUTES`.
        absent: Why it does not have the others.
    """

    values: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


def measure(heard: Marked, stft: Stft, rate_hz: int) -> Measured:
    """Measure all attributes of what is marked; definitions: :mod:`soundproof.reasons.attributes`.

    Args:
        heard: The marked sound and its cells.
        stft: Spectrogram of the cells.
        rate_hz: Sampling rate.
    """
    if not heard.cells.any():
        return _complete({}, {}, NOTHING_MARKED)
    values = _level_and_extent(heard, stft, rate_hz)
    first, last = (round(values[name] * rate_hz) for name in ("onset_s", "offset_s"))
    sound = heard.sound[first:last]
    if len(sound) < LEAST_S * rate_hz or not sound.any():
        return _complete(values, {}, SILENT)
    low_hz, high_hz = values["low_hz"], values["high_hz"]
    absent: dict[str, str] = {}
    envelope = envelopes.squared_envelope(sound, rate_hz, low_hz, high_hz)
    if not envelope.any():
        return _complete(values, {}, SILENT)
    values |= {
        "impulsiveness": envelopes.impulsiveness(envelope),
        "duty": envelopes.duty(envelope, rate_hz),
        **_coarse_spectrum(sound, rate_hz, low_hz, high_hz),
    }
    repeated = envelopes.repetition(envelope, rate_hz)
    if repeated is None:
        why = TOO_SHORT.format(envelopes.LEAST_PERIODS)
        absent |= dict.fromkeys(("rate_hz", "rate_prominence_db", "rate_depth"), why)
    else:
        values |= {
            "rate_hz": repeated.rate_hz,
            "rate_prominence_db": repeated.prominence_db,
            "rate_depth": repeated.depth,
        }
    frequency, power = spectra.power_spectrum(sound, rate_hz)
    # the foot of a line is as wide as the main lobe of the window
    width_hz = 4 * rate_hz / len(sound)
    found = spectra.lines(frequency, power, low_hz - 2 * width_hz, high_hz + 2 * width_hz, width_hz)
    values |= {"line_count": float(len(found.power)), "tonality": found.share}
    fundamental = spectra.fundamental(found)
    if fundamental is None:
        absent["fundamental_hz"] = NO_LINES
    else:
        values["fundamental_hz"] = fundamental
    return _complete(values, absent, SILENT)


def _level_and_extent(heard: Marked, stft: Stft, rate_hz: int) -> dict[str, float]:
    """Level, band and time of marked cells."""
    ratio = heard.relative.sum() / np.square(heard.cells).sum()
    level_db = float(10 * np.log10(max(ratio, 10 ** (LEAST_DB / 10))))
    weight = heard.cells if level_db < 0 else np.log1p(heard.relative)
    seconds = len(heard.sound) / rate_hz
    # cell k of an axis is centred on bin or frame k
    low_hz, high_hz = (
        float(np.clip((edge - 0.5) * rate_hz / stft.n_fft, 0, rate_hz / 2)) for edge in edges(weight.sum(1))
    )
    onset_s, offset_s = (
        float(np.clip((edge - 0.5) * stft.hop_length / rate_hz, 0, seconds)) for edge in edges(weight.sum(0))
    )
    lowest_hz = 0.5 * rate_hz / stft.n_fft
    return {
        "level_db": level_db,
        "low_hz": low_hz,
        "high_hz": high_hz,
        "width_octaves": float(np.log2(max(high_hz, lowest_hz) / max(low_hz, lowest_hz))),
        "onset_s": onset_s,
        "offset_s": offset_s,
        "duration_s": offset_s - onset_s,
    }


def _coarse_spectrum(sound: np.ndarray, rate_hz: int, low_hz: float, high_hz: float) -> dict[str, float]:
    """Centre, peak and flatness of a band."""
    length = min(max(2, round(WELCH_S * rate_hz)), len(sound))
    frequency, power = spectra.averaged_spectrum(sound, rate_hz, length)
    inside = (frequency >= low_hz) & (frequency <= high_hz)
    if not inside.any():
        # narrower than a bin: the nearest one stands for it
        inside = np.arange(len(frequency)) == np.argmin(np.abs(frequency - (low_hz + high_hz) / 2))
    of_band, at = power[inside], frequency[inside]
    return {
        "centre_hz": float(np.sum(of_band * at) / max(float(np.sum(of_band)), np.finfo(float).tiny)),
        "peak_hz": float(at[np.argmax(of_band)]),
        "flatness": spectra.flatness(of_band),
    }


def _complete(values: dict[str, float], absent: dict[str, str], otherwise: str) -> Measured:
    missing = [name for name in ATTRIBUTES if name not in values]
    return Measured(
        {name: values[name] for name in ATTRIBUTES if name in values},
        {name: absent.get(name, otherwise) for name in missing},
    )
