"""Machines whose tonal lines belong to a speed: the same line is normal at one, and a fault at another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path as Folder
from typing import Any

import numpy as np
import pandas as pd

from soundproof.audio.sound import Audio, Stems
from soundproof.core.errors import DataError
from soundproof.datasets.bench.settings import ContextParameters
from soundproof.datasets.bench.synthesis import LEVEL_DBFS, MACHINES, SURROUNDINGS_DB, Event
from soundproof.interfaces.dataset import AudioDataset
from soundproof.randomness.seeding import seed_from
from soundproof.storage.schemas import CLIPS
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


class ContextBench(AudioDataset):
    """Synthesised machines, each run at several speeds, at each of which its housing sings one line of its own.

    Normal clips hold the line of their speed for a while. An anomalous clip holds beside it, for a while, the line
    of another speed, as loud as it is there: nothing tells it from a normal sound but the speed. The fault's stem
    is that line, so that the true cells are those of the line that does not belong.

    Args:
        settings: Settings of the bench.
        data_dir: Not used: nothing is stored.
    """

    settings: ContextParameters

    def __init__(self, settings: ContextParameters, data_dir: Folder) -> None:
        super().__init__(settings, data_dir)
        self._plan = {clip.clip_id: clip for clip in _plan(settings)}

    def clips(self) -> pd.DataFrame:
        """One row per clip; its ``attributes`` name the speed, the type of an anomaly that of its foreign line."""
        rows = [self._row(self._plan[clip_id]) for clip_id in sorted(self._plan)]
        return pd.DataFrame(rows, columns=CLIPS.names)

    def read(self, clip_id: str) -> Audio:
        """Synthesise a clip; ``samples`` is exactly the float32 sum of its stems.

        Raises:
            DataError: No clip of that id.
        """
        stems = self.stems(clip_id)
        return Audio(stems.normal + stems.fault, stems.rate_hz)

    def stems(self, clip_id: str) -> Stems:
        """Synthesise a clip's stems; the fault is all zero in normal clips and outside the event.

        Raises:
            DataError: No clip of that id.
        """
        return self._synthesised(clip_id)[0]

    def _synthesised(self, clip_id: str) -> tuple[Stems, Event | None]:
        if clip_id not in self._plan:
            found = f"no such clip among the {len(self._plan)} of these settings"
            raise DataError(
                f"clip '{clip_id}' of data set 'contexts'", found, "take an id from the clips table"
            )
        clip, settings = self._plan[clip_id], self.settings
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
        return stems, event

    def _row(self, clip: _Clip) -> dict[str, Any]:
        event = None if clip.home is None else self._synthesised(clip.clip_id)[1]
        settings = self.settings
        return {
            "clip_id": clip.clip_id,
            "dataset": "contexts",
            "machine": clip.machine,
            "machine_id": "id00",
            "split": clip.split,
            "label": "normal" if clip.home is None else "anomaly",
            "anomaly_type": None if clip.home is None else f"{LINE_OF}{clip.home}",
            "attributes": f"{ATTRIBUTE}={clip.speed}",
            "sample_rate_hz": settings.sample_rate_hz,
            "n_samples": round(settings.seconds * settings.sample_rate_hz),
            "events": [] if event is None else [asdict(event)],
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
