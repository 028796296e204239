"""Machines whose tonal lines belong to a speed: the same line is normal at one, and a fault at another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from soundproof.audio.sound import Stems
from soundproof.datasets.bench.planned import PlannedDataset
from soundproof.datasets.bench.settings import ContextParameters
from soundproof.datasets.bench.synthesis import LEVEL_DBFS, MACHINES, SURROUNDINGS_DB, Event, Synthesis
from soundproof.randomness.seeding import seed_from
from soundproof.synthesis.faults import FADE_SECONDS
from soundproof.synthesis.machines import Operation
from soundproof.synthesis.room import Path, Surroundings
from soundproof.synthesis.signals import Signal, band_of_energy, decibels, faded, rms

ATTRIBUTE = "speed"
LINES_HZ = (900.0, 5000.0)
"""Where lines lie: above the orders of the shaft, below the band's end."""
LINE_OF = f"line_of_{ATTRIBUTE}_"
"""Begins the name of a fault, which ends with the speed that its line belongs to."""


@dataclass(frozen=True)
class _Clip:
    """A clip before it is synthesised; ``home`` is the speed that its foreign line belongs to, None: no fault."""

    clip_id: str
    machine: str
    split: str
    speed: str
    home: str | None = None


class ContextBench(PlannedDataset[_Clip]):
    """Synthesised machines, each run at several speeds, at each of which its housing sings one line of its own.

    Normal clips hold the line of their speed for a while. An anomalous clip holds beside it, for a while, the line
    of another speed, as loud as it is there: nothing tells it from a normal sound but the speed. The fault's stem
    is that line, so that the true cells are those of the line that does not belong.

    Args:
        settings: Settings of the bench.
        data_dir: Not used: nothing is stored.
    """

    name = "contexts"
    settings: ContextParameters

    def _planned(self) -> Iterator[_Clip]:
        return _plan(self.settings)

    def _synthesise(self, clip: _Clip) -> Synthesis:
        settings = self.settings
        rate_hz, n_samples = settings.sample_rate_hz, round(settings.seconds * settings.sample_rate_hz)

        def stream(*purpose: str) -> np.random.Generator:
            return np.random.default_rng(seed_from("contexts", settings.seed, clip.machine, *purpose))

        path = Path.draw(stream("room"), rate_hz)
        machine = MACHINES[clip.machine.rpartition("_")[0]].draw(stream("character"))
        surroundings = Surroundings.draw(stream("site"), SURROUNDINGS_DB["source"])
        own = stream(clip.clip_id)
        speed = settings.speeds[clip.speed] * own.uniform(0.99, 1.01)
        operation = Operation(path.memory + n_samples, rate_hz, speed, own.uniform(-1.5, 1.5))
        running = machine.run(operation, own)
        heard = path.carry(running.sound)[path.memory : path.memory + n_samples]
        lines = lines_hz(settings, clip.machine)
        level = rms(heard) * decibels(settings.line_db)
        song, _ = _line(lines[clip.speed], n_samples, settings, own)
        normal = surroundings.around(heard + level * song, own, rate_hz)
        fault, event = np.zeros(n_samples), None
        if clip.home is not None:
            foreign, during = _line(lines[clip.home], n_samples, settings, own)
            fault = level * foreign
            times = during.start / rate_hz, during.stop / rate_hz
            event = Event(*times, *band_of_energy(foreign[during], rate_hz))
        gain = decibels(LEVEL_DBFS) / rms(normal + fault)
        stems = Stems((gain * normal).astype(np.float32), (gain * fault).astype(np.float32), rate_hz)
        return Synthesis(stems, event, physics=None)

    def _described(self, clip: _Clip) -> dict[str, Any]:
        return {
            "machine": clip.machine,
            "machine_id": "id00",
            "split": clip.split,
            "anomaly_type": None if clip.home is None else f"{LINE_OF}{clip.home}",
            "attributes": f"{ATTRIBUTE}={clip.speed}",
            "sample_rate_hz": self.settings.sample_rate_hz,
            "n_samples": round(self.settings.seconds * self.settings.sample_rate_hz),
        }


def lines_hz(settings: ContextParameters, machine: str) -> dict[str, float]:
    """Frequency of the line of each speed of a machine, at least a third of an octave apart."""
    rng = np.random.default_rng(seed_from("contexts", settings.seed, machine, "lines"))
    step = np.log2(LINES_HZ[1] / LINES_HZ[0]) / len(settings.speeds)
    places = rng.permutation(len(settings.speeds)) + rng.uniform(0.3, 0.7, len(settings.speeds))
    found = LINES_HZ[0] * 2.0 ** (step * places)
    return dict(zip(settings.speeds, found.tolist(), strict=True))


def _line(
    frequency_hz: float, n_samples: int, settings: ContextParameters, rng: np.random.Generator
) -> tuple[Signal, slice]:
    """A line of RMS 1 that begins and ends within a clip [n_samples], and where it sounds."""
    rate_hz, line = settings.sample_rate_hz, np.zeros(n_samples)
    length = round(rng.uniform(*settings.line_share) * n_samples)
    start = int(rng.integers(0, n_samples - length, endpoint=True))
    phase = 2 * np.pi * (frequency_hz * np.arange(length) / rate_hz + rng.uniform())
    during = slice(start, start + length)
    line[during] = faded(np.asarray(np.sqrt(2) * np.sin(phase)), round(FADE_SECONDS * rate_hz))
    return line, during


def _plan(settings: ContextParameters) -> Iterator[_Clip]:
    """Yield every clip; foreign lines cycle over the other speeds."""
    for machine in settings.machines:
        for speed in settings.speeds:
            others = [name for name in settings.speeds if name != speed]
            for n in range(settings.train_clips):
                yield _Clip(f"{machine}_{speed}_train_normal_{n:03d}", machine, "train", speed)
            for n in range(settings.test_normal):
                yield _Clip(f"{machine}_{speed}_test_normal_{n:03d}", machine, "test", speed)
            for n in range(settings.test_anomaly):
                home = others[n % len(others)]
                clip_id = f"{machine}_{speed}_test_anomaly_{home}_{n:03d}"
                yield _Clip(clip_id, machine, "test", speed, home)
