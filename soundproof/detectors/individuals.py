"""Which individual a clip shows, for detectors that compare clips with their own kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from soundproof.interfaces.detector import Detector
from soundproof.storage.maps import MapReader

Individuals = Mapping[str, tuple[str, str]]
"""(machine, machine_id) by clip id."""


def individuals_of(clips: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Read them off rows of the ``clips`` table."""
    named = clips[["clip_id", "machine", "machine_id"]].astype(str).itertuples(index=False)
    return {clip_id: (machine, machine_id) for clip_id, machine, machine_id in named}


def batches_by_individual(
    detector: Detector,
    features: MapReader,
    size: int,
    clip_ids: Sequence[str],
    individuals: Individuals | None,
) -> Iterator[tuple[Detector, list[str], np.ndarray]]:
    """Yield maps together with the detector that scores them, in the order of ``clip_ids``.

    A batch ends where the detector changes; for one that scores all individuals alike, only where it is full.

    Args:
        detector: Fitted detector.
        features: What it scores.
        size: Clips in a batch at most.
        clip_ids: Clips to read.
        individuals: Individual of each clip; clips without one are scored as of nobody in particular.

    Yields:
        Detector, clip ids [n <= size], maps [n, n_freq, n_frames].
    """
    known = individuals or {}
    views = {name: detector.for_individual(*name) for name in set(known.values())}

    def view_of(clip_id: str) -> Detector:
        return views[known[clip_id]] if clip_id in known else detector

    for _, run in groupby(clip_ids, key=lambda clip_id: id(view_of(clip_id))):
        ids = list(run)
        for batch, maps in features.batches(size, ids):
            yield view_of(ids[0]), batch, maps
