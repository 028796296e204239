"""From rows of the ``clips`` table and a file of masks to ground truth on the grid of the maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soundproof.storage.maps import MapReader
from soundproof.truth.ground_truth import Events, Truth, frames_of_events

if TYPE_CHECKING:
    from soundproof.features.sounds import ClipSounds
SILENCE_DB = -100.0
"""Level of an event that a clip does not have, the lowest that maps of events know."""


def truth_of_clips(
    clips: pd.DataFrame,
    masks: MapReader,
    sounds: ClipSounds | None = None,
    event_maps: MapReader | None = None,
) -> Truth:
    """Ground truth of ``clips``, in their order, and their sound; masks and maps only where every clip has one."""
    ids = list(clips["clip_id"])
    return Truth(
        frames_per_second=masks.axes.frames_per_second,
        events=[event_times(events) for events in clips["events"]],
        masks=masks.read(ids).astype(bool) if masks.holds(ids) else None,
        event_maps=event_maps.read(ids) if event_maps is not None and event_maps.holds(ids) else None,
        sounds=sounds,
    )


def event_times(events: object) -> Events | None:
    """(onset_s, offset_s) pairs of one cell of the ``events`` column; None where nobody labelled the clip."""
    if events is None or not isinstance(events, np.ndarray | list):
        return None
    return [(float(event["onset_s"]), float(event["offset_s"])) for event in events]


def annotated_frames(clips: pd.DataFrame, frames_per_second: float, n_frames: int) -> dict[str, np.ndarray]:
    """Frames inside an event, bool [n_frames], by clip id; clips that nobody labelled are left out."""
    times = {
        clip_id: event_times(events)
        for clip_id, events in zip(clips["clip_id"], clips["events"], strict=True)
    }
    return {
        clip_id: frames_of_events(events, frames_per_second, n_frames)
        for clip_id, events in times.items()
        if events is not None
    }


def event_bands(clips: pd.DataFrame) -> dict[str, list[tuple[float, float]]]:
    """(low_hz, high_hz) of a clip's events, by clip id; only clips of which every event has a known band."""
    found = {}
    for clip_id, events in zip(clips["clip_id"], clips["events"], strict=True):
        if event_times(events):
            bands = [(event["low_hz"], event["high_hz"]) for event in events]
            if not any(pd.isna(edge) for band in bands for edge in band):
                found[clip_id] = bands
    return found


class TruthReader:
    """Ground truth of explained clips, normal ones among them, read batch by batch.

    Normal clips have no event, empty masks and silence as the map of their event. Masks and maps of events are
    there only where every anomalous clip has one.

    Args:
        clips: Rows of the ``clips`` table.
        masks: Exact masks of anomalous clips.
        event_maps: Levels of their events alone in dB; None: not known.
    """

    def __init__(self, clips: pd.DataFrame, masks: MapReader, event_maps: MapReader | None) -> None:
        self._clips = clips.set_index("clip_id")
        self._rate = masks.axes.frames_per_second
        self._shape = masks.axes.shape
        anomalies = list(clips.loc[clips["label"].eq("anomaly"), "clip_id"])
        self._masks = masks if masks.holds(anomalies) else None
        self._event_maps = event_maps if event_maps is not None and event_maps.holds(anomalies) else None

    @property
    def offers(self) -> frozenset[str]:
        """What is known of the set: any of ``events``, ``masks``, ``event_maps``."""
        anomalous = self._clips["label"].eq("anomaly")
        known = {
            "events": any(event_times(events) for events in self._clips.loc[anomalous, "events"]),
            "masks": self._masks is not None,
            "event_maps": self._event_maps is not None,
        }
        return frozenset(name for name, there in known.items() if there)

    def read(self, clip_ids: Sequence[str]) -> Truth:
        """Ground truth of some clips, in their order."""
        rows = self._clips.loc[list(clip_ids)]
        normal = rows["label"].ne("anomaly")
        events = [
            () if of_normal else event_times(events)
            for of_normal, events in zip(normal, rows["events"], strict=True)
        ]
        return Truth(
            frames_per_second=self._rate,
            events=events,
            masks=self._filled(self._masks, clip_ids, bool, False),
            clip_ids=tuple(clip_ids),
            event_maps=self._filled(self._event_maps, clip_ids, np.float32, SILENCE_DB),
        )

    def _filled(
        self, reader: MapReader | None, clip_ids: Sequence[str], dtype: type, absent: float
    ) -> np.ndarray | None:
        if reader is None:
            return None
        out: np.ndarray = np.full((len(clip_ids), *self._shape), absent, dtype)
        known = [row for row, clip_id in enumerate(clip_ids) if clip_id in reader]
        out[known] = reader.read([clip_ids[row] for row in known])
        return out
