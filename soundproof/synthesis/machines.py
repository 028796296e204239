"""Five machines as physical models: what a healthy one sounds like at the source.

Each class holds what sets one individual apart (its *character*, drawn once per machine id);
:meth:`Machine.run` makes one stretch of its sound.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np

from soundproof.synthesis.signals import (
    Signal,
    band_noise,
    decibels,
    harmonics,
    sloping_noise,
    turning,
    unit,
    wandering,
)

SPEED_DRIFT = 0.002
LOAD_WANDER_DB = 1.0


@dataclass(frozen=True)
class Operation:
    """How a machine is run.

    Attributes:
        n_samples: Length of the stretch.
        rate_hz: Sampling rate.
        speed: Speed relative to the individual's nominal one.
        load_db: Level of what the load causes (flow, friction, tooth force) relative to the nominal load.
    """

    n_samples: int
    rate_hz: int
    speed: float
    load_db: float

    def load(self, rng: np.random.Generator) -> Signal:
        """Return the load's amplitude factor; it wanders by about 1 dB (gusts, viscosity), [n_samples]."""
        wander = wandering(rng, self.n_samples, self.rate_hz)
        return np.asarray(decibels(self.load_db) * np.exp(np.log(10) / 20 * LOAD_WANDER_DB * wander))


@dataclass(frozen=True)
class Stroke:
    """One stroke of a reciprocating machine: first sample and sound."""

    start: int
    sound: Signal


@dataclass(frozen=True)
class Running:
    """A healthy machine at work.

    Attributes:
        sound: The whole sound, strokes included, [n_samples].
        shaft: Angle of the main shaft in radians, [n_samples]; all zero where nothing turns.
        strokes: The strokes that lie within the stretch as a whole, in order.
    """

    sound: Signal
    shaft: Signal
    strokes: tuple[Stroke, ...] = ()


