"""A detector: the mean of a power of each cell."""

from __future__ import annotations

import pandas as pd
from torch import Tensor

from loud_things.declared import LoudnessSettings
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun


class Loudness(Detector):
    """Scores a clip by how loud it is."""

    settings: LoudnessSettings

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Learn nothing."""
        return no_history()

    def anomaly_map(self, x: Tensor) -> Tensor:
        """Power of each cell."""
        return x.abs() ** self.settings.power

    def score(self, x: Tensor) -> Tensor:
        """Mean power."""
        return self.anomaly_map(x).mean(dim=(1, 2))
