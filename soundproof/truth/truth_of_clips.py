"""From rows of the ``clips`` table and a file of masks to ground truth on the grid of the maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soundproof.storage.maps import MapReader
from soundproof.truth.ground_truth import Events, Truth, frames_of_events

if TYPE_CHECKING:
    from soundproof.features.sounds import ClipSounds


def truth_of_clips(clips: pd.DataFrame, masks: MapReader, sounds: ClipSounds | None = None) -> Truth:
    """Ground truth of ``clips``, in their order, and their sound; masks only where every clip has one."""
    ids = list(clips["clip_id"])
    has_masks = len(ids) > 0 and all(clip_id in masks for clip_id in ids)
    return Truth(
        frames_per_second=masks.axes.frames_per_second,
        events=[event_times(events) for events in clips["events"]],
        masks=masks.read(ids).astype(bool) if has_masks else None,
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
