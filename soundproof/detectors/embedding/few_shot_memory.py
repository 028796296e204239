"""Patch memory of a few normal clips: how many normals does a detector need?

Nothing is learnt and nothing is left out: all patches of 1, 2, 4, 8 ... clips, of length 1, are compared by cosine
distance, and a clip scores the mean of its largest 1 % (after Damm et al. 2025, AnomalyDINO, WACV).
"""

from __future__ import annotations

import pandas as pd
from torch import Tensor
from torch.nn import functional

from soundproof.core.errors import DataError
from soundproof.detectors.embedding.memory import MemoryDetector
from soundproof.detectors.embedding.settings import FewShotMemorySettings
from soundproof.detectors.reading import no_history
from soundproof.interfaces.detector import TrainingClips, TrainingRun
from soundproof.randomness.seeding import seed_from


class FewShotMemory(MemoryDetector):
    """Cosine distance to the nearest patch of a few normal clips, 0 to 2.

    The clips are the first in an order that derives from the seed and their names: those of 2 shots are among those
    of 4. For vectors of length 1 the cosine distance is half the squared Euclidean one, which is 0 for equal ones.
    """

    settings: FewShotMemorySettings

    def fit(self, clips: TrainingClips, run: TrainingRun) -> pd.DataFrame:
        """Remember the drawn clips.

        Raises:
            DataError: Fewer training clips than shots, or maps too small.
        """
        settings = self.settings
        if len(clips) < settings.shots:
            raise DataError(
                f"{settings.shots} normal clips ('shots')",
                f"{len(clips)} training clips",
                "lower 'shots', or add training clips",
            )
        self.prepare(clips, run)
        names = [seed_from("shot", run.seed, clip_id) for clip_id in clips.frame["clip_id"]]
        drawn = sorted(range(len(clips)), key=names.__getitem__)[: settings.shots]
        patches = self.patches(clips.read(sorted(drawn)).to(run.device)).detach()
        self.remember([patches[:, row].flatten(0, 1) for row in range(patches.shape[1])])
        return no_history()

    def patches(self, x: Tensor) -> Tensor:
        """Patches of length 1, [B, rows, columns, n_channels]."""
        return functional.normalize(super().patches(x), dim=-1)

    def cell_scores(self, x: Tensor) -> Tensor:
        """Cosine distance of each patch to the nearest remembered one, [B, rows, columns]."""
        return self.neighbours(self.patches(x), 1)[0][..., 0].square() / 2
