"""The way from the machine to the recording: room, surroundings, microphone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from soundproof.synthesis.signals import Signal, decibels, rms, sloping_noise

ROOM_SECONDS = 0.05
MICROPHONE_FLOOR_DB = -50.0


@dataclass(frozen=True)
class Path:
    """Linear way from source to microphone.

    Attributes:
        response: Impulse response with unit energy, float64 [n_taps]; the direct sound is its first sample.
    """

    response: Signal

    @classmethod
    def direct(cls) -> Path:
        """No room: the microphone hears the source as it is."""
        return cls(np.ones(1))

    @classmethod
    def draw(cls, rng: np.random.Generator, rate_hz: int) -> Path:
        """Draw a small room: direct sound, then exponentially decaying Gaussian reflections.

        The model is Polack's: beyond the first reflections a room's response is noise whose energy decays
        exponentially, by 60 dB within the reverberation time (Kuttruff, *Room Acoustics*, on the decay of
        diffuse fields). Cut after 50 ms, as in a treated machine hall with a near microphone.
        """
        n_taps = round(ROOM_SECONDS * rate_hz)
        reverberation_s = rng.uniform(0.08, 0.2)
        direct_to_reverberant_db = rng.uniform(4.0, 10.0)
        tail = rng.standard_normal(n_taps) * 10 ** (-3 * np.arange(n_taps) / (rate_hz * reverberation_s))
        tail[: round(0.001 * rate_hz)] = 0
        tail *= decibels(-direct_to_reverberant_db) / np.linalg.norm(tail)
        tail[0] = 1
        return cls(tail / np.linalg.norm(tail))

    @property
    def memory(self) -> int:
        """How many samples a sound outlasts its source."""
        return self.response.size - 1

    def carry(self, sound: Signal) -> Signal:
        """Return the sound at the microphone, ``memory`` samples longer, [n_samples + memory]."""
        if self.memory == 0:
            return np.asarray(sound * self.response[0])
        return np.asarray(signal.oaconvolve(sound, self.response))


@dataclass(frozen=True)
class Surroundings:
    """Noise of the place, independent of the machine.

    Attributes:
        level_db: Level below the machine's at the microphone.
        corner_hz: Where its spectrum starts to fall.
        slope_db: By how much, per octave.
    """

    level_db: float
    corner_hz: float
    slope_db: float

    @classmethod
    def draw(cls, rng: np.random.Generator, level_db: float) -> Surroundings:
        """Draw the colour of the place's noise."""
        return cls(
            level_db=level_db + rng.uniform(-1.0, 1.0),
            corner_hz=rng.uniform(100.0, 400.0),
            slope_db=rng.uniform(4.0, 6.0),
        )

    def around(self, machine: Signal, rng: np.random.Generator, rate_hz: int) -> Signal:
        """Add the noise of the place (within 2 dB of its level) and of the microphone, [n_samples]."""
        level = rms(machine)
        level_db = self.level_db + rng.uniform(-2.0, 2.0)
        place = sloping_noise(rng, machine.size, rate_hz, self.corner_hz, self.slope_db)
        microphone = rng.standard_normal(machine.size)
        noise = decibels(level_db) * place + decibels(MICROPHONE_FLOOR_DB) * microphone
        return machine + level * noise
