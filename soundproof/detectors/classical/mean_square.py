"""Mean square: a control that learns nothing, for it is the error of reconstructing zero."""

from __future__ import annotations

import pandas as pd
from torch import Tensor

from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import Detector, TrainingClips, TrainingRun


class MeanSquare(Detector):
    """Scores a clip by the mean of x² over all cells of its map.

    On standardised maps that is the squared distance from a usual frame, and what an auto-encoder has for an
    error if it learnt to return zero. A detector that is no better ranks clips by energy.
    """

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Learn nothing."""
        self.to(run.device)
        return no_history()

    def score(self, x: Tensor) -> Tensor:
        """Mean square of each clip's map [B], in squared units of the map."""
        return x.square().mean(dim=(1, 2))
