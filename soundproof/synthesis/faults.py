"""Seven faults as physical models: what each adds to a healthy machine's sound at the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from soundproof.synthesis.machines import Running
from soundproof.synthesis.signals import Signal, band_noise, faded, harmonics, struck

FADE_SECONDS = 0.05


@dataclass(frozen=True)
class Bearing:
    """Geometry of a rolling-element bearing, and what its outer race rings.

    Attributes:
        balls: Number of rolling elements.
        diameter_ratio: Ball diameter over pitch diameter.
        contact_rad: Contact angle.
        slip: Relative jitter of the interval between impacts.
        resonance_hz: Structural resonance that impacts excite.
        decay_s: Time in which it falls to 1/e.
    """

    balls: int
    diameter_ratio: float
    contact_rad: float
    slip: float
    resonance_hz: float
    decay_s: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Bearing:
        """Draw a bearing: 7 to 11 balls, resonance between 2 and 6 kHz, 1 to 2 % slip."""
        return cls(
            balls=int(rng.integers(7, 12)),
            diameter_ratio=rng.uniform(0.18, 0.28),
            contact_rad=rng.uniform(0.0, 0.26),
            slip=rng.uniform(0.01, 0.02),
            resonance_hz=rng.uniform(2200.0, 5500.0),
            decay_s=rng.uniform(0.0008, 0.0015),
        )

    @property
    def impacts_per_turn(self) -> float:
        """Ball-pass rate of the outer race over the shaft's: n/2 (1 - d/D cos phi).

        Source: Randall & Antoni, Rolling element bearing diagnostics: a tutorial, Mech. Syst. Signal
            Process. 25 (2011), equation 1.
        """
        return self.balls / 2 * (1 - self.diameter_ratio * float(np.cos(self.contact_rad)))


@dataclass(frozen=True)
class Defects:
    """How each fault would sound in one individual machine.

    Attributes:
        bearing: Its bearing.
        growth: Amplitudes of the 1x, 2x and 3x shaft lines; imbalance raises the first, misalignment the
            second.
        leak_hz: Band of a leak's hiss.
        rub_hz: Band of a rub's noise.
        rub_width: Share of a turn for which rotor and housing touch.
        knock_hz: Modes that a loose part strikes.
        mains_hz: Frequency of the electrical supply.
        hum_lines: Amplitudes of the harmonics of twice the mains frequency.
    """

    bearing: Bearing
    growth: tuple[float, float, float]
    leak_hz: tuple[float, float]
    rub_hz: tuple[float, float]
    rub_width: float
    knock_hz: tuple[float, float]
    mains_hz: float
    hum_lines: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, rate_hz: int) -> Defects:
        """Draw the defects of an individual."""
        return cls(
            bearing=Bearing.draw(rng),
            growth=((1.0, 0.4, 0.2), (0.5, 1.0, 0.3))[rng.integers(2)],
            leak_hz=(rng.uniform(3000.0, 4500.0), 0.47 * rate_hz),
            rub_hz=(rng.uniform(1000.0, 1800.0), rng.uniform(4000.0, 6000.0)),
            rub_width=rng.uniform(0.1, 0.2),
            knock_hz=(rng.uniform(500.0, 900.0), rng.uniform(1400.0, 2400.0)),
            mains_hz=float(rng.choice([50.0, 60.0])),
            hum_lines=tuple(float(line) for line in rng.uniform(0.3, 1.0, 6) / np.arange(1, 7)),
        )


@dataclass(frozen=True)
class Moment:
    """When a fault acts: samples ``[start, stop)`` of the machine's run, at a sampling rate."""

    start: int
    stop: int
    rate_hz: int

    @property
    def length(self) -> int:
        """Number of samples."""
        return self.stop - self.start


Fault = Callable[[Defects, Signal, Moment, np.random.Generator], Signal]
"""(defects, shaft angle [n] within the moment, moment, rng) -> sound [n] at an arbitrary level."""


def bearing(defects: Defects, shaft: Signal, moment: Moment, rng: np.random.Generator) -> Signal:
    """Outer-race spall: each ball strikes it and rings the structure, hardest where the rotor's load points.

    Impacts follow the shaft's angle, with slip, so the train is only almost periodic (Randall & Antoni 2011).
    """
    spall = defects.bearing
    step = 2 * np.pi / spall.impacts_per_turn
    count = int((shaft[-1] - shaft[0]) / step) + 2
    angles = shaft[0] + step * np.cumsum(1 + spall.slip * rng.standard_normal(count))
    angles = angles[angles < shaft[-1]]
    strengths = (1 + 0.5 * np.cos(angles)) * rng.uniform(0.8, 1.2, size=angles.size)
    positions = np.interp(angles, shaft, np.arange(shaft.size))
    return struck(positions, strengths, shaft.size, moment.rate_hz, (spall.resonance_hz,), (spall.decay_s,))


