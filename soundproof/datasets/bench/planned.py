"""Data sets whose clips are synthesised, one by one, from a plan."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import pandas as pd

from soundproof.audio.sound import Audio, Stems
from soundproof.core.errors import DataError
from soundproof.core.registry import Parameters
from soundproof.datasets.bench.synthesis import Synthesis
from soundproof.interfaces.dataset import AudioDataset, Physics
from soundproof.storage.schemas import CLIPS


class Planned(Protocol):
    """A clip before it is synthesised."""

    @property
    def clip_id(self) -> str:
        """Its id."""


C = TypeVar("C", bound=Planned)


class PlannedDataset(AudioDataset, Generic[C]):
    """Clips ``normal + fault`` with exact stems.

    Args:
        settings: Settings of the data set.
        data_dir: Not used: nothing is stored.
    """

    name: ClassVar[str]
    """Its name in the registry."""

    def __init__(self, settings: Parameters, data_dir: Path) -> None:
        super().__init__(settings, data_dir)
        self._plan = {clip.clip_id: clip for clip in self._planned()}

    @abstractmethod
    def _planned(self) -> Iterable[C]:
        """All clips of the settings."""

    @abstractmethod
    def _synthesise(self, clip: C) -> Synthesis:
        """Synthesise a clip."""

    @abstractmethod
    def _described(self, clip: C) -> dict[str, Any]:
        """What the clips table says of a clip beside its event, ``anomaly_type`` (None: no fault) among it.

        Columns that it need not have may be left out.
        """

    def clips(self) -> pd.DataFrame:
        """One row per clip; anomalous clips are synthesised here to measure the bands of their events."""
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
        return self._synthesis(clip_id).stems

    def physics(self, clip_id: str) -> Physics | None:
        """What the clip's fault was drawn to be; None of normal clips, and of faults that no law of physics draws.

        Raises:
            DataError: No clip of that id.
        """
        return self._synthesis(clip_id).physics

    def _synthesis(self, clip_id: str) -> Synthesis:
        if clip_id not in self._plan:
            close = difflib.get_close_matches(clip_id, self._plan, n=3)
            remedy = (
                f"did you mean one of: {', '.join(close)}?" if close else "take an id from the clips table"
            )
            found = f"no such clip among the {len(self._plan)} of these settings"
            raise DataError(f"clip '{clip_id}' of data set '{self.name}'", found, remedy)
        return self._synthesise(self._plan[clip_id])

    def _row(self, clip: C) -> dict[str, Any]:
        described = self._described(clip)
        normal = described["anomaly_type"] is None
        event = None if normal else self._synthesis(clip.clip_id).event
        return {
            "clip_id": clip.clip_id,
            "dataset": self.name,
            "label": "normal" if normal else "anomaly",
            "events": [] if event is None else [asdict(event)],
            **described,
        }
