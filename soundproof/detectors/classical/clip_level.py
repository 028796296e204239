"""Clip level: a control that hears loudness only."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from soundproof.core.registry import Parameters
from soundproof.detectors.reading import in_chunks, no_history
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun


class ClipLevel(Detector):
    """Scores a clip by how far its mean level lies from that of the training clips, to either side.

    Where it separates the classes, part of what other detectors find is loudness.
    """

    level: Tensor

    def __init__(self, shape: tuple[int, int], settings: Parameters) -> None:
        super().__init__(shape, settings)
        self.register_buffer("level", torch.zeros(()))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Measure the mean level of the training clips."""
        means = [part.double().mean(dim=(1, 2)) for part in in_chunks(clips)]
        self.level.copy_(torch.cat(means).mean())
        self.to(run.device)
        return no_history()

    def score(self, x: Tensor) -> Tensor:
        """Absolute difference between each clip's mean and the training mean [B]."""
        return (x.mean(dim=(1, 2)) - self.level).abs()
