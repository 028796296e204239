"""The two machines that work in strokes: slide rail and valve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from soundproof.synthesis.machines import (
    LOAD_WANDER_DB,
    SPEED_DRIFT,
    Machine,
    Operation,
    Running,
    Stroke,
    falling,
)
from soundproof.synthesis.signals import (
    Signal,
    band_noise,
    decibels,
    harmonics,
    sloping_noise,
    struck,
    turning,
    unit,
)


def perform(background: Signal, shaft: Signal, strokes: Iterator[Stroke]) -> Running:
    """Lay strokes over a steady background; those cut by either end are heard but not listed."""
    sound = background.copy()
    whole: list[Stroke] = []
    for stroke in strokes:
        stop = stroke.start + stroke.sound.size
        first, last = max(stroke.start, 0), max(min(stop, sound.size), 0)
        if first < last:
            sound[first:last] += stroke.sound[first - stroke.start : last - stroke.start]
        if (first, last) == (stroke.start, stop):
            whole.append(stroke)
    return Running(sound, shaft, tuple(whole))


def _load(operation: Operation, rng: np.random.Generator) -> float:
    """Return the load's amplitude factor in one stroke; strokes differ by about 1 dB."""
    return decibels(operation.load_db + LOAD_WANDER_DB * rng.standard_normal())


@dataclass(frozen=True)
class SlideRail(Machine):
    """Crank-driven linear rail: friction noise in strokes to and fro, each ending in a knock at the stop.

    Sliding friction radiates broadband noise whose power rises with speed, and the crank makes the speed a
    half sine (Akay, *Acoustics of friction*, J. Acoust. Soc. Am. 111, 2002).
    """

    shaft_hz: float
    period_s: float
    duty: float
    bands_hz: tuple[tuple[float, float], tuple[float, float]]
    motor_lines: Signal
    stop_hz: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> SlideRail:
        """Draw stroke period (0.6 to 0.85 s), friction bands of both directions and the motor's lines."""
        low_hz = rng.uniform(500.0, 900.0)
        return cls(
            shaft_hz=rng.uniform(20.0, 28.0),
            period_s=rng.uniform(0.6, 0.85),
            duty=rng.uniform(0.6, 0.75),
            bands_hz=((low_hz, rng.uniform(2500, 3500)), (1.5 * low_hz, rng.uniform(3500, 4500))),
            motor_lines=falling(rng, 12, 0.8),
            stop_hz=(rng.uniform(300.0, 600.0), rng.uniform(900.0, 1600.0)),
        )

    def run(self, operation: Operation, rng: np.random.Generator) -> Running:
        """Run it: a steady motor, and strokes in alternating directions."""
        n_samples, rate_hz = operation.n_samples, operation.rate_hz
        shaft = turning(rng, n_samples, rate_hz, self.shaft_hz * operation.speed, SPEED_DRIFT)
        angles = rng.uniform(0, 2 * np.pi, size=self.motor_lines.size)
        motor = 0.2 * unit(harmonics(shaft, self.motor_lines, angles))
        motor += 0.08 * sloping_noise(rng, n_samples, rate_hz, 600.0, 5.0)
        return perform(motor, shaft, self._strokes(operation, rng))

    def _strokes(self, operation: Operation, rng: np.random.Generator) -> Iterator[Stroke]:
        rate_hz = operation.rate_hz
        period = self.period_s * rate_hz / operation.speed
        length = round(self.duty * period)
        speed = np.sin(np.pi * (np.arange(length) + 0.5) / length)
        blow_at = np.array([0.97 * length])
        direction = int(rng.integers(2))
        position = -rng.uniform(0, 1) * period
        while position < operation.n_samples:
            friction = speed * band_noise(rng, length, rate_hz, *self.bands_hz[direction])
            strength = np.array([rng.uniform(0.8, 1.2)])
            knock = struck(blow_at, strength, length, rate_hz, self.stop_hz, (0.006, 0.004))
            yield Stroke(round(position), _load(operation, rng) * friction + knock)
            direction = 1 - direction
            position += period * rng.uniform(0.99, 1.01)


@dataclass(frozen=True)
class Valve(Machine):
    """Solenoid valve: on and off blows in a repeated pattern, with flow noise while it is open.

    The armature strikes its seat and rings the body's modes; the jet through the open seat adds noise that is
    broad around its peak (Bies & Hansen, *Engineering Noise Control*, on control valves).
    """

    gaps_s: tuple[float, ...]
    open_s: float
    modes_hz: tuple[float, ...]
    decays_s: tuple[float, ...]
    jet_hz: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Valve:
        """Draw the pattern of three cycles, the modes of the body and the band of the jet."""
        return cls(
            gaps_s=tuple(float(gap) for gap in rng.uniform(0.3, 0.55, size=3)),
            open_s=rng.uniform(0.1, 0.18),
            modes_hz=tuple(float(rng.uniform(*band)) for band in ((700, 1200), (1800, 2800), (3800, 5500))),
            decays_s=tuple(float(decay) for decay in rng.uniform(0.003, 0.008, size=3)),
            jet_hz=(rng.uniform(1200.0, 1800.0), rng.uniform(4000.0, 5500.0)),
        )

    def run(self, operation: Operation, rng: np.random.Generator) -> Running:
        """Run it: strokes over the steady noise of the supply line."""
        supply = 0.03 * sloping_noise(rng, operation.n_samples, operation.rate_hz, 500.0, 4.0)
        return perform(supply, np.zeros(operation.n_samples), self._strokes(operation, rng))

    def _strokes(self, operation: Operation, rng: np.random.Generator) -> Iterator[Stroke]:
        rate_hz = operation.rate_hz
        opened = round(self.open_s * rate_hz)
        length = opened + round(0.04 * rate_hz)
        gaps = np.array(self.gaps_s) * rate_hz / operation.speed
        cycle = int(rng.integers(gaps.size))
        position = -rng.uniform(0, 1) * float(gaps[cycle])
        envelope = np.zeros(length)
        envelope[:opened] = np.sin(np.pi * (np.arange(opened) + 0.5) / opened) ** 0.5
        while position < operation.n_samples:
            strengths = np.array([1.0, 0.7]) * rng.uniform(0.9, 1.1, size=2)
            blows_at = np.array([0.0, float(opened)])
            blows = struck(blows_at, strengths, length, rate_hz, self.modes_hz, self.decays_s)
            jet = 0.08 * envelope * band_noise(rng, length, rate_hz, *self.jet_hz)
            yield Stroke(round(position), blows + _load(operation, rng) * jet)
            position += float(gaps[cycle]) * rng.uniform(0.98, 1.02)
            cycle = (cycle + 1) % gaps.size