class Machine(ABC):
    """An individual machine."""

    @classmethod
    @abstractmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Draw an individual."""

    @abstractmethod
    def run(self, operation: Operation, rng: np.random.Generator) -> Running:
        """Run it for a while."""


def falling(rng: np.random.Generator, count: int, slope: float) -> Signal:
    """Draw amplitudes that fall as ``k ** -slope``, each off by up to 3 dB, [count]."""
    return np.arange(1, count + 1.0) ** -slope * 10 ** (rng.uniform(-3, 3, size=count) / 20)


@dataclass(frozen=True)
class Fan(Machine):
    """Axial fan: blade-pass harmonics over broadband flow noise.

    Tones lie at multiples of blades x shaft rate, the noise of turbulent inflow and trailing edges is broad
    and falls with frequency (Bies & Hansen, *Engineering Noise Control*, on fans).
    """

    shaft_hz: float
    blades: int
    lines: Signal
    flow_corner_hz: float
    flow_slope_db: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Fan:
        """Draw speed (3000 to 3480 rpm), number of blades (5 to 9) and colour."""
        return cls(
            shaft_hz=rng.uniform(50.0, 58.0),
            blades=int(rng.integers(5, 10)),
            lines=falling(rng, 10, 1.0),
            flow_corner_hz=rng.uniform(400.0, 900.0),
            flow_slope_db=rng.uniform(5.0, 7.0),
        )

    def run(self, operation: Operation, rng: np.random.Generator) -> Running:
        """Run it: tones, flow noise and a trace of the once-per-turn line."""
        n_samples, rate_hz = operation.n_samples, operation.rate_hz
        shaft = turning(rng, n_samples, rate_hz, self.shaft_hz * operation.speed, SPEED_DRIFT)
        angles = rng.uniform(0, 2 * np.pi, size=self.lines.size)
        tones = unit(harmonics(self.blades * shaft, self.lines, angles))
        flow = sloping_noise(rng, n_samples, rate_hz, self.flow_corner_hz, self.flow_slope_db)
        sound = 0.7 * tones + operation.load(rng) * flow + 0.1 * np.sin(shaft)
        return Running(sound, shaft)


@dataclass(frozen=True)
class Pump(Machine):
    """Centrifugal pump: vane-pass and shaft harmonics over a cavitation floor.

    Bubbles collapse at random and ring high; their rate swings with each passing vane, so the floor is
    noise, modulated at the vane-pass rate (Brennen, *Cavitation and Bubble Dynamics*, on cavitation noise).
    """

    shaft_hz: float
    vanes: int
    shaft_lines: Signal
    vane_lines: Signal
    cavitation_hz: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Pump:
        """Draw speed (3420 to 3570 rpm, a two-pole motor with slip), vanes (5 to 7) and colour."""
        return cls(
            shaft_hz=rng.uniform(57.0, 59.5),
            vanes=int(rng.integers(5, 8)),
            shaft_lines=falling(rng, 4, 1.5),
            vane_lines=falling(rng, 5, 1.3),
            cavitation_hz=(rng.uniform(900.0, 1500.0), rng.uniform(4500.0, 6000.0)),
        )

    def run(self, operation: Operation, rng: np.random.Generator) -> Running:
        """Run it: shaft and vane lines, cavitation floor, low rumble of the flow."""
        n_samples, rate_hz = operation.n_samples, operation.rate_hz
        shaft = turning(rng, n_samples, rate_hz, self.shaft_hz * operation.speed, SPEED_DRIFT)
        vanes = self.vanes * shaft
        tones = 0.25 * unit(harmonics(shaft, self.shaft_lines))
        tones += 0.6 * unit(harmonics(vanes, self.vane_lines, rng.uniform(0, 2 * np.pi, 5)))
        bubbles = band_noise(rng, n_samples, rate_hz, *self.cavitation_hz) * (1 + 0.4 * np.cos(vanes))
        rumble = sloping_noise(rng, n_samples, rate_hz, 150.0, 7.0)
        sound = tones + operation.load(rng) * (0.5 * bubbles + 0.5 * rumble)
        return Running(sound, shaft)


@dataclass(frozen=True)
class Gearbox(Machine):
    """Gear pair: mesh harmonics, each with sidebands at the rates of both shafts.

    Tooth force makes tones at multiples of teeth x shaft rate; run-out modulates their amplitude and phase
    once per turn, which spreads sidebands around them (Randall, *Vibration-based Condition Monitoring*, on
    gears).
    """

    shaft_hz: float
    teeth: int
    driven_teeth: int
    lines: Signal
    amplitude_depth: float
    phase_depth: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Gearbox:
        """Draw speed (3000 to 3480 rpm), teeth of both wheels and depth of modulation."""
        teeth = int(rng.integers(17, 30))
        return cls(
            shaft_hz=rng.uniform(50.0, 58.0),
            teeth=teeth,
            driven_teeth=teeth + int(rng.integers(5, 20)),
            lines=falling(rng, 6, 1.0),
            amplitude_depth=rng.uniform(0.2, 0.4),
            phase_depth=rng.uniform(0.2, 0.6),
        )

    def run(self, operation: Operation, rng: np.random.Generator) -> Running:
        """Run it: modulated mesh tones over the noise of oil and housing."""
        n_samples, rate_hz = operation.n_samples, operation.rate_hz
        shaft = turning(rng, n_samples, rate_hz, self.shaft_hz * operation.speed, SPEED_DRIFT)
        driven = shaft * (self.teeth / self.driven_teeth) + rng.uniform(0, 2 * np.pi)
        mesh = self.teeth * shaft + self.phase_depth * np.sin(driven)
        angles = rng.uniform(0, 2 * np.pi, size=self.lines.size)
        swing = 1 + self.amplitude_depth * np.cos(shaft) + 0.5 * self.amplitude_depth * np.cos(driven)
        tones = unit(swing * harmonics(mesh, self.lines, angles))
        noise = sloping_noise(rng, n_samples, rate_hz, 700.0, 6.0)
        sound = operation.load(rng) * 0.8 * tones + 0.5 * noise + 0.1 * np.sin(shaft)
        return Running(sound, shaft)
