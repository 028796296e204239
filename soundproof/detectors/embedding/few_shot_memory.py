"""Patch memory of a few normal clips: how many normals does a detector need?

Nothing is learnt and nothing is left out: all patches of 1, 2, 4, 8 ... clips, of length 1, are compared by cosine
distance, and a clip scores the mean of its largest 1 % (after Damm et al. 2025, AnomalyDINO, WACV).
"""

from __future__ import annotations

import pandas as pd
from torch import Tensor
from torch.nn import functional

from soundproof.detectors.embedding.memory import MemoryDetector
from soundproof.detectors.embedding.settings import FewShotMemorySettings
from soundproof.detectors.embedding.some_clips import shots_of
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import TrainingClips, TrainingRun


class FewShotMemory(MemoryDetector):
    """Cosine distance to the nearest patch of a few normal clips, 0 to 2.

    For vectors of length 1 the cosine distance is half the squared Euclidean one, which is 0 for equal ones.
    """

    settings: FewShotMemorySettings

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Remember the drawn clips.

        Raises:
            DataError: Fewer training clips than shots, or maps too small.
        """
        shots = shots_of(clips, self.settings.shots, run.seed)
        self.prepare(clips, run)
        patches = self.patches(shots.read(list(range(len(shots)))).to(run.device)).detach()
        self.remember([patches[:, row].flatten(0, 1) for row in range(patches.shape[1])])
        return no_history()

    def patches(self, x: Tensor) -> Tensor:
        """Patches of length 1, [B, rows, columns, n_channels]."""
        return functional.normalize(super().patches(x), dim=-1)

    def cell_scores(self, x: Tensor) -> Tensor:
        """Cosine distance of each patch to the nearest remembered one, [B, rows, columns]."""
        return self.neighbours(self.patches(x), 1)[0][..., 0].square() / 2
