"""Sound in memory: a recording, and the two parts it may be the sum of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Audio:
    """Mono sound.

    Attributes:
        samples: float32 [n_samples], full scale = 1.
        rate_hz: Sampling rate.
    """

    samples: np.ndarray
    rate_hz: int


@dataclass(frozen=True)
class Stems:
    """The two parts whose sum is a clip, both after path, microphone and gain.

    Attributes:
        normal: float32 [n_samples], the healthy machine with its room.
        fault: float32 [n_samples], what the fault adds.
        rate_hz: Sampling rate.
    """

    normal: np.ndarray
    fault: np.ndarray
    rate_hz: int
