"""Some of the training clips, as if there were no others."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.interfaces.detector import TrainingClips
from soundproof.interfaces.wrapped_clips import WrappedClips
from soundproof.randomness.seeding import seed_from


class SomeClips(WrappedClips):
    """Training clips of some rows.

    Args:
        clips: All of them.
        rows: Those that count, in this order.
    """

    def __init__(self, clips: TrainingClips, rows: Sequence[int]) -> None:
        super().__init__(clips)
        self._rows = list(rows)

    @property
    def frame(self) -> pd.DataFrame:
        """Their rows of the ``clips`` table."""
        return self._clips.frame.iloc[self._rows].reset_index(drop=True)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, rows: list[int]) -> Tensor:
        """Maps float32 [n, n_freq, n_frames] of the given rows among these."""
        return self._clips.read([self._rows[row] for row in rows])


def shots_of(clips: TrainingClips, shots: int, seed: int) -> SomeClips:
    """The first clips in an order that derives from the seed and their names: 2 shots are among 4.

    Args:
        clips: All training clips.
        shots: How many of them.
        seed: Run seed.

    Raises:
        DataError: Fewer training clips than shots.
    """
    if len(clips) < shots:
        raise DataError(
            f"{shots} normal clips ('shots')",
            f"{len(clips)} training clips",
            "lower 'shots', or add training clips",
        )
    names = [seed_from("shot", seed, clip_id) for clip_id in clips.frame["clip_id"]]
    drawn = sorted(range(len(clips)), key=names.__getitem__)[:shots]
    return SomeClips(clips, sorted(drawn))