def imbalance(defects: Defects, shaft: Signal, moment: Moment, rng: np.random.Generator) -> Signal:
    """Imbalance or misalignment: the lines at 1x (and 2x, 3x) the shaft rate grow.

    A heavy spot pulls once per turn, a misaligned coupling twice (Randall, *Vibration-based Condition
    Monitoring*, on shaft-speed faults). Healthy machines have their once-per-turn line at angle 0; the added one
    is within 60 degrees of it, so that the line always grows.
    """
    return harmonics(shaft, defects.growth, rng.uniform(-np.pi / 3, np.pi / 3, size=3))


def air_leak(defects: Defects, shaft: Signal, moment: Moment, rng: np.random.Generator) -> Signal:
    """Leak: the hiss of a small turbulent jet, high-passed noise.

    The smaller the orifice, the higher the peak frequency of jet noise (Strouhal number near 0.2; Bies &
    Hansen).
    """
    return band_noise(rng, moment.length, moment.rate_hz, *defects.leak_hz)


def rub(defects: Defects, shaft: Signal, moment: Moment, rng: np.random.Generator) -> Signal:
    """Rotor rub: rotor and housing touch over a part of each turn; friction noise bursts once per turn."""
    turn = np.mod(shaft / (2 * np.pi) + rng.uniform(), 1.0)
    touching = np.where(turn < defects.rub_width, np.sin(np.pi * turn / defects.rub_width) ** 2, 0.0)
    return touching * band_noise(rng, moment.length, moment.rate_hz, *defects.rub_hz)


def loose_part(defects: Defects, shaft: Signal, moment: Moment, rng: np.random.Generator) -> Signal:
    """Loose part: knocks at random times and of random strength ring two low modes."""
    rate_per_s = 9.0
    count = max(3, int(rng.poisson(rate_per_s * moment.length / moment.rate_hz)))
    share = rng.uniform(size=count)
    share = (share - share.min()) / np.ptp(share)
    edge = FADE_SECONDS * moment.rate_hz
    # The first and the last knock mark the ends of the event.
    positions = edge + share * (moment.length - 3 * edge)
    strengths = rng.lognormal(0.0, 0.4, size=count)
    return struck(positions, strengths, moment.length, moment.rate_hz, defects.knock_hz, (0.012, 0.006))


def hum(defects: Defects, shaft: Signal, moment: Moment, rng: np.random.Generator) -> Signal:
    """Electrical hum: magnetic force, hence sound, at multiples of twice the mains frequency."""
    phase = 4 * np.pi * defects.mains_hz * np.arange(moment.length) / moment.rate_hz
    return harmonics(phase, defects.hum_lines, rng.uniform(0, 2 * np.pi, size=len(defects.hum_lines)))


ADDED: dict[str, Fault] = {
    "bearing": bearing,
    "imbalance": imbalance,
    "air_leak": air_leak,
    "rub": rub,
    "loose_part": loose_part,
    "hum": hum,
}
"""Faults that add sound. A missing stroke takes some away: see :func:`missing_stroke`."""

MISSING_STROKE = "missing_stroke"


def added_fault(
    name: str, defects: Defects, running: Running, moment: Moment, rng: np.random.Generator
) -> Signal:
    """Return the sound of a fault that adds to the machine's, faded at both ends, [moment.length]."""
    shaft = running.shaft[moment.start : moment.stop]
    return faded(ADDED[name](defects, shaft, moment, rng), round(FADE_SECONDS * moment.rate_hz))


def missing_stroke(
    running: Running, first: int, last: int, rate_hz: int, rng: np.random.Generator
) -> tuple[Moment, Signal]:
    """Leave out one stroke: the fault is *minus* that stroke, so that normal + fault is still what is heard.

    Args:
        running: The machine; it has strokes.
        first: First sample at which the stroke may begin.
        last: Sample before which it must end.
        rate_hz: Sampling rate.
        rng: Chooses the stroke.
    """
    choices = [s for s in running.strokes if s.start >= first and s.start + s.sound.size <= last]
    stroke = choices[rng.integers(len(choices))]
    return Moment(stroke.start, stroke.start + stroke.sound.size, rate_hz), -stroke.sound
