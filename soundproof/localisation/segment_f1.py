"""Segment F1 as rows: both protocols, their chance lines, and what flagging every segment earns."""

from __future__ import annotations

from typing import get_args

import numpy as np

from soundproof.localisation.chance import circular_shift_chance, uniform_chance
from soundproof.localisation.frames import frame_curves
from soundproof.localisation.measured import Measured
from soundproof.localisation.segments import Protocol, flag_all_f1, segment_f1
from soundproof.localisation.settings import SegmentF1Settings
from soundproof.storage.measurements import FLAG_ALL, SHIFT, UNIFORM, Block
from soundproof.truth.ground_truth import Truth


def measure(maps: np.ndarray, truth: Truth, settings: SegmentF1Settings) -> Measured:
    """Segment F1 under both protocols, each with chance lines for as many peaks, and of flagging every segment.

    Clips without an event are undefined: their F1 could only be zero.
    """
    annotated = truth.frames(maps.shape[2])
    curves = frame_curves(maps, settings.reduction)
    segment_frames = max(1, round(settings.segment_s * truth.frames_per_second))
    common = (curves, annotated, segment_frames, settings.percentiles)
    every = np.repeat(
        flag_all_f1(annotated, segment_frames)[:, np.newaxis], len(settings.percentiles), axis=1
    )
    measured = {FLAG_ALL: every}
    ties = truth.ties(maps.shape[2])
    for protocol in get_args(Protocol):
        suffix = "" if protocol == "corrected" else f"_{protocol}"
        measured |= {
            protocol: segment_f1(*common, protocol, ties),
            f"{UNIFORM}{suffix}": uniform_chance(*common, protocol, ties),
            f"{SHIFT}{suffix}": circular_shift_chance(*common, protocol, ties),
        }
    for protocol, values in measured.items():
        defined = np.where(truth.with_events()[:, np.newaxis], values, np.nan)
        for percentile, column in zip(settings.percentiles, defined.T, strict=True):
            yield Block("segment_f1", protocol, percentile, column)
