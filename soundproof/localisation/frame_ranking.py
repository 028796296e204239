"""Frames of a whole set, ranked by the map's curve: P2's temporal level.

Source: Barusco et al. 2025, arXiv 2502.18328, after the code of a fork: the score of a frame is the mean of
its five largest cells; frames of all clips are ranked together, those of normal clips among the negatives. A
frame is positive where it overlaps a labelled event. Clips that nobody labelled are left out. The best F1 has its
threshold from these very frames, an oracle.
"""

from __future__ import annotations

from soundproof.localisation.frames import frame_curves
from soundproof.localisation.measured import Measured
from soundproof.localisation.pooled import Batches, ranking_blocks
from soundproof.localisation.settings import FrameRankingSettings
from soundproof.statistics.binned_ranking import RankingHistogram


def measure(batches: Batches, settings: FrameRankingSettings) -> Measured:
    """Area under the ROC curve, average precision and best F1 over all frames of the set."""
    counted = RankingHistogram()
    for maps, truth in batches():
        known = [row for row, events in enumerate(truth.events) if events is not None]
        counted.add(frame_curves(maps[known], settings.reduction), truth.frames(maps.shape[2])[known])
    yield from ranking_blocks("pooled_frame", "", counted.ranking())
