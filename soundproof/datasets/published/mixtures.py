"""Data sets whose clips are mixed here, so that background and event are known apart."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from soundproof.datasets.published.listed import PublishedDataset, refuse_unusable
from soundproof.folders.folder_clips import unknown_clip
from soundproof.interfaces.dataset import Audio, Stems
from soundproof.storage.schemas import CLIPS


@dataclass(frozen=True, kw_only=True)
class PlannedMixture:
    """A clip before it is mixed; fields as in :data:`soundproof.storage.schemas.CLIPS`.

    Attributes:
        place: Path of the background.
        event: What is mixed in, in the data set's own terms; None: nothing.
    """

    clip_id: str
    place: str
    machine: str
    machine_id: str
    split: str
    snr_db: float | None
    event: Any = None
    anomaly_type: str | None = None
    attributes: str | None = None

    @property
    def label(self) -> str:
        """Whether something is mixed in."""
        return "normal" if self.event is None else "anomaly"


@dataclass(frozen=True)
class MixedClip:
    """A clip's two parts, float32 [n_samples] each, and the event's samples ``[onset, offset)``."""

    background: np.ndarray
    event: np.ndarray
    onset: int = 0
    offset: int = 0


class MixtureDataset(PublishedDataset):
    """A data set that plans its mixtures in :meth:`planned` and makes them in :meth:`mixed`.

    ``path`` of a clip is that of its background; ``attributes`` name the event.
    """

    rate_hz: int

    @property
    @abstractmethod
    def n_samples(self) -> int:
        """Length of every clip."""

    @abstractmethod
    def planned(self) -> Sequence[PlannedMixture]:
        """Return the mixtures.

        Raises:
            DataError: Sources are missing, or their numbers are not the published ones.
        """

    @abstractmethod
    def mixed(self, clip: PlannedMixture) -> MixedClip:
        """Make a clip; it depends on the settings and on the clip's name, on nothing else.

        Raises:
            DataError: A source cannot be used.
        """

    def clips(self) -> pd.DataFrame:
        """One row per clip; mixtures are made here to know when their events are.

        Raises:
            DataError: Sources are missing or cannot be used, or their numbers are not the published ones.
        """
        rows = [self._row(clip) for clip in self._planned.values()]
        return pd.DataFrame(rows, columns=CLIPS.names).sort_values("clip_id", ignore_index=True)

    def read(self, clip_id: str) -> Audio:
        """Mix a clip; ``samples`` is exactly the float32 sum of its stems.

        Raises:
            DataError: No clip of that id, or a source that cannot be used.
        """
        stems = self.stems(clip_id)
        return Audio(stems.normal + stems.fault, stems.rate_hz)

    def stems(self, clip_id: str) -> Stems:
        """Mix a clip and return its parts; the event is all zero in normal clips.

        Raises:
            DataError: No clip of that id, or a source that cannot be used.
        """
        if clip_id not in self._planned:
            raise unknown_clip(self.name, clip_id, self._planned)
        mixed = self.mixed(self._planned[clip_id])
        return Stems(mixed.background, mixed.event, self.rate_hz)

    @cached_property
    def _planned(self) -> dict[str, PlannedMixture]:
        clips = self.planned()
        refuse_unusable(self.name, clips)
        return {clip.clip_id: clip for clip in clips}

    def _row(self, clip: PlannedMixture) -> dict[str, Any]:
        events = []
        if clip.event is not None:
            mixed = self.mixed(clip)
            times = {"onset_s": mixed.onset / self.rate_hz, "offset_s": mixed.offset / self.rate_hz}
            events.append({**times, "low_hz": None, "high_hz": None})
        known = {name: getattr(clip, name) for name in CLIPS.names if hasattr(clip, name)}
        facts = {"sample_rate_hz": self.rate_hz, "n_samples": self.n_samples}
        return {"dataset": self.name, "path": clip.place, **known, **facts, "events": events}
