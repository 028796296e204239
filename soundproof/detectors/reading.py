"""Reading the training clips of detectors that learn without epochs."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from torch import Tensor

from soundproof.interfaces.detector import TrainingClips
from soundproof.storage.maps import ROWS_PER_GROUP
from soundproof.storage.schemas import HISTORY


def in_chunks(clips: TrainingClips) -> Iterator[Tensor]:
    """Yield all clips in order, float32 [n, n_freq, n_frames], about a row group at a time."""
    for rows in rows_in_chunks(clips):
        yield clips.read(rows)


def rows_in_chunks(clips: TrainingClips) -> Iterator[list[int]]:
    """Yield the rows of all clips in order, about a row group at a time."""
    for start in range(0, len(clips), ROWS_PER_GROUP):
        yield list(range(start, min(start + ROWS_PER_GROUP, len(clips))))


def no_history() -> pd.DataFrame:
    """An empty history for a training without epochs."""
    frame: pd.DataFrame = HISTORY.empty_table().to_pandas()
    return frame
