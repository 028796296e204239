"""From a planned clip to its stems, in physical order: source, path, surroundings, microphone, level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soundproof.audio.sound import Stems
from soundproof.datasets.bench.physics import physics
from soundproof.datasets.bench.plan import PlannedClip
from soundproof.datasets.bench.settings import BenchParameters
from soundproof.interfaces.dataset import Physics
from soundproof.randomness.seeding import seed_from
from soundproof.synthesis.faults import (
    MISSING_STROKE,
    Defects,
    Moment,
    added_fault,
    missing_stroke,
)
from soundproof.synthesis.machines import Fan, Gearbox, Machine, Operation, Pump, Running
from soundproof.synthesis.room import Path, Surroundings
from soundproof.synthesis.signals import Signal, band_of_energy, band_power, decibels, rms
from soundproof.synthesis.strokes import SlideRail, Valve

MACHINES: dict[str, type[Machine]] = {
    "fan": Fan,
    "pump": Pump,
    "gearbox": Gearbox,
    "slide_rail": SlideRail,
    "valve": Valve,
}
LEVEL_DBFS = -30.0  # a valve peaks up to 28 dB above its RMS
SURROUNDINGS_DB = {"source": -18.0, "target": -12.0}


@dataclass(frozen=True)
class Event:
    """Where a fault is: half-open time interval and the band that holds 90 % of its energy."""

    onset_s: float
    offset_s: float
    low_hz: float
    high_hz: float


@dataclass(frozen=True)
class Synthesis:
    """A clip's stems, and its event and the physics of its fault if there is one."""

    stems: Stems
    event: Event | None
    physics: Physics | None


@dataclass(frozen=True)
class Individual:
    """All that is drawn once per machine id."""

    machine: Machine
    defects: Defects
    path: Path

    @classmethod
    def draw(cls, machine: str, machine_id: str, settings: BenchParameters) -> Individual:
        """Draw the individual; each part has a stream of its own."""

        def stream(purpose: str) -> np.random.Generator:
            return np.random.default_rng(seed_from("bench", settings.seed, machine, machine_id, purpose))

        return cls(
            machine=MACHINES[machine].draw(stream("character")),
            defects=Defects.draw(stream("defects"), settings.sample_rate_hz),
            path=Path.draw(stream("room"), settings.sample_rate_hz) if settings.room else Path.direct(),
        )


@dataclass(frozen=True)
class Site:
    """All that a domain changes: speed, load, and the noise of the place."""

    speed: float
    load_db: float
    surroundings: Surroundings

    @classmethod
    def draw(cls, clip: PlannedClip, settings: BenchParameters) -> Site:
        """Draw the site of the clip's domain; clips without domain are at the source's."""
        domain = clip.domain or "source"
        rng = np.random.default_rng(
            seed_from("bench", settings.seed, clip.machine, clip.machine_id, domain, "site")
        )
        surroundings = Surroundings.draw(rng, SURROUNDINGS_DB[domain])
        if domain == "source":
            return cls(1.0, 0.0, surroundings)
        speed = float(rng.choice([rng.uniform(0.82, 0.88), rng.uniform(1.12, 1.18)]))
        return cls(speed, float(rng.uniform(2.0, 4.0)), surroundings)

    def operation(self, n_samples: int, rate_hz: int, rng: np.random.Generator) -> Operation:
        """Draw how the machine is run in one clip: speed within 1 %, load within 1.5 dB of the site's."""
        speed = self.speed * rng.uniform(0.99, 1.01)
        return Operation(n_samples, rate_hz, speed, self.load_db + rng.uniform(-1.5, 1.5))


def synthesise(clip: PlannedClip, settings: BenchParameters) -> Synthesis:
    """Synthesise a clip; the result depends on the settings and on the clip's name, on nothing else."""

    def stream(purpose: str) -> np.random.Generator:
        names = (settings.seed, clip.machine, clip.machine_id, clip.clip_id, purpose)
        return np.random.default_rng(seed_from("bench", *names))

    individual = Individual.draw(clip.machine, clip.machine_id, settings)
    site = Site.draw(clip, settings)
    rate_hz, n_samples = settings.sample_rate_hz, round(settings.seconds * settings.sample_rate_hz)
    # The machine runs already when the recording starts, so that the room is filled with sound.
    lead = individual.path.memory
    operation = site.operation(lead + n_samples, rate_hz, stream("operation"))
    running = individual.machine.run(operation, stream("machine"))
    heard = individual.path.carry(running.sound)[lead : lead + n_samples]
    normal = site.surroundings.around(heard, stream("surroundings"), rate_hz)

    fault, event, drawn = np.zeros(n_samples), None, None
    if clip.fault is not None and clip.snr_db is not None:
        share = settings.event_share
        moment, sound = _fault_at_source(clip.fault, individual, running, rate_hz, share, stream("fault"))
        carried = individual.path.carry(sound)
        first = moment.start - lead
        inside = slice(first, first + carried.size)
        band_hz = band_of_energy(carried, rate_hz)
        gain = _gain(carried, normal[inside], rate_hz, band_hz, clip.snr_db)
        # No more than all of a stroke can be missing.
        fault[inside] = carried * (min(gain, 1.0) if clip.fault == MISSING_STROKE else gain)
        event = Event(first / rate_hz, (first + carried.size) / rate_hz, *band_hz)
        time_s = event.onset_s, event.offset_s
        drawn = physics(clip.fault, individual.defects, running.shaft, moment, time_s, band_hz)
    return Synthesis(_levelled(normal, fault, settings), event, drawn)


def _fault_at_source(
    fault: str,
    individual: Individual,
    running: Running,
    rate_hz: int,
    share: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Moment, Signal]:
    """Return when the fault acts and its sound there; its reverberation ends within the recording."""
    lead = individual.path.memory
    last = running.sound.size - lead
    if fault == MISSING_STROKE:
        return missing_stroke(running, lead, last, rate_hz, rng)
    length = round(rng.uniform(*share) * (running.sound.size - lead))
    start = int(rng.integers(lead, last - length, endpoint=True))
    moment = Moment(start, start + length, rate_hz)
    return moment, added_fault(fault, individual.defects, running, moment, rng)


def _gain(fault: Signal, normal: Signal, rate_hz: int, band_hz: tuple[float, float], snr_db: float) -> float:
    """Return the factor that brings the fault to ``snr_db``: power ratio in dB within its time and band."""
    ratio = band_power(normal, rate_hz, *band_hz) / band_power(fault, rate_hz, *band_hz)
    return float(np.sqrt(ratio)) * decibels(snr_db)


def _levelled(normal: Signal, fault: Signal, settings: BenchParameters) -> Stems:
    """Set the level with one gain for both stems."""
    reference = normal + fault if settings.level == "normalised" else normal
    gain = decibels(LEVEL_DBFS) / rms(reference)
    return Stems(
        normal=(gain * normal).astype(np.float32),
        fault=(gain * fault).astype(np.float32),
        rate_hz=settings.sample_rate_hz,
    )
