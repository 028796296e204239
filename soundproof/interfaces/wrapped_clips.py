"""Training clips that stand before others, as a detector is to see them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from soundproof.interfaces.detector import TrainingClips
    from soundproof.storage.maps import Axes


class WrappedClips(ABC):
    """A :class:`soundproof.interfaces.detector.TrainingClips` of the clips behind it, but for their maps.

    Args:
        clips: The clips behind.
    """

    def __init__(self, clips: TrainingClips) -> None:
        self._clips = clips

    @property
    def frame(self) -> pd.DataFrame:
        """The clips' rows of the ``clips`` table, in reading order."""
        return self._clips.frame

    @property
    def axes(self) -> Axes:
        """The time-frequency grid."""
        return self._clips.axes

    def __len__(self) -> int:
        return len(self._clips)

    @abstractmethod
    def read(self, rows: list[int]) -> Tensor:
        """Maps float32 [n, n_freq, n_frames] of the given rows, on the CPU."""
