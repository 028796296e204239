"""Frame level: a map's curve over time, and how well it ranks annotated frames above the others."""

from __future__ import annotations

from typing import Literal

import numpy as np

from soundproof.statistics.roc import auroc_rows
from soundproof.truth.ground_truth import require_finite

Reduction = Literal["sum", "top5_mean"]


def frame_curves(maps: np.ndarray, reduction: Reduction = "sum") -> np.ndarray:
    """Reduce maps over frequency.

    Args:
        maps: Signed relevance [n_clips, n_freq, n_frames].
        reduction: ``sum``: signed sum (arXiv 2601.12660); ``top5_mean``: mean of the five most relevant bins
            of each frame, or of all where there are fewer.

    Returns:
        float64 [n_clips, n_frames].
    """
    maps = np.asarray(maps, dtype=np.float64)
    if reduction == "sum":
        return np.asarray(maps.sum(axis=1))
    n_top = min(5, maps.shape[1])
    return np.asarray(np.partition(maps, -n_top, axis=1)[:, -n_top:].mean(axis=1))


def frame_auroc(curves: np.ndarray, annotated: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each clip's frames.

    Its chance line is 0.5 exactly, for uniformly random curves and, averaged over all circular shifts, for
    any curve: the offsets between annotated and other frames are symmetric.

    Args:
        curves: Relevance over time [n_clips, n_frames], higher = more anomalous.
        annotated: bool [n_clips, n_frames].

    Returns:
        float64 [n_clips]; NaN marks clips annotated nowhere or throughout, for the caller to count.

    Raises:
        DataError: A curve holds NaN or infinity.
    """
    require_finite(curves, "the curves")
    return auroc_rows(curves, annotated)
