"""Which individual a clip shows, and in which context, for detectors that compare clips with their own kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd

from soundproof.detectors.hearing import hearing
from soundproof.interfaces.detector import Detector
from soundproof.storage.maps import MapReader


class Shown(NamedTuple):
    """What a clip shows.

    Attributes:
        machine: Name of the machine.
        machine_id: Which of these machines.
        attributes: Conditions of the recording, as in the ``clips`` table; empty: nobody noted any.
    """

    machine: str
    machine_id: str
    attributes: str = ""


Individuals = Mapping[str, Shown]
"""What is shown, by clip id."""


def individuals_of(clips: pd.DataFrame) -> dict[str, Shown]:
    """Read them off rows of the ``clips`` table."""
    noted = clips["attributes"].fillna("") if "attributes" in clips else pd.Series("", index=clips.index)
    columns = [clips["clip_id"], clips["machine"], clips["machine_id"], noted]
    rows = zip(*(column.astype(str) for column in columns), strict=True)
    return {clip_id: Shown(*shown) for clip_id, *shown in rows}


def batches_by_individual(
    detector: Detector,
    features: MapReader,
    size: int,
    clip_ids: Sequence[str],
    individuals: Individuals | None,
) -> Iterator[tuple[Detector, list[str], np.ndarray]]:
    """Yield maps together with the detector that scores them, in the order of ``clip_ids``.

    A batch ends where the detector changes; for one that scores all individuals alike, only where it is full. One
    that hears is told the sound of each clip, and gets clip by clip, so that all copies of it can be asked.

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
    views = {
        shown: detector.for_individual(shown.machine, shown.machine_id).for_context(shown.attributes)
        for shown in set(known.values())
    }

    def view_of(clip_id: str) -> Detector:
        return views[known[clip_id]] if clip_id in known else detector

    for _, run in groupby(clip_ids, key=lambda clip_id: id(view_of(clip_id))):
        ids = list(run)
        for batch, maps in features.batches(1 if detector.hears else size, ids):
            yield hearing(view_of(ids[0]), features, batch, maps), batch, maps
