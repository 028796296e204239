"""What the generative detectors share: maps in deviations from each band's mean over the normal clips."""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from soundproof.detectors.band_scale import band_scale
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.training.loop import GradientTrained
from soundproof.training.settings import TrainingSettings


class StandardisedDetector(GradientTrained):
    """A detector whose network sees standardised bands, whatever the recipe of the maps.

    Priors, noise and starting weights presuppose numbers of about unit size, and a study may have maps of any.

    Attributes:
        band_mean: Mean of each band over the training clips, [n_freq].
        band_deviation: Its standard deviation, [n_freq].
    """

    band_mean: Tensor
    band_deviation: Tensor

    def __init__(self, shape: tuple[int, int], settings: TrainingSettings) -> None:
        super().__init__(shape, settings)
        self.register_buffer("band_mean", torch.zeros(shape[0]))
        self.register_buffer("band_deviation", torch.ones(shape[0]))

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Measure the bands, then train.

        Raises:
            DataError: Fewer than three clips.
            TrainingError: The loss is not finite.
        """
        mean, deviation = band_scale(clips)
        self.band_mean.copy_(mean)
        self.band_deviation.copy_(deviation)
        return super().fit(clips, run)

    def standardised(self, x: Tensor) -> Tensor:
        """Maps [B, n_freq, n_frames] in deviations from each band's mean."""
        away: Tensor = (x - self.band_mean[:, None]) / self.band_deviation[:, None]
        return away

    def restored(self, u: Tensor) -> Tensor:
        """Standardised maps [B, n_freq, n_frames] in the unit of the maps."""
        maps: Tensor = u * self.band_deviation[:, None] + self.band_mean[:, None]
        return maps
