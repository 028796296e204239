"""Mean and deviation of each band over normal clips."""

from __future__ import annotations

import torch
from torch import Tensor

from soundproof.core.errors import DataError
from soundproof.detectors.reading import in_chunks
from soundproof.interfaces.detector import TrainingClips

_STILL = 1e-6
"""A band whose deviation is smaller than this part of the largest does not vary but for rounding."""


def band_scale(clips: TrainingClips) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each band over all frames of the clips, float32 [n_freq] each.

    A band that does not vary has the deviation 1.

    Raises:
        DataError: No clips.
    """
    n, total, squares = 0, torch.zeros(()), torch.zeros(())
    origin: Tensor | None = None
    for maps in in_chunks(clips):
        bands = maps.double().transpose(0, 1).flatten(1)
        # sums of squares about a first guess lose no digits to a large mean
        origin = bands.mean(dim=1) if origin is None else origin
        away = bands - origin[:, None]
        total, squares = total + away.sum(dim=1), squares + away.square().sum(dim=1)
        n += bands.shape[1]
    if origin is None:
        raise DataError("normal training clips", "none", "add training clips")
    deviation = (squares / n - (total / n).square()).clamp_min(0).sqrt()
    varies = deviation > _STILL * deviation.max()
    return (origin + total / n).float(), torch.where(varies, deviation, 1.0).float()
