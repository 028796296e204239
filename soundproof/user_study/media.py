"""What questions show and play of clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from soundproof.storage.maps import Axes


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A clip as it is seen.

    Attributes:
        axes: Grid and unit of the spectrogram.
        spectrogram: What the detector sees [n_freq, n_frames].
        maps: Relevance [n_freq, n_frames] by explainer.
        mask: Cells of the fault, bool [n_freq, n_frames]; None: unknown.
    """

    axes: Axes
    spectrogram: np.ndarray
    maps: Mapping[str, np.ndarray]
    mask: np.ndarray | None


class Media(Protocol):
    """Where pictures and sounds come from."""

    @property
    def silent(self) -> bool:
        """Whether there is no sound at all."""
        ...

    def picture(self, clip_id: str, explainers: Sequence[str]) -> Picture:
        """What is seen of an explained clip."""
        ...

    def sound(self, clip_id: str) -> tuple[np.ndarray, int]:
        """Samples of a clip, float [n_samples], and their rate.

        Raises:
            DataError: It is out of reach.
        """
        ...
